//! Whoever is called to a meeting hears of it, and once of each change (rule 5.40).

use chrono::Duration;
use kit::auth::Role;
use kit::db::statement;
use kit::scratch::Scratch;
use notification::domain::party::Party;
use proto::notification as pb;
use proto::notification::attendance::{State as Presence, Substitution};
use sea_orm::{ConnectionTrait, QueryResult};
use tonic::Code;

use crate::town::classes::staff_roll;
use crate::town::officers::once;
use crate::town::post::{Post, contact};
use crate::town::venue::{CONVENER, REASON, Who, attendance, meeting, start};
use crate::town::world::{World, by, reason};
use crate::town::{self, BUREAU, BUREAU_PATH, CITY, SCHOOL, SCHOOL_PATH, on_both, staff};

on_both!(
    whoever_is_expected_at_a_meeting_hears_of_it,
    everybody_who_was_called_hears_once_that_it_is_called_off,
    everybody_who_was_called_hears_once_of_each_later_time,
    everybody_hears_of_a_change_by_the_channels_by_which_they_were_called,
    who_signed_in_before_it_was_postponed_is_expected_again,
    a_meeting_called_by_an_older_service_is_called_off_all_the_same,
    a_meeting_is_postponed_to_a_later_time_only,
);

const NOTICE: &str = "meeting-notice";
const CANCELLED: &str = "meeting-cancelled";
const POSTPONED: &str = "meeting-postponed";
const TITLE: &str = "校园安全工作视频会议";
const CLERK: Who = ("clerk-1", Role::Principal, SCHOOL_PATH);

async fn whoever_is_expected_at_a_meeting_hears_of_it(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    let called = world.convene(meeting(&[BUREAU])).await.expect("convened");
    assert_eq!(called.notice, "");
    for (party, venue) in [
        (&*staff(130), "教育局会议室（分会场）"),
        (&staff(140), "教育局会议室（分会场）"),
        (&staff(150), "市教育局会议室（主会场）"),
        // Nobody is known to head the bureau.
        (BUREAU, "教育局会议室（分会场）"),
    ] {
        let mail = world.mails(party, "meeting-notice", 1).await;
        let told = (&*mail[0]["title"], &*mail[0]["start"], &*mail[0]["venue"]);
        assert_eq!(
            told,
            ("校园安全工作视频会议", "2022-04-06T12:00:00Z", venue)
        );
        assert_eq!(mail[0]["organizer"], CITY);
    }
    assert_eq!(world.mail(&staff(131), "meeting-notice").await, []);
    assert_eq!(world.mail(SCHOOL, "meeting-notice").await, []);
}

/// The heads of the schools and the bureau that nobody heads.
fn called() -> [String; 4] {
    [staff(130), staff(140), staff(150), BUREAU.to_owned()]
}

async fn everybody_who_was_called_hears_once_that_it_is_called_off(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    let name = world
        .convene(meeting(&[BUREAU]))
        .await
        .expect("convened")
        .name;
    // A substitute is granted, and another head takes over the school.
    let seat = attendance(&name, SCHOOL);
    let asked = world.ask_substitute(CLERK, &seat, &staff(131)).await;
    asked.expect("asked");
    let chief: Who = ("chief-2", Role::DistrictOfficer, BUREAU_PATH);
    let granted = world.decide_substitute(chief, &seat, true).await;
    assert_eq!(
        granted.expect("granted").substitution(),
        Substitution::Approved
    );
    let mut roll = staff_roll(
        SCHOOL_PATH,
        &[(131, &["SAFETY_DEPUTY"]), (132, &["PRINCIPAL"])],
    );
    roll.version = 2;
    town::roster(&world.db, &[roll], 1).await;
    let ask = pb::CancelMeetingRequest {
        name: name.clone(),
        request_id: once(),
        reason: REASON.to_owned(),
    };
    for _ in 0..2 {
        let ask = by(CONVENER.0, CONVENER.1, CONVENER.2, ask.clone());
        let cancelled = world.meetings.cancel_meeting(ask).await;
        let cancelled = cancelled.expect("called off").into_inner();
        assert_eq!(
            (cancelled.state(), &*cancelled.change_reason),
            (pb::meeting::State::Cancelled, REASON)
        );
    }
    let twice = world.cancel_meeting(&name).await.expect_err("once");
    assert_eq!(reason(&twice), "MEETING_STATE");
    for party in called().into_iter().chain([staff(131), staff(132)]) {
        let mail = world.mails(&party, CANCELLED, 1).await;
        let expected = [
            ("title", TITLE),
            ("organizer", CITY),
            ("start", "2022-04-06T12:00:00Z"),
            ("reason", REASON),
        ];
        for (key, value) in expected {
            assert_eq!(mail[0][key], value, "{party}");
        }
    }
    // Nobody of the school was called but its head.
    assert_eq!(world.mail(SCHOOL, CANCELLED).await, []);
}

async fn everybody_who_was_called_hears_once_of_each_later_time(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    let name = world
        .convene(meeting(&[BUREAU]))
        .await
        .expect("convened")
        .name;
    for days in [1, 2] {
        // Messages of one moment are in no order.
        world.clock.advance(Duration::minutes(1));
        let postponed = world.postpone_meeting(&name, days).await;
        let postponed = postponed.expect("postponed");
        assert_eq!(
            (postponed.state(), postponed.start_time),
            (
                pb::meeting::State::Convened,
                Some(kit::field::to_timestamp(start() + Duration::days(days)))
            )
        );
    }
    for party in called() {
        let mail = world.mails(&party, POSTPONED, 2).await;
        let times: Vec<_> = mail
            .iter()
            .map(|one| (&*one["before"], &*one["start"]))
            .collect();
        assert_eq!(
            times,
            [
                ("2022-04-06T12:00:00Z", "2022-04-07T12:00:00Z"),
                ("2022-04-07T12:00:00Z", "2022-04-08T12:00:00Z"),
            ]
        );
        assert_eq!(world.mail(&party, NOTICE).await.len(), 1, "called once");
    }
    world.cancel_meeting(&name).await.expect("called off");
    for party in called() {
        let mail = world.mails(&party, CANCELLED, 1).await;
        assert_eq!(mail[0]["start"], "2022-04-08T12:00:00Z");
    }
}

