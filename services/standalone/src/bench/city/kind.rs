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
}

impl Kind {
    pub(super) const ALL: [Self; 15] = [
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
        }
    }

    /// The milliseconds that its p99 may take.
    pub(super) fn promise(self) -> f64 {
        match self {
            Self::Entry | Self::Recheck => 20.0,
            Self::Coverage => 50.0,
            Self::Check | Self::RoomCheck | Self::Opening | Self::Swab | Self::Sealing => 100.0,
            // Several calls one after the other, or many decisions in one.
            Self::Batch | Self::Trace | Self::Signature | Self::Delivery | Self::Overview => {
                1_000.0
            }
            Self::Results => 10_000.0,
            Self::Order => 60_000.0,
        }
    }
}
