//! Who may read the feed, what of it, from where on, and that nothing that people wrote is in it.

use chrono::Duration;
use kit::auth::Role;
use kit::db::{Database, statement};
use kit::scratch::Scratch;
use prost::Message;
use proto::notification as pb;
use proto::notification::NotificationEvent;
use proto::notification::notification_feed_client::NotificationFeedClient;
use sea_orm::ConnectionTrait;
use tonic::Code;

use crate::town::cap::{Told, divide};
use crate::town::doctors::Act;
use crate::town::listener::{applied, expired};
use crate::town::officers::{
    BUREAU_CLERK, SCHOOL_CLERK, SIGN, SISTER_CLERK, Step, TEXT, TITLE, WORK, draft, recipient,
};
use crate::town::venue::meeting;
use crate::town::world::{World, by, told};
use crate::town::{
    BUREAU, BUREAU_PATH, CITY, OTHER_PATH, SCHOOL, SCHOOL_PATH, SISTER, on_both, placed, sampling,
    student,
};

on_both!(
    a_reader_sees_its_own_place_only,
    only_those_who_may_read_feeds_do,
    a_snapshot_and_the_watch_after_it_converge,
    a_place_goes_on_after_a_restart_until_it_expires,
    nothing_that_people_wrote_is_told,
);

const PARTNER: Role = Role::PartnerSystem;

/// A morning: a directive that a bureau passes on, a meeting, two alerts and a warning.
async fn busy(scratch: Scratch) -> World {
    let mut world = World::new(scratch).await;
    divide(&world.db).await;
    morning(&mut world, 1).await;
    world
}

async fn morning(world: &mut World, number: i64) {
    let issued = world.issued(&[CITY]).await;
    let (name, hash) = (&*issued.name, issued.text_sha256.to_vec());
    world.steps(name, BUREAU, BUREAU_CLERK, &SIGN).await;
    let relayed = world.step(name, BUREAU, BUREAU_CLERK, Step::Relay(hash));
    relayed.await.expect("relayed");
    world.steps(name, SCHOOL, SCHOOL_CLERK, &SIGN).await;
    world.steps(name, SCHOOL, SCHOOL_CLERK, &WORK).await;
    let accepted = world.accept(name, SCHOOL, BUREAU_PATH).await;
    accepted.expect("accepted");
    let delivered = world.step(name, SISTER, SISTER_CLERK, Step::Deliver);
    delivered.await.expect("delivered");
    world.convene(meeting(&[BUREAU])).await.expect("called");
    let held = |path: &str, tube: &str| placed(path, &format!("{tube}{number}"), 1);
    let held = [held(SCHOOL_PATH, "T"), held(OTHER_PATH, "S")];
    sampling(&world.db, &world.clock, &held, 1).await;
    let alert = world.list(Role::Principal, SCHOOL_PATH, SCHOOL).await;
    let alert = alert.expect("listed").remove(0).name;
    let seen = world.act(Act::Acknowledge, &alert, SCHOOL_PATH).await;
    seen.expect("seen");
    world.ingest(&Told::alert(number)).await.expect("taken");
    world.caught_up().await;
}

fn entities(events: &[NotificationEvent]) -> Vec<String> {
    let kinds = events.iter().map(|event| {
        let parts: Vec<&str> = event.entity.split('/').collect();
        let kind = parts[parts.len() - 2];
        let of = if kind == "recipients" {
            parts[parts.len() - 1]
        } else {
            ""
        };
        format!("{kind}{of}")
    });
    let mut kinds: Vec<String> = kinds.collect();
    kinds.sort();
    kinds
}

async fn a_reader_sees_its_own_place_only(scratch: Scratch) {
    let mut world = busy(scratch).await;
    let city = [
        "alerts",
        "alerts",
        "directives",
        "meetings",
        "recipients2135010001",
    ];
    let all = [
        &city[..],
        &["recipients2135010003", "recipients350102", "warnings"],
    ]
    .concat();
    for scope in ["", "fz"] {
        let (standing, _) = world.standing(PARTNER, scope).await.expect("a snapshot");
        assert_eq!(entities(&standing), all, "{scope}");
    }
    let (standing, token) = world
        .standing(PARTNER, BUREAU_PATH)
        .await
        .expect("a snapshot");
    let own = [
        "alerts",
        "recipients2135010001",
        "recipients2135010003",
        "recipients350102",
    ];
    assert_eq!(entities(&standing), own);
    let (elsewhere, _) = world
        .standing(PARTNER, "fz/350103")
        .await
        .expect("a snapshot");
    assert_eq!(entities(&elsewhere), ["alerts"]);
    // News of the city and of the other bureau pass by.
    let mut listener = world
        .watched((PARTNER, BUREAU_PATH), &token)
        .await
        .expect("a watch");
    let issued = world.issued(&[CITY]).await.name;
    let other = ("organizations/350103", (Role::DistrictOfficer, "fz/350103"));
    let delivered = world.step(&issued, other.0, other.1, Step::Deliver);
    delivered.await.expect("delivered");
    let delivered = world.step(&issued, BUREAU, BUREAU_CLERK, Step::Deliver);
    delivered.await.expect("delivered");
    assert_eq!(listener.heard().await.entity, recipient(&issued, BUREAU));
}

