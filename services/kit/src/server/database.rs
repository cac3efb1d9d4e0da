//! Readiness goes with the database of a service: a replica that cannot use it is asked by nobody as long as others
//! can. Whether the process lives has nothing to do with it, since starting anew brings no database back.

use super::Server;
use crate::db::{Database, Patience};

/// The condition that the database of the service can be used.
const DATABASE: &str = "database";

impl Server {
    /// Is not ready once `db` could not be used for ten seconds or a little more, and ready again when it can be.
    #[must_use]
    pub fn resting_on(self, db: &Database) -> Self {
        self.resting_for(db, Patience::default())
    }

    fn resting_for(self, db: &Database, patience: Patience) -> Self {
        let readiness = self.readiness.clone();
        let mut latch = Some(readiness.latch(DATABASE));
        let told = move |lost: bool| {
            let next = lost.then(|| readiness.latch(DATABASE));
            drop(std::mem::replace(&mut latch, next));
        };
        let drain = self.drain.clone();
        tokio::spawn(db.clone().watch_for_loss(patience, drain, told));
        self
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::time::Duration;

    use proto::error::ErrorReason;
    use sea_orm::ConnectionTrait;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::watch;
    use tokio::time::timeout;
    use tonic::transport::Channel;
    use tonic::{Code, Streaming};
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::health_client::HealthClient;
    use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

    use super::*;
    use crate::auth::AuthConfig;
    use crate::clock::SystemClock;
    use crate::db::DatabaseConfig;
    use crate::drain::Drain;
    use crate::scratch;
    use crate::server::{Running, ServerConfig};
    use crate::status::Problem;
    use crate::telemetry::TelemetryConfig;

    /// What a loaded machine needs at most; a test that waits so long has failed.
    const SOON: Duration = Duration::from_secs(60);
    const QUICK: Patience = Patience {
        look: Duration::from_millis(50),
        answer: Duration::from_secs(1),
        lost: Duration::from_secs(1),
    };

    async fn serve(db: &Database) -> Running {
        let auth = AuthConfig::development();
        let (config, clock) = (ServerConfig::loopback(), Arc::new(SystemClock));
        let server = Server::bind(&config, &auth, clock, Drain::new()).await;
        let telemetry = TelemetryConfig {
            listen: Some("127.0.0.1:0".parse().unwrap()),
            ..TelemetryConfig::default()
        };
        let server = server.unwrap().observed("kit-database", &telemetry).await;
        let server = server.unwrap().resting_for(db, QUICK);
        server.serve(tonic::service::Routes::default())
    }

    fn of(service: &str) -> HealthCheckRequest {
        HealthCheckRequest {
            service: service.to_owned(),
        }
    }

    /// Watches whether it is ready.
    async fn watched(running: &Running) -> Streaming<HealthCheckResponse> {
        let mut health = health(running);
        let watching = async {
            loop {
                match health.watch(of("readiness")).await {
                    Ok(states) => return states.into_inner(),
                    // It listens, but has not yet said anything about its health.
                    Err(status) if status.code() == Code::NotFound => {
                        tokio::task::yield_now().await;
                    }
                    Err(status) => panic!("watches: {status:?}"),
                }
            }
        };
        timeout(SOON, watching).await.unwrap()
    }

    fn health(running: &Running) -> HealthClient<Channel> {
        let channel = crate::channel::connect_lazy(&format!("http://{}", running.addr));
        HealthClient::new(channel.unwrap())
    }

    /// Waits until whoever is watched is so.
    async fn until(states: &mut Streaming<HealthCheckResponse>, wanted: ServingStatus) {
        let becoming =
            async { while states.message().await.unwrap().unwrap().status() != wanted {} };
        timeout(SOON, becoming).await.unwrap();
    }

    /// What operators are told.
    async fn page(running: &Running, path: &str) -> String {
        let mut stream = TcpStream::connect(running.page.unwrap()).await.unwrap();
        let ask = format!("GET {path} HTTP/1.1\r\nhost: kit\r\n\r\n");
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// What a call is told that reads, and one that writes.
    async fn refused(db: &Database) -> [ErrorReason; 2] {
        let read = db.read().execute_unprepared("SELECT 1").await;
        let begun = db.begin().await.map(|_| ());
        [read.map(|_| ()), begun].map(|asked| Problem::from(asked.unwrap_err()).reason())
    }

    /// A way to a database server on which what is sent stays while it is cut.
    struct Way {
        addr: SocketAddr,
        cut: watch::Sender<bool>,
    }

    impl Way {
        async fn to(server: &str) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (addr, cut) = (listener.local_addr().unwrap(), watch::Sender::new(false));
            let (server, cuts) = (server.to_owned(), cut.clone());
            tokio::spawn(async move {
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(pass(client, server.clone(), cuts.subscribe()));
                }
            });
            Self { addr, cut }
        }
    }

