//! Lists of one's own, of every place and of that of the first school hold nothing of the first school,
//! whatever else is named beside the place, and go on from no page of a list of that school.

use std::collections::{BTreeMap, BTreeSet};

use kit::auth::Role;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value};
use tests::city::Door;
use tests::town::school_path;
use tests::within;
use tonic::{Code, Status};

use super::day::VICTIM;
use super::known::{Known, about_all_of, guarded, may};
use super::questions::strangers;
use crate::matrix::{GATEWAY, granted};
use crate::region::Region;
use crate::safety::people::organization;
use crate::verbs::told;
use crate::walk::{Method, set};

/// Lists whose pages are bound to nothing, since everybody has one and the same, less what is not theirs.
const SHARED: [&str; 10] = [
    "AlertService.ListAlertRules",
    "CalendarService.ListCalendarYears",
    "DeliveryService.ListDeadLetters",
    "DivisionService.ListDivisions",
    "HazardService.ListMajorRules",
    "ImportService.ListImportJobs",
    "PlanService.ListPlans",
    "PolicyService.ListPolicyProfiles",
    "SupplyService.ListSupplyItems",
    "TemplateService.ListTemplates",
];

/// What was asked.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// Lists that somebody got of their own place.
    pub(super) lists: usize,
    /// Names of the school beside their own place.
    pub(super) beside: usize,
    /// Pages of the school.
    pub(super) tokens: usize,
    /// What told something.
    pub(super) reached: Vec<String>,
}

impl Asking {
    /// Nothing of the school may be in an answer.
    fn judge(&mut self, known: &Known, what: &str, answer: &Result<DynamicMessage, Status>) {
        match answer {
            Ok(answer) => {
                let strange = known.within(answer).map(|told| format!("{what} {told}"));
                self.reached.extend(strange);
            }
            Err(refused) => {
                // Says in Chinese what is wrong, and is no failure.
                let (code, reason) = told(refused);
                if matches!(code, Code::Internal | Code::Unknown | Code::Unavailable) {
                    self.reached.push(format!("{what} {code:?} {reason}"));
                }
            }
        }
    }
}

/// Asks for every list that begins at an organisation.
pub(super) async fn are_read(region: &Region, known: &Known) -> Asking {
    let table = granted();
    let mut doors = Vec::new();
    for stranger in strangers() {
        let door = stranger.door_at(region, GATEWAY).await;
        doors.push((stranger, door));
    }
    let mut asking = Asking::default();
    let theirs = organization(VICTIM);
    for asked in guarded() {
        let method = &asked.method;
        let of_all = about_all_of(method, &theirs);
        let Some(of_all) = of_all.filter(|_| method.pages()) else {
            continue;
        };
        let mut own = BTreeMap::new();
        for (stranger, door) in &doors {
            if !may(&table, stranger.role, method) {
                continue;
            }
            for place in [&*stranger.organization, "organizations/-", &*theirs] {
                let request = about_all_of(method, place).expect("takes a place");
                let who = format!("{} of {place}, {}:", method.name(), stranger.role);
                let answer = within(&who, method.ask(door.clone(), request.clone())).await;
                asking.judge(known, &who, &answer);
                if answer.is_ok() && place == stranger.organization {
                    asking.lists += 1;
                    own.entry(place).or_insert((door, request));
                }
            }
        }
        let token = token_of(region, &table, method, of_all).await;
        for (place, (door, request)) in own {
            let who = format!("{} of {place}", method.name());
            beside(&mut asking, known, (method, door), &request, &who).await;
            if let Some(token) = &token {
                goes_on(&mut asking, known, (method, door), request, (token, &who)).await;
            }
        }
    }
    asking
}

/// Names something of the school in each field that takes a text.
async fn beside(
    asking: &mut Asking,
    known: &Known,
    (method, door): (&Method, &Door),
    request: &DynamicMessage,
    who: &str,
) {
    let free = |field: &FieldDescriptor| {
        field.kind() == Kind::String
            && !field.is_list()
            && field.name() != "page_token"
            && !request.has_field(field)
    };
    for field in method.input().fields().filter(free) {
        for name in known.samples() {
            let mut request = request.clone();
            set(&mut request, field.name(), name);
            let answer = within(who, method.ask(door.clone(), request)).await;
            asking.beside += 1;
            let what = format!("{who} with {} {name}:", field.name());
            asking.judge(known, &what, &answer);
        }
    }
}

/// Goes on under one's own place from the first page of the school.
async fn goes_on(
    asking: &mut Asking,
    known: &Known,
    (method, door): (&Method, &Door),
    mut request: DynamicMessage,
    (token, who): (&str, &str),
) {
    set(&mut request, "page_token", token);
    let answer = within(who, method.ask(door.clone(), request)).await;
    asking.tokens += 1;
    let what = format!("{who} from a page of the school:");
    asking.judge(known, &what, &answer);
    let is_taken = answer.is_ok() && !SHARED.contains(&&*method.name());
    if is_taken {
        asking.reached.push(what);
    }
}

/// The token that follows the first item of the school's list; none where there is no second one.
async fn token_of(
    region: &Region,
    table: &BTreeMap<&str, BTreeSet<&str>>,
    method: &Method,
    mut request: DynamicMessage,
) -> Option<String> {
    request.set_field_by_name("page_size", Value::I32(1));
    for role in Role::ALL.iter().filter(|role| may(table, **role, method)) {
        let door = region.city.door(*role, &school_path(VICTIM));
        let Ok(answer) = within(&method.name(), method.ask(door, request.clone())).await else {
            continue;
        };
        let token = answer.get_field_by_name("next_page_token")?;
        let token = token.as_str().unwrap_or_default().to_owned();
        if !token.is_empty() {
            return Some(token);
        }
    }
    None
}
