//! Visits, field by field, both ways.

use kit::field::{Fields, to_date, to_timestamp};
use kit::status::Problem;
use proto::safety as pb;
use uuid::Uuid;

use super::gate::{DEVICE, check, observation, reason, result, seen};
use super::malformed;
use crate::app::gate::{Emergency, LookUp};
use crate::app::visitors::{Opened, Seen, Wish, visit_name};
use crate::domain::gate::observation::{Crew, TravelSource};
use crate::domain::visitor::card::{Card, DocumentKind, is_phone};
use crate::domain::visitor::checked::{Checked, Entrant};
use crate::domain::visitor::state::State;
use crate::domain::visitor::visit::MOST_COMPANIONS;
use crate::store::visits::{VisitEvent, VisitFilter};

const NAME: usize = 60;
const TEXT: usize = 200;
const AFFILIATION: usize = 100;
pub(super) const PLATE: usize = 30;
const BADGE: usize = 32;

/// School and id in `organizations/{organization}/visits/{visit}`.
pub(in crate::grpc) fn visit(name: &str) -> Result<(String, Uuid), Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", school, "visits", id] if kit::org::is_id(school) => {
            let id = Uuid::try_parse(id).map_err(|_| malformed("name"))?;
            Ok((school.to_owned(), id))
        }
        _ => Err(malformed("name")),
    }
}

/// The same in `organizations/{organization}/visits/{visit}/pass`.
pub(in crate::grpc) fn pass(name: &str) -> Result<(String, Uuid), Problem> {
    visit(
        name.strip_suffix("/pass")
            .ok_or_else(|| malformed("name"))?,
    )
}

fn card(fields: &mut Fields, at: &str, visitor: Option<pb::Visitor>, purpose: &str) -> Card {
    let pb::Visitor {
        full_name,
        document_kind,
        document_number,
        phone,
        affiliation,
        plate,
        recent_regions,
    } = visitor.unwrap_or_default();
    fields.required(&format!("{at}.full_name"), full_name.trim());
    for (field, text, most) in [
        ("full_name", &full_name, NAME),
        ("affiliation", &affiliation, AFFILIATION),
        ("plate", &plate, PLATE),
        ("recent_regions", &recent_regions, TEXT),
    ] {
        fields.text(&format!("{at}.{field}"), text, most);
    }
    if !phone.is_empty() && !is_phone(&phone) {
        let (zh, en) = ("不是有效的手机号", "not a mobile number");
        fields.violation(format!("{at}.phone"), zh, en);
    }
    let kind = DocumentKind::from_number(document_kind);
    if kind.is_none() && document_kind != 0 {
        let (zh, en) = ("请选择有效的选项", "not a known value");
        fields.violation(format!("{at}.document_kind"), zh, en);
    }
    let number = kind.and_then(|kind| kind.number(&document_number));
    if number.is_none() && (kind.is_some() || !document_number.is_empty()) {
        let (zh, en) = ("证件号码有误", "not a number of this kind of document");
        fields.violation(format!("{at}.document_number"), zh, en);
    }
    Card {
        full_name: full_name.trim().to_owned(),
        document_kind: kind,
        document_number: number.unwrap_or_default(),
        phone,
        affiliation,
        plate,
        recent_regions,
        purpose: purpose.to_owned(),
    }
}

fn purpose_in<'a>(fields: &mut Fields, field: &str, purpose: &'a str) -> &'a str {
    fields.required(field, purpose.trim());
    fields.text(field, purpose, TEXT)
}

