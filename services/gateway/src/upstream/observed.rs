//! What is told of a service behind the gateway: how long it takes to answer and how that ends, how many
//! calls are under way to it, and how many of its replicas serve.

use std::sync::Arc;

use kit::telemetry::Outcome;
use kit::telemetry::figures::{Count, Name, Spans};
use tokio::time::Instant;
use tonic::{Code, Status};
use tracing::Span;

use super::{Answered, Unreachable, Upstream};
use crate::limits::Rooms;
use crate::start::SERVICE;

const DURATION: Name = Name::seconds(
    "campus.upstream.duration",
    "How long it took until the answer of a service began, with every try",
);
const REPEATS: Name = Name::count(
    "campus.upstream.repeats",
    "Calls that were made again at another replica",
);
const IN_FLIGHT: Name = Name::count(
    "campus.upstream.in_flight",
    "Calls to a service that wait for its answer to begin",
);
const REPLICAS: Name = Name::count(
    "campus.upstream.replicas",
    "Replicas of a service, by whether they are called",
);
const ROOM: Name = Name::count(
    "campus.upstream.room",
    "How many calls a service is asked for at once that wait for its answer",
);
const INSIDE: Name = Name::count(
    "campus.upstream.inside",
    "How many calls have a place in a service until it answers",
);
const STREAMS: Name = Name::count(
    "campus.upstream.streams",
    "How many streams have a place in a service until they end, by whether they work or watch",
);

/// Tells how calls to one service end.
#[derive(Debug)]
pub(super) struct Observed {
    upstream: &'static str,
    seconds: Spans,
    repeats: Count,
}

impl Observed {
    pub(super) fn new(upstream: &'static str) -> Self {
        Self {
            upstream,
            seconds: DURATION.durations(),
            repeats: REPEATS.counted(),
        }
    }

    /// A span for one try.
    pub(super) fn span(&self) -> Span {
        let upstream = self.upstream;
        tracing::info_span!(
            "upstream",
            otel.name = upstream,
            otel.kind = "client",
            upstream
        )
    }

    /// The call is made again.
    pub(super) fn again(&self) {
        let labels = [("service", SERVICE), ("upstream", self.upstream)];
        self.repeats.add(1, labels);
    }

    /// A call ended like this.
    pub(super) fn ended(&self, ended: &Result<Answered, Unreachable>, began: Instant) {
        let outcome = match ended {
            Ok(response) => {
                let status = Status::from_header_map(response.headers());
                Outcome::of(status.map_or(Code::Ok, |status| status.code())).as_str()
            }
            Err(Unreachable::BrokenOff) => Outcome::Refused.as_str(),
            Err(_) => "unreachable",
        };
        let labels = [
            ("service", SERVICE),
            ("upstream", self.upstream),
            ("outcome", outcome),
        ];
        self.seconds.note(began.elapsed().as_secs_f64(), labels);
    }
}

impl Upstream {
    /// Tells of it and of its rooms as long as it is there.
    pub(crate) fn observe(self: &Arc<Self>, rooms: &Arc<Rooms>) {
        let upstream = self.observed.upstream;
        let labels = [("service", SERVICE), ("upstream", upstream)];
        let known = Arc::downgrade(self);
        IN_FLIGHT.read(labels, move || {
            let replicas = known.upgrade()?.replicas();
            let under_way = replicas.iter().map(|one| one.in_flight());
            Some(under_way.sum::<usize>() as f64)
        });
        for (state, is_called) in [("called", true), ("left_out", false)] {
            let known = Arc::downgrade(self);
            let labels = [
                ("service", SERVICE),
                ("upstream", upstream),
                ("state", state),
            ];
            REPLICAS.read(labels, move || {
                let (replicas, now) = (known.upgrade()?.replicas(), Instant::now());
                let called = replicas.iter().filter(|one| {
                    let called = one.is_serving() && !one.record().is_out(now);
                    called == is_called
                });
                Some(called.count() as f64)
            });
        }
        let known = Arc::downgrade(&rooms.calls);
        ROOM.read(labels, move || Some(known.upgrade()?.size().0));
        let known = Arc::downgrade(&rooms.calls);
        INSIDE.read(labels, move || Some(known.upgrade()?.size().1 as f64));
        for (state, room) in [("working", &rooms.streams), ("watching", &rooms.watches)] {
            let known = Arc::downgrade(room);
            let labels = [
                ("service", SERVICE),
                ("upstream", upstream),
                ("state", state),
            ];
            STREAMS.read(labels, move || Some(known.upgrade()?.size().1 as f64));
        }
    }
}
