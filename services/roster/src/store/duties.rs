//! What tells who answers at organisations: their charts, the versions of their responsibility
//! rolls, and which of them are due.

use std::collections::HashMap;

use kit::db::{Backend, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::responsibility::{COLUMNS, read};
use super::rolls::marks;
use crate::domain::responsibility::{Chart, Seat, Subject};
use crate::domain::staff::Posts;

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
