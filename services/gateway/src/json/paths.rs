//! Which method a path means.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;

use super::template::{Segment, Template};

/// Paths have at most this many segments.
const MAX_SEGMENTS: usize = 32;

/// Values by path and by method of HTTP.
#[derive(Debug)]
pub(crate) struct Paths<T>(Node<T>);

#[derive(Debug)]
struct Node<T> {
    literals: HashMap<String, Node<T>>,
    one: Option<Box<Node<T>>>,
    /// What ends here, by verb.
    ends: HashMap<Option<String>, End<T>>,
    /// What takes everything from here on, by verb.
    rests: HashMap<Option<String>, End<T>>,
}

/// What is found at one template, by method of HTTP.
type End<T> = Vec<(http::Method, T)>;

/// What a path means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a, T> {
    /// This, with the segments of the path without its verb.
    This(&'a T, Vec<String>),
    /// Something, but only by these methods of HTTP.
    Only(Vec<http::Method>),
    /// Nothing.
    Nothing,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self {
            literals: HashMap::new(),
            one: None,
            ends: HashMap::new(),
            rests: HashMap::new(),
        }
    }
}

impl<T> Paths<T> {
    pub(crate) fn new() -> Self {
        Self(Node::default())
    }

    /// Adds a template; gives back the value when something stands there already.
    pub(crate) fn add(
        &mut self,
        template: &Template,
        method: http::Method,
        value: T,
    ) -> Result<(), T> {
        let mut node = &mut self.0;
        let mut rest = false;
        for segment in &template.segments {
            match segment {
                Segment::Literal(text) => node = node.literals.entry(text.clone()).or_default(),
                Segment::One => node = node.one.get_or_insert_default(),
                Segment::Rest => rest = true,
            }
        }
        let ends = if rest {
            &mut node.rests
        } else {
            &mut node.ends
        };
        let end = ends.entry(template.verb.clone()).or_default();
        if end.iter().any(|(taken, _)| *taken == method) {
            return Err(value);
        }
        end.push((method, value));
        Ok(())
    }

    /// Finds what `path` means. A literal segment goes before a wildcard, a verb before a name that
    /// happens to hold a colon.
    pub(crate) fn find(&self, method: &http::Method, path: &str) -> Found<'_, T> {
        let Some(segments) = split(path) else {
            return Found::Nothing;
        };
        let Some((last, before)) = segments.split_last() else {
            return Found::Nothing;
        };
        let whole = (segments.clone(), None);
        let verbal = last.rsplit_once(':').map(|(stem, verb)| {
            let mut stems = before.to_vec();
            stems.push(stem.to_owned());
            (stems, Some(verb.to_owned()))
        });
        let mut others = Vec::new();
        for (raw, verb) in verbal.into_iter().chain([whole]) {
            let Some(decoded) = decode(&raw) else {
                continue;
            };
            if decoded.iter().any(String::is_empty) {
                continue;
            }
            let has = |end: &End<T>| end.iter().any(|(known, _)| known == method);
            if let Some(end) = self.0.find(&decoded, &verb, &has)
                && let Some((_, value)) = end.iter().find(|(known, _)| known == method)
            {
                return Found::This(value, decoded);
            }
            if let Some(end) = self.0.find(&decoded, &verb, &|_| true) {
                others.extend(end.iter().map(|(known, _)| known.clone()));
            }
        }
        if others.is_empty() {
            Found::Nothing
        } else {
            Found::Only(others)
        }
    }
}

impl<T> Node<T> {
    fn find(
        &self,
        segments: &[String],
        verb: &Option<String>,
        fits: &dyn Fn(&End<T>) -> bool,
    ) -> Option<&End<T>> {
        let Some((first, after)) = segments.split_first() else {
            return self.ends.get(verb).filter(|end| fits(end));
        };
        self.literals
            .get(first)
            .and_then(|node| node.find(after, verb, fits))
            .or_else(|| self.one.as_ref()?.find(after, verb, fits))
            .or_else(|| self.rests.get(verb).filter(|end| fits(end)))
    }
}

fn split(path: &str) -> Option<Vec<String>> {
    let segments: Vec<_> = path
        .strip_prefix('/')?
        .split('/')
        .take(MAX_SEGMENTS + 1)
        .map(str::to_owned)
        .collect();
    (segments.len() <= MAX_SEGMENTS).then_some(segments)
}

/// Undoes percent-encoding; none when what it stands for is not text.
fn decode(segments: &[String]) -> Option<Vec<String>> {
    segments
        .iter()
        .map(|segment| {
            let text = percent_decode_str(segment).decode_utf8().ok()?;
            Some(text.into_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    fn paths() -> Paths<&'static str> {
        let mut paths = Paths::new();
        for (method, template) in [
            (Method::GET, "/v1/{name=students/*}"),
            (Method::POST, "/v1/students"),
            (Method::POST, "/v1/students:lookUp"),
            (Method::POST, "/v1/{name=students/*}:transfer"),
            (Method::POST, "/v1/{name=organizations/**}:setMode"),
        ] {
            let parsed = Template::parse(template).unwrap();
            paths.add(&parsed, method, template).unwrap();
        }
        paths
    }

    fn found(method: Method, path: &str) -> Option<(&'static str, Vec<String>)> {
        match paths().find(&method, path) {
            Found::This(value, segments) => Some((*value, segments)),
            _ => None,
        }
    }

    #[test]
    fn a_path_means_what_its_template_says() {
        let transfer = found(Method::POST, "/v1/students/7:transfer").unwrap();
        assert_eq!(transfer.0, "/v1/{name=students/*}:transfer");
        assert_eq!(transfer.1, ["v1", "students", "7"]);
        let look_up = found(Method::POST, "/v1/students:lookUp").unwrap();
        assert_eq!(look_up.0, "/v1/students:lookUp");
        let deep = found(Method::POST, "/v1/organizations/1/classGroups/2:setMode").unwrap();
        assert_eq!(deep.1.len(), 5);
    }

    #[test]
    fn a_colon_that_is_no_verb_belongs_to_the_name() {
        let get = found(Method::GET, "/v1/students/a:b").unwrap();
        assert_eq!(get.1, ["v1", "students", "a:b"]);
        let encoded = found(Method::GET, "/v1/students/a%3Ab%2Fc").unwrap();
        assert_eq!(encoded.1, ["v1", "students", "a:b/c"]);
    }

    #[test]
    fn another_method_of_http_is_told_from_nothing() {
        assert_eq!(
            paths().find(&Method::DELETE, "/v1/students/7"),
            Found::Only(vec![Method::GET])
        );
        for path in ["", "/", "/v1", "/v1/students/", "/v1/students/%ff", "v1"] {
            assert_eq!(paths().find(&Method::GET, path), Found::Nothing, "{path}");
        }
        let long = "/a".repeat(100);
        assert_eq!(paths().find(&Method::GET, &long), Found::Nothing);
    }

    #[test]
    fn nothing_is_added_twice() {
        let template = Template::parse("/v1/{other=students/*}").unwrap();
        assert_eq!(paths().add(&template, Method::GET, "again"), Err("again"));
    }
}
