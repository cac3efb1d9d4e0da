//! Approvals of access to data of minors: their steps and uses, which are only added.

use std::collections::BTreeMap;

use kit::db::{Tx, statement};
use kit::org::OrgPath;
use kit::rows::Lock;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::{locked, unreadable, within};
use crate::domain::access::{Approval, Event, MinorData};

const COLUMNS: &str = "id, organization, org_path, use_count";
/// How many approvals of one person are looked through for one that covers.
const STANDING: u64 = 200;

/// An approval with its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The id of the approval.
    pub id: String,
    /// The code of the organisation whose minors it is about.
    pub organization: String,
    /// The place of that organisation.
    pub org_path: String,
    /// How often it was used.
    pub use_count: i32,
    /// What its steps made of it.
    pub approval: Approval,
}

impl Stored {
    /// The resource name of the approval.
    pub fn name(&self) -> String {
        name(&self.organization, &self.id)
    }
}

/// The resource name of the approval `id` at an organisation.
pub fn name(organization: &str, id: &str) -> String {
    format!("organizations/{organization}/accessApprovals/{id}")
}

/// One use of an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Counts from 1.
    pub number: i32,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// The method that showed the data.
    pub method: String,
    /// The code of the organisation whose data it was.
    pub organization: String,
    /// Of whom; none for all there.
    pub person: Option<Uuid>,
    /// What was shown.
    pub data: MinorData,
}

/// One approval.
///
/// # Errors
/// When the database fails.
pub async fn get(db: &impl ConnectionTrait, id: &str, lock: Lock) -> Result<Option<Stored>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM access_approvals WHERE id = $1{}",
        locked(db, lock)
    );
    let rows = db.query_all_raw(statement(db, &sql, [id.into()])).await?;
    Ok(replayed(db, rows).await?.pop())
}

/// At most `limit` approvals at and below `place` before the one called `before`, the latest first; from
/// the latest on when it is empty; of one `requester` when it is given.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    place: &OrgPath,
    requester: Option<&str>,
    before: &str,
    limit: u64,
) -> Result<Vec<Stored>, DbErr> {
    let (inside, scope) = within("org_path", 4, place);
    let sql = format!(
        "SELECT {COLUMNS} FROM access_approvals WHERE ($1 = '' OR id < $1) \
         AND ($2 = '' OR requester = $2) AND {inside} ORDER BY id DESC LIMIT $3"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values: Vec<Value> = [
        before.into(),
        requester.unwrap_or_default().into(),
        limit.into(),
    ]
    .into_iter()
    .chain(scope)
    .collect();
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    replayed(db, rows).await
}

/// The approvals of `requester` that can be used at `now`, locked; those that end first come first.
///
/// # Errors
/// When the database fails.
pub async fn standing(tx: &Tx, requester: &str, now: i64) -> Result<Vec<Stored>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM access_approvals \
         WHERE requester = $1 AND stands = 1 AND end_time > $2 \
         ORDER BY end_time, id LIMIT {STANDING}{}",
        locked(tx, Lock::Yes)
    );
    let rows = tx
        .query_all_raw(statement(tx, &sql, [requester.into(), now.into()]))
        .await?;
    replayed(tx, rows).await
}

/// The approvals of these rows, in their order.
async fn replayed(db: &impl ConnectionTrait, rows: Vec<QueryResult>) -> Result<Vec<Stored>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut heads: Vec<(String, String, String, i32)> = Vec::new();
    for row in &rows {
        heads.push((
            row.try_get_by_index(0)?,
            row.try_get_by_index(1)?,
            row.try_get_by_index(2)?,
            row.try_get_by_index(3)?,
        ));
    }
    let marks: Vec<String> = (1..=heads.len()).map(|mark| format!("${mark}")).collect();
    let sql = format!(
        "SELECT approval, body FROM access_events WHERE approval IN ({}) ORDER BY approval, number",
        marks.join(", ")
    );
    let values = heads.iter().map(|(id, ..)| Value::from(id.as_str()));
    let mut histories: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for row in &db.query_all_raw(statement(db, &sql, values)).await? {
        let body: String = row.try_get_by_index(1)?;
        let event = serde_json::from_str(&body).map_err(|_| unreadable("a step of an approval"))?;
        let of: String = row.try_get_by_index(0)?;
        histories.entry(of).or_default().push(event);
    }
    let approvals = heads
        .into_iter()
        .map(|(id, organization, org_path, use_count)| {
            let history = histories.remove(&id).unwrap_or_default();
            let approval = Approval::replay(history);
            let approval = approval.ok_or_else(|| unreadable("the history of an approval"))?;
            Ok(Stored {
                id,
                organization,
                org_path,
                use_count,
                approval,
            })
        });
    approvals.collect()
}

