//! A document as a small tree: no document type, no entities of its own, bounded in size, depth and
//! number of elements.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

use crate::fault::Fault;
use crate::message::Version;

/// A document has at most this many bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// Elements within each other: what CAP needs five times over.
const MAX_DEPTH: usize = 32;
/// Elements in all.
const MAX_ELEMENTS: usize = 20_000;
/// Attributes of one element.
const MAX_ATTRIBUTES: usize = 64;

/// An element with what is directly in it.
#[derive(Debug)]
pub(crate) struct Element {
    /// The version whose namespace it is of; none for any other namespace.
    pub(crate) version: Option<Version>,
    /// The name without prefix.
    pub(crate) name: String,
    /// The text directly in it, in one piece.
    pub(crate) text: String,
    /// The elements directly in it.
    pub(crate) children: Vec<Element>,
}

/// The tree of a document.
///
/// # Errors
/// The one fault that ends reading: size, encoding, form, or something that is not allowed.
pub(crate) fn parse(document: &[u8]) -> Result<Element, Fault> {
    if document.len() > MAX_BYTES {
        return Err(whole("超过 1 MiB", "larger than 1 MiB"));
    }
    let text = std::str::from_utf8(document).map_err(|_| whole("不是 UTF-8 编码", "not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.chars().all(is_char) {
        return Err(whole(
            "含有 XML 不允许的字符",
            "a character that XML does not allow",
        ));
    }
    Tree::default().read(text)
}

/// The tree as far as it is read.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn read(mut self, text: &str) -> Result<Element, Fault> {
        let mut reader = NsReader::from_str(text);
        let config = reader.config_mut();
        config.check_comments = true;
        config.expand_empty_elements = true;
        let mut first = true;
        loop {
            let at = reader.buffer_position();
            let (space, event) = reader.read_resolved_event().map_err(|_| ill_formed(at))?;
            let version = match space {
                ResolveResult::Bound(Namespace(name)) => version_of(name),
                ResolveResult::Unbound => None,
                ResolveResult::Unknown(_) => return Err(ill_formed(at)),
            };
            match event {
                Event::Start(start) => self.start(&start, version, at)?,
                Event::End(_) => self.end(at)?,
                // The document is expanded: there are no empty elements.
                Event::Empty(_) => return Err(ill_formed(at)),
                Event::Text(text) => {
                    let text = text.xml10_content();
                    if text.contains("]]>") {
                        return Err(ill_formed(at));
                    }
                    self.text(&text, at)?;
                }
                Event::CData(text) if !self.open.is_empty() => {
                    self.text(&text.xml10_content(), at)?;
                }
                Event::CData(_) => return Err(ill_formed(at)),
                Event::GeneralRef(reference) if !self.open.is_empty() => {
                    let mut buffer = [0; 4];
                    let character = character(&reference, at)?;
                    self.text(character.encode_utf8(&mut buffer), at)?;
                }
                Event::GeneralRef(_) => return Err(ill_formed(at)),
                Event::Decl(declaration) if first => {
                    let encoding = declaration.encoding().transpose();
                    let encoding = encoding.map_err(|_| ill_formed(at))?;
                    if encoding.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
                        return Err(whole(
                            "声明的编码不是 UTF-8",
                            "declared as other than UTF-8",
                        ));
                    }
                }
                Event::Decl(_) => return Err(ill_formed(at)),
                Event::DocType(_) => {
                    return Err(whole(
                        "不允许文档类型声明",
                        "a document type is not allowed",
                    ));
                }
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof => return self.finish(at),
            }
            first = false;
        }
    }

    fn start(
        &mut self,
        start: &BytesStart<'_>,
        version: Option<Version>,
        at: u64,
    ) -> Result<(), Fault> {
        self.elements += 1;
        let again = self.root.is_some() && self.open.is_empty();
        if again || !is_name(start.name().as_ref()) {
            return Err(ill_formed(at));
        }
        if self.open.len() >= MAX_DEPTH || self.elements > MAX_ELEMENTS {
            return Err(whole(
                "元素过多或嵌套过深",
                "too many elements, or too deep within each other",
            ));
        }
        // Counted before they are compared with each other.
        if start.attributes().with_checks(false).count() > MAX_ATTRIBUTES {
            return Err(whole("属性过多", "too many attributes"));
        }
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| ill_formed(at))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            if value.is_err() || attribute.value.contains('<') {
                return Err(ill_formed(at));
            }
        }
        self.open.push(Element {
            version,
            name: start.local_name().as_ref().to_owned(),
            text: String::new(),
            children: Vec::new(),
        });
        Ok(())
    }

    fn end(&mut self, at: u64) -> Result<(), Fault> {
        let element = self.open.pop().ok_or_else(|| ill_formed(at))?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str, at: u64) -> Result<(), Fault> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(ill_formed(at)),
        }
        Ok(())
    }

    fn finish(self, at: u64) -> Result<Element, Fault> {
        match self.root {
            Some(root) if self.open.is_empty() => Ok(root),
            _ => Err(ill_formed(at)),
        }
    }
}

