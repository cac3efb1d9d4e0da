//! From what a service answered to figures: pure functions, one room a service.

pub(crate) mod notification;
pub(crate) mod roster;
pub(crate) mod safety;
pub(crate) mod sampling;
#[cfg(test)]
mod tests;

use prost_types::Timestamp;
use proto::gateway::figure::Breakdown;
use proto::gateway::section::{Kind, State};
use proto::gateway::{Figure, FigureCoverage, Measure, Section};
use proto::privacy::PrivateCount;

use super::source::Source;

/// What a service told of one organisation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Told {
    /// Its place in the tree; empty when the service does not say.
    pub(crate) org_path: String,
    /// Its name; empty when the service does not say.
    pub(crate) display_name: String,
    /// The sections that the source fills, each of them.
    pub(crate) sections: Vec<Section>,
}

/// The figures of one section while they are written down.
#[derive(Debug)]
struct Sheet {
    section: Section,
}

impl Sheet {
    fn new(source: Source, kind: Kind, data_time: Option<Timestamp>) -> Self {
        Self {
            section: Section {
                kind: kind.into(),
                state: State::Current.into(),
                source: source.method().to_owned(),
                data_time,
                ..Section::default()
            },
        }
    }

    fn add(&mut self, draft: Draft) {
        let source = self.section.source.clone();
        let data_time = self.section.data_time;
        self.section.figures.push(Figure {
            source,
            data_time,
            ..draft.0
        });
    }

    /// A figure about which there is nothing more to say.
    fn count(&mut self, measure: Measure, value: impl Into<i64>) {
        self.add(Draft::of(measure, value));
    }
}

/// One figure while it is written down.
#[derive(Debug)]
struct Draft(Figure);

impl Draft {
    fn of(measure: Measure, value: impl Into<i64>) -> Self {
        Self::perhaps(measure, Some(value.into()), false)
    }

    fn perhaps(measure: Measure, value: Option<i64>, hidden: bool) -> Self {
        Self(Figure {
            measure: measure.into(),
            value: value.filter(|_| !hidden),
            hidden,
            ..Figure::default()
        })
    }

    /// A count that may be hidden; one that was not told is not known.
    fn private(measure: Measure, count: Option<PrivateCount>) -> Self {
        let count = count.unwrap_or_default();
        Self::perhaps(measure, count.count.map(i64::from), count.hidden)
    }

    fn part(mut self, breakdown: Breakdown) -> Self {
        self.0.breakdown = Some(breakdown);
        self
    }

    fn coverage(mut self, known: impl Into<i64>, expected: impl Into<i64>) -> Self {
        self.0.coverage = Some(FigureCoverage {
            known_count: known.into(),
            expected_count: expected.into(),
        });
        self
    }

    /// Like [`Draft::coverage`], for a count of what was said: where nobody said anything and somebody
    /// should have, nothing is no zero.
    fn said_by(self, known: impl Into<i64>, expected: impl Into<i64>) -> Self {
        let mut draft = self.coverage(known, expected);
        let silence = draft
            .0
            .coverage
            .is_some_and(|coverage| coverage.known_count <= 0 && coverage.expected_count > 0);
        if silence && draft.0.value == Some(0) {
            draft.0.value = None;
        }
        draft
    }

    fn late(mut self, count: impl Into<i64>) -> Self {
        self.0.late_count = Some(count.into());
        self
    }

    /// How many of what it was counted from were corrected, and when the last one was.
    fn corrected(mut self, count: impl Into<i64>, last: Option<Timestamp>) -> Self {
        self.0.corrected_count = Some(count.into());
        self.0.last_correct_time = last;
        self
    }
}
