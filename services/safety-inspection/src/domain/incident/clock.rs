//! The clock of each duty (rules 5.33 to 5.35), computed from what was written and received: what was
//! late stays late.

use kit::hop::{self, Receipt};

use super::file::File;
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
        /// Write the final report.
        FinalReport = 6,
        /// Tell the level above by telephone that the level rose.
        RaisedPhone = 7,
    }
}

/// The clock of one duty. Instants are milliseconds since 1970, 0 for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// What is to be done.
    pub duty: Duty,
    /// Of a hop, who passes on and who receives.
    pub hop: Option<(Receiver, Receiver)>,
    /// Of a hop, the number of the report that is passed on; else 0.
    pub report: i32,
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
            report: 0,
            start,
            due: start + limit,
            done: done.unwrap_or(0),
            over_level: false,
        }
    }

    /// What names it among the clocks of its incident, such as `hop-district-city`, or
    /// `hop-district-city-3` of the third report.
    pub fn id(&self) -> String {
        match self.duty {
            Duty::Phone => "phone".to_owned(),
            Duty::FirstReport => "first-report".to_owned(),
            Duty::FollowUp => "follow-up".to_owned(),
            Duty::Police => "police".to_owned(),
            Duty::FinalReport => "final-report".to_owned(),
            Duty::RaisedPhone => "raised-phone".to_owned(),
            Duty::Hop => {
                let levels = self
                    .hop
                    .iter()
                    .flat_map(|(from, to)| [from.name(), to.name()]);
                let levels = levels.map(str::to_ascii_lowercase);
                let report = (self.report > 1).then(|| self.report.to_string());
                std::iter::once("hop".to_owned())
                    .chain(levels)
                    .chain(report)
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
    /// Every clock of the incident. Of the reports after the first one the newest is followed from level to
    /// level: it says what those before it said.
    pub fn clocks(&self) -> Vec<Clock> {
        let incident = &self.incident;
        let first = Passed {
            report: 1,
            written: incident.first_reported,
            occasion: 0,
        };
        let newest = Passed {
            report: incident.reports,
            written: incident.reported,
            occasion: incident.reported_occasion,
        };
        let mut hops = self.hops(first);
        if newest.report > 1 && newest.written != 0 {
            hops.extend(self.hops(newest));
        }
        let limits = &incident.limits;
        let mut clocks = Vec::with_capacity(hops.len() + 6);
        let reached = |since: i32| {
            self.first(|step| {
                let above = step.receiver.is_level() && step.receiver > incident.chain.begins;
                step.kind == Kind::Received && above && step.occasion >= since
            })
        };
        let passes_on = !hops.is_empty();
        if limits.phone != 0 && passes_on {
            let (start, limit) = (incident.detected, limits.phone);
            clocks.push(Clock::new(Duty::Phone, start, limit, reached(0)));
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
        if incident.final_due != 0 {
            let start = incident.final_due - limits.final_report;
            clocks.push(Clock::new(
                Duty::FinalReport,
                start,
                limits.final_report,
                None,
            ));
        }
        if incident.raised_phone != 0 && passes_on {
            let done = reached(incident.raised_occasion);
            let (start, limit) = (incident.raised, incident.raised_phone);
            clocks.push(Clock::new(Duty::RaisedPhone, start, limit, done));
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

/// A report that goes up the chain.
#[derive(Clone, Copy)]
struct Passed {
    /// Its number.
    report: i32,
    /// When it was written, 0 before.
    written: i64,
    /// Receipts of this occasion and later ones are of it.
    occasion: i32,
}

impl File {
    /// The clock of each hop of a report. The first one begins when it is written, the one to the government
    /// not before the incident was so grave.
    fn hops(&self, passed: Passed) -> Vec<Clock> {
        let incident = &self.incident;
        let receipts = self.steps.iter().filter(|step| {
            let written = step.kind == Kind::Received && step.medium == Medium::Written;
            written && step.receiver.is_level() && step.occasion >= passed.occasion
        });
        let receipts: Vec<Receipt> = receipts
            .map(|step| Receipt {
                level: step.receiver as i16,
                time: step.time,
            })
            .collect();
        let limit = incident.limits.hop;
        let clocks = hop::clocks(&incident.hops(), passed.written, limit, &receipts);
        let clocks = clocks.into_iter().filter_map(|clock| {
            let from = Receiver::from_number(clock.from.into())?;
            let to = Receiver::from_number(clock.to.into())?;
            let started = passed.written != 0 && clock.due != 0;
            let start = if to == Receiver::Government {
                clock.start.max(incident.government_since)
            } else {
                clock.start
            };
            let (start, due) = if started {
                (start, start + limit)
            } else {
                (0, 0)
            };
            Some(Clock {
                duty: Duty::Hop,
                hop: Some((from, to)),
                report: passed.report,
                start,
                due,
                done: clock.received,
                over_level: clock.over_level,
            })
        });
        clocks.collect()
    }
}
