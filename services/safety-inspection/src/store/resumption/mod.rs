//! Resumptions: rows in and out.

mod answers;
mod batches;
mod calls;
mod causes;
mod figures;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};

pub use answers::AnswerRow;
pub use batches::BatchRow;
pub use calls::{CallRow, Told};

use super::{Store, below_end, day_number, day_of, records, unreadable};
use crate::domain::resumption::checklist::Summary;
use crate::domain::resumption::guards::Kind;
use crate::domain::resumption::own_plan;
use crate::domain::resumption::state::{Progress, State};
use crate::grpc::announced;

/// The time of what never comes.
pub const NEVER: i64 = i64::MAX;

row! {
    /// One school's way back to teaching, for one batch.
    ResumptionRow in "resumptions" by ["organization", "position"] {
        /// The id of the school.
        organization: String,
        /// The place of the batch in the order.
        position: i16,
        /// The place of the school.
        org_path: String,
        /// The id of the bureau that planned the batch.
        batch: String,
        /// The number of the state.
        state: i16,
        /// All of it.
        body: String,
        /// How many entries its history has.
        changes: i32,
        /// When it was changed last.
        updated_at: i64,
        /// When time does something to it next.
        acts_at: i64,
        /// When the guards are asked next.
        check_at: i64,
        /// 0 to 100; -1 for a silent school.
        score: i16,
        /// How many items apply.
        items: i32,
        /// How many of them are met.
        met: i32,
        /// How many mandatory items are missing or not met.
        open_items: i32,
        /// The categories of these, as bits.
        open_categories: i32,
        /// The guards that block, as bits.
        guards: i32,
        /// When they were asked; 0 for never.
        checked_at: i64,
    }
}

/// A resumption with what is kept of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The id of the school.
    pub organization: String,
    /// The place of the batch in the order.
    pub position: i16,
    /// The place of the school.
    pub org_path: String,
    /// The id of the bureau that planned the batch.
    pub batch: String,
    /// All of it.
    pub progress: Progress,
    /// How many entries its history has.
    pub changes: i32,
    /// When it was changed last.
    pub updated: DateTime<Utc>,
    /// When time does something to it next, in milliseconds since 1970.
    pub acts_at: i64,
    /// When the guards are asked next, in milliseconds since 1970.
    pub check_at: i64,
    /// How ready it is.
    pub summary: Summary,
    /// The guards that block.
    pub guards: BTreeSet<Kind>,
    /// When they were asked.
    pub checked: Option<DateTime<Utc>>,
}

/// Which resumptions are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of the batch at this place in the order; all when 0.
    pub position: i16,
    /// Only in this state.
    pub state: Option<State>,
}

/// `organizations/{organization}/resumptions/{position}`, the last part a word for a university.
pub fn resumption_name(organization: &str, position: i16) -> String {
    if position == own_plan::POSITION {
        let word = own_plan::WORD;
        return format!("organizations/{organization}/resumptions/{word}");
    }
    format!("organizations/{organization}/resumptions/{position}")
}

impl Kept {
    /// A resumption that has just been opened at a school (its id and place), of a batch (the bureau
    /// and the place in the order); whoever looks first finds how ready the school is.
    pub fn begun(
        (organization, org_path): (String, String),
        (bureau, position): (&str, i16),
        progress: Progress,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            organization,
            position,
            org_path,
            batch: bureau.to_owned(),
            progress,
            changes: 1,
            updated: now,
            acts_at: NEVER,
            check_at: now.timestamp_millis(),
            summary: Summary::default(),
            guards: BTreeSet::new(),
            checked: None,
        }
    }

    /// The resource name.
    pub fn name(&self) -> String {
        resumption_name(&self.organization, self.position)
    }
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn bits(numbers: impl Iterator<Item = u32>) -> i32 {
    numbers.fold(0, |bits, number| bits | (1 << number))
}

fn guards_of(bits: i32) -> BTreeSet<Kind> {
    let kinds = Kind::ALL.iter().copied();
    kinds
        .filter(|kind| bits & (1 << (*kind as i32)) != 0)
        .collect()
}

