//! Cases of psychological support, what happened in them, and who saw them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::privacy::Part;
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::concern_rows::{NEVER, instant, words_of};
use super::{Store, below_end, unreadable};
use crate::domain::support::{Case, Entry, Event, Grade, Reason, State};
use crate::seal::Seal;

/// How many things that happened are shown with a case.
const ENTRIES: i32 = 100;

row! {
    /// A case.
    CaseRow in "support_cases" by ["id"] {
        /// The id.
        id: Uuid,
        /// The school.
        organization: String,
        /// Where it stands.
        org_path: String,
        /// The number of the state.
        state: i16,
        /// The number of the grade.
        grade: i16,
        /// The concern that it came from; nil for none.
        concern: Uuid,
        /// Milliseconds since 1970.
        create_at: i64,
        /// The assessment or the next contact; the greatest number for none.
        contact_due_at: i64,
        /// It passed once at least.
        late: bool,
        /// The number of the reason why it was ended; 0 for none.
        close_reason: i16,
        /// When it was ended; 0 before.
        closed_at: i64,
        /// When the guardian was told last; 0 before.
        informed_at: i64,
        /// When the person was referred last; 0 before.
        referred_at: i64,
        /// How often it was opened again.
        reopenings: i32,
        /// The counsellor.
        counsellor: String,
        /// Which member of staff that is.
        counsellor_person: String,
        /// When somebody is reminded next; the greatest number for never.
        remind_at: i64,
        /// How many entries there are.
        entry_count: i32,
        /// Whom it is about and why, sealed.
        words: Vec<u8>,
    }
}

row! {
    /// Something that happened in a case.
    EntryRow in "support_entries" by ["support_case", "sequence"] {
        /// The case.
        support_case: Uuid,
        /// From 1 on.
        sequence: i32,
        /// The number of the event.
        event: i16,
        /// Milliseconds since 1970.
        time_at: i64,
        /// Who acted.
        subject: String,
        /// What they wrote, sealed.
        words: Vec<u8>,
    }
}

row! {
    /// Somebody who read or changed a case.
    AccessRow in "support_accesses" by ["id"] {
        /// Grows with time.
        id: Uuid,
        /// The case.
        support_case: Uuid,
        /// Who.
        subject: String,
        /// Milliseconds since 1970.
        time_at: i64,
        /// The method.
        method: String,
    }
}

/// What is sealed of a case.
#[derive(Serialize, Deserialize)]
struct Sealed {
    person: String,
    note: String,
}

/// Where a list of cases goes on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct CaseKey {
    /// Milliseconds since 1970; the greatest number for an ended case.
    pub contact_due_at: i64,
    /// The case.
    pub id: Uuid,
}

impl CaseKey {
    /// Where `case` stands in a list.
    pub fn of(case: &Case) -> Self {
        Self {
            contact_due_at: case.contact_due.map_or(NEVER, |due| due.timestamp_millis()),
            id: case.id,
        }
    }
}

/// What the open cases of a place count, each by where it was counted.
#[derive(Clone, Debug, Default)]
pub struct CaseCounts {
    /// All that are open.
    pub open: BTreeMap<String, Part>,
    /// Those that are RED or ORANGE.
    pub grave: BTreeMap<String, Part>,
    /// Those past the time of their next contact.
    pub overdue: BTreeMap<String, Part>,
}

