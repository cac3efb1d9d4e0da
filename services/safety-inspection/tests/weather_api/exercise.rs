//! The typhoon exercise: warning, tasks, suspension, cancel, checks, teaching again, and one school that
//! forgets (rules 5.21 to 5.29, golden tests T15 and T16).

use chrono::TimeDelta;
use kit::auth::Role;
use proto::roster::class_group_roll::TeachingMode;
use proto::safety as pb;
use proto::safety::hazard_service_client::HazardServiceClient;
use proto::safety::weather_state::State;
use proto::safety::weather_task::State as Task;

use crate::city::tree::{
    BASE_PATH, BUREAU, CITY, DEPUTY, KINDERGARTEN_PATH, SISTER, SISTER_PATH, TRAINING_PATH,
};
use crate::city::world::told;
use crate::city::{OTHER_PATH, SCHOOL, SCHOOL_PATH, staff};
use crate::storm::{Storm, alert, later, name, storms};

storms!(a_typhoon_comes_and_goes);

const TAUGHT: [&str; 4] = [OTHER_PATH, SCHOOL_PATH, SISTER_PATH, KINDERGARTEN_PATH];
const ALL: [&str; 6] = [
    OTHER_PATH,
    SCHOOL_PATH,
    SISTER_PATH,
    KINDERGARTEN_PATH,
    TRAINING_PATH,
    BASE_PATH,
];

async fn a_typhoon_comes_and_goes(mut storm: Storm) {
    storm.enter_bus(SCHOOL_PATH, "bus/a12345").await;
    storm.enter_bus(SCHOOL_PATH, "bus/a67890").await;
    warned(&mut storm).await;
    let response = suspended(&mut storm).await;
    tasks_are_done_in_time_and_late(&mut storm).await;
    called_off(&mut storm, &response).await;
    checked_and_reopened(&mut storm).await;
    one_school_forgets(&mut storm).await;
}

/// T15: orange delays arrivals and dismissals; every campus has the tasks of its kind.
async fn warned(storm: &mut Storm) {
    let signal = storm.ingest(&alert(1, "Orange", "350100")).await;
    let signal = signal.expect("taken");
    assert_eq!(signal.level(), pb::WeatherLevel::Ii);
    assert_eq!(signal.kind(), pb::WeatherKind::Typhoon);
    let state = storm.state(SCHOOL_PATH).await;
    assert_eq!(state.state(), State::Alerted);
    assert!(state.arrival_delayed && state.dismissal_delayed);
    assert_eq!(state.causes, [signal.name]);
    let counts: Vec<usize> = {
        let mut counts = Vec::new();
        for path in ALL {
            counts.push(storm.tasks(&name(path)).await.len());
        }
        counts
    };
    // One for each bus, and none where no bus is entered.
    assert_eq!(counts, [6, 8, 6, 6, 6, 6]);
    let tasks = storm.tasks(SCHOOL).await;
    assert!(tasks.iter().all(|task| task.owner == staff(DEPUTY)));
    assert!(
        tasks
            .iter()
            .all(|task| task.state() == Task::Open && !task.overdue)
    );
    let soonest: Vec<_> = tasks.iter().map(pb::WeatherTask::action).collect();
    assert_eq!(soonest[..2], [pb::WeatherAction::StopBuses; 2]);
    let mut places: Vec<&str> = tasks.iter().map(|task| &*task.place).collect();
    places.sort_unstable();
    assert_eq!(places[5..], ["", "bus/a12345", "bus/a67890"]);
    assert_eq!(storm.tasks(CITY).await.len(), 38);
    assert!(storm.heard().is_empty(), "a warning suspends nobody");
}

/// T16: level II suspends schools, training institutions and buses.
async fn suspended(storm: &mut Storm) -> pb::ResponseLevel {
    let response = storm.declare(pb::WeatherLevel::Ii).await;
    assert!(!response.suspension.is_empty());
    for path in ALL {
        let state = storm.state(path).await;
        assert_eq!(state.state(), State::Suspended, "{path}");
        assert_eq!(state.suspensions, [&*response.suspension], "{path}");
        assert!(state.buses_stopped, "{path}");
    }
    storm.until_told(&ALL).await;
    let mut expected = TAUGHT.map(|path| (name(path), TeachingMode::Suspended));
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(storm.heard(), expected);
    assert_eq!(storm.tasks(CITY).await.len(), 38, "no task twice");
    response
}

