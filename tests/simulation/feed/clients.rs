//! Those who use the service: some write, and send again what was not acknowledged; some watch, go away in the
//! midst of it and come back to whichever replica.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kit::channel::Channel;
use proto::provider::laboratory_order_sink_client::LaboratoryOrderSinkClient;
use proto::provider::{OrderedTube, SubmitOrderRequest};
use proto::roster::roster_event::State;
use proto::roster::roster_feed_client::RosterFeedClient;
use proto::roster::{RosterEvent, SnapshotRequest, WatchRequest};
use tonic::{Request, Status};

use super::service::MANY;
use super::validate::{Event, Session};
use crate::chance::Chance;
use crate::trace::Trace;
use crate::world::now;

/// How long a caller waits for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What clients were told.
#[derive(Clone, Debug, Default)]
pub(super) struct Record(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
pub(super) struct Told {
    /// The orders that were acknowledged.
    pub(super) acknowledged: Vec<String>,
    /// How many writers have nothing more to write.
    pub(super) writers_done: usize,
    /// What watchers saw, each time from when they came to when they went, or until now.
    pub(super) sessions: Vec<Session>,
}

impl Record {
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Told) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A watch begins; where it stands among the others.
    fn begin(&self, session: Session) -> usize {
        self.with(|told| {
            told.sessions.push(session);
            told.sessions.len() - 1
        })
    }
}

/// Writes so many orders, one after the other.
pub(super) async fn writer(
    channel: Channel,
    chance: Chance,
    (record, trace): (Record, Trace),
    orders: u64,
) -> turmoil::Result {
    let mut client = LaboratoryOrderSinkClient::new(channel);
    for _ in 0..orders {
        let mut things: Vec<i64> = (0..chance.between(1, 6))
            .map(|_| i64::try_from(chance.between(1, MANY.unsigned_abs())).unwrap_or(1))
            .collect();
        things.sort_unstable();
        things.dedup();
        let order = SubmitOrderRequest {
            order_id: chance.uuid().to_string(),
            tubes: things.into_iter().map(tube).collect(),
            ..SubmitOrderRequest::default()
        };
        loop {
            let mut request = Request::new(order.clone());
            request.set_timeout(PATIENCE);
            let answer = tokio::time::timeout(PATIENCE, client.submit_order(request)).await;
            let done = matches!(answer, Ok(Ok(_)));
            trace.note(now(), format_args!("order {} -> {done}", order.order_id));
            if done {
                record.with(|told| told.acknowledged.push(order.order_id.clone()));
                break;
            }
            let wait = chance.between(10, 200);
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        let wait = chance.between(0, 60);
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    record.with(|told| told.writers_done += 1);
    std::future::pending().await
}

fn tube(id: i64) -> OrderedTube {
    OrderedTube {
        tube_code: id.to_string(),
        ..OrderedTube::default()
    }
}

/// Watches for ever, over and over.
pub(super) async fn watcher(
    host: &'static str,
    channel: Channel,
    chance: Chance,
    (record, trace): (Record, Trace),
) -> turmoil::Result {
    let mut client = RosterFeedClient::new(channel);
    // Where to go on, and some places from which it went on before.
    let mut places: Vec<String> = Vec::new();
    loop {
        let place = match places.last() {
            None => None,
            // Now and then from an older place: the same comes again.
            Some(_) if chance.hits(0.1) => {
                let at = chance.between(0, places.len() as u64 - 1);
                usize::try_from(at)
                    .ok()
                    .and_then(|at| places.get(at))
                    .cloned()
            }
            Some(last) => Some(last.clone()),
        };
        let ended = match place {
            None => snapshot(&mut client, &mut places).await,
            Some(place) => {
                let session = record.begin(Session::of(host, &place));
                let most = chance.between(1, 40);
                let telling = (&record, session);
                let ended = watch(&mut client, place, most, telling, &mut places).await;
                record.with(|told| {
                    let session = &told.sessions[session];
                    trace.note(now(), format_args!("{host} saw {session:?}"));
                });
                ended
            }
        };
        if let Err(status) = ended {
            trace.note(now(), format_args!("{host} hears {:?}", status.code()));
            if status.code() == tonic::Code::FailedPrecondition {
                places.clear();
            }
        }
        let wait = chance.between(1, 100);
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}

async fn snapshot(
    client: &mut RosterFeedClient<Channel>,
    places: &mut Vec<String>,
) -> Result<(), Status> {
    let request = SnapshotRequest {
        page_token: String::new(),
    };
    let reading = async {
        let mut pages = client.snapshot(request).await?.into_inner();
        while let Some(page) = pages.message().await? {
            if !page.resume_token.is_empty() {
                places.push(page.resume_token);
            }
        }
        Ok::<_, Status>(())
    };
    let read = tokio::time::timeout(PATIENCE, reading).await;
    read.unwrap_or_else(|_| Err(Status::deadline_exceeded("slow")))
}

/// Watches from `place` until `most` changes were seen, or nothing comes for a while.
async fn watch(
    client: &mut RosterFeedClient<Channel>,
    place: String,
    most: u64,
    (record, session): (&Record, usize),
    places: &mut Vec<String>,
) -> Result<(), Status> {
    let late = || Status::deadline_exceeded("slow");
    let opened = client.watch(WatchRequest {
        resume_token: place,
    });
    let opened = tokio::time::timeout(PATIENCE, opened).await;
    let mut pages = opened.unwrap_or_else(|_| Err(late()))?.into_inner();
    let mut seen = 0;
    while seen < usize::try_from(most).unwrap_or(usize::MAX) {
        // Longer than the service may keep silent.
        let page = tokio::time::timeout(Duration::from_secs(8), pages.message()).await;
        let Some(page) = page.unwrap_or_else(|_| Err(late()))? else {
            return Ok(());
        };
        seen += page.events.len();
        record.with(|told| {
            let session = &mut told.sessions[session];
            session.events.extend(page.events.iter().map(event));
            session.bookmarks.push((seen, seq_of(&page.resume_token)));
        });
        places.push(page.resume_token);
    }
    Ok(())
}

/// An event as validators see it.
pub(super) fn event(event: &RosterEvent) -> Event {
    let mark = match &event.state {
        Some(State::StaffRoll(roll)) => roll.organization.clone(),
        other => panic!("nobody announces {other:?}"),
    };
    Event {
        entity: event.entity.clone(),
        version: event.version,
        mark,
    }
}

/// The place that a token stands for; clients know nothing of it.
pub(super) fn seq_of(token: &str) -> i64 {
    let bytes = URL_SAFE_NO_PAD.decode(token).expect("a token");
    let position: serde_json::Value = serde_json::from_slice(&bytes[16..]).expect("a position");
    position["seq"].as_i64().expect("a place")
}
