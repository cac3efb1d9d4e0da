//! What the feed tells of each kind of entity.

use chrono::Duration;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::NotificationEvent;
use proto::notification::close_directive_request::Outcome;
use proto::notification::directive_recipient::State as Recipient;
use proto::notification::notification_event::State;
use proto::notification::warning_info::{Colour, Severity};
use proto::notification::warning_reference::Type;

use crate::town::cap::{Told, divide, sent};
use crate::town::classes::class_group;
use crate::town::doctors::Act;
use crate::town::listener::applied;
use crate::town::officers::{BUREAU_CLERK, Move, SCHOOL_CLERK, SIGN, Step, draft, once, recipient};
use crate::town::venue::{meeting, start};
use crate::town::world::World;
use crate::town::{
    self, BUREAU, SCHOOL, SCHOOL_PATH, morning, on_both, organization, placed, sampling,
};

on_both!(
    a_directive_is_told_with_what_its_recipients_do,
    issuing_is_one_event_however_many_recipients_there_are,
    a_meeting_is_told_until_it_is_minuted,
    an_alert_is_told_until_it_is_resolved,
    a_warning_is_told_in_codes_and_leaves_a_week_after_it_is_over,
    chains_that_turn_out_to_be_one_are_one,
    what_moves_with_its_organisation_is_told_at_its_new_place,
);

/// The entities of events without the name of their directive, with the states of recipients.
fn steps<'a>(name: &str, events: &'a [NotificationEvent]) -> Vec<(&'a str, Option<Recipient>)> {
    let step = |event: &'a NotificationEvent| {
        let state = match &event.state {
            Some(State::Recipient(recipient)) => Some(recipient.state()),
            _ => None,
        };
        (event.entity.strip_prefix(name).expect("of it"), state)
    };
    events.iter().map(step).collect()
}

async fn a_directive_is_told_with_what_its_recipients_do(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let mut listener = world.listen().await;
    assert!(listener.snapshot.is_empty());
    let ask = pb::DraftDirectiveRequest {
        items: vec![pb::DirectiveItem {
            item_id: "gate".to_owned(),
            text: "检查校门口设施".to_owned(),
            duty: "FIRE".to_owned(),
            due_date: Some(proto::Date {
                year: 2022,
                month: 4,
                day: 9,
            }),
        }],
        ..draft(&[BUREAU])
    };
    let drafted = world.drafted(ask).await.expect("drafted");
    let issued = world.sent(&drafted.name).await;
    let (name, hash) = (&*issued.name, issued.text_sha256.to_vec());
    world.steps(name, BUREAU, BUREAU_CLERK, &SIGN).await;
    let relayed = world.step(name, BUREAU, BUREAU_CLERK, Step::Relay(hash));
    relayed.await.expect("relayed");
    world.steps(name, SCHOOL, SCHOOL_CLERK, &SIGN).await;
    let reported = world.step(name, SCHOOL, SCHOOL_CLERK, Step::Report(60));
    let reported = reported.await.expect("reported");

    let school = recipient(name, SCHOOL);
    let heard = listener
        .until(|event| matches!(&event.state, Some(State::Recipient(one)) if one.progress_percent == 60))
        .await;
    use Recipient as R;
    let (of_bureau, of_school) = ("/recipients/350102", "/recipients/2135010001");
    let bureau =
        [R::Delivered, R::Read, R::Acked, R::Relayed].map(|state| (of_bureau, Some(state)));
    let at_school = [R::Delivered, R::Read, R::Acked, R::Executing];
    let expected = [("", None)].into_iter().chain(bureau);
    let expected: Vec<_> = expected
        .chain(at_school.map(|state| (of_school, Some(state))))
        .collect();
    assert_eq!(steps(name, &heard), expected, "nothing of drafts");
    let Some(State::Directive(told)) = &heard[0].state else {
        panic!("a directive")
    };
    let expected = pb::Directive {
        title: String::new(),
        text: String::new(),
        author: String::new(),
        approver: String::new(),
        items: vec![pb::DirectiveItem {
            item_id: String::new(),
            text: String::new(),
            ..issued.items[0].clone()
        }],
        ..issued.clone()
    };
    assert_eq!((told, told.recipient_count), (&expected, 3));
    assert_eq!((&*heard[0].org_path, heard[0].version), ("fz", 3));
    let last = heard.last().expect("an event");
    assert_eq!((&*last.entity, &*last.org_path), (&*school, SCHOOL_PATH));
    let expected = pb::DirectiveRecipient {
        report: String::new(),
        items: Vec::new(),
        upper_notes: Vec::new(),
        ..reported
    };
    assert_eq!(last.state, Some(State::Recipient(expected)));

    let close = Move::End(Outcome::Closed, String::new());
    world.moved(name, close).await.expect("closed");
    let mut gone: Vec<String> = Vec::new();
    while gone.len() < 3 {
        let event = listener.heard().await;
        assert!(event.removed, "{event:?}");
        gone.push(event.entity);
    }
    assert_eq!(gone, [name, &*school, &*recipient(name, BUREAU)]);
    world.caught_up().await;
    assert!(world.listen().await.snapshot.is_empty());
}

