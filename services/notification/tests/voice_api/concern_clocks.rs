//! Concerns are answered in time, or whoever is above hears of it.

use crate::concerns::at;
use crate::town;
use crate::town::on_both;
use chrono::Duration;
use kit::clock::Clock;
use kit::scratch::Scratch;
use notification::domain::notice::Event;
use notification::domain::party::Party;
use notification::store::Store;
use proto::notification as pb;
use proto::notification::concern::{Category, State};

use crate::town::voices::{calendar, district, parent, principal, until};
use crate::town::world::{World, reason};
use crate::town::{BUREAU, SCHOOL, staff};

on_both!(
    clocks_run_in_working_days,
    each_deadline_is_told_once_with_two_replicas,
    silence_closes_an_answered_concern,
);

async fn clocks_run_in_working_days(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    town::roster(&world.db, &[calendar(2022, 4, 7)], 1).await;
    let submitted = world.submitted(Category::Safety).await;
    assert_eq!(submitted.acknowledge_due_time, at("2022-04-08T16:00:00Z"));
    let ask = pb::TriageConcernRequest {
        name: submitted.name.clone(),
        category: Category::Safety.into(),
        urgent: true,
        request_id: town::officers::once(),
    };
    let triaged = world.concerns().triage_concern(principal().asks(ask)).await;
    let triaged = triaged.expect("triaged").into_inner();
    assert!(triaged.urgent);
    assert_eq!(triaged.answer_due_time, at("2022-04-14T16:00:00Z"));
}

async fn each_deadline_is_told_once_with_two_replicas(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let other = world.replica().await;
    let name = world.submitted(Category::Living).await.name;
    let next = world.submitted(Category::Harm).await.name;
    world.notices().await;
    world
        .clock
        .set("2022-04-07T16:00:01Z".parse().expect("an instant"));
    // It is seen at once, whether or not a worker has looked.
    assert!(
        world
            .look(&principal(), &name, "")
            .await
            .expect("read")
            .late
    );
    let told = notices(&world, 2).await;
    let school = Party::Organization("2135010001".to_owned());
    let bureau = Party::Organization("350102".to_owned());
    let unsorted = Event::ConcernUnsorted;
    let mut expected = [
        (unsorted, school, name.clone()),
        (unsorted, bureau.clone(), next.clone()),
    ];
    expected.sort();
    assert_eq!(told, expected);
    world
        .triage(&principal(), &name, Category::Living)
        .await
        .expect("triaged");
    world
        .assign(&principal(), &name, staff(2))
        .await
        .expect("assigned");
    world.notices().await;
    world
        .clock
        .set("2022-04-27T16:00:01Z".parse().expect("an instant"));
    let told = notices(&world, 3).await;
    let teacher = Party::parse(&staff(2)).expect("a party");
    let unanswered = Event::ConcernUnanswered;
    let mut expected = [
        (unanswered, teacher, name.clone()),
        (unanswered, bureau, next),
        // For long nobody has sorted it out at the bureau: the city hears so, and of which it is not.
        (
            Event::ConcernLeftUnsorted,
            Party::Organization("fz".to_owned()),
            BUREAU.to_owned(),
        ),
    ];
    expected.sort();
    assert_eq!(told, expected);
    assert!(
        world
            .look(&principal(), &name, "")
            .await
            .expect("read")
            .late
    );
    let overdue = pb::ListConcernsRequest {
        overdue: true,
        ..Default::default()
    };
    let listed = world
        .concerns_at(&district(), BUREAU, overdue.clone())
        .await;
    assert_eq!(listed.expect("listed").concerns.len(), 2);
    let answered = world.answer(&principal(), &name).await.expect("answered");
    assert!(answered.late, "late is never taken back");
    let listed = world.concerns_at(&district(), BUREAU, overdue).await;
    assert_eq!(listed.expect("listed").concerns.len(), 1);
    let [(event, ..)] = notices(&world, 1).await[..] else {
        panic!("one notice")
    };
    assert_eq!(event, Event::ConcernAnswered);
    other.stop().await.expect("stopped");
}

/// So many notices; none follows once everything that is due was handled.
async fn notices(world: &World, count: usize) -> Vec<(Event, Party, String)> {
    let mut told = Vec::new();
    until(async || {
        for message in world.notices().await {
            for basis in message.bases {
                told.push((message.event, message.party.clone(), basis));
            }
        }
        (told.len() >= count).then_some(())
    })
    .await;
    until(async || {
        let (db, now) = (world.db.read(), world.clock.now());
        let waited = Store::concerns_waited(db, now, 1).await.expect("read");
        let left = Store::concerns_left(db, now, 1).await.expect("read");
        (waited.is_empty() && left.is_empty()).then_some(())
    })
    .await;
    assert_eq!(world.notices().await, []);
    told.sort();
    assert_eq!(told.len(), count);
    told
}

async fn silence_closes_an_answered_concern(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let name = world.submitted(Category::Living).await.name;
    world.answered(&name).await;
    world
        .clock
        .advance(Duration::days(7) + Duration::seconds(1));
    assert!(world.clock.now() > town::morning());
    let closed = world.look(&parent(), &name, "").await.expect("read");
    assert_eq!((closed.state(), closed.satisfaction), (State::Closed, 0));
    let late = world
        .rate(&parent(), &name, (1, ""))
        .await
        .expect_err("refused");
    assert_eq!(reason(&late), "CONCERN_STATE");
    let only_closed = pb::ListConcernsRequest {
        state: State::Closed.into(),
        ..Default::default()
    };
    until(async || {
        let listed = world
            .concerns_at(&principal(), SCHOOL, only_closed.clone())
            .await;
        let listed = listed.expect("listed");
        (listed.concerns.len() == 1).then_some(())
    })
    .await;
}
