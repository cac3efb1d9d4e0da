//! Warnings: each document is stored once and joined to the chain that it belongs to.

use std::collections::HashMap;

use cap::{Chain, Document, Message, Reference, Standing, State, prefix, upwards};
use chrono::{DateTime, Utc};
use kit::bulk::{Column, insert};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, execute_in};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::warning_rows::{DocumentRow, TextRow, WarningRow, chain_of, instant, standing_of};
use super::{Store, below_end, unreadable};
use crate::domain::warning::Places;

/// How many organisations are looked at for areas: more than any city has.
const MOST: u64 = 100_000;
/// Documents of one page together, in bytes; one may be longer.
const PAGE_BYTES: i64 = 1 << 19;

/// A warning as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    /// Its id.
    pub id: Uuid,
    /// Called off, or in force until when.
    pub standing: Standing,
    /// The number of the status of the latest document.
    pub status: i16,
    /// The identifier of the latest document.
    pub identifier: String,
    /// The sender of all of its documents.
    pub sender: String,
    /// When the latest document was sent.
    pub sent: DateTime<Utc>,
    /// When the latest document came.
    pub came: DateTime<Utc>,
    /// The CAP version of the latest document.
    pub cap_version: String,
    /// Its documents.
    pub chain: Chain,
    /// The latest document that says something.
    pub said: Message,
    /// The note of the latest document.
    pub note: Option<String>,
}

/// Where a page goes on: after the warning whose latest document was sent then, in milliseconds.
pub type WarningKey = (i64, Uuid);

impl Warning {
    /// Where the page after this one begins.
    pub fn key(&self) -> WarningKey {
        (self.sent.timestamp_millis(), self.id)
    }
}

/// Which warnings are listed.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Those in this state.
    pub state: Option<State>,
    /// Those that hold in this division, above or below it.
    pub division: Option<String>,
}

