//! What is asked of resumption.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use kit::field::Fields;
use kit::status::Problem;
use proto::safety as pb;

use super::super::{few, malformed, photo, words};
use crate::app::resumption::{Given, Opinion, Reported, Suspend, Whom};
use crate::domain::checklist::item::Value;
use crate::domain::resumption::away::Reason;
use crate::domain::resumption::inspection::Decision;
use crate::domain::resumption::own_plan;
use crate::domain::resumption::state::State;
use crate::store::resumption::Filter;

/// How many batches there can be.
const POSITIONS: std::ops::RangeInclusive<i16> = 1..=99;
/// The collection of resumptions, among which are those of universities.
const RESUMPTIONS: &str = "resumptions";
const ANSWERS: usize = 100;
const PLAN: usize = 4000;
const ITEM: usize = 120;
const ITEMS: usize = 100;
const WORDS: usize = 500;
const PHOTOS: usize = 9;
const OPINION: usize = 1000;
const EXPLANATION: usize = 150;
const ACCOUNT: usize = 200;
/// In thousandths of the unit.
const LARGEST: i64 = 1_000_000_000_000;

/// The ids in `organizations/{organization}/{collection}/{position}`, and what follows.
pub(in crate::grpc) fn numbered(
    field: &'static str,
    collection: &str,
    name: &str,
    leaf: &[&str],
) -> Result<(String, i16), Problem> {
    let parts: Vec<&str> = name.split('/').collect();
    match parts.as_slice() {
        ["organizations", organization, among, position, rest @ ..]
            if *among == collection && kit::org::is_id(organization) && rest == leaf =>
        {
            if *position == own_plan::WORD && collection == RESUMPTIONS {
                return Ok(((*organization).to_owned(), own_plan::POSITION));
            }
            let number = position.parse().ok();
            let number = number.filter(|number: &i16| number.to_string() == *position);
            let number = number.filter(|number| POSITIONS.contains(number));
            let number = number.ok_or_else(|| malformed(field))?;
            Ok(((*organization).to_owned(), number))
        }
        _ => Err(malformed(field)),
    }
}

/// The place of a batch in the order.
fn position(fields: &mut Fields, position: i32) -> i16 {
    let known = i16::try_from(position).ok();
    let known = known.filter(|position| POSITIONS.contains(position));
    if known.is_none() {
        fields.violation("position", "应在 1 到 99 之间", "must be between 1 and 99");
    }
    known.unwrap_or_default()
}

/// The place of a batch in the order that may be left out; then 0.
pub(in crate::grpc) fn optional_position(sent: i32) -> Result<i16, Problem> {
    let mut fields = Fields::new();
    let place = if sent == 0 {
        0
    } else {
        position(&mut fields, sent)
    };
    fields.finish()?;
    Ok(place)
}

/// Which batch is planned for which day.
pub(in crate::grpc) fn plan(
    request: &pb::PlanResumptionBatchRequest,
) -> Result<(i16, NaiveDate), Problem> {
    let mut fields = Fields::new();
    let place = position(&mut fields, request.position);
    let day = fields.date("planned_date", request.planned_date);
    fields.finish()?;
    let day = day.ok_or_else(|| malformed("planned_date"))?;
    Ok((place, day))
}

/// A day that may be left out.
pub(in crate::grpc) fn optional_day(
    field: &'static str,
    sent: Option<proto::Date>,
) -> Result<Option<NaiveDate>, Problem> {
    let mut fields = Fields::new();
    let day = sent.and_then(|sent| fields.date(field, Some(sent)));
    fields.finish()?;
    Ok(day)
}

/// A day.
pub(in crate::grpc) fn day(
    field: &'static str,
    sent: Option<proto::Date>,
) -> Result<NaiveDate, Problem> {
    let mut fields = Fields::new();
    let day = fields.date(field, sent);
    fields.finish()?;
    day.ok_or_else(|| malformed(field))
}

/// Which resumptions are listed.
pub(in crate::grpc) fn filter(request: &pb::ListResumptionsRequest) -> Result<Filter, Problem> {
    let position = optional_position(request.position)?;
    let state = State::from_number(request.state);
    if state.is_none() && request.state != 0 {
        let (zh, en) = ("请选择有效的选项", "not a known value");
        return Err(Problem::invalid("state", zh, en));
    }
    Ok(Filter { position, state })
}

