//! The clock of each duty (rules 5.33 to 5.35), computed from what was written and received: what was
//! late stays late.

use kit::hop::{self, Receipt};

use super::file::{File, Incident};
use super::step::{Kind, Medium, Receiver, Step};
use crate::domain::numbered::numbered;

numbered! {
    /// What is to be done; the numbers are those of the contract.
    Duty {
        /// Tell the level above by telephone.
        Phone = 1,
        /// Write the first report.
        FirstReport = 2,
        /// Reach the next level.
        Hop = 3,
        /// Write the next follow-up.
        FollowUp = 4,
        /// Tell the police of a confidential one.
        Police = 5,
    }
}

/// The clock of one duty. Instants are milliseconds since 1970, 0 for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// What is to be done.
    pub duty: Duty,
    /// Of a hop, who passes on and who receives.
    pub hop: Option<(Receiver, Receiver)>,
    /// When it began.
    pub start: i64,
    /// When it is due.
    pub due: i64,
    /// When it was done.
    pub done: i64,
    /// It was done over the head of the one who receives.
    pub over_level: bool,
}

impl Clock {
    fn new(duty: Duty, start: i64, limit: i64, done: Option<i64>) -> Self {
        Self {
            duty,
            hop: None,
            start,
            due: start + limit,
            done: done.unwrap_or(0),
            over_level: false,
        }
    }

    /// What names it among the clocks of its incident, such as `hop-district-city`.
    pub fn id(&self) -> String {
        match self.duty {
            Duty::Phone => "phone".to_owned(),
            Duty::FirstReport => "first-report".to_owned(),
            Duty::FollowUp => "follow-up".to_owned(),
            Duty::Police => "police".to_owned(),
            Duty::Hop => {
                let levels = self
                    .hop
                    .iter()
                    .flat_map(|(from, to)| [from.name(), to.name()]);
                let levels = levels.map(str::to_ascii_lowercase);
                std::iter::once("hop".to_owned())
                    .chain(levels)
                    .collect::<Vec<_>>()
                    .join("-")
            }
        }
    }

    /// Whether it is late at `now`: done after it was due, or due and not done.
    pub fn is_late(&self, now: i64) -> bool {
        let at = if self.done == 0 { now } else { self.done };
        self.due != 0 && at > self.due
    }
}

impl File {
    /// Every clock of the incident, in the order of the duties.
    pub fn clocks(&self) -> Vec<Clock> {
        let incident = &self.incident;
        let hops = hops(incident, &self.steps);
        let limits = &incident.limits;
        let mut clocks = Vec::with_capacity(hops.len() + 4);
        if limits.phone != 0 && !hops.is_empty() {
            let reached = self.first(|step| {
                let above = step.receiver.is_level() && step.receiver > incident.chain.begins;
                step.kind == Kind::Received && above
            });
            clocks.push(Clock::new(
                Duty::Phone,
                incident.detected,
                limits.phone,
                reached,
            ));
        }
        let written = Some(incident.first_reported).filter(|time| *time != 0);
        clocks.push(Clock::new(
            Duty::FirstReport,
            incident.detected,
            limits.written,
            written,
        ));
        clocks.extend(hops);
        if incident.follow_due != 0 {
            let start = incident.follow_due - limits.follow_up;
            clocks.push(Clock::new(Duty::FollowUp, start, limits.follow_up, None));
        }
        if incident.confidential.is_some() {
            let limit = if limits.phone == 0 {
                limits.hop
            } else {
                limits.phone
            };
            let told = self.first(|step| step.receiver == Receiver::Police);
            let since = incident.confidential_since;
            clocks.push(Clock::new(Duty::Police, since, limit, told));
        }
        clocks
    }

    /// The instant up to which clocks run.
    pub fn until(&self, now: i64) -> i64 {
        match self.incident.ended {
            0 => now,
            ended => ended.min(now),
        }
    }

    /// Whether anything was late, or is overdue at `now`.
    pub fn is_late(&self, now: i64) -> bool {
        let until = self.until(now);
        self.incident.late || self.clocks().iter().any(|clock| clock.is_late(until))
    }

    /// What is due next, whether or not that is past; 0 when nothing is.
    pub fn next_due(&self) -> i64 {
        if self.incident.ended != 0 {
            return 0;
        }
        let clocks = self.clocks();
        let open = clocks.iter().filter(|clock| clock.done == 0);
        let due = open.map(|clock| clock.due).filter(|due| *due != 0);
        due.min().unwrap_or(0)
    }

    /// When the first step that `wanted` lets through was taken.
    pub(super) fn first(&self, wanted: impl Fn(&Step) -> bool) -> Option<i64> {
        let found = self.steps.iter().filter(|step| wanted(step));
        found.map(|step| step.time).min()
    }
}

/// The clock of each hop. The first one begins with the first report, the one to the government not
/// before the incident was so grave.
fn hops(incident: &Incident, steps: &[Step]) -> Vec<Clock> {
    let receipts = steps.iter().filter(|step| {
        let written = step.kind == Kind::Received && step.medium == Medium::Written;
        written && step.receiver.is_level()
    });
    let receipts: Vec<Receipt> = receipts
        .map(|step| Receipt {
            level: step.receiver as i16,
            time: step.time,
        })
        .collect();
    let hops = incident.hops();
    let begun = incident.first_reported != 0;
    let clocks = hop::clocks(
        &hops,
        incident.first_reported,
        incident.limits.hop,
        &receipts,
    );
    let clocks = clocks.into_iter().filter_map(|clock| {
        let from = Receiver::from_number(clock.from.into())?;
        let to = Receiver::from_number(clock.to.into())?;
        let started = begun && clock.due != 0;
        let start = if to == Receiver::Government {
            clock.start.max(incident.government_since)
        } else {
            clock.start
        };
        let (start, due) = if started {
            (start, start + incident.limits.hop)
        } else {
            (0, 0)
        };
        Some(Clock {
            duty: Duty::Hop,
            hop: Some((from, to)),
            start,
            due,
            done: clock.received,
            over_level: clock.over_level,
        })
    });
    clocks.collect()
}