    async fn becomes(cut: &mut watch::Receiver<bool>, wanted: bool) {
        // Whoever could change it is gone when this fails.
        let _ = cut.wait_for(|cut| *cut == wanted).await;
    }

    /// Carries one connection until the way is cut; it breaks when the way is whole again.
    async fn pass(mut client: TcpStream, server: String, mut cut: watch::Receiver<bool>) {
        let carried = async {
            let mut upstream = TcpStream::connect(server).await?;
            copy_bidirectional(&mut client, &mut upstream).await
        };
        tokio::select! {
            biased;
            () = becomes(&mut cut, true) => {}
            _ = carried => return,
        }
        becomes(&mut cut, false).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_lost_server_makes_a_replica_unready_and_refuses_at_once_until_it_is_back() {
        let Some(scratch) = scratch::postgres().await else {
            return;
        };
        let (before, place) = scratch.url.split_once('@').unwrap();
        let (server, database) = place.split_once('/').unwrap();
        let way = Way::to(server).await;
        let url = format!("{before}@{}/{database}", way.addr);
        let config = DatabaseConfig {
            max_connections: 3,
            acquire_timeout: SOON,
            ..DatabaseConfig::new(url)
        };
        let db = Database::connect(&config).await.unwrap();
        let running = serve(&db).await;
        let mut states = watched(&running).await;
        until(&mut states, ServingStatus::Serving).await;

        way.cut.send_replace(true);
        until(&mut states, ServingStatus::NotServing).await;
        let ready = page(&running, "/readyz").await;
        assert!(ready.ends_with("waits for: database\n"), "{ready}");
        let alive = health(&running).check(of("liveness")).await.unwrap();
        assert_eq!(alive.get_ref().status(), ServingStatus::Serving);
        let alive = page(&running, "/livez").await;
        assert!(alive.ends_with("alive\n"), "{alive}");
        let reasons = timeout(SOON / 2, refused(&db)).await.unwrap();
        assert_eq!(reasons, [ErrorReason::Unavailable; 2]);

        way.cut.send_replace(false);
        until(&mut states, ServingStatus::Serving).await;
        let ready = page(&running, "/readyz").await;
        assert!(ready.ends_with("ready\n"), "{ready}");
        db.begin().await.unwrap().rollback().await.unwrap();
        drop(states);
        running.stop().await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_whose_writer_is_busy_is_not_lost_and_one_that_is_closed_is() {
        let scratch = scratch::sqlite();
        let db = Database::connect(&scratch).await.unwrap();
        let running = serve(&db).await;
        let mut states = watched(&running).await;
        until(&mut states, ServingStatus::Serving).await;
        let busy = db.begin().await.unwrap();
        let waiting = tokio::spawn({
            let db = db.clone();
            async move { db.begin().await?.commit().await }
        });
        let told = timeout(QUICK.lost * 3, states.message()).await;
        assert!(told.is_err(), "{told:?}");
        busy.commit().await.unwrap();
        waiting.await.unwrap().unwrap();

        db.close().await;
        until(&mut states, ServingStatus::NotServing).await;
        assert_eq!(refused(&db).await, [ErrorReason::Unavailable; 2]);
        drop(states);
        running.stop().await.unwrap();
    }
}
