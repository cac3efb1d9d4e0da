//! What a service wrote, and how fast the machine commits the same without it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use sqlx::AssertSqlSafe;

use super::floor::Floor;
use super::harness::Latencies;

/// The bytes that a bare row repeats.
const FILLING: u8 = 0x5a;

/// Rows of tables and the bytes in them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    pub(super) rows: i64,
    pub(super) bytes: i64,
}

impl Written {
    /// What stands in a table of a service.
    pub(super) async fn of(floor: &Floor, table: &'static str) -> anyhow::Result<Self> {
        let (rows, bytes) = match floor {
            Floor::Sqlite(pool) => {
                let sql = format!("SELECT name FROM pragma_table_info('{table}')");
                let columns: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
                    .fetch_all(pool)
                    .await?;
                let lengths = columns
                    .iter()
                    .map(|column| format!("COALESCE(LENGTH(CAST({column} AS BLOB)), 0)"));
                let lengths = lengths.collect::<Vec<_>>().join(" + ");
                let sql = format!("SELECT COUNT(*), COALESCE(SUM({lengths}), 0) FROM {table}");
                sqlx::query_as(AssertSqlSafe(sql)).fetch_one(pool).await?
            }
            Floor::Postgres(pool) => {
                let sql = format!(
                    "SELECT COUNT(*), COALESCE(SUM(pg_column_size(t.*)), 0)::bigint FROM {table} AS t"
                );
                sqlx::query_as(AssertSqlSafe(sql)).fetch_one(pool).await?
            }
        };
        Ok(Self { rows, bytes })
    }

    /// The same written so many times.
    pub(super) fn times(self, count: i64) -> Self {
        Self {
            rows: self.rows * count,
            bytes: self.bytes * count,
        }
    }

    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            bytes: self.bytes + other.bytes,
        }
    }

    /// How fast `clients` at once commit as much in each of `acts` transactions of one statement, for
    /// `span`: as many rows, of the same size, in a table with a primary key and nothing else.
    pub(super) async fn bare(
        self,
        floor: &Floor,
        acts: usize,
        (clients, span): (usize, Duration),
    ) -> anyhow::Result<Latencies> {
        let acts = i64::try_from(acts)?.max(1);
        let rows = usize::try_from(self.rows.max(acts) / acts)?;
        let size = usize::try_from(self.bytes / self.rows.max(1))?;
        let (drop, create) = match floor {
            Floor::Sqlite(_) => (
                "DROP TABLE IF EXISTS floor_writes",
                "CREATE TABLE floor_writes (id INTEGER PRIMARY KEY, content BLOB NOT NULL)",
            ),
            Floor::Postgres(_) => (
                "DROP TABLE IF EXISTS floor_writes",
                "CREATE TABLE floor_writes (id bigint PRIMARY KEY, content bytea NOT NULL)",
            ),
        };
        floor.run(drop).await?;
        floor.run(create).await?;
        floor.settle().await?;
        let committed = commits(floor, (rows, size), (clients, span)).await?;
        floor.run(drop).await?;
        Ok(committed)
    }
}

async fn commits(
    floor: &Floor,
    (rows, size): (usize, usize),
    (clients, span): (usize, Duration),
) -> anyhow::Result<Latencies> {
    let places = (0..rows).map(|row| format!("(${}, ${})", 2 * row + 1, 2 * row + 2));
    let places = places.collect::<Vec<_>>().join(", ");
    let sql: Arc<str> = format!("INSERT INTO floor_writes VALUES {places}").into();
    let (next, step) = (Arc::new(AtomicI64::new(0)), i64::try_from(rows)?);
    let begun = Instant::now();
    let tasks = (0..clients).map(|_| {
        let (floor, next, sql) = (floor.clone(), next.clone(), sql.clone());
        tokio::spawn(async move {
            let mut taken = Vec::new();
            while begun.elapsed() < span {
                let first = next.fetch_add(step, Ordering::Relaxed);
                let one = Instant::now();
                let sql = AssertSqlSafe(sql.to_string());
                match &floor {
                    Floor::Sqlite(pool) => {
                        let mut query = sqlx::query(sql);
                        for row in first..first + step {
                            query = query.bind(row).bind(vec![FILLING; size]);
                        }
                        query.execute(pool).await.map(drop)?;
                    }
                    Floor::Postgres(pool) => {
                        let mut query = sqlx::query(sql);
                        for row in first..first + step {
                            query = query.bind(row).bind(vec![FILLING; size]);
                        }
                        query.execute(pool).await.map(drop)?;
                    }
                }
                taken.push(one.elapsed());
            }
            Ok::<_, sqlx::Error>(taken)
        })
    });
    let mut all = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        all.extend(task.await??);
    }
    Ok(Latencies::new(all, begun.elapsed()))
}