async fn complete(storm: &mut Storm, action: &str) -> pb::WeatherTask {
    let request = pb::CompleteWeatherTaskRequest {
        name: format!("{SCHOOL}/weatherTasks/1-{action}"),
        note: "已落实".to_owned(),
        photos: vec![pb::Photo {
            sha256: vec![7; 32].into(),
            take_time: Some(prost_types::Timestamp {
                seconds: 1_649_200_000,
                nanos: 0,
            }),
            ..Default::default()
        }],
        request_id: String::new(),
    };
    let request = storm
        .world
        .by("safety-officer", Role::SafetyOfficer, SCHOOL_PATH, request);
    let done = storm.client.complete_weather_task(request).await;
    done.expect("done").into_inner()
}

async fn tasks_are_done_in_time_and_late(storm: &mut Storm) {
    let duty = complete(storm, "duty").await;
    assert_eq!((duty.state(), duty.late), (Task::Done, false));
    assert_eq!((&*duty.doer, duty.photos.len()), ("safety-officer", 1));
    storm.world.clock.advance(TimeDelta::hours(5));
    let late = storm.city(pb::ListWeatherTasksRequest {
        parent: SCHOOL.to_owned(),
        overdue: true,
        ..Default::default()
    });
    let late = storm.client.list_weather_tasks(late).await.expect("tasks");
    assert_eq!(late.into_inner().weather_tasks.len(), 7);
    let inspect = complete(storm, "inspect").await;
    assert_eq!((inspect.state(), inspect.late), (Task::Done, true));
    assert_eq!(inspect.photos[0].seen_before, [duty.name]);
}

/// The cancel of the warning ends the warning only; what the headquarters declared, it lifts.
async fn called_off(storm: &mut Storm, response: &pb::ResponseLevel) {
    let signal = storm
        .ingest(&later(2, "Cancel", 1, ""))
        .await
        .expect("taken");
    assert_eq!(signal.state(), pb::weather_signal::State::CalledOff);
    assert_eq!(storm.state(SCHOOL_PATH).await.level(), pb::WeatherLevel::Ii);
    let lifted = storm.lift_response(&response.name).await.expect("lifted");
    assert_eq!(lifted.state(), pb::response_level::State::Lifted);
    for path in ALL {
        let state = storm.state(path).await;
        assert_eq!(state.state(), State::Lifted, "{path}");
        assert!(state.post_check_due_time.is_some() && !state.overdue);
        assert!(!state.buses_stopped && !state.dismissal_delayed);
    }
    let tasks = storm.tasks(SCHOOL).await;
    let of = |state: Task| tasks.iter().filter(|task| task.state() == state).count();
    assert_eq!(
        (of(Task::Done), of(Task::StoodDown), of(Task::Open)),
        (2, 6, 0)
    );
    assert_eq!(storm.heard().len(), 4, "nobody is taught before the check");
}

async fn checked_and_reopened(storm: &mut Storm) {
    let refused = storm.reopen(SCHOOL_PATH).await.expect_err("not checked");
    let (_, reason, zh) = told(&refused);
    assert_eq!(reason, "WEATHER_STATE");
    assert_eq!(zh, "该单位当前的天气应对状态为 LIFTED，不能进行该操作");
    let check = storm.check(SCHOOL_PATH, &["WALLS", "TREES"]).await;
    assert_eq!(check.expect("recorded").missing, ["WALLS"]);
    let refused = storm.reopen(SCHOOL_PATH).await.expect_err("walls");
    let (_, reason, zh) = told(&refused);
    assert_eq!(reason, "WEATHER_POST_CHECK_INCOMPLETE");
    assert_eq!(zh, "复课前检查尚未完成：WALLS");
    walls_stand_in_the_way_until_people_are_safe(storm).await;
    let check = storm
        .check(SCHOOL_PATH, &["TREES"])
        .await
        .expect("recorded");
    let trees = check.findings.iter().find(|one| one.item == "TREES");
    assert!(trees.is_some_and(|one| one.hazard.starts_with("organizations/2135010001/hazards/")));
    for path in ALL.into_iter().filter(|path| *path != SISTER_PATH) {
        if path != SCHOOL_PATH {
            storm.check(path, &[]).await.expect("recorded");
        }
        let state = storm.reopen(path).await.expect("reopened");
        assert_eq!(state.state(), State::Reopened, "{path}");
    }
    storm.until_told(&ALL).await;
    let again: Vec<_> = storm
        .heard()
        .into_iter()
        .filter(|(_, mode)| *mode == TeachingMode::InPerson)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(again.len(), 3);
    assert!(!again.contains(&SISTER.to_owned()));
}

