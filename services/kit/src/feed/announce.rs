//! The writer's side: changes go into the transaction of their cause.

use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::db::{Backend, Tx, statement};
use crate::org::OrgPath;
use crate::telemetry::carried;

/// The present instant on SQLite, in milliseconds since 1970.
const NOW: &str = "unixepoch() * 1000";
/// How many changes one statement carries.
const ROWS: usize = 1000;

/// One change of one entity: its full state after it.
#[derive(Clone, Debug)]
pub struct Change {
    /// The name of the feed, such as `roster`.
    pub feed: &'static str,
    /// The kind of entity, such as `organization`.
    pub kind: &'static str,
    /// The resource name of the entity.
    pub entity: String,
    /// Grows with each change of this entity.
    pub version: i64,
    /// The entity is gone.
    pub removed: bool,
    /// Where the entity stands; decides who may read it.
    pub org_path: OrgPath,
    /// The encoded event message.
    pub payload: Vec<u8>,
    /// Whether a snapshot holds this entity while it is not removed.
    pub latest: bool,
}

/// Announces `changes` in their order. Lock or update an entity before its change is announced:
/// that is what keeps the order of one entity's changes.
///
/// # Errors
/// When the database fails.
pub async fn announce(tx: &Tx, changes: Vec<Change>) -> Result<(), DbErr> {
    if changes.is_empty() {
        return Ok(());
    }
    tx.mark_announced();
    let cause = carried::traceparent().unwrap_or_default();
    let mut rest = changes.into_iter().peekable();
    while rest.peek().is_some() {
        let part: Vec<Change> = rest.by_ref().take(ROWS).collect();
        match tx.backend() {
            Backend::Postgres => into_outbox(tx, part, &cause).await?,
            Backend::Sqlite => into_log(tx, part, &cause).await?,
        }
    }
    Ok(())
}

async fn into_outbox(tx: &Tx, changes: Vec<Change>, cause: &str) -> Result<(), DbErr> {
    let mut columns = Columns::default();
    for change in changes {
        columns.push(change);
    }
    let insert = statement(
        tx,
        "INSERT INTO outbox (feed, kind, entity, version, removed, latest, org_path, payload, cause) \
         SELECT one.*, $9::text FROM UNNEST($1::text[], $2::text[], $3::text[], $4::bigint[], \
         $5::bool[], $6::bool[], $7::text[], $8::bytea[]) AS one",
        columns.values(cause),
    );
    tx.execute_raw(insert).await?;
    Ok(())
}

/// Changes turned on their side, as UNNEST takes them.
#[derive(Default)]
struct Columns {
    feed: Vec<String>,
    kind: Vec<String>,
    entity: Vec<String>,
    version: Vec<i64>,
    removed: Vec<bool>,
    latest: Vec<bool>,
    org_path: Vec<String>,
    payload: Vec<Vec<u8>>,
}

impl Columns {
    fn push(&mut self, change: Change) {
        let Change {
            feed,
            kind,
            entity,
            version,
            removed,
            org_path,
            payload,
            latest,
        } = change;
        self.feed.push(feed.to_owned());
        self.kind.push(kind.to_owned());
        self.entity.push(entity);
        self.version.push(version);
        self.removed.push(removed);
        self.latest.push(latest);
        self.org_path.push(org_path.to_string());
        self.payload.push(payload);
    }

    fn values(self, cause: &str) -> [Value; 9] {
        [
            self.feed.into(),
            self.kind.into(),
            self.entity.into(),
            self.version.into(),
            self.removed.into(),
            self.latest.into(),
            self.org_path.into(),
            self.payload.into(),
            cause.into(),
        ]
    }
}

async fn into_log(tx: &Tx, changes: Vec<Change>, cause: &str) -> Result<(), DbErr> {
    for run in changes.chunk_by(|one, other| one.feed == other.feed) {
        let feed = run[0].feed;
        let last = advance_head(tx, feed, run.len()).await?;
        let mut seq = last - i64::try_from(run.len()).unwrap_or_default();
        let mut rows = Vec::with_capacity(run.len());
        let mut values: Vec<Value> = Vec::with_capacity(run.len() * 9);
        for change in run {
            seq += 1;
            let first = values.len();
            let marks: Vec<String> = (1..=9).map(|mark| format!("${}", first + mark)).collect();
            rows.push(format!("({}, {NOW}, {NOW})", marks.join(", ")));
            values.extend([
                feed.into(),
                seq.into(),
                change.kind.into(),
                change.entity.clone().into(),
                change.version.into(),
                change.removed.into(),
                change.org_path.as_str().into(),
                change.payload.clone().into(),
                cause.into(),
            ]);
        }
        let sql = format!(
            "INSERT INTO feed_log (feed, seq, kind, entity, version, removed, org_path, payload, \
             cause, appended_at, announced_at) VALUES {}",
            rows.join(", ")
        );
        tx.execute_raw(statement(tx, &sql, values)).await?;
        for change in run.iter().filter(|change| change.latest) {
            keep_latest(tx, change).await?;
        }
    }
    Ok(())
}

async fn advance_head(tx: &Tx, feed: &str, by: usize) -> Result<i64, DbErr> {
    let by = i64::try_from(by).unwrap_or_default();
    let upsert = statement(
        tx,
        "INSERT INTO feed_head (feed, epoch, seq) VALUES ($1, $2, $3) \
         ON CONFLICT (feed) DO UPDATE SET seq = feed_head.seq + excluded.seq RETURNING seq",
        [
            feed.into(),
            uuid::Uuid::new_v4().to_string().into(),
            by.into(),
        ],
    );
    let row = tx.query_one_raw(upsert).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("feed_head".to_owned()))?
        .try_get_by_index(0)
}

async fn keep_latest(tx: &Tx, change: &Change) -> Result<(), DbErr> {
    let statement = if change.removed {
        statement(
            tx,
            "DELETE FROM feed_latest WHERE feed = $1 AND kind = $2 AND entity = $3",
            [
                change.feed.into(),
                change.kind.into(),
                change.entity.clone().into(),
            ],
        )
    } else {
        statement(
            tx,
            "INSERT INTO feed_latest (feed, kind, entity, version, org_path, payload) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (feed, kind, entity) DO UPDATE SET \
             version = excluded.version, org_path = excluded.org_path, payload = excluded.payload",
            [
                change.feed.into(),
                change.kind.into(),
                change.entity.clone().into(),
                change.version.into(),
                change.org_path.as_str().into(),
                change.payload.clone().into(),
            ],
        )
    };
    tx.execute_raw(statement).await?;
    Ok(())
}
