//! Warnings: chains in any order, refusals, areas, levels up and down, and their end.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proto::safety as pb;
use proto::safety::weather_state::State;
use proto::safety::weather_task::State as Task;
use tonic::Code;

use crate::city::tree::{CITY, SISTER_PATH};
use crate::city::world::told;
use crate::city::{OTHER_PATH, SCHOOL, SCHOOL_PATH};
use crate::storm::{Storm, alert, later, storms, typhoon};

storms!(
    what_warns_of_nothing_is_refused_with_a_reason,
    documents_may_come_in_any_order_and_again,
    a_warning_reaches_its_division_only,
    levels_go_up_and_down_without_a_task_twice,
    the_gravest_of_all_holds,
    each_division_has_the_level_that_is_said_of_it_and_other_weather_none,
    a_warning_ends_by_its_own_words,
    a_day_is_delayed_when_orange_stood_at_some_time,
    rules_say_what_is_asked_and_on_what_it_rests,
);

async fn what_warns_of_nothing_is_refused_with_a_reason(mut storm: Storm) {
    let exercise = alert(1, "Orange", "350100").replace("Actual", "Exercise");
    let refused = storm.ingest(&exercise).await.expect_err("an exercise");
    let (code, reason, zh) = told(&refused);
    assert_eq!(
        (code, &*reason),
        (Code::FailedPrecondition, "WEATHER_WARNING_REFUSED")
    );
    assert!(zh.contains("NOT_ACTUAL") && zh.contains("不予受理"), "{zh}");
    let nowhere = alert(2, "Orange", "999999");
    let refused = storm.ingest(&nowhere).await.expect_err("nowhere");
    assert!(told(&refused).2.contains("NO_DIVISION"));
    let broken = storm.ingest("<alert>").await.expect_err("broken");
    assert_eq!(told(&broken).1, "INVALID_FIELD");
    let empty = storm.ingest("").await.expect_err("empty");
    assert_eq!(told(&empty).1, "INVALID_FIELD");
    let list = storm.city(pb::ListWeatherSignalsRequest::default());
    let list = storm
        .client
        .list_weather_signals(list)
        .await
        .expect("a list");
    assert!(list.into_inner().weather_signals.is_empty());
    assert!(storm.states(CITY, false).await.is_empty());
}

async fn documents_may_come_in_any_order_and_again(mut storm: Storm) {
    let cancel = later(3, "Cancel", 2, "");
    let first = storm.ingest(&cancel).await.expect("taken");
    assert_eq!(first.state(), pb::weather_signal::State::CalledOff);
    assert_eq!(first.missing, ["w2"]);
    let update = later(2, "Update", 1, "Red");
    let second = storm.ingest(&update).await.expect("taken");
    assert_eq!((&second.name, second.state()), (&first.name, first.state()));
    assert_eq!(
        (&*second.missing, second.level()),
        (&["w1".to_owned()][..], pb::WeatherLevel::I)
    );
    let third = storm
        .ingest(&alert(1, "Blue", "350100"))
        .await
        .expect("taken");
    assert_eq!(third.name, first.name);
    assert!(third.missing.is_empty());
    assert!(
        storm.states(CITY, false).await.is_empty(),
        "called off before it came"
    );
    let again = storm.ingest(&cancel).await.expect("taken");
    assert_eq!(
        again.history.len(),
        third.history.len(),
        "a repeat changes nothing"
    );
}

async fn a_warning_reaches_its_division_only(mut storm: Storm) {
    storm
        .ingest(&alert(1, "Yellow", "350102000000"))
        .await
        .expect("taken");
    assert_eq!(storm.state(SCHOOL_PATH).await.state(), State::Alerted);
    assert_eq!(storm.state(OTHER_PATH).await.state(), State::None);
    let declared = pb::ResponseLevel {
        divisions: vec!["350103".to_owned()],
        ..typhoon(pb::WeatherLevel::Iii)
    };
    let request = storm.city(pb::DeclareResponseLevelRequest {
        parent: CITY.to_owned(),
        response_level: Some(declared),
        request_id: String::new(),
    });
    let declared = storm.client.declare_response_level(request).await;
    let declared = declared.expect("declared").into_inner();
    assert_eq!(
        (&*declared.divisions, &*declared.suspension),
        (&["350103".to_owned()][..], "")
    );
    let other = storm.state(OTHER_PATH).await;
    assert_eq!(
        (other.level(), other.causes),
        (pb::WeatherLevel::Iii, vec![declared.name])
    );
}

