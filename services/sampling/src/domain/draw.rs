//! The draw of one group: who is swabbed today.
//!
//! Everybody eligible stands in a queue ordered by how long they have waited; ties are broken by
//! a lot that only the seed tells. The quota, ceil(ratio × eligible), is taken from its head, and
//! everybody behind whose cycle would otherwise pass without a swab is taken too. So nobody has a
//! second turn before everybody ahead of them had one, and nobody who is eligible in `cycle_days`
//! draws running is left out of all of them, whoever leaves, joins, or is absent. While nobody
//! leaves or is absent without a replacement, the quota alone suffices.

use super::cycle::{DaySeed, Lots};
use super::day::Day;
use super::quota::Ratio;
use super::roll::PersonId;

/// Whether somebody may be drawn, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// May be drawn.
    Eligible,
    /// On the roll, not expected at school.
    OnLeave,
    /// Taught online, or teaching is suspended.
    NotInPerson,
    /// May not be asked for a swab for medical reasons.
    Exempt,
    /// Held, isolated or not admitted.
    Held,
    /// Swabbed today already.
    SampledToday,
}

impl Standing {
    /// As it is published.
    pub fn code(self) -> u8 {
        match self {
            Self::Eligible => 0,
            Self::OnLeave => 1,
            Self::NotInPerson => 2,
            Self::Exempt => 3,
            Self::Held => 4,
            Self::SampledToday => 5,
        }
    }

    /// From how it is published.
    pub fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Eligible,
            1 => Self::OnLeave,
            2 => Self::NotInPerson,
            3 => Self::Exempt,
            4 => Self::Held,
            5 => Self::SampledToday,
            _ => return None,
        })
    }
}

/// One person on the roll as the draw sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub person: PersonId,
    /// Whether they may be drawn.
    pub standing: Standing,
    /// The day of the last swab.
    pub last: Day,
    /// The day before the first one of waiting: of the last swab, or before joining.
    pub waiting_since: Day,
    /// Was called and gave no swab, so comes ahead of those who have waited as long.
    pub missed: bool,
    /// Due at the latest after as many calendar days; 0 for the cycle alone.
    pub every_days: u8,
}

/// By what rule a group is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The day drawn.
    pub day: Day,
    /// The share of the eligible.
    pub ratio: Ratio,
    /// Everybody once in as many draws.
    pub cycle_days: u8,
    /// When this school was drawn before, oldest first.
    pub earlier_days: &'a [Day],
}

impl Terms<'_> {
    /// How many draws somebody may still miss; 0 or less means that today is the last chance.
    fn slack(&self, candidate: &Candidate) -> i32 {
        let since = candidate.waiting_since;
        let missed =
            self.earlier_days.len() - self.earlier_days.partition_point(|day| *day <= since);
        let cycle = i32::from(self.cycle_days) - 1 - i32::try_from(missed).unwrap_or(i32::MAX - 1);
        if candidate.every_days == 0 {
            return cycle;
        }
        let waited = i32::from(self.day.number()) - i32::from(since.number());
        cycle.min(i32::from(candidate.every_days) - waited)
    }

    /// What orders the queue before lots are drawn: slack, waiting time, a turn missed, last swab.
    fn rank(&self, candidate: &Candidate) -> u64 {
        let slack = u64::from(self.slack(candidate).abs_diff(i32::from(i16::MIN)));
        (slack << 40)
            | (u64::from(candidate.waiting_since.number()) << 24)
            | (u64::from(!candidate.missed) << 16)
            | u64::from(candidate.last.number())
    }
}

/// Who was picked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picks {
    /// How many are eligible.
    pub eligible: usize,
    /// ceil(ratio × eligible).
    pub quota: usize,
    /// The places of the picked among the candidates, ascending.
    pub places: Vec<u32>,
}

/// Draws one group. `candidates` are ordered by person.
pub fn draw(terms: &Terms<'_>, seed: &DaySeed, candidates: &[Candidate]) -> Picks {
    debug_assert!(candidates.is_sorted_by_key(|candidate| candidate.person));
    let mut queue: Vec<(u64, u32)> = (0_u32..)
        .zip(candidates)
        .filter(|(_, candidate)| candidate.standing == Standing::Eligible)
        .map(|(place, candidate)| (terms.rank(candidate), place))
        .collect();
    queue.sort_unstable();

    let quota = terms.ratio.quota(queue.len());
    let last_chance = queue.partition_point(|(_, place)| {
        candidates
            .get(*place as usize)
            .is_some_and(|candidate| terms.slack(candidate) <= 0)
    });
    let take = quota.max(last_chance);
    settle_tie_at(take, &mut queue, &seed.lots(), candidates);

    let mut places: Vec<u32> = queue.iter().take(take).map(|(_, place)| *place).collect();
    places.sort_unstable();
    Picks {
        eligible: queue.len(),
        quota,
        places,
    }
}

/// Lots matter only among those of equal rank on both sides of the cut: one class group has few
/// of them on most days, which makes a city's draw cheap.
fn settle_tie_at(take: usize, queue: &mut [(u64, u32)], lots: &Lots, candidates: &[Candidate]) {
    if take == 0 || take >= queue.len() || queue[take - 1].0 != queue[take].0 {
        return;
    }
    let rank = queue[take].0;
    let from = queue.partition_point(|(other, _)| *other < rank);
    let to = queue.partition_point(|(other, _)| *other <= rank);
    queue[from..to].sort_by_cached_key(|(_, place)| lots.of(candidates[*place as usize].person));
}

/// Whether somebody takes the place of one more absent person: only while fewer than the quota are
/// left. Those taken beyond the quota need no replacement.
pub fn needs_replacement(quota: usize, picked: usize, absent: usize, replaced: usize) -> bool {
    (picked + replaced).saturating_sub(absent) < quota
}

/// The one who has waited longest of the eligible whose place is not `taken`: the whole order of
/// the queue, lots included, decides.
pub fn next_in_queue(
    terms: &Terms<'_>,
    seed: &DaySeed,
    candidates: &[Candidate],
    taken: &[u32],
) -> Option<u32> {
    let lots = seed.lots();
    (0_u32..)
        .zip(candidates)
        .filter(|(place, candidate)| {
            candidate.standing == Standing::Eligible && !taken.contains(place)
        })
        .min_by_key(|(_, candidate)| (terms.rank(candidate), lots.of(candidate.person)))
        .map(|(place, _)| place)
}
