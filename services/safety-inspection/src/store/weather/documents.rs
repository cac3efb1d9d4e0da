//! The CAP documents of warnings, joined to their chains.

use cap::{Chain, Document, Message, Record, Reference, Status};
use chrono::DateTime;
use kit::bulk::Column;
use kit::db::Tx;
use kit::rows::{Lock, Row, execute_in, row};
use sea_orm::DbErr;
use uuid::Uuid;

use crate::store::{Store, unreadable};

row! {
    /// One document of a chain, or one that was referred to and has not come.
    DocumentRow in "weather_documents" by ["sender", "identifier", "sent_at"] {
        /// Who sent it.
        sender: String,
        /// What its sender calls it.
        identifier: String,
        /// When it was sent, in milliseconds since 1970.
        sent_at: i64,
        /// The warning that it belongs to.
        alarm: Uuid,
        /// The number of what it does; 0 for one that has not come.
        kind: i16,
        /// What it refers to, as CAP writes it.
        refers_to: String,
        /// When what it says expires.
        expires_at: i64,
        /// The document as it came; empty for one that has not.
        body: Vec<u8>,
    }
}

/// A chain with the rows that it was read from.
#[derive(Clone, Debug, Default)]
pub struct KnownChain {
    /// The warnings that it consists of, the oldest first.
    pub alarms: Vec<Uuid>,
    /// Its documents.
    pub chain: Chain,
    rows: Vec<DocumentRow>,
}

impl KnownChain {
    /// The latest of its documents that warns: what the chain says.
    ///
    /// # Errors
    /// When a stored document cannot be read.
    pub fn said(&self) -> Result<Option<Message>, DbErr> {
        let warns = |row: &&DocumentRow| {
            let kind = cap::MessageType::from_number(row.kind);
            matches!(
                kind,
                Some(cap::MessageType::Alert | cap::MessageType::Update)
            )
        };
        let warning = self.rows.iter().filter(warns);
        let latest = warning.max_by_key(|row| (row.sent_at, &row.identifier));
        let read = latest.map(|row| cap::read(&row.body).map_err(|_| unreadable("document")));
        read.transpose()
    }
}

impl DocumentRow {
    fn missing(alarm: Uuid, reference: &Reference) -> Self {
        Self {
            sender: reference.sender.clone(),
            identifier: reference.identifier.clone(),
            sent_at: reference.sent.timestamp_millis(),
            alarm,
            ..Self::default()
        }
    }

    fn document(&self) -> Result<Option<Document>, DbErr> {
        let sent = DateTime::from_timestamp_millis(self.sent_at);
        let reference = Reference {
            sender: self.sender.clone(),
            identifier: self.identifier.clone(),
            sent: sent.ok_or_else(|| unreadable("instant"))?.fixed_offset(),
        };
        let record = Record {
            kind: self.kind,
            // Nothing else is taken.
            status: Status::Actual,
            refers_to: self.refers_to.clone(),
            expires_at: self.expires_at,
        };
        Document::from_record(reference, &record).map_err(|_| unreadable("document"))
    }
}

impl Store {
    /// The warning that a document is a part of already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_signal_with(
        tx: &Tx,
        reference: &Reference,
    ) -> Result<Option<Uuid>, DbErr> {
        let rows = documents(tx, vec![reference]).await?;
        Ok(rows.iter().find(|row| row.kind != 0).map(|row| row.alarm))
    }

    /// The chains that a document belongs to, as one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_chain(tx: &Tx, document: &Document) -> Result<KnownChain, DbErr> {
        let near: Vec<_> = document
            .own_references()
            .chain([&document.reference])
            .collect();
        let mut alarms: Vec<Uuid> = documents(tx, near)
            .await?
            .iter()
            .map(|row| row.alarm)
            .collect();
        alarms.sort_unstable();
        alarms.dedup();
        Self::weather_chain_of(tx, alarms).await
    }

    /// The chain of some warnings.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_chain_of(
        db: &impl sea_orm::ConnectionTrait,
        alarms: Vec<Uuid>,
    ) -> Result<KnownChain, DbErr> {
        let keys = alarms.iter().map(|id| (*id).into()).collect();
        let rows = DocumentRow::find(db, "alarm", keys, Lock::No).await?;
        let mut chain = Chain::default();
        for row in &rows {
            if let Some(document) = row.document()? {
                chain.add(document);
            }
        }
        Ok(KnownChain {
            alarms,
            chain,
            rows,
        })
    }

    /// Adds a document to the warning `alarm`, and what it refers to as missing; the documents of
    /// `others` become its documents too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_weather_document(
        tx: &Tx,
        (alarm, others): (Uuid, &[Uuid]),
        (document, body): (&Document, &[u8]),
    ) -> Result<(), DbErr> {
        let record = document.record();
        let row = DocumentRow {
            kind: record.kind,
            refers_to: record.refers_to,
            expires_at: record.expires_at,
            body: body.to_vec(),
            ..DocumentRow::missing(alarm, &document.reference)
        };
        DocumentRow::save(tx, &[row]).await?;
        let missing = document
            .own_references()
            .map(|reference| DocumentRow::missing(alarm, reference));
        DocumentRow::add(tx, &missing.collect::<Vec<_>>()).await?;
        let others = others.iter().map(|id| (*id).into()).collect();
        let sql = "UPDATE weather_documents SET alarm = $1 WHERE alarm";
        execute_in(tx, sql, &[alarm.into()], others).await
    }
}

async fn documents(tx: &Tx, of: Vec<&Reference>) -> Result<Vec<DocumentRow>, DbErr> {
    let text = |part: fn(&Reference) -> &String| {
        let parts = of.iter().map(|one| part(one).clone());
        Column::Text(parts.collect())
    };
    let sent = of.iter().map(|one| one.sent.timestamp_millis());
    let keys = vec![
        ("sender", text(|one| &one.sender)),
        ("identifier", text(|one| &one.identifier)),
        ("sent_at", Column::Big(sent.collect())),
    ];
    DocumentRow::among(tx, keys).await
}
