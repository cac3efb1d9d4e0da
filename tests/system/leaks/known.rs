//! What there is of the first school: every name that those who may read it are told, and every answer that
//! told it, to be read once more.

use std::collections::{BTreeMap, BTreeSet};

use kit::auth::Role;
use prost_reflect::{DynamicMessage, Kind};
use tests::city::Door;
use tests::town::{school, school_path};
use tests::within;

use super::day::VICTIM;
use crate::matrix::{PACKAGES, granted};
use crate::region::Region;
use crate::safety::people::organization;
use crate::walk::{Method, methods, set, texts};

/// Of how many resources of a kind everything is asked.
const OF_A_KIND: usize = 3;
/// How often everything is read until nothing moves any more.
const ROUNDS: usize = 30;

/// Collections that are below no organisation, of which the school is told its own only. Of plans, policy
/// profiles, checklists and inspection schedules it is told what is common as well: what is its own of them is
/// said by whoever made it.
const COLLECTIONS: [&str; 14] = [
    "absences",
    "cases",
    "clusters",
    "controlMeasures",
    "draws",
    "guardians",
    "holds",
    "importJobs",
    "reportingSignals",
    "samplingPoints",
    "staff",
    "students",
    "suspensions",
    "tubes",
];

/// What answers otherwise each time it is asked: a pass of one minute, a picture of the present, and the list
/// of those who looked.
const VOLATILE: [&str; 4] = [
    "GateService.GetSnapshot",
    // Each use is a disclosure, and they are told as well.
    "SubjectRequestService.GetSubjectData",
    "SupportService.ListSupportAccesses",
    "VisitorService.GetVisitPass",
];

/// The form of a name, such as `organizations/*/hazards/*`.
pub(super) fn pattern_of(name: &str) -> String {
    let parts = name.split('/').enumerate();
    let parts: Vec<_> = parts
        .map(|(place, part)| if place % 2 == 0 { part } else { "*" })
        .collect();
    parts.join("/")
}

/// A method with the service that answers it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) at: &'static str,
}

/// Every method that asks for a permission.
pub(crate) fn guarded() -> Vec<Asked> {
    let of_package = |(package, at): (&'static str, &'static str)| {
        methods(package)
            .into_iter()
            .map(move |method| Asked { method, at })
    };
    let all = PACKAGES.into_iter().flat_map(of_package);
    all.filter(|asked| {
        let access = proto::access(&asked.method.path());
        !access.expect("every method has a rule").any_caller
    })
    .collect()
}

/// Whether a role may do what a method does, somewhere.
pub(crate) fn may(table: &BTreeMap<&str, BTreeSet<&str>>, role: Role, method: &Method) -> bool {
    let access = proto::access(&method.path()).expect("every method has a rule");
    let granted = &table[role.as_str()];
    let mut needed = access.permissions.iter();
    needed.any(|name| granted.contains(name.as_str()))
}

/// A request about a whole organisation, where a method takes one.
pub(crate) fn about_all_of(method: &Method, organization: &str) -> Option<DynamicMessage> {
    match method.pattern() {
        "organizations/*" => Some(method.named(organization)),
        "" => {
            let mut request = method.named("");
            let fields = ["organization", "scope"];
            let field = fields.into_iter().find(|name| {
                let field = method.input().get_field_by_name(name);
                field.is_some_and(|field| field.kind() == Kind::String && !field.is_list())
            });
            if let Some(field) = field {
                set(&mut request, field, organization);
            }
            Some(request)
        }
        _ => None,
    }
}

/// A question and what its owner was told.
#[derive(Debug)]
struct Reading {
    method: Method,
    request: DynamicMessage,
    door: Door,
    answer: DynamicMessage,
}

/// Everything of the first school that has a name.
#[derive(Debug)]
pub(crate) struct Known {
    /// A few names of each form.
    pub(crate) names: BTreeMap<String, Vec<String>>,
    /// All of them.
    all: BTreeSet<String>,
    readings: Vec<Reading>,
}

impl Known {
    /// Asks every role of the school for all that it may read, beginning at `seeds`, until there is nothing
    /// new and nothing moves any more.
    pub(super) async fn of(region: &Region, seeds: Vec<String>) -> Self {
        let mut known = Self::gathered(region, seeds).await;
        let volatile = |reading: &Reading| VOLATILE.contains(&&*reading.method.name());
        known.readings.retain(|reading| !volatile(reading));
        known.settle().await;
        known
    }

