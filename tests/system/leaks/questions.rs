//! Everybody who is not of the first school asks for what it has: by its true name, with a dash for its id,
//! and by an id of it under their own place.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use kit::auth::{Caller, Role};
use prost_reflect::{DynamicMessage, Kind};
use tests::city::{Door, caller};
use tests::town::{CITY, school, school_path};
use tests::within;
use tonic::Code;
use uuid::Uuid;

use super::day::SIBLING;
use super::known::{Asked, Known, guarded, may};
use crate::matrix::{GATEWAY, PACKAGES, granted, is_closed};
use crate::region::{OTHER_BUREAU, Region, far};
use crate::verbs::{request_id, told};
use crate::walk::{Method, set};

/// How many calls are under way at once.
const AT_ONCE: usize = 16;
/// Of how many resources of a kind everybody asks.
const OF_A_KIND: usize = 2;

/// Somebody who has no business at the first school.
#[derive(Clone, Debug)]
pub(super) struct Stranger {
    pub(super) role: Role,
    /// Their place in the tree.
    scope: String,
    /// The resource name of their place.
    pub(super) organization: String,
}

impl Stranger {
    fn new(role: Role, id: &str, scope: String) -> Self {
        let organization = format!("organizations/{id}");
        Self {
            role,
            scope,
            organization,
        }
    }

    /// A connection to a service or the gateway. Strangers are nobody whom the first school knows by their
    /// subject.
    pub(super) async fn door_at(&self, region: &Region, at: &str) -> Door {
        let stranger = Caller {
            subject: format!("stranger {} {}", self.role, self.organization),
            ..caller(self.role, &self.scope)
        };
        region.city.door_at(at, stranger).await
    }
}

/// Every role of the school next door, the head of a school of another bureau, and that bureau's officer.
pub(super) fn strangers() -> Vec<Stranger> {
    let next_door = |role: &Role| Stranger::new(*role, &school(SIBLING), school_path(SIBLING));
    let (id, path) = far();
    let mut strangers: Vec<_> = Role::ALL.iter().map(next_door).collect();
    strangers.push(Stranger::new(Role::Principal, &id, path));
    let bureau = format!("{CITY}/{OTHER_BUREAU}");
    strangers.push(Stranger::new(Role::DistrictOfficer, OTHER_BUREAU, bureau));
    strangers
}

/// By which name something is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Its own.
    True,
    /// That of its collection with a dash for every one of it.
    Every,
    /// One with the same id under the place of whoever asks.
    UnderOwn,
}

impl Form {
    /// The name; none where there is no other one.
    fn of(self, name: &str, stranger: &Stranger) -> Option<String> {
        match self {
            Self::True => Some(name.to_owned()),
            Self::Every => {
                let (collection, id) = name.rsplit_once('/')?;
                let is_one = collection.contains('/') && Uuid::parse_str(id).is_ok();
                is_one.then(|| format!("{collection}/-"))
            }
            Self::UnderOwn => {
                let (_, rest) = name.strip_prefix("organizations/")?.split_once('/')?;
                let by_chance = rest.split('/').any(|part| Uuid::parse_str(part).is_ok());
                by_chance.then(|| format!("{}/{rest}", stranger.organization))
            }
        }
    }
}

/// One question.
struct Question {
    asked: Asked,
    /// Who is asked.
    at: &'static str,
    stranger: usize,
    form: Form,
    name: String,
    /// Whether whoever asks may do it at their own place.
    may: bool,
}

/// What was asked.
#[derive(Debug, Default)]
pub(super) struct Asking {
    pub(super) questions: usize,
    /// The forms of the names that were asked for.
    pub(super) patterns: BTreeSet<String>,
    /// The methods by which they were.
    pub(super) methods: BTreeSet<String>,
    /// The methods that looked where something is before they looked at the rest of the request.
    pub(super) told_apart: BTreeSet<String>,
    /// What was not refused as it should be.
    pub(super) reached: Vec<String>,
}

impl Asking {
    /// The forms of names that methods take and that were not asked for, beside those of whole organisations.
    pub(super) fn unasked(&self) -> BTreeSet<String> {
        let forms = guarded().into_iter();
        let forms = forms.map(|asked| asked.method.pattern().to_owned());
        let is_unasked = |form: &String| {
            let is_one = !form.is_empty() && form != "organizations/*";
            is_one && !self.patterns.contains(form)
        };
        forms.filter(is_unasked).collect()
    }
}

/// A request about this name, by which nothing would be done twice.
pub(super) fn request(method: &Method, name: &str) -> DynamicMessage {
    let mut request = method.named(name);
    let field = method.input().get_field_by_name("request_id");
    if field.is_some_and(|field| field.kind() == Kind::String) {
        set(&mut request, "request_id", &request_id());
    }
    request
}

fn questions(known: &Known, strangers: &[Stranger]) -> Vec<Question> {
    let table = granted();
    let mut questions = Vec::new();
    for asked in guarded() {
        let method = &asked.method;
        if method.pattern() == "organizations/*" {
            continue;
        }
        let names = known.names.get(method.pattern()).into_iter().flatten();
        for name in names.take(OF_A_KIND) {
            for (place, stranger) in strangers.iter().enumerate() {
                let may = may(&table, stranger.role, method);
                let forms: &[Form] = if may {
                    &[Form::True, Form::Every, Form::UnderOwn]
                } else {
                    &[Form::True]
                };
                for form in forms {
                    let Some(name) = form.of(name, stranger) else {
                        continue;
                    };
                    questions.extend([asked.at, GATEWAY].map(|at| Question {
                        asked: asked.clone(),
                        at,
                        stranger: place,
                        form: *form,
                        name: name.clone(),
                        may,
                    }));
                }
            }
        }
    }
    questions
}

/// Asks everything of everybody who is a stranger.
pub(super) async fn are_put(region: &Region, known: &Known) -> Asking {
    let strangers = strangers();
    let mut doors = Vec::new();
    for stranger in &strangers {
        let mut of_one = BTreeMap::new();
        for (_, at) in PACKAGES {
            of_one.insert(at, stranger.door_at(region, at).await);
        }
        of_one.insert(GATEWAY, stranger.door_at(region, GATEWAY).await);
        doors.push(of_one);
    }
    let put = questions(known, &strangers).into_iter().map(|question| {
        let door = doors[question.stranger][question.at].clone();
        async move {
            let method = &question.asked.method;
            let request = request(method, &question.name);
            let answer = within(&method.name(), method.call(door, request)).await;
            (question, answer.map_err(|refused| told(&refused)))
        }
    });
    let mut asking = Asking::default();
    let mut put = futures_util::stream::iter(put).buffer_unordered(AT_ONCE);
    while let Some((question, answer)) = put.next().await {
        let method = &question.asked.method;
        asking.questions += 1;
        asking.patterns.insert(method.pattern().to_owned());
        asking.methods.insert(method.name());
        let at_once = question.at == GATEWAY && !question.may;
        let hidden =
            question.form == Form::UnderOwn || !question.name.starts_with("organizations/");
        let looked = matches!(answer, Err((Code::PermissionDenied | Code::NotFound, _)));
        if looked && question.may {
            asking.told_apart.insert(method.name());
        }
        if !is_closed(&answer, at_once, hidden) {
            let stranger = &strangers[question.stranger];
            asking.reached.push(format!(
                "{} of {} at {}: {:?} of {}: {answer:?}",
                stranger.role,
                stranger.organization,
                question.at,
                question.form,
                method.name(),
            ));
        }
    }
    asking
}