async fn levels_go_up_and_down_without_a_task_twice(mut storm: Storm) {
    storm.enter_bus(SCHOOL_PATH, "bus/a12345").await;
    let mut counts = Vec::new();
    storm
        .ingest(&alert(1, "Blue", "350100"))
        .await
        .expect("taken");
    counts.push(open(&mut storm).await);
    for (number, colour) in [
        (2, "Orange"),
        (3, "Yellow"),
        (4, "Red"),
        (5, "Blue"),
        (6, "Orange"),
    ] {
        let document = later(number, "Update", number - 1, colour);
        storm.ingest(&document).await.expect("taken");
        counts.push(open(&mut storm).await);
    }
    assert_eq!(counts, [2, 7, 5, 9, 2, 7]);
    let tasks = storm.tasks(SCHOOL).await;
    let actions: BTreeSet<i32> = tasks.iter().map(|task| task.action).collect();
    assert_eq!((tasks.len(), actions.len()), (9, 9), "each action once");
    storm
        .ingest(&later(7, "Cancel", 6, ""))
        .await
        .expect("taken");
    assert_eq!(storm.state(SCHOOL_PATH).await.state(), State::None);
    assert_eq!(open(&mut storm).await, 0);
    storm
        .ingest(&alert(8, "Blue", "350100"))
        .await
        .expect("taken");
    let anew = storm.tasks(SCHOOL).await;
    let second = anew.iter().filter(|task| task.name.contains("/2-"));
    assert_eq!(
        (anew.len(), second.count()),
        (11, 2),
        "a new warning, new tasks"
    );
}

async fn open(storm: &mut Storm) -> usize {
    let tasks = storm.tasks(SCHOOL).await;
    tasks
        .iter()
        .filter(|task| task.state() == Task::Open)
        .count()
}

async fn the_gravest_of_all_holds(mut storm: Storm) {
    storm
        .ingest(&alert(1, "Yellow", "350100"))
        .await
        .expect("taken");
    let response = storm.declare(pb::WeatherLevel::I).await;
    let state = storm.state(SISTER_PATH).await;
    assert_eq!(
        (state.level(), state.causes.len()),
        (pb::WeatherLevel::I, 2)
    );
    let change = |level: pb::WeatherLevel| pb::ChangeResponseLevelRequest {
        name: response.name.clone(),
        level: level.into(),
        basis: "调整应急响应的通知".to_owned(),
        request_id: String::new(),
    };
    let same = storm.city(change(pb::WeatherLevel::I));
    let refused = storm
        .client
        .change_response_level(same)
        .await
        .expect_err("the same");
    assert_eq!(told(&refused).1, "INVALID_FIELD");
    let down = storm.city(change(pb::WeatherLevel::Iv));
    let down = storm
        .client
        .change_response_level(down)
        .await
        .expect("down");
    assert_eq!(down.get_ref().history[0].to_state, "IN_FORCE");
    let state = storm.state(SISTER_PATH).await;
    assert_eq!(
        state.level(),
        pb::WeatherLevel::Iii,
        "the warning is graver now"
    );
    assert_eq!(state.state(), State::Lifted, "level IV suspends nobody");
    storm.lift_response(&response.name).await.expect("lifted");
    let refused = storm
        .lift_response(&response.name)
        .await
        .expect_err("again");
    let (_, reason, zh) = told(&refused);
    assert_eq!(reason, "WEATHER_RESPONSE_STATE");
    assert_eq!(zh, "应急响应当前状态为 LIFTED，不能进行该操作");
}

async fn a_warning_ends_by_its_own_words(mut storm: Storm) {
    let signal = storm
        .ingest(&alert(1, "Orange", "350100"))
        .await
        .expect("taken");
    storm.world.clock.advance(TimeDelta::days(3));
    storm.until(SCHOOL_PATH, State::None).await;
    let request = storm.city(pb::GetWeatherSignalRequest { name: signal.name });
    let signal = storm
        .client
        .get_weather_signal(request)
        .await
        .expect("a warning");
    let signal = signal.into_inner();
    assert_eq!(signal.state(), pb::weather_signal::State::Expired);
    assert_eq!(
        (&*signal.history[0].actor, signal.history.len()),
        ("service", 2)
    );
    assert_eq!(open(&mut storm).await, 0);
}

