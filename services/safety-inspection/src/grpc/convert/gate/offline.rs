//! What gates decided without a network, and what became of it.

use kit::field::Fields;
use kit::status::Problem;
use proto::safety as pb;

use super::decision::result;
use super::{DEVICE, emergency_in, fingerprint, observation, outcome_in};
use crate::app::gate::{Offline, Verdict, decision_name as named};
use crate::domain::gate::decision::Outcome;

const BATCH: usize = 1000;

pub(in crate::grpc) fn check_batch(request: &pb::RecordBatchRequest) -> Result<(), Problem> {
    let mut fields = Fields::new();
    fields.required("device", &request.device);
    fields.text("device", &request.device, DEVICE);
    if !(1..=BATCH).contains(&request.decisions.len()) {
        fields.violation("decisions", "每批 1 至 1000 条", "1 to 1000 decisions");
    }
    fields.finish()
}

/// One decision of a batch; the error is the sentence for people.
pub(in crate::grpc) fn offline(
    entry: pb::OfflineDecision,
    device: &str,
) -> Result<Offline, String> {
    let fingerprint = fingerprint(&entry, device);
    let pb::OfflineDecision {
        client_id,
        person,
        observation: seen,
        result,
        decide_time,
        recheck_of_id,
        emergency,
        emergency_people_count,
        emergency_plate,
        snapshot_facts_time,
    } = entry;
    let mut fields = Fields::new();
    let client_id = fields.parse("client_id", &client_id);
    let person = fields.optional("person", &person);
    let recheck_of = fields.optional("recheck_of_id", &recheck_of_id);
    let known = person.is_some() || recheck_of.is_some();
    let crew = (emergency, emergency_people_count, &*emergency_plate);
    let emergency = emergency_in(&mut fields, crew, known);
    let seen = observation(&mut fields, "observation", seen, emergency.is_some());
    let outcome = outcome_in(&mut fields, "result", result);
    if emergency.is_some() && outcome != Some(Outcome::Admit) {
        fields.violation("result", "紧急救援人员应为放行", "a crew is admitted");
    }
    let decide_time = fields.instant("decide_time", decide_time);
    let facts_time =
        snapshot_facts_time.and_then(|time| fields.instant("snapshot_facts_time", Some(time)));
    if facts_time > decide_time && decide_time.is_some() {
        let (zh, en) = ("不应晚于核验时间", "must not be after decide_time");
        fields.violation("snapshot_facts_time", zh, en);
    }
    fields.finish().map_err(|problem| words(&problem))?;
    match (client_id, outcome, decide_time) {
        (Some(client_id), Some(outcome), Some(decide_time)) => Ok(Offline {
            client_id,
            person,
            observation: seen,
            outcome,
            decide_time,
            facts_time,
            recheck_of,
            emergency,
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

/// What became of one decision of a batch.
pub(in crate::grpc) fn verdict(
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
        Some(Verdict::Implausible) => (Pb::Refused, None, None, "体温读数不可信，未保存"),
        Some(Verdict::OutOfTime) | None => {
            (Pb::Refused, None, None, "核验时间不在最近 7 天之内，未保存")
        }
    };
    pb::OfflineVerdict {
        client_id,
        outcome: became.into(),
        gate_decision: id.map(|id| named(school, id)).unwrap_or_default(),
        expected_result: expected.map_or(0, |expected| result(expected.outcome).into()),
        message: message.to_owned(),
        basis: id.and(expected).map_or(0, |expected| expected.basis as i32),
    }
}

pub(in crate::grpc) fn refused(client_id: String, message: String) -> pb::OfflineVerdict {
    pb::OfflineVerdict {
        client_id,
        outcome: pb::offline_verdict::Outcome::Refused.into(),
        message,
        ..Default::default()
    }
}
