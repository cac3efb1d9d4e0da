//! What is counted of every call: how many there are, how they end, how long they take, and how many are
//! under way. Labels are names of the contracts and codes of gRPC, nothing that a caller writes.

use std::time::Instant;

use opentelemetry::metrics::{Counter, Histogram, UpDownCounter};
use opentelemetry::{KeyValue, global};
use tonic::Code;

use super::METER;
use super::exemplars::{Collected, KEPT};
use super::figures::QUICK;

/// The metric with the most series.
pub(super) const COUNTED: &str = "campus.rpc.calls";

/// How a call ended, for those who promise something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As its caller wished.
    Ok,
    /// Its caller asked for what cannot be, or went away.
    Refused,
    /// There was too much to do.
    Shed,
    /// The service could not do what it should.
    Failed,
}

impl Outcome {
    /// What a code says.
    pub fn of(code: Code) -> Self {
        match code {
            Code::Ok => Self::Ok,
            Code::ResourceExhausted => Self::Shed,
            Code::Unknown
            | Code::DeadlineExceeded
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => Self::Failed,
            Code::Cancelled
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Unauthenticated => Self::Refused,
        }
    }

    /// The label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Shed => "shed",
            Self::Failed => "failed",
        }
    }
}

/// Counts the calls to one service. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    service: &'static str,
    calls: Counter<u64>,
    seconds: Histogram<f64>,
    in_flight: UpDownCounter<i64>,
}

impl Calls {
    pub(crate) fn to(service: &'static str) -> Self {
        let meter = global::meter(METER);
        Self {
            service,
            calls: meter
                .u64_counter(COUNTED)
                .with_description("Calls that were answered, by method and code of gRPC")
                .build(),
            seconds: meter
                .f64_histogram("campus.rpc.duration")
                .with_unit("s")
                .with_description("How long it took until an answer began")
                .with_boundaries(QUICK.to_vec())
                .build(),
            in_flight: meter
                .i64_up_down_counter("campus.rpc.in_flight")
                .with_description("Calls under way, streams until their end")
                .build(),
        }
    }

    /// A call begins.
    pub(crate) fn begin(&self, called: Called) -> Call {
        let Called {
            contract,
            method,
            kind,
        } = called;
        let call = Call {
            calls: self.clone(),
            called,
            labels: [
                KeyValue::new("service", self.service),
                KeyValue::new("contract", contract),
                KeyValue::new("method", method),
                KeyValue::new("kind", kind),
                KeyValue::new("outcome", ""),
            ],
            began: Instant::now(),
            counted: false,
        };
        self.in_flight.add(1, call.called());
        call
    }
}

/// What is called: names of a contract.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Called {
    /// Such as `campus.safety.v1.GateService`.
    pub(crate) contract: &'static str,
    /// Such as `CheckEntry`.
    pub(crate) method: &'static str,
    /// `read`, `act`, or `stream` where either side sends many messages.
    pub(crate) kind: &'static str,
}

/// A call under way. One that is dropped before it was answered was given up by its caller.
#[derive(Debug)]
pub(crate) struct Call {
    calls: Calls,
    called: Called,
    /// What is called and, last, how it ended.
    labels: [KeyValue; 5],
    began: Instant,
    counted: bool,
}

impl Call {
    /// The answer begins, of a call of which a trace may be collected. A stream may still end otherwise.
    pub(crate) fn answered(&mut self, outcome: Outcome, collected: Option<Collected>) {
        let outcome = outcome.as_str();
        self.label("outcome", outcome);
        let seconds = self.began.elapsed().as_secs_f64();
        self.calls.seconds.record(seconds, &self.labels);
        if let Some(collected) = collected {
            let Called {
                contract,
                method,
                kind,
            } = self.called;
            let series = [self.calls.service, contract, method, kind, outcome];
            KEPT.keep(series, collected.exemplar(seconds));
        }
    }

    /// The answer has ended.
    pub(crate) fn ended(mut self, code: Code) {
        self.count(code);
    }

    fn count(&mut self, code: Code) {
        self.counted = true;
        self.label("code", name(code));
        self.calls.calls.add(1, &self.labels);
    }

    /// What is called, however it ends.
    fn called(&self) -> &[KeyValue] {
        let [called @ .., _] = &self.labels;
        called
    }

    fn label(&mut self, name: &'static str, value: &'static str) {
        let [.., last] = &mut self.labels;
        *last = KeyValue::new(name, value);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.counted {
            self.count(Code::Cancelled);
        }
        self.calls.in_flight.add(-1, self.called());
    }
}

/// A code as the specification of gRPC writes it.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
