//! The decision at a gate (rules 1.24 and 3.1 to 3.9).

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::clearance::Clearance;
use super::course::due;
use super::finding::{Finding, Verdict};
use super::observation::{Colour, Observation, Reading, Symptoms, TravelSource};
use super::policy::{ArrivalWindow, GatePolicy};

/// What happens to the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// May enter.
    Admit,
    /// Waits apart and is checked again.
    Observe,
    /// Must not enter.
    Deny,
}

/// What the register says of the one who stands at the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// On a roll of this school and expected.
    Expected,
    /// On a roll of this school, whose teaching is online or suspended.
    ClassNotInPerson,
    /// On a roll of this school, on long leave.
    OnLeave,
    /// On no roll of this school: whether on one of another is no matter of its gates.
    Unknown,
    /// Of no school, but with an approved visit and its live pass.
    Visitor,
}

/// Everything that a decision weighs.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What the register says.
    pub standing: Standing,
    /// What sampling says.
    pub clearance: Clearance,
    /// What was seen.
    pub observation: Observation,
    /// How the temperature was taken.
    pub reading: Reading,
    /// An emergency crew on duty.
    pub emergency: bool,
    /// When the person's grade arrives; none when the grade does not matter.
    pub arrival: Option<ArrivalWindow>,
    /// The weather lets pupils of the school come later today (rules 5.25, 5.27).
    pub weather_delay: bool,
    /// The minute of the civil day at the gate.
    pub minute: i32,
    /// The civil day at the gate.
    pub today: NaiveDate,
    /// When roster and sampling last confirmed the facts; none when never.
    pub facts_time: Option<DateTime<Utc>>,
    /// The present instant.
    pub now: DateTime<Utc>,
    /// The numbers in force.
    pub policy: &'a GatePolicy,
}

/// What each check found, and what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The result.
    pub outcome: Outcome,
    /// The four checks of rule 3.1 and the clearance.
    pub checks: Checks,
    /// The facts were too old: manual mode (rule 3.9).
    pub stale: bool,
}

/// One finding for each check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// Who this is.
    pub identity: Finding,
    /// The temperature.
    pub temperature: Finding,
    /// The health code.
    pub health_code: Finding,
    /// The travel card.
    pub travel_card: Finding,
    /// The clearance.
    pub clearance: Finding,
    /// The time of arrival: a note, which never keeps anybody out.
    pub arrival: Finding,
}

/// What one finding alone leads to.
pub fn outcome_of(finding: Finding) -> Outcome {
    match finding.verdict() {
        Verdict::Pass | Verdict::NotRequired => Outcome::Admit,
        Verdict::Observe => Outcome::Observe,
        Verdict::Deny => Outcome::Deny,
    }
}

impl Checks {
    /// The findings in the order of the checks.
    pub fn all(&self) -> [Finding; 6] {
        [
            self.identity,
            self.temperature,
            self.health_code,
            self.travel_card,
            self.clearance,
            self.arrival,
        ]
    }

    /// The strictest verdict decides.
    pub fn outcome(&self) -> Outcome {
        self.all()
            .into_iter()
            .map(outcome_of)
            .max()
            .unwrap_or(Outcome::Deny)
    }

    /// What speaks against entry and what the guard must know.
    pub fn reasons(&self, stale: bool) -> Vec<Finding> {
        let telling = |finding: &Finding| {
            matches!(finding.verdict(), Verdict::Observe | Verdict::Deny)
                || matches!(
                    finding,
                    Finding::Emergency
                        | Finding::HealthMonitoring
                        | Finding::Observation
                        | Finding::TravelUnknownAdmitted
                )
        };
        let stale = stale.then_some(Finding::FactsStale);
        self.all()
            .into_iter()
            .filter(telling)
            .chain(stale)
            .collect()
    }
}

/// Decides. Every check is made, whatever the others found, so that one visit to the gate tells
/// everything that stands in the way.
pub fn decide(case: &Case<'_>) -> Decision {
    let stale = case
        .facts_time
        .is_none_or(|time| case.now - time > case.policy.snapshot_max_age);
    let checks = if case.emergency {
        emergency(case)
    } else {
        ordinary(case)
    };
    Decision {
        outcome: checks.outcome(),
        checks,
        stale,
    }
}

impl Decision {
    /// The same with a `finding` that stands whatever was measured: whom a recheck sent to the fever clinic
    /// is kept out for the day (rule 3.3).
    #[must_use]
    pub fn still(mut self, finding: Finding) -> Self {
        self.checks.temperature = finding;
        self.outcome = self.checks.outcome();
        self
    }
}

/// Why a human cannot admit the person of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unadmittable {
    /// Unknown or of another organisation: enters as a visitor or not at all (rule 3.8).
    Unrelated,
    /// The civil day of the decision is over.
    DayOver,
}

/// Whether a human may admit on `today` somebody about whom a decision of the civil day `decided` found
/// this `identity`.
///
/// # Errors
/// [`Unadmittable`], the first reason that there is.
pub fn admittable(
    identity: Finding,
    decided: NaiveDate,
    today: NaiveDate,
) -> Result<(), Unadmittable> {
    match identity {
        Finding::PersonUnknown => Err(Unadmittable::Unrelated),
        _ if decided != today => Err(Unadmittable::DayOver),
        _ => Ok(()),
    }
}

