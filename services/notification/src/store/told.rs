//! The queue of what is to be told: filled in the transaction that makes it necessary, emptied by
//! whoever sends messages.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Duration, Utc};
use kit::db::{Backend, Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::alert_rows::{instant, kind, severity, word};
use super::{Store, unreadable};
use crate::domain::fact::Figures;
use crate::domain::party::Party;
use crate::domain::telling::{BESIDES, Telling, Told};

/// How long what was told is kept.
const KEPT: Duration = Duration::days(30);

row! {
    /// Somebody to be told of an alert.
    ToldRow in "told" by ["id"] {
        /// Follows from the alert and the level.
        id: Uuid,
        /// The alert.
        alert: Uuid,
        /// Its resource name.
        basis: String,
        /// What happened.
        kind: i16,
        /// Who is told.
        party: String,
        /// How much it matters.
        severity: i16,
        /// One sentence, Chinese.
        title: String,
        /// The same in English.
        title_en: String,
        /// The template of the message.
        template: String,
        /// How many people.
        people: i32,
        /// What the kind counts.
        amount: i32,
        /// Of how many.
        total: i32,
        /// The number of the word.
        word: i16,
        /// What rows that are told together have in common.
        together: String,
        /// By when somebody must have seen it; 0 where that is not known.
        due_at: i64,
        /// From when on.
        tell_at: i64,
        /// It was taken from the queue.
        done: bool,
    }
}

impl Store {
    /// Puts tellings into the queue. One that waits goes with those of its group that wait already.
    pub(super) async fn queue_tellings(
        tx: &Tx,
        tellings: Vec<Telling>,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let waiting = tellings.iter().filter(|telling| telling.wait.is_some());
        let groups = waiting.map(Telling::group).collect();
        let mut times = waiting_until(tx, groups, now).await?;
        let row = |telling: Telling| {
            let together = telling.group();
            let tell_at = match telling.wait {
                None => now.timestamp_millis(),
                Some(wait) => {
                    let end = (now + wait).timestamp_millis();
                    *times.entry(together.clone()).or_insert(end)
                }
            };
            telling_row(telling, together, tell_at)
        };
        let rows: Vec<ToldRow> = tellings.into_iter().map(row).collect();
        ToldRow::add(tx, &rows).await
    }

    /// Whether anybody is to be told of anything by `now`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_telling_due(&self, now: DateTime<Utc>) -> Result<bool, DbErr> {
        let db = self.db.read();
        let sql = "SELECT 1 WHERE EXISTS (SELECT 1 FROM told WHERE done = FALSE AND tell_at <= $1) \
                   OR EXISTS (SELECT 1 FROM notices WHERE done = FALSE)";
        let due = statement(db, sql, [now.timestamp_millis().into()]);
        Ok(db.query_one_raw(due).await?.is_some())
    }

    /// Takes what is to be told by `now` from the queue, at most `limit` messages, those that are due
    /// longest first. What is taken is told once: whoever takes it sends it, or makes sure that it will
    /// be sent, in the same transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_told(tx: &Tx, now: DateTime<Utc>, limit: u64) -> Result<Vec<Told>, DbErr> {
        let lock = match tx.backend() {
            Backend::Postgres => " FOR UPDATE",
            Backend::Sqlite => "",
        };
        let columns = ToldRow::COLUMNS.join(", ");
        // Of two replicas that find the same rows, the second waits for the first and then finds
        // them done.
        let sql = format!(
            "SELECT {columns} FROM told WHERE done = FALSE AND (together, tell_at) IN (\
             SELECT together, tell_at FROM told WHERE done = FALSE AND tell_at <= $1 \
             GROUP BY together, tell_at ORDER BY tell_at, together LIMIT {limit}) ORDER BY id{lock}"
        );
        let select = statement(tx, &sql, [now.timestamp_millis().into()]);
        let (mut messages, mut taken) = (BTreeMap::<_, Vec<Telling>>::new(), Vec::new());
        for row in tx.query_all_raw(select).await? {
            let row = ToldRow::read(&row)?;
            taken.push(row.id.into());
            let message = (row.tell_at, row.together.clone());
            messages.entry(message).or_default().push(telling(row)?);
        }
        let sql = "UPDATE told SET done = TRUE WHERE id";
        kit::rows::execute_in(tx, sql, &[], taken).await?;
        Ok(messages.into_values().filter_map(Told::together).collect())
    }

    /// Tells nobody of these alerts what was still to wait for others: their new owners are told in place
    /// of it.
    pub(super) async fn drop_waiting(
        tx: &Tx,
        alerts: Vec<Value>,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let sql = "DELETE FROM told \
                   WHERE done = FALSE AND tell_at > $1 AND together NOT LIKE $2 AND alert";
        let first = [now.timestamp_millis().into(), format!("{BESIDES}%").into()];
        kit::rows::execute_in(tx, sql, &first, alerts).await
    }

    /// Forgets what was told long ago, `limit` rows at most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_told(&self, now: DateTime<Utc>, limit: u64) -> Result<(), DbErr> {
        let until = (now - KEPT).timestamp_millis();
        let sql = "SELECT 1 FROM told WHERE done = TRUE AND tell_at < $1 \
                   ORDER BY tell_at LIMIT 1";
        let db = self.db.read();
        let old = statement(db, sql, [until.into()]);
        if db.query_one_raw(old).await?.is_none() {
            return Ok(());
        }
        let tx = self.db.begin().await?;
        let sql = format!(
            "DELETE FROM told WHERE id IN (SELECT id FROM told WHERE done = TRUE AND tell_at < $1 \
             LIMIT {limit})"
        );
        tx.execute_raw(statement(&tx, &sql, [until.into()])).await?;
        tx.commit().await
    }
}

