//! Drills: planned, run, counted, judged and archived (rules 5.18 to 5.20).

mod headcount;
pub mod obligation;
mod state;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::history::Move;
use super::organization::Organization;
use crate::domain::numbered::numbered;

pub use headcount::{Count, Group, Missing};
pub use state::{State, Step};

numbered! {
    /// What is drilled (rule 5.19); the numbers are those of the contract.
    Type {
        /// Earthquake.
        Earthquake = 1 "EARTHQUAKE",
        /// Fire.
        Fire = 2 "FIRE",
        /// Stampede.
        Stampede = 3 "STAMPEDE",
        /// Flood or typhoon.
        FloodTyphoon = 4 "FLOOD_TYPHOON",
        /// The full-element drill of epidemic control (rule 4.10).
        EpidemicFull = 5 "EPIDEMIC_FULL",
        /// Violence.
        Violence = 6 "VIOLENCE",
        /// Leaving a school bus.
        Bus = 7 "BUS",
        /// Leaving the dormitory at night.
        NightDorm = 8 "NIGHT_DORM",
        /// Food poisoning.
        Food = 9 "FOOD",
    }
}

/// Why a drill refuses; it stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The step does not start from this state.
    #[error("the drill is {}", .0.as_str())]
    State(State),
    /// A group is left out of the headcount, named twice, or does not take part.
    #[error("the headcount and {0} do not fit")]
    LeftOut(String),
    /// More of a group are absent than are named, or others are named.
    #[error("the numbers of {0} do not fit")]
    Numbers(String),
    /// So many are still missing.
    #[error("{0} are still missing")]
    StillMissing(usize),
    /// Whoever leads does not review.
    #[error("whoever leads a drill does not review it")]
    Leader,
    /// Nobody is expected.
    #[error("nobody is expected to take part")]
    Nobody,
    /// Nobody misses this person.
    #[error("nobody misses this person")]
    NotMissing,
    /// The instant of this field is out of range.
    #[error("{0} is out of range")]
    Time(&'static str),
}

/// How many of one class group ride the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Riders {
    /// The name of the class group.
    pub class_group: String,
    /// How many.
    pub count: u32,
}

/// What is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What is drilled.
    pub kind: Type,
    /// What is supposed to happen.
    pub scenario: String,
    /// `staff/{staff_member}`: who leads.
    pub leader: String,
    /// When the signal is planned.
    pub at: DateTime<Utc>,
    /// The storeys of the tallest building that is left.
    pub storeys: u32,
    /// The ways out and the assembly point.
    pub routes: String,
    /// Who rides the bus.
    pub riders: Vec<Riders>,
}

/// The times of the policy in force (rule 5.19).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    /// From the signal to all out, of at most four storeys.
    pub evacuation: TimeDelta,
    /// The same for primary schools.
    pub primary: TimeDelta,
    /// The version of the policy.
    pub policy_version: String,
}

/// The signal and what was frozen with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// When.
    pub at: DateTime<Utc>,
    /// Who gave it.
    pub by: String,
    /// What the evacuation should take at most, in seconds; none where the rule has no number.
    pub target_seconds: Option<i64>,
    /// The version of the policy.
    pub policy_version: String,
}

/// What is noted at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// How many were hurt.
    pub injuries: u32,
    /// What the plan should change.
    pub plan_changes: String,
}

/// The judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Who judged.
    pub reviewer: String,
    /// 0 to 100.
    pub score: u32,
    /// In words.
    pub summary: String,
    /// The names of the hazards that the problems became.
    pub hazards: Vec<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// A drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// Where it is in its life cycle.
    pub state: State,
    /// What is planned.
    pub plan: Plan,
    /// The signal.
    pub signal: Option<Signal>,
    /// When the last one was out.
    pub all_out: Option<DateTime<Utc>>,
    /// Who is expected since the signal, and who was there.
    pub groups: Vec<Group>,
    /// What was noted at the end.
    pub ending: Ending,
    /// The judgement.
    pub review: Option<Review>,
}

/// A signal that was given longer ago is no longer taken: the rolls may have changed.
const SIGNAL_AGE: TimeDelta = TimeDelta::minutes(15);
/// For higher buildings rule 5.19 has no number.
const STOREYS: u32 = 4;
/// The numbers of the stages whose children are given the time of primary schools.
const YOUNG: [i16; 2] = [1, 2];

impl Drill {
    /// A drill that is planned.
    ///
    /// # Errors
    /// [`Refused::Time`] when the plan is not in the future.
    pub fn new(plan: Plan, now: DateTime<Utc>) -> Result<Self, Refused> {
        if plan.at <= now {
            return Err(Refused::Time("drill.plan_time"));
        }
        Ok(Self {
            state: State::Planned,
            plan,
            signal: None,
            all_out: None,
            groups: Vec::new(),
            ending: Ending::default(),
            review: None,
        })
    }

    /// Goes one step, where nothing else must hold.
    ///
    /// # Errors
    /// [`Refused::State`] when the step does not start from here.
    pub fn step(self, step: Step) -> Result<(Self, Move), Refused> {
        let from = self.state;
        let to = from.next(step).ok_or(Refused::State(from))?;
        let moved = Move {
            from: from.as_str(),
            to: to.as_str(),
            step: step.as_str(),
        };
        Ok((Self { state: to, ..self }, moved))
    }

