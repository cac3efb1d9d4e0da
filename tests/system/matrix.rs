//! Who may ask what about whom: every role asks every method of every service about its own school, the
//! school next door, the bureau above and a place that is in no tree. Whoever could never do what is asked is
//! refused at the gateway already; everything else is asked of the services themselves, which must not be
//! closed by the gateway alone.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use kit::auth::Role;
use kit::clock::{Clock, SystemClock};
use prost::Message;
use prost_reflect::DynamicMessage;
use tests::city::{City, Store, caller};
use tests::town::{DISTRICT, Town, school, school_path};
use tests::within;
use tonic::Code;

use crate::matrix_filling::Stuff;
use crate::verbs::told;
use crate::walk::{Method, methods};

/// Who answers a package.
pub(crate) const PACKAGES: [(&str, &str); 4] = [
    ("campus.roster.v1", "roster"),
    ("campus.sampling.v1", "sampling"),
    ("campus.safety.v1", "safety-inspection"),
    ("campus.notification.v1", "notification"),
];

/// What whoever has the permission may read of the bureau above: what it decided for the school too, what is
/// public below it, and lists of which everybody gets their own part. The list only shrinks.
const OPEN_ABOVE: [&str; 6] = [
    "DutyService.ListSpotChecks",
    "InspectionPlanService.ListCampaignTargets",
    "SupportService.ListCareTasks",
    "WeatherService.GetMutualAidGroup",
    "WeatherService.GetResponseLevel",
    "WeatherService.GetWeatherSuspension",
];

/// What looks at the form of a request before it asks whether the caller may, although the request has
/// everything that its contract asks for. The list only shrinks.
const FORM_FIRST: [&str; 0] = [];

/// The door of all of them.
pub(crate) const GATEWAY: &str = "gateway";

/// How many calls are under way at once.
const AT_ONCE: usize = 16;

/// What each role may do, by the table that operators read.
pub(crate) fn granted() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let table = include_str!("../../deploy/policies/matrix.csv");
    let mut lines = table.lines().map(|line| line.split(','));
    let roles: Vec<_> = lines.next().expect("a heading").skip(1).collect();
    let mut granted: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for mut line in lines {
        let permission = line.next().expect("a permission");
        for (role, cell) in roles.iter().zip(line) {
            let of_role = granted.entry(*role).or_default();
            if cell == "x" {
                of_role.insert(permission);
            }
        }
    }
    granted
}

/// Where somebody of the first school asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Their own school.
    Own,
    /// The school next door.
    Sibling,
    /// The bureau above.
    Parent,
    /// An organisation that is in no tree.
    Foreign,
}

/// One question.
struct Case {
    method: Method,
    /// Who is asked.
    at: &'static str,
    role: Role,
    place: Place,
}

impl Case {
    /// A request about something of the place, with everything that its contract asks for.
    fn request(&self, city: &City) -> DynamicMessage {
        let nobody = uuid::Uuid::new_v4().to_string();
        let (_, organization) = self.somewhere();
        let stuff = Stuff {
            organization,
            class_group: city.town.class_id(1),
            id: nobody.clone(),
            now: SystemClock.now(),
        };
        let mut request = self.bare(city, &nobody);
        stuff.fill(&mut request);
        request
    }

    /// Which school of the town it is, and the code of the organisation.
    fn somewhere(&self) -> (u32, String) {
        match self.place {
            Place::Own => (1, school(1)),
            Place::Sibling => (2, school(2)),
            Place::Parent => (2, DISTRICT.to_owned()),
            Place::Foreign => (2, "2135019999".to_owned()),
        }
    }

    /// A request with nothing but the name of a resource of the place.
    fn bare(&self, city: &City, nobody: &str) -> DynamicMessage {
        let (at, organization) = self.somewhere();
        match self.method.pattern() {
            "organizations/*/patrolDays/*" => self.method.about(&organization, "2022-04-06"),
            "checklistTemplates/*" => {
                let name = format!("checklistTemplates/{organization}~own~1");
                self.method.named(&name)
            }
            "organizations/*/classGroups/*" => {
                let class = city.town.class_id(1);
                self.method.about(&organization, &class)
            }
            "students/*" => self.method.named(city.student(at, 1, 1)),
            "staff/*" => self.method.named(city.staff(at, "校长")),
            pattern if pattern.starts_with("organizations/") => {
                self.method.about(&organization, nobody)
            }
            _ => self.method.about(nobody, nobody),
        }
    }