/// Adds an approval that somebody asks for.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &Tx, stored: &Stored) -> Result<(), DbErr> {
    let Stored {
        id,
        organization,
        org_path,
        use_count,
        approval,
    } = stored;
    let insert = statement(
        tx,
        "INSERT INTO access_approvals \
         (id, organization, org_path, requester, end_time, stands, use_count) \
         VALUES ($1, $2, $3, $4, $5, 0, $6)",
        [
            id.as_str().into(),
            organization.as_str().into(),
            org_path.as_str().into(),
            approval.requester().into(),
            approval.terms().end.into(),
            (*use_count).into(),
        ],
    );
    tx.execute_raw(insert).await?;
    event(tx, stored).await
}

/// Adds the last step of an approval that was locked.
///
/// # Errors
/// When the database fails.
pub async fn save(tx: &Tx, stored: &Stored) -> Result<(), DbErr> {
    let approval = &stored.approval;
    let update = statement(
        tx,
        "UPDATE access_approvals SET stands = $1, end_time = $2 WHERE id = $3",
        [
            i16::from(approval.stands()).into(),
            approval.terms().end.into(),
            stored.id.as_str().into(),
        ],
    );
    tx.execute_raw(update).await?;
    event(tx, stored).await
}

async fn event(tx: &Tx, stored: &Stored) -> Result<(), DbErr> {
    let events = stored.approval.events();
    let body = serde_json::to_string(&events.last());
    let body = body.map_err(|_| unreadable("a step of an approval"))?;
    let insert = statement(
        tx,
        "INSERT INTO access_events (approval, number, body) VALUES ($1, $2, $3)",
        [
            stored.id.as_str().into(),
            i32::try_from(events.len()).unwrap_or(i32::MAX).into(),
            body.into(),
        ],
    );
    tx.execute_raw(insert).await?;
    Ok(())
}

/// Adds a use of an approval that was locked.
///
/// # Errors
/// When the database fails.
pub async fn record(tx: &Tx, approval: &str, used: &Use) -> Result<(), DbErr> {
    let Use {
        number,
        time,
        method,
        organization,
        person,
        data,
    } = used;
    let insert = statement(
        tx,
        "INSERT INTO access_uses \
         (approval, number, use_time, method, organization, person, data) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            approval.into(),
            (*number).into(),
            (*time).into(),
            method.as_str().into(),
            organization.as_str().into(),
            (*person).into(),
            data.code().into(),
        ],
    );
    tx.execute_raw(insert).await?;
    let update = statement(
        tx,
        "UPDATE access_approvals SET use_count = $1 WHERE id = $2",
        [(*number).into(), approval.into()],
    );
    tx.execute_raw(update).await?;
    Ok(())
}

/// At most `limit` uses of an approval after the one numbered `after`.
///
/// # Errors
/// When the database fails.
pub async fn uses(
    db: &impl ConnectionTrait,
    approval: &str,
    after: i32,
    limit: u64,
) -> Result<Vec<Use>, DbErr> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let select = statement(
        db,
        "SELECT number, use_time, method, organization, person, data FROM access_uses \
         WHERE approval = $1 AND number > $2 ORDER BY number LIMIT $3",
        [approval.into(), after.into(), limit.into()],
    );
    let rows = db.query_all_raw(select).await?;
    let uses = rows.iter().map(|row| {
        let data = MinorData::from_code(row.try_get_by_index(5)?);
        Ok(Use {
            number: row.try_get_by_index(0)?,
            time: row.try_get_by_index(1)?,
            method: row.try_get_by_index(2)?,
            organization: row.try_get_by_index(3)?,
            person: row.try_get_by_index(4)?,
            data: data.ok_or_else(|| unreadable("what was shown"))?,
        })
    });
    uses.collect()
}
