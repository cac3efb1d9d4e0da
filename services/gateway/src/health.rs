//! Health at the door: of the gateway itself, and of the services behind it by the names of their
//! contracts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt, unfold};
use http::{Request, Response};
use kit::drain::Drain;
use kit::server::Behind;
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::sync::{Semaphore, watch};
use tonic::Status;
use tonic::body::Body;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::{Health as Asked, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tower::ServiceExt;

use crate::route::Table;

/// How many may watch services behind the gateway at once: nobody is asked who they are.
const MAX_WATCHERS: usize = 1024;
/// Those beyond may try again after this.
const RETRY: Duration = Duration::from_secs(1);

/// How the services behind the gateway are, by the names of their packages and contracts.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    neighbours: Arc<HashMap<String, watch::Receiver<bool>>>,
    watchers: Arc<Semaphore>,
    drain: Drain,
}

/// Whether the gateway itself serves, by the latch or summary of this name.
pub(crate) async fn local(behind: Behind, service: &str) -> bool {
    let service = service.to_owned();
    let mut client = HealthClient::new(behind);
    let told = client.check(HealthCheckRequest { service }).await;
    told.is_ok_and(|told| told.get_ref().status() == ServingStatus::Serving)
}

impl Health {
    /// Tells how the services of `table` are, and ends those who watch at the drain.
    pub(crate) fn new(table: &Table, drain: Drain) -> Self {
        let mut neighbours = HashMap::new();
        for neighbour in table.services() {
            for name in &neighbour.contracts {
                neighbours.insert(name.clone(), neighbour.upstream.serving());
            }
        }
        Self {
            neighbours: Arc::new(neighbours),
            watchers: Arc::new(Semaphore::new(MAX_WATCHERS)),
            drain,
        }
    }

    /// Answers a call of `grpc.health.v1`.
    pub(crate) async fn call(&self, request: Request<Body>, behind: Behind) -> Response<Body> {
        let door = Door {
            health: self.clone(),
            behind,
        };
        let answered = HealthServer::new(door).oneshot(request).await;
        answered.unwrap_or_else(|never| match never {})
    }

    /// The service of this name; none when the gateway is meant.
    fn neighbour(&self, name: &str) -> Result<Option<&watch::Receiver<bool>>, Status> {
        match self.neighbours.get(name) {
            Some(neighbour) => Ok(Some(neighbour)),
            None if name.starts_with("campus.") && !name.starts_with("campus.gateway.") => {
                Err(Problem::new(ErrorReason::NotFound)
                    .meta("name", "service")
                    .into())
            }
            None => Ok(None),
        }
    }
}

/// The health service as one caller meets it.
struct Door {
    health: Health,
    behind: Behind,
}

#[tonic::async_trait]
impl Asked for Door {
    async fn check(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<HealthCheckResponse>, Status> {
        let request = request.into_inner();
        match self.health.neighbour(&request.service)? {
            Some(serving) => Ok(tonic::Response::new(told(*serving.borrow()))),
            None => HealthClient::new(self.behind.clone()).check(request).await,
        }
    }

    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<Self::WatchStream>, Status> {
        let request = request.into_inner();
        let Some(neighbour) = self.health.neighbour(&request.service)? else {
            let own = HealthClient::new(self.behind.clone())
                .watch(request)
                .await?;
            return Ok(own.map(|stream| stream.boxed()));
        };
        let place = self.health.watchers.clone().try_acquire_owned();
        let overloaded = |_| Problem::new(ErrorReason::Overloaded).retry_after(RETRY);
        let place = place.map_err(overloaded)?;
        let mut seen = neighbour.clone();
        seen.mark_changed();
        let states = unfold((seen, place), |(mut seen, place)| async move {
            seen.changed().await.ok()?;
            let now = *seen.borrow_and_update();
            Some((Ok(told(now)), (seen, place)))
        });
        let drain = self.health.drain.clone();
        let states = states.take_until(Box::pin(async move { drain.draining().await }));
        Ok(tonic::Response::new(states.boxed()))
    }
}

fn told(serving: bool) -> HealthCheckResponse {
    let status = if serving {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    };
    HealthCheckResponse {
        status: status.into(),
    }
}