/// What is asked for.
pub(in crate::grpc) fn wish(visit: Option<pb::Visit>) -> Result<Wish, Problem> {
    let visit = visit.unwrap_or_default();
    let mut fields = Fields::new();
    let purpose = purpose_in(&mut fields, "visit.purpose", &visit.purpose);
    let card = card(&mut fields, "visit.visitor", visit.visitor, purpose);
    if card.document_kind.is_none() {
        fields.violation("visit.visitor.document_kind", "必填", "required");
    }
    fields.required("visit.visitor.phone", &card.phone);
    let host = fields.parse("visit.host", &visit.host);
    let range = 0..=MOST_COMPANIONS;
    let companions = fields.within("visit.companion_count", visit.companion_count, range);
    let day = fields.date("visit.visit_date", visit.visit_date);
    let leave = fields.instant("visit.expected_leave_time", visit.expected_leave_time);
    fields.finish()?;
    match (host, day, leave) {
        (Some(host), Some(day), Some(expected_leave)) => Ok(Wish {
            card,
            host,
            companions,
            day,
            expected_leave,
            urgent: visit.urgent,
        }),
        _ => Err(malformed("visit")),
    }
}

/// Who came in an emergency.
pub(in crate::grpc) fn after_entry(request: &pb::RecordAfterEntryRequest) -> Result<Card, Problem> {
    let mut fields = Fields::new();
    let purpose = purpose_in(&mut fields, "purpose", &request.purpose);
    let card = card(&mut fields, "visitor", request.visitor.clone(), purpose);
    fields.required("visitor.affiliation", &card.affiliation);
    fields.finish()?;
    Ok(card)
}

/// Why somebody decides.
pub(in crate::grpc) fn why(reason: &str) -> Result<String, Problem> {
    let mut fields = Fields::new();
    fields.required("reason", reason.trim());
    fields.text("reason", reason, TEXT);
    fields.finish()?;
    Ok(reason.to_owned())
}

/// The crew of an emergency, how many they are, and their plate.
pub(in crate::grpc) fn crew(request: &pb::AdmitEmergencyRequest) -> Result<Emergency, Problem> {
    let mut fields = Fields::new();
    let mut crews = Crew::ALL.into_iter();
    let crew = crews.find(|crew| *crew as i32 == request.emergency);
    if crew.is_none() {
        fields.violation("emergency", "请选择有效的选项", "not a known value");
    }
    let people = fields.within(
        "people_count",
        request.people_count,
        1..=MOST_COMPANIONS + 1,
    );
    let plate = fields.text("plate", &request.plate, PLATE).to_owned();
    fields.finish()?;
    let crew = crew.ok_or_else(|| malformed("emergency"))?;
    Ok(Emergency {
        crew,
        people,
        plate,
    })
}

/// What was seen at the gate.
pub(in crate::grpc) fn check_of(request: &pb::CheckVisitRequest) -> Result<Seen, Problem> {
    let mut fields = Fields::new();
    let seen = request.observation.clone();
    let own = observation(&mut fields, "observation", seen, false);
    let most = usize::try_from(MOST_COMPANIONS).unwrap_or_default();
    if request.companion_observations.len() > most {
        let (zh, en) = ("随行人数过多", "too many companions");
        fields.violation("companion_observations", zh, en);
    }
    let companions = request.companion_observations.iter().take(most);
    let companions = companions.enumerate().map(|(place, seen)| {
        let field = format!("companion_observations[{place}]");
        observation(&mut fields, &field, Some(seen.clone()), false)
    });
    let companions = companions.collect();
    fields.required("device", &request.device);
    let device = fields.text("device", &request.device, DEVICE).to_owned();
    let badge = fields.text("badge", &request.badge, BADGE).to_owned();
    fields.finish()?;
    Ok(Seen {
        observation: own,
        companions,
        look_up: LookUp {
            colour: request.look_up_health_code,
            travel: request.look_up_travel_card,
        },
        mask_worn: request.mask_worn,
        device,
        badge,
    })
}