fn version_of(namespace: &str) -> Option<Version> {
    [Version::V1_1, Version::V1_2]
        .into_iter()
        .find(|version| version.namespace() == namespace)
}

/// The character that a reference means: by its number, or one of the five that XML names.
fn character(reference: &BytesRef<'_>, at: u64) -> Result<char, Fault> {
    let numbered = reference.resolve_char_ref().map_err(|_| ill_formed(at))?;
    match (numbered, &**reference) {
        (Some(character), _) if is_char(character) => Ok(character),
        (Some(_), _) => Err(ill_formed(at)),
        (None, "amp") => Ok('&'),
        (None, "lt") => Ok('<'),
        (None, "gt") => Ok('>'),
        (None, "quot") => Ok('"'),
        (None, "apos") => Ok('\''),
        (None, _) => Err(whole(
            "不允许自定义实体",
            "entities of its own are not allowed",
        )),
    }
}

/// Whether XML 1.0 allows a character.
fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn is_name(name: &str) -> bool {
    let begins = |c: char| c.is_alphabetic() || c == '_';
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_part = |part: &str| part.starts_with(begins) && part.chars().all(goes_on);
    let mut parts = name.split(':');
    parts.clone().count() <= 2 && parts.all(is_part)
}

fn whole(zh: &str, en: &str) -> Fault {
    Fault::new("document", zh, en)
}

fn ill_formed(at: u64) -> Fault {
    whole(
        &format!("不是良构的 XML（第 {at} 字节附近）"),
        &format!("not well-formed XML, near byte {at}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(document: &str) -> String {
        parse(document.as_bytes()).unwrap_err().en
    }

    #[test]
    fn texts_are_read_in_one_piece() {
        let document = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- c --><a x='1'>\
                        1 &lt;&#x4e2d;&#10; <![CDATA[<&]]>\r\n<b/><?pi?></a>\n";
        let root = parse(document.as_bytes()).unwrap();
        assert_eq!(root.text, "1 <中\n <&\n");
        assert_eq!((root.children.len(), &*root.children[0].name), (1, "b"));
    }

    #[test]
    fn namespaces_are_those_of_prefix_or_default() {
        let document = "<c:alert xmlns:c='urn:oasis:names:tc:emergency:cap:1.1'>\
                        <x xmlns='urn:oasis:names:tc:emergency:cap:1.2'/><y/></c:alert>";
        let root = parse(document.as_bytes()).unwrap();
        assert_eq!((root.version, &*root.name), (Some(Version::V1_1), "alert"));
        let versions: Vec<_> = root.children.iter().map(|child| child.version).collect();
        assert_eq!(versions, [Some(Version::V1_2), None]);
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for document in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><a/>",
            "<a/>text",
            "<a>&</a>",
            "<a>&amp</a>",
            "<a>]]></a>",
            "<a x='1' x='2'/>",
            "<a x=1/>",
            "<a x='<'/>",
            "<a x='&e;'/>",
            "<p:a/>",
            "<1/>",
            "<a><!-- -- --></a>",
            "<a>&#0;</a>",
            "<a>&#8;</a>",
            "<a/><?xml version='1.0'?>",
            "&lt;<a/>",
        ] {
            assert!(
                refused(document).starts_with("not well-formed"),
                "{document}"
            );
        }
    }

    #[test]
    fn nothing_is_expanded_and_everything_is_bounded() {
        let laughs = "<!DOCTYPE a [<!ENTITY x 'ha'>]><a>&x;</a>";
        assert_eq!(refused(laughs), "a document type is not allowed");
        assert_eq!(refused("<a>&x;</a>"), "entities of its own are not allowed");
        let deep = "<a>".repeat(100_000);
        assert!(refused(&deep).starts_with("too many elements"));
        let wide = format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS));
        assert!(refused(&wide).starts_with("too many elements"));
        let attributes: String = (0..60_000).map(|n| format!(" a{n}='1'")).collect();
        assert_eq!(refused(&format!("<a{attributes}/>")), "too many attributes");
        assert_eq!(refused(&" ".repeat(MAX_BYTES + 1)), "larger than 1 MiB");
        assert_eq!(parse(b"<a>\xff</a>").unwrap_err().en, "not UTF-8");
        let declared = "<?xml version='1.0' encoding='GBK'?><a/>";
        assert_eq!(refused(declared), "declared as other than UTF-8");
        assert!(refused("<a>\u{1}</a>").starts_with("a character"));
    }
}
