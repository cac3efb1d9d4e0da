//! Who may ask what about whom: every role asks every method of every service about its own school, the
//! school next door, the bureau above and a place that is in no tree. Whoever could never do what is asked is
//! refused at the gateway already; everything else is asked of the services themselves, which must not be
//! closed by the gateway alone.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use kit::auth::Role;
use prost_reflect::DynamicMessage;
use tests::city::{City, Store, caller};
use tests::town::{DISTRICT, Town, school, school_path};
use tests::within;
use tonic::Code;

use crate::verbs::told;
use crate::walk::{Method, methods};

/// Who answers a package.
const PACKAGES: [(&str, &str); 4] = [
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

/// The door of all of them.
const GATEWAY: &str = "gateway";

/// How many calls are under way at once.
const AT_ONCE: usize = 16;

/// What each role may do, by the table that operators read.
fn granted() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
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
    /// A request about something of the place.
    fn request(&self, city: &City) -> DynamicMessage {
        let nobody = uuid::Uuid::new_v4().to_string();
        let (at, organization) = match self.place {
            Place::Own => (1, school(1)),
            Place::Sibling => (2, school(2)),
            Place::Parent => (2, DISTRICT.to_owned()),
            Place::Foreign => (2, "2135019999".to_owned()),
        };
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
                self.method.about(&organization, &nobody)
            }
            _ => self.method.about(&nobody, &nobody),
        }
    }

    /// Whether this answer gives nothing away.
    fn is_closed(&self, answer: &Result<(), (Code, String)>) -> bool {
        let Err((code, _)) = answer else {
            return false;
        };
        match code {
            Code::PermissionDenied => true,
            // What is wrong with a request itself says nothing of any place. The gateway refuses before it.
            Code::InvalidArgument => self.at != GATEWAY,
            // What is not below an organisation may be said not to be there, when it is not.
            Code::NotFound => {
                let pattern = self.method.pattern();
                self.at != GATEWAY && !pattern.starts_with("organizations/")
            }
            _ => false,
        }
    }
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
                    (true, "") => &[],
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
    while let Some((case, answer)) = asked.next().await {
        let name = case.method.name();
        if matches!(answer, Err((Code::PermissionDenied, _))) && case.place != Place::Own {
            told_apart.insert(name);
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
    let methods = told_apart.len();
    assert!(methods > 250, "{methods} methods refused another place");
}
