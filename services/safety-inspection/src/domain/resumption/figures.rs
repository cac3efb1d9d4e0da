//! How ready a part of the city is: kept lines of resumptions, added up.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::checklist::Summary;
use super::guards::Kind;
use super::state::State;

/// What is kept of one resumption for whoever looks at many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The place of the school.
    pub org_path: String,
    /// Where it stands.
    pub state: State,
    /// By its answers.
    pub summary: Summary,
    /// The guards that block.
    pub guards: Vec<Kind>,
    /// When they were asked.
    pub checked: Option<DateTime<Utc>>,
}

impl Line {
    /// Lacks nothing and is blocked by nothing, as far as anybody looked.
    pub fn is_ready(&self) -> bool {
        let looked = self.checked.is_some() && self.summary.items > 0;
        looked && self.summary.open == 0 && self.guards.is_empty()
    }
}

/// How ready a part of the city is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figure {
    /// How many resumptions there are.
    pub resumptions: u32,
    /// How many are back at school.
    pub returned: u32,
    /// How many of the others are ready.
    pub ready: u32,
    /// How many of the others are silent.
    pub silent: u32,
    /// The sum of all scores, a silent one counted as 0.
    pub scores: u64,
    /// How many of those not back lack mandatory items, by category.
    pub open: BTreeMap<u8, u32>,
    /// How many of those not back are blocked, by guard.
    pub blocked: BTreeMap<Kind, u32>,
    /// When the guards of those not back were asked, the longest ago; none of the inner option when
    /// one never was.
    pub oldest: Option<Option<DateTime<Utc>>>,
}

impl Figure {
    /// Counts one more.
    pub fn add(&mut self, line: &Line) {
        self.resumptions += 1;
        self.scores += u64::from(line.summary.score.unwrap_or_default());
        if line.state.is_open() {
            self.returned += 1;
            return;
        }
        self.ready += u32::from(line.is_ready());
        self.silent += u32::from(line.summary.score.is_none());
        for category in &line.summary.categories {
            *self.open.entry(*category).or_default() += 1;
        }
        for guard in &line.guards {
            *self.blocked.entry(*guard).or_default() += 1;
        }
        self.oldest = Some(
            self.oldest
                .map_or(line.checked, |known| known.min(line.checked)),
        );
    }

    /// 0 to 100, rounded down: the mean score; 0 without any.
    pub fn score(&self) -> u8 {
        let mean = self.scores.checked_div(self.resumptions.into());
        u8::try_from(mean.unwrap_or_default()).unwrap_or(100)
    }

    /// Sorts the least ready first: by the share of those that are neither back nor ready, then by
    /// the score.
    pub fn rank(&self) -> (u64, u8) {
        let done = u64::from(self.returned + self.ready) * 1_000_000;
        let share = done.checked_div(self.resumptions.into());
        (share.unwrap_or_default(), self.score())
    }
}

/// The figures of an organisation at `place`: its own, and those of each organisation directly below
/// it by their id.
pub fn figures<'a>(
    place: &str,
    lines: impl Iterator<Item = &'a Line>,
) -> (Figure, BTreeMap<String, Figure>) {
    let mut total = Figure::default();
    let mut parts: BTreeMap<String, Figure> = BTreeMap::new();
    for line in lines {
        total.add(line);
        let below = line.org_path.strip_prefix(place);
        let below = below.and_then(|below| below.strip_prefix('/'));
        if let Some(id) = below.and_then(|below| below.split('/').next()) {
            parts.entry(id.to_owned()).or_default().add(line);
        }
    }
    (total, parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line() -> impl Strategy<Value = Line> {
        let parts = (0u8..3, 0u8..4, 0usize..13, proptest::option::of(0u8..=100));
        (parts, 0u32..3, proptest::option::of(0i64..1000)).prop_map(
            |((district, school, state, score), open, checked)| Line {
                org_path: format!("fz/d{district}/s{school}"),
                state: State::ALL[state],
                summary: Summary {
                    score,
                    items: 50,
                    met: 50 - open,
                    open,
                    categories: (0..open)
                        .map(|one| u8::try_from(one).unwrap() + 1)
                        .collect(),
                },
                guards: Kind::ALL[2..2 + open as usize].to_vec(),
                checked: checked.and_then(DateTime::from_timestamp_millis),
            },
        )
    }

    proptest! {
        #[test]
        fn the_whole_is_the_sum_of_its_parts(lines in proptest::collection::vec(line(), 0..40)) {
            let (total, parts) = figures("fz", lines.iter());
            let sum = |of: fn(&Figure) -> u64| parts.values().map(of).sum::<u64>();
            prop_assert_eq!(u64::from(total.resumptions), sum(|one| one.resumptions.into()));
            prop_assert_eq!(u64::from(total.ready), sum(|one| one.ready.into()));
            prop_assert_eq!(u64::from(total.silent), sum(|one| one.silent.into()));
            prop_assert_eq!(u64::from(total.returned), sum(|one| one.returned.into()));
            prop_assert_eq!(total.scores, sum(|one| one.scores));
            for kind in Kind::ALL {
                let of = |one: &Figure| one.blocked.get(kind).copied().unwrap_or_default();
                prop_assert_eq!(of(&total), parts.values().map(of).sum::<u32>());
            }
            prop_assert_eq!(total.oldest, parts.values().filter_map(|one| one.oldest).min());
            prop_assert!(total.returned + total.ready + total.silent <= total.resumptions * 2);
        }

        #[test]
        fn silence_never_makes_a_district_look_readier(
            lines in proptest::collection::vec(line(), 1..40),
            which in any::<proptest::sample::Index>(),
        ) {
            let (before, _) = figures("fz", lines.iter());
            let mut silent = lines.clone();
            let one = which.get(&lines);
            let place = lines.iter().position(|line| line == one).unwrap();
            silent[place].summary = Summary {
                open: 9,
                categories: (1..=9).collect(),
                items: 50,
                ..Summary::default()
            };
            let (after, _) = figures("fz", silent.iter());
            prop_assert!(after.score() <= before.score());
            prop_assert!(after.rank() <= before.rank());
        }
    }
}
