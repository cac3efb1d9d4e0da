//! Clusters that have people in common: shown together, and reported together where one holds another.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kit::db::Tx;
use sea_orm::ConnectionTrait;

use super::keep::{REPORT_DUE, line};
use crate::app::App;
use crate::app::health::deadlines::{Deadline, settle};
use crate::domain::health::relation::{Relation, relation};
use crate::error::Error;
use crate::store::health::clusters::{self, ClusterEventRow, ClusterPersonRow, ClusterRow};
use kit::rows::{Lock, Row};

/// As many clusters of a school are looked at beside one.
const MOST: u64 = 200;

/// A cluster beside another one: how the other stands to it, and how many people both have.
pub(super) type Beside = (ClusterRow, Relation, usize);

/// The clusters of the same school that live, share a day with this one and have somebody in common
/// with it, ordered by identifier.
pub(super) async fn beside<C: ConnectionTrait + Sync>(
    connection: &C,
    row: &ClusterRow,
) -> Result<Vec<Beside>, Error> {
    let days = (row.first_day, row.last_day);
    let mut others = clusters::living(connection, &row.school, days, MOST).await?;
    others.retain(|other| other.id != row.id);
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let ids = others.iter().map(|one| one.id.as_str());
    let keys = ids.chain([row.id.as_str()]).map(Into::into).collect();
    let people = ClusterPersonRow::find(connection, "cluster", keys, Lock::No).await?;
    let mut by_cluster: BTreeMap<&str, BTreeSet<&[u8]>> = BTreeMap::new();
    for one in &people {
        let of = by_cluster.entry(&one.cluster).or_default();
        of.insert(&one.person);
    }
    let of = |id: &str| by_cluster.get(id).cloned().unwrap_or_default();
    let own = of(&row.id);
    let beside = others.into_iter().filter_map(|other| {
        let (relation, both) = relation(&own, &of(&other.id))?;
        Some((other, relation, both))
    });
    Ok(beside.collect())
}

impl App {
    /// A report on this cluster that was written at `written`, in milliseconds since 1970, was received:
    /// with it, that on each cluster whose people are all its people. It says nothing of what was to be
    /// reported only afterwards. The school is locked.
    pub(super) async fn is_reported(
        &self,
        tx: &Tx,
        row: ClusterRow,
        (actor, case, written): (&str, &str, i64),
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let within = beside(tx, &row).await?.into_iter();
        let within = within.filter(|(_, relation, _)| *relation == Relation::Contains);
        let within: Vec<ClusterRow> = within.map(|(other, _, _)| other).collect();
        for mut row in std::iter::once(row).chain(within) {
            if row.report_time != 0 || written < due_since(tx, &row).await? {
                continue;
            }
            row.report_time = now.timestamp_millis();
            line(tx, &mut row, ("REPORTED", actor, case), now).await?;
            settle(tx, Deadline::ClusterReport, &row.id).await?;
            self.save_cluster(tx, row).await?;
        }
        Ok(())
    }
}

/// Since when a cluster is to be reported, in milliseconds since 1970.
async fn due_since(tx: &Tx, row: &ClusterRow) -> Result<i64, Error> {
    let key = vec![row.id.as_str().into()];
    let mut again = ClusterEventRow::find(tx, "cluster", key, Lock::No).await?;
    again.retain(|line| line.kind == REPORT_DUE);
    let again = again.iter().map(|line| line.time).max();
    Ok(again.unwrap_or_default().max(row.fire_time))
}
