//! What the machine and its database can do at best, measured beside the product.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use kit::db::DatabaseConfig;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Executor};

use super::harness::Latencies;

/// How many rows one multi-row statement carries on SQLite.
const CHUNK: usize = 500;
/// How many bytes one message of a COPY carries.
const COPY_MESSAGE: usize = 64 << 10;

/// A database for floors only.
#[derive(Clone, Debug)]
pub(super) enum Floor {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Floor {
    pub(super) async fn open(config: &DatabaseConfig) -> anyhow::Result<Self> {
        if config.url.starts_with("sqlite:") {
            let options: SqliteConnectOptions = config.url.parse()?;
            let options = options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .pragma("cache_size", "-65536");
            let pool = SqlitePoolOptions::new()
                .max_connections(1)
                .connect_with(options)
                .await?;
            Ok(Self::Sqlite(pool))
        } else {
            let pool = PgPoolOptions::new()
                .max_connections(64)
                .connect(&config.url)
                .await?;
            Ok(Self::Postgres(pool))
        }
    }

    pub(super) async fn run(&self, sql: &'static str) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(pool) => pool.execute(sql).await.map(drop),
            Self::Postgres(pool) => pool.execute(sql).await.map(drop),
        }
        .with_context(|| sql)
    }

    /// The time to make `rows` person-like rows durable in a table with two indexes: COPY on
    /// PostgreSQL, statements of many rows in one transaction on SQLite.
    pub(super) async fn people(&self, rows: usize) -> anyhow::Result<Duration> {
        self.run("DROP TABLE IF EXISTS floor_people").await?;
        match self {
            Self::Sqlite(_) => {
                self.run(
                    "CREATE TABLE floor_people (id BLOB PRIMARY KEY, class_group BLOB NOT NULL,
                     name TEXT NOT NULL, id_cipher BLOB NOT NULL, id_hash BLOB NOT NULL,
                     phone_cipher BLOB NOT NULL, state INTEGER NOT NULL)",
                )
                .await?;
            }
            Self::Postgres(_) => {
                self.run(
                    "CREATE TABLE floor_people (id uuid PRIMARY KEY, class_group uuid NOT NULL,
                     name text NOT NULL, id_cipher bytea NOT NULL, id_hash bytea NOT NULL,
                     phone_cipher bytea NOT NULL, state int NOT NULL)",
                )
                .await?;
            }
        }
        self.run("CREATE INDEX floor_people_class ON floor_people (class_group)")
            .await?;
        self.settle().await?;
        let begun = Instant::now();
        match self {
            Self::Sqlite(pool) => {
                let mut tx = pool.begin().await?;
                let sql = values("INSERT INTO floor_people VALUES ", 7, CHUNK);
                for chunk in 0..rows.div_ceil(CHUNK) {
                    let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
                    for row in chunk * CHUNK..(chunk + 1) * CHUNK {
                        let person = Person::new(row);
                        query = query
                            .bind(person.id.to_vec())
                            .bind(person.class.to_vec())
                            .bind(person.name)
                            .bind(vec![person.id[3]; 46])
                            .bind(person.hash.to_vec())
                            .bind(vec![person.id[5]; 39])
                            .bind(1_i32);
                    }
                    query.execute(&mut *tx).await?;
                }
                tx.commit().await?;
            }
            Self::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                let mut copy = connection
                    .copy_in_raw("COPY floor_people FROM STDIN")
                    .await?;
                let mut buffer = String::with_capacity(COPY_MESSAGE + 1024);
                for row in 0..rows {
                    Person::new(row).copy_line(&mut buffer);
                    if buffer.len() >= COPY_MESSAGE {
                        copy.send(buffer.as_bytes()).await?;
                        buffer.clear();
                    }
                }
                copy.send(buffer.as_bytes()).await?;
                copy.finish().await?;
            }
        }
        let taken = begun.elapsed();
        self.run("DROP TABLE floor_people").await?;
        Ok(taken)
    }

    /// The time to make `rows` bare assignments durable: day, class group, person and state, with
    /// a primary key. The best of COPY and UNNEST on PostgreSQL, of many-row statements on SQLite.
    pub(super) async fn assignments(&self, rows: usize) -> anyhow::Result<Duration> {
        match self {
            Self::Sqlite(pool) => {
                self.bare_table(
                    "CREATE TABLE floor_assignments (day INTEGER, class_group BLOB, person BLOB,
                     state INTEGER, PRIMARY KEY (day, person)) WITHOUT ROWID",
                )
                .await?;
                let begun = Instant::now();
                let mut tx = pool.begin().await?;
                let sql = values("INSERT INTO floor_assignments VALUES ", 4, CHUNK);
                for chunk in 0..rows.div_ceil(CHUNK) {
                    let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
                    for row in chunk * CHUNK..(chunk + 1) * CHUNK {
                        let person = Person::ordered(row);
                        query = query
                            .bind(8131_i32)
                            .bind(person.class.to_vec())
                            .bind(person.id.to_vec())
                            .bind(1_i32);
                    }
                    query.execute(&mut *tx).await?;
                }
                tx.commit().await?;
                Ok(begun.elapsed())
            }
            Self::Postgres(pool) => {
                let table =
                    "CREATE TABLE floor_assignments (day int, class_group uuid, person uuid,
                     state int, PRIMARY KEY (day, person))";
                self.bare_table(table).await?;
                let begun = Instant::now();
                let mut connection = pool.acquire().await?;
                let mut copy = connection
                    .copy_in_raw("COPY floor_assignments FROM STDIN")
                    .await?;
                let mut buffer = String::with_capacity(COPY_MESSAGE + 1024);
                for row in 0..rows {
                    Person::ordered(row).assignment_line(&mut buffer);
                    if buffer.len() >= COPY_MESSAGE {
                        copy.send(buffer.as_bytes()).await?;
                        buffer.clear();
                    }
                }
                copy.send(buffer.as_bytes()).await?;
                copy.finish().await?;
                let copied = begun.elapsed();
                drop(connection);
                self.bare_table(table).await?;
                let people: Vec<Person> = (0..rows).map(Person::ordered).collect();
                let ids = |of: fn(&Person) -> [u8; 16]| -> Vec<uuid::Uuid> {
                    people
                        .iter()
                        .map(|person| uuid::Uuid::from_bytes(of(person)))
                        .collect()
                };
                let (classes, ids) = (ids(|person| person.class), ids(|person| person.id));
                let begun = Instant::now();
                sqlx::query(
                    "INSERT INTO floor_assignments
                     SELECT 8131, c, p, 1 FROM UNNEST($1::uuid[], $2::uuid[]) AS t (c, p)",
                )
                .bind(classes)
                .bind(ids)
                .execute(pool)
                .await?;
                Ok(copied.min(begun.elapsed()))
            }
        }
    }

    /// A roll of class groups of these sizes, for [`Floor::random_draw`].
    pub(super) async fn roll(&self, sizes: &[usize]) -> anyhow::Result<()> {
        self.run("DROP TABLE IF EXISTS floor_roll").await?;
        match self {
            Self::Sqlite(pool) => {
                self.run("CREATE TABLE floor_roll (class_group INTEGER, person BLOB)")
                    .await?;
                let mut tx = pool.begin().await?;
                for (class, size) in sizes.iter().enumerate() {
                    let sql = values("INSERT INTO floor_roll VALUES ", 2, *size);
                    let mut query = sqlx::query(AssertSqlSafe(sql));
                    for row in 0..*size {
                        let person = Person::new(class * 100 + row).id.to_vec();
                        query = query.bind(class as i64).bind(person);
                    }
                    query.execute(&mut *tx).await?;
                }
                tx.commit().await?;
            }
            Self::Postgres(pool) => {
                self.run("CREATE TABLE floor_roll (class_group int, person uuid)")
                    .await?;
                let (mut classes, mut people) = (Vec::new(), Vec::new());
                for (class, size) in sizes.iter().enumerate() {
                    for row in 0..*size {
                        classes.push(class as i32);
                        people.push(uuid::Uuid::from_bytes(Person::new(class * 100 + row).id));
                    }
                }
                let sql = "INSERT INTO floor_roll SELECT * FROM UNNEST($1::int[], $2::uuid[])";
                sqlx::query(sql)
                    .bind(classes)
                    .bind(people)
                    .execute(pool)
                    .await?;
                self.run("ANALYZE floor_roll").await?;
            }
        }
        Ok(())
    }

    /// The time of the one SQL statement that people write for a daily fifth by chance: durable,
    /// but neither fair over days nor verifiable.
    pub(super) async fn random_draw(&self) -> anyhow::Result<Duration> {
        self.run("DROP TABLE IF EXISTS floor_drawn").await?;
        self.run(match self {
            Self::Sqlite(_) => {
                "CREATE TABLE floor_drawn (class_group INTEGER, person BLOB PRIMARY KEY)"
            }
            Self::Postgres(_) => {
                "CREATE TABLE floor_drawn (class_group int, person uuid PRIMARY KEY)"
            }
        })
        .await?;
        self.settle().await?;
        let begun = Instant::now();
        self.run(
            "INSERT INTO floor_drawn SELECT class_group, person FROM (
                 SELECT class_group, person,
                        row_number() OVER (PARTITION BY class_group ORDER BY random()) AS place,
                        count(*) OVER (PARTITION BY class_group) AS size
                 FROM floor_roll) AS ranked
             WHERE place <= (size + 4) / 5",
        )
        .await?;
        Ok(begun.elapsed())
    }

    async fn bare_table(&self, sql: &'static str) -> anyhow::Result<()> {
        self.run("DROP TABLE IF EXISTS floor_assignments").await?;
        self.run(sql).await?;
        self.settle().await
    }

    /// Commits of one row each, by `clients` at once, for `span`.
    pub(super) async fn commits(
        &self,
        clients: usize,
        span: Duration,
    ) -> anyhow::Result<Latencies> {
        self.run("DROP TABLE IF EXISTS floor_commits").await?;
        match self {
            Self::Sqlite(_) => {
                let sql =
                    "CREATE TABLE floor_commits (id INTEGER PRIMARY KEY, tube TEXT, person BLOB)";
                self.run(sql).await?;
            }
            Self::Postgres(_) => {
                let sql =
                    "CREATE TABLE floor_commits (id bigint PRIMARY KEY, tube text, person uuid)";
                self.run(sql).await?;
            }
        }
        self.settle().await?;
        let next = Arc::new(AtomicU64::new(0));
        let begun = Instant::now();
        let tasks = (0..clients).map(|_| {
            let (floor, next) = (self.clone(), next.clone());
            tokio::spawn(async move {
                let mut taken = Vec::new();
                while begun.elapsed() < span {
                    let row = next.fetch_add(1, Ordering::Relaxed) as i64;
                    let person = Person::new(row as usize).id;
                    let one = Instant::now();
                    let sql = "INSERT INTO floor_commits VALUES ($1, $2, $3)";
                    match &floor {
                        Self::Sqlite(pool) => {
                            let query = sqlx::query(sql).bind(row).bind("T0001");
                            query.bind(person.to_vec()).execute(pool).await.map(drop)?;
                        }
                        Self::Postgres(pool) => {
                            let query = sqlx::query(sql).bind(row).bind("T0001");
                            let person = uuid::Uuid::from_bytes(person);
                            query.bind(person).execute(pool).await.map(drop)?;
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
        let wall = begun.elapsed();
        self.run("DROP TABLE floor_commits").await?;
        Ok(Latencies::new(all, wall))
    }

    /// Writes out what is still in memory, so that one measurement does not pay for another.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        self.run(match self {
            Self::Sqlite(_) => "PRAGMA wal_checkpoint(TRUNCATE)",
            Self::Postgres(_) => "CHECKPOINT",
        })
        .await
    }
}

/// A row that looks like a person: identifiers in no order, names of three characters.
struct Person {
    id: [u8; 16],
    class: [u8; 16],
    hash: [u8; 32],
    name: &'static str,
}

impl Person {
    fn new(row: usize) -> Self {
        let mut id = [0; 16];
        let mixed = mix(row as u64);
        id[..8].copy_from_slice(&mixed.to_be_bytes());
        id[8..].copy_from_slice(&mix(mixed).to_be_bytes());
        let mut hash = [0; 32];
        hash[..16].copy_from_slice(&id);
        Self {
            id,
            class: class_of(row),
            hash,
            name: "林思远",
        }
    }

    /// The same with identifiers ascending, as a bulk writer that sorts would send them.
    fn ordered(row: usize) -> Self {
        let mut person = Self::new(row);
        person.id[..8].copy_from_slice(&(row as u64).to_be_bytes());
        person
    }

    fn copy_line(&self, buffer: &mut String) {
        let Self {
            id,
            class,
            hash,
            name,
        } = self;
        for (bytes, escape) in [(&id[..], ""), (&class[..], "")] {
            push_hex(buffer, escape, bytes);
            buffer.push('\t');
        }
        buffer.push_str(name);
        for bytes in [&[id[3]; 46][..], &hash[..], &[id[5]; 39][..]] {
            buffer.push('\t');
            push_hex(buffer, "\\\\x", bytes);
        }
        buffer.push_str("\t1\n");
    }

    fn assignment_line(&self, buffer: &mut String) {
        buffer.push_str("8131\t");
        push_hex(buffer, "", &self.class);
        buffer.push('\t');
        push_hex(buffer, "", &self.id);
        buffer.push_str("\t1\n");
    }
}

fn class_of(row: usize) -> [u8; 16] {
    let mut class = [0; 16];
    class[..8].copy_from_slice(&mix(row as u64 / 40).to_be_bytes());
    class
}

/// SplitMix64: spreads counters over all values.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn push_hex(buffer: &mut String, prefix: &str, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    buffer.push_str(prefix);
    for byte in bytes {
        buffer.push(char::from(DIGITS[usize::from(byte >> 4)]));
        buffer.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// `head (?, ?), (?, ?)…`
fn values(head: &str, columns: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    format!("{head}{}", vec![row; rows].join(", "))
}