fn ordinary(case: &Case<'_>) -> Checks {
    Checks {
        identity: identity(case.standing),
        temperature: temperature(case),
        health_code: health_code(case.observation.colour, case.policy),
        travel_card: travel_card(case),
        clearance: match case.standing {
            Standing::Unknown | Standing::Visitor => Finding::ClearanceNotApplicable,
            Standing::Expected | Standing::ClassNotInPerson | Standing::OnLeave => {
                case.clearance.finding(case.policy.admit_health_monitoring)
            }
        },
        arrival: arrival(case),
    }
}

/// Crews on duty enter at once; they are entered into the book afterwards (rule 3.7).
fn emergency(case: &Case<'_>) -> Checks {
    Checks {
        identity: Finding::Emergency,
        temperature: match case.observation.temperature {
            Some(reading) if reading.tenths() < case.policy.temperature_max => {
                Finding::TemperatureNormal
            }
            _ => Finding::TemperatureNotRequired,
        },
        health_code: Finding::ColourNotRequired,
        travel_card: Finding::TravelNotRequired,
        clearance: Finding::ClearanceNotApplicable,
        arrival: Finding::ArrivalNotStaggered,
    }
}

/// Whoever comes late while the weather lets pupils come later is not late (rule 5.27).
fn arrival(case: &Case<'_>) -> Finding {
    let window = case.arrival;
    match window.map(|window| window.finding(case.minute)) {
        None => Finding::ArrivalNotStaggered,
        Some(Finding::ArrivalLate) if case.weather_delay => Finding::ArrivalWeatherDelay,
        Some(found) => found,
    }
}

fn identity(standing: Standing) -> Finding {
    match standing {
        Standing::Expected => Finding::Expected,
        Standing::ClassNotInPerson => Finding::ClassNotInPerson,
        Standing::OnLeave => Finding::OnLeave,
        Standing::Unknown => Finding::PersonUnknown,
        Standing::Visitor => Finding::VisitorApproved,
    }
}

fn temperature(case: &Case<'_>) -> Finding {
    let count = case.observation.readings().count();
    if count == 0 {
        return Finding::TemperatureMissing;
    }
    let mut readings = case.observation.readings();
    let high = readings.any(|reading| reading.tenths() >= case.policy.temperature_max);
    match (case.reading, high, case.observation.symptoms) {
        (Reading::First, true, _) => Finding::TemperatureHigh,
        (Reading::First, false, Symptoms::Seen) => Finding::SymptomsSeen,
        (Reading::First, false, Symptoms::None | Symptoms::NotAsked) => Finding::TemperatureNormal,
        // One reading at or above the limit is not undone by others (rule 3.3).
        (Reading::Contact, true, _) => Finding::TemperatureConfirmed,
        (Reading::Contact, false, Symptoms::Seen) => Finding::SymptomsConfirmed,
        (Reading::Contact, false, _) if count < case.policy.recheck_readings => {
            Finding::TemperatureRepeat
        }
        (Reading::Contact, false, Symptoms::NotAsked) => Finding::SymptomsNotAsked,
        (Reading::Contact, false, Symptoms::None) => Finding::TemperatureNormal,
    }
}

fn health_code(colour: Colour, policy: &GatePolicy) -> Finding {
    if policy.deny_colours.is_empty() {
        return Finding::ColourNotRequired;
    }
    match (policy.deny_colours.contains(&colour), colour) {
        (false, _) => Finding::ColourAllowed,
        (true, Colour::Unknown) => Finding::ColourUnknown,
        (true, Colour::Red) => Finding::ColourRed,
        (true, Colour::Green | Colour::Yellow) => Finding::ColourDenied,
    }
}

fn travel_card(case: &Case<'_>) -> Finding {
    if case.policy.travel_window_days <= 0 {
        return Finding::TravelNotRequired;
    }
    let silent = case.observation.travel_source == TravelSource::ProviderSilent;
    match case.observation.travel {
        None if silent && case.policy.admit_travel_unknown => Finding::TravelUnknownAdmitted,
        None if silent => Finding::TravelUnknown,
        None => Finding::TravelMissing,
        Some(card) if card.is_marked(case.today, case.policy.travel_window_days) => {
            Finding::TravelStarred
        }
        Some(card) if card.shown != case.today => Finding::TravelOutdated,
        Some(_) => Finding::TravelClear,
    }
}

/// The second reading came before the wait was over (rule 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the second reading is due at {0}")]
pub struct TooEarly(pub DateTime<Utc>);

/// Whether somebody who was sent to observation at `observed` by `finding` may be measured again: at
/// once when a recheck only goes on.
///
/// # Errors
/// [`TooEarly`] before the wait of the policy is over.
pub fn recheck(
    (finding, observed): (Finding, DateTime<Utc>),
    now: DateTime<Utc>,
    wait: Duration,
) -> Result<(), TooEarly> {
    let due = due(finding, observed, wait);
    if now < due {
        Err(TooEarly(due))
    } else {
        Ok(())
    }
}

#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
