//! Who may ask what about whom: every role asks every method of every service about its own school, what lies
//! beside and above it, and a place that is in no tree. Whoever could never do what is asked is refused at the
//! gateway already; everything else is asked of the services themselves, which must not be closed by the gateway
//! alone. Requests are what their contracts want, so that a service has nothing else to say against them; and
//! whoever may, where they hold their role, is let in.

mod cases;
mod filled;
mod judged;
mod places;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use kit::auth::Role;
use tests::city::{Door, Store};
use tests::within;
use tonic::Code;

use crate::region::Region;
use crate::verbs::told;
use cases::Case;
use judged::{Judged, judge};
use places::Level;

/// Who answers a package.
pub(crate) const PACKAGES: [(&str, &str); 4] = [
    ("campus.roster.v1", "roster"),
    ("campus.sampling.v1", "sampling"),
    ("campus.safety.v1", "safety-inspection"),
    ("campus.notification.v1", "notification"),
];

/// The door of all of them.
pub(crate) const GATEWAY: &str = "gateway";

/// What whoever has the permission may read or name of the bureau above: what it decided for the school too,
/// what is public below it, lists of which everybody gets their own part, and to whom they hand something in.
/// The list only shrinks.
const OPEN_ABOVE: [&str; 7] = [
    "ConcernService.SubmitConcern",
    "DutyService.ListSpotChecks",
    "InspectionPlanService.ListCampaignTargets",
    "WeatherService.GetMutualAidGroup",
    "WeatherService.GetResponseLevel",
    "WeatherService.GetWeatherSuspension",
    "WeatherService.LiftWeatherSuspension",
];

/// What everybody may read who may read anything of the kind: days off and divisions of the country. The list
/// only shrinks.
const OPEN_TO_ALL: [&str; 3] = [
    "CalendarService.GetCalendarYear",
    "DivisionService.GetDivision",
    "DivisionService.ResolveDivision",
];

/// What a laboratory is told of its own, whatever place it names. The list only shrinks.
const OPEN_TO_LABORATORIES: [&str; 1] = ["TubeService.ListTubes"];

/// How many calls are under way at once.
const AT_ONCE: usize = 16;
/// How many questions there may be: they are put within a minute.
const MOST: usize = 32_000;

/// What each role may do, by the table that operators read.
pub(crate) fn granted() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let table = include_str!("../../../deploy/policies/matrix.csv");
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

/// What a question was answered: nothing that matters, or the code and reason of a refusal.
pub(crate) type Answer = Result<(), (Code, String)>;

/// Whether an answer gives nothing away. `at_once`: whoever asks could never do it, and is refused before
/// anything is looked at; `hidden`: what is asked about may be said not to be there.
pub(crate) fn is_closed(answer: &Answer, at_once: bool, hidden: bool) -> bool {
    let Err((code, _)) = answer else {
        return false;
    };
    match code {
        Code::PermissionDenied => true,
        // What is wrong with a request itself says nothing of any place.
        Code::InvalidArgument => !at_once,
        Code::NotFound => !at_once && hidden,
        _ => false,
    }
}

/// A connection for each role at each level to each service.
type Doors = BTreeMap<(&'static str, Level, &'static str), Door>;

async fn doors(region: &Region) -> Doors {
    let mut doors = BTreeMap::new();
    let services = PACKAGES.iter().map(|(_, service)| *service);
    for at in services.chain([GATEWAY]) {
        for role in Role::ALL {
            for level in [Level::School, Level::Class, Level::District, Level::City] {
                let caller = level.caller(region, *role);
                let door = region.city.door_at(at, caller).await;
                doors.insert((at, level, role.as_str()), door);
            }
        }
    }
    doors
}

/// Puts questions and gives what came of each.
async fn put(region: &Region, doors: &Doors, cases: Vec<Case>) -> Vec<(Case, Judged)> {
    let asked = cases.into_iter().map(|case| {
        let door = doors[&(case.at, case.level, case.role.as_str())].clone();
        let request = case.request(region);
        async move {
            let answer = within(&case.method.name(), case.ask(door, request)).await;
            let judged = judge(&case, answer.map_err(|refused| told(&refused)));
            (case, judged)
        }
    });
    let asked = futures_util::stream::iter(asked).buffer_unordered(AT_ONCE);
    asked.collect().await
}

/// T24, for every role, method and place.
#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_as_far_as_the_table_says() {
    let region = Region::open(Store::Sqlite).await;
    let region = region.expect("SQLite is always there");
    let doors = doors(&region).await;
    nobody_gets_further(&region, &doors).await;
    whoever_may_is_let_in(&region, &doors).await;
}

async fn nobody_gets_further(region: &Region, doors: &Doors) {
    let placeless = cases::placeless(region);
    assert!(
        placeless.iter().eq(&cases::PLACELESS),
        "name no place: {placeless:#?}"
    );
    let cases = cases::closed(region);
    let questions = cases.len();
    assert!((20_000..MOST).contains(&questions), "{questions} questions");
    let mut reached = BTreeMap::<_, Vec<_>>::new();
    let (mut open, mut public, mut denied) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut early, mut tested) = (BTreeSet::new(), BTreeSet::new());
    for (case, judged) in put(region, doors, cases).await {
        let name = case.method.name();
        match judged {
            Judged::Denied if case.is_elsewhere() => {
                denied.insert(name);
            }
            Judged::Denied | Judged::Hidden => {}
            Judged::Early => {
                early.insert(name);
            }
            Judged::Reached(_) if OPEN_TO_ALL.contains(&&*name) => {
                public.insert(name);
            }
            Judged::Reached(_)
                if case.role == Role::Laboratory && OPEN_TO_LABORATORIES.contains(&&*name) =>
            {
                tested.insert(name);
            }
            Judged::Reached(_) if case.is_above() && OPEN_ABOVE.contains(&&*name) => {
                open.insert(name);
            }
            Judged::Reached(what) => {
                let who = format!("{case:?}: {what}");
                reached.entry(name).or_default().push(who);
            }
        }
    }
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let expected: [BTreeSet<String>; 4] = [
        list(&OPEN_ABOVE),
        list(&OPEN_TO_ALL),
        list(&OPEN_TO_LABORATORIES),
        list(&judged::EARLY),
    ];
    assert!(
        reached.is_empty(),
        "reached: {reached:#?}; early: {early:#?}"
    );
    assert_eq!(
        [open, public, tested, early],
        expected,
        "open above, to all, to laboratories, and looked at before it is asked who asks"
    );
    let methods = denied.len();
    assert!(methods > 330, "{methods} methods refused another place");
}

async fn whoever_may_is_let_in(region: &Region, doors: &Doors) {
    let cases = cases::home(region);
    let questions = cases.len();
    assert!(questions > 1_200, "{questions} questions");
    let (mut let_in, mut held_back) = (BTreeSet::new(), BTreeMap::<_, BTreeSet<_>>::new());
    for (case, judged) in put(region, doors, cases).await {
        let name = case.method.name();
        if judged == Judged::Denied {
            held_back
                .entry(name)
                .or_default()
                .insert(case.role.as_str());
        } else {
            let_in.insert(name);
        }
    }
    let known =
        judged::HELD_BACK.map(|(name, roles)| (name.to_owned(), roles.iter().copied().collect()));
    assert_eq!(
        held_back,
        BTreeMap::from(known),
        "not by a permission alone"
    );
    let methods = let_in.len();
    assert!(methods > 330, "{methods} methods let somebody in");
}
