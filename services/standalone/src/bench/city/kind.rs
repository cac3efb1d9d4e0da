//! The kinds of acts, and what is promised of each.

/// What is counted and timed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Entry,
    Recheck,
    Batch,
    Check,
    RoomCheck,
    Trace,
    Order,
    Signature,
    Opening,
    Swab,
    Sealing,
    Delivery,
    Results,
    Coverage,
    Overview,
    Appointment,
    Approval,
    Arrival,
    Departure,
    Hazard,
    Handling,
    Notice,
    Reading,
    Attendance,
    Handover,
    Round,
}

impl Kind {
    pub(super) const ALL: [Self; 26] = [
        Self::Entry,
        Self::Recheck,
        Self::Batch,
        Self::Check,
        Self::RoomCheck,
        Self::Trace,
        Self::Order,
        Self::Signature,
        Self::Opening,
        Self::Swab,
        Self::Sealing,
        Self::Delivery,
        Self::Results,
        Self::Coverage,
        Self::Overview,
        Self::Appointment,
        Self::Approval,
        Self::Arrival,
        Self::Departure,
        Self::Hazard,
        Self::Handling,
        Self::Notice,
        Self::Reading,
        Self::Attendance,
        Self::Handover,
        Self::Round,
    ];

    /// As it is called, and its p99 among the figures.
    pub(super) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Entry => ("gate decisions", "gate decisions, p99"),
            Self::Recheck => ("gate rechecks", "gate rechecks, p99"),
            Self::Batch => ("batches of offline gates", "batches of offline gates, p99"),
            Self::Check => ("checks of class groups", "checks of class groups, p99"),
            Self::RoomCheck => ("checks of rooms", "checks of rooms, p99"),
            Self::Trace => ("absences traced", "absences traced, p99"),
            Self::Order => ("orders to all schools", "orders to all schools, p99"),
            Self::Signature => ("orders signed", "orders signed, p99"),
            Self::Opening => ("tubes opened", "tubes opened, p99"),
            Self::Swab => ("swabs scanned", "swabs scanned, p99"),
            Self::Sealing => ("tubes sealed", "tubes sealed, p99"),
            Self::Delivery => ("tubes delivered", "tubes delivered, p99"),
            Self::Results => ("batches of results", "batches of results, p99"),
            Self::Coverage => ("coverage asked", "coverage asked, p99"),
            Self::Overview => ("overviews asked", "overviews asked, p99"),
            Self::Appointment => ("visits asked for", "visits asked for, p99"),
            Self::Approval => ("visits agreed to", "visits agreed to, p99"),
            Self::Arrival => ("visitors at gates", "visitors at gates, p99"),
            Self::Departure => ("visitors out again", "visitors out again, p99"),
            Self::Hazard => ("hazards reported", "hazards reported, p99"),
            Self::Handling => ("acts on hazards", "acts on hazards, p99"),
            Self::Notice => ("messages to all families", "messages to all families, p99"),
            Self::Reading => ("inboxes read", "inboxes read, p99"),
            Self::Attendance => ("duty signed in", "duty signed in, p99"),
            Self::Handover => ("duty handed over", "duty handed over, p99"),
            Self::Round => ("rounds on duty", "rounds on duty, p99"),
        }
    }

    /// The milliseconds that its p99 may take.
    pub(super) fn promise(self) -> f64 {
        match self {
            Self::Entry | Self::Recheck => 20.0,
            Self::Coverage => 50.0,
            Self::Check | Self::RoomCheck | Self::Opening | Self::Swab | Self::Sealing => 100.0,
            // Several calls one after the other, many decisions in one, or somebody waits for a person.
            Self::Batch
            | Self::Trace
            | Self::Signature
            | Self::Delivery
            | Self::Overview
            | Self::Appointment
            | Self::Approval
            | Self::Arrival
            | Self::Departure
            | Self::Hazard
            | Self::Handling
            | Self::Reading
            | Self::Attendance
            | Self::Handover
            | Self::Round => 1_000.0,
            Self::Results => 10_000.0,
            Self::Order | Self::Notice => 60_000.0,
        }
    }
}
