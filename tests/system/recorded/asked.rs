//! What is asked for by each method that shows persons.

use std::collections::BTreeMap;

use prost_reflect::{DynamicMessage, Kind, ReflectMessage, Value};
use tests::city::City;
use tests::town::resident_id;

use crate::leaks::day::{VICTIM, today};
use crate::leaks::known::{Known, about_all_of};
use crate::region::Region;
use crate::safety::people::organization;
use crate::walk::{Method, set, texts};

/// Of how many things of a kind each method is asked.
const OF_A_KIND: usize = 2;

/// A request, and the names of what it is to be recorded for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) request: DynamicMessage,
    pub(super) named: Vec<String>,
}

/// The meetings at which those with these names are expected.
pub(super) fn meetings(attendances: &[String]) -> Vec<String> {
    let meeting = |name: &String| {
        let (meeting, _) = name.split_once("/attendances/")?;
        Some(meeting.to_owned())
    };
    let mut meetings: Vec<_> = attendances.iter().filter_map(meeting).collect();
    meetings.dedup();
    meetings
}

/// Whether a stream ends by itself.
pub(super) fn ends(method: &Method) -> bool {
    !method.name().contains("Watch")
}

/// The requests by which a method is asked; `given` is what answers gave for later ones.
pub(super) fn of(
    region: &Region,
    known: &Known,
    meetings: &[String],
    method: &Method,
    given: &BTreeMap<String, String>,
) -> Vec<Asked> {
    let own = organization(VICTIM);
    let pupil = region.city.student(VICTIM, 1, 1).to_owned();
    let with = |fields: &[(&str, &str)]| {
        let mut request = method.named("");
        for (field, text) in fields {
            set(&mut request, field, text);
        }
        vec![request]
    };
    let name = method.name();
    let (service, verb) = name.split_once('.').unwrap_or_default();
    let mut meant = None;
    let requests = match (service, verb) {
        ("StudentService", "ListStudents") => with(&[("parent", &*format!("{own}/classGroups/-"))]),
        ("StudentService", "GetStudent") => vec![method.named(&pupil)],
        ("GuardianService", "ListGuardians") => with(&[("parent", &*pupil)]),
        ("StudentService", "LookUpStudent") => {
            meant = Some(pupil);
            with(&[(
                "id_number",
                &*resident_id(region.city.town.number(VICTIM, 1, 1)),
            )])
        }
        ("ChannelService", _) => with(&[("party", &*City::guardians_of(&pupil))]),
        ("DeliveryService", "WatchInbox") => with(&[("recipient", &*own)]),
        ("MeetingService", "ListAttendances") => {
            let named = meetings.iter().map(|meeting| method.named(meeting));
            named.collect()
        }
        ("GateService", "IssuePersonCode") => vec![method.named(&pupil)],
        ("GateService", "ResolvePersonCode") => {
            meant = Some(pupil);
            let code = given.get("GateService person_code");
            with(&[("person_code", code.map_or("", String::as_str))])
        }
        ("DrawService", "ExportDraw") => {
            let mut requests = with(&[("plan", "plans/daily"), ("organization", &*own)]);
            for request in &mut requests {
                on_the_day(region, request, "draw_date");
            }
            requests
        }
        ("CaseService", "ExportCase") => {
            let mut requests = by_name(known, method);
            for request in &mut requests {
                choose(request, "format");
            }
            requests
        }
        ("ScreeningService", "ListChecks") => {
            let mut requests = by_name(known, method);
            for request in &mut requests {
                on_the_day(region, request, "check_date");
                choose(request, "slot");
            }
            requests
        }
        (_, "Watch") => {
            let token = given.get(&format!("{service} resume_token"));
            with(&[("resume_token", token.map_or("", String::as_str))])
        }
        _ => by_name(known, method),
    };
    requests
        .into_iter()
        .map(|mut request| {
            says_why(&mut request);
            let mut named = names(&request);
            named.extend(meant.clone());
            Asked { request, named }
        })
        .collect()
}

/// Requests about what is known of the school, or about all of it.
fn by_name(known: &Known, method: &Method) -> Vec<DynamicMessage> {
    let of_all = about_all_of(method, &organization(VICTIM));
    let names = known.names.get(method.pattern()).into_iter().flatten();
    match of_all {
        Some(request) => vec![request],
        None => names
            .take(OF_A_KIND)
            .map(|name| method.named(name))
            .collect(),
    }
}

/// Takes the first value of an enumeration.
fn choose(request: &mut DynamicMessage, field: &str) {
    request.set_field_by_name(field, Value::EnumNumber(1));
}

/// Sets a day to today.
fn on_the_day(region: &Region, request: &mut DynamicMessage, field: &str) {
    let known = request.descriptor().get_field_by_name(field);
    let Some(Kind::Message(date)) = known.map(|known| known.kind()) else {
        panic!("a day");
    };
    let mut day = DynamicMessage::new(date);
    let today = today(region).expect("a day");
    day.transcode_from(&today).expect("a date");
    request.set_field_by_name(field, Value::Message(day));
}

/// Says why, where a method wants to know.
fn says_why(request: &mut DynamicMessage) {
    for field in ["reason", "purpose"] {
        let known = request.descriptor().get_field_by_name(field);
        if known.is_some_and(|field| field.kind() == Kind::String) {
            set(request, field, "家长来电，核实后联系");
        }
    }
}

/// The names in a request.
fn names(request: &DynamicMessage) -> Vec<String> {
    let texts = texts(request).into_iter();
    texts
        .filter(|(field, text)| {
            text.contains('/') && !["resume_token", "person_code"].contains(&&**field)
        })
        .map(|(_, text)| text)
        .collect()
}
