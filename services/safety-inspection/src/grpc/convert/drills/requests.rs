//! What is asked of drills.

use chrono::{DateTime, NaiveDate, Utc};
use kit::field::Fields;
use kit::status::Problem;
use proto::safety as pb;
use proto::safety::record_headcount_request::Count as PbCount;
use proto::safety::review_drill_request::Problem as PbProblem;

use super::super::{few, malformed, natural, photo, spot, staff, words};
use crate::app::drills::Assessment;
use crate::domain::drill::obligation::Standing;
use crate::domain::drill::{Count, Ending, Plan, Riders, State, Type};
use crate::domain::hazard::report::{Category, Report, Source};
use crate::domain::person::PersonName;
use crate::domain::photo::Photo;
use crate::store::drills::Filter;

/// How many pictures are handed in at once at most.
const PHOTOS: usize = 20;

const TEXT: usize = 2000;
const REASON: usize = 500;
const DESCRIPTION: usize = 1000;
const PROBLEMS: usize = 50;
const GROUPS: usize = 2001;
const RIDERS: usize = 200;
const PEOPLE: i32 = 10_000;

/// A number of the contract that may be left out.
fn optional<T>(
    fields: &mut Fields,
    field: &str,
    number: i32,
    of: fn(i32) -> Option<T>,
) -> Option<T> {
    if number == 0 {
        None
    } else {
        chosen(fields, field, number, of)
    }
}

fn chosen<T>(fields: &mut Fields, field: &str, number: i32, of: fn(i32) -> Option<T>) -> Option<T> {
    let value = of(number);
    if value.is_none() {
        fields.violation(field, "请选择有效的选项", "not a known value");
    }
    value
}

/// The plan in a request to an organisation.
pub(in crate::grpc) fn plan(
    organization: &str,
    request: &pb::CreateDrillRequest,
) -> Result<Plan, Problem> {
    let sent = request.drill.clone().unwrap_or_default();
    let mut fields = Fields::new();
    let kind = chosen(
        &mut fields,
        "drill.drill_type",
        sent.drill_type,
        Type::from_number,
    );
    let scenario = words(&mut fields, "drill.scenario", &sent.scenario, TEXT);
    let leader = staff(&mut fields, "drill.leader", &sent.leader);
    let at = fields.instant("drill.plan_time", sent.plan_time);
    let storeys = fields.within("drill.storeys", sent.storeys, 1..=60);
    fields.text("drill.routes", &sent.routes, TEXT);
    if sent.riders.is_empty() == (kind == Some(Type::Bus)) {
        fields.violation(
            "drill.riders",
            "校车演练必须填写，其他演练不填",
            "for drills of a bus, and only for them",
        );
    }
    let riders = riders(&mut fields, organization, &sent.riders);
    fields.finish()?;
    let (Some(kind), Some(at)) = (kind, at) else {
        return Err(malformed("drill"));
    };
    Ok(Plan {
        kind,
        scenario,
        leader,
        at,
        storeys: natural(storeys),
        routes: sent.routes,
        riders,
    })
}

fn riders(fields: &mut Fields, organization: &str, sent: &[pb::drill::Riders]) -> Vec<Riders> {
    few(fields, "drill.riders", sent, RIDERS);
    let mut read: Vec<Riders> = Vec::new();
    let prefix = format!("organizations/{organization}/classGroups/");
    for (index, riders) in sent.iter().take(RIDERS).enumerate() {
        let field = format!("drill.riders[{index}]");
        let id = riders.class_group.strip_prefix(&prefix);
        let twice = read.iter().any(|one| one.class_group == riders.class_group);
        if twice || !id.is_some_and(kit::org::is_id) {
            fields.violation(
                format!("{field}.class_group"),
                "应为本单位的班级，且不重复",
                "must be a class group of the organisation, each once",
            );
        }
        let number = format!("{field}.rider_count");
        let count = natural(fields.within(&number, riders.rider_count, 1..=1000));
        read.push(Riders {
            class_group: riders.class_group.clone(),
            count,
        });
    }
    read
}

/// To when a drill is put off, and why.
pub(in crate::grpc) fn postponed(
    request: &pb::PostponeDrillRequest,
) -> Result<(DateTime<Utc>, String), Problem> {
    let mut fields = Fields::new();
    let at = fields.instant("plan_time", request.plan_time);
    let reason = words(&mut fields, "reason", &request.reason, REASON);
    fields.finish()?;
    at.map(|at| (at, reason))
        .ok_or_else(|| malformed("plan_time"))
}

/// An instant that may be left out.
pub(in crate::grpc) fn instant(
    field: &'static str,
    sent: Option<prost_types::Timestamp>,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let mut fields = Fields::new();
    let instant = sent.and_then(|sent| fields.instant(field, Some(sent)));
    fields.finish()?;
    Ok(instant)
}

