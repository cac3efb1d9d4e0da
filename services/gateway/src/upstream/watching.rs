//! Looks after the replicas of a service: names are looked up, and each replica is asked whether it
//! serves.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures_util::future::join_all;
use http::Request;
use kit::drain::Drain;
use tokio::time::timeout;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::Upstream;
use super::replica::Replica;

/// A replica that says nothing for so long does not serve.
const WITHIN: Duration = Duration::from_secs(1);

impl Upstream {
    /// Looks after the replicas until the drain.
    pub(crate) async fn watch(self: Arc<Self>, drain: Drain) {
        loop {
            self.look_up().await;
            let replicas = self.replicas();
            let serving = join_all(replicas.iter().map(check)).await;
            let serving = serving.contains(&true);
            self.serving
                .send_if_modified(|known| std::mem::replace(known, serving) != serving);
            if !drain.sleep(self.settings.check_interval).await {
                return;
            }
        }
    }
}

/// Asks one replica whether it serves, and notes what it says.
async fn check(replica: &Arc<Replica>) -> bool {
    let sending = tower::service_fn(|request: Request<tonic::body::Body>| {
        let replica = replica.clone();
        async move {
            let sent = replica.send(request.map(Body::new)).await;
            sent.map_err(|(err, _)| err)
        }
    });
    let mut client = HealthClient::new(sending);
    let asked = timeout(WITHIN, client.check(HealthCheckRequest::default())).await;
    let serving = match asked {
        Ok(Ok(answer)) => answer.into_inner().status() == ServingStatus::Serving,
        // One that knows no health serves as long as it answers.
        Ok(Err(status)) => matches!(status.code(), Code::Unimplemented | Code::NotFound),
        Err(_) => false,
    };
    if replica.is_serving() != serving {
        tracing::info!(address = %replica.address(), serving, "a replica changed");
    }
    replica.set_serving(serving);
    serving
}
