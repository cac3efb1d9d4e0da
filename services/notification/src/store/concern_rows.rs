//! A concern as a row: its words sealed.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::row;
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::unreadable;
use crate::domain::concern::{Category, Clocks, Concern, State, Submitter, Words};
use crate::seal::Seal;

row! {
    /// A concern.
    ConcernRow in "concerns" by ["id"] {
        /// The id.
        id: Uuid,
        /// The organisation that it is about.
        organization: String,
        /// Where that one stands.
        org_path: String,
        /// The organisation that sees to it.
        handler: String,
        /// Where that one stands.
        handler_path: String,
        /// The number of the state.
        state: i16,
        /// The number of who handed it in.
        submitter: i16,
        /// Nobody knows whose it is.
        anonymous: bool,
        /// The number of the category.
        category: i16,
        /// It presses.
        urgent: bool,
        /// Milliseconds since 1970, as are all instants here.
        create_at: i64,
        /// Sorted out by then.
        acknowledge_due_at: i64,
        /// Answered by then.
        answer_due_at: i64,
        /// Answered by then when it presses.
        urgent_answer_due_at: i64,
        /// What happens by itself; the greatest number for nothing.
        wait_at: i64,
        /// When those above hear of it; the greatest number for never.
        above_at: i64,
        /// A deadline passed.
        late: bool,
        /// Who answers.
        assignee: String,
        /// The organisation of who answers.
        assignee_organization: String,
        /// When it was answered; 0 before.
        answer_at: i64,
        /// How often it was reopened.
        reopen_count: i32,
        /// How satisfied; 0 before.
        satisfaction: i32,
        /// What people wrote, sealed.
        words: Vec<u8>,
        /// A keyed hash of who handed it in.
        author: Vec<u8>,
        /// A keyed hash of the receipt code.
        receipt: Vec<u8>,
    }
}

/// What is sealed of a concern.
#[derive(Serialize, Deserialize)]
struct Sealed {
    text: String,
    answer: String,
    remark: String,
    person: String,
}

/// The greatest number: a wait for nothing.
pub(super) const NEVER: i64 = i64::MAX;

/// An instant from its milliseconds.
pub(super) fn instant(millis: i64) -> Result<DateTime<Utc>, DbErr> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| unreadable("instant"))
}

/// Until when a concern waits.
pub(super) fn wait_at(concern: &Concern) -> i64 {
    concern.wait.map_or(NEVER, |wait| wait.timestamp_millis())
}

/// When those above hear of something.
pub(super) fn above_at(above: Option<DateTime<Utc>>) -> i64 {
    above.map_or(NEVER, |above| above.timestamp_millis())
}

/// The sealed words of the row `id` of a table, as they are now; none when it has no such row.
pub(super) async fn words_of(tx: &Tx, table: &str, id: Uuid) -> Result<Option<Vec<u8>>, DbErr> {
    let sql = format!("SELECT words FROM {table} WHERE id = $1");
    let row = tx.query_one_raw(statement(tx, &sql, [id.into()])).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}

/// As a row, sealed as its words were `before`.
pub(super) fn row(concern: &Concern, seal: &Seal, before: Option<&[u8]>) -> ConcernRow {
    let Concern {
        organization,
        id,
        org_path,
        handler,
        handler_path,
        state,
        submitter,
        anonymous,
        category,
        urgent,
        created,
        clocks,
        wait: _,
        above,
        late,
        assignee,
        assignee_organization,
        answered,
        reopened,
        satisfaction,
        words,
        author,
        receipt,
    } = concern.clone();
    let Words {
        text,
        answer,
        remark,
        person,
    } = words;
    let sealed = Sealed {
        text,
        answer,
        remark,
        person,
    };
    ConcernRow {
        id,
        organization,
        org_path,
        handler,
        handler_path,
        state: state as i16,
        submitter: submitter as i16,
        anonymous,
        category: category as i16,
        urgent,
        create_at: created.timestamp_millis(),
        acknowledge_due_at: clocks.acknowledge.timestamp_millis(),
        answer_due_at: clocks.answer.timestamp_millis(),
        urgent_answer_due_at: clocks.urgent_answer.timestamp_millis(),
        wait_at: wait_at(concern),
        above_at: above_at(above),
        late,
        assignee,
        assignee_organization,
        answer_at: answered.map_or(0, |answered| answered.timestamp_millis()),
        reopen_count: reopened,
        satisfaction,
        words: seal.seal(id, &sealed, created, before),
        author,
        receipt,
    }
}

/// From a row. Without a seal the words stay shut, and are empty.
pub(super) fn concern(row: ConcernRow, seal: Option<&Seal>) -> Result<Concern, DbErr> {
    let words = match seal {
        Some(seal) => {
            let opened = seal.open(row.id, &row.words);
            let Sealed {
                text,
                answer,
                remark,
                person,
            } = opened.map_err(|_| unreadable("sealed text"))?;
            Words {
                text,
                answer,
                remark,
                person,
            }
        }
        None => Words::default(),
    };
    let state = State::ALL.into_iter().find(|it| *it as i16 == row.state);
    let submitter = Submitter::ALL
        .into_iter()
        .find(|it| *it as i16 == row.submitter);
    let category = Category::ALL
        .into_iter()
        .find(|it| *it as i16 == row.category);
    Ok(Concern {
        organization: row.organization,
        id: row.id,
        org_path: row.org_path,
        handler: row.handler,
        handler_path: row.handler_path,
        state: state.ok_or_else(|| unreadable("state of a concern"))?,
        submitter: submitter.ok_or_else(|| unreadable("submitter"))?,
        anonymous: row.anonymous,
        category: category.ok_or_else(|| unreadable("category"))?,
        urgent: row.urgent,
        created: instant(row.create_at)?,
        clocks: Clocks {
            acknowledge: instant(row.acknowledge_due_at)?,
            answer: instant(row.answer_due_at)?,
            urgent_answer: instant(row.urgent_answer_due_at)?,
        },
        wait: (row.wait_at != NEVER)
            .then(|| instant(row.wait_at))
            .transpose()?,
        above: (row.above_at != NEVER)
            .then(|| instant(row.above_at))
            .transpose()?,
        late: row.late,
        assignee: row.assignee,
        assignee_organization: row.assignee_organization,
        answered: (row.answer_at != 0)
            .then(|| instant(row.answer_at))
            .transpose()?,
        reopened: row.reopen_count,
        satisfaction: row.satisfaction,
        words,
        author: row.author,
        receipt: row.receipt,
    })
}