/// Until when groups wait that wait already.
async fn waiting_until(
    tx: &Tx,
    groups: Vec<String>,
    now: DateTime<Utc>,
) -> Result<HashMap<String, i64>, DbErr> {
    let mut times = HashMap::new();
    for part in groups.chunks(1000) {
        let sql = format!(
            "SELECT together, MAX(tell_at) FROM told WHERE done = FALSE AND tell_at > $1 \
             AND together IN ({}) GROUP BY together",
            kit::bulk::placeholders(2, part.len())
        );
        let now = Value::from(now.timestamp_millis());
        let groups = part.iter().map(|group| Value::from(&**group));
        let values: Vec<Value> = std::iter::once(now).chain(groups).collect();
        for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
            times.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        }
    }
    Ok(times)
}

fn telling_row(telling: Telling, together: String, tell_at: i64) -> ToldRow {
    let Telling {
        id,
        alert,
        basis,
        kind,
        party,
        severity,
        title,
        title_en,
        template,
        figures,
        wait: _,
        besides: _,
        due,
    } = telling;
    let Figures {
        people,
        amount,
        total,
        word,
    } = figures;
    ToldRow {
        id,
        alert,
        basis,
        kind: kind as i16,
        party: party.name(),
        severity: severity as i16,
        title,
        title_en,
        template,
        people,
        amount,
        total,
        word: word as i16,
        together,
        due_at: due.timestamp_millis(),
        tell_at,
        done: false,
    }
}

fn telling(row: ToldRow) -> Result<Telling, DbErr> {
    Ok(Telling {
        id: row.id,
        alert: row.alert,
        basis: row.basis,
        kind: kind(row.kind)?,
        party: Party::parse(&row.party).ok_or_else(|| unreadable("party"))?,
        severity: severity(row.severity)?,
        title: row.title,
        title_en: row.title_en,
        template: row.template,
        figures: Figures {
            people: row.people,
            amount: row.amount,
            total: row.total,
            word: word(row.word)?,
        },
        wait: None,
        besides: row.together.starts_with(BESIDES),
        due: instant(row.due_at)?,
    })
}
