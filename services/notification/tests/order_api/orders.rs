//! An April evening: the notice of a video meeting goes down, heads attend, the minutes become a directive,
//! and its demands are carried out down to the class groups.

use crate::town;
use crate::town::on_both;
use chrono::{DateTime, Utc};
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::attendance::State as Presence;
use proto::notification::close_directive_request::Outcome;
use proto::notification::directive::{State, Urgency};
use proto::notification::directive_recipient::State as Stage;
use proto::roster::RosterEvent;
use proto::roster::organization::Kind;

use crate::town::april_evening::{
    DEMANDS, MAIN_VENUE, MEETING_AGENDA, MEETING_TITLE, MINUTES, NOTICE_TEXT, NOTICE_TITLE,
};
use crate::town::classes::{answers, class_group, class_name, staff_roll};
use crate::town::officers::{
    BUREAU_CLERK, Move, SCHOOL_CLERK, SIGN, SISTER_CLERK, Step, once, tree,
};
use crate::town::venue::{CONVENER, Who, attendance, venues};
use crate::town::world::{World, reason};
use crate::town::{
    BUREAU, BUREAU_PATH, CITY, OTHER, OTHER_PATH, SCHOOL, SCHOOL_PATH, SISTER, SISTER_PATH,
    organization, staff,
};

on_both!(an_evening_meeting_is_carried_out_down_to_the_class_groups);

const SECOND: &str = "organizations/350103";
const SECOND_PATH: &str = "fz/350103";
const SECOND_CLERK: (Role, &str) = (Role::DistrictOfficer, SECOND_PATH);
const OTHER_CLERK: (Role, &str) = (Role::Principal, OTHER_PATH);
const MUNICIPAL: &str = "organizations/3135010001";
const MUNICIPAL_PATH: &str = "fz/3135010001";
const MUNICIPAL_CLERK: (Role, &str) = (Role::Principal, MUNICIPAL_PATH);

/// The five schools' class groups: place of the school and id.
const CLASSES: [(&str, &str); 5] = [
    (SCHOOL_PATH, "s2019-01"),
    (SCHOOL_PATH, "j2019-01"),
    (SISTER_PATH, "p2019-01"),
    (OTHER_PATH, "j2019-01"),
    (MUNICIPAL_PATH, "s2019-01"),
];

/// A school of the city itself, heads and deputies, class groups, and who answers for what.
fn evening_town() -> Vec<RosterEvent> {
    let head: &[&str] = &["PRINCIPAL"];
    let mut events = vec![
        organization(MUNICIPAL_PATH, Kind::MunicipalSchool),
        staff_roll(BUREAU_PATH, &[(110, head)]),
        staff_roll(SECOND_PATH, &[(120, head)]),
        staff_roll(SCHOOL_PATH, &[(130, head), (131, &["SAFETY_DEPUTY"])]),
        staff_roll(SISTER_PATH, &[(140, head)]),
        staff_roll(OTHER_PATH, &[(150, head)]),
        staff_roll(MUNICIPAL_PATH, &[(160, head)]),
        answers(
            SCHOOL_PATH,
            2,
            &[
                ("SECURITY", "", 132),
                ("EPIDEMIC_CONTROL", "", 133),
                ("CLASS_GROUP", "s2019-01", 134),
            ],
        ),
    ];
    let class_groups = CLASSES.iter().zip(1..);
    events.extend(class_groups.map(|((path, id), pupil)| class_group(path, id, 9, &[pupil])));
    events
}