    /// Whether this answer gives nothing away.
    fn is_closed(&self, answer: &Result<(), (Code, String)>) -> bool {
        let Err((code, _)) = answer else {
            return false;
        };
        match code {
            Code::PermissionDenied => true,
            // What is not below an organisation may be said not to be there, when it is not.
            Code::NotFound => {
                let pattern = self.method.pattern();
                self.at != GATEWAY && !pattern.starts_with("organizations/")
            }
            _ => false,
        }
    }
}

/// Whether a request says within it which organisation it is about.
fn names_a_place(method: &Method) -> bool {
    let organization = "2135019999".to_owned();
    let named = format!("organizations/{organization}");
    let stuff = Stuff {
        organization,
        class_group: "p2019-01".to_owned(),
        id: uuid::Uuid::new_v4().to_string(),
        now: SystemClock.now(),
    };
    let mut request = method.named("");
    stuff.fill(&mut request);
    let bytes = request.encode_to_vec();
    let mut parts = bytes.windows(named.len());
    parts.any(|part| part == named.as_bytes())
}

/// Every question that must be refused.
fn cases() -> Vec<Case> {
    let granted = granted();
    let mut cases = Vec::new();
    for (package, service) in PACKAGES {
        for method in methods(package) {
            let access = proto::access(&method.path()).expect("every method has a rule");
            if access.any_caller {
                continue;
            }
            for role in Role::ALL {
                let may = &granted[role.as_str()];
                let mut needed = access.permissions.iter();
                let has = needed.any(|name| may.contains(name.as_str()));
                let asked: &[(&'static str, Place)] = match (has, method.pattern()) {
                    (false, _) => &[(GATEWAY, Place::Own), (service, Place::Own)],
                    (true, "") if !names_a_place(&method) => &[],
                    (true, _) => &[
                        (service, Place::Sibling),
                        (service, Place::Parent),
                        (service, Place::Foreign),
                    ],
                };
                cases.extend(asked.iter().map(|(at, place)| Case {
                    method: method.clone(),
                    at,
                    role: *role,
                    place: *place,
                }));
            }
        }
    }
    cases
}

/// T24, for every role, method and place.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_further_than_the_table_says() {
    let city = City::open(Store::Sqlite, Town::of(2))
        .await
        .expect("SQLite is always there");
    let mut doors = BTreeMap::new();
    let services = PACKAGES.iter().map(|(_, service)| *service);
    for at in services.chain([GATEWAY]) {
        for role in Role::ALL {
            let door = city.door_at(at, caller(*role, &school_path(1))).await;
            doors.insert((at, role.as_str()), door);
        }
    }
    let cases = cases();
    assert!(cases.len() > 5_000, "{} questions", cases.len());
    let asked = cases.into_iter().map(|case| {
        let door = doors[&(case.at, case.role.as_str())].clone();
        let request = case.request(&city);
        async move {
            let answer = within(&case.method.name(), case.method.call(door, request)).await;
            (case, answer.map_err(|refused| told(&refused)))
        }
    });
    let mut asked = futures_util::stream::iter(asked).buffer_unordered(AT_ONCE);
    let mut reached = BTreeMap::<_, Vec<_>>::new();
    let (mut open, mut told_apart) = (BTreeSet::new(), BTreeSet::new());
    let mut form_first = BTreeSet::new();
    while let Some((case, answer)) = asked.next().await {
        let name = case.method.name();
        if matches!(answer, Err((Code::PermissionDenied, _))) && case.place != Place::Own {
            told_apart.insert(name);
        } else if matches!(answer, Err((Code::InvalidArgument, _))) && case.at != GATEWAY {
            // What is wrong with a request itself says nothing of any place.
            form_first.insert(name);
        } else if case.is_closed(&answer) {
            continue;
        } else if case.place == Place::Parent && OPEN_ABOVE.contains(&&*name) {
            open.insert(name);
        } else {
            let who = format!("{} at {} {:?}: {answer:?}", case.role, case.at, case.place);
            reached.entry(name).or_default().push(who);
        }
    }
    assert!(reached.is_empty(), "{reached:#?}");
    assert!(
        open.iter().eq(&OPEN_ABOVE),
        "methods that are there: {open:?}"
    );
    assert!(
        form_first.iter().eq(&FORM_FIRST),
        "methods that look at the form first: {form_first:#?}"
    );
    let methods = told_apart.len();
    assert!(methods > 250, "{methods} methods refused another place");
}
