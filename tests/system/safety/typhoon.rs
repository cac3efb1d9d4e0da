//! The typhoon exercise: a warning, tasks, suspensions that the register really has, the cancel, sweeps, and
//! teaching again, with one school that forgets and is seen to have forgotten (rules 5.21 to 5.29).

use proto::roster::class_group_roll::TeachingMode;
use proto::safety::inspection_plan_service_client::InspectionPlanServiceClient;
use proto::safety::weather_service_client::WeatherServiceClient;
use proto::safety::weather_state::{State, Teaching};
use proto::safety::weather_task::State as Task;
use proto::safety::{
    CreateInspectionPlaceRequest, DeclareResponseLevelRequest, GetWeatherSuspensionRequest,
    InspectionPlace, LiftResponseLevelRequest, PlaceKind, ResponseLevel, WeatherAction,
    WeatherKind, WeatherLevel, weather_signal,
};
use tests::town::{CITY, DISTRICT, school, school_path};
use tests::until;
use tonic::Code;

use super::hazards;
use super::people::{call, once};
use super::storm::{
    bases, campuses, document, ingest, officer, overdue, reopen, state, sweep, tasks, taught,
};
use crate::region::{Place, Region};
use crate::verbs::{denied, expect, request_id};

/// The place of the only bus.
const BUS: &str = "bus/a12345";
const REFUSED: Code = Code::FailedPrecondition;
/// The documents of the weather bureau, each with its minute after 08:00.
const WARNING: (&str, u32) = ("w1", 0);
const CANCEL: (&str, u32) = ("w2", 50);

/// The school that will forget.
fn forgetful() -> Place {
    (school(3), school_path(3))
}

/// Waits until the register has all class groups of these schools taught like this.
async fn until_taught(region: &Region, places: &[Place], mode: TeachingMode) {
    for (id, _) in places {
        until("the register hears of it", || async {
            (taught(region, id).await == [mode]).then_some(())
        })
        .await;
    }
}

