//! Alerts and their histories as rows, both ways.

use chrono::{DateTime, Utc};
use kit::rows::row;
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::unreadable;
use crate::domain::alert::{Alert, State, Step};
use crate::domain::change::{Entry, Event};
use crate::domain::fact::{Figures, Kind, Severity, Word};
use crate::domain::hearer::Hearer;

row! {
    /// One alert.
    AlertRow in "alerts" by ["id"] {
        /// The id.
        id: Uuid,
        /// What happened.
        kind: i16,
        /// The graver sort.
        grave: bool,
        /// How much it matters.
        severity: i16,
        /// The organisation above must see to it from the start.
        above: bool,
        /// The organisation id of the school.
        organization: String,
        /// The place.
        org_path: String,
        /// The state.
        state: i16,
        /// Steps up the tree.
        level: i32,
        /// The highest level that was told.
        told_level: i32,
        /// The entity of the fact.
        basis: String,
        /// Which alert of the fact.
        episode: i32,
        /// The fact stands.
        stands: bool,
        /// A JSON array.
        subjects: String,
        /// The numbers of those whom the fact names, joined by commas.
        named: String,
        /// How many people.
        people: i32,
        /// What the kind counts.
        amount: i32,
        /// Of how many.
        total: i32,
        /// The number of the word.
        word: i16,
        /// Who answers for it.
        owner: String,
        /// When the fact came to be.
        occur_at: i64,
        /// When it was raised.
        raise_at: i64,
        /// Acknowledged by then.
        due_at: i64,
        /// Further up from then on; 0 when it stays.
        next_at: i64,
        /// A step as JSON.
        acknowledged: String,
        /// A step as JSON.
        taken: String,
        /// A step as JSON.
        resolved: String,
        /// The alert that speaks for it.
        inhibited_by: String,
        /// The silence over it.
        silenced_by: String,
        /// The version of its rule.
        rule_version: i64,
        /// How many entries there are.
        entries: i32,
        /// The revision that raised it: the order of lists.
        sequence: i64,
        /// The revision of the last change.
        revision: i64,
        /// The revision that the feed tells.
        announced: i64,
    }
}

row! {
    /// One line of the history of an alert.
    EntryRow in "alert_entries" by ["alert", "number"] {
        /// The alert.
        alert: Uuid,
        /// 1 for the first.
        number: i32,
        /// What happened.
        event: i16,
        /// When.
        at: i64,
        /// Who acted.
        subject: String,
        /// In their words.
        comment: String,
        /// Who was told or owns it.
        owner: String,
    }
}

#[derive(Serialize, Deserialize)]
struct StepBody {
    subject: String,
    time: DateTime<Utc>,
    comment: String,
}

fn pack(step: Option<Step>) -> String {
    let Some(step) = step else {
        return String::new();
    };
    let Step {
        subject,
        time,
        comment,
    } = step;
    let body = StepBody {
        subject,
        time,
        comment,
    };
    serde_json::to_string(&body).unwrap_or_default()
}

fn unpack(step: &str) -> Result<Option<Step>, DbErr> {
    if step.is_empty() {
        return Ok(None);
    }
    let StepBody {
        subject,
        time,
        comment,
    } = serde_json::from_str(step).map_err(|_| unreadable("step"))?;
    Ok(Some(Step {
        subject,
        time,
        comment,
    }))
}

fn pack_named(named: &[Hearer]) -> String {
    let numbers = named.iter().map(|hearer| (*hearer as i32).to_string());
    numbers.collect::<Vec<_>>().join(",")
}

fn unpack_named(text: &str) -> Result<Vec<Hearer>, DbErr> {
    let numbers = text.split(',').filter(|number| !number.is_empty());
    let read = |number: &str| number.parse().ok().and_then(Hearer::from_code);
    let named = numbers.map(|number| read(number).ok_or_else(|| unreadable("hearer")));
    named.collect()
}

pub(super) fn instant(millis: i64) -> Result<DateTime<Utc>, DbErr> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| unreadable("instant"))
}

pub(super) fn kind(code: i16) -> Result<Kind, DbErr> {
    Kind::from_code(code.into()).ok_or_else(|| unreadable("kind"))
}

