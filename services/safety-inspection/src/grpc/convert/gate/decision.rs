//! Decisions and their overrides.

use kit::field::{Fields, to_timestamp};
use kit::status::Problem;
use proto::safety as pb;

use super::{malformed, outcome_in};
use crate::app::gate::{Overridable, decision_name as named};
use crate::app::visitors::visit_name;
use crate::domain::gate::decision::Outcome;
use crate::domain::gate::finding::{self, Finding};
use crate::domain::gate::observation::{City, Observation, Temperature};
use crate::store::gate::decisions::{Filter, Override, Record};

const REASON: usize = 500;

/// Result and reason of an override.
pub(in crate::grpc) fn override_words(
    request: &pb::OverrideDecisionRequest,
) -> Result<(Outcome, String), Problem> {
    let mut fields = Fields::new();
    let outcome = outcome_in(&mut fields, "result", request.result);
    fields.required("reason", request.reason.trim());
    fields.text("reason", &request.reason, REASON);
    fields.finish()?;
    outcome
        .map(|outcome| (outcome, request.reason.clone()))
        .ok_or_else(|| malformed("result"))
}

pub(in crate::grpc) fn filter(request: &pb::ListGateDecisionsRequest) -> Result<Filter, Problem> {
    let mut fields = Fields::new();
    let outcome = match request.result {
        0 => None,
        number => outcome_in(&mut fields, "result", number),
    };
    let person = fields.optional("person", &request.person);
    fields.finish()?;
    Ok(Filter {
        outcome,
        person,
        offline: request.offline,
        conflict: request.conflict,
    })
}

/// A decision as callers see it.
pub(in crate::grpc) fn decision((record, word): Overridable) -> pb::GateDecision {
    let Record {
        school,
        id,
        org_path: _,
        person,
        outcome,
        checks,
        observation,
        device,
        guard,
        policy_version,
        decide_time,
        record_time,
        facts_time,
        stale,
        offline,
        expected,
        recheck_of,
        identification,
        emergency,
        colour_source,
        client_id: _,
        fingerprint: _,
    } = record;
    let effective = word.as_ref().map_or(outcome, |word| word.outcome);
    pb::GateDecision {
        name: named(&school, id),
        person: person.map(|person| person.to_string()).unwrap_or_default(),
        result: result(outcome).into(),
        effective_result: result(effective).into(),
        identity: Some(check(checks.identity)),
        temperature: Some(check(checks.temperature)),
        health_code: Some(check(checks.health_code)),
        travel_card: Some(check(checks.travel_card)),
        clearance: Some(check(checks.clearance)),
        reasons: checks.reasons(stale).into_iter().map(reason).collect(),
        observation: Some(seen(observation)),
        device,
        guard,
        policy_version,
        decide_time: Some(to_timestamp(decide_time)),
        record_time: Some(to_timestamp(record_time)),
        facts_time: facts_time.map(to_timestamp),
        stale,
        offline,
        recheck_of: recheck_of
            .map(|first| named(&school, first))
            .unwrap_or_default(),
        r#override: word.map(override_of),
        identification: identification as i32,
        emergency: emergency.map_or(0, |crew| crew as i32),
        colour_source: colour_source as i32,
        arrival: Some(check(checks.arrival)),
        visit: emergency
            .map(|_| visit_name(&school, id))
            .unwrap_or_default(),
        travel_card_source: observation.travel_source as i32,
        expected_result: expected.map_or(0, |expected| result(expected).into()),
    }
}

fn override_of(word: Override) -> pb::GateOverride {
    let Override {
        outcome,
        reason,
        responsible,
        time,
    } = word;
    pb::GateOverride {
        result: result(outcome).into(),
        reason,
        responsible,
        override_time: Some(to_timestamp(time)),
    }
}

pub(in crate::grpc) fn seen(observation: Observation) -> pb::GateObservation {
    let Observation {
        temperature,
        colour,
        travel,
        travel_source: _,
        further,
        symptoms,
    } = observation;
    let tenths = |reading: Temperature| i32::from(reading.tenths());
    pb::GateObservation {
        temperature_decidegrees: temperature.map(tenths),
        colour: i32::from(colour.number()),
        travel_card: travel.map(|card| pb::TravelCard {
            show_date: Some(kit::field::to_date(card.shown)),
            starred: card.starred,
            cities: card.cities.iter().map(city).collect(),
        }),
        further_temperatures_decidegrees: further.iter().map(tenths).collect(),
        symptoms: symptoms as i32,
    }
}

fn city(city: City) -> pb::TravelCity {
    pb::TravelCity {
        division_code: format!("{:06}", city.division),
        starred: city.starred,
        last_stay_date: city.last_stay.map(kit::field::to_date),
    }
}

pub(in crate::grpc) fn result(outcome: Outcome) -> pb::gate_decision::Result {
    match outcome {
        Outcome::Admit => pb::gate_decision::Result::Admit,
        Outcome::Observe => pb::gate_decision::Result::Observe,
        Outcome::Deny => pb::gate_decision::Result::Deny,
    }
}

pub(in crate::grpc) fn check(finding: Finding) -> pb::GateCheck {
    use pb::gate_check::Verdict as Pb;
    let verdict = match finding.verdict() {
        finding::Verdict::Pass => Pb::Pass,
        finding::Verdict::Observe => Pb::Observe,
        finding::Verdict::Deny => Pb::Deny,
        finding::Verdict::NotRequired => Pb::NotRequired,
    };
    pb::GateCheck {
        verdict: verdict.into(),
        reason: Some(reason(finding)),
    }
}

pub(in crate::grpc) fn reason(finding: Finding) -> pb::GateReason {
    pb::GateReason {
        code: i32::from(finding.number()),
        rule: finding.rule().to_owned(),
        message: finding.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of findings are those of the contract.
    #[test]
    fn every_finding_is_a_reason_of_the_contract() {
        for finding in Finding::ALL {
            let code = pb::gate_reason::Code::try_from(i32::from(finding.number()));
            assert!(code.is_ok(), "{finding:?}");
        }
    }
}
