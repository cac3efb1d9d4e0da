//! Places, schedules, what is due and what was done.

use chrono::NaiveDate;
use kit::field::{Fields, to_date};
use kit::status::Problem;
use proto::safety as pb;

use super::super::photo;
use super::{NAME, choice, count, organization_name, place_in, template_in, template_name, words};
use crate::app::inspections::{Covered, Due, Timetable, Wish};
use crate::domain::checklist::item::PlaceKind;
use crate::domain::inspection::place::Place;
use crate::domain::inspection::schedule::{Cadence, Level, Schedule};

/// What is to be entered.
pub(in crate::grpc) fn wish(sent: Option<&pb::InspectionPlace>) -> Result<Wish, Problem> {
    let sent = sent.cloned().unwrap_or_default();
    let mut fields = Fields::new();
    let (field, of) = ("inspection_place.place_kind", PlaceKind::from_number);
    let kind = choice(&mut fields, field, sent.place_kind, of);
    if kind.is_some_and(PlaceKind::is_whole) {
        let zh = "单位整体无须登记";
        fields.violation(field, zh, "organisations as a whole are not entered");
    }
    place_in(&mut fields, "inspection_place.place", &sent.place, true);
    let field = "inspection_place.display_name";
    words(&mut fields, field, &sent.display_name, NAME);
    let field = "inspection_place.location";
    let location = photo::location(&mut fields, field, sent.location.as_ref());
    fields.finish()?;
    let kind = kind.ok_or_else(|| super::malformed("inspection_place"))?;
    Ok(Wish {
        kind,
        place: sent.place,
        display_name: sent.display_name,
        location,
    })
}

pub(in crate::grpc) fn place(place: Place) -> pb::InspectionPlace {
    let (organization, id) = (place.organization, place.id.hyphenated());
    pb::InspectionPlace {
        name: format!("organizations/{organization}/inspectionPlaces/{id}"),
        place_kind: place.kind as i32,
        place: place.place,
        display_name: place.display_name,
        open_date: Some(to_date(place.opened)),
        close_date: place.closed.map(to_date),
        location: place.location.map(photo::on_earth),
    }
}

/// What is to be entered.
pub(in crate::grpc) fn timetable(
    sent: Option<&pb::InspectionSchedule>,
) -> Result<Timetable, Problem> {
    let sent = sent.cloned().unwrap_or_default();
    let mut fields = Fields::new();
    let at = |name: &str| format!("inspection_schedule.{name}");
    words(&mut fields, &at("display_name"), &sent.display_name, NAME);
    let field = at("checklist_template");
    let template = template_in(&mut fields, &field, &sent.checklist_template);
    let (field, of) = (at("place_kind"), PlaceKind::from_number);
    let place_kind = choice(&mut fields, &field, sent.place_kind, of);
    let level = choice(&mut fields, &at("level"), sent.level, Level::from_number);
    let cadence = choice(
        &mut fields,
        &at("cadence"),
        sent.cadence,
        Cadence::from_number,
    );
    let start = fields.date(&at("start_date"), sent.start_date);
    fields.finish()?;
    match (template, place_kind, level, cadence, start) {
        (Some(template), Some(place_kind), Some(level), Some(cadence), Some(start)) => {
            Ok(Timetable {
                display_name: sent.display_name,
                template,
                place_kind,
                level,
                cadence,
                start,
            })
        }
        _ => Err(super::malformed("inspection_schedule")),
    }
}

/// The last day of a schedule, not before `today`.
pub(in crate::grpc) fn end_day(
    sent: Option<proto::Date>,
    today: NaiveDate,
) -> Result<NaiveDate, Problem> {
    let mut fields = Fields::new();
    let day = fields.date("end_date", sent);
    if day.is_some_and(|day| day < today) {
        fields.violation("end_date", "不能早于今天", "must not be in the past");
    }
    fields.finish()?;
    day.ok_or_else(|| super::malformed("end_date"))
}

pub(in crate::grpc) fn schedule(schedule: Schedule) -> pb::InspectionSchedule {
    pb::InspectionSchedule {
        name: format!("inspectionSchedules/{}", schedule.id),
        organization: organization_name(&schedule.organization),
        display_name: schedule.display_name,
        checklist_template: template_name(&schedule.template),
        place_kind: schedule.place_kind as i32,
        level: schedule.level as i32,
        cadence: schedule.cadence as i32,
        start_date: Some(to_date(schedule.start)),
        end_date: schedule.end.map(to_date),
    }
}

/// Two days in order, not more than `most` days apart, the second not after `last`.
pub(in crate::grpc) fn days(
    (start, end): (Option<proto::Date>, Option<proto::Date>),
    most: i64,
    last: Option<NaiveDate>,
) -> Result<(NaiveDate, NaiveDate), Problem> {
    let mut fields = Fields::new();
    let start = fields.date("start_date", start);
    let end = fields.date("end_date", end);
    if let (Some(start), Some(end)) = (start, end) {
        if !(0..=most).contains(&(end - start).num_days()) {
            let zh = format!("应不早于开始日期，且不超过 {most} 天");
            let en = format!("not before start_date, within {most} days");
            fields.violation("end_date", zh, en);
        }
        if last.is_some_and(|last| end > last) {
            fields.violation("end_date", "不能晚于今天", "must not be in the future");
        }
    }
    fields.finish()?;
    start.zip(end).ok_or_else(|| super::malformed("end_date"))
}

/// What is due, seen from `today`.
pub(in crate::grpc) fn due(due: Due, today: NaiveDate) -> pb::DueInspection {
    use pb::due_inspection::State;
    let state = match &due.inspection {
        Some(_) => State::Inspected,
        None if due.period.last < today => State::NotInspected,
        None => State::Due,
    };
    pb::DueInspection {
        organization: organization_name(&due.organization),
        place_kind: due.schedule.place_kind as i32,
        place: due.place,
        inspection_schedule: format!("inspectionSchedules/{}", due.schedule.id),
        checklist_template: template_name(&due.schedule.template),
        level: due.schedule.level as i32,
        start_date: Some(to_date(due.period.first)),
        due_date: Some(to_date(due.period.last)),
        state: state.into(),
        inspection: due.inspection.unwrap_or_default(),
    }
}

pub(in crate::grpc) fn coverage(covered: Covered) -> pb::InspectionCoverage {
    let kinds = covered.kinds.into_iter();
    let kinds = kinds.map(|(kind, tally)| pb::inspection_coverage::KindCoverage {
        place_kind: kind as i32,
        due_count: count(tally.due),
        inspected_count: count(tally.inspected),
        missed_count: count(tally.missed),
    });
    pb::InspectionCoverage {
        organization: organization_name(&covered.organization),
        display_name: covered.display_name,
        due_count: count(covered.tally.due),
        inspected_count: count(covered.tally.inspected),
        missed_count: count(covered.tally.missed),
        kinds: kinds.collect(),
    }
}
