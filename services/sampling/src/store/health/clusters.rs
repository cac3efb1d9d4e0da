//! Clusters, their people and their trail.

use std::collections::{BTreeMap, BTreeSet};

use kit::db::{Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::illnesses::day_of;
use crate::domain::health::cluster_state::ClusterState;
use crate::domain::health::reconcile::Known;
use crate::domain::roll::{Malformed, PersonId, person};
use crate::store::rolls::corrupt;
use crate::store::tubes::below;
use kit::bulk::placeholders;
use kit::rows::{Lock, Row, row};

/// Schools in one statement: far below the limit of values of both databases.
pub(super) const SCHOOLS: usize = 500;

row! {
    /// A cluster. Times are milliseconds, 0 for none; days are numbers.
    ClusterRow in "clusters" by ["id"] {
        /// Its identifier.
        id: String,
        /// The school's place.
        school: String,
        /// That of the class group, else that of the school.
        org_path: String,
        /// The code of its rule.
        rule: String,
        /// A disease above zero, a group of symptoms below.
        criterion: i32,
        /// What its cases share.
        scope: i16,
        /// Where, within the scope.
        place: String,
        /// Where it stands.
        state: i16,
        /// Whether the facts reach the rule.
        stands: bool,
        /// No report on it was received in time.
        overdue: bool,
        /// The rule and what is reached of it, as it is told.
        explanation: Vec<u8>,
        /// The version of the policy.
        policy_version: String,
        /// The first day of its cases.
        first_day: i32,
        /// The last day on which the rule was reached; of one that is closed, the day on which it was.
        last_day: i32,
        /// The first day on which the rule was reached.
        reached_day: i32,
        /// How many people.
        people: i32,
        /// When it fired.
        fire_time: i64,
        /// When the report is due.
        report_due: i64,
        /// When it was acknowledged.
        acknowledge_time: i64,
        /// The account that did.
        acknowledged_by: String,
        /// When it was closed.
        close_time: i64,
        /// Who decided so.
        closed_by: String,
        /// Why.
        close_reason: String,
        /// What it is part of.
        merged_into: String,
        /// How many lines its trail has.
        events: i64,
        /// Grows with each change.
        version: i64,
        /// When a report on it was received.
        report_time: i64,
    }
}

row! {
    /// Somebody whose case is part of a cluster.
    ClusterPersonRow in "cluster_people" by ["cluster", "person"] {
        /// The cluster.
        cluster: String,
        /// Who.
        person: Vec<u8>,
        /// Student (1) or staff (2).
        kind: i16,
        /// The day of the case.
        day: i32,
    }
}

row! {
    /// One line of the trail of a cluster; never changed.
    ClusterEventRow in "cluster_events" by ["cluster", "sequence"] {
        /// The cluster.
        cluster: String,
        /// 1, 2, …
        sequence: i64,
        /// When.
        time: i64,
        /// What.
        kind: String,
        /// Who did it.
        actor: String,
        /// How many people it had then.
        people: i32,
        /// More about it.
        note: String,
    }
}

impl ClusterRow {
    /// What finding clusters needs to know of it, without whose cases it used up.
    ///
    /// # Errors
    /// When the row is corrupt.
    pub fn known(&self) -> Result<Known, DbErr> {
        Ok(Known {
            id: self.id.clone(),
            rule: self.rule.clone(),
            place: self.place.clone(),
            first: day_of(self.first_day)?,
            last: day_of(self.last_day)?,
            state: ClusterState::from_code(self.state).ok_or_else(|| corrupt(Malformed))?,
            stands: self.stands,
            fired: self.fire_time,
            used_up: BTreeSet::new(),
        })
    }
}

/// The clusters of schools by these criteria, those that are part of others left out; those of one
/// school by identifier.
///
/// # Errors
/// When the database fails.
pub async fn of_schools(
    tx: &Tx,
    schools: &[&str],
    criteria: &[i32],
) -> Result<Vec<ClusterRow>, DbErr> {
    let mut rows = Vec::new();
    for part in schools.chunks(SCHOOLS) {
        let wheres = format!(
            "state <> 4 AND school IN ({}) AND criterion IN ({})",
            placeholders(1, part.len()),
            placeholders(part.len() + 1, criteria.len())
        );
        let mut values: Vec<Value> = part.iter().map(|school| Value::from(*school)).collect();
        values.extend(criteria.iter().map(|one| Value::from(*one)));
        rows.extend(ClusterRow::page(tx, &wheres, values, i64::MAX.unsigned_abs()).await?);
    }
    Ok(rows)
}

/// The people of each of these clusters.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn people_of(
    tx: &Tx,
    clusters: Vec<Value>,
) -> Result<BTreeMap<String, BTreeSet<PersonId>>, DbErr> {
    let mut people: BTreeMap<String, BTreeSet<PersonId>> = BTreeMap::new();
    for row in ClusterPersonRow::find(tx, "cluster", clusters, Lock::No).await? {
        if row.person.len() != 16 {
            return Err(corrupt(Malformed));
        }
        let of = people.entry(row.cluster).or_default();
        of.insert(person(&row.person));
    }
    Ok(people)
}

/// The clusters of a school that are neither closed nor part of others and share a day with these, by
/// identifier; at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn living<C: ConnectionTrait + Sync>(
    connection: &C,
    school: &str,
    (first, last): (i32, i32),
    limit: u64,
) -> Result<Vec<ClusterRow>, DbErr> {
    let wheres =
        "school = $1 AND state IN (1, 2) AND stands AND first_day <= $2 AND last_day >= $3";
    let values = vec![school.into(), last.into(), first.into()];
    ClusterRow::page(connection, wheres, values, limit).await
}

/// Clusters at or below a place, by identifier after `after`: those in a state unless it is 0, and
/// only those that stand, if asked.
///
/// # Errors
/// When the database fails.
pub async fn list<C: ConnectionTrait + Sync>(
    connection: &C,
    place: &OrgPath,
    (state, standing): (i16, bool),
    after: &str,
    limit: u64,
) -> Result<Vec<ClusterRow>, DbErr> {
    let mut wheres = "(org_path = $1 OR (org_path >= $2 AND org_path < $3)) AND id > $4".to_owned();
    let mut values = below(place).to_vec();
    values.push(after.into());
    if standing {
        wheres.push_str(" AND stands");
    }
    if state != 0 {
        wheres.push_str(" AND state = $5");
        values.push(state.into());
    }
    ClusterRow::page(connection, &wheres, values, limit).await
}

/// The people of a cluster are these from now on.
///
/// # Errors
/// When the database fails.
pub async fn save_people(tx: &Tx, cluster: &str, people: &[ClusterPersonRow]) -> Result<(), DbErr> {
    let sql = "DELETE FROM cluster_people WHERE cluster = $1";
    tx.execute_raw(statement(tx, sql, [cluster.into()])).await?;
    ClusterPersonRow::add(tx, people).await
}

/// The trail of a cluster after a line.
///
/// # Errors
/// When the database fails.
pub async fn events<C: ConnectionTrait + Sync>(
    connection: &C,
    cluster: &str,
    after: i64,
    limit: u64,
) -> Result<Vec<ClusterEventRow>, DbErr> {
    let values = vec![cluster.into(), after.into()];
    let wheres = "cluster = $1 AND sequence > $2";
    ClusterEventRow::page(connection, wheres, values, limit).await
}
