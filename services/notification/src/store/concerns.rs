//! Concerns.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::privacy::Part;
use kit::rows::{Lock, Row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::concern_rows::{ConcernRow, above_at, concern, row, wait_at, words_of};
use super::{Store, below_end, unreadable};
use crate::domain::concern::{Category, Concern, SATISFIED, State};
use crate::seal::Seal;

/// Which concerns are listed.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// Those about organisations at and below this place,
    pub about: &'a str,
    /// seen to at or below this one,
    pub handled: Option<&'a str>,
    /// or assigned to this member of the staff.
    pub assignee: Option<&'a str>,
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those overdue at this instant.
    pub overdue: Option<DateTime<Utc>>,
    /// Only those older than this one.
    pub before: Option<Uuid>,
}

/// Counts of the concerns of one category by the place that they are about, each a part of all there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CategoryCounts {
    /// All of them.
    pub all: BTreeMap<String, Part>,
    /// Neither answered nor closed.
    pub open: BTreeMap<String, Part>,
    /// Late once at least.
    pub late: BTreeMap<String, Part>,
    /// Reopened once at least.
    pub reopened: BTreeMap<String, Part>,
    /// Closed as satisfying.
    pub satisfied: BTreeMap<String, Part>,
}

/// Overdue at the milliseconds of the parameter with this number.
fn overdue_at(parameter: usize) -> String {
    let due = "CASE WHEN urgent = TRUE THEN urgent_answer_due_at ELSE answer_due_at END";
    format!(
        "((state IN (1, 6) AND acknowledge_due_at < ${parameter}) \
         OR (state IN (1, 2, 3, 6) AND {due} < ${parameter}))"
    )
}

/// At or below the place of the parameter with this number, whose range is in the next two.
fn within(column: &str, parameter: usize) -> String {
    let (from, to) = (parameter + 1, parameter + 2);
    format!("({column} = ${parameter} OR ({column} > ${from} AND {column} < ${to}))")
}

fn range(place: &str) -> [Value; 3] {
    [
        place.into(),
        format!("{place}/").into(),
        below_end(place).into(),
    ]
}