/// The channels by which somebody is told with a template.
async fn channels(world: &World, party: u128, template: &str) -> Vec<String> {
    let sql = "SELECT d.channel FROM deliveries d JOIN messages m ON m.id = d.message \
               WHERE m.template = $1 AND d.kind = 2 AND d.recipient = $2 ORDER BY d.channel";
    let Party::Staff(id) = Party::parse(&staff(party)).expect("a party") else {
        panic!("a member of staff")
    };
    let db = world.db.read();
    let values = [template.into(), id.as_bytes().to_vec().into()];
    let rows = db.query_all_raw(statement(db, sql, values)).await;
    let rows = rows.expect("read");
    let channel = |row: &QueryResult| row.try_get_by_index(0).expect("a channel");
    rows.iter().map(channel).collect()
}

async fn everybody_hears_of_a_change_by_the_channels_by_which_they_were_called(scratch: Scratch) {
    let Post { mut world } = Post::open(scratch).await;
    let mut roll = staff_roll(SCHOOL_PATH, &[(130, &["PRINCIPAL"]), (133, &["PRINCIPAL"])]);
    roll.version = 2;
    town::roster(&world.db, &[roll], 1).await;
    contact(&world.db, &staff(130), "sms").await;
    let name = world.convene(meeting(&[])).await.expect("convened").name;
    world.postpone_meeting(&name, 1).await.expect("postponed");
    world.cancel_meeting(&name).await.expect("called off");
    for template in [NOTICE, POSTPONED, CANCELLED] {
        let by = channels(&world, 130, template).await;
        assert_eq!(by, ["inbox", "sms"], "{template}");
        let by = channels(&world, 133, template).await;
        assert_eq!(by, ["inbox"], "{template}");
    }
}

async fn who_signed_in_before_it_was_postponed_is_expected_again(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    let name = world.convene(meeting(&[])).await.expect("convened").name;
    world.clock.set(start());
    let seat = attendance(&name, SCHOOL);
    let seated = world.sign_in(CLERK, &seat, &staff(130), "").await;
    seated.expect("signed in");
    let postponed = world.postpone_meeting(&name, 1).await.expect("postponed");
    assert_eq!(postponed.attended_count, 0);
    let early = world.sign_in(CLERK, &seat, &staff(130), "").await;
    assert_eq!(reason(&early.expect_err("a day early")), "MEETING_STATE");
    world.clock.advance(Duration::days(1));
    let seated = world.sign_in(CLERK, &seat, &staff(130), "").await;
    let seated = seated.expect("signed in");
    assert_eq!((seated.state(), seated.late), (Presence::SignedIn, false));
    let ended = world.end_meeting(&name).await.expect("ended");
    assert_eq!(ended.attended_count, 1);
}

async fn a_meeting_called_by_an_older_service_is_called_off_all_the_same(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    let name = world
        .convene(meeting(&[BUREAU]))
        .await
        .expect("convened")
        .name;
    // It did not remember whom it had called.
    let db = world.db.read();
    let forgotten = db.execute_raw(statement(db, "DELETE FROM meeting_calls", []));
    assert!(forgotten.await.expect("written").rows_affected() > 0);
    world.cancel_meeting(&name).await.expect("called off");
    for party in called() {
        world.mails(&party, CANCELLED, 1).await;
    }
}

async fn a_meeting_is_postponed_to_a_later_time_only(scratch: Scratch) {
    let mut world = World::with_heads(scratch).await;
    let name = world.convene(meeting(&[])).await.expect("convened").name;
    let at = |hours: i64| Some(kit::field::to_timestamp(start() + Duration::hours(hours)));
    let ask = |from: Option<i64>, to: Option<i64>, why: &str| pb::PostponeMeetingRequest {
        name: name.clone(),
        start_time: from.and_then(at),
        end_time: to.and_then(at),
        reason: why.to_owned(),
        request_id: once(),
    };
    for (field, wrong) in [
        ("start_time", ask(Some(0), Some(1), "")),
        ("start_time", ask(Some(-1), Some(1), "")),
        ("start_time", ask(None, Some(1), "")),
        ("end_time", ask(Some(24), None, "")),
        ("end_time", ask(Some(24), Some(24), "")),
        ("end_time", ask(Some(24), Some(49), "")),
        ("reason", ask(Some(24), Some(25), &"长".repeat(201))),
    ] {
        let refused = world.postpone(wrong).await.expect_err("refused");
        assert_eq!(reason(&refused), "INVALID_FIELD", "{field}");
        assert!(refused.message().contains(field), "{field}");
    }
    // Later than it was to begin, and over by now.
    world.clock.set(start() + Duration::days(2));
    let refused = world.postpone_meeting(&name, 1).await.expect_err("refused");
    assert_eq!(refused.code(), Code::InvalidArgument);
    for party in [staff(130), staff(140)] {
        assert_eq!(world.mail(&party, POSTPONED).await, [], "nothing changed");
    }
    let postponed = ask(Some(72), Some(73), " ");
    let postponed = world.postpone(postponed).await.expect("postponed");
    assert_eq!(postponed.change_reason, "");
    let mail = world.mails(&staff(130), POSTPONED, 1).await;
    assert_eq!(mail[0]["reason"], "—");
}