/// Bureaus and schools: the heads of bureaus and of all schools.
fn heads() -> pb::Audience {
    let kinds = [Kind::CountyBureau, Kind::MunicipalSchool, Kind::School];
    pb::Audience {
        kinds: kinds.map(i32::from).to_vec(),
        ..tree(&[CITY])
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn demands() -> Vec<pb::DirectiveItem> {
    let demand = |demand: &town::april_evening::Demand| pb::DirectiveItem {
        item_id: demand.id.to_owned(),
        text: demand.text.to_owned(),
        duty: demand.duty.to_owned(),
        due_date: Some(proto::Date {
            year: 2022,
            month: 4,
            day: demand.due,
        }),
    };
    DEMANDS.iter().map(demand).collect()
}

/// Signs and passes on to those below.
async fn relay(world: &mut World, name: &str, to: &str, who: (Role, &str), hash: &[u8]) {
    world.steps(name, to, who, &SIGN).await;
    let relayed = world.step(name, to, who, Step::Relay(hash.to_vec()));
    relayed.await.expect("relayed");
}

/// Finishes every demand, and with them the work.
async fn finish(world: &mut World, name: &str, party: &str, who: (Role, &str)) {
    for demand in &DEMANDS {
        let step = Step::Item(demand.id.to_owned(), 100);
        let done = world.step(name, party, who, step).await;
        done.unwrap_or_else(|status| panic!("{party} {}: {status}", demand.id));
    }
    let finished = world.step(name, party, who, Step::Finish).await;
    assert_eq!(finished.expect("finished").state(), Stage::Reported);
}

async fn an_evening_meeting_is_carried_out_down_to_the_class_groups(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    town::roster(&world.db, &evening_town(), 1).await;
    let notice = the_notice_goes_down(&mut world).await;
    let meeting = the_heads_attend(&mut world, &notice).await;
    let directive = the_minutes_become_a_directive(&mut world, &meeting).await;
    it_is_relayed_to_the_class_groups(&mut world, &directive).await;
    the_demands_are_carried_out(&mut world, &directive).await;
}

async fn the_notice_goes_down(world: &mut World) -> String {
    let draft = pb::DraftDirectiveRequest {
        parent: CITY.to_owned(),
        urgency: Urgency::ExtraUrgent.into(),
        title: NOTICE_TITLE.to_owned(),
        text: NOTICE_TEXT.to_owned(),
        audience: Some(heads()),
        request_id: once(),
        ..Default::default()
    };
    let draft = world.drafted(draft).await.expect("drafted");
    let issued = world.sent(&draft.name).await;
    assert_eq!(issued.recipient_count, 6);
    let hash = issued.text_sha256.to_vec();
    relay(world, &issued.name, BUREAU, BUREAU_CLERK, &hash).await;
    relay(world, &issued.name, SECOND, SECOND_CLERK, &hash).await;
    for (school, clerk) in [
        (SCHOOL, SCHOOL_CLERK),
        (SISTER, SISTER_CLERK),
        (OTHER, OTHER_CLERK),
        (MUNICIPAL, MUNICIPAL_CLERK),
    ] {
        world.steps(&issued.name, school, clerk, &SIGN).await;
    }
    issued.name
}

async fn the_heads_attend(world: &mut World, notice: &str) -> String {
    let called = pb::Meeting {
        title: MEETING_TITLE.to_owned(),
        agenda: MEETING_AGENDA.to_owned(),
        venues: venues(MAIN_VENUE, &[BUREAU, SECOND]),
        audience: Some(heads()),
        notice: notice.to_owned(),
        ..town::venue::meeting(&[])
    };
    let meeting = world.convene(called).await.expect("convened");
    assert_eq!((meeting.expected_count, meeting.attended_count), (6, 0));
    let read = world.get(notice, Role::CityOfficer, "fz").await;
    assert_eq!(read.expect("read").meeting, meeting.name);
    let name = meeting.name;

    // The head of one school cannot come: its deputy does, once the bureau has approved.
    let school: Who = ("clerk-1", Role::Principal, SCHOOL_PATH);
    let bureau: Who = ("chief-2", Role::DistrictOfficer, BUREAU_PATH);
    let seat = attendance(&name, SCHOOL);
    let asked = world.ask_substitute(school, &seat, &staff(131)).await;
    assert_eq!(asked.expect("asked").venue_id, "350102");
    world.clock.set(at("2022-04-06T11:30:00Z"));
    let early = world.sign_in(bureau, &seat, &staff(131), "").await;
    assert_eq!(
        reason(&early.expect_err("not approved")),
        "ATTENDANCE_SUBSTITUTE"
    );
    let decided = world.decide_substitute(bureau, &seat, true).await;
    assert_eq!(decided.expect("decided").substitute_decider, "chief-2");
    let seated = world.sign_in(bureau, &seat, &staff(131), "").await;
    assert_eq!(seated.expect("signed in").attendee, staff(131));

    for (organization, head) in [(BUREAU, 110), (SECOND, 120), (MUNICIPAL, 160)] {
        let seat = attendance(&name, organization);
        let seated = world.sign_in(CONVENER, &seat, &staff(head), "").await;
        let venue = if organization == MUNICIPAL {
            "main"
        } else {
            organization
        };
        let venue = venue.rsplit('/').next().unwrap_or_default();
        assert_eq!(seated.expect("signed in").sign_in_venue_id, venue);
    }
    world.clock.set(at("2022-04-06T12:10:00Z"));
    let seat = attendance(&name, SISTER);
    let late = world.sign_in(bureau, &seat, &staff(140), "350102").await;
    assert!(late.expect("signed in").late);
    world.clock.set(at("2022-04-06T13:30:00Z"));
    for organization in [BUREAU, SCHOOL, SISTER] {
        let seat = attendance(&name, organization);
        world.sign_out(bureau, &seat).await.expect("signed out");
    }
    let ended = world.end_meeting(&name).await.expect("ended");
    let counts = (
        ended.attended_count,
        ended.late_count,
        ended.substitute_count,
        ended.absent_count,
    );
    assert_eq!(
        (ended.state(), counts),
        (pb::meeting::State::Ended, (5, 1, 1, 1))
    );
    let absent = pb::ListAttendancesRequest {
        parent: name.clone(),
        state: Presence::Absent.into(),
        ..Default::default()
    };
    let absent = world.attendances(absent, SECOND_PATH).await;
    let absent: Vec<_> = absent.iter().map(|one| &*one.organization).collect();
    assert_eq!(absent, [OTHER]);
    name
}

async fn the_minutes_become_a_directive(world: &mut World, meeting: &str) -> pb::Directive {
    let minutes = pb::PublishMinutesRequest {
        name: meeting.to_owned(),
        minutes: MINUTES.to_owned(),
        items: demands(),
        urgency: Urgency::Urgent.into(),
        to_class_groups: true,
        request_id: once(),
    };
    let minuted = world.publish(minutes).await.expect("published");
    assert_eq!(minuted.state(), pb::meeting::State::Minuted);
    let draft = world.get(&minuted.directive, Role::CityOfficer, "fz").await;
    let draft = draft.expect("drafted");
    assert_eq!(
        (draft.state(), &*draft.title),
        (State::Draft, MEETING_TITLE)
    );
    assert_eq!((&*draft.meeting, draft.items), (meeting, demands()));
    let issued = world.sent(&minuted.directive).await;
    // Two bureaus, four schools and their five class groups.
    assert_eq!(issued.recipient_count, 11);
    issued
}

/// The class groups, their reporters, and their schools.
fn class_groups() -> Vec<(String, String, &'static str)> {
    let class_groups = CLASSES.iter();
    class_groups
        .map(|(path, id)| (class_name(path, id), format!("{path}/{id}"), *path))
        .collect()
}

async fn it_is_relayed_to_the_class_groups(world: &mut World, directive: &pb::Directive) {
    let (name, hash) = (&*directive.name, directive.text_sha256.to_vec());
    let (reporter, scope, _) = &class_groups()[0];
    let early = world.step(name, reporter, (Role::ClassReporter, scope), Step::Deliver);
    assert_eq!(
        reason(&early.await.expect_err("not relayed")),
        "DIRECTIVE_NOT_RELAYED"
    );
    for (party, clerk) in [
        (BUREAU, BUREAU_CLERK),
        (SECOND, SECOND_CLERK),
        (SCHOOL, SCHOOL_CLERK),
        (SISTER, SISTER_CLERK),
        (OTHER, OTHER_CLERK),
        (MUNICIPAL, MUNICIPAL_CLERK),
    ] {
        relay(world, name, party, clerk, &hash).await;
    }
    for (class_group, scope, school) in class_groups() {
        let reporter = (Role::ClassReporter, &*scope);
        world.steps(name, &class_group, reporter, &SIGN).await;
        let seen = world.recipients(name, &scope).await;
        let [seen] = &seen[..] else {
            panic!("its own only: {seen:?}")
        };
        assert_eq!(
            (&seen.class_group, seen.text_sha256.to_vec()),
            (&class_group, hash.clone())
        );
        let school = school.rsplit('/').next().unwrap_or_default();
        assert!(seen.upper.ends_with(&format!("/recipients/{school}")));
    }
    // What a demand asks of a class group is owned by its head teacher, at a school by who answers there.
    let owners = async |world: &mut World, scope: &str| {
        let seen = world.recipients(name, scope).await;
        let items = seen[0].items.iter();
        items
            .map(|item| item.owner.clone())
            .take(2)
            .collect::<Vec<_>>()
    };
    let of_class = owners(world, &format!("{SCHOOL_PATH}/s2019-01")).await;
    assert_eq!(of_class, [staff(134), staff(134)]);
    assert_eq!(owners(world, SCHOOL_PATH).await, [staff(132), staff(133)]);
}

async fn the_demands_are_carried_out(world: &mut World, directive: &pb::Directive) {
    let name = &*directive.name;
    world.clock.set(at("2022-04-07T08:00:00Z"));
    for (class_group, scope, school) in class_groups() {
        finish(world, name, &class_group, (Role::ClassReporter, &scope)).await;
        let accepted = world
            .accept_as(name, &class_group, (Role::Principal, school))
            .await;
        assert_eq!(accepted.expect("accepted").state(), Stage::Accepted);
    }
    finish(world, name, SCHOOL, SCHOOL_CLERK).await;
    finish(world, name, MUNICIPAL, MUNICIPAL_CLERK).await;
    finish(world, name, OTHER, OTHER_CLERK).await;
    world
        .accept(name, SCHOOL, BUREAU_PATH)
        .await
        .expect("accepted");
    world
        .accept(name, OTHER, SECOND_PATH)
        .await
        .expect("accepted");
    world.accept(name, MUNICIPAL, "fz").await.expect("accepted");

    // One school is a day late with its gate, and the last to report.
    world.clock.set(at("2022-04-08T01:00:00Z"));
    let overdue = world.outstanding(BUREAU, BUREAU_PATH, true).await;
    let overdue: Vec<_> = overdue.iter().map(|one| &*one.organization).collect();
    assert_eq!(overdue, [SISTER, BUREAU]);
    let unfinished = world
        .step(name, SISTER, SISTER_CLERK, Step::Report(90))
        .await;
    assert!(unfinished.expect("reported").items[0].late);
    let early = world.step(name, SISTER, SISTER_CLERK, Step::Finish).await;
    assert_eq!(
        reason(&early.expect_err("items")),
        "DIRECTIVE_ITEMS_OUTSTANDING"
    );
    let before = world.progress(name).await;
    assert!(!before.done && before.districts.iter().any(|one| one.done));
    finish(world, name, SISTER, SISTER_CLERK).await;
    let last = world
        .accept(name, SISTER, BUREAU_PATH)
        .await
        .expect("accepted");
    assert!(last.items[0].late && !last.items[1].late);
    let done = world.progress(name).await;
    assert!(done.done, "{done:?}");
    let districts: Vec<_> = done
        .districts
        .iter()
        .map(|one| {
            (
                &*one.organization,
                one.school_count,
                one.accepted_count,
                one.done,
            )
        })
        .collect();
    assert_eq!(districts, [(BUREAU, 2, 2, true), (SECOND, 1, 1, true)]);

    for (bureau, clerk) in [(BUREAU, BUREAU_CLERK), (SECOND, SECOND_CLERK)] {
        finish(world, name, bureau, clerk).await;
        world.accept(name, bureau, "fz").await.expect("accepted");
    }
    let closed = world.moved(name, Move::End(Outcome::Closed, String::new()));
    let closed = closed.await.expect("closed");
    assert_eq!((closed.state(), closed.accepted_count), (State::Closed, 11));
    assert_eq!(
        (&closed.text, &closed.items, &closed.text_sha256),
        (&directive.text, &directive.items, &directive.text_sha256)
    );
}