async fn issuing_is_one_event_however_many_recipients_there_are(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let classes =
        (1..=300).map(|class| class_group(SCHOOL_PATH, &format!("p2019-{class}"), 3, &[]));
    town::roster(&world.db, &classes.collect::<Vec<_>>(), 1).await;
    let ask = pb::DraftDirectiveRequest {
        to_class_groups: true,
        ..draft(&[BUREAU])
    };
    let drafted = world.drafted(ask).await.expect("drafted");
    let issued = world.sent(&drafted.name).await;
    assert_eq!(issued.recipient_count, 303);
    world.caught_up().await;
    assert_eq!(world.number("SELECT COUNT(*) FROM feed_log").await, 1);
}

async fn a_meeting_is_told_until_it_is_minuted(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    let mut listener = world.listen().await;
    let called = world.convene(meeting(&[BUREAU])).await.expect("called");
    let later = world.postpone_meeting(&called.name, 1).await;
    let later = later.expect("postponed");
    world.clock.set(start() + Duration::hours(25));
    let ended = world.end_meeting(&called.name).await.expect("ended");
    let minutes = pb::PublishMinutesRequest {
        name: called.name.clone(),
        minutes: "会议要求逐项落实。".to_owned(),
        urgency: pb::directive::Urgency::Urgent.into(),
        items: vec![pb::DirectiveItem {
            item_id: "1".to_owned(),
            text: "开展自查".to_owned(),
            duty: "FIRE".to_owned(),
            due_date: Some(proto::Date {
                year: 2022,
                month: 4,
                day: 10,
            }),
        }],
        request_id: once(),
        ..Default::default()
    };
    world.publish(minutes).await.expect("published");
    let heard = listener.until_gone(&called.name).await;
    let told = |meeting: &pb::Meeting| pb::Meeting {
        title: String::new(),
        agenda: String::new(),
        convener: String::new(),
        change_reason: String::new(),
        expected_count: 0,
        absent_count: 0,
        venues: meeting
            .venues
            .iter()
            .map(|venue| pb::Venue {
                venue_id: String::new(),
                display_name: String::new(),
                ..venue.clone()
            })
            .collect(),
        ..meeting.clone()
    };
    let states: Vec<_> = heard.iter().map(|event| event.state.clone()).collect();
    let meetings = [&called, &later, &ended];
    let mut expected = Vec::from(meetings.map(|meeting| Some(State::Meeting(told(meeting)))));
    expected.push(None);
    assert_eq!(states, expected);
    assert!(heard.iter().all(|event| event.org_path == "fz"));
}

async fn an_alert_is_told_until_it_is_resolved(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let mut listener = world.listen().await;
    sampling(&world.db, &world.clock, &[placed(SCHOOL_PATH, "T1", 1)], 1).await;
    let alert = world.the_alert().await;
    let raised = listener.heard().await;
    assert_eq!(
        (&*raised.entity, &*raised.org_path),
        (&*alert.name, SCHOOL_PATH)
    );
    let expected = pb::Alert {
        title: String::new(),
        title_en: String::new(),
        basis: String::new(),
        subjects: Vec::new(),
        people_count: 0,
        ..alert.clone()
    };
    assert_eq!(raised.state, Some(State::Alert(expected.clone())));
    let acknowledged = world.act(Act::Acknowledge, &alert.name, SCHOOL_PATH).await;
    let step = acknowledged.expect("seen").acknowledged.expect("a step");
    let expected = pb::Alert {
        state: pb::alert::State::Acknowledged.into(),
        acknowledged: Some(pb::AlertStep {
            subject: String::new(),
            comment: String::new(),
            ..step
        }),
        ..expected
    };
    assert_eq!(listener.heard().await.state, Some(State::Alert(expected)));
    let released = town::released(SCHOOL_PATH, "T1", 2);
    sampling(&world.db, &world.clock, &[released], 1).await;
    let gone = listener.heard().await;
    assert_eq!((gone.entity, gone.removed), (alert.name, true));
}

