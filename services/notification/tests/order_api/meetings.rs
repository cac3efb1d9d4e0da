//! Meetings: who is expected where, who sees them, and every move that is refused.

use crate::town;
use crate::town::on_both;
use chrono::Duration;
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::attendance::State as Presence;
use proto::notification::directive::Urgency;
use proto::notification::meeting::State;
use tonic::Code;
use tonic_types::StatusExt;

use crate::town::officers::{Move, draft, once};
use crate::town::venue::{CONVENER, meeting, start, state_of};
use crate::town::world::{World, by, reason, told};
use crate::town::{BUREAU, BUREAU_PATH, CITY, OTHER, OTHER_PATH, SCHOOL, SCHOOL_PATH, SISTER};

on_both!(
    everybody_is_expected_once_for_each_post_at_their_venue,
    every_illegal_move_of_a_meeting_is_refused_with_its_state,
    only_those_concerned_see_a_meeting,
    meetings_are_checked,
    lists_are_paged,
    a_repeat_returns_the_first_answer,
);

fn minutes(name: &str) -> pb::PublishMinutesRequest {
    let due_date = Some(proto::Date {
        year: 2022,
        month: 4,
        day: 9,
    });
    let item = pb::DirectiveItem {
        item_id: "gate".to_owned(),
        text: "守好校门".to_owned(),
        duty: "SECURITY".to_owned(),
        due_date,
    };
    pb::PublishMinutesRequest {
        name: name.to_owned(),
        minutes: "会议要求逐项落实。".to_owned(),
        items: vec![item],
        urgency: Urgency::Routine.into(),
        to_class_groups: false,
        request_id: once(),
    }
}

async fn everybody_is_expected_once_for_each_post_at_their_venue(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    let posts = ["PARTY_SECRETARY".to_owned(), "PRINCIPAL".to_owned()];
    let called = pb::Meeting {
        posts: posts.to_vec(),
        ..meeting(&[BUREAU])
    };
    let called = world.convene(called).await.expect("convened");
    // The city, two bureaus and three schools, two posts each; the laboratory is not addressed.
    assert_eq!(
        (called.state(), called.expected_count),
        (State::Convened, 12)
    );
    let ask = pb::ListAttendancesRequest {
        parent: called.name.clone(),
        ..Default::default()
    };
    let expected = world.attendances(ask, "fz").await;
    let seats: Vec<_> = expected
        .iter()
        .map(|one| (&*one.organization, &*one.post, &*one.venue_id))
        .collect();
    let second = "organizations/350103";
    let venues = [
        (CITY, "main"),
        (BUREAU, "350102"),
        (SCHOOL, "350102"),
        (SISTER, "350102"),
        (second, "main"),
        (OTHER, "main"),
    ];
    let wanted: Vec<_> = venues
        .iter()
        .flat_map(|(one, venue)| posts.iter().map(move |post| (*one, &**post, *venue)))
        .collect();
    assert_eq!(seats, wanted);
    assert!(expected.iter().all(|one| one.state() == Presence::Expected));
    let secretary = format!("{}/attendances/fz~party-secretary", called.name);
    assert_eq!(expected[0].name, secretary);
}

async fn every_illegal_move_of_a_meeting_is_refused_with_its_state(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    for (number, state) in ["CONVENED", "ENDED", "MINUTED", "CANCELLED"]
        .into_iter()
        .enumerate()
    {
        for (verb, legal) in [
            ("end", [0]),
            ("postpone", [0]),
            ("cancel", [0]),
            ("publish", [1]),
        ] {
            world.clock.set(start());
            let name = world.convene(meeting(&[])).await.expect("convened").name;
            if matches!(state, "ENDED" | "MINUTED") {
                world.end_meeting(&name).await.expect("ended");
            }
            if state == "MINUTED" {
                world.publish(minutes(&name)).await.expect("published");
            }
            if state == "CANCELLED" {
                world.cancel_meeting(&name).await.expect("cancelled");
            }
            let moved = match verb {
                "end" => world.end_meeting(&name).await,
                "postpone" => world.postpone_meeting(&name, 1).await,
                "cancel" => world.cancel_meeting(&name).await,
                _ => world.publish(minutes(&name)).await,
            };
            if legal.contains(&number) {
                moved.unwrap_or_else(|status| panic!("{state} {verb}: {status}"));
                continue;
            }
            let status = moved.expect_err("an illegal move");
            let (code, why, zh) = told(&status);
            assert_eq!((code, &*why), (Code::FailedPrecondition, "MEETING_STATE"));
            assert_eq!(zh, format!("会议当前状态为 {state}，不能进行该操作"));
        }
    }
    let name = world.convene(meeting(&[])).await.expect("convened").name;
    world.clock.set(start() - Duration::seconds(1));
    let early = world.end_meeting(&name).await.expect_err("not begun");
    assert_eq!(
        (&*reason(&early), &*state_of(&early)),
        ("MEETING_STATE", "CONVENED")
    );
}

async fn only_those_concerned_see_a_meeting(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    let called = pb::Meeting {
        audience: Some(town::officers::tree(&[BUREAU])),
        ..meeting(&[])
    };
    let name = world.convene(called).await.expect("convened").name;
    let mut get = async |role: Role, scope: &str| {
        let ask = pb::GetMeetingRequest { name: name.clone() };
        let read = world
            .meetings
            .get_meeting(by("reader-1", role, scope, ask))
            .await;
        read.map_err(|status| told(&status).0).map(|_| ())
    };
    assert_eq!(get(Role::CityOfficer, "fz").await, Ok(()));
    assert_eq!(get(Role::DistrictOfficer, BUREAU_PATH).await, Ok(()));
    assert_eq!(get(Role::Principal, SCHOOL_PATH).await, Ok(()));
    assert_eq!(
        get(Role::Principal, OTHER_PATH).await,
        Err(Code::PermissionDenied)
    );
    assert_eq!(
        get(Role::Laboratory, "fz").await,
        Err(Code::PermissionDenied)
    );
    let convene = pb::ConveneMeetingRequest {
        parent: CITY.to_owned(),
        meeting: Some(meeting(&[])),
        request_id: once(),
    };
    let below = by("chief-2", Role::DistrictOfficer, BUREAU_PATH, convene);
    let refused = world
        .meetings
        .convene_meeting(below)
        .await
        .expect_err("the city's");
    assert_eq!(told(&refused).0, Code::PermissionDenied);
}

