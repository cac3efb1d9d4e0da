//! Field by field, both ways.

use kit::field::{Fields, to_timestamp};
use kit::status::Problem;
use prost::Message;
use proto::safety as pb;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::app::{Entry, Identity, Offline, Overridable, Verdict, decision_name as named};
use crate::domain::decision::Outcome;
use crate::domain::finding::{self, Finding};
use crate::domain::observation::{Colour, Observation, Temperature, TravelCard};
use crate::domain::person::PersonName;
use crate::domain::snapshot::Snapshot;
use crate::store::decisions::{Filter, Override, Record};

const DEVICE: usize = 64;
const REASON: usize = 500;
const BATCH: usize = 1000;

/// The id in `organizations/{organization}`.
pub(super) fn organization(field: &'static str, name: &str) -> Result<String, Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", id] if kit::org::is_id(id) => Ok(id.to_owned()),
        _ => Err(malformed(field)),
    }
}

/// The school in `organizations/{organization}/gateSnapshot`.
pub(super) fn snapshot_name(name: &str) -> Result<String, Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", id, "gateSnapshot"] if kit::org::is_id(id) => Ok(id.to_owned()),
        _ => Err(malformed("name")),
    }
}

/// School and id in `organizations/{organization}/gateDecisions/{gate_decision}`.
pub(super) fn decision_name(field: &'static str, name: &str) -> Result<(String, Uuid), Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", school, "gateDecisions", id] if kit::org::is_id(school) => {
            let id = Uuid::try_parse(id).map_err(|_| malformed(field))?;
            Ok((school.to_owned(), id))
        }
        _ => Err(malformed(field)),
    }
}

pub(super) fn person(field: &'static str, name: &str) -> Result<PersonName, Problem> {
    name.parse().map_err(|_| malformed(field))
}

pub(super) fn card(field: &'static str, number: &str) -> Result<(), Problem> {
    let good = (4..=64).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_graphic());
    if good { Ok(()) } else { Err(malformed(field)) }
}

fn malformed(field: &'static str) -> Problem {
    Problem::invalid(field, "格式不正确", "malformed")
}

/// What a gate asks. `parent` was read before.
pub(super) fn entry(request: pb::CheckEntryRequest, guard: &str) -> Result<Entry, Problem> {
    let fingerprint = fingerprint(&request, "");
    let pb::CheckEntryRequest {
        parent,
        identity,
        observation: seen,
        device,
        emergency,
        recheck_of,
        request_id,
    } = request;
    let mut fields = Fields::new();
    let identity = match identity {
        None => Identity::Unknown,
        Some(pb::check_entry_request::Identity::PersonCode(code)) => Identity::Code(code),
        Some(pb::check_entry_request::Identity::Card(number)) => {
            if card("card", &number).is_err() {
                fields.violation("card", "格式不正确", "malformed");
            }
            Identity::Card(number)
        }
        Some(pb::check_entry_request::Identity::Person(name)) => fields
            .parse("person", &name)
            .map_or(Identity::Unknown, Identity::Person),
    };
    if pb::check_entry_request::Emergency::try_from(emergency).is_err() {
        fields.violation("emergency", "请选择有效的选项", "not a known value");
    }
    let device = {
        fields.required("device", &device);
        fields.text("device", &device, DEVICE).to_owned()
    };
    let seen = observation(&mut fields, "observation", seen, emergency != 0);
    let recheck_of = if recheck_of.is_empty() {
        None
    } else {
        match decision_name("recheck_of", &recheck_of) {
            Ok((school, id)) if parent.strip_prefix("organizations/") == Some(&*school) => Some(id),
            _ => {
                fields.violation(
                    "recheck_of",
                    "不是本校的核验记录",
                    "not a decision of this school",
                );
                None
            }
        }
    };
    let request_id = fields.optional("request_id", &request_id);
    fields.finish()?;
    Ok(Entry {
        identity,
        observation: seen,
        emergency: emergency != 0,
        device,
        guard: guard.to_owned(),
        recheck_of,
        request_id,
        fingerprint,
    })
}

