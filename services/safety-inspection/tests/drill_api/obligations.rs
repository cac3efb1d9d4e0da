//! What is owed, done and missed.

use chrono::NaiveDate;
use kit::field::to_date;
use proto::safety as pb;
use proto::safety::drill_obligation::{Kind, State};

use crate::city::tree::{BUREAU, CITY};
use crate::city::world::World;
use crate::city::{SCHOOL, on_both};
use crate::ground::{
    all_out, archive, archived, denied, deputy, district, drills, enact, ended, everybody,
    fire_drill, head, invalid, refused, running, settle,
};

on_both!(
    a_drill_without_headcount_does_not_count_to_the_month,
    a_bureau_sees_the_worst_first_and_its_own_only,
    none_asked_for_is_not_done,
);

fn owed(parent: &str, date: Option<NaiveDate>) -> pb::ListDrillObligationsRequest {
    pb::ListDrillObligationsRequest {
        parent: parent.to_owned(),
        date: date.map(to_date),
        ..Default::default()
    }
}

fn day(month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(2022, month, day)
}

/// How the evacuations of the month stand at the school.
async fn month(world: &World) -> (State, i32) {
    let ask = head(world, owed(SCHOOL, None));
    let found = drills(world)
        .list_drill_obligations(ask)
        .await
        .expect("listed");
    let found = found.into_inner().drill_obligations;
    let one = found.iter().find(|one| one.kind() == Kind::Evacuation);
    let one = one.expect("a school drills each month");
    assert_eq!(one.required_count, 1);
    (one.state(), one.done_count)
}

/// Golden test T18.
async fn a_drill_without_headcount_does_not_count_to_the_month(world: World) {
    settle(&world).await;
    let mut client = drills(&world);
    let drill = running(&world, fire_drill(&world, SCHOOL)).await;
    let name = all_out(&world, &drill.name).await.name;
    refused(
        client.end_drill(deputy(&world, ended(&name))).await,
        "DRILL_STATE",
    );
    refused(
        client.archive_drill(head(&world, archive(&name))).await,
        "DRILL_STATE",
    );
    assert_eq!(month(&world).await, (State::Due, 0));
    let count = deputy(&world, everybody(&drill));
    client.record_headcount(count).await.expect("counted");
    client
        .end_drill(deputy(&world, ended(&name)))
        .await
        .expect("ended");
    // Without a review it does not count either.
    refused(
        client.archive_drill(head(&world, archive(&name))).await,
        "DRILL_STATE",
    );
    assert_eq!(month(&world).await, (State::Due, 0));
    archived(&world, fire_drill(&world, SCHOOL)).await;
    assert_eq!(month(&world).await, (State::Done, 1));
    world.clock.advance(chrono::Duration::days(26));
    assert_eq!(month(&world).await, (State::Due, 0), "May begins anew");
}

async fn a_bureau_sees_the_worst_first_and_its_own_only(world: World) {
    settle(&world).await;
    archived(&world, fire_drill(&world, SCHOOL)).await;
    let mut client = drills(&world);
    let found = client
        .list_drill_obligations(district(&world, owed(BUREAU, None)))
        .await;
    let found = found.expect("listed").into_inner();
    let told: Vec<_> = found
        .drill_obligations
        .iter()
        .map(|one| (one.state(), one.kind(), &*one.organization))
        .collect();
    let expected = [
        (State::Due, Kind::NightDorm, "organizations/2135010001"),
        (State::Due, Kind::Evacuation, "organizations/2135010003"),
        (State::Due, Kind::Evacuation, "organizations/3135010001"),
        (State::Done, Kind::Evacuation, "organizations/2135010001"),
    ];
    assert_eq!(told, expected);
    assert_eq!(
        (found.missed_count, found.due_count, found.done_count),
        (0, 3, 1)
    );

    // March is over: its month is missed, its quarter too.
    let march = owed(BUREAU, day(3, 15));
    let found = client
        .list_drill_obligations(district(&world, march.clone()))
        .await;
    assert_eq!(found.expect("listed").into_inner().missed_count, 4);
    let mut pages = Vec::new();
    let mut token = String::new();
    loop {
        let page = pb::ListDrillObligationsRequest {
            page_size: 3,
            page_token: token,
            ..march.clone()
        };
        let page = client.list_drill_obligations(district(&world, page)).await;
        let page = page.expect("a page").into_inner();
        pages.extend(page.drill_obligations);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(pages.len(), 4);
    let future = client
        .list_drill_obligations(district(&world, owed(BUREAU, day(5, 1))))
        .await;
    invalid(future, "what is not yet");
    let city = client
        .list_drill_obligations(district(&world, owed(CITY, None)))
        .await;
    denied(city, "the city is above the district");
}

async fn none_asked_for_is_not_done(world: World) {
    settle(&world).await;
    enact(&world, 4, |policy| {
        let drill = policy.drill.as_mut().expect("drills");
        drill.night_dorm_per_quarter = 0;
        drill.school_per_month = 2;
    })
    .await;
    archived(&world, fire_drill(&world, SCHOOL)).await;
    let ask = head(&world, owed(SCHOOL, None));
    let found = drills(&world)
        .list_drill_obligations(ask)
        .await
        .expect("listed");
    let found = found.into_inner();
    assert_eq!(found.drill_obligations.len(), 1, "nothing is owed at night");
    let one = &found.drill_obligations[0];
    assert_eq!(
        (one.state(), one.done_count, one.required_count),
        (State::Due, 1, 2)
    );
}