impl Store {
    /// Stores a case with what has just happened in it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_case(tx: &Tx, case: &Case, entry: &Entry, seal: &Seal) -> Result<(), DbErr> {
        let before = words_of(tx, CaseRow::TABLE, case.id).await?;
        let before = before.as_deref();
        CaseRow::save(tx, &[case_row(case, seal, before)]).await?;
        let row = EntryRow {
            support_case: case.id,
            sequence: case.entry_count,
            event: entry.event as i16,
            time_at: entry.time.timestamp_millis(),
            subject: entry.subject.clone(),
            words: seal.seal(case.id, &entry.note, case.created, before),
        };
        EntryRow::add(tx, &[row]).await
    }

    /// One case of a school; held until the end of the transaction when `lock` says so.
    ///
    /// # Errors
    /// When the database fails, or the words cannot be opened.
    pub async fn case(
        tx: &Tx,
        organization: &str,
        id: Uuid,
        (seal, lock): (&Seal, Lock),
    ) -> Result<Option<Case>, DbErr> {
        let mut rows = CaseRow::find(tx, "id", vec![id.into()], lock).await?;
        let found = rows.pop().filter(|row| row.organization == organization);
        found.map(|row| case(row, seal)).transpose()
    }

    /// What happened in a case, oldest first: the latest hundred.
    ///
    /// # Errors
    /// When the database fails, or the words cannot be opened.
    pub async fn entries(tx: &Tx, case: &Case, seal: &Seal) -> Result<Vec<Entry>, DbErr> {
        let wheres = "support_case = $1 AND sequence > $2";
        let values = vec![case.id.into(), (case.entry_count - ENTRIES).into()];
        let rows = EntryRow::page(tx, wheres, values, ENTRIES.unsigned_abs().into()).await?;
        rows.into_iter()
            .map(|row| {
                let event = Event::ALL.into_iter().find(|it| *it as i16 == row.event);
                let note = seal.open(case.id, &row.words);
                Ok(Entry {
                    event: event.ok_or_else(|| unreadable("event of a case"))?,
                    time: instant(row.time_at)?,
                    subject: row.subject,
                    note: note.map_err(|_| unreadable("sealed text"))?,
                })
            })
            .collect()
    }

    /// The cases of a school, the most pressing deadline first, ended ones last.
    ///
    /// # Errors
    /// When the database fails, or the words cannot be opened.
    pub async fn cases(
        tx: &Tx,
        org_path: &str,
        (show_closed, after): (bool, Option<CaseKey>),
        limit: u64,
        seal: &Seal,
    ) -> Result<Vec<Case>, DbErr> {
        let mut values: Vec<Value> = vec![org_path.into()];
        let mut wheres = "org_path = $1".to_owned();
        if !show_closed {
            values.push((State::Closed as i16).into());
            wheres = format!("{wheres} AND state <> ${}", values.len());
        }
        if let Some(CaseKey { contact_due_at, id }) = after {
            values.extend([contact_due_at.into(), id.into()]);
            let (due, id) = (values.len() - 1, values.len());
            wheres = format!(
                "{wheres} AND (contact_due_at > ${due} OR (contact_due_at = ${due} AND id > ${id}))"
            );
        }
        let sql = format!(
            "SELECT {} FROM support_cases WHERE {wheres} ORDER BY contact_due_at, id LIMIT {limit}",
            CaseRow::COLUMNS.join(", ")
        );
        let rows = tx.query_all_raw(statement(tx, &sql, values)).await?;
        rows.iter()
            .map(|row| case(CaseRow::read(row)?, seal))
            .collect()
    }

    /// Records who read or changed cases.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_accesses(tx: &Tx, accesses: Vec<AccessRow>) -> Result<(), DbErr> {
        AccessRow::add(tx, &accesses).await
    }

    /// Who read or changed a case, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accesses(
        db: &impl ConnectionTrait,
        case: Uuid,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<AccessRow>, DbErr> {
        let sql = format!(
            "SELECT {} FROM support_accesses WHERE support_case = $1 AND id < $2 \
             ORDER BY id DESC LIMIT {limit}",
            AccessRow::COLUMNS.join(", ")
        );
        let before = before.unwrap_or(Uuid::max());
        let select = statement(db, &sql, [case.into(), before.into()]);
        let rows = db.query_all_raw(select).await?;
        rows.iter().map(AccessRow::read).collect()
    }

    /// The open cases of the tree with the root `root`, counted where they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn case_counts(
        db: &impl ConnectionTrait,
        root: &str,
        now: DateTime<Utc>,
    ) -> Result<CaseCounts, DbErr> {
        let sql = "SELECT org_path, COUNT(*), COUNT(CASE WHEN grade IN (1, 2) THEN 1 END), \
                   COUNT(CASE WHEN contact_due_at < $1 THEN 1 END) FROM support_cases \
                   WHERE state <> 2 AND (org_path = $2 OR (org_path > $3 AND org_path < $4)) \
                   GROUP BY org_path";
        let values = [
            now.timestamp_millis().into(),
            root.into(),
            format!("{root}/").into(),
            below_end(root).into(),
        ];
        let mut counts = CaseCounts::default();
        for row in db.query_all_raw(statement(db, sql, values)).await? {
            let place: String = row.try_get_by_index(0)?;
            let count = |index: usize| {
                let count: i64 = row.try_get_by_index(index)?;
                u32::try_from(count).map_err(|_| unreadable("count"))
            };
            let whole = count(1)?;
            let (grave, overdue) = (Part::of(count(2)?, whole), Part::of(count(3)?, whole));
            counts.open.insert(place.clone(), Part::all(whole));
            counts.grave.insert(place.clone(), grave);
            counts.overdue.insert(place, overdue);
        }
        Ok(counts)
    }
}