/// A civil day that may be left out.
pub(in crate::grpc) fn day(
    field: &'static str,
    sent: Option<proto::Date>,
) -> Result<Option<NaiveDate>, Problem> {
    let mut fields = Fields::new();
    let day = sent.and_then(|sent| fields.date(field, Some(sent)));
    fields.finish()?;
    Ok(day)
}

/// Why something is done.
pub(in crate::grpc) fn reason(reason: &str) -> Result<String, Problem> {
    let mut fields = Fields::new();
    let reason = words(&mut fields, "reason", reason, REASON);
    fields.finish()?;
    Ok(reason)
}

/// A headcount.
pub(in crate::grpc) fn counts(sent: &[PbCount]) -> Result<Vec<Count>, Problem> {
    let mut fields = Fields::new();
    few(&mut fields, "counts", sent, GROUPS);
    let mut counts = Vec::new();
    for (index, count) in sent.iter().take(GROUPS).enumerate() {
        let field = |name: &str| format!("counts[{index}].{name}");
        fields.required(&field("group"), &count.group);
        fields.text(&field("group"), &count.group, 100);
        let present = fields.within(&field("present_count"), count.present_count, 0..=PEOPLE);
        let missing = count.missing.iter().enumerate();
        let missing: Vec<Option<PersonName>> = missing
            .map(|(place, person)| {
                let field = format!("{}[{place}]", field("missing"));
                fields.parse(&field, person)
            })
            .collect();
        counts.push(Count {
            group: count.group.clone(),
            present: natural(present),
            missing: missing.into_iter().flatten().collect(),
        });
    }
    fields.finish()?;
    Ok(counts)
}

/// Somebody who is found.
pub(in crate::grpc) fn person(person: &str) -> Result<String, Problem> {
    super::super::person("person", person).map(|person| person.to_string())
}

/// What is noted at the end, at `now`.
pub(in crate::grpc) fn ending(
    request: &pb::EndDrillRequest,
    now: DateTime<Utc>,
) -> Result<(Ending, Vec<Photo>), Problem> {
    let mut fields = Fields::new();
    let injuries = fields.within("injury_count", request.injury_count, 0..=PEOPLE);
    let plan_changes = fields.text("plan_changes", &request.plan_changes, TEXT);
    let ending = Ending {
        injuries: natural(injuries),
        plan_changes: plan_changes.to_owned(),
    };
    let photos = photo::photos(&mut fields, "photos", &request.photos, (PHOTOS, now));
    fields.finish()?;
    Ok((ending, photos))
}

/// A judgement, at `now`.
pub(in crate::grpc) fn assessment(
    request: &pb::ReviewDrillRequest,
    now: DateTime<Utc>,
) -> Result<Assessment, Problem> {
    let mut fields = Fields::new();
    let score = natural(fields.within("score", request.score, 0..=100));
    let summary = words(&mut fields, "summary", &request.summary, TEXT);
    few(&mut fields, "problems", &request.problems, PROBLEMS);
    let sent = request.problems.iter().take(PROBLEMS).enumerate();
    let problems = sent
        .filter_map(|(index, sent)| problem(&mut fields, &format!("problems[{index}]"), sent, now))
        .collect();
    fields.finish()?;
    Ok(Assessment {
        score,
        summary,
        problems,
    })
}

fn problem(
    fields: &mut Fields,
    field: &str,
    sent: &PbProblem,
    now: DateTime<Utc>,
) -> Option<Report> {
    let of = Category::from_number;
    let category = chosen(fields, &format!("{field}.category"), sent.category, of);
    let place = if sent.place.is_empty() {
        String::new()
    } else {
        spot(fields, &format!("{field}.place"), &sent.place)
    };
    let text = format!("{field}.description");
    let description = words(fields, &text, &sent.description, DESCRIPTION);
    let photos = photo::photos(
        fields,
        &format!("{field}.photos"),
        &sent.photos,
        (PHOTOS, now),
    );
    Some(Report {
        place,
        category: category?,
        description,
        photos,
        source: Source::Drill,
        origin: String::new(),
        major_rules: Vec::new(),
        proposed: None,
        clause: None,
    })
}

/// Which drills are asked for.
pub(in crate::grpc) fn filter(request: &pb::ListDrillsRequest) -> Result<Filter, Problem> {
    let mut fields = Fields::new();
    let filter = Filter {
        state: optional(&mut fields, "state", request.state, State::from_number),
        kind: optional(
            &mut fields,
            "drill_type",
            request.drill_type,
            Type::from_number,
        ),
    };
    fields.finish()?;
    Ok(filter)
}

/// Which obligations are asked for.
pub(in crate::grpc) fn standing(number: i32) -> Result<Option<Standing>, Problem> {
    let mut fields = Fields::new();
    let standing = optional(&mut fields, "state", number, Standing::from_number);
    fields.finish()?;
    Ok(standing)
}