/// Which visits a list holds.
pub(in crate::grpc) fn filter(request: &pb::ListVisitsRequest) -> Result<VisitFilter, Problem> {
    let mut fields = Fields::new();
    let state = match request.state {
        0 => None,
        number => {
            let known: Option<pb::visit::State> = fields.enumeration("state", number);
            known.and_then(|state| State::from_number(state as i16))
        }
    };
    let day = request.visit_date;
    let day = day.and_then(|day| fields.date("visit_date", Some(day)));
    let host = fields.optional("host", &request.host);
    fields.finish()?;
    Ok(VisitFilter {
        state,
        day,
        host,
        after_entry_overdue: request.after_entry_overdue,
    })
}

/// A visitor as the contract shows one.
pub(in crate::grpc) fn visitor(card: Card) -> pb::Visitor {
    pb::Visitor {
        full_name: card.full_name,
        document_kind: card.document_kind.map_or(0, |kind| kind as i32),
        document_number: card.document_number,
        phone: card.phone,
        affiliation: card.affiliation,
        plate: card.plate,
        recent_regions: card.recent_regions,
    }
}

/// A visit as callers see it: the visitor masked.
pub(in crate::grpc) fn shown(opened: Opened) -> pb::Visit {
    let Opened {
        visit,
        card,
        checked,
        events,
        now,
    } = opened;
    let card = card.masked();
    pb::Visit {
        name: visit_name(&visit.organization, visit.id),
        state: visit.state as i32,
        purpose: card.purpose.clone(),
        visitor: Some(visitor(card)),
        host: visit.host.map(|host| host.to_string()).unwrap_or_default(),
        companion_count: visit.companions,
        visit_date: Some(to_date(visit.day)),
        expected_leave_time: visit.expected_leave.map(to_timestamp),
        urgent: visit.urgent,
        verification: visit.verification.map_or(0, |found| found as i32),
        document_seen: visit.document_seen,
        emergency: visit.crew.map_or(0, |crew| crew as i32),
        check: checked.map(checked_shown),
        after_entry_overdue: visit.is_after_entry_overdue(now),
        badge: visit.badge,
        entered_companion_count: visit.companions_inside,
        enter_time: visit.entered.map(to_timestamp),
        leave_time: visit.left.map(to_timestamp),
        overstay_time: visit.overstayed.map(to_timestamp),
        responsible: visit.responsible,
        after_entry_due_time: visit.after_due.map(to_timestamp),
        after_entry_time: visit.after.map(to_timestamp),
        history: events.into_iter().map(event).collect(),
        create_time: Some(to_timestamp(visit.created)),
        update_time: Some(to_timestamp(visit.updated)),
    }
}

fn event(event: VisitEvent) -> pb::VisitEvent {
    pb::VisitEvent {
        verb: event.verb as i32,
        from_state: event.from.map_or(0, |state| state as i32),
        to_state: event.to as i32,
        actor: event.actor,
        event_time: Some(to_timestamp(event.time)),
        note: event.note,
    }
}

fn checked_shown(checked: Checked) -> pb::VisitCheck {
    let first = checked.entrants.first();
    let source = first.map_or(TravelSource::Shown, |one| one.observation.travel_source);
    pb::VisitCheck {
        result: result(checked.outcome()).into(),
        people: checked.entrants.iter().map(entrant).collect(),
        mask_worn: checked.mask_worn,
        device: checked.device,
        guard: checked.guard,
        policy_version: checked.policy_version,
        check_time: Some(to_timestamp(checked.time)),
        stale: checked.stale,
        colour_source: checked.colour_source as i32,
        mask: Some(check(checked.mask)),
        travel_card_source: source as i32,
    }
}

fn entrant(entrant: &Entrant) -> pb::visit_check::PersonCheck {
    let Entrant {
        checks,
        observation,
    } = *entrant;
    pb::visit_check::PersonCheck {
        observation: Some(seen(observation)),
        identity: Some(check(checks.identity)),
        temperature: Some(check(checks.temperature)),
        health_code: Some(check(checks.health_code)),
        travel_card: Some(check(checks.travel_card)),
        reasons: checks.reasons(false).into_iter().map(reason).collect(),
    }
}