fn case_row(case: &Case, seal: &Seal, before: Option<&[u8]>) -> CaseRow {
    let sealed = Sealed {
        person: case.person.clone(),
        note: case.note.clone(),
    };
    CaseRow {
        id: case.id,
        organization: case.organization.clone(),
        org_path: case.org_path.clone(),
        state: case.state as i16,
        grade: case.grade as i16,
        concern: case.concern.unwrap_or_default(),
        create_at: case.created.timestamp_millis(),
        contact_due_at: CaseKey::of(case).contact_due_at,
        late: case.late,
        close_reason: case.reason.map_or(0, |reason| reason as i16),
        closed_at: millis(case.closed),
        informed_at: millis(case.informed),
        referred_at: millis(case.referred),
        reopenings: case.reopenings,
        counsellor: case.counsellor.clone(),
        counsellor_person: case.counsellor_person.clone(),
        remind_at: case.remind.map_or(NEVER, |at| at.timestamp_millis()),
        entry_count: case.entry_count,
        words: seal.seal(case.id, &sealed, case.created, before),
    }
}

/// 0 for none.
fn millis(time: Option<DateTime<Utc>>) -> i64 {
    time.map_or(0, |time| time.timestamp_millis())
}

fn case(row: CaseRow, seal: &Seal) -> Result<Case, DbErr> {
    let opened = seal.open(row.id, &row.words);
    let Sealed { person, note } = opened.map_err(|_| unreadable("sealed text"))?;
    let state = State::ALL.into_iter().find(|it| *it as i16 == row.state);
    let grade = Grade::ALL.into_iter().find(|it| *it as i16 == row.grade);
    let mut reasons = Reason::ALL.into_iter();
    let reason = match row.close_reason {
        0 => None,
        number => {
            let known = reasons.find(|it| *it as i16 == number);
            Some(known.ok_or_else(|| unreadable("reason of a case"))?)
        }
    };
    let time = |millis: i64| (millis != 0).then(|| instant(millis)).transpose();
    Ok(Case {
        organization: row.organization,
        id: row.id,
        org_path: row.org_path,
        person,
        grade: grade.ok_or_else(|| unreadable("grade"))?,
        state: state.ok_or_else(|| unreadable("state of a case"))?,
        note,
        concern: (!row.concern.is_nil()).then_some(row.concern),
        created: instant(row.create_at)?,
        contact_due: (row.contact_due_at != NEVER)
            .then(|| instant(row.contact_due_at))
            .transpose()?,
        late: row.late,
        reason,
        closed: time(row.closed_at)?,
        informed: time(row.informed_at)?,
        referred: time(row.referred_at)?,
        reopenings: row.reopenings,
        counsellor: row.counsellor,
        counsellor_person: row.counsellor_person,
        remind: (row.remind_at != NEVER)
            .then(|| instant(row.remind_at))
            .transpose()?,
        entry_count: row.entry_count,
    })
}
