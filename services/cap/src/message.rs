//! A message and its parts, named as the standard names its elements.

use chrono::{DateTime, FixedOffset};

use crate::value::{Circle, Polygon};
use crate::words::{
    Category, Certainty, MessageType, ResponseType, Scope, Severity, Status, Urgency,
};

/// Which version of the standard a document follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// CAP 1.1 of 2005.
    V1_1,
    /// CAP 1.2 of 2010.
    #[default]
    V1_2,
}

impl Version {
    /// `1.1` or `1.2`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
        }
    }

    /// The namespace of its elements.
    pub fn namespace(self) -> &'static str {
        match self {
            Self::V1_1 => "urn:oasis:names:tc:emergency:cap:1.1",
            Self::V1_2 => "urn:oasis:names:tc:emergency:cap:1.2",
        }
    }
}

/// One message: sender, identifier and time of sending name it, everywhere and for ever. Two references
/// are equal when they mean the same instant, whatever the offset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Who sent it.
    pub sender: String,
    /// What its sender calls it.
    pub identifier: String,
    /// When it was sent, in whole seconds.
    pub sent: DateTime<FixedOffset>,
}

/// A value with a name, where the standard leaves the names to others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named {
    /// The `valueName`; may be empty.
    pub name: String,
    /// The `value`; may be empty.
    pub value: String,
}

/// A message: the element `alert`. Texts have no white space around them: readers drop it. An element that
/// is empty counts as absent.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The version of the document it came in; what is written is always 1.2.
    pub version: Version,
    /// What its sender calls it: 1 to 256 characters, no white space, comma, `<` or `&`.
    pub identifier: String,
    /// Who sent it, of the same form.
    pub sender: String,
    /// When it was sent, in whole seconds.
    pub sent: DateTime<FixedOffset>,
    /// Whether it is to be acted on.
    pub status: Status,
    /// What it does.
    pub message_type: MessageType,
    /// Where it comes from.
    pub source: Option<String>,
    /// For whom it is.
    pub scope: Scope,
    /// Whom a restricted message is restricted to.
    pub restriction: Option<String>,
    /// Whom a private message is addressed to.
    pub addresses: Option<String>,
    /// Codes of profiles and handling.
    pub codes: Vec<String>,
    /// What it is for; mostly with a cancel or an error.
    pub note: Option<String>,
    /// What it updates, cancels or answers.
    pub references: Vec<Reference>,
    /// Incidents it belongs to.
    pub incidents: Option<String>,
    /// What it says, mostly one for each language.
    pub infos: Vec<Info>,
}

impl Message {
    /// What names this message.
    pub fn reference(&self) -> Reference {
        Reference {
            sender: self.sender.clone(),
            identifier: self.identifier.clone(),
            sent: self.sent,
        }
    }
}

/// What a message says: the element `info`.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// A language tag; `en-US` when the document states none.
    pub language: String,
    /// What the event belongs to, at least one.
    pub categories: Vec<Category>,
    /// What happens.
    pub event: String,
    /// What to do, by the list.
    pub response_types: Vec<ResponseType>,
    /// How soon to act.
    pub urgency: Urgency,
    /// How grave it is.
    pub severity: Severity,
    /// How sure it is.
    pub certainty: Certainty,
    /// Whom it is for, in words.
    pub audience: Option<String>,
    /// Codes of the event.
    pub event_codes: Vec<Named>,
    /// When it takes effect.
    pub effective: Option<DateTime<FixedOffset>>,
    /// When the event is expected to begin.
    pub onset: Option<DateTime<FixedOffset>>,
    /// When the information expires.
    pub expires: Option<DateTime<FixedOffset>>,
    /// Who gives it, for people.
    pub sender_name: Option<String>,
    /// The heading.
    pub headline: Option<String>,
    /// What happens, at length.
    pub description: Option<String>,
    /// What to do, at length.
    pub instruction: Option<String>,
    /// Where more is to be read.
    pub web: Option<String>,
    /// Whom to ask.
    pub contact: Option<String>,
    /// Values of systems.
    pub parameters: Vec<Named>,
    /// Files that belong to it.
    pub resources: Vec<Resource>,
    /// Where it holds.
    pub areas: Vec<Area>,
}

impl Info {
    /// What must be said; everything else is left out.
    pub fn new(category: Category, event: impl Into<String>, severity: Severity) -> Self {
        Self {
            language: "en-US".to_owned(),
            categories: vec![category],
            event: event.into(),
            response_types: Vec::new(),
            urgency: Urgency::Unknown,
            severity,
            certainty: Certainty::Unknown,
            audience: None,
            event_codes: Vec::new(),
            effective: None,
            onset: None,
            expires: None,
            sender_name: None,
            headline: None,
            description: None,
            instruction: None,
            web: None,
            contact: None,
            parameters: Vec::new(),
            resources: Vec::new(),
            areas: Vec::new(),
        }
    }
}

/// A file that belongs to a message: the element `resource`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// What it is.
    pub description: String,
    /// Its media type; `application/octet-stream` when a document of 1.1 states none.
    pub mime_type: String,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Where it is.
    pub uri: Option<String>,
    /// The file itself in base64.
    pub deref_uri: Option<String>,
    /// Its SHA-1.
    pub digest: Option<String>,
}

/// Where a message holds: the element `area`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Area {
    /// In words.
    pub description: String,
    /// Polygons.
    pub polygons: Vec<Polygon>,
    /// Circles.
    pub circles: Vec<Circle>,
    /// Codes of places.
    pub geocodes: Vec<Named>,
    /// The height from which it holds, in feet above the sea.
    pub altitude: Option<f64>,
    /// The height up to which it holds, in feet above the sea; only with an altitude.
    pub ceiling: Option<f64>,
}