fn summary_of(score: i16, [items, met, open, categories]: [i32; 4]) -> Summary {
    let natural = |number: i32| u32::try_from(number).unwrap_or_default();
    Summary {
        score: u8::try_from(score).ok(),
        items: natural(items),
        met: natural(met),
        open: natural(open),
        categories: (0..=13)
            .filter(|one| categories & (1 << one) != 0)
            .collect(),
    }
}

fn instant(millis: i64) -> Result<DateTime<Utc>, DbErr> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| unreadable("instant"))
}

fn grades_text(grades: &[i32]) -> String {
    let grades: Vec<String> = grades.iter().map(ToString::to_string).collect();
    grades.join(",")
}

fn grades_of(text: &str) -> Vec<i32> {
    text.split(',')
        .filter_map(|grade| grade.parse().ok())
        .collect()
}

fn row_of(kept: &Kept) -> Result<ResumptionRow, DbErr> {
    let summary = &kept.summary;
    Ok(ResumptionRow {
        organization: kept.organization.clone(),
        position: kept.position,
        org_path: kept.org_path.clone(),
        batch: kept.batch.clone(),
        state: kept.progress.state as i16,
        body: records::text(&kept.progress)?,
        changes: kept.changes,
        updated_at: kept.updated.timestamp_millis(),
        acts_at: kept.acts_at,
        check_at: kept.check_at,
        score: summary.score.map_or(-1, i16::from),
        items: count(summary.items),
        met: count(summary.met),
        open_items: count(summary.open),
        open_categories: bits(summary.categories.iter().map(|one| u32::from(*one))),
        guards: bits(kept.guards.iter().map(|kind| *kind as u32)),
        checked_at: kept.checked.map_or(0, |checked| checked.timestamp_millis()),
    })
}

fn kept(row: ResumptionRow) -> Result<Kept, DbErr> {
    let numbers = [row.items, row.met, row.open_items, row.open_categories];
    let checked = (row.checked_at != 0).then(|| instant(row.checked_at));
    Ok(Kept {
        progress: records::value(&row.body)?,
        updated: instant(row.updated_at)?,
        summary: summary_of(row.score, numbers),
        guards: guards_of(row.guards),
        checked: checked.transpose()?,
        organization: row.organization,
        position: row.position,
        org_path: row.org_path,
        batch: row.batch,
        changes: row.changes,
        acts_at: row.acts_at,
        check_at: row.check_at,
    })
}

async fn select(
    db: &impl ConnectionTrait,
    rest: &str,
    values: Vec<Value>,
) -> Result<Vec<Kept>, DbErr> {
    let columns = ResumptionRow::COLUMNS.join(", ");
    let sql = format!("SELECT {columns} FROM resumptions WHERE {rest}");
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    rows.iter()
        .map(|row| kept(ResumptionRow::read(row)?))
        .collect()
}

/// What finds a place and everything below it, as `$1` to `$3`.
const WITHIN: &str = "(org_path = $1 OR (org_path > $2 AND org_path < $3))";

fn within(place: &str) -> Vec<Value> {
    vec![
        place.into(),
        format!("{place}/").into(),
        below_end(place).into(),
    ]
}