/// The concerns whose instant in a column has passed, the earliest first.
async fn ids_before(
    db: &impl ConnectionTrait,
    column: &str,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<Uuid>, DbErr> {
    let sql =
        format!("SELECT id FROM concerns WHERE {column} < $1 ORDER BY {column}, id LIMIT {limit}");
    let select = statement(db, &sql, [now.timestamp_millis().into()]);
    let rows = db.query_all_raw(select).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

impl Store {
    /// Stores a concern as it is now. Whoever changes one holds it by [`Self::concern_to_change`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_concern(tx: &Tx, concern: &Concern, seal: &Seal) -> Result<(), DbErr> {
        let before = words_of(tx, ConcernRow::TABLE, concern.id).await?;
        ConcernRow::save(tx, &[row(concern, seal, before.as_deref())]).await
    }

    /// One concern of an organisation with its words.
    ///
    /// # Errors
    /// When the database fails, or the words cannot be opened.
    pub async fn concern<C: ConnectionTrait + Sync>(
        db: &C,
        organization: &str,
        id: Uuid,
        seal: &Seal,
    ) -> Result<Option<Concern>, DbErr> {
        let mut rows = ConcernRow::find(db, "id", vec![id.into()], Lock::No).await?;
        let found = rows.pop().filter(|row| row.organization == organization);
        found.map(|row| concern(row, Some(seal))).transpose()
    }

    /// One concern, held until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails, or the words cannot be opened.
    pub async fn concern_to_change(
        tx: &Tx,
        id: Uuid,
        seal: &Seal,
    ) -> Result<Option<Concern>, DbErr> {
        let mut rows = ConcernRow::find(tx, "id", vec![id.into()], Lock::Yes).await?;
        rows.pop().map(|row| concern(row, Some(seal))).transpose()
    }

    /// One concern without its words, held until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn concern_to_pass(tx: &Tx, id: Uuid) -> Result<Option<Concern>, DbErr> {
        let mut rows = ConcernRow::find(tx, "id", vec![id.into()], Lock::Yes).await?;
        rows.pop().map(|row| concern(row, None)).transpose()
    }

    /// Stores what happened to a concern by itself, and leaves its words shut.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_passed(tx: &Tx, concern: &Concern) -> Result<(), DbErr> {
        let sql =
            "UPDATE concerns SET state = $1, wait_at = $2, late = $3, above_at = $4 WHERE id = $5";
        let values = [
            (concern.state as i16).into(),
            wait_at(concern).into(),
            concern.late.into(),
            above_at(concern.above).into(),
            concern.id.into(),
        ];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }

    /// Concerns, newest first, without their words.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn concerns(
        db: &impl ConnectionTrait,
        listed: Listed<'_>,
        limit: u64,
    ) -> Result<Vec<Concern>, DbErr> {
        let mut values: Vec<Value> = Vec::new();
        values.extend(range(listed.about));
        let mut wheres = vec![within("org_path", 1)];
        if listed.handled != Some("") {
            let mut dealt_with = vec!["FALSE".to_owned()];
            if let Some(handled) = listed.handled {
                dealt_with.push(within("handler_path", values.len() + 1));
                values.extend(range(handled));
            }
            if let Some(assignee) = listed.assignee {
                values.push(assignee.into());
                dealt_with.push(format!("assignee = ${}", values.len()));
            }
            wheres.push(format!("({})", dealt_with.join(" OR ")));
        }
        if let Some(state) = listed.state {
            values.push((state as i16).into());
            wheres.push(format!("state = ${}", values.len()));
        }
        if let Some(now) = listed.overdue {
            values.push(now.timestamp_millis().into());
            wheres.push(overdue_at(values.len()));
        }
        if let Some(before) = listed.before {
            values.push(before.into());
            wheres.push(format!("id < ${}", values.len()));
        }
        let sql = format!(
            "SELECT {} FROM concerns WHERE {} ORDER BY id DESC LIMIT {limit}",
            ConcernRow::COLUMNS.join(", "),
            wheres.join(" AND "),
        );
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter()
            .map(|row| concern(ConcernRow::read(row)?, None))
            .collect()
    }

    /// Counts of the concerns about organisations at and below `about`, seen to at or below
    /// `handled`, by category.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn concern_counts(
        db: &impl ConnectionTrait,
        (about, handled): (&str, &str),
        now: DateTime<Utc>,
    ) -> Result<BTreeMap<Category, CategoryCounts>, DbErr> {
        let mut values: Vec<Value> = vec![now.timestamp_millis().into()];
        values.extend(range(about));
        let mut wheres = within("org_path", 2);
        if !handled.is_empty() {
            values.extend(range(handled));
            wheres = format!("{wheres} AND {}", within("handler_path", 5));
        }
        let sql = format!(
            "SELECT category, org_path, COUNT(*), COUNT(CASE WHEN state NOT IN (4, 5) THEN 1 END), \
             COUNT(CASE WHEN late = TRUE OR {} THEN 1 END), \
             COUNT(CASE WHEN reopen_count > 0 THEN 1 END), \
             COUNT(CASE WHEN state = 5 AND satisfaction >= {SATISFIED} THEN 1 END) \
             FROM concerns WHERE {wheres} GROUP BY category, org_path",
            overdue_at(1)
        );
        let mut counts: BTreeMap<Category, CategoryCounts> = BTreeMap::new();
        for row in db.query_all_raw(statement(db, &sql, values)).await? {
            let code: i16 = row.try_get_by_index(0)?;
            let category = Category::ALL.into_iter().find(|it| *it as i16 == code);
            let category = category.ok_or_else(|| unreadable("category"))?;
            let place: String = row.try_get_by_index(1)?;
            let count = |index: usize| {
                let count: i64 = row.try_get_by_index(index)?;
                u32::try_from(count).map_err(|_| unreadable("count"))
            };
            let whole = count(2)?;
            let of = counts.entry(category).or_default();
            of.all.insert(place.clone(), Part::all(whole));
            for (index, part) in [
                (3, &mut of.open),
                (4, &mut of.late),
                (5, &mut of.reopened),
                (6, &mut of.satisfied),
            ] {
                part.insert(place.clone(), Part::of(count(index)?, whole));
            }
        }
        Ok(counts)
    }

    /// The concerns that have waited long enough at `now`, the longest first; at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn concerns_waited(
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<Uuid>, DbErr> {
        ids_before(db, "wait_at", now, limit).await
    }

    /// The concerns of which those above hear at `now`, those that wait longest first; at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn concerns_left(
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<Uuid>, DbErr> {
        ids_before(db, "above_at", now, limit).await
    }

    /// Brings concerns, cases and care tasks of an organisation to where it stands now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn move_voices(tx: &Tx, organization: &str, org_path: &str) -> Result<(), DbErr> {
        for sql in [
            "UPDATE concerns SET org_path = $1 WHERE organization = $2 AND org_path <> $1",
            "UPDATE concerns SET handler_path = $1 WHERE handler = $2 AND handler_path <> $1",
            "UPDATE support_cases SET org_path = $1 WHERE organization = $2 AND org_path <> $1",
            "UPDATE care_tasks SET org_path = $1 || '/' || class_group WHERE organization = $2 \
             AND org_path <> $1 || '/' || class_group",
        ] {
            let values = [org_path.into(), organization.into()];
            tx.execute_raw(statement(tx, sql, values)).await?;
        }
        Ok(())
    }
}
