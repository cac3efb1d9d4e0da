//! Teaching is suspended again, and who is away comes back, whatever the roster does.

use std::sync::atomic::Ordering;

use proto::roster::class_group_roll::TeachingMode;
use proto::safety as pb;
use proto::safety::resumption::State;

use crate::city::tree::{CITY, KINDERGARTEN, KINDERGARTEN_PATH, SISTER};
use crate::city::{SCHOOL, SCHOOL_PATH};
use crate::ground::{Ground, cities, day, invalid, name, outbreak, refused};

cities!(
    what_was_decided_while_the_roster_was_down_reaches_it_in_order,
    only_who_is_away_is_called_back,
    a_class_of_a_kindergarten_takes_its_batch_back,
    who_does_not_exist_is_not_suspended,
    nobody_forgets_a_suspension_whose_last_day_is_over,
);

async fn what_was_decided_while_the_roster_was_down_reaches_it_in_order(mut ground: Ground) {
    ground.roster.up.store(false, Ordering::SeqCst);
    let class = format!("{SCHOOL}/classGroups/j2019-01");
    let one = pb::ReSuspendRequest {
        class_group: class.clone(),
        ..outbreak(SCHOOL)
    };
    // No batch was ever planned: the register is told all the same.
    let answer = ground.suspend(one).await;
    assert_eq!((answer.resumption_count, answer.school_count), (0, 1));
    let grade = pb::ReSuspendRequest {
        grades: vec![9, 12],
        online: true,
        ..outbreak(SCHOOL)
    };
    ground.suspend(grade).await;
    ground.suspend(outbreak(SCHOOL)).await;
    for _ in 0..200 {
        if !ground.roster.missed.lock().expect("a lock").is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(ground.heard().is_empty());
    ground.roster.up.store(true, Ordering::SeqCst);
    // Time passes, and with it the waiting after a failure.
    for minute in 1..=9 {
        ground.set(&format!("2022-04-06T00:0{minute}:00Z"));
        if ground.heard().len() == 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    ground.until_heard(3).await;
    let expected = [
        (class, vec![], TeachingMode::Suspended),
        (SCHOOL.to_owned(), vec![9, 12], TeachingMode::Online),
        (SCHOOL.to_owned(), vec![], TeachingMode::Suspended),
    ];
    assert_eq!(ground.heard(), expected);
    let missed = ground.roster.missed.lock().expect("a lock").clone();
    let heard = ground.roster.heard.lock().expect("a lock").clone();
    assert!(missed.iter().all(|call| *call == heard[0]), "one request");
}

async fn only_who_is_away_is_called_back(mut ground: Ground) {
    ground.plan(1, day(4, 6)).await.expect("planned");
    ground.stock(SCHOOL_PATH).await;
    ground.back(SCHOOL_PATH, 1, day(4, 6)).await;
    let class = format!("{SCHOOL}/classGroups/s2019-01");
    let one = pb::ReSuspendRequest {
        class_group: class.clone(),
        until_date: Some(day(4, 20)),
        ..outbreak(SCHOOL)
    };
    ground.suspend(one).await;
    let away = ground.get(SCHOOL_PATH, 1).await;
    assert_eq!(away.state(), State::ReSuspended);
    let suspension = away.suspension.expect("a suspension");
    assert_eq!(suspension.until_date, Some(day(4, 20)));
    ground.back(SCHOOL_PATH, 1, day(4, 6)).await;
    let heard = ground.heard();
    let expected = [
        (SCHOOL.to_owned(), vec![9, 12], TeachingMode::InPerson),
        (class.clone(), vec![], TeachingMode::Suspended),
        (class, vec![], TeachingMode::InPerson),
    ];
    assert_eq!(heard, expected, "the rest was taught on");
    let back = ground.get(SCHOOL_PATH, 1).await;
    assert_eq!(back.suspension, None);
}

async fn a_class_of_a_kindergarten_takes_its_batch_back(mut ground: Ground) {
    for position in 1..=3 {
        ground.plan(position, day(4, 6)).await.expect("planned");
    }
    ground.stock(KINDERGARTEN_PATH).await;
    ground.back(KINDERGARTEN_PATH, 3, day(4, 6)).await;
    let class = format!("{KINDERGARTEN}/classGroups/k2020-01");
    let one = pb::ReSuspendRequest {
        class_group: class.clone(),
        ..outbreak(KINDERGARTEN)
    };
    let answer = ground.suspend(one).await;
    assert_eq!((answer.resumption_count, answer.school_count), (1, 1));
    ground.until_heard(2).await;
    let expected = [
        (name(KINDERGARTEN_PATH), vec![], TeachingMode::InPerson),
        (class, vec![], TeachingMode::Suspended),
    ];
    assert_eq!(ground.heard(), expected);
}

async fn who_does_not_exist_is_not_suspended(mut ground: Ground) {
    let class = |parent: &str, id: &str| pb::ReSuspendRequest {
        class_group: format!("{parent}/classGroups/{id}"),
        ..outbreak(SCHOOL)
    };
    let both = pb::ReSuspendRequest {
        grades: vec![9],
        ..class(SCHOOL, "j2019-01")
    };
    let district = pb::ReSuspendRequest {
        grades: vec![9],
        ..outbreak(CITY)
    };
    let unknown = pb::ReSuspendRequest {
        grades: vec![8],
        ..outbreak(SCHOOL)
    };
    let none = pb::ReSuspendRequest {
        grades: vec![13],
        ..outbreak(SCHOOL)
    };
    let past = pb::ReSuspendRequest {
        until_date: Some(day(4, 5)),
        ..outbreak(SCHOOL)
    };
    let silent = pb::ReSuspendRequest {
        explanation: " ".to_owned(),
        ..outbreak(SCHOOL)
    };
    let reasonless = pb::ReSuspendRequest {
        reason: 0,
        ..outbreak(SCHOOL)
    };
    for (request, what) in [
        (class(SCHOOL, "nobody"), "an unknown class group"),
        (class(SISTER, "p2019-01"), "a class group of another school"),
        (both, "a class group and grades"),
        (district, "grades of a city"),
        (unknown, "a grade that the school does not have"),
        (none, "no grade"),
        (past, "the past"),
        (silent, "no explanation"),
        (reasonless, "no reason"),
    ] {
        let request = ground.city(request);
        invalid(ground.client.re_suspend(request).await, what);
    }
    let training = ground.city(outbreak(crate::city::tree::TRAINING));
    refused(
        ground.client.re_suspend(training).await,
        "RESUMPTION_NOBODY",
    );
    assert!(ground.heard().is_empty());
}

/// What the feed tells of the suspension of a school: whether it ends, and whether it has passed.
async fn told(ground: &Ground, name: &str) -> Option<(bool, bool)> {
    use proto::safety::safety_event::State as Told;
    use proto::safety::safety_feed_client::SafetyFeedClient;
    let mut feed = SafetyFeedClient::new(ground.world.channel.clone());
    let ask = pb::SafetySnapshotRequest::default();
    let ask = ground.world.as_role(kit::auth::Role::Service, "", ask);
    let mut pages = feed.snapshot(ask).await.expect("a snapshot").into_inner();
    while let Some(page) = pages.message().await.expect("a page") {
        let found = page.events.into_iter().find_map(|event| match event.state {
            Some(Told::Resumption(one)) if one.name == name => one.suspension,
            _ => None,
        });
        if let Some(found) = found {
            return Some((found.ending, found.passed));
        }
    }
    None
}

/// Waits until the feed tells this of the suspension.
async fn until_told(ground: &Ground, name: &str, wanted: (bool, bool)) {
    for _ in 0..400 {
        if told(ground, name).await == Some(wanted) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{name} is not {wanted:?}");
}

async fn nobody_forgets_a_suspension_whose_last_day_is_over(mut ground: Ground) {
    use proto::safety::accountability_record::Act;
    use proto::safety::accountability_service_client::AccountabilityServiceClient;
    ground.plan(1, day(4, 6)).await.expect("planned");
    ground.stock(SCHOOL_PATH).await;
    ground.back(SCHOOL_PATH, 1, day(4, 6)).await;
    let until = pb::ReSuspendRequest {
        until_date: Some(day(4, 8)),
        ..outbreak(SCHOOL)
    };
    ground.suspend(until).await;
    let name = crate::ground::resumption(SCHOOL_PATH, 1);
    until_told(&ground, &name, (false, false)).await;
    ground.set("2022-04-06T16:00:00Z");
    until_told(&ground, &name, (true, false)).await;
    ground.set("2022-04-08T15:59:00Z");
    until_told(&ground, &name, (true, false)).await;
    let undecided = async |ground: &Ground| {
        let list = ground.district(pb::ListAccountabilityRecordsRequest {
            parent: SCHOOL.to_owned(),
            page_size: 1000,
            ..Default::default()
        });
        let mut client = AccountabilityServiceClient::new(ground.world.channel.clone());
        let listed = client.list_accountability_records(list).await;
        let records = listed.expect("listed").into_inner().accountability_records;
        let of = records.into_iter().filter(|one| one.resource == name);
        let of = of.map(|one| (one.act(), one.staff_member));
        of.collect::<Vec<_>>()
    };
    assert_eq!(undecided(&ground).await, []);
    ground.set("2022-04-08T16:00:00Z");
    until_told(&ground, &name, (false, true)).await;
    let deputy = crate::city::staff(crate::city::tree::DEPUTY);
    assert_eq!(undecided(&ground).await, [(Act::NotDone, deputy)]);
    // Nobody returns by that alone; whoever decides anew begins anew.
    assert_eq!(ground.get(SCHOOL_PATH, 1).await.state(), State::ReSuspended);
    let renewed = pb::ReSuspendRequest {
        until_date: Some(day(4, 20)),
        ..outbreak(SCHOOL)
    };
    ground.suspend(renewed).await;
    until_told(&ground, &name, (false, false)).await;
    assert_eq!(undecided(&ground).await.len(), 1, "once");
}
