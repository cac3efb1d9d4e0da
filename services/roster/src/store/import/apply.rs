//! A plan into the register, and back out of it: statements over whole tables, the same for every
//! kind.

use kit::db::{Backend, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};

use super::compare::Comparison;
use super::jobs::Job;
use super::shape::Shape;

impl Shape {
    /// Keeps the rows that are about to change, then changes them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change(&self, tx: &Tx, job: &Job, refused: bool, day: i32) -> Result<(), DbErr> {
        let Self {
            table,
            staged,
            replaced,
            key,
            copied,
            on_change,
            ..
        } = self;
        let taken = Self::taken(refused);
        let differs = "(t.content_hash IS NULL OR t.content_hash <> s.content_hash)";
        let keep = format!(
            "INSERT INTO {replaced} SELECT $1, t.* FROM {table} t \
             JOIN {staged} s ON s.{key} = t.{key} WHERE {taken} AND {differs}"
        );
        tx.execute_raw(statement(tx, &keep, [job.number.into()]))
            .await?;
        let mut sets: Vec<String> = copied
            .iter()
            .map(|column| format!("{column} = s.{column}"))
            .collect();
        sets.extend(
            on_change
                .iter()
                .map(|(column, value)| format!("{column} = {value}")),
        );
        if self.owned {
            sets.push("raw_hash = s.raw_hash".to_owned());
        }
        let update = format!(
            "UPDATE {table} AS t SET {}, source = $2, batch = $1, version = t.version + 1, \
             update_time = $3, content_hash = s.content_hash FROM {staged} AS s \
             WHERE s.{key} = t.{key} AND {taken} AND {differs} AND $4 > 0",
            sets.join(", ")
        );
        let values = [
            job.number.into(),
            job.source.as_str().into(),
            job.update_time.into(),
            day.into(),
        ];
        tx.execute_raw(statement(tx, &update, values)).await?;
        Ok(())
    }

    /// Adds the rows that are not in the register. A first import builds the indexes afterwards.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create(
        &self,
        tx: &Tx,
        job: &Job,
        refused: bool,
        comparison: Comparison,
        day: i32,
    ) -> Result<(), DbErr> {
        let Self {
            table,
            staged,
            key,
            copied,
            fixed,
            on_create,
            ..
        } = self;
        let created = comparison.staged - comparison.present;
        let rebuild = !self.indexes.is_empty() && created > 20_000 && {
            let count = statement(tx, &format!("SELECT count(*) FROM {table}"), []);
            let row = tx.query_one_raw(count).await?;
            let stored: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
            stored < created / 4
        };
        if rebuild {
            for (index, _) in self.indexes {
                tx.execute_unprepared(&format!("DROP INDEX {index}"))
                    .await?;
            }
        }
        let shared: Vec<&str> = std::iter::once(*key)
            .chain(copied.iter().copied())
            .chain(fixed.iter().copied())
            .collect();
        let raw = if self.owned { ", raw_hash" } else { "" };
        let raw_value = if self.owned { ", s.raw_hash" } else { "" };
        let more: String = on_create
            .iter()
            .map(|(column, _)| format!(", {column}"))
            .collect();
        let values: String = on_create
            .iter()
            .map(|(_, value)| format!(", {value}"))
            .collect();
        let absent = if comparison.present == 0 {
            String::new()
        } else {
            format!("AND NOT EXISTS (SELECT 1 FROM {table} t WHERE t.{key} = s.{key})")
        };
        let insert = format!(
            "INSERT INTO {table} ({}, source, batch, version, update_time, content_hash{raw}{more}) \
             SELECT {}, $2, $1, 1, $3, s.content_hash{raw_value}{values} FROM {staged} s \
             WHERE {} {absent} AND $4 > 0",
            shared.join(", "),
            shared
                .iter()
                .map(|column| format!("s.{column}"))
                .collect::<Vec<_>>()
                .join(", "),
            Self::taken(refused),
        );
        let bound = [
            job.number.into(),
            job.source.as_str().into(),
            job.update_time.into(),
            day.into(),
        ];
        tx.execute_raw(statement(tx, &insert, bound)).await?;
        if rebuild {
            if tx.backend() == Backend::Postgres {
                tx.execute_unprepared("SET LOCAL maintenance_work_mem = '256MB'")
                    .await?;
            }
            for (_, create) in self.indexes {
                tx.execute_unprepared(create).await?;
            }
        }
        Ok(())
    }

    /// Keeps the rows whose keys `select` finds for job `$1`, then lets them go.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn vanish(&self, tx: &Tx, job: &Job, select: &str, day: i32) -> Result<u64, DbErr> {
        let Self {
            table,
            replaced,
            key,
            on_vanish,
            ..
        } = self;
        // A row that this very job keeps already is kept once.
        let keep = format!(
            "INSERT INTO {replaced} SELECT $1, t.* FROM {table} t WHERE t.{key} IN ({select}) \
             AND (t.batch IS NULL OR t.batch <> $1)"
        );
        tx.execute_raw(statement(tx, &keep, [job.number.into()]))
            .await?;
        if on_vanish.is_empty() {
            let delete = format!("DELETE FROM {table} WHERE {key} IN ({select})");
            let gone = tx
                .execute_raw(statement(tx, &delete, [job.number.into()]))
                .await?;
            return Ok(gone.rows_affected());
        }
        let sets: String = on_vanish
            .iter()
            .map(|(column, value)| format!("{column} = {value}, "))
            .collect();
        let raw = if self.owned { "raw_hash = NULL, " } else { "" };
        let update = format!(
            "UPDATE {table} SET {sets}{raw}content_hash = NULL, batch = $1, \
             version = version + 1, update_time = $3 \
             WHERE {key} IN ({select}) AND $4 > 0 AND $2 >= 0"
        );
        let values = [
            job.number.into(),
            0_i64.into(),
            job.update_time.into(),
            day.into(),
        ];
        Ok(tx
            .execute_raw(statement(tx, &update, values))
            .await?
            .rows_affected())
    }

    /// How many rows still stand as the job wrote them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn written(&self, db: &impl ConnectionTrait, job: i64) -> Result<i64, DbErr> {
        let sql = format!("SELECT count(*) FROM {} WHERE batch = $1", self.table);
        let row = db.query_one_raw(statement(db, &sql, [job.into()])).await?;
        row.map_or(Ok(0), |row| row.try_get_by_index(0))
    }

    /// Removes what the job created and puts back what it replaced.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_back(&self, tx: &Tx, job: i64, now: i64) -> Result<(), DbErr> {
        let Self {
            table,
            replaced,
            key,
            ..
        } = self;
        let delete = format!(
            "DELETE FROM {table} AS t WHERE t.batch = $1 AND NOT EXISTS \
             (SELECT 1 FROM {replaced} r WHERE r.job = $1 AND r.{key} = t.{key})"
        );
        tx.execute_raw(statement(tx, &delete, [job.into()])).await?;
        let changed = self.changed_columns();
        let sets: String = changed
            .iter()
            .map(|column| format!("{column} = r.{column}, "))
            .collect();
        let restore = format!(
            "UPDATE {table} AS t SET {sets} version = t.version + 1, update_time = $2 \
             FROM {replaced} AS r WHERE r.job = $1 AND r.{key} = t.{key} AND t.batch = $1"
        );
        tx.execute_raw(statement(tx, &restore, [job.into(), now.into()]))
            .await?;
        if self.on_vanish.is_empty() {
            let columns = [&[*key, "version", "update_time"], changed.as_slice()].concat();
            let insert = format!(
                "INSERT INTO {table} ({}) SELECT {} FROM {replaced} r WHERE r.job = $1 \
                 AND NOT EXISTS (SELECT 1 FROM {table} t WHERE t.{key} = r.{key})",
                columns.join(", "),
                columns
                    .iter()
                    .map(|column| format!("r.{column}"))
                    .collect::<Vec<_>>()
                    .join(", "),
            );
            tx.execute_raw(statement(tx, &insert, [job.into()])).await?;
        }
        let forget = format!("DELETE FROM {replaced} WHERE job = $1");
        tx.execute_raw(statement(tx, &forget, [job.into()])).await?;
        Ok(())
    }
}