pub(super) fn severity(code: i16) -> Result<Severity, DbErr> {
    let found = Severity::ALL
        .into_iter()
        .find(|severity| *severity as i16 == code);
    found.ok_or_else(|| unreadable("severity"))
}

pub(super) fn word(code: i16) -> Result<Word, DbErr> {
    let found = Word::ALL.into_iter().find(|word| *word as i16 == code);
    found.ok_or_else(|| unreadable("word"))
}

impl From<Alert> for AlertRow {
    fn from(alert: Alert) -> Self {
        let Alert {
            organization,
            id,
            kind,
            grave,
            severity,
            above,
            org_path,
            state,
            level,
            told_level,
            basis,
            episode,
            stands,
            subjects,
            named,
            figures,
            owner,
            occurred,
            raised,
            due,
            next,
            acknowledged,
            taken,
            resolved,
            inhibited_by,
            silenced_by,
            rule_version,
            entries,
            sequence,
            revision,
        } = alert;
        let Figures {
            people,
            amount,
            total,
            word,
        } = figures;
        Self {
            id,
            kind: kind as i16,
            grave,
            severity: severity as i16,
            above,
            organization,
            org_path,
            state: state as i16,
            level,
            told_level,
            basis,
            episode,
            stands,
            subjects: serde_json::to_string(&subjects).unwrap_or_default(),
            named: pack_named(&named),
            people,
            amount,
            total,
            word: word as i16,
            owner,
            occur_at: occurred.timestamp_millis(),
            raise_at: raised.timestamp_millis(),
            due_at: due.timestamp_millis(),
            next_at: next.map_or(0, |next| next.timestamp_millis()),
            acknowledged: pack(acknowledged),
            taken: pack(taken),
            resolved: pack(resolved),
            inhibited_by,
            silenced_by,
            rule_version,
            entries,
            sequence,
            revision,
            announced: revision,
        }
    }
}

impl TryFrom<AlertRow> for Alert {
    type Error = DbErr;

    fn try_from(row: AlertRow) -> Result<Self, DbErr> {
        let state = State::ALL
            .into_iter()
            .find(|state| *state as i16 == row.state);
        let next = (row.next_at > 0).then(|| instant(row.next_at));
        Ok(Self {
            organization: row.organization,
            id: row.id,
            kind: kind(row.kind)?,
            grave: row.grave,
            severity: severity(row.severity)?,
            above: row.above,
            org_path: row.org_path,
            state: state.ok_or_else(|| unreadable("state"))?,
            level: row.level,
            told_level: row.told_level,
            basis: row.basis,
            episode: row.episode,
            stands: row.stands,
            subjects: serde_json::from_str(&row.subjects).map_err(|_| unreadable("subjects"))?,
            named: unpack_named(&row.named)?,
            figures: Figures {
                people: row.people,
                amount: row.amount,
                total: row.total,
                word: word(row.word)?,
            },
            owner: row.owner,
            occurred: instant(row.occur_at)?,
            raised: instant(row.raise_at)?,
            due: instant(row.due_at)?,
            next: next.transpose()?,
            acknowledged: unpack(&row.acknowledged)?,
            taken: unpack(&row.taken)?,
            resolved: unpack(&row.resolved)?,
            inhibited_by: row.inhibited_by,
            silenced_by: row.silenced_by,
            rule_version: row.rule_version,
            entries: row.entries,
            sequence: row.sequence,
            revision: row.revision,
        })
    }
}

/// The row of one line of the history of an alert.
pub(super) fn entry_row(alert: Uuid, number: i32, entry: Entry) -> EntryRow {
    let Entry {
        event,
        time,
        subject,
        comment,
        owner,
    } = entry;
    EntryRow {
        alert,
        number,
        event: event as i16,
        at: time.timestamp_millis(),
        subject,
        comment,
        owner,
    }
}

impl TryFrom<EntryRow> for Entry {
    type Error = DbErr;

    fn try_from(row: EntryRow) -> Result<Self, DbErr> {
        let event = Event::ALL
            .into_iter()
            .find(|event| *event as i16 == row.event);
        Ok(Self {
            event: event.ok_or_else(|| unreadable("event"))?,
            time: instant(row.at)?,
            subject: row.subject,
            comment: row.comment,
            owner: row.owner,
        })
    }
}