/// What is said of the walls later does not make the hazard go away: it does once it is controlled.
async fn walls_stand_in_the_way_until_people_are_safe(storm: &mut Storm) {
    let walls = |check: &pb::PostCheck| {
        let walls = check.findings.iter().find(|one| one.item == "WALLS");
        walls.expect("the walls").hazard.clone()
    };
    let failed = storm.check(SCHOOL_PATH, &["WALLS", "TREES"]).await;
    let again = storm.check(SCHOOL_PATH, &["WALLS", "TREES"]).await;
    let (failed, again) = (failed.expect("recorded"), again.expect("recorded"));
    let hazard = walls(&failed);
    assert_eq!(walls(&again), hazard, "one hazard for one trouble");
    let passed = storm.check(SCHOOL_PATH, &["TREES"]).await;
    let passed = passed.expect("recorded");
    assert_eq!(
        (walls(&passed), &*passed.missing),
        (hazard.clone(), &["WALLS".to_owned()][..])
    );
    let refused = storm.reopen(SCHOOL_PATH).await.expect_err("walls");
    assert_eq!(told(&refused).1, "WEATHER_POST_CHECK_INCOMPLETE");
    let mut hazards = HazardServiceClient::new(storm.world.channel.clone());
    let verify = storm.world.by(
        "safety-officer",
        Role::SafetyOfficer,
        SCHOOL_PATH,
        pb::VerifyHazardRequest {
            name: hazard.clone(),
            grade: pb::hazard::Grade::Major.into(),
            ..Default::default()
        },
    );
    hazards.verify_hazard(verify).await.expect("verified");
    storm.reopen(SCHOOL_PATH).await.expect_err("uncontrolled");
    let control = storm.world.by(
        "safety-officer",
        Role::SafetyOfficer,
        SCHOOL_PATH,
        pb::ControlHazardRequest {
            name: hazard,
            control: Some(pb::HazardControl {
                measures: vec![pb::hazard_control::Measure::StopUse.into()],
                description: "拉起警戒线，封闭围墙一侧".to_owned(),
                ..Default::default()
            }),
            request_id: String::new(),
        },
    );
    hazards.control_hazard(control).await.expect("controlled");
}

async fn one_school_forgets(storm: &mut Storm) {
    storm.world.clock.advance(TimeDelta::hours(25));
    let overdue = storm.states(BUREAU, true).await;
    let names: Vec<_> = overdue.iter().map(|state| &*state.name).collect();
    assert_eq!(names, [format!("{SISTER}/weatherState")]);
    let sister = storm.state(SISTER_PATH).await;
    assert_eq!(sister.state(), State::Lifted);
    assert!(sister.overdue && sister.teaching() == pb::weather_state::Teaching::Suspended);
    storm.check(SISTER_PATH, &[]).await.expect("recorded");
    storm.reopen(SISTER_PATH).await.expect("reopened");
    assert!(storm.states(BUREAU, true).await.is_empty());
    storm.until_told(&[SISTER_PATH]).await;
    assert!(
        storm
            .heard()
            .contains(&(SISTER.to_owned(), TeachingMode::InPerson))
    );
    let sister = storm.state(SISTER_PATH).await;
    let moves: Vec<_> = sister.history.iter().map(|one| &*one.to_state).collect();
    assert_eq!(
        moves[..3],
        ["REOPENED", "POST_CHECK", "LIFTED"],
        "the last first"
    );
    assert_eq!(sister.history[0].actor, "principal");
}
