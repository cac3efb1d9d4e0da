//! The roster as a saga needs it: it orders that records are destroyed, and takes the reports of the services
//! that did. Several replicas run on one database.

use kit::auth::Caller;
use kit::clock::Clock;
use kit::db::{Database, Tx, statement};
use kit::drain::Drain;
use kit::feed::{Answers, Change, Feed, Told, announce, spawn_sequencer};
use kit::field::to_timestamp;
use kit::org::OrgPath;
use kit::request;
use kit::status::Problem;
use prost::Message;
use proto::error::ErrorReason;
use proto::roster as pb;
use proto::roster::destruction_service_server::{DestructionService, DestructionServiceServer};
use proto::roster::roster_event::State;
use proto::roster::roster_feed_server::{RosterFeed, RosterFeedServer};
use sea_orm::ConnectionTrait;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::net;
use crate::world::{EPOCH, VirtualClock};

/// What was ordered, and each report that was taken: one that is taken twice stands twice.
pub(super) const TABLES: [&str; 2] = [
    "CREATE TABLE jobs (id TEXT PRIMARY KEY)",
    "CREATE TABLE reports (id TEXT PRIMARY KEY, job TEXT NOT NULL, service TEXT NOT NULL,
        destroyed BIGINT NOT NULL, remaining BIGINT NOT NULL)",
];
/// Which category is kept of which job, and by which service.
pub(super) const KEPT: (u32, &str, &str) = (2, "sampling", "contacts");

const FEED: &str = "roster";

/// The job of this number.
pub(super) fn job(number: u32) -> String {
    format!("destructionJobs/{number}")
}

/// The emergency of the job of this number.
pub(super) fn emergency(number: u32) -> Uuid {
    Uuid::from_u128(u128::from(number))
}

/// Whether the roster refuses a job, at the last moment.
pub(super) fn is_refused(number: u32) -> bool {
    number.is_multiple_of(3)
}

/// One replica.
#[derive(Clone, Debug)]
struct Roster {
    db: Database,
    feed: Feed,
}

/// Runs a replica until it dies.
pub(super) async fn replica(db: Database) -> turmoil::Result {
    let drain = Drain::new();
    spawn_sequencer(db.clone(), drain.clone());
    let feed = Feed::new(db.clone(), FEED, drain);
    let roster = Roster { db, feed };
    tonic::transport::Server::builder()
        .add_service(RosterFeedServer::new(roster.clone()))
        .add_service(DestructionServiceServer::new(roster))
        .serve_with_incoming(net::incoming().await?)
        .await?;
    Ok(())
}

fn order(number: u32) -> pb::DestructionOrder {
    let instant = |millis| chrono::DateTime::from_timestamp_millis(millis).map(to_timestamp);
    let (kept_of, service, category) = KEPT;
    let keep = pb::KeptCategory {
        service: service.to_owned(),
        category: category.to_owned(),
        legal_reason: "档案法".to_owned(),
    };
    pb::DestructionOrder {
        destruction_job: job(number),
        emergency: Some(pb::Emergency {
            name: format!("emergencies/{}", emergency(number).hyphenated()),
            start_time: instant(EPOCH - 2000),
            end_time: instant(EPOCH - 1000),
            ..pb::Emergency::default()
        }),
        keeps: (number == kept_of).then_some(keep).into_iter().collect(),
    }
}

async fn ordered(tx: &Tx, name: &str) -> Result<pb::DestructionJob, Problem> {
    let number = name
        .rsplit('/')
        .next()
        .and_then(|number| number.parse().ok());
    let number = number.ok_or_else(|| Problem::new(ErrorReason::NotFound))?;
    let insert = statement(tx, "INSERT INTO jobs (id) VALUES ($1)", [name.into()]);
    tx.execute_raw(insert).await?;
    let event = pb::RosterEvent {
        entity: name.to_owned(),
        version: 1,
        state: Some(State::DestructionOrder(order(number))),
        ..pb::RosterEvent::default()
    };
    let change = Change {
        feed: FEED,
        kind: "destruction-order",
        entity: name.to_owned(),
        version: 1,
        removed: false,
        org_path: OrgPath::root(),
        payload: event.encode_to_vec(),
        latest: true,
    };
    announce(tx, vec![change]).await?;
    if is_refused(number) {
        return Err(Problem::new(ErrorReason::DestructionIncomplete));
    }
    Ok(pb::DestructionJob {
        name: name.to_owned(),
        state: pb::destruction_job::State::Running.into(),
        ..pb::DestructionJob::default()
    })
}

