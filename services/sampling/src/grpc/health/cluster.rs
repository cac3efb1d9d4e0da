//! ClusterService.

use kit::auth::{Caller, Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::page;
use proto::sampling::cluster_service_server::ClusterService;
use proto::sampling::{
    AcknowledgeClusterRequest, CloseClusterRequest, Cluster, GetClusterRequest,
    ListClusterEventsRequest, ListClusterEventsResponse, ListClusterRulesRequest,
    ListClusterRulesResponse, ListClustersRequest, ListClustersResponse, SimulateClustersRequest,
    SimulateClustersResponse,
};
use tonic::{Request, Response, Status};

use super::listing::Listed;
use super::{cluster_convert, cluster_rules};
use crate::app::App;
use crate::app::health::{Listing, Simulated};
use crate::domain::health::cluster_state::ClusterState;
use crate::error::Error;
use crate::grpc::convert::{self, cut, opaque};

/// Serves clusters.
#[derive(Clone, Debug)]
pub(crate) struct Api(pub(crate) App);

/// Civil days that are replayed at once, less one.
const MOST_DAYS: i64 = 91;
/// Clusters in one answer of a replay.
const MOST_CLUSTERS: usize = 1000;

fn cluster_id(fields: &mut Fields, field: &str, name: &str) -> String {
    opaque(fields, field, name, "clusters")
}

impl Api {
    /// Whether the caller may handle the cluster of this identifier. That there is none is found wrong with
    /// the request.
    async fn may_handle(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        if id.is_empty() {
            return Ok(());
        }
        let handle = Permission::ClusterHandle;
        self.0.readable_cluster(caller, handle, id).await.map(drop)
    }
}

#[tonic::async_trait]
impl ClusterService for Api {
    async fn get_cluster(
        &self,
        request: Request<GetClusterRequest>,
    ) -> Result<Response<Cluster>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ClusterRead)?;
        let mut fields = Fields::new();
        let id = cluster_id(&mut fields, "name", &request.get_ref().name);
        fields.finish()?;
        Ok(Response::new(self.0.get_cluster(&caller, &id).await?))
    }

    async fn list_clusters(
        &self,
        request: Request<ListClustersRequest>,
    ) -> Result<Response<ListClustersResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ClusterRead)?;
        let ListClustersRequest {
            organization,
            state,
            standing,
            page_size,
            page_token,
        } = request.into_inner();
        let is_known = |state| ClusterState::from_code(state).is_some();
        let page = (page_size, page_token.as_str());
        let more = [standing.to_string()];
        let listed = Listed::read(&organization, state, is_known, &more, page)?;
        let listing = Listing {
            organization: listed.organization,
            state: listed.state,
            standing,
        };
        let mut rows = self
            .0
            .list_clusters(&caller, listing, &listed.after, listed.wanted())
            .await?;
        let next_page_token = listed.cut(&mut rows, |row| &row.id);
        let told = rows.iter().map(|row| cluster_convert::cluster(row, &[]));
        Ok(Response::new(ListClustersResponse {
            clusters: told.collect(),
            next_page_token,
        }))
    }

    async fn acknowledge_cluster(
        &self,
        request: Request<AcknowledgeClusterRequest>,
    ) -> Result<Response<Cluster>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ClusterHandle)?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let id = cluster_id(&mut fields, "name", &request.name);
        fields.text("note", &request.note, 200);
        read_or_denied(fields.finish(), self.may_handle(&caller, &id)).await?;
        let answer = self.0.acknowledge_cluster(&caller, &id, &request).await?;
        Ok(Response::new(answer))
    }

    async fn close_cluster(
        &self,
        request: Request<CloseClusterRequest>,
    ) -> Result<Response<Cluster>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ClusterHandle)?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let id = cluster_id(&mut fields, "name", &request.name);
        fields.required("reason", &request.reason);
        fields.text("reason", &request.reason, 200);
        fields.required("decided_by", &request.decided_by);
        fields.text("decided_by", &request.decided_by, 64);
        read_or_denied(fields.finish(), self.may_handle(&caller, &id)).await?;
        let answer = self.0.close_cluster(&caller, &id, &request).await?;
        Ok(Response::new(answer))
    }

    async fn list_cluster_events(
        &self,
        request: Request<ListClusterEventsRequest>,
    ) -> Result<Response<ListClusterEventsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ClusterRead)?;
        let ListClusterEventsRequest {
            cluster,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [cluster.as_str()];
        let after: i64 = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let id = cluster_id(&mut fields, "cluster", &cluster);
        fields.finish()?;
        let mut rows = self
            .0
            .list_cluster_events(&caller, &id, after, limit + 1)
            .await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.sequence, &binding));
        Ok(Response::new(ListClusterEventsResponse {
            cluster_events: rows.into_iter().map(cluster_convert::event).collect(),
            next_page_token,
        }))
    }

    async fn list_cluster_rules(
        &self,
        request: Request<ListClusterRulesRequest>,
    ) -> Result<Response<ListClusterRulesResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ClusterRead)?;
        let ListClusterRulesRequest {
            organization,
            date,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [organization.as_str(), &format!("{date:?}")];
        let after: String = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let organization = convert::organization(&mut fields, "organization", &organization);
        let date = convert::optional_date(&mut fields, "date", date);
        fields.finish()?;
        let day = date.map_or(self.0.today(), Into::into);
        let policy = self.0.cluster_rules(&caller, organization, day).await?;
        let rules = policy.health.clusters.iter();
        let mut rules: Vec<_> = rules.filter(|rule| rule.code > after).collect();
        let next_page_token = cut(&mut rules, limit, |rule| page::next(&rule.code, &binding));
        Ok(Response::new(ListClusterRulesResponse {
            cluster_rules: rules.into_iter().map(cluster_convert::rule).collect(),
            next_page_token,
            policy_version: policy.version,
        }))
    }

    async fn simulate_clusters(
        &self,
        request: Request<SimulateClustersRequest>,
    ) -> Result<Response<SimulateClustersResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ClusterSimulate)?;
        let SimulateClustersRequest {
            organization,
            start_date,
            end_date,
            rules,
        } = request.into_inner();
        let mut fields = Fields::new();
        let organization = convert::organization(&mut fields, "organization", &organization);
        let first = fields.date("start_date", start_date).unwrap_or_default();
        let last = fields.date("end_date", end_date).unwrap_or_default();
        if !(0..=MOST_DAYS).contains(&(last - first).num_days()) {
            let (zh, en) = ("应不早于开始日期，且不超过 92 天", "must make 1 to 92 days");
            fields.violation("end_date", zh, en);
        }
        let rules = cluster_rules::read(&mut fields, &rules);
        fields.finish()?;
        let simulated = Simulated {
            organization,
            days: (first.into(), last.into()),
            rules,
        };
        let replayed = self.0.simulate_clusters(&caller, simulated).await?;
        let count = |present: bool, tried: bool| {
            let same = replayed.iter().filter(|one| {
                let compared = &one.compared;
                (compared.present.is_some(), compared.changed.is_some()) == (present, tried)
            });
            i32::try_from(same.count()).unwrap_or(i32::MAX)
        };
        Ok(Response::new(SimulateClustersResponse {
            both_count: count(true, true),
            only_tried_count: count(false, true),
            only_in_force_count: count(true, false),
            clusters: replayed
                .iter()
                .take(MOST_CLUSTERS)
                .map(cluster_convert::simulated)
                .collect(),
        }))
    }
}
