//! From a document to a message, or to everything that is wrong with it.

use std::str::FromStr;

use crate::elements::{At, Reader};
use crate::fault::{Fault, Faults};
use crate::message::{Area, Info, Message, Reference, Resource, Version};
use crate::national;
use crate::value::{self, is_language};
use crate::words::{MessageType, ResponseType, Scope};
use crate::xml::{self, Element};

/// A message answers for at most this many others.
const MAX_REFERENCES: usize = 200;

/// Reads a document of at most [`crate::MAX_BYTES`].
///
/// # Errors
/// Every fault, at most 100. A document that is not well-formed has one.
pub fn read(document: &[u8]) -> Result<Message, Vec<Fault>> {
    let root = xml::parse(document).map_err(|fault| vec![fault])?;
    if national::is_national(&root) {
        let faults = |faults: Vec<Fault>| faults.into_iter().map(national::renamed).collect();
        return of_root(&national::as_cap(&root)).map_err(faults);
    }
    of_root(&root)
}

fn of_root(root: &Element) -> Result<Message, Vec<Fault>> {
    let Some(version) = root.version.filter(|_| root.name == "alert") else {
        let (zh, en) = (
            "根元素不是 CAP 1.1 或 1.2 的 alert",
            "not an alert of CAP 1.1 or 1.2",
        );
        return Err(vec![Fault::new(root_path(&root.name), zh, en)]);
    };
    let mut reader = Reader {
        version,
        faults: Faults::default(),
    };
    match reader.message(&At::root(root)) {
        Some(message) if reader.faults.is_empty() => Ok(message),
        _ => Err(reader.faults.into_vec()),
    }
}

/// The name of a root that is none, unless it is too long to be told.
fn root_path(name: &str) -> String {
    name.chars().take(32).collect()
}

impl Reader {
    fn message(&mut self, at: &At<'_>) -> Option<Message> {
        let identifier = self.token(at, "identifier");
        let sender = self.token(at, "sender");
        let sent = self.instant(at, "sent");
        if self.text_of(at, "sent").is_none() {
            self.missing(at, "sent");
        }
        let status = self.word(at, "status");
        let message_type: Option<MessageType> = self.word(at, "msgType");
        let source = self.text(at, "source");
        let scope: Option<Scope> = self.word(at, "scope");
        let restriction = self.text(at, "restriction");
        let addresses = self.text(at, "addresses");
        if scope == Some(Scope::Restricted) && restriction.is_none() {
            self.missing(at, "restriction");
        }
        if scope == Some(Scope::Private) && addresses.is_none() {
            self.missing(at, "addresses");
        }
        let codes = self.texts(at, "code");
        let note = self.text(at, "note");
        let references = self.references(at);
        let answers = message_type.is_some_and(|of| of != MessageType::Alert);
        if answers && self.text_of(at, "references").is_none() {
            self.missing(at, "references");
        }
        let incidents = self.text(at, "incidents");
        let infos = self.each(at, "info", Self::info);
        Some(Message {
            version: self.version,
            identifier: identifier?,
            sender: sender?,
            sent: sent?,
            status: status?,
            message_type: message_type?,
            source,
            scope: scope?,
            restriction,
            addresses,
            codes,
            note,
            references,
            incidents,
            infos,
        })
    }

    fn info(&mut self, at: &At<'_>) -> Option<Info> {
        let language = self.text(at, "language");
        if language.as_deref().is_some_and(|text| !is_language(text)) {
            let path = at.below("language");
            self.faults.note(path, "不是语言标签", "not a language tag");
        }
        let categories = self.words(at, "category");
        if self.all(at, "category").is_empty() {
            self.missing(at, "category");
        }
        let event = self.required(at, "event");
        let response_types: Vec<ResponseType> = self.words(at, "responseType");
        let newer = |of: &ResponseType| matches!(of, ResponseType::Avoid | ResponseType::AllClear);
        if self.version == Version::V1_1 && response_types.iter().any(newer) {
            let path = at.below("responseType");
            self.faults
                .note(path, "CAP 1.1 没有这个取值", "not a value of CAP 1.1");
        }
        let urgency = self.word(at, "urgency");
        let severity = self.word(at, "severity");
        let certainty = self.word(at, "certainty");
        Some(Info {
            language: language.unwrap_or_else(|| "en-US".to_owned()),
            categories,
            event: event.unwrap_or_default(),
            response_types,
            audience: self.text(at, "audience"),
            event_codes: self.named(at, "eventCode"),
            effective: self.instant(at, "effective"),
            onset: self.instant(at, "onset"),
            expires: self.instant(at, "expires"),
            sender_name: self.text(at, "senderName"),
            headline: self.text(at, "headline"),
            description: self.text(at, "description"),
            instruction: self.text(at, "instruction"),
            web: self.text(at, "web"),
            contact: self.text(at, "contact"),
            parameters: self.named(at, "parameter"),
            resources: self.each(at, "resource", Self::resource),
            areas: self.each(at, "area", Self::area),
            // Last, so that what is wrong above is told too.
            urgency: urgency?,
            severity: severity?,
            certainty: certainty?,
        })
    }

    fn resource(&mut self, at: &At<'_>) -> Option<Resource> {
        let description = self.required(at, "resourceDesc");
        let mime_type = match self.version {
            Version::V1_1 => self.text(at, "mimeType"),
            Version::V1_2 => self.required(at, "mimeType"),
        };
        let size = self.parsed(
            at,
            "size",
            "不是字节数",
            "not a number of bytes",
            |text| text.parse().ok(),
        );
        Some(Resource {
            mime_type: mime_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
            size,
            uri: self.text(at, "uri"),
            deref_uri: self.text(at, "derefUri"),
            digest: self.text(at, "digest"),
            description: description?,
        })
    }

    fn area(&mut self, at: &At<'_>) -> Option<Area> {
        let description = self.required(at, "areaDesc");
        let polygons = self.shapes(
            at,
            "polygon",
            "应为首尾相同、至少四个“纬度,经度”点",
            "at least four points `latitude,longitude`, the last the first again",
        );
        let circles = self.shapes(
            at,
            "circle",
            "应为“纬度,经度 半径”",
            "a point `latitude,longitude` and a radius",
        );
        let geocodes = self.named(at, "geocode");
        let (zh, en) = ("不是数", "not a number");
        let altitude = self.parsed(at, "altitude", zh, en, value::decimal);
        let ceiling = self.parsed(at, "ceiling", zh, en, value::decimal);
        if ceiling.is_some() && altitude.is_none() {
            self.missing(at, "altitude");
        }
        Some(Area {
            description: description?,
            polygons,
            circles,
            geocodes,
            altitude,
            ceiling,
        })
    }

    fn references(&mut self, at: &At<'_>) -> Vec<Reference> {
        let Some(text) = self.text(at, "references") else {
            return Vec::new();
        };
        let read: Result<Vec<_>, _> = text.split_whitespace().map(Reference::from_str).collect();
        let (zh, en) = match read {
            Ok(references) if references.len() <= MAX_REFERENCES => return references,
            Ok(_) => ("最多 200 条", "at most 200"),
            Err(_) => (
                "应为以空白分隔的“发送者,标识,发送时间”",
                "triples `sender,identifier,sent` with white space between them",
            ),
        };
        self.faults.note(at.below("references"), zh, en);
        Vec::new()
    }
}