fn observation(
    fields: &mut Fields,
    field: &str,
    seen: Option<pb::GateObservation>,
    optional: bool,
) -> Observation {
    let Some(seen) = seen else {
        if !optional {
            fields.violation(field, "必填", "required");
        }
        return Observation::default();
    };
    let pb::GateObservation {
        temperature_decidegrees,
        colour,
        travel_card,
    } = seen;
    let temperature = temperature_decidegrees.and_then(|tenths| {
        let reading = Temperature::from_tenths(tenths).ok();
        if reading.is_none() {
            fields.violation(
                format!("{field}.temperature_decidegrees"),
                "体温读数应在 34.0 至 42.5 ℃ 之间，请重新测量",
                "a temperature of a person lies between 34.0 and 42.5 degrees",
            );
        }
        reading
    });
    use pb::gate_observation::Colour as Pb;
    let colour = match Pb::try_from(colour) {
        Ok(Pb::Green) => Colour::Green,
        Ok(Pb::Yellow) => Colour::Yellow,
        Ok(Pb::Red) => Colour::Red,
        Ok(Pb::Unknown | Pb::Unspecified) => Colour::Unknown,
        Err(_) => {
            fields.violation(
                format!("{field}.colour"),
                "请选择有效的选项",
                "not a known value",
            );
            Colour::Unknown
        }
    };
    let travel = travel_card.and_then(|card| {
        let shown = fields.date(&format!("{field}.travel_card.show_date"), card.show_date)?;
        Some(TravelCard {
            shown,
            starred: card.starred,
        })
    });
    Observation {
        temperature,
        colour,
        travel,
    }
}

pub(super) fn check_batch(request: &pb::RecordBatchRequest) -> Result<(), Problem> {
    let mut fields = Fields::new();
    fields.required("device", &request.device);
    fields.text("device", &request.device, DEVICE);
    if !(1..=BATCH).contains(&request.decisions.len()) {
        fields.violation("decisions", "每批 1 至 1000 条", "1 to 1000 decisions");
    }
    fields.finish()
}

/// One decision of a batch; the error is the sentence for people.
pub(super) fn offline(entry: pb::OfflineDecision, device: &str) -> Result<Offline, String> {
    let fingerprint = fingerprint(&entry, device);
    let pb::OfflineDecision {
        client_id,
        person,
        observation: seen,
        result,
        decide_time,
    } = entry;
    let mut fields = Fields::new();
    let client_id = fields.parse("client_id", &client_id);
    let person = fields.optional("person", &person);
    let seen = observation(&mut fields, "observation", seen, false);
    let outcome = outcome_in(&mut fields, "result", result);
    let decide_time = fields.instant("decide_time", decide_time);
    fields.finish().map_err(|problem| words(&problem))?;
    match (client_id, outcome, decide_time) {
        (Some(client_id), Some(outcome), Some(decide_time)) => Ok(Offline {
            client_id,
            person,
            observation: seen,
            outcome,
            decide_time,
            fingerprint,
        }),
        _ => Err("填写的内容有误".to_owned()),
    }
}

/// The Chinese words of every field that is wrong.
fn words(problem: &Problem) -> String {
    let mut words = problem.chinese();
    for (field, zh) in problem.fields() {
        words.push_str(&format!("；{field}：{zh}"));
    }
    words
}

fn outcome_in(fields: &mut Fields, field: &str, number: i32) -> Option<Outcome> {
    use pb::gate_decision::Result as Pb;
    match fields.enumeration(field, number)? {
        Pb::Admit => Some(Outcome::Admit),
        Pb::Observe => Some(Outcome::Observe),
        Pb::Deny => Some(Outcome::Deny),
        Pb::Unspecified => None,
    }
}