    /// Puts it off to `at`.
    ///
    /// # Errors
    /// [`Refused::State`], or [`Refused::Time`] when that is not in the future.
    pub fn postpone(self, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(Self, Move), Refused> {
        let (mut next, moved) = self.step(Step::Postpone)?;
        if at <= now {
            return Err(Refused::Time("plan_time"));
        }
        next.plan.at = at;
        Ok((next, moved))
    }

    /// Gives the signal, at `at`, which is at most a quarter of an hour ago, and freezes who is
    /// expected.
    ///
    /// # Errors
    /// [`Refused::State`], [`Refused::Time`], or [`Refused::Nobody`].
    pub fn start(
        self,
        signal: Signal,
        groups: Vec<Group>,
        now: DateTime<Utc>,
    ) -> Result<(Self, Move), Refused> {
        let (next, moved) = self.step(Step::Start)?;
        if signal.at > now || now - signal.at > SIGNAL_AGE {
            return Err(Refused::Time("signal_time"));
        }
        if groups.iter().all(|group| group.expected == 0) {
            return Err(Refused::Nobody);
        }
        let next = Self {
            signal: Some(signal),
            groups,
            ..next
        };
        Ok((next, moved))
    }

    /// The last one is out.
    ///
    /// # Errors
    /// [`Refused::State`], or [`Refused::Time`] when `at` is in the future or before the signal.
    pub fn all_out(self, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(Self, Move), Refused> {
        let (next, moved) = self.step(Step::AllOut)?;
        let signal = next.signal.as_ref().map_or(at, |signal| signal.at);
        if at > now || at < signal {
            return Err(Refused::Time("all_out_time"));
        }
        let next = Self {
            all_out: Some(at),
            ..next
        };
        Ok((next, moved))
    }

    /// Counts every group.
    ///
    /// # Errors
    /// [`Refused::State`], [`Refused::LeftOut`] or [`Refused::Numbers`].
    pub fn headcount(self, counts: Vec<Count>) -> Result<(Self, Move), Refused> {
        let (mut next, moved) = self.step(Step::Headcount)?;
        next.groups = headcount::count(next.groups, counts)?;
        Ok((next, moved))
    }

    /// Somebody who was missing is found.
    ///
    /// # Errors
    /// [`Refused::State`] or [`Refused::NotMissing`].
    pub fn found(self, person: &str, now: DateTime<Utc>) -> Result<(Self, Move), Refused> {
        let (mut next, moved) = self.step(Step::Find)?;
        headcount::found(&mut next.groups, person, now)?;
        Ok((next, moved))
    }

    /// It is over.
    ///
    /// # Errors
    /// [`Refused::State`], or [`Refused::StillMissing`] while somebody is missing.
    pub fn end(self, ending: Ending) -> Result<(Self, Move), Refused> {
        let (next, moved) = self.step(Step::End)?;
        match next.missing() {
            0 => Ok((Self { ending, ..next }, moved)),
            missing => Err(Refused::StillMissing(missing)),
        }
    }

    /// Whether `reviewer` may judge it now.
    ///
    /// # Errors
    /// [`Refused::State`], or [`Refused::Leader`] for whoever leads it or gave its signal.
    pub fn reviewable(&self, reviewer: &str) -> Result<(), Refused> {
        let judged = self.state.next(Step::Review);
        judged.ok_or(Refused::State(self.state))?;
        let signalled = self.signal.as_ref().is_some_and(|one| one.by == reviewer);
        if signalled || self.plan.leader == reviewer {
            return Err(Refused::Leader);
        }
        Ok(())
    }

    /// Judges it.
    ///
    /// # Errors
    /// As [`Drill::reviewable`].
    pub fn review(self, review: Review) -> Result<(Self, Move), Refused> {
        self.reviewable(&review.reviewer)?;
        let (next, moved) = self.step(Step::Review)?;
        let review = Some(review);
        Ok((Self { review, ..next }, moved))
    }

    /// How many are missing now.
    pub fn missing(&self) -> usize {
        self.groups.iter().map(Group::still_missing).sum()
    }

    /// From the signal to all out.
    pub fn evacuation(&self) -> Option<TimeDelta> {
        let signal = self.signal.as_ref()?;
        Some(self.all_out? - signal.at)
    }

    /// Whether the evacuation took longer than it should (rule 5.19): a finding. Never where the rule
    /// has no number, nor before all are out.
    pub fn is_slow(&self) -> bool {
        let signal = self.signal.as_ref();
        let target = signal.and_then(|signal| signal.target_seconds);
        let target = target.map(TimeDelta::seconds);
        matches!((self.evacuation(), target), (Some(took), Some(target)) if took > target)
    }

    /// Whether it counts to the obligations of rule 5.18: headcount and review stand, and it is in
    /// the archive.
    pub fn counts(&self) -> bool {
        let counted = self.groups.iter().all(|group| group.present.is_some());
        self.state == State::Archived && counted && self.review.is_some()
    }
}

impl Plan {
    /// What the evacuation should take at most (rule 5.19), in seconds: three minutes where primary
    /// pupils or younger children are, else two, by the policy; nothing is said of buildings of
    /// more than four storeys, nor of drills in which nobody leaves a building.
    pub fn target_seconds(&self, organization: &Organization, times: &Times) -> Option<i64> {
        let leaves = !matches!(self.kind, Type::Bus | Type::EpidemicFull | Type::Food);
        if self.storeys > STOREYS || !leaves {
            return None;
        }
        let young = YOUNG.iter().any(|stage| organization.teaches(*stage));
        let time = if young {
            times.primary
        } else {
            times.evacuation
        };
        Some(time.num_seconds())
    }
}