impl Store {
    /// Keeps resumptions as they are now, each of them once, and tells of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_resumptions(tx: &Tx, kept: &[Kept]) -> Result<(), DbErr> {
        let rows = kept.iter().map(row_of).collect::<Result<Vec<_>, _>>()?;
        ResumptionRow::save(tx, &rows).await?;
        let told = kept.iter().map(|one| {
            let seen = one.checked.unwrap_or(one.updated).max(one.updated);
            announced::resumption(one, seen)
        });
        Self::tell(tx, told.collect()).await
    }

    /// The resumptions of schools, in the order of the schools and batches; `lock` keeps others from
    /// changing them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resumptions_of(
        db: &impl ConnectionTrait,
        schools: &[String],
        lock: Lock,
    ) -> Result<Vec<Kept>, DbErr> {
        let keys = schools.iter().map(|id| id.as_str().into()).collect();
        let rows = ResumptionRow::find(db, "organization", keys, lock).await?;
        rows.into_iter().map(kept).collect()
    }

    /// Resumptions at and below a place after one of a school at a place, in the order of places and
    /// batches.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resumptions(
        db: &impl ConnectionTrait,
        place: &str,
        filter: Filter,
        after: Option<(String, i16)>,
        limit: u64,
    ) -> Result<Vec<Kept>, DbErr> {
        let (path, position) = after.unwrap_or_default();
        let state = filter.state.map_or(0, |state| state as i16);
        let mut values = within(place);
        values.extend([
            path.into(),
            position.into(),
            filter.position.into(),
            state.into(),
        ]);
        let rest = format!(
            "{WITHIN} AND (org_path > $4 OR (org_path = $4 AND position > $5)) \
             AND (position = $6 OR $6 = 0) AND (state = $7 OR $7 = 0) \
             ORDER BY org_path, position LIMIT {limit}"
        );
        select(db, &rest, values).await
    }

    /// Resumptions of a batch that are not back at school, after one of a school at a place.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resumptions_of_batch(
        db: &impl ConnectionTrait,
        (bureau, position): (&str, i16),
        after: &str,
        limit: u64,
    ) -> Result<Vec<Kept>, DbErr> {
        let open = State::ALL.iter().filter(|state| state.is_open());
        let open: Vec<String> = open.map(|state| (*state as i16).to_string()).collect();
        let rest = format!(
            "batch = $1 AND position = $2 AND org_path > $3 AND state NOT IN ({}) \
             ORDER BY org_path LIMIT {limit}",
            open.join(", ")
        );
        let values = vec![bureau.into(), position.into(), after.into()];
        select(db, &rest, values).await
    }

    /// How many resumptions of a batch are in each state.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resumption_counts(
        db: &impl ConnectionTrait,
        bureau: &str,
        position: i16,
    ) -> Result<BTreeMap<State, u32>, DbErr> {
        let sql = "SELECT state, COUNT(*) FROM resumptions WHERE batch = $1 AND position = $2 \
                   GROUP BY state";
        let values = [bureau.into(), position.into()];
        let rows = db.query_all_raw(statement(db, sql, values)).await?;
        let counts = rows.iter().map(|row| {
            let (state, count): (i16, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            let state = State::from_number(state.into()).ok_or_else(|| unreadable("state"))?;
            Ok((state, u32::try_from(count).unwrap_or(u32::MAX)))
        });
        counts.collect()
    }

    /// Resumptions to which time does something at `now` or before, the first first, and of one
    /// school in the order of the batches.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resumptions_due(
        db: &impl ConnectionTrait,
        now: i64,
        limit: u64,
    ) -> Result<Vec<Kept>, DbErr> {
        let rest = format!("acts_at <= $1 ORDER BY acts_at, position, org_path LIMIT {limit}");
        select(db, &rest, vec![now.into()]).await
    }

    /// Resumptions whose guards are to be asked at `now` or before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resumptions_to_check(
        db: &impl ConnectionTrait,
        now: i64,
        limit: u64,
    ) -> Result<Vec<Kept>, DbErr> {
        let rest = format!("check_at <= $1 ORDER BY check_at, org_path, position LIMIT {limit}");
        select(db, &rest, vec![now.into()]).await
    }

    /// Whether at `now` something is due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resumption_is_due(db: &impl ConnectionTrait, now: i64) -> Result<bool, DbErr> {
        let sql = "SELECT 1 WHERE EXISTS (SELECT 1 FROM resumption_calls WHERE due_at <= $1) \
                   OR EXISTS (SELECT 1 FROM resumptions WHERE acts_at <= $1) \
                   OR EXISTS (SELECT 1 FROM resumptions WHERE check_at <= $1) \
                   OR EXISTS (SELECT 1 FROM readiness_causes)";
        let found = db.query_one_raw(statement(db, sql, [now.into()])).await?;
        Ok(found.is_some())
    }
}