async fn a_warning_is_told_in_codes_and_leaves_a_week_after_it_is_over(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    divide(&world.db).await;
    let mut listener = world.listen().await;
    let first = world.ingest(&Told::alert(1)).await.expect("taken");
    world.ingest(&Told::alert(1)).await.expect("taken again");
    world.ingest(&Told::cancel(2, &[1])).await.expect("taken");
    let heard = [listener.heard().await, listener.heard().await];
    let Some(State::Warning(told)) = &heard[0].state else {
        panic!("a warning")
    };
    let mut expected = first.clone();
    let info = &mut expected.infos[0];
    info.headline.clear();
    info.areas[0].organizations.clear();
    info.areas[0].shapes.clear();
    assert_eq!(told, &expected);
    let info = &told.infos[0];
    assert_eq!(
        (
            &*info.event,
            &*info.event_code,
            info.severity(),
            info.colour()
        ),
        ("台风", "11B01", Severity::Severe, Colour::Orange)
    );
    assert_eq!(info.areas[0].divisions, ["350102000000"]);
    assert_eq!(info.expire_time, Some(kit::field::to_timestamp(sent(60))));
    let Some(State::Warning(told)) = &heard[1].state else {
        panic!("the same warning")
    };
    let chain: Vec<_> = told
        .chain
        .iter()
        .map(pb::WarningReference::r#type)
        .collect();
    assert_eq!(chain, [Type::Alert, Type::Cancel]);
    assert_eq!(told.state(), pb::warning::State::Cancelled);
    assert!(heard.iter().all(|event| event.org_path == "fz"));
    // Whoever was away for less than a week learns that it was called off.
    world
        .clock
        .set(morning() + Duration::days(7) - Duration::seconds(1));
    let again = world.ingest(&Told::alert(3)).await.expect("another");
    assert_eq!(listener.heard().await.entity, again.name);
    let standing = applied(&world.listen().await.snapshot);
    assert!(standing.contains_key(&first.name));
    world.clock.advance(Duration::seconds(1));
    let gone = listener.until_gone(&first.name).await;
    assert_eq!(gone.len(), 1);
    let standing = applied(&world.listen().await.snapshot);
    assert!(!standing.contains_key(&first.name));
}

async fn chains_that_turn_out_to_be_one_are_one(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let mut listener = world.listen().await;
    let first = world.ingest(&Told::cancel(5, &[4])).await.expect("taken");
    world.clock.advance(Duration::seconds(1));
    let other = world.ingest(&Told::alert(1)).await.expect("taken");
    let both = world.ingest(&Told::update(4, &[1])).await.expect("taken");
    assert_eq!(both.name, first.name);
    let heard = listener.until_gone(&other.name).await;
    let mut kept = applied(&heard);
    let Some((_, State::Warning(told))) = kept.remove(&first.name) else {
        panic!("one warning: {kept:?}")
    };
    assert_eq!((told.chain.len(), kept.len()), (3, 0));
}

async fn what_moves_with_its_organisation_is_told_at_its_new_place(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let name = world.issued(&[BUREAU]).await.name;
    let delivered = world.step(&name, BUREAU, BUREAU_CLERK, Step::Deliver);
    delivered.await.expect("delivered");
    world.caught_up().await;
    let mut listener = world.listen().await;
    let mut event = organization(
        "fz/zone/350102",
        proto::roster::organization::Kind::CountyBureau,
    );
    event.version = 2;
    town::roster(&world.db, &[event], 1).await;
    let moved = listener.heard().await;
    assert_eq!(moved.entity, recipient(&name, BUREAU));
    assert_eq!(moved.org_path, "fz/zone/350102");
}