async fn a_day_is_delayed_when_orange_stood_at_some_time(mut storm: Storm) {
    storm
        .ingest(&alert(1, "Orange", "350100"))
        .await
        .expect("taken");
    storm
        .ingest(&later(2, "Cancel", 1, ""))
        .await
        .expect("taken");
    let mut days = Vec::new();
    for day in [5, 6, 7] {
        let request = storm.city(pb::GetWeatherStateRequest {
            name: format!("{SCHOOL}/weatherState"),
            date: Some(proto::Date {
                year: 2022,
                month: 4,
                day,
            }),
        });
        let state = storm
            .client
            .get_weather_state(request)
            .await
            .expect("a state");
        let state = state.into_inner();
        days.push((state.arrival_delayed, state.dismissal_delayed));
    }
    assert_eq!(days, [(false, false), (true, false), (false, false)]);
    let season = storm.city(pb::GetWeatherStateRequest {
        name: format!("{SCHOOL}/weatherState"),
        date: Some(proto::Date {
            year: 2022,
            month: 4,
            day: 15,
        }),
    });
    let season = storm
        .client
        .get_weather_state(season)
        .await
        .expect("a state");
    assert!(season.get_ref().flood_season && !storm.state(SCHOOL_PATH).await.flood_season);
}

async fn rules_say_what_is_asked_and_on_what_it_rests(mut storm: Storm) {
    let rules = storm.principal(
        SCHOOL_PATH,
        pb::GetWeatherRulesRequest {
            name: format!("{SCHOOL}/weatherRules"),
        },
    );
    let rules = storm
        .client
        .get_weather_rules(rules)
        .await
        .expect("rules")
        .into_inner();
    assert_eq!(rules.actions.len(), 9, "all but the suspension of training");
    let shelters = rules
        .actions
        .iter()
        .find(|one| one.action() == pb::WeatherAction::OpenShelters);
    let levels: Vec<_> = shelters.expect("shelters").levels().collect();
    assert_eq!(levels, [pb::WeatherLevel::I]);
    assert!(rules.actions.iter().all(|one| !one.source.is_empty()));
    assert!(
        rules
            .check_items
            .iter()
            .all(|one| one.effective_date.is_some())
    );
}

async fn each_division_has_the_level_that_is_said_of_it_and_other_weather_none(mut storm: Storm) {
    let heat = alert(1, "Red", "350100").replace("台风", "高温");
    let heat = heat.replace("11B01", "11B09");
    let signal = storm.ingest(&heat).await.expect("taken");
    assert_eq!(
        (signal.kind(), signal.level()),
        (pb::WeatherKind::Other, pb::WeatherLevel::I)
    );
    assert!(storm.states(CITY, false).await.is_empty(), "kept and told");
    let declared = pb::ResponseLevel {
        kind: pb::WeatherKind::Other.into(),
        ..typhoon(pb::WeatherLevel::Ii)
    };
    let request = storm.city(pb::DeclareResponseLevelRequest {
        parent: CITY.to_owned(),
        response_level: Some(declared),
        request_id: String::new(),
    });
    let refused = storm.client.declare_response_level(request).await;
    assert_eq!(told(&refused.expect_err("other")).1, "INVALID_FIELD");
    // One document: blue in one district, orange in the other.
    let blue = alert(2, "Blue", "350102");
    let part = blue.find("<info>").zip(blue.find("</alert>"));
    let (from, to) = part.expect("a part");
    let both = alert(2, "Orange", "350103");
    let both = both.replace("</alert>", &format!("{}</alert>", &blue[from..to]));
    let signal = storm.ingest(&both).await.expect("taken");
    assert_eq!(signal.divisions, ["350102", "350103"]);
    assert_eq!(signal.level(), pb::WeatherLevel::Ii);
    let (mild, grave) = (
        storm.state(SCHOOL_PATH).await,
        storm.state(OTHER_PATH).await,
    );
    assert_eq!(
        (mild.level(), grave.level()),
        (pb::WeatherLevel::Iv, pb::WeatherLevel::Ii)
    );
    assert!(!mild.dismissal_delayed && grave.dismissal_delayed);
}
