//! What is told of the weather: warnings, how campuses stand, and tasks that nobody did.

use chrono::Duration;
use kit::auth::Role;
use proto::safety as pb;
use proto::safety::safety_event::State;

use crate::city::{SCHOOL, SCHOOL_PATH};
use crate::follower::{listen, settled, standing};
use crate::storm::{Storm, alert, later, storms};

storms!(a_storm_is_told_school_by_school);

/// Of which tasks the deputy of the first school was told that they were not done.
async fn told_of_tasks(storm: &Storm) -> Vec<String> {
    use pb::accountability_record::Act;
    use pb::accountability_service_client::AccountabilityServiceClient;
    let list = storm.district(pb::ListAccountabilityRecordsRequest {
        parent: SCHOOL.to_owned(),
        page_size: 1000,
        ..Default::default()
    });
    let mut client = AccountabilityServiceClient::new(storm.world.channel.clone());
    let listed = client.list_accountability_records(list).await;
    let records = listed.expect("listed").into_inner().accountability_records;
    let of = records
        .into_iter()
        .filter(|one| one.resource.contains("/weatherTasks/"));
    let of = of.inspect(|one| {
        let deputy = crate::city::staff(crate::city::tree::DEPUTY);
        assert_eq!((one.act(), &one.staff_member), (Act::NotDone, &deputy));
    });
    let mut of: Vec<String> = of.map(|one| one.resource).collect();
    of.sort();
    of
}

async fn a_storm_is_told_school_by_school(mut storm: Storm) {
    storm.enter_bus(SCHOOL_PATH, "bus/a12345").await;
    settled(&storm.world).await;
    let mut follower = listen(&storm.world).await;
    let signal = storm.ingest(&alert(1, "Orange", "350100")).await;
    let signal = signal.expect("taken");
    let told = follower.first(|state| match state {
        State::WeatherSignal(signal) => Some(signal.clone()),
        _ => None,
    });
    let told = told.await;
    assert_eq!((&*told.name, told.level()), (&*signal.name, signal.level()));
    assert!(told.headline.is_empty() && told.sender.is_empty());
    settled(&storm.world).await;
    let of = |state: &State| match state {
        State::WeatherStanding(standing) => Some(standing.clone()),
        _ => None,
    };
    let (events, _) = standing(&storm.world, Role::Service, "")
        .await
        .expect("read");
    let schools: Vec<_> = events
        .iter()
        .filter_map(|event| of(event.state.as_ref()?))
        .collect();
    assert_eq!(schools.len(), 6);
    let school = schools.iter().find(|one| one.name.starts_with(SCHOOL));
    let school = school.expect("the first school");
    assert_eq!(school.state(), pb::weather_state::State::Alerted);
    assert_eq!((school.open_task_count, school.overdue_task_count), (7, 0));

    storm.world.clock.advance(Duration::hours(30));
    settled(&storm.world).await;
    let (events, _) = standing(&storm.world, Role::Service, SCHOOL_PATH)
        .await
        .expect("read");
    let school = events.iter().find_map(|event| of(event.state.as_ref()?));
    let school = school.expect("the first school");
    assert_eq!((school.open_task_count, school.overdue_task_count), (7, 7));
    // Whoever had to do them was told of each, once, however often it is looked at.
    for _ in 0..2 {
        let mut expected: Vec<String> = storm
            .tasks(SCHOOL)
            .await
            .into_iter()
            .map(|task| task.name)
            .collect();
        expected.sort();
        assert_eq!(told_of_tasks(&storm).await, expected);
        storm.world.clock.advance(Duration::hours(1));
        settled(&storm.world).await;
    }

    storm
        .ingest(&later(2, "Cancel", 1, ""))
        .await
        .expect("taken");
    settled(&storm.world).await;
    let (events, _) = standing(&storm.world, Role::Service, "")
        .await
        .expect("read");
    let left = events.iter().filter_map(|event| of(event.state.as_ref()?));
    assert_eq!(left.count(), 0, "no warning stands");
    assert!(!events.iter().any(|event| event.entity == signal.name));
}
