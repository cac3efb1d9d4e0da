//! Warnings as rows, both ways.

use cap::{Chain, Document, Message, Record, Reference, Standing, Status};
use chrono::{DateTime, FixedOffset, Utc};
use kit::rows::row;
use sea_orm::DbErr;
use uuid::Uuid;

use super::unreadable;

row! {
    /// A chain of documents.
    WarningRow in "warnings" by ["id"] {
        /// Given by the first of its documents that came.
        id: Uuid,
        /// The chain that this one became a part of; itself as long as it is none.
        joined: Uuid,
        /// The sender of all of its documents.
        sender: String,
        /// The identifier of the latest.
        identifier: String,
        /// When the latest was sent, in milliseconds.
        sent_at: i64,
        /// The number of the status of the latest.
        status: i16,
        /// The CAP version of the latest.
        cap_version: String,
        /// The identifier of the latest document that says something.
        said_identifier: String,
        /// When that one was sent, in milliseconds.
        said_at: i64,
        /// Its size.
        said_bytes: i32,
        /// Called off.
        cancelled: bool,
        /// When it expires, in milliseconds.
        expires_at: i64,
        /// When the latest came, in milliseconds.
        came_at: i64,
    }
}

row! {
    /// One document of a chain, or one that was referred to and has not come.
    DocumentRow in "warning_documents" by ["sender", "identifier", "sent_at"] {
        /// Who sent it.
        sender: String,
        /// What its sender calls it.
        identifier: String,
        /// When it was sent, in milliseconds.
        sent_at: i64,
        /// The chain.
        warning: Uuid,
        /// What it does: the number of the contract, 0 for one that has not come.
        kind: i16,
        /// What it refers to, as CAP writes it.
        refers_to: String,
        /// When what it says expires, in milliseconds.
        expires_at: i64,
        /// The number of its status.
        status: i16,
        /// Its CAP version.
        cap_version: String,
        /// The size of one that says something, 0 of any other.
        said_bytes: i32,
    }
}

row! {
    /// A document as it came.
    TextRow in "warning_texts" by ["sender", "identifier", "sent_at"] {
        /// Who sent it.
        sender: String,
        /// What its sender calls it.
        identifier: String,
        /// When it was sent, in milliseconds.
        sent_at: i64,
        /// The bytes.
        document: Vec<u8>,
    }
}

pub(super) fn instant(milliseconds: i64) -> Result<DateTime<FixedOffset>, DbErr> {
    let instant = DateTime::<Utc>::from_timestamp_millis(milliseconds);
    Ok(instant.ok_or_else(|| unreadable("instant"))?.fixed_offset())
}

impl DocumentRow {
    /// The row of a document of some bytes.
    pub(super) fn new(warning: Uuid, message: &Message, bytes: usize) -> Self {
        let document = Document::from(message);
        let record = document.record();
        let size = if message.infos.is_empty() { 0 } else { bytes };
        Self {
            kind: record.kind,
            refers_to: record.refers_to,
            expires_at: record.expires_at,
            status: status(message.status),
            cap_version: message.version.as_str().to_owned(),
            said_bytes: i32::try_from(size).unwrap_or(i32::MAX),
            ..Self::missing(warning, &document.reference)
        }
    }

    /// The row of a document that has not come.
    pub(super) fn missing(warning: Uuid, reference: &Reference) -> Self {
        Self {
            sender: reference.sender.clone(),
            identifier: reference.identifier.clone(),
            sent_at: reference.sent.timestamp_millis(),
            warning,
            ..Self::default()
        }
    }

    /// Whether it is the row of a document.
    pub(super) fn is_of(&self, reference: &Reference) -> bool {
        self.sender == reference.sender
            && self.identifier == reference.identifier
            && self.sent_at == reference.sent.timestamp_millis()
    }

    /// The order by which the latest that says something is found: what warns or cancels before what
    /// acknowledges, what says something before what does not, then by the time of sending.
    fn says(&self) -> (bool, bool, i64, &str) {
        let warns = (1..=3).contains(&self.kind);
        (warns, self.said_bytes > 0, self.sent_at, &self.identifier)
    }
}

impl WarningRow {
    /// Whether the latest document says something itself.
    pub(super) fn latest_says(&self) -> bool {
        (&self.identifier, self.sent_at) == (&self.said_identifier, self.said_at)
    }

    /// A chain as it stands, from its documents; none when nothing has come. The latest came at `now`.
    pub(super) fn new(
        id: Uuid,
        rows: &[DocumentRow],
        now: DateTime<Utc>,
    ) -> Result<Option<Self>, DbErr> {
        let chain = chain_of(rows)?;
        let latest = chain.latest().map(|document| &document.reference);
        let come = || rows.iter().filter(|row| row.kind != 0);
        let latest = latest.and_then(|latest| come().find(|row| row.is_of(latest)));
        let Some(latest) = latest else {
            return Ok(None);
        };
        // The latest is of the status that counts.
        let counting = come().filter(|row| row.status == latest.status);
        let said = counting.max_by(|one, other| one.says().cmp(&other.says()));
        let said = said.unwrap_or(latest);
        let (cancelled, expires_at) = chain.standing().record();
        Ok(Some(Self {
            id,
            joined: id,
            sender: latest.sender.clone(),
            identifier: latest.identifier.clone(),
            sent_at: latest.sent_at,
            status: latest.status,
            cap_version: latest.cap_version.clone(),
            said_identifier: said.identifier.clone(),
            said_at: said.sent_at,
            said_bytes: said.said_bytes,
            cancelled,
            expires_at,
            came_at: now.timestamp_millis(),
        }))
    }
}

/// The number of a status in the contract.
fn status(status: Status) -> i16 {
    match status {
        Status::Actual => 1,
        Status::Exercise => 2,
        Status::System => 3,
        Status::Test => 4,
        Status::Draft => 5,
    }
}

/// The status of a number.
fn status_of(number: i16) -> Result<Status, DbErr> {
    let mut all = Status::ALL.iter().copied();
    let found = all.find(|one| status(*one) == number);
    found.ok_or_else(|| unreadable("status"))
}

/// The chain of rows.
pub(super) fn chain_of(rows: &[DocumentRow]) -> Result<Chain, DbErr> {
    let mut chain = Chain::default();
    // What has not come follows from what refers to it.
    for row in rows.iter().filter(|row| row.kind != 0) {
        let reference = Reference {
            sender: row.sender.clone(),
            identifier: row.identifier.clone(),
            sent: instant(row.sent_at)?,
        };
        let record = Record {
            kind: row.kind,
            status: status_of(row.status)?,
            refers_to: row.refers_to.clone(),
            expires_at: row.expires_at,
        };
        let document = Document::from_record(reference, &record);
        if let Some(document) = document.map_err(|_| unreadable("document"))? {
            chain.add(document);
        }
    }
    Ok(chain)
}

/// The standing of a row.
pub(super) fn standing_of(row: &WarningRow) -> Result<Standing, DbErr> {
    Standing::from_record((row.cancelled, row.expires_at)).map_err(|_| unreadable("standing"))
}
