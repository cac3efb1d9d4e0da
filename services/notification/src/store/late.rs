//! What nobody has done in time, for operators: from indexes over what is still to be done.

use chrono::{DateTime, NaiveDate, Utc};
use kit::clock::start_of;
use kit::db::statement;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::Store;
use super::recipient_rows::number_of;

/// More of a kind is not counted.
const MOST: i64 = 10_000;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// Directives that a recipient has not read.
    Unread,
    /// Directives that a recipient has not signed for.
    Unsigned,
    /// Directives that a recipient has not passed on.
    Relays,
    /// Directives of which a recipient has not done a demand.
    Demands,
    /// Reports that nobody has judged.
    Judgements,
    /// Concerns that nobody has answered.
    Concerns,
    /// Care that nobody has taken of a pupil who is kept at home.
    CareTasks,
}

impl Late {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Unread,
        Self::Unsigned,
        Self::Relays,
        Self::Demands,
        Self::Judgements,
        Self::Concerns,
        Self::CareTasks,
    ];

    /// As the label of a metric.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unread => "directives_unread",
            Self::Unsigned => "directives_unsigned",
            Self::Relays => "relays",
            Self::Demands => "demands",
            Self::Judgements => "judgements",
            Self::Concerns => "concerns",
            Self::CareTasks => "care_tasks",
        }
    }

    /// The rows of it, $1 being the present instant or the number of the day. What an index has as its
    /// condition is repeated as it stands there.
    fn rows(self) -> &'static str {
        match self {
            // Neither delivered nor read: 3 is READ.
            Self::Unread => {
                "directive_recipients WHERE open = TRUE AND acknowledged_at IS NULL \
                 AND due_at IS NOT NULL AND due_at < $1 AND state < 3"
            }
            Self::Unsigned => {
                "directive_recipients WHERE open = TRUE AND acknowledged_at IS NULL \
                 AND due_at IS NOT NULL AND due_at < $1"
            }
            Self::Relays => {
                "directive_recipients WHERE open = TRUE AND state = 4 AND relay_due_at < $1"
            }
            Self::Demands => {
                "directive_recipients WHERE open = TRUE AND items_due > 0 AND items_due < $1 \
                 AND due_at IS NOT NULL"
            }
            Self::Judgements => {
                "directive_recipients WHERE open = TRUE AND state = 7 AND judge_due_at < $1"
            }
            Self::Concerns => "concerns WHERE late = TRUE AND state IN (1, 2, 3, 6)",
            Self::CareTasks => "care_tasks WHERE state = 3",
        }
    }

    fn values(self, (now, today): (DateTime<Utc>, NaiveDate)) -> Vec<Value> {
        match self {
            Self::Unread | Self::Unsigned | Self::Relays | Self::Judgements => {
                vec![now.timestamp_millis().into()]
            }
            Self::Demands => vec![i64::from(number_of(today)).into()],
            Self::Concerns | Self::CareTasks => Vec::new(),
        }
    }
}

/// When the first of those times passes of concerns, support and care on which something is to happen by itself.
const FIRST: &str = "SELECT MIN(passes_at) FROM (SELECT MIN(wait_at) AS passes_at FROM concerns \
     UNION ALL SELECT MIN(above_at) FROM concerns \
     UNION ALL SELECT MIN(due_at) FROM care_tasks WHERE state = 1 \
     UNION ALL SELECT MIN(above_at) FROM care_tasks WHERE state = 3 \
     UNION ALL SELECT MIN(remind_at) FROM support_cases WHERE state <> 2 \
     UNION ALL SELECT MIN(next_at) FROM alerts WHERE next_at > 0) AS times";

impl Store {
    /// How much of a kind is late, ten thousand at most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn late(
        db: &impl ConnectionTrait,
        what: Late,
        time: (DateTime<Utc>, NaiveDate),
    ) -> Result<i64, DbErr> {
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM {} LIMIT {MOST}) AS late",
            what.rows()
        );
        let row = db
            .query_one_raw(statement(db, &sql, what.values(time)))
            .await?;
        row.map_or(Ok(0), |row| row.try_get_by_index(0))
    }

    /// When the first time passed on which something is to happen by itself, if one has passed and nothing has
    /// happened yet: of directives, concerns, support, care and alerts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_missed(
        db: &impl ConnectionTrait,
        (now, today): (DateTime<Utc>, NaiveDate),
    ) -> Result<Option<DateTime<Utc>>, DbErr> {
        let row = db.query_one_raw(statement(db, FIRST, [])).await?;
        let first: Option<i64> = row.map_or(Ok(None), |row| row.try_get_by_index(0))?;
        let first = first.and_then(DateTime::from_timestamp_millis);
        let told = Self::overdue(db, (now, today), 1).await?;
        let told = told.iter().map(|overdue| {
            // A day has passed when the next one begins.
            let day = || overdue.day().and_then(|day| day.succ_opt()).map(start_of);
            overdue.instant().or_else(day)
        });
        let passed = first.into_iter().chain(told.flatten());
        Ok(passed.filter(|passed| *passed < now).min())
    }
}
