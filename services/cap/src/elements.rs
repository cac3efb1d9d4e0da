//! The elements within an element, and the forms of what is in them.

use std::str::FromStr;

use chrono::{DateTime, FixedOffset};

use crate::fault::Faults;
use crate::message::{Named, Version};
use crate::value::{self, is_token};
use crate::words::Word;
use crate::xml::Element;

/// An element and where it stands.
pub(crate) struct At<'a> {
    pub(crate) element: &'a Element,
    pub(crate) path: String,
}

impl<'a> At<'a> {
    pub(crate) fn root(element: &'a Element) -> Self {
        Self {
            element,
            path: element.name.clone(),
        }
    }

    pub(crate) fn below(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }
}

/// Reads elements of one version and notes what is wrong with them.
pub(crate) struct Reader {
    pub(crate) version: Version,
    pub(crate) faults: Faults,
}

impl Reader {
    /// What is wrong with nothing being there.
    pub(crate) fn missing(&mut self, at: &At<'_>, name: &str) {
        self.faults.note(at.below(name), "缺少必填元素", "required");
    }

    /// The elements of one name, in the namespace of the document.
    pub(crate) fn all<'a>(&self, at: &At<'a>, name: &str) -> Vec<&'a Element> {
        let children = at.element.children.iter();
        children
            .filter(|child| child.version == Some(self.version) && child.name == name)
            .collect()
    }

    /// The text of the first element of a name; none when it is absent or empty.
    pub(crate) fn text_of<'a>(&self, at: &At<'a>, name: &str) -> Option<&'a str> {
        let text = self.all(at, name).first()?.text.trim();
        Some(text).filter(|text| !text.is_empty())
    }

    /// The text of an element that may come once.
    pub(crate) fn text(&mut self, at: &At<'_>, name: &str) -> Option<String> {
        if self.all(at, name).len() > 1 {
            self.faults
                .note(at.below(name), "只能出现一次", "at most once");
        }
        self.text_of(at, name).map(ToOwned::to_owned)
    }

    pub(crate) fn required(&mut self, at: &At<'_>, name: &str) -> Option<String> {
        let text = self.text(at, name);
        if text.is_none() {
            self.missing(at, name);
        }
        text
    }

    pub(crate) fn token(&mut self, at: &At<'_>, name: &str) -> Option<String> {
        let text = self.required(at, name)?;
        if is_token(&text) {
            return Some(text);
        }
        self.faults.note(
            at.below(name),
            "应为 1 至 256 个字，不能含空白、逗号、< 或 &",
            "1 to 256 characters, no white space, comma, `<` or `&`",
        );
        None
    }

    /// A value of its own form; none when it is absent.
    pub(crate) fn parsed<T>(
        &mut self,
        at: &At<'_>,
        name: &str,
        zh: &str,
        en: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let parsed = parse(&self.text(at, name)?);
        if parsed.is_none() {
            self.faults.note(at.below(name), zh, en);
        }
        parsed
    }

    pub(crate) fn instant(&mut self, at: &At<'_>, name: &str) -> Option<DateTime<FixedOffset>> {
        let (zh, en) = (
            "应为带时区偏移的时间，如 2022-06-02T08:30:11+08:00",
            "a time with an offset such as 2022-06-02T08:30:11+08:00",
        );
        self.parsed(at, name, zh, en, value::instant)
    }

    pub(crate) fn word<W: Word>(&mut self, at: &At<'_>, name: &str) -> Option<W> {
        let text = self.required(at, name)?;
        self.listed(at.below(name), &text)
    }

    pub(crate) fn words<W: Word>(&mut self, at: &At<'_>, name: &str) -> Vec<W> {
        let mut words = Vec::new();
        for (path, element) in counted(self.all(at, name), at, name) {
            words.extend(self.listed::<W>(path, element.text.trim()));
        }
        words
    }

    fn listed<W: Word>(&mut self, path: String, text: &str) -> Option<W> {
        let found = W::WORDS.iter().find(|word| word.word() == text).copied();
        if found.is_none() {
            let words: Vec<_> = W::WORDS.iter().map(|word| word.word()).collect();
            let (zh, en) = (words.join("、"), words.join(", "));
            self.faults
                .note(path, format!("应为 {zh} 之一"), format!("one of {en}"));
        }
        found
    }

    /// The texts of an element that may come again; empty ones are left out.
    pub(crate) fn texts(&mut self, at: &At<'_>, name: &str) -> Vec<String> {
        let texts = self
            .all(at, name)
            .into_iter()
            .map(|found| found.text.trim());
        texts
            .filter(|text| !text.is_empty())
            .map(ToOwned::to_owned)
            .collect()
    }

    pub(crate) fn shapes<T: FromStr>(
        &mut self,
        at: &At<'_>,
        name: &str,
        zh: &str,
        en: &str,
    ) -> Vec<T> {
        let mut shapes = Vec::new();
        for (path, element) in counted(self.all(at, name), at, name) {
            match element.text.parse() {
                Ok(shape) => shapes.push(shape),
                Err(_) => self.faults.note(path, zh, en),
            }
        }
        shapes
    }

    pub(crate) fn named(&mut self, at: &At<'_>, name: &str) -> Vec<Named> {
        self.each(at, name, |reader, at| {
            let part = |reader: &mut Self, name: &str| {
                if reader.all(at, name).is_empty() {
                    reader.missing(at, name);
                }
                reader.text(at, name).unwrap_or_default()
            };
            Some(Named {
                name: part(reader, "valueName"),
                value: part(reader, "value"),
            })
        })
    }

    pub(crate) fn each<T>(
        &mut self,
        at: &At<'_>,
        name: &str,
        read: impl Fn(&mut Self, &At<'_>) -> Option<T>,
    ) -> Vec<T> {
        let mut found = Vec::new();
        for (path, element) in counted(self.all(at, name), at, name) {
            found.extend(read(self, &At { element, path }));
        }
        found
    }
}

/// Elements that may come again with their paths, counted from 1.
fn counted<'a>(found: Vec<&'a Element>, at: &At<'_>, name: &str) -> Vec<(String, &'a Element)> {
    (1..)
        .zip(found)
        .map(|(number, element)| (at.below(&format!("{name}[{number}]")), element))
        .collect()
}