async fn reported(
    tx: &Tx,
    told: &pb::ReportDestructionRequest,
) -> Result<pb::ReportDestructionResponse, Problem> {
    let report = told.report.clone().unwrap_or_default();
    let sum = |count: fn(&pb::destruction_report::CategoryReport) -> i64| -> i64 {
        report.categories.iter().map(count).sum()
    };
    let insert = statement(
        tx,
        "INSERT INTO reports (id, job, service, destroyed, remaining) VALUES ($1, $2, $3, $4, $5)",
        [
            Uuid::new_v4().to_string().into(),
            told.name.clone().into(),
            report.service.clone().into(),
            sum(|category| category.destroyed_count).into(),
            sum(|category| category.remaining_count).into(),
        ],
    );
    tx.execute_raw(insert).await?;
    Ok(pb::ReportDestructionResponse {})
}

fn unasked<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("nobody asks for it here"))
}

#[tonic::async_trait]
impl DestructionService for Roster {
    async fn run_destruction(
        &self,
        request: Request<pb::RunDestructionRequest>,
    ) -> Result<Response<pb::DestructionJob>, Status> {
        let request = request.into_inner();
        let caller = Caller::new("clerk", Vec::new(), OrgPath::root());
        let once = (request.request_id.as_str(), &request);
        let now = VirtualClock.now();
        let acted = request::act(&self.db, &caller, "RunDestruction", once, now, async |tx| {
            ordered(tx, &request.name).await
        });
        Ok(Response::new(acted.await?))
    }

    async fn report_destruction(
        &self,
        request: Request<pb::ReportDestructionRequest>,
    ) -> Result<Response<pb::ReportDestructionResponse>, Status> {
        let request = request.into_inner();
        let caller = Caller::new("service", Vec::new(), OrgPath::root());
        let once = (request.request_id.as_str(), &request);
        let now = VirtualClock.now();
        let acted = request::act(
            &self.db,
            &caller,
            "ReportDestruction",
            once,
            now,
            async |tx| reported(tx, &request).await,
        );
        Ok(Response::new(acted.await?))
    }

    async fn get_destruction_job(
        &self,
        _: Request<pb::GetDestructionJobRequest>,
    ) -> Result<Response<pb::DestructionJob>, Status> {
        unasked()
    }

    async fn list_destruction_jobs(
        &self,
        _: Request<pb::ListDestructionJobsRequest>,
    ) -> Result<Response<pb::ListDestructionJobsResponse>, Status> {
        unasked()
    }

    async fn propose_destruction(
        &self,
        _: Request<pb::ProposeDestructionRequest>,
    ) -> Result<Response<pb::DestructionJob>, Status> {
        unasked()
    }

    async fn assess_destruction(
        &self,
        _: Request<pb::AssessDestructionRequest>,
    ) -> Result<Response<pb::DestructionJob>, Status> {
        unasked()
    }

    async fn approve_destruction(
        &self,
        _: Request<pb::ApproveDestructionRequest>,
    ) -> Result<Response<pb::DestructionJob>, Status> {
        unasked()
    }

    async fn reject_destruction(
        &self,
        _: Request<pb::RejectDestructionRequest>,
    ) -> Result<Response<pb::DestructionJob>, Status> {
        unasked()
    }

    async fn withdraw_destruction(
        &self,
        _: Request<pb::WithdrawDestructionRequest>,
    ) -> Result<Response<pb::DestructionJob>, Status> {
        unasked()
    }

    async fn confirm_destruction(
        &self,
        _: Request<pb::ConfirmDestructionRequest>,
    ) -> Result<Response<pb::DestructionJob>, Status> {
        unasked()
    }

    async fn certify_destruction(
        &self,
        _: Request<pb::CertifyDestructionRequest>,
    ) -> Result<Response<pb::DestructionCertificate>, Status> {
        unasked()
    }

    async fn get_destruction_certificate(
        &self,
        _: Request<pb::GetDestructionCertificateRequest>,
    ) -> Result<Response<pb::DestructionCertificate>, Status> {
        unasked()
    }
}

#[tonic::async_trait]
impl RosterFeed for Roster {
    type SnapshotStream = Answers<pb::SnapshotResponse>;
    type WatchStream = Answers<pb::WatchResponse>;

    async fn snapshot(
        &self,
        request: Request<pb::SnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let answer = |told: Told<_>| pb::SnapshotResponse {
            events: told.events,
            page_token: told.page_token,
            resume_token: told.resume_token,
        };
        let token = request.into_inner().page_token;
        Ok(self.feed.serve_snapshot(OrgPath::root(), token, answer))
    }

    async fn watch(
        &self,
        request: Request<pb::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let answer = |told: Told<_>| pb::WatchResponse {
            events: told.events,
            resume_token: told.resume_token,
            traceparents: told.origin.traceparents,
            announce_time: told.origin.announce_time,
        };
        let token = request.into_inner().resume_token;
        self.feed.serve_watch(OrgPath::root(), token, answer).await
    }
}
