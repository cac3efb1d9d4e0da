//! What a table keeps of the documents of a chain, and of where it stands, both ways.

use chrono::{DateTime, FixedOffset, Utc};

use crate::chain::{Document, Standing};
use crate::message::Reference;
use crate::value::Invalid;
use crate::words::{MessageType, Status};

/// The expiry of what never expires, in milliseconds.
pub const NEVER: i64 = i64::MAX;

/// A document of a chain beside its reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The number of what it does, 1 to 5; 0 for one that was referred to and has not come.
    pub kind: i16,
    /// Whether it is to be acted on.
    pub status: Status,
    /// What it refers to, as documents write it.
    pub refers_to: String,
    /// When what it says expires, in milliseconds since 1970; [`NEVER`] when it does not.
    pub expires_at: i64,
}

impl MessageType {
    /// The number of this type in tables.
    pub fn number(self) -> i16 {
        match self {
            Self::Alert => 1,
            Self::Update => 2,
            Self::Cancel => 3,
            Self::Ack => 4,
            Self::Error => 5,
        }
    }

    /// The type of a number; none for a document that has not come.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.number() == number)
    }
}

impl Document {
    /// What a table keeps of it.
    pub fn record(&self) -> Record {
        let references: Vec<_> = self.references.iter().map(ToString::to_string).collect();
        Record {
            kind: self.message_type.number(),
            status: self.status,
            refers_to: references.join(" "),
            expires_at: self.expires.map_or(NEVER, |end| end.timestamp_millis()),
        }
    }

    /// The document of a record; none for one that has not come.
    ///
    /// # Errors
    /// When a reference or an instant of the record cannot be read.
    pub fn from_record(reference: Reference, record: &Record) -> Result<Option<Self>, Invalid> {
        let Some(message_type) = MessageType::from_number(record.kind) else {
            return Ok(None);
        };
        let references: Result<Vec<Reference>, _> = record
            .refers_to
            .split_whitespace()
            .map(str::parse)
            .collect();
        let expires = Some(record.expires_at).filter(|end| *end != NEVER);
        Ok(Some(Self {
            reference,
            status: record.status,
            message_type,
            references: references?,
            expires: expires.map(instant).transpose()?,
        }))
    }
}

impl Standing {
    /// How a table keeps it: called off, and the end in milliseconds since 1970.
    pub fn record(self) -> (bool, i64) {
        match self {
            Self::Cancelled => (true, NEVER),
            Self::Until(None) => (false, NEVER),
            Self::Until(Some(end)) => (false, end.timestamp_millis()),
        }
    }

    /// What a table kept.
    ///
    /// # Errors
    /// When the end is no instant.
    pub fn from_record((cancelled, end): (bool, i64)) -> Result<Self, Invalid> {
        match (cancelled, end) {
            (true, _) => Ok(Self::Cancelled),
            (false, NEVER) => Ok(Self::Until(None)),
            (false, end) => Ok(Self::Until(Some(instant(end)?.to_utc()))),
        }
    }
}

fn instant(milliseconds: i64) -> Result<DateTime<FixedOffset>, Invalid> {
    let instant = DateTime::<Utc>::from_timestamp_millis(milliseconds).ok_or(Invalid)?;
    Ok(instant.fixed_offset())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back() {
        let name = |identifier: &str| Reference {
            sender: "met@example.cn".to_owned(),
            identifier: identifier.to_owned(),
            sent: DateTime::parse_from_rfc3339("2022-06-02T08:00:00+08:00").unwrap(),
        };
        for (message_type, expires) in [
            (MessageType::Alert, None),
            (MessageType::Cancel, Some(name("x").sent)),
        ] {
            let document = Document {
                reference: name("w2"),
                status: Status::Exercise,
                message_type,
                references: vec![name("w0"), name("w1")],
                expires,
            };
            let read = Document::from_record(name("w2"), &document.record());
            assert_eq!(read.unwrap(), Some(document));
        }
        let missing = Record {
            kind: 0,
            status: Status::Actual,
            refers_to: String::new(),
            expires_at: NEVER,
        };
        assert_eq!(Document::from_record(name("w2"), &missing).unwrap(), None);
        for standing in [
            Standing::Cancelled,
            Standing::Until(None),
            Standing::Until(Some(name("x").sent.to_utc())),
        ] {
            assert_eq!(Standing::from_record(standing.record()).unwrap(), standing);
        }
        assert!(Standing::from_record((false, i64::MIN)).is_err());
    }
}