async fn meetings_are_checked(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    let mut refused = async |change: &dyn Fn(&mut pb::Meeting)| {
        let mut called = meeting(&[BUREAU]);
        change(&mut called);
        let status = world.convene(called).await.expect_err("malformed");
        let details = status.get_error_details();
        let bad = details
            .bad_request()
            .map(|bad| bad.field_violations.clone());
        let fields = bad.unwrap_or_default().into_iter().map(|one| one.field);
        fields.collect::<Vec<_>>()
    };
    assert_eq!(refused(&|m| m.title.clear()).await, ["meeting.title"]);
    assert_eq!(
        refused(&|m| m.start_time = None).await,
        ["meeting.start_time"]
    );
    assert_eq!(
        refused(&|m| m.end_time = m.start_time).await,
        ["meeting.end_time"]
    );
    assert_eq!(
        refused(&|m| m.venues[0].main = false).await[0],
        "meeting.venues"
    );
    let twice = refused(&|m| m.venues[1].venue_id = "main".to_owned()).await;
    assert_eq!(twice, ["meeting.venues[1].venue_id"]);
    let nowhere = "meeting.venues[1].organization";
    assert_eq!(
        refused(&|m| m.venues[1].organization.clear()).await,
        [nowhere]
    );
    let unknown = |m: &mut pb::Meeting| m.venues[1].organization = "organizations/x".to_owned();
    assert_eq!(refused(&unknown).await, [nowhere]);
    assert_eq!(refused(&|m| m.audience = None).await, ["meeting.audience"]);
    assert_eq!(refused(&|m| m.posts.clear()).await, ["meeting.posts"]);
    let postless = refused(&|m| m.posts = vec!["KING".to_owned()]).await;
    assert_eq!(postless, ["meeting.posts[0]"]);
    let other = refused(&|m| m.notice = format!("{BUREAU}/directives/{}", once())).await;
    assert_eq!(other, ["meeting.notice"]);
    let draft = world.drafted(draft(&[BUREAU])).await.expect("drafted").name;
    let with_notice = async |world: &mut World| {
        let notice = draft.clone();
        world
            .convene(pb::Meeting {
                notice,
                ..meeting(&[])
            })
            .await
    };
    let status = with_notice(&mut world).await.expect_err("not issued");
    assert_eq!(told(&status).0, Code::InvalidArgument);
    world.moved(&draft, Move::Approve).await.expect("approved");
    world.moved(&draft, Move::Issue).await.expect("issued");
    with_notice(&mut world).await.expect("convened");
    let status = with_notice(&mut world).await.expect_err("has a meeting");
    assert_eq!(told(&status).0, Code::InvalidArgument);
    let nobody = pb::Meeting {
        audience: Some(town::officers::tree(&["organizations/lab-1"])),
        ..meeting(&[])
    };
    let nobody = world.convene(nobody).await.expect_err("nobody");
    assert_eq!(reason(&nobody), "DIRECTIVE_NO_RECIPIENTS");
}

async fn lists_are_paged(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    let mut called = Vec::new();
    for _ in 0..3 {
        called.push(world.convene(meeting(&[])).await.expect("convened"));
        world.clock.advance(Duration::seconds(1));
    }
    let mut listed = Vec::new();
    let mut page_token = String::new();
    loop {
        let ask = pb::ListMeetingsRequest {
            parent: CITY.to_owned(),
            page_size: 2,
            page_token,
        };
        let ask = by("reader-1", Role::CityOfficer, "fz", ask);
        let page = world
            .meetings
            .list_meetings(ask)
            .await
            .expect("listed")
            .into_inner();
        assert!(page.meetings.len() <= 2);
        listed.extend(page.meetings);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    called.reverse();
    assert_eq!(listed, called);
    let mut seats = Vec::new();
    loop {
        let ask = pb::ListAttendancesRequest {
            parent: called[0].name.clone(),
            page_size: 4,
            page_token,
            ..Default::default()
        };
        let ask = by("reader-1", Role::CityOfficer, "fz", ask);
        let page = world
            .meetings
            .list_attendances(ask)
            .await
            .expect("listed")
            .into_inner();
        seats.extend(page.attendances.into_iter().map(|one| one.organization));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(
        seats,
        [CITY, BUREAU, SCHOOL, SISTER, "organizations/350103", OTHER]
    );
}

async fn a_repeat_returns_the_first_answer(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    let ask = pb::ConveneMeetingRequest {
        parent: CITY.to_owned(),
        meeting: Some(meeting(&[])),
        request_id: once(),
    };
    let mut convene = async || {
        let ask = by(CONVENER.0, CONVENER.1, CONVENER.2, ask.clone());
        let convened = world.meetings.convene_meeting(ask).await;
        convened.expect("convened").into_inner()
    };
    let first = convene().await;
    assert_eq!(convene().await, first);
    world.clock.set(start());
    world.end_meeting(&first.name).await.expect("ended");
    let ask = minutes(&first.name);
    let published = world.publish(ask.clone()).await.expect("published");
    assert_eq!(world.publish(ask).await.expect("repeated"), published);
}
