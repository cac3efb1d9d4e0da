//! Refusals: recorded without making anybody wait, and few of them however many there are.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::record::Record;
use super::writer::Writer;
use crate::drain::Drain;
use crate::telemetry::figures::{Count, Name};

/// How many refusals may wait to be looked at before more are dropped and counted.
const WAITING: usize = 1024;
/// How many senders are told apart within a minute; what more of them are refused is dropped and counted.
const SENDERS: usize = 4096;
/// The refusals of one kind in this time are one record.
const WINDOW: Duration = Duration::from_secs(60);

/// Refusals that stand in no log.
pub const REFUSALS_DROPPED: Name = Name::count(
    "campus.audit.refusals.dropped",
    "Refusals that were not recorded, since there were too many or nobody took them",
);

/// Counts what is dropped.
#[derive(Clone, Debug)]
struct Dropped {
    service: &'static str,
    count: Count,
}

impl Dropped {
    fn add(&self, refusals: u64) {
        self.count.add(refusals, [("service", self.service)]);
    }
}

/// What makes two refusals the same: who was refused which method, and why.
type Sameness = (String, String, String);

/// Refusals that repeat the one that was recorded, since when.
#[derive(Debug)]
struct Repeats {
    since: Instant,
    last: Option<Record>,
}

/// Takes refusals.
#[derive(Clone, Debug)]
pub(super) struct Refusals {
    queue: mpsc::Sender<Record>,
    dropped: Dropped,
}

impl Refusals {
    pub(super) fn start(writer: Writer, service: &'static str, drain: Drain) -> Self {
        let dropped = Dropped {
            service,
            count: REFUSALS_DROPPED.counted(),
        };
        let (queue, waiting) = mpsc::channel(WAITING);
        tokio::spawn(run(waiting, writer, dropped.clone(), drain));
        Self { queue, dropped }
    }

    /// Notes a refusal.
    pub(super) fn note(&self, record: Record) {
        if self.queue.try_send(record).is_err() {
            self.dropped.add(1);
        }
    }
}

async fn run(mut waiting: mpsc::Receiver<Record>, writer: Writer, dropped: Dropped, drain: Drain) {
    let mut known = Known::default();
    let mut minute = tokio::time::interval(WINDOW / 12);
    minute.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let due = tokio::select! {
            record = waiting.recv() => match record {
                Some(record) => known.take(record, Instant::now()),
                None => return,
            },
            _ = minute.tick() => known.over(Instant::now()),
            () = drain.draining() => {
                waiting.close();
                let mut due = Vec::new();
                while let Some(record) = waiting.recv().await {
                    due.extend(known.take(record, Instant::now()).records);
                }
                due.extend(known.rest());
                Due { records: due, dropped: 0 }
            }
        };
        dropped.add(due.dropped);
        for record in due.records {
            let count = record.call_count.unsigned_abs();
            if writer.durable(record).await.is_err() {
                dropped.add(count);
            }
        }
        if drain.is_draining() && waiting.is_closed() {
            return;
        }
    }
}

/// What is to be recorded now, and how many refusals were too many.
#[derive(Debug, Default, PartialEq, Eq)]
struct Due {
    records: Vec<Record>,
    dropped: u64,
}

#[derive(Debug, Default)]
struct Known(HashMap<Sameness, Repeats>);

impl Known {
    /// The first of its kind is recorded at once; those that follow within the window are counted.
    fn take(&mut self, record: Record, now: Instant) -> Due {
        let sameness = (
            record.subject.clone(),
            record.method.clone(),
            record.error_reason.clone(),
        );
        if let Some(repeats) = self.0.get_mut(&sameness) {
            let before = repeats.last.as_ref().map_or(0, |last| last.call_count);
            let call_count = before + record.call_count;
            repeats.last = Some(Record {
                call_count,
                ..record
            });
            return Due::default();
        }
        if self.0.len() >= SENDERS {
            return Due {
                records: Vec::new(),
                dropped: 1,
            };
        }
        let repeats = Repeats {
            since: now,
            last: None,
        };
        self.0.insert(sameness, repeats);
        Due {
            records: vec![record],
            dropped: 0,
        }
    }

    /// The repeats whose window is over. Whoever went on is counted in the next window.
    fn over(&mut self, now: Instant) -> Due {
        let mut records = Vec::new();
        self.0.retain(|_, repeats| {
            if now.duration_since(repeats.since) < WINDOW {
                return true;
            }
            repeats.since = now;
            let last = repeats.last.take();
            let goes_on = last.is_some();
            records.extend(last);
            goes_on
        });
        Due {
            records,
            dropped: 0,
        }
    }

    fn rest(&mut self) -> Vec<Record> {
        let rest = self.0.drain();
        rest.filter_map(|(_, repeats)| repeats.last).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(subject: &str) -> Record {
        Record {
            subject: subject.to_owned(),
            call_count: 1,
            ..Record::default()
        }
    }

    #[test]
    fn a_thousand_refusals_of_one_sender_are_one_record_and_one_with_their_count() {
        let (mut known, begin) = (Known::default(), Instant::now());
        assert_eq!(known.take(refusal("a"), begin).records, [refusal("a")]);
        for _ in 1..1000 {
            assert_eq!(known.take(refusal("a"), begin), Due::default());
        }
        assert_eq!(known.over(begin + WINDOW / 2), Due::default());
        let counted = Record {
            call_count: 999,
            ..refusal("a")
        };
        assert_eq!(known.over(begin + WINDOW).records, [counted]);
        assert_eq!(known.over(begin + WINDOW * 2), Due::default());
        assert!(known.0.is_empty());
    }

    #[test]
    fn more_senders_than_can_be_told_apart_are_counted_as_dropped() {
        let (mut known, now) = (Known::default(), Instant::now());
        for sender in 0..SENDERS {
            assert_eq!(known.take(refusal(&sender.to_string()), now).dropped, 0);
        }
        assert_eq!(known.take(refusal("one more"), now).dropped, 1);
        assert_eq!(known.0.len(), SENDERS);
    }
}
