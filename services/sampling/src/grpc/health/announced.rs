//! What changes of clusters and suspensions are announced in the feed: counts, never people.

use kit::feed::Change;
use proto::sampling::sampling_event::State as EventState;

use super::cluster_convert::cluster;
use super::suspension_convert::suspension;
use crate::domain::health::cluster_state::ClusterState;
use crate::domain::health::suspension::SuspensionState;
use crate::grpc::announced::sampling_change;
use crate::store::health::clusters::ClusterRow;
use crate::store::health::suspensions::Whole;

/// The change of a cluster; those that are closed or merged leave the snapshot.
pub(crate) fn cluster_change(row: &ClusterRow) -> Change {
    let lives = ClusterState::from_code(row.state).is_some_and(ClusterState::lives);
    let state = lives.then(|| EventState::Cluster(cluster(row, &[])));
    let name = format!("clusters/{}", row.id);
    sampling_change("cluster", name, row.version, &row.org_path, state)
}

/// The change of a suspension; those that are over leave the snapshot.
pub(crate) fn suspension_change(whole: &Whole) -> Change {
    let row = &whole.row;
    let over = SuspensionState::from_code(row.state).is_none_or(SuspensionState::is_over);
    let state = (!over).then(|| EventState::Suspension(suspension(whole)));
    let name = format!("suspensions/{}", row.id);
    sampling_change("suspension", name, row.version, &row.org_path, state)
}
