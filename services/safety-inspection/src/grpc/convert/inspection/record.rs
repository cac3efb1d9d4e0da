//! Inspections and their items.

use chrono::NaiveDate;
use kit::field::{Fields, to_date, to_timestamp};
use kit::status::Problem;
use proto::safety as pb;

use super::super::photo;
use super::{choice, count, filter, item, place_in, template_in, template_name};
use crate::app::inspections::{Found, Looked, Plan};
use crate::app::photos::Shown;
use crate::domain::checklist::item::{PlaceKind, Value};
use crate::domain::inspection::answer::Answer;
use crate::domain::inspection::schedule::Level;
use crate::domain::inspection::state::State;
use crate::store::inspections::Change;

/// How far ahead an inspection is planned, and how far back it is entered.
const AHEAD: i64 = 366;

/// What is to be planned, seen from `today`.
pub(in crate::grpc) fn plan(
    sent: Option<&pb::Inspection>,
    today: NaiveDate,
) -> Result<Plan, Problem> {
    let sent = sent.cloned().unwrap_or_default();
    let mut fields = Fields::new();
    let field = "inspection.checklist_template";
    let template = template_in(&mut fields, field, &sent.checklist_template);
    let (field, of) = ("inspection.place_kind", PlaceKind::from_number);
    let place_kind = choice(&mut fields, field, sent.place_kind, of);
    let whole = place_kind.is_none_or(PlaceKind::is_whole);
    place_in(&mut fields, "inspection.place", &sent.place, !whole);
    if whole && !sent.place.is_empty() {
        let zh = "对单位整体的检查不填写场所";
        fields.violation(
            "inspection.place",
            zh,
            "an organisation as a whole has no place",
        );
    }
    let level = choice(
        &mut fields,
        "inspection.level",
        sent.level,
        Level::from_number,
    );
    let planned = fields.date("inspection.planned_date", sent.planned_date);
    if let Some(planned) = planned {
        let days = (planned - today).num_days();
        if !(0..=AHEAD).contains(&days) {
            let zh = "计划日期应在今天至 366 天之内";
            fields.violation(
                "inspection.planned_date",
                zh,
                "from today on, within 366 days",
            );
        }
    }
    fields.finish()?;
    match (template, place_kind, level, planned) {
        (Some(template), Some(place_kind), Some(level), Some(planned)) => Ok(Plan {
            template,
            place_kind,
            place: sent.place,
            level,
            planned,
        }),
        _ => Err(super::malformed("inspection")),
    }
}

/// Which inspections are listed.
pub(in crate::grpc) fn listed(
    request: &pb::ListInspectionsRequest,
) -> Result<(Option<State>, Option<PlaceKind>), Problem> {
    Ok((
        filter("state", request.state, State::from_number)?,
        filter("place_kind", request.place_kind, PlaceKind::from_number)?,
    ))
}

/// An inspection as it is seen on the civil day `today`.
pub(in crate::grpc) fn inspection(found: Found, today: NaiveDate) -> pb::Inspection {
    let Found {
        inspection,
        changes,
        findings,
    } = found;
    let figures = inspection.figures;
    let mut hazards: Vec<String> = findings.into_iter().map(|one| one.hazard).collect();
    hazards.sort();
    hazards.dedup();
    pb::Inspection {
        name: inspection.name(),
        state: inspection.state as i32,
        checklist_template: template_name(&inspection.template),
        added_templates: inspection.added.iter().map(template_name).collect(),
        place_kind: inspection.place_kind as i32,
        level: inspection.level as i32,
        planned_date: Some(to_date(inspection.planned)),
        item_count: count(inspection.items),
        failed_count: count(figures.failed),
        not_applicable_count: count(figures.not_applicable),
        score_thousandths: figures.score.map(count),
        borrowed_photo_count: count(figures.borrowed),
        misplaced_photo_count: count(figures.misplaced),
        hazards,
        changes: changes.into_iter().map(change).collect(),
        create_time: Some(to_timestamp(inspection.created)),
        submit_time: inspection.submitted.map(to_timestamp),
        overdue: inspection.is_overdue(today),
        place: inspection.place,
        inspector: inspection.inspector,
        answerable: inspection.answerable,
    }
}

fn change(change: Change) -> pb::inspection::Change {
    pb::inspection::Change {
        from_state: change.from,
        to_state: change.to,
        actor: change.actor,
        change_time: Some(to_timestamp(change.at)),
        reason: change.reason,
    }
}

/// An item and what was answered.
pub(in crate::grpc) fn looked(looked: Looked) -> pb::InspectionItem {
    let (hazard, hazard_stood) = looked
        .finding
        .map_or((String::new(), false), |one| (one.hazard, one.stood));
    let shown = looked.shown;
    pb::InspectionItem {
        item: looked.entry.id,
        checklist_item: Some(item::item(&looked.entry.item)),
        result: looked.outcome as i32,
        answer: looked.answer.map(|answer| {
            let photos = answer.photos.iter().zip(shown);
            let photos = photos
                .map(|(one, shown)| {
                    photo::shown(Shown {
                        photo: one.clone(),
                        seen_before: shown.before,
                        seen_elsewhere: count(shown.elsewhere),
                        distance: shown.distance,
                        misplaced: shown.misplaced,
                    })
                })
                .collect();
            wire(answer, photos)
        }),
        hazard,
        hazard_stood,
    }
}

fn wire(answer: Answer, photos: Vec<pb::Photo>) -> pb::InspectionAnswer {
    use pb::inspection_answer::Value as Pb;
    pb::InspectionAnswer {
        client_id: answer.client_id.hyphenated().to_string(),
        item: answer.item,
        value: Some(match answer.value {
            Value::Good(good) => Pb::Good(good),
            Value::Number(number) => Pb::NumberThousandths(number),
            Value::Text(text) => Pb::Text(text),
            Value::NotApplicable => Pb::NotApplicable(true),
        }),
        note: answer.note,
        photos,
        answer_time: Some(to_timestamp(answer.written)),
    }
}