/// Answers, read at `now`.
pub(in crate::grpc) fn answers(
    sent: &[pb::ResumptionAnswer],
    now: DateTime<Utc>,
) -> Result<Vec<Given>, Problem> {
    if !(1..=ANSWERS).contains(&sent.len()) {
        return Err(Problem::invalid(
            "answers",
            "每次 1 至 100 项",
            "1 to 100 answers",
        ));
    }
    let (mut fields, mut items) = (Fields::new(), BTreeSet::new());
    let mut given = Vec::with_capacity(sent.len());
    for (place, one) in sent.iter().enumerate() {
        let field = format!("answers[{place}]");
        if !items.insert(&*one.item) {
            let (zh, en) = ("同一项目重复", "stands twice");
            fields.violation(format!("{field}.item"), zh, en);
        }
        given.extend(answer(&mut fields, &field, one, now));
    }
    fields.finish()?;
    Ok(given)
}

fn answer(
    fields: &mut Fields,
    field: &str,
    sent: &pb::ResumptionAnswer,
    now: DateTime<Utc>,
) -> Option<Given> {
    use pb::resumption_answer::Value as Pb;
    let item = words(fields, &format!("{field}.item"), &sent.item, ITEM);
    let note = format!("{field}.note");
    fields.text(&note, &sent.note, WORDS);
    let value = match &sent.value {
        Some(Pb::Good(good)) => Some(Value::Good(*good)),
        Some(Pb::NumberThousandths(number)) => {
            let field = format!("{field}.number_thousandths");
            Some(Value::Number(fields.within(&field, *number, 0..=LARGEST)))
        }
        Some(Pb::Text(text)) => {
            let text = words(fields, &format!("{field}.text"), text, WORDS);
            Some(Value::Text(text))
        }
        Some(Pb::NotApplicable(true)) => Some(Value::NotApplicable),
        Some(Pb::NotApplicable(false)) | None => {
            fields.violation(format!("{field}.value"), "请填写检查结果", "required");
            None
        }
    };
    let photos = format!("{field}.photos");
    Some(Given {
        item,
        note: sent.note.clone(),
        photos: photo::photos(fields, &photos, &sent.photos, (PHOTOS, now)),
        value: value?,
    })
}

/// The accounts of the three departments.
pub(in crate::grpc) fn inspectors(
    request: &pb::StartJointInspectionRequest,
) -> Result<[String; 3], Problem> {
    let mut fields = Fields::new();
    let named = [
        ("education_inspector", &request.education_inspector),
        ("health_inspector", &request.health_inspector),
        ("market_inspector", &request.market_inspector),
    ];
    let [education, health, market] = named.map(|(field, account)| {
        let account = words(&mut fields, field, account, ACCOUNT);
        (field, account)
    });
    for (one, other) in [
        (&education, &health),
        (&education, &market),
        (&health, &market),
    ] {
        if one.1 == other.1 {
            let (zh, en) = ("三个部门的核验人不能是同一人", "must be three accounts");
            fields.violation(other.0, zh, en);
        }
    }
    fields.finish()?;
    Ok([education.1, health.1, market.1])
}

/// What an inspector says.
pub(in crate::grpc) fn opinion(
    request: &pb::SignJointInspectionRequest,
) -> Result<Opinion, Problem> {
    let mut fields = Fields::new();
    let decision = Decision::from_number(request.decision);
    if decision.is_none() {
        fields.violation("decision", "请选择有效的选项", "not a known value");
    }
    if decision != Some(Decision::Approve) {
        fields.required("opinion", request.opinion.trim());
    }
    fields.text("opinion", &request.opinion, OPINION);
    few(&mut fields, "items", &request.items, ITEMS);
    if request.items.is_empty() == (decision == Some(Decision::Rectify)) {
        fields.violation(
            "items",
            "要求整改时必须列出项目，其他意见不填",
            "for a demand, and only for it",
        );
    }
    fields.finish()?;
    let decision = decision.ok_or_else(|| malformed("decision"))?;
    Ok(Opinion {
        decision,
        opinion: request.opinion.clone(),
        items: request.items.clone(),
    })
}