impl Store {
    /// Keeps others who join documents of a sender back until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_warnings(tx: &Tx, sender: &str) -> Result<(), DbErr> {
        let sql = "INSERT INTO warning_senders (sender) VALUES ($1) \
                   ON CONFLICT (sender) DO UPDATE SET sender = excluded.sender";
        tx.execute_raw(statement(tx, sql, [sender.into()])).await?;
        Ok(())
    }

    /// The chain that a document is a part of already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn warning_with(tx: &Tx, reference: &Reference) -> Result<Option<Uuid>, DbErr> {
        let rows = documents(tx, vec![reference]).await?;
        let come = rows.iter().find(|row| row.kind != 0);
        Ok(come.map(|row| row.warning))
    }

    /// The chains that a document belongs to, the oldest first, and all of their documents.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chains_with(tx: &Tx, document: &Document) -> Result<(Vec<Uuid>, Chain), DbErr> {
        let near: Vec<_> = document
            .own_references()
            .chain([&document.reference])
            .collect();
        let mut ids: Vec<Uuid> = documents(tx, near)
            .await?
            .iter()
            .map(|row| row.warning)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let rows = DocumentRow::find(tx, "warning", values(&ids), Lock::No).await?;
        Ok((ids, chain_of(&rows)?))
    }

    /// Stores and announces a document that came at `now` as a part of the chain `id`, under
    /// [`Store::lock_warnings`]. The chains `others` become parts of it too, and are found under its
    /// id from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn join_warning(
        tx: &Tx,
        (id, others): (Uuid, &[Uuid]),
        (message, document): (&Message, &[u8]),
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let text = TextRow {
            sender: message.sender.clone(),
            identifier: message.identifier.clone(),
            sent_at: message.sent.timestamp_millis(),
            document: document.to_vec(),
        };
        TextRow::add(tx, &[text]).await?;
        DocumentRow::save(tx, &[DocumentRow::new(id, message, document.len())]).await?;
        let known = Document::from(message);
        let missing = known
            .own_references()
            .map(|reference| DocumentRow::missing(id, reference));
        let missing: Vec<_> = missing.collect();
        DocumentRow::add(tx, &missing).await?;
        let sql = "UPDATE warning_documents SET warning = $1 WHERE warning";
        execute_in(tx, sql, &[id.into()], values(others)).await?;
        let sql = "UPDATE warnings SET joined = $1 WHERE joined";
        execute_in(tx, sql, &[id.into()], values(others)).await?;
        let rows = DocumentRow::find(tx, "warning", vec![id.into()], Lock::No).await?;
        let row = WarningRow::new(id, &rows, now)?.ok_or_else(|| unreadable("chain"))?;
        let mut gone = others.to_vec();
        gone.push(id);
        let sql = "DELETE FROM warning_divisions WHERE warning";
        execute_in(tx, sql, &[], values(&gone)).await?;
        let said = said(tx, std::slice::from_ref(&row)).await?.pop();
        let said = said.ok_or_else(|| unreadable("document"))?;
        insert_divisions(tx, id, &said).await?;
        WarningRow::save(tx, &[row]).await?;
        Self::announce_warnings(tx, &gone, now).await
    }

    /// One warning; by the name of a chain that became a part of it too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn warning<C: ConnectionTrait + Sync>(
        db: &C,
        id: Uuid,
    ) -> Result<Option<Warning>, DbErr> {
        let found = WarningRow::find(db, "id", vec![id.into()], Lock::No)
            .await?
            .pop();
        let Some(row) = found else { return Ok(None) };
        let row = if row.joined == row.id {
            row
        } else {
            let joined = WarningRow::find(db, "id", vec![row.joined.into()], Lock::No).await?;
            joined
                .into_iter()
                .next()
                .ok_or_else(|| unreadable("chain"))?
        };
        Ok(read(db, vec![row]).await?.pop())
    }

    /// The warnings after `after`, the latest first: at most `limit`, and whether there are more. Long
    /// documents make short pages.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn warnings(
        &self,
        wanted: &Wanted,
        after: Option<WarningKey>,
        limit: u64,
        now: DateTime<Utc>,
    ) -> Result<(Vec<Warning>, bool), DbErr> {
        let db = self.db.read();
        let mut given: Vec<Value> = Vec::new();
        let mut place = |value: Value| {
            given.push(value);
            format!("${}", given.len())
        };
        let mut wheres = vec!["joined = id".to_owned()];
        match wanted.state {
            None => {}
            Some(State::Cancelled) => wheres.push("cancelled = TRUE".to_owned()),
            Some(State::Active) => {
                let now = place(now.timestamp_millis().into());
                wheres.push(format!("cancelled = FALSE AND expires_at > {now}"));
            }
            Some(State::Expired) => {
                let now = place(now.timestamp_millis().into());
                wheres.push(format!("cancelled = FALSE AND expires_at <= {now}"));
            }
        }
        if let Some(division) = &wanted.division {
            let own = prefix(division);
            let above: Vec<_> = upwards(own)
                .into_iter()
                .map(|one| place(one.into()))
                .collect();
            let (from, to) = (place(own.into()), place(below_division(own).into()));
            wheres.push(format!(
                "EXISTS (SELECT 1 FROM warning_divisions d WHERE d.warning = warnings.id \
                 AND (d.prefix IN ({}) OR (d.prefix > {from} AND d.prefix < {to})))",
                above.join(", ")
            ));
        }
        if let Some((sent, id)) = after {
            let (sent, id) = (place(sent.into()), place(id.into()));
            wheres.push(format!(
                "(sent_at < {sent} OR (sent_at = {sent} AND id < {id}))"
            ));
        }
        let sql = format!(
            "SELECT {} FROM warnings WHERE {} ORDER BY sent_at DESC, id DESC LIMIT {}",
            WarningRow::COLUMNS.join(", "),
            wheres.join(" AND "),
            limit + 1,
        );
        let rows = db.query_all_raw(statement(db, &sql, given)).await?;
        let rows: Result<Vec<_>, _> = rows.iter().map(WarningRow::read).collect();
        let mut rows = rows?;
        let found = rows.len();
        let mut bytes = 0;
        let fits = |row: &&WarningRow| {
            bytes += i64::from(row.said_bytes);
            bytes <= PAGE_BYTES
        };
        let fitting = rows.iter().take_while(fits).count().max(1);
        rows.truncate(fitting.min(usize::try_from(limit).unwrap_or(usize::MAX)));
        let more = rows.len() < found;
        Ok((read(db, rows).await?, more))
    }

    /// The organisations at or below `place` by their division.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn places(db: &impl ConnectionTrait, place: &str) -> Result<Places, DbErr> {
        let sql = format!(
            "SELECT division, id FROM organizations WHERE division <> '' \
             AND ($1 = '' OR org_path = $1 OR (org_path > $2 AND org_path < $3)) LIMIT {MOST}"
        );
        let values = [
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
        ];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let rows: Result<Vec<_>, DbErr> = rows
            .iter()
            .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
            .collect();
        Ok(Places::new(rows?))
    }
}

