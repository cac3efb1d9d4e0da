//! Responsibility nodes.

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::unreadable;
use crate::domain::responsibility::{Node, Place, Subject};

pub(super) const COLUMNS: &str = "n.id, n.organization, n.subject, n.place, n.staff_member, n.duties, \
    n.start_time, n.end_time";

/// Which nodes of one organisation a list holds.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The code of the organisation.
    pub organization: String,
    /// Only those in force at this instant; none for all.
    pub at: Option<i64>,
    /// After this subject, place and start.
    pub after: (i16, String, i64),
    /// At most so many.
    pub limit: u64,
}

pub(super) fn read(row: &QueryResult) -> Result<Node, DbErr> {
    let subject = Subject::from_code(row.try_get_by_index(2)?);
    let place = row.try_get_by_index::<String>(3)?.parse::<Place>();
    Ok(Node {
        id: row.try_get_by_index(0)?,
        organization: row.try_get_by_index(1)?,
        subject: subject.ok_or_else(|| unreadable("a subject"))?,
        place: place.map_err(|_| unreadable("a place"))?,
        staff_member: row.try_get_by_index(4)?,
        duties: row.try_get_by_index(5)?,
        start: row.try_get_by_index(6)?,
        end: row.try_get_by_index(7)?,
    })
}

/// One page, ordered by subject, place and start.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait, wanted: &Wanted) -> Result<Vec<Node>, DbErr> {
    let Wanted {
        organization,
        at,
        after: (subject, place, start),
        limit,
    } = wanted;
    let sql = format!(
        "SELECT {COLUMNS} FROM responsibility_nodes n WHERE n.organization = $1 \
         AND (n.subject, n.place, n.start_time) > ($2, $3, $4) \
         AND ($5 OR (n.start_time <= $6 AND (n.end_time IS NULL OR n.end_time > $6))) \
         ORDER BY n.subject, n.place, n.start_time LIMIT $7"
    );
    let values: [Value; 7] = [
        organization.as_str().into(),
        (*subject).into(),
        place.as_str().into(),
        (*start).into(),
        at.is_none().into(),
        at.unwrap_or_default().into(),
        i64::try_from(*limit).unwrap_or(i64::MAX).into(),
    ];
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    rows.iter().map(read).collect()
}

/// The last node for a subject and place of an organisation: the one without successor. Lock the
/// organisation before.
///
/// # Errors
/// When the database fails.
pub async fn last(
    tx: &Tx,
    organization: &str,
    subject: Subject,
    place: &Place,
) -> Result<Option<Node>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM responsibility_nodes n \
         WHERE n.organization = $1 AND n.subject = $2 AND n.place = $3 AND n.end_time IS NULL"
    );
    let values = [
        organization.into(),
        subject.code().into(),
        place.as_str().into(),
    ];
    let row = tx.query_one_raw(statement(tx, &sql, values)).await?;
    row.as_ref().map(read).transpose()
}

/// Something that a person answers for at `now` or later, as named by hand.
///
/// # Errors
/// When the database fails.
pub async fn held_by(tx: &Tx, staff_member: Uuid, now: i64) -> Result<Option<Node>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM responsibility_nodes n WHERE n.staff_member = $1 \
         AND (n.end_time IS NULL OR n.end_time > $2) \
         ORDER BY n.organization, n.subject, n.place, n.start_time LIMIT 1"
    );
    let values = [staff_member.into(), now.into()];
    let row = tx.query_one_raw(statement(tx, &sql, values)).await?;
    row.as_ref().map(read).transpose()
}

/// What a person answers or answered for, as named by hand, the latest first, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn of_person(
    db: &impl ConnectionTrait,
    staff_member: Uuid,
    limit: u32,
) -> Result<Vec<Node>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM responsibility_nodes n WHERE n.staff_member = $1 \
         ORDER BY n.start_time DESC, n.id LIMIT {limit}"
    );
    let rows = db.query_all_raw(statement(db, &sql, [staff_member.into()]));
    rows.await?.iter().map(read).collect()
}

/// Stores when a node ends.
///
/// # Errors
/// When the database fails.
pub async fn end(tx: &Tx, node: &Node) -> Result<(), DbErr> {
    let update = statement(
        tx,
        "UPDATE responsibility_nodes SET end_time = $2 WHERE id = $1",
        [node.id.into(), node.end.into()],
    );
    tx.execute_raw(update).await?;
    Ok(())
}

/// Adds a node of the organisation at `org_path`; `announced` when its beginning is told in this
/// transaction.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, node: &Node, org_path: &str, announced: bool) -> Result<(), DbErr> {
    let Node {
        id,
        organization,
        subject,
        place,
        staff_member,
        duties,
        start,
        end,
    } = node;
    let insert = statement(
        tx,
        "INSERT INTO responsibility_nodes (id, organization, org_path, subject, place, \
         staff_member, duties, start_time, end_time, announced) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        [
            (*id).into(),
            organization.as_str().into(),
            org_path.into(),
            subject.code().into(),
            place.as_str().into(),
            (*staff_member).into(),
            duties.as_str().into(),
            (*start).into(),
            (*end).into(),
            announced.into(),
        ],
    );
    tx.execute_raw(insert).await?;
    Ok(())
}

/// Whether an organisation has a class group of this id, and whether it is taught.
///
/// # Errors
/// When the database fails.
pub async fn class_group(
    db: &impl ConnectionTrait,
    organization: &str,
    id: &str,
) -> Result<Option<bool>, DbErr> {
    let select = statement(
        db,
        "SELECT state FROM class_groups WHERE organization = $1 AND id = $2",
        [organization.into(), id.into()],
    );
    let row = db.query_one_raw(select).await?;
    row.map(|row| Ok(row.try_get_by_index::<i16>(0)? == 1))
        .transpose()
}