async fn only_those_who_may_read_feeds_do(scratch: Scratch) {
    let world = World::new(scratch).await;
    for role in [
        Role::Principal,
        Role::DistrictOfficer,
        Role::Guardian,
        Role::Laboratory,
    ] {
        let refused = world.standing(role, "fz").await.expect_err("a snapshot");
        assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
        let refused = world
            .watched((role, "fz"), "")
            .await
            .err()
            .expect("a watch");
        assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
    }
    let mut feed = NotificationFeedClient::new(world.channel());
    let ask = pb::NotificationSnapshotRequest {
        page_token: "x".to_owned(),
    };
    let ask = by("reader-1", Role::CityOfficer, "fz", ask);
    let mut pages = feed.snapshot(ask).await.expect("a stream").into_inner();
    let (code, reason, _) = told(&pages.message().await.expect_err("no token"));
    assert_eq!(
        (code, &*reason),
        (Code::InvalidArgument, "INVALID_PAGE_TOKEN")
    );
    expired(world.watched((Role::CityOfficer, "fz"), "x").await);
}

async fn a_snapshot_and_the_watch_after_it_converge(scratch: Scratch) {
    let mut world = busy(scratch).await;
    let mut listener = world.listen().await;
    morning(&mut world, 2).await;
    let last = world.issued(&[BUREAU]).await.name;
    let mut events = listener.snapshot.clone();
    let heard = listener.until(|event| event.entity == last).await;
    events.extend(heard);
    world.caught_up().await;
    assert_eq!(applied(&events), applied(&world.listen().await.snapshot));
}

async fn execute(db: &Database, sql: &str) {
    let tx = db.begin().await.expect("a transaction");
    tx.execute_raw(statement(&tx, sql, [])).await.expect("done");
    tx.commit().await.expect("committed");
}

async fn a_place_goes_on_after_a_restart_until_it_expires(scratch: Scratch) {
    let mut world = busy(scratch).await;
    let city = (Role::CityOfficer, "fz");
    let (_, token) = world.standing(city.0, city.1).await.expect("a snapshot");
    let first = world.issued(&[BUREAU]).await.name;
    let mut listener = world.watched(city, &token).await.expect("a watch");
    assert_eq!(listener.heard().await.entity, first);
    let token = listener.resume_token.clone();
    world.stop().await;
    world.start().await;
    let second = world.issued(&[BUREAU]).await.name;
    let mut listener = world.watched(city, &token).await.expect("a watch");
    assert_eq!(
        listener.heard().await.entity,
        second,
        "the first is not told again"
    );
    // A place belongs to its scope, to what the log still holds, and to one life of the feed.
    expired(world.watched((PARTNER, BUREAU_PATH), &token).await);
    world.caught_up().await;
    execute(&world.db, "UPDATE feed_head SET floor = seq").await;
    expired(world.watched(city, &token).await);
    execute(
        &world.db,
        "UPDATE feed_head SET floor = 0, epoch = 'another'",
    )
    .await;
    expired(world.watched(city, &token).await);
    let (_, token) = world.standing(city.0, city.1).await.expect("a snapshot");
    world.watched(city, &token).await.expect("a watch");
}

async fn nothing_that_people_wrote_is_told(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    divide(&world.db).await;
    let mut listener = world.listen().await;
    morning(&mut world, 1).await;
    world.clock.advance(Duration::hours(30));
    let ask = pb::DraftDirectiveRequest {
        attachments: vec![pb::Attachment {
            title: "附件一".to_owned(),
            sha256: vec![7; 32].into(),
            uri: "https://files.example/a.pdf".to_owned(),
            size_bytes: 1,
            media_type: "application/pdf".to_owned(),
        }],
        ..draft(&[BUREAU])
    };
    let drafted = world.drafted(ask).await.expect("drafted");
    let last = world.sent(&drafted.name).await.name;
    let heard = listener.until(|event| event.entity == last).await;
    assert!(heard.len() > 15, "{} are too few", heard.len());
    let meeting = meeting(&[BUREAU]);
    let words = [
        TITLE,
        TEXT,
        "附件一",
        "files.example",
        "请各校于今日落实",
        "已落实",
        &meeting.title,
        &meeting.agenda,
        &meeting.venues[0].display_name,
        "已安排复检",
        "台风橙色预警",
        "密接",
        "阳性",
        "holds/",
        "tubes/",
        "classGroups/",
        "writer-1",
        "chief-1",
        "clerk-1",
        "doctor-1",
        &student(1),
    ];
    for event in heard {
        let bytes = event.encode_to_vec();
        for word in words {
            let found = bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes());
            assert!(!found, "{word} in {event:?}");
        }
    }
}
