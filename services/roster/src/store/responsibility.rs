//! Responsibility nodes, and who could answer at an organisation.

use std::collections::HashMap;

use kit::db::{Backend, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::rolls::marks;
use super::unreadable;
use crate::domain::responsibility::{Chart, Node, Place, Seat, Subject};
use crate::domain::staff::Posts;

const COLUMNS: &str = "n.id, n.organization, n.subject, n.place, n.staff_member, n.duties, \
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

fn read(row: &QueryResult) -> Result<Node, DbErr> {
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

/// Who could answer at each of `organizations`, in their order, at the instant `at`. Whoever was
/// relieved before `now` answered then, wherever they are today; everybody else must work there and
/// be present `now`.
///
/// # Errors
/// When the database fails.
pub async fn charts(
    db: &impl ConnectionTrait,
    organizations: &[String],
    at: i64,
    now: i64,
) -> Result<Vec<Chart>, DbErr> {
    let mut charts: HashMap<String, Chart> = organizations
        .iter()
        .map(|organization| {
            let chart = Chart {
                organization: organization.clone(),
                ..Chart::default()
            };
            (organization.clone(), chart)
        })
        .collect();
    let ids = organizations.iter().map(|id| Value::from(id.as_str()));
    let ids: Vec<Value> = ids.collect();
    let marks = marks(ids.len());
    let (first, second) = (ids.len() + 1, ids.len() + 2);

    let sql = format!(
        "SELECT {COLUMNS}, CASE WHEN n.end_time <= ${second} \
             OR (s.state = 1 AND s.org_path = n.org_path) THEN 1 ELSE 0 END AS filled \
         FROM responsibility_nodes n LEFT JOIN staff s ON s.id = n.staff_member \
         WHERE n.organization IN ({marks}) AND n.start_time <= ${first} \
         AND (n.end_time IS NULL OR n.end_time > ${first})"
    );
    let values = ids.iter().cloned().chain([at.into(), now.into()]);
    for row in db.query_all_raw(statement(db, &sql, values)).await? {
        let node = read(&row)?;
        let filled = row.try_get_by_index::<i32>(8)? == 1;
        if let Some(chart) = charts.get_mut(&node.organization) {
            chart.seats.push(Seat { node, filled });
        }
    }

    let offices: Posts = Subject::ALL
        .iter()
        .flat_map(|subject| subject.offices())
        .copied()
        .collect();
    let sql = format!(
        "SELECT o.id, s.id, s.posts FROM organizations o JOIN staff s ON s.org_path = o.org_path \
         WHERE o.id IN ({marks}) AND s.state = 1 AND (s.posts & ${first}) <> 0"
    );
    let values = ids.iter().cloned().chain([offices.bits().into()]);
    for row in db.query_all_raw(statement(db, &sql, values)).await? {
        if let Some(chart) = charts.get_mut(&row.try_get_by_index::<String>(0)?) {
            let posts = Posts::from_bits(row.try_get_by_index(2)?);
            chart.officers.push((row.try_get_by_index(1)?, posts));
        }
    }

    let sql = format!(
        "SELECT o.id, c.id, c.head_teacher FROM organizations o \
         JOIN class_groups c ON c.organization = o.id \
         JOIN staff s ON s.id = c.head_teacher AND s.org_path = o.org_path \
         WHERE o.id IN ({marks}) AND c.state = 1 AND s.state = 1"
    );
    for row in db.query_all_raw(statement(db, &sql, ids)).await? {
        if let Some(chart) = charts.get_mut(&row.try_get_by_index::<String>(0)?) {
            let head = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            chart.head_teachers.push(head);
        }
    }
    let in_order = organizations.iter();
    Ok(in_order.filter_map(|id| charts.remove(id)).collect())
}

/// An organisation at the head of its responsibility roll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DutyHead {
    /// The code of the organisation.
    pub id: String,
    /// Its place.
    pub org_path: String,
    /// In use; closed otherwise.
    pub active: bool,
    /// The version of the roll.
    pub version: i64,
}

/// Raises the version of the responsibility roll of each of `organizations`, ordered by code.
///
/// # Errors
/// When the database fails.
pub async fn raise(tx: &Tx, organizations: &[String]) -> Result<Vec<DutyHead>, DbErr> {
    let marks = marks(organizations.len());
    let ids = organizations.iter().map(|id| Value::from(id.as_str()));
    let ids: Vec<Value> = ids.collect();
    if tx.backend() == Backend::Postgres {
        // An update of many takes its locks in no order that others could keep.
        let lock =
            format!("SELECT id FROM organizations WHERE id IN ({marks}) ORDER BY id FOR UPDATE");
        tx.query_all_raw(statement(tx, &lock, ids.clone())).await?;
    }
    let raise = format!(
        "UPDATE organizations SET duty_version = duty_version + 1 WHERE id IN ({marks}) \
         RETURNING id, org_path, state, duty_version"
    );
    let rows = tx.query_all_raw(statement(tx, &raise, ids)).await?;
    let heads = rows.iter().map(|row| {
        Ok(DutyHead {
            id: row.try_get_by_index(0)?,
            org_path: row.try_get_by_index(1)?,
            active: row.try_get_by_index::<i16>(2)? == 1,
            version: row.try_get_by_index(3)?,
        })
    });
    let mut heads = heads.collect::<Result<Vec<_>, DbErr>>()?;
    heads.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    Ok(heads)
}

/// Takes up to `limit` organisations whose nodes began by `now` and were not announced, and marks
/// those nodes as announced. A node ends only where its successor begins, so beginnings are all.
///
/// # Errors
/// When the database fails.
pub async fn take_due(tx: &Tx, now: i64, limit: i64) -> Result<Vec<String>, DbErr> {
    let select = statement(
        tx,
        "SELECT DISTINCT organization FROM responsibility_nodes \
         WHERE NOT announced AND start_time <= $1 ORDER BY organization LIMIT $2",
        [now.into(), limit.into()],
    );
    let rows = tx.query_all_raw(select).await?;
    let due = rows.iter().map(|row| row.try_get_by_index(0));
    let due: Vec<String> = due.collect::<Result<_, _>>()?;
    if due.is_empty() {
        return Ok(due);
    }
    let marks = marks(due.len());
    let update = format!(
        "UPDATE responsibility_nodes SET announced = TRUE WHERE organization IN ({marks}) \
         AND NOT announced AND start_time <= ${}",
        due.len() + 1
    );
    let ids = due.iter().map(|id| Value::from(id.as_str()));
    let values: Vec<Value> = ids.chain([now.into()]).collect();
    tx.execute_raw(statement(tx, &update, values)).await?;
    Ok(due)
}
