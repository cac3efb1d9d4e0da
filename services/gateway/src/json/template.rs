//! Path templates of `google.api.http`, such as `/v1/{name=organizations/*/visits/*}:leave`.

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Exactly this text.
    Literal(String),
    /// Any one segment: `*`.
    One,
    /// One or more segments up to the end: `**`.
    Rest,
}

/// A part of the path that is the value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// The field, such as `student.name`.
    pub(crate) field: String,
    /// The first segment.
    pub(crate) start: usize,
    /// The segment after the last.
    pub(crate) end: usize,
    /// Reaches to the end of the path: its last segment is `**`.
    pub(crate) open: bool,
}

/// A template, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) segments: Vec<Segment>,
    pub(crate) variables: Vec<Variable>,
    /// What stands behind the colon.
    pub(crate) verb: Option<String>,
}

impl Template {
    /// Takes `text` apart; none when it has another form or `**` is not its last segment.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('/')?;
        let mut template = Self {
            segments: Vec::new(),
            variables: Vec::new(),
            verb: None,
        };
        // A colon inside of braces never begins a verb.
        let tail = rest.rfind('}').map_or(0, |brace| brace + 1);
        let tail = tail.max(rest.rfind('/').unwrap_or_default());
        if let Some(colon) = rest[tail..].find(':') {
            let verb = &rest[tail + colon + 1..];
            template.verb = Some(verb.to_owned()).filter(|verb| !verb.is_empty());
            template.verb.as_ref()?;
            rest = &rest[..tail + colon];
        }
        loop {
            rest = match rest.strip_prefix('{') {
                Some(variable) => {
                    let (variable, after) = variable.split_once('}')?;
                    template.variable(variable)?;
                    after
                }
                None => {
                    let end = rest.find('/').unwrap_or(rest.len());
                    template.segment(&rest[..end])?;
                    &rest[end..]
                }
            };
            if rest.is_empty() {
                break;
            }
            rest = rest.strip_prefix('/')?;
        }
        let before_last = template.segments.split_last()?.1;
        (!before_last.contains(&Segment::Rest)).then_some(template)
    }

    fn variable(&mut self, text: &str) -> Option<()> {
        let (field, pattern) = text.split_once('=').unwrap_or((text, "*"));
        if field.is_empty() {
            return None;
        }
        let start = self.segments.len();
        for segment in pattern.split('/') {
            self.segment(segment)?;
        }
        self.variables.push(Variable {
            field: field.to_owned(),
            start,
            end: self.segments.len(),
            open: self.segments.last() == Some(&Segment::Rest),
        });
        Some(())
    }

    fn segment(&mut self, text: &str) -> Option<()> {
        let segment = match text {
            "*" => Segment::One,
            "**" => Segment::Rest,
            text if text.is_empty() || text.contains(['*', '{', '}']) => return None,
            text => Segment::Literal(text.to_owned()),
        };
        self.segments.push(segment);
        Some(())
    }

    /// Whether some path is meant by both.
    #[cfg(test)]
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let mut pair = (self.segments.iter(), other.segments.iter());
        let together = loop {
            match (pair.0.next(), pair.1.next()) {
                (None, None) => break true,
                (Some(Segment::Rest), Some(_)) | (Some(_), Some(Segment::Rest)) => break true,
                (Some(Segment::Literal(one)), Some(Segment::Literal(two))) if one != two => {
                    break false;
                }
                (Some(_), Some(_)) => {}
                _ => break false,
            }
        };
        together && self.verb == other.verb
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Segment {
        Segment::Literal(text.to_owned())
    }

    #[test]
    fn a_template_has_segments_variables_and_a_verb() {
        let template = Template::parse("/v1/{check.scope=organizations/*/rooms/*}/checks:correct");
        let variable = Variable {
            field: "check.scope".to_owned(),
            start: 1,
            end: 5,
            open: false,
        };
        let expected = Template {
            segments: vec![
                literal("v1"),
                literal("organizations"),
                Segment::One,
                literal("rooms"),
                Segment::One,
                literal("checks"),
            ],
            variables: vec![variable],
            verb: Some("correct".to_owned()),
        };
        assert_eq!(template, Some(expected));
    }

    #[test]
    fn a_variable_without_a_pattern_is_one_segment() {
        let template = Template::parse("/v1/{name}").unwrap();
        assert_eq!(template.segments, [literal("v1"), Segment::One]);
        assert_eq!(template.verb, None);
    }

    #[test]
    fn what_is_not_a_template_is_refused() {
        for text in [
            "",
            "v1",
            "/",
            "/v1//a",
            "/v1/{name",
            "/v1/{=a/*}",
            "/v1/a*",
            "/v1/**/a",
            "/v1/a:",
            "/v1/{name=a/*}b",
            "/v1/{name={other}}",
        ] {
            assert_eq!(Template::parse(text), None, "{text}");
        }
    }

    #[test]
    fn templates_meet_where_a_path_fits_both() {
        let meets = |one: &str, two: &str| {
            Template::parse(one)
                .unwrap()
                .meets(&Template::parse(two).unwrap())
        };
        assert!(meets("/v1/{name=a/*}", "/v1/a/b"));
        assert!(meets("/v1/{name=a/**}:do", "/v1/a/b/c:do"));
        assert!(!meets("/v1/{name=a/*}", "/v1/{name=b/*}"));
        assert!(!meets("/v1/{name=a/*}", "/v1/{name=a/*}:do"));
        assert!(!meets("/v1/a", "/v1/a/b"));
    }
}