/// Orange: every campus has the tasks of its kind, with an owner, one for each of its buses, and nobody is
/// suspended by a warning.
pub(super) async fn is_warned_of(region: &Region) -> String {
    let bus = CreateInspectionPlaceRequest {
        parent: format!("organizations/{}", school(1)),
        inspection_place: Some(InspectionPlace {
            place_kind: PlaceKind::Bus.into(),
            place: BUS.to_owned(),
            display_name: "一号校车".to_owned(),
            ..InspectionPlace::default()
        }),
        request_id: request_id(),
    };
    let entered = call!(
        InspectionPlanServiceClient,
        region.deputy(),
        create_inspection_place,
        bus
    );
    entered.expect("is entered");
    let met = region.authority("weather-bureau");
    for wrong in [region.head(), region.guard(), region.bureau()] {
        denied("handing in", ingest(wrong, document(WARNING, None)).await);
    }
    let broken = ingest(met.clone(), b"<alert/>".to_vec()).await;
    expect(
        "no document",
        broken,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
    let taken = ingest(met.clone(), document(WARNING, None)).await;
    let again = ingest(met, document(WARNING, None)).await;
    let (signal, again) = (taken.expect("is taken"), again.expect("is taken once"));
    assert_eq!(signal, again);
    assert_eq!(
        (signal.kind(), signal.level()),
        (WeatherKind::Typhoon, WeatherLevel::Ii)
    );
    for place in campuses(region) {
        let own = state(region, &place).await;
        assert_eq!(own.state(), State::Alerted, "{place:?}");
        assert_eq!(own.causes, [&*signal.name]);
        assert!(own.dismissal_delayed, "pupils stay until it is safe");
        let asked = tasks(officer(region, &place), &place.0).await;
        let asked = asked.expect("tasks");
        let buses = asked.iter().filter(|task| task.place == BUS).count();
        assert_eq!(buses, usize::from(place.0 == school(1)), "{place:?}");
        assert_eq!(asked.len(), 6 + buses, "{place:?}");
        assert!(asked.iter().all(|task| task.state() == Task::Open));
    }
    let own = tasks(region.deputy(), &school(1)).await.expect("tasks");
    let deputy = region.staff(&school(1), "安全副校长");
    assert!(own.iter().all(|task| task.owner == deputy), "{own:?}");
    denied("next door", tasks(region.sibling(), &school(1)).await);
    for place in region.schools() {
        assert_eq!(taught(region, &place.0).await, [TeachingMode::InPerson]);
    }
    signal.name
}

/// Level II of the headquarters suspends every school and every base at once; the register has it.
pub(super) async fn suspends_every_school(region: &Region) -> ResponseLevel {
    region.at(6, 8, 20);
    let declare = || DeclareResponseLevelRequest {
        parent: format!("organizations/{CITY}"),
        response_level: Some(ResponseLevel {
            kind: WeatherKind::Typhoon.into(),
            level: WeatherLevel::Ii.into(),
            headquarters: "市防汛抗旱指挥部".to_owned(),
            basis: "防台风应急响应通知第 3 号".to_owned(),
            ..ResponseLevel::default()
        }),
        request_id: request_id(),
    };
    for wrong in [region.head(), region.bureau()] {
        let wrong = call!(
            WeatherServiceClient,
            wrong,
            declare_response_level,
            declare()
        );
        denied("the city's declaration", wrong);
    }
    let declared = call!(
        WeatherServiceClient,
        region.officer("chief"),
        declare_response_level,
        declare()
    );
    let response = declared.expect("is declared");
    for place in campuses(region) {
        let own = state(region, &place).await;
        assert_eq!(own.state(), State::Suspended, "{place:?}");
        assert_eq!(own.suspensions, [&*response.suspension]);
        assert!(own.buses_stopped, "{place:?}");
    }
    until_taught(region, &region.schools(), TeachingMode::Suspended).await;
    let request = GetWeatherSuspensionRequest {
        name: response.suspension.clone(),
    };
    let seen = call!(
        WeatherServiceClient,
        region.guard(),
        get_weather_suspension,
        request
    );
    seen.expect("everybody below may know why");
    response
}

/// Tasks are done in time and late, and once.
pub(super) async fn is_prepared_for(region: &Region) {
    let complete = |action: &str| {
        let name = format!("organizations/{}/weatherTasks/1-{action}", school(1));
        once!(CompleteWeatherTaskRequest, name, note: "已落实".to_owned(), photos: vec![region.photo(7)])
    };
    let guard = call!(
        WeatherServiceClient,
        region.guard(),
        complete_weather_task,
        complete("duty")
    );
    denied("a guard does no task", guard);
    let done = call!(
        WeatherServiceClient,
        region.deputy(),
        complete_weather_task,
        complete("duty")
    );
    let done = done.expect("is done");
    assert_eq!((done.state(), done.late), (Task::Done, false));
    let twice = call!(
        WeatherServiceClient,
        region.deputy(),
        complete_weather_task,
        complete("duty")
    );
    expect("done twice", twice, REFUSED, "WEATHER_TASK_STATE");
    region.at(6, 12, 10);
    let late = call!(
        WeatherServiceClient,
        region.deputy(),
        complete_weather_task,
        complete("inspect")
    );
    let late = late.expect("is done late");
    assert_eq!(
        (late.action(), late.state(), late.late),
        (WeatherAction::Inspect, Task::Done, true)
    );
    assert_eq!(
        late.photos[0].seen_before,
        [&*done.name],
        "the same picture"
    );
}

/// The cancel ends the warning; what the headquarters declared, the headquarters lifts. Nobody is taught
/// before a sweep.
pub(super) async fn is_called_off(region: &Region, warning: &str, response: &ResponseLevel) {
    let met = region.authority("weather-bureau");
    let cancelled = ingest(met, document(CANCEL, Some(WARNING))).await;
    let cancelled = cancelled.expect("is taken");
    assert_eq!(
        (&*cancelled.name, cancelled.state()),
        (warning, weather_signal::State::CalledOff)
    );
    let first = (school(1), school_path(1));
    assert_eq!(state(region, &first).await.state(), State::Suspended);
    region.at(6, 18, 0);
    let lift = || LiftResponseLevelRequest {
        name: response.name.clone(),
        basis: "解除防台风应急响应的通知".to_owned(),
        request_id: request_id(),
    };
    let bureau = call!(
        WeatherServiceClient,
        region.bureau(),
        lift_response_level,
        lift()
    );
    denied("a bureau lifts nothing of the city's", bureau);
    call!(
        WeatherServiceClient,
        region.officer("chief"),
        lift_response_level,
        lift()
    )
    .expect("is lifted");
    for place in campuses(region) {
        let own = state(region, &place).await;
        assert_eq!(own.state(), State::Lifted, "{place:?}");
        assert!(own.post_check_due_time.is_some() && !own.overdue);
    }
    let own = tasks(region.deputy(), &school(1)).await.expect("tasks");
    let of = |state: Task| own.iter().filter(|task| task.state() == state).count();
    assert_eq!([Task::Done, Task::StoodDown, Task::Open].map(of), [2, 5, 0]);
    for place in region.schools() {
        assert_eq!(taught(region, &place.0).await, [TeachingMode::Suspended]);
    }
}

/// A wall that leans stands in the way until the hazard is closed; everybody but one sweeps, disinfects and begins again.
pub(super) async fn leaves_a_sweep_to_do(region: &Region) {
    let second = (school(2), school_path(2));
    let early = reopen(region, &second).await;
    expect("nobody swept", early, REFUSED, "WEATHER_STATE");
    let swept = sweep(region, &second, &["WALLS"]).await.expect("is swept");
    assert_eq!(swept.missing, ["WALLS"]);
    let wall = swept.findings.iter().find(|one| one.item == "WALLS");
    let wall = wall.map_or("", |one| &*one.hazard);
    let own = format!("organizations/{}/hazards/", second.0);
    assert!(wall.starts_with(&own), "{wall}");
    let blocked = reopen(region, &second).await;
    expect(
        "a wall leans",
        blocked,
        REFUSED,
        "WEATHER_POST_CHECK_INCOMPLETE",
    );
    // Saying that it stands upright does not remove it.
    let passed = sweep(region, &second, &[]).await.expect("is swept again");
    assert_eq!(passed.missing, ["WALLS"]);
    let hidden = reopen(region, &second).await;
    expect(
        "the hazard is open",
        hidden,
        REFUSED,
        "WEATHER_POST_CHECK_INCOMPLETE",
    );
    region.at(6, 19, 0);
    hazards::is_removed_at(region, 2, wall).await;
    let (awake, asleep) = (taught_again(region).await, forgetful());
    until_taught(region, &awake, TeachingMode::InPerson).await;
    assert_eq!(taught(region, &asleep.0).await, [TeachingMode::Suspended]);
}

/// Everybody but one sweeps and begins again. Gives the schools among them.
async fn taught_again(region: &Region) -> Vec<Place> {
    region.at(6, 20, 0);
    let awake = campuses(region).into_iter();
    let awake: Vec<Place> = awake.filter(|place| *place != forgetful()).collect();
    for place in &awake {
        let swept = sweep(region, place, &[]).await.expect("is swept");
        assert_eq!(swept.missing, [""; 0], "{place:?}");
        let again = reopen(region, place).await.expect("begins again");
        assert_eq!(again.state(), State::Reopened, "{place:?}");
    }
    let schools = awake.into_iter();
    schools.filter(|place| !bases().contains(place)).collect()
}

/// A day later the bureau and the city see by name who forgot; then it is taught there, too.
pub(super) async fn is_over_for_all_but_one(region: &Region) {
    let asleep = forgetful();
    assert_eq!(overdue(region.bureau(), DISTRICT).await, [""; 0]);
    region.at(7, 18, 30);
    let name = format!("organizations/{}/weatherState", asleep.0);
    let other = region.acting(&region.bureaus()[1]);
    assert_eq!(overdue(region.bureau(), DISTRICT).await, [&*name]);
    assert_eq!(overdue(region.officer("chief"), CITY).await, [&*name]);
    assert_eq!(overdue(other, crate::region::OTHER_BUREAU).await, [""; 0]);
    let own = state(region, &asleep).await;
    assert_eq!(
        (own.state(), own.overdue, own.teaching()),
        (State::Lifted, true, Teaching::Suspended)
    );
    sweep(region, &asleep, &[]).await.expect("is swept");
    reopen(region, &asleep).await.expect("begins again");
    until_taught(
        region,
        std::slice::from_ref(&asleep),
        TeachingMode::InPerson,
    )
    .await;
    assert_eq!(overdue(region.bureau(), DISTRICT).await, [""; 0]);
    let own = state(region, &asleep).await;
    let moves: Vec<&str> = own.history.iter().map(|one| &*one.to_state).collect();
    assert_eq!(
        moves[..4],
        ["REOPENED", "POST_CHECK", "LIFTED", "SUSPENDED"],
        "the last first"
    );
}
