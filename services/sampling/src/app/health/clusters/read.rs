//! Reads clusters, their trail and the rules in force.

use kit::auth::{Caller, Permission};
use kit::org::OrgPath;
use proto::sampling::Cluster;
use sea_orm::ConnectionTrait;

use super::related::beside;
use crate::app::App;
use crate::domain::day::Day;
use crate::domain::policy::Policy;
use crate::error::Error;
use crate::grpc::health::cluster_convert;
use crate::store::health::clusters::{self, ClusterEventRow, ClusterPersonRow, ClusterRow};
use kit::rows::{Lock, Row};

/// Which clusters are listed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listing<'a> {
    /// The organisation's identifier.
    pub(crate) organization: &'a str,
    /// Only those in this state; 0 for all.
    pub(crate) state: i16,
    /// Only those that stand.
    pub(crate) standing: bool,
}

impl App {
    /// One cluster, with its people for whoever may read people's health.
    pub(crate) async fn get_cluster(&self, caller: &Caller, id: &str) -> Result<Cluster, Error> {
        let row = self
            .readable_cluster(caller, Permission::ClusterRead, id)
            .await?;
        self.told_cluster(self.db.read(), caller, row).await
    }

    /// A cluster with which the caller may do `permission`.
    pub(crate) async fn readable_cluster(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<ClusterRow, Error> {
        caller.allowed(permission)?;
        let row = ClusterRow::get(self.db.read(), id, Lock::No).await?;
        let path = row.as_ref().map_or("", |row| &row.org_path);
        Self::check_path(caller, permission, path)?;
        row.ok_or_else(|| Error::NotFound(format!("clusters/{id}")))
    }

    /// A cluster as it is told to this caller.
    pub(super) async fn told_cluster<C: ConnectionTrait + Sync>(
        &self,
        connection: &C,
        caller: &Caller,
        row: ClusterRow,
    ) -> Result<Cluster, Error> {
        let path: OrgPath = row.org_path.parse().unwrap_or_default();
        let people = if caller.require(Permission::HealthRead, &path).is_ok() {
            let keys = vec![row.id.as_str().into()];
            ClusterPersonRow::find(connection, "cluster", keys, Lock::No).await?
        } else {
            Vec::new()
        };
        let mut others = beside(connection, &row).await?;
        others.retain(|(other, _, _)| {
            Self::check_path(caller, Permission::ClusterRead, &other.org_path).is_ok()
        });
        let others = others
            .into_iter()
            .map(|(other, relation, both)| (other.id, relation, both));
        Ok(Cluster {
            related_clusters: cluster_convert::related(others.collect()),
            ..cluster_convert::cluster(&row, &people)
        })
    }

    /// Clusters below an organisation, by identifier after `after`.
    pub(crate) async fn list_clusters(
        &self,
        caller: &Caller,
        listing: Listing<'_>,
        after: &str,
        limit: u64,
    ) -> Result<Vec<ClusterRow>, Error> {
        let place = self
            .place(caller, Permission::ClusterRead, listing.organization)
            .await?;
        let wanted = (listing.state, listing.standing);
        Ok(clusters::list(self.db.read(), &place, wanted, after, limit).await?)
    }

    /// The trail of a cluster after a line.
    pub(crate) async fn list_cluster_events(
        &self,
        caller: &Caller,
        id: &str,
        after: i64,
        limit: u64,
    ) -> Result<Vec<ClusterEventRow>, Error> {
        self.readable_cluster(caller, Permission::ClusterRead, id)
            .await?;
        Ok(clusters::events(self.db.read(), id, after, limit).await?)
    }

    /// The policy whose cluster rules are in force at an organisation on a day.
    pub(crate) async fn cluster_rules(
        &self,
        caller: &Caller,
        organization: &str,
        day: Day,
    ) -> Result<Policy, Error> {
        let place = self
            .place(caller, Permission::ClusterRead, organization)
            .await?;
        let facts = self.facts.get(self.db.read()).await?;
        let policy = facts.policy(place.as_str(), day).cloned();
        policy.ok_or_else(|| Error::NoPolicy(place.to_string()))
    }
}