/// Result and reason of an override.
pub(super) fn override_words(
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

pub(super) fn filter(request: &pb::ListGateDecisionsRequest) -> Result<Filter, Problem> {
    let mut fields = Fields::new();
    let outcome = match request.result {
        0 => None,
        number => outcome_in(&mut fields, "result", number),
    };
    let person = fields.optional("person", &request.person);
    fields.finish()?;
    Ok(Filter { outcome, person })
}

fn fingerprint(request: &impl Message, device: &str) -> i64 {
    let digest = Sha256::new()
        .chain_update(request.encode_to_vec())
        .chain_update(device)
        .finalize();
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(head)
}

/// What became of one decision of a batch.
pub(super) fn verdict(
    client_id: String,
    school: &str,
    verdict: Option<Verdict>,
) -> pb::OfflineVerdict {
    use pb::offline_verdict::Outcome as Pb;
    let (became, id, expected, message) = match verdict {
        Some(Verdict::Recorded(id, expected)) => (Pb::Recorded, Some(id), Some(expected), ""),
        Some(Verdict::Repeated(id, expected)) => (
            Pb::Repeated,
            Some(id),
            Some(expected),
            "此前已记录，未重复保存",
        ),
        Some(Verdict::Conflict(id, expected)) => (
            Pb::Conflict,
            Some(id),
            Some(expected),
            "已保存，但与平台数据的判定不一致，请复核",
        ),
        Some(Verdict::Differs(expected)) => (
            Pb::Differs,
            None,
            Some(expected),
            "同一编号此前记录了不同内容，未保存",
        ),
        Some(Verdict::OutOfTime) | None => {
            (Pb::Refused, None, None, "核验时间不在最近 7 天之内，未保存")
        }
    };
    pb::OfflineVerdict {
        client_id,
        outcome: became.into(),
        gate_decision: id.map(|id| named(school, id)).unwrap_or_default(),
        expected_result: expected.map_or(0, |expected| result(expected).into()),
        message: message.to_owned(),
    }
}

pub(super) fn refused(client_id: String, message: String) -> pb::OfflineVerdict {
    pb::OfflineVerdict {
        client_id,
        outcome: pb::offline_verdict::Outcome::Refused.into(),
        message,
        ..Default::default()
    }
}

/// A decision as callers see it.
pub(super) fn decision((record, word): Overridable) -> pb::GateDecision {
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
        recheck_of,
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

fn seen(observation: Observation) -> pb::GateObservation {
    let Observation {
        temperature,
        colour,
        travel,
    } = observation;
    pb::GateObservation {
        temperature_decidegrees: temperature.map(|reading| i32::from(reading.tenths())),
        colour: i32::from(colour.number()),
        travel_card: travel.map(|card| pb::TravelCard {
            show_date: Some(kit::field::to_date(card.shown)),
            starred: card.starred,
        }),
    }
}

fn result(outcome: Outcome) -> pb::gate_decision::Result {
    match outcome {
        Outcome::Admit => pb::gate_decision::Result::Admit,
        Outcome::Observe => pb::gate_decision::Result::Observe,
        Outcome::Deny => pb::gate_decision::Result::Deny,
    }
}

fn check(finding: Finding) -> pb::GateCheck {
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

fn reason(finding: Finding) -> pb::GateReason {
    pb::GateReason {
        code: i32::from(finding.number()),
        rule: finding.rule().to_owned(),
        message: finding.message().to_owned(),
    }
}

pub(super) fn snapshot(snapshot: Snapshot) -> pb::GateSnapshot {
    let (digest, expire_time) = (snapshot.digest(), snapshot.expire_time());
    let Snapshot {
        name,
        members,
        blocked,
        policy,
        create_time,
        facts_time,
    } = snapshot;
    let blocked = blocked
        .into_iter()
        .map(|(person, finding)| pb::BlockedPerson {
            person: person.to_string(),
            reason: Some(reason(finding)),
        });
    pb::GateSnapshot {
        name,
        members: members.iter().map(ToString::to_string).collect(),
        blocked: blocked.collect(),
        policy_version: policy.version,
        temperature_limit_decidegrees: i32::from(policy.temperature_max),
        denied_colours: policy
            .deny_colours
            .iter()
            .map(|c| i32::from(c.number()))
            .collect(),
        travel_window_days: policy.travel_window_days,
        create_time: Some(to_timestamp(create_time)),
        facts_time: facts_time.map(to_timestamp),
        expire_time: Some(to_timestamp(expire_time)),
        digest: digest.to_vec().into(),
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