/// The first text that sorts after every division within one.
fn below_division(prefix: &str) -> String {
    format!("{prefix}:")
}

fn values(ids: &[Uuid]) -> Vec<Value> {
    ids.iter().map(|id| (*id).into()).collect()
}

type Keys = Vec<(&'static str, Column)>;

fn keys<'a>(references: impl Iterator<Item = (&'a str, &'a str, i64)>) -> Keys {
    let (mut senders, mut identifiers, mut sent) = (Vec::new(), Vec::new(), Vec::new());
    for (sender, identifier, at) in references {
        senders.push(sender.to_owned());
        identifiers.push(identifier.to_owned());
        sent.push(at);
    }
    vec![
        ("sender", Column::Text(senders)),
        ("identifier", Column::Text(identifiers)),
        ("sent_at", Column::Big(sent)),
    ]
}

async fn documents(tx: &Tx, of: Vec<&Reference>) -> Result<Vec<DocumentRow>, DbErr> {
    let of = of
        .into_iter()
        .map(|one| (&*one.sender, &*one.identifier, one.sent.timestamp_millis()));
    DocumentRow::among(tx, keys(of)).await
}

/// What the latest document of each warning says, in the order of `rows`.
async fn said<C: ConnectionTrait + Sync>(
    db: &C,
    rows: &[WarningRow],
) -> Result<Vec<Message>, DbErr> {
    let of = rows
        .iter()
        .map(|row| (&*row.sender, &*row.said_identifier, row.said_at));
    let texts = TextRow::among(db, keys(of)).await?;
    let found = rows.iter().map(|row| {
        let text = texts.iter().find(|text| {
            (&text.sender, &text.identifier, text.sent_at)
                == (&row.sender, &row.said_identifier, row.said_at)
        });
        let message = text.and_then(|text| cap::read(&text.document).ok());
        message.ok_or_else(|| unreadable("document"))
    });
    found.collect()
}

/// The notes of the latest documents where those say nothing else, as a cancel does.
async fn notes<C: ConnectionTrait + Sync>(
    db: &C,
    rows: &[WarningRow],
) -> Result<HashMap<Uuid, String>, DbErr> {
    let apart = |row: &&WarningRow| !row.latest_says();
    let of = rows.iter().filter(apart);
    let of = of.map(|row| (&*row.sender, &*row.identifier, row.sent_at));
    let texts = TextRow::among(db, keys(of)).await?;
    let found = rows.iter().filter(apart).filter_map(|row| {
        let text = texts.iter().find(|text| {
            (&text.sender, &text.identifier, text.sent_at)
                == (&row.sender, &row.identifier, row.sent_at)
        })?;
        Some((row.id, cap::read(&text.document).ok()?.note?))
    });
    Ok(found.collect())
}

async fn insert_divisions(tx: &Tx, id: Uuid, said: &Message) -> Result<(), DbErr> {
    let areas = said
        .infos
        .iter()
        .flat_map(|info| info.areas.iter().map(move |area| (info, area)));
    let divisions = areas.flat_map(|(info, area)| info.divisions(area));
    let mut prefixes: Vec<String> = divisions.map(|one| prefix(one).to_owned()).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    let warnings = vec![id; prefixes.len()];
    let columns = vec![
        ("prefix", Column::Text(prefixes)),
        ("warning", Column::Uuid(warnings)),
    ];
    insert(tx, "warning_divisions", columns, "").await
}

async fn read<C: ConnectionTrait + Sync>(
    db: &C,
    rows: Vec<WarningRow>,
) -> Result<Vec<Warning>, DbErr> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let documents = DocumentRow::find(db, "warning", values(&ids), Lock::No).await?;
    let messages = said(db, &rows).await?;
    let mut notes = notes(db, &rows).await?;
    let warnings = rows.into_iter().zip(messages).map(|(row, said)| {
        let own = documents
            .iter()
            .filter(|document| document.warning == row.id);
        let own: Vec<DocumentRow> = own.cloned().collect();
        let note = match row.latest_says() {
            true => said.note.clone(),
            false => notes.remove(&row.id),
        };
        Ok(Warning {
            standing: standing_of(&row)?,
            id: row.id,
            status: row.status,
            identifier: row.identifier,
            sender: row.sender,
            sent: instant(row.sent_at)?.to_utc(),
            came: instant(row.came_at)?.to_utc(),
            cap_version: row.cap_version,
            chain: chain_of(&own)?,
            said,
            note,
        })
    });
    warnings.collect()
}