/// The plan that a university reports.
pub(in crate::grpc) fn reported(request: &pb::ReportOwnPlanRequest) -> Result<Reported, Problem> {
    let mut fields = Fields::new();
    let text = words(&mut fields, "plan", &request.plan, PLAN);
    let day = fields.date("proposed_date", request.proposed_date);
    fields.finish()?;
    let day = day.ok_or_else(|| malformed("proposed_date"))?;
    Ok(Reported { text, day })
}

/// What the headquarters says of a plan.
pub(in crate::grpc) fn ruling(
    request: &pb::DecideOwnPlanRequest,
) -> Result<(Decision, String), Problem> {
    let mut fields = Fields::new();
    let decision = Decision::from_number(request.decision);
    if decision.is_none() {
        fields.violation("decision", "请选择有效的选项", "not a known value");
    }
    if decision != Some(Decision::Approve) {
        fields.required("opinion", request.opinion.trim());
    }
    fields.text("opinion", &request.opinion, OPINION);
    fields.finish()?;
    let decision = decision.ok_or_else(|| malformed("decision"))?;
    Ok((decision, request.opinion.clone()))
}

/// What is decided at an organisation.
pub(in crate::grpc) fn suspend(
    organization: &str,
    request: &pb::ReSuspendRequest,
) -> Result<Suspend, Problem> {
    let mut fields = Fields::new();
    let reason = Reason::from_number(request.reason);
    if reason.is_none() {
        fields.violation("reason", "请选择有效的选项", "not a known value");
    }
    let explanation = words(
        &mut fields,
        "explanation",
        &request.explanation,
        EXPLANATION,
    );
    let until = request
        .until_date
        .and_then(|sent| fields.date("until_date", Some(sent)));
    let grades: BTreeSet<i32> = request.grades.iter().copied().collect();
    if grades.iter().any(|grade| !(1..=12).contains(grade)) {
        fields.violation("grades", "应在 1 到 12 之间", "must be between 1 and 12");
    }
    if !request.class_group.is_empty() {
        let prefix = format!("organizations/{organization}/classGroups/");
        let id = request.class_group.strip_prefix(&prefix);
        if !id.is_some_and(kit::org::is_id) {
            let (zh, en) = (
                "应为本单位的班级",
                "must be a class group of the organisation",
            );
            fields.violation("class_group", zh, en);
        }
        if !grades.is_empty() {
            let (zh, en) = ("年级和班级只能指定一种", "not together with class_group");
            fields.violation("grades", zh, en);
        }
    }
    fields.finish()?;
    let whom = if !request.class_group.is_empty() {
        Whom::ClassGroup(request.class_group.clone())
    } else if grades.is_empty() {
        Whom::All
    } else {
        Whom::Grades(grades)
    };
    Ok(Suspend {
        whom,
        reason: reason.ok_or_else(|| malformed("reason"))?,
        explanation,
        until,
        online: request.online,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumption_has_one_name() {
        let read = |name: &str| numbered("name", "resumptions", name, &[]).ok();
        let expected = Some(("2135010001".to_owned(), 2));
        assert_eq!(read("organizations/2135010001/resumptions/2"), expected);
        for wrong in [
            "organizations/2135010001/resumptions/02",
            "organizations/2135010001/resumptions/0",
            "organizations/2135010001/resumptions/-1",
            "organizations/2135010001/resumptions/100",
            "organizations/2135010001/resumptions/own_plan",
            "organizations/2135010001/resumptions/2/readiness",
            "organizations/2135010001/resumptionBatches/2",
            "organizations//resumptions/2",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        let own = read("organizations/4135010384/resumptions/own-plan");
        assert_eq!(own, Some(("4135010384".to_owned(), own_plan::POSITION)));
        let batch = "organizations/4135010384/resumptionBatches/own-plan";
        assert!(numbered("name", "resumptionBatches", batch, &[]).is_err());
        let readiness = "organizations/2135010001/resumptions/2/readiness";
        let read = numbered("name", "resumptions", readiness, &["readiness"]);
        assert!(read.is_ok());
    }
}