    /// The same without waiting until nothing moves.
    pub(crate) async fn gathered(region: &Region, seeds: Vec<String>) -> Self {
        let table = granted();
        let doors: Vec<(Role, Door)> = Role::ALL
            .iter()
            .map(|role| (*role, region.city.door(*role, &school_path(VICTIM))))
            .collect();
        let guarded = guarded();
        let reading: Vec<_> = guarded
            .iter()
            .filter(|asked| asked.method.reads())
            .collect();
        let mut known = Self {
            names: BTreeMap::new(),
            all: BTreeSet::new(),
            readings: Vec::new(),
        };
        known.learn(&guarded, organization(VICTIM));
        for seed in seeds {
            known.learn(&guarded, seed);
        }
        let mut put = BTreeSet::new();
        loop {
            let mut fresh = Vec::new();
            for asked in &reading {
                let method = &asked.method;
                for (key, request) in known.requests(method) {
                    if put.insert((method.name(), key)) {
                        fresh.push((method, request));
                    }
                }
            }
            if fresh.is_empty() {
                break;
            }
            for (method, request) in fresh {
                let roles = doors.iter().filter(|(role, _)| may(&table, *role, method));
                let mut first = None;
                for (_, door) in roles {
                    let asked = method.ask(door.clone(), request.clone());
                    let Ok(answer) = within(&method.name(), asked).await else {
                        continue;
                    };
                    known.hear(&guarded, &answer);
                    first = first.or(Some((door.clone(), answer)));
                }
                let method = method.clone();
                known.readings.extend(first.map(|(door, answer)| Reading {
                    method,
                    request,
                    door,
                    answer,
                }));
            }
        }
        known
    }

    /// What a method is to be asked by now.
    fn requests(&self, method: &Method) -> Vec<(String, DynamicMessage)> {
        if let Some(request) = about_all_of(method, &organization(VICTIM)) {
            return vec![(String::new(), request)];
        }
        let names = self.names.get(method.pattern()).into_iter().flatten();
        names
            .map(|name| (name.clone(), method.named(name)))
            .collect()
    }

    /// Takes the names of the school that an answer holds.
    fn hear(&mut self, guarded: &[Asked], answer: &DynamicMessage) {
        for (field, text) in texts(answer) {
            if is_of_the_school(&field, &text) {
                self.learn(guarded, text);
            }
        }
    }

    /// Takes a name that some method takes, and those of whatever it has exactly one of.
    fn learn(&mut self, guarded: &[Asked], name: String) {
        let pattern = pattern_of(&name);
        let of = self.names.get(&pattern).map_or(0, Vec::len);
        let forms = || guarded.iter().map(|asked| asked.method.pattern());
        let only = |form: &str| {
            let rest = form.strip_prefix(&*pattern)?.strip_prefix('/')?;
            (!rest.contains(['/', '*'])).then(|| format!("{name}/{rest}"))
        };
        let parts: BTreeSet<_> = forms().filter_map(only).collect();
        let is_taken = forms().any(|form| form == pattern) || !parts.is_empty();
        if !is_taken || !self.all.insert(name.clone()) {
            return;
        }
        if of < OF_A_KIND {
            self.names.entry(pattern).or_default().push(name);
            for part in parts {
                self.learn(guarded, part);
            }
        }
    }

    /// Reads again until nothing moves: what was done goes on from service to service for a moment.
    async fn settle(&mut self) {
        let mut moved = Vec::new();
        for _ in 0..ROUNDS {
            moved = self.read().await;
            if moved.is_empty() {
                return;
            }
        }
        panic!("never still: {moved:?}");
    }

    /// Reads everything again and keeps it; says what is not what it was.
    async fn read(&mut self) -> Vec<String> {
        let mut moved = Vec::new();
        for reading in &mut self.readings {
            let asked = reading
                .method
                .ask(reading.door.clone(), reading.request.clone());
            match within(&reading.method.name(), asked).await {
                Ok(answer) if answer == reading.answer => {}
                Ok(answer) => {
                    let about = texts(&reading.request);
                    moved.push(format!("{} {about:?}", reading.method.name()));
                    reading.answer = answer;
                }
                Err(refused) => moved.push(format!("{}: {refused:?}", reading.method.name())),
            }
        }
        moved
    }

    /// What its owners are told otherwise than before.
    pub(super) async fn changes(&mut self) -> Vec<String> {
        self.read().await
    }

    /// How many answers of the owners there are.
    pub(super) fn readings(&self) -> usize {
        self.readings.len()
    }

    /// The first name of each form.
    pub(super) fn samples(&self) -> impl Iterator<Item = &String> {
        self.names.values().filter_map(|names| names.first())
    }

    /// What of the school an answer tells, if anything.
    pub(super) fn within(&self, answer: &DynamicMessage) -> Option<String> {
        let below = format!("{}/", organization(VICTIM));
        let own = organization(VICTIM);
        let mut told = texts(answer).into_iter();
        told.find(|(_, text)| *text != own && (self.all.contains(text) || text.starts_with(&below)))
            .map(|(field, text)| format!("{field}: {text}"))
    }
}

/// Whether a text of an answer to the school is the name of something of the school.
fn is_of_the_school(field: &str, text: &str) -> bool {
    let Some((head, rest)) = text.split_once('/') else {
        return false;
    };
    if text.starts_with(&format!("{}/", organization(VICTIM))) {
        return true;
    }
    if head == "organizations" {
        // The part that the bureau's order or meeting has for the school.
        let last = rest.rsplit_once('/').map(|(_, last)| last);
        return last.is_some_and(|last| last.starts_with(&school(VICTIM)));
    }
    field == "name" && COLLECTIONS.contains(&head)
}
