//! A service with a feed, of which several replicas run on one database: it takes commands that change some
//! things together, announces the changes, and lets others watch.

use kit::auth::Caller;
use kit::clock::Clock;
use kit::db::{Backend, Database, Tx, statement};
use kit::drain::Drain;
use kit::feed::{Answers, Change, Feed, Told, announce, spawn_sequencer};
use kit::org::OrgPath;
use kit::request;
use kit::status::Problem;
use prost::Message;
use proto::provider::laboratory_order_sink_server::{
    LaboratoryOrderSink, LaboratoryOrderSinkServer,
};
use proto::provider::{SubmitOrderRequest, SubmitOrderResponse};
use proto::roster::roster_event::State;
use proto::roster::roster_feed_server::{RosterFeed, RosterFeedServer};
use proto::roster::{
    RosterEvent, SnapshotRequest, SnapshotResponse, StaffRoll, WatchRequest, WatchResponse,
};
use sea_orm::{ConnectionTrait, QueryResult};
use tonic::{Request, Response, Status};

use crate::net;
use crate::world::VirtualClock;

/// The feed.
pub(super) const FEED: &str = "simulation";
/// What the service changes.
pub(super) const THINGS: &str =
    "CREATE TABLE things (id BIGINT PRIMARY KEY, version BIGINT NOT NULL)";
/// How many there are.
pub(super) const MANY: i64 = 24;

/// One replica.
#[derive(Clone, Debug)]
struct Replica {
    db: Database,
    feed: Feed,
}

/// Runs a replica until it dies.
pub(super) async fn replica(db: Database) -> turmoil::Result {
    let drain = Drain::new();
    spawn_sequencer(db.clone(), drain.clone());
    let feed = Feed::new(db.clone(), FEED, drain);
    let replica = Replica { db, feed };
    tonic::transport::Server::builder()
        .add_service(RosterFeedServer::new(replica.clone()))
        .add_service(LaboratoryOrderSinkServer::new(replica))
        .serve_with_incoming(net::incoming().await?)
        .await?;
    Ok(())
}

impl Replica {
    /// Changes the things of an order together. They are locked first, in one order for everybody.
    async fn change(&self, tx: &Tx, order: &SubmitOrderRequest) -> Result<(), Problem> {
        let codes = order.tubes.iter().map(|tube| tube.tube_code.as_str());
        let ids = codes.collect::<Vec<_>>().join(", ");
        if tx.backend() == Backend::Postgres {
            let lock = format!("SELECT id FROM things WHERE id IN ({ids}) ORDER BY id FOR UPDATE");
            tx.query_all_raw(statement(tx, &lock, [])).await?;
        }
        let update = format!(
            "UPDATE things SET version = version + 1 WHERE id IN ({ids}) RETURNING id, version"
        );
        let rows = tx.query_all_raw(statement(tx, &update, [])).await?;
        let count = rows.len();
        let changes = rows.iter().enumerate();
        let changes =
            changes.map(|(at, row)| change(row, &format!("{}/{at}/{count}", order.order_id)));
        let mut changes = changes.collect::<Result<Vec<_>, _>>()?;
        // Announced in two parts, so that another transaction can come between.
        let rest = changes.split_off(changes.len() / 2);
        announce(tx, changes).await?;
        announce(tx, rest).await?;
        Ok(())
    }
}

fn change(row: &QueryResult, mark: &str) -> Result<Change, Problem> {
    let (id, version): (i64, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    let event = RosterEvent {
        entity: format!("things/{id:02}"),
        version,
        org_path: "fz/350102".to_owned(),
        removed: version % 7 == 0,
        state: Some(State::StaffRoll(StaffRoll {
            organization: mark.to_owned(),
            members: Vec::new(),
        })),
    };
    Ok(Change {
        feed: FEED,
        kind: "thing",
        entity: event.entity.clone(),
        version,
        removed: event.removed,
        org_path: OrgPath::root(),
        payload: event.encode_to_vec(),
        latest: true,
    })
}

#[tonic::async_trait]
impl LaboratoryOrderSink for Replica {
    async fn submit_order(
        &self,
        request: Request<SubmitOrderRequest>,
    ) -> Result<Response<SubmitOrderResponse>, Status> {
        let order = request.into_inner();
        let caller = Caller::new("client", Vec::new(), OrgPath::root());
        let once = (order.order_id.as_str(), &order);
        let now = VirtualClock.now();
        let acted = request::act(&self.db, &caller, "SubmitOrder", once, now, async |tx| {
            self.change(tx, &order).await?;
            Ok::<_, Problem>(SubmitOrderResponse {
                laboratory_reference: order.order_id.clone(),
            })
        });
        Ok(Response::new(acted.await?))
    }
}

#[tonic::async_trait]
impl RosterFeed for Replica {
    type SnapshotStream = Answers<SnapshotResponse>;
    type WatchStream = Answers<WatchResponse>;

    async fn snapshot(
        &self,
        request: Request<SnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let answer = |told: Told<_>| SnapshotResponse {
            events: told.events,
            page_token: told.page_token,
            resume_token: told.resume_token,
        };
        let token = request.into_inner().page_token;
        Ok(self.feed.serve_snapshot(OrgPath::root(), token, answer))
    }

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let answer = |told: Told<_>| WatchResponse {
            events: told.events,
            resume_token: told.resume_token,
            traceparents: told.origin.traceparents,
            announce_time: told.origin.announce_time,
        };
        let token = request.into_inner().resume_token;
        self.feed.serve_watch(OrgPath::root(), token, answer).await
    }
}
