//! Until when a directive is passed on and reports on it are judged, and who hears that this was missed.

use chrono::{DateTime, Duration, Utc};
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::close_directive_request::Outcome;
use proto::notification::directive_recipient::State;
use proto::notification::level_progress::Level;
use proto::roster::roster_event::State as Told;

use crate::town::officers::{
    BUREAU_CLERK, Move, SCHOOL_CLERK, SIGN, SISTER_CLERK, Step, TITLE, WORK, draft, once, recipient,
};
use crate::town::world::{World, by};
use crate::town::{
    self, BUREAU, BUREAU_PATH, CITY, SCHOOL, SCHOOL_PATH, SISTER, SISTER_PATH, morning, on_both,
};

on_both!(
    a_relay_that_is_missed_is_told_once_here_and_above,
    reports_that_wait_are_told_once_to_who_judges_and_above,
    whoever_was_told_a_day_ago_hears_of_all_that_wait,
    the_orderer_alone_hears_of_what_it_judges_itself,
    deadlines_are_those_of_the_policy,
);

const OVERDUE: &str = "directive-overdue";
const UNRELAYED: &str = "directive-unrelayed";
const UNJUDGED: &str = "directive-unjudged";
const SECOND: &str = "organizations/350103";

fn at(time: Option<prost_types::Timestamp>) -> Option<DateTime<Utc>> {
    time.and_then(kit::field::from_timestamp)
}

impl World {
    /// One recipient as the city sees it.
    async fn seen(&mut self, directive: &str, path: &str) -> pb::DirectiveRecipient {
        let seen = self.recipients(directive, path).await;
        seen.into_iter().next().expect("a recipient")
    }

    /// Of the recipients of a level, how many did not pass it on, and how many reports wait, for too long.
    async fn waiting(&mut self, directive: &str, level: Level) -> (i32, i32) {
        let progress = self.progress(directive).await;
        let mut levels = progress.levels.iter();
        let found = levels.find(|one| one.level() == level).expect("the level");
        (found.relay_overdue_count, found.judge_overdue_count)
    }

    /// The bureau signs and passes a directive on.
    async fn passed_on(&mut self, directive: &pb::Directive) {
        let name = &*directive.name;
        self.steps(name, BUREAU, BUREAU_CLERK, &SIGN).await;
        let relay = Step::Relay(directive.text_sha256.to_vec());
        self.steps(name, BUREAU, BUREAU_CLERK, &[relay]).await;
    }

    /// A school signs and reports.
    async fn reported(&mut self, directive: &str, school: &str, who: (Role, &str)) {
        self.steps(directive, school, who, &SIGN).await;
        self.steps(directive, school, who, &WORK).await;
    }

    async fn listed_as_overdue(&mut self, scope: (&str, &str)) -> Vec<String> {
        let listed = self.outstanding(scope.0, scope.1, true).await;
        listed.into_iter().map(|one| one.organization).collect()
    }
}

async fn a_relay_that_is_missed_is_told_once_here_and_above(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let issued = world.issued(&[BUREAU]).await;
    let name = &*issued.name;
    let due = |seen: &pb::DirectiveRecipient| (at(seen.relay_due_time), seen.relay_overdue);
    assert_eq!(due(&world.seen(name, BUREAU_PATH).await), (None, false));
    world.clock.advance(Duration::minutes(10));
    world.steps(name, BUREAU, BUREAU_CLERK, &SIGN).await;
    // Urgent: two hours from the signature.
    let expected = morning() + Duration::minutes(130);
    let seen = world.seen(name, BUREAU_PATH).await;
    assert_eq!(due(&seen), (Some(expected), false));
    world.clock.set(expected);
    assert_eq!(world.listed_as_overdue((CITY, "fz")).await, [""; 0]);
    assert_eq!(world.waiting(name, Level::District).await, (0, 0));
    world.clock.advance(Duration::seconds(1));
    for party in [BUREAU, CITY] {
        let mail = world.mails(party, UNRELAYED, 1).await;
        assert_eq!((&*mail[0]["title"], &*mail[0]["outstanding"]), (TITLE, "1"));
        assert_eq!(mail[0]["due"], "2022-04-06T03:40:00Z");
    }
    assert_eq!(world.mail(SCHOOL, UNRELAYED).await, []);
    assert_eq!(world.mail(BUREAU, OVERDUE).await, [], "it has signed");
    assert!(world.seen(name, BUREAU_PATH).await.relay_overdue);
    assert_eq!(world.listed_as_overdue((CITY, "fz")).await, [BUREAU]);
    assert_eq!(world.waiting(name, Level::District).await, (1, 0));

    let relay = Step::Relay(issued.text_sha256.to_vec());
    world.steps(name, BUREAU, BUREAU_CLERK, &[relay]).await;
    assert_eq!(due(&world.seen(name, BUREAU_PATH).await), (None, false));
    assert_eq!(world.listed_as_overdue((CITY, "fz")).await, [""; 0]);
    assert_eq!(world.waiting(name, Level::District).await, (0, 0));
    // A school has nobody below.
    world.steps(name, SCHOOL, SCHOOL_CLERK, &SIGN).await;
    assert_eq!(due(&world.seen(name, SCHOOL_PATH).await), (None, false));
    // One more that is told later: the first was told once.
    let second = world.issued(&[BUREAU]).await;
    world.steps(&second.name, BUREAU, BUREAU_CLERK, &SIGN).await;
    world.clock.advance(Duration::hours(3));
    world.mails(CITY, UNRELAYED, 2).await;
    world.mails(BUREAU, UNRELAYED, 2).await;
}

async fn reports_that_wait_are_told_once_to_who_judges_and_above(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let issued = world.issued(&[BUREAU]).await;
    let name = &*issued.name;
    world.passed_on(&issued).await;
    world.reported(name, SCHOOL, SCHOOL_CLERK).await;
    world.clock.advance(Duration::minutes(10));
    world.reported(name, SISTER, SISTER_CLERK).await;
    let seen = world.seen(name, SCHOOL_PATH).await;
    let first = morning() + Duration::days(1);
    assert_eq!(
        (at(seen.judge_due_time), seen.judge_overdue),
        (Some(first), false)
    );
    world.clock.set(first);
    assert_eq!(world.listed_as_overdue((CITY, "fz")).await, [""; 0]);
    world.clock.advance(Duration::seconds(1));
    for party in [BUREAU, CITY] {
        let mail = world.mails(party, UNJUDGED, 1).await;
        assert_eq!((&*mail[0]["title"], &*mail[0]["outstanding"]), (TITLE, "1"));
        assert_eq!(
            (&*mail[0]["judge"], &*mail[0]["due"]),
            (BUREAU, "2022-04-07T01:30:00Z")
        );
    }
    assert_eq!(world.mail(SCHOOL, UNJUDGED).await, [], "it has reported");
    assert_eq!(
        world.listed_as_overdue((BUREAU, BUREAU_PATH)).await,
        [SCHOOL]
    );
    assert_eq!(world.waiting(name, Level::School).await, (0, 1));
    assert!(world.seen(name, SCHOOL_PATH).await.judge_overdue);

    // The next one comes due while the first waits: whoever judges knows already. Something else that is
    // told shows that it was looked for.
    world.issued(&[SECOND]).await;
    world.clock.advance(Duration::hours(3));
    world.mails(SECOND, OVERDUE, 1).await;
    assert_eq!(world.waiting(name, Level::School).await, (0, 2));
    let accepted = world.accept(name, SCHOOL, BUREAU_PATH).await;
    let accepted = accepted.expect("accepted");
    assert_eq!(
        (at(accepted.judge_due_time), accepted.judge_overdue),
        (None, false)
    );
    for party in [BUREAU, CITY] {
        let mail = world.mails(party, UNJUDGED, 2).await;
        assert_eq!(
            (&*mail[1]["outstanding"], &*mail[1]["due"]),
            ("1", "2022-04-07T01:40:00Z")
        );
    }
    let districts = world.progress(name).await.districts;
    assert_eq!(districts[0].judge_overdue_count, 1);

    // What is returned waits no more; reported again it has a deadline of its own.
    let ask = pb::ReturnReportRequest {
        name: recipient(name, SISTER),
        reason: "材料不全".to_owned(),
        request_id: once(),
    };
    let ask = by("chief-1", Role::DistrictOfficer, BUREAU_PATH, ask);
    let returned = world.directives.return_report(ask).await.expect("returned");
    let returned = returned.into_inner();
    assert_eq!(
        (returned.state(), at(returned.judge_due_time)),
        (State::Returned, None)
    );
    assert_eq!(world.waiting(name, Level::School).await, (0, 0));
    world.steps(name, SISTER, SISTER_CLERK, &WORK).await;
    let again = morning() + Duration::days(2) + Duration::hours(3) + Duration::seconds(1);
    let seen = world.seen(name, SISTER_PATH).await;
    assert_eq!(at(seen.judge_due_time), Some(again));
    world.clock.set(again + Duration::seconds(1));
    world.mails(BUREAU, UNJUDGED, 3).await;
    world.mails(CITY, UNJUDGED, 3).await;
}

async fn whoever_was_told_a_day_ago_hears_of_all_that_wait(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let issued = world.issued(&[BUREAU]).await;
    let name = &*issued.name;
    world.passed_on(&issued).await;
    world.reported(name, SCHOOL, SCHOOL_CLERK).await;
    world.clock.advance(Duration::minutes(10));
    world.reported(name, SISTER, SISTER_CLERK).await;
    let first = morning() + Duration::days(1);
    world.clock.set(first + Duration::seconds(1));
    world.mails(BUREAU, UNJUDGED, 1).await;
    world
        .clock
        .set(first + Duration::days(1) + Duration::seconds(1));
    for party in [BUREAU, CITY] {
        let mail = world.mails(party, UNJUDGED, 2).await;
        assert_eq!(mail[1]["outstanding"], "2");
    }
}

async fn the_orderer_alone_hears_of_what_it_judges_itself(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let issued = world.issued(&[SCHOOL]).await;
    world.reported(&issued.name, SCHOOL, SCHOOL_CLERK).await;
    // Of one that has ended nothing waits.
    let ended = world.issued(&[SISTER]).await;
    world.reported(&ended.name, SISTER, SISTER_CLERK).await;
    let end = Move::End(Outcome::Closed, String::new());
    world.moved(&ended.name, end).await.expect("closed");
    world
        .clock
        .advance(Duration::days(1) + Duration::seconds(1));
    let mail = world.mails(CITY, UNJUDGED, 1).await;
    assert_eq!((&*mail[0]["judge"], &*mail[0]["outstanding"]), (CITY, "1"));
    for party in [BUREAU, SCHOOL, SISTER] {
        assert_eq!(world.mail(party, UNJUDGED).await, []);
    }
    assert_eq!(world.waiting(&ended.name, Level::School).await, (0, 0));
}

async fn deadlines_are_those_of_the_policy(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let span = |hours: i64| {
        Some(prost_types::Duration {
            seconds: hours * 3600,
            nanos: 0,
        })
    };
    let mut event = town::policy_of(2, 10, 0);
    if let Some(Told::PolicyProfile(profile)) = &mut event.state {
        let directive = profile.directive.as_mut().expect("of directives");
        for ack in &mut directive.acks {
            (ack.relay, ack.judge) = (span(5), span(7));
        }
    }
    // Before it an ordinary one is passed on within a day, and its report judged within three.
    for hours in [[24, 72], [5, 7]] {
        let ask = pb::DraftDirectiveRequest {
            urgency: pb::directive::Urgency::Routine.into(),
            ..draft(&[BUREAU])
        };
        let draft = world.drafted(ask).await.expect("drafted");
        let issued = world.sent(&draft.name).await;
        let name = &*issued.name;
        world.steps(name, BUREAU, BUREAU_CLERK, &SIGN).await;
        let relay = at(world.seen(name, BUREAU_PATH).await.relay_due_time);
        let relayed = Step::Relay(issued.text_sha256.to_vec());
        world.steps(name, BUREAU, BUREAU_CLERK, &[relayed]).await;
        world.reported(name, SCHOOL, SCHOOL_CLERK).await;
        let judge = at(world.seen(name, SCHOOL_PATH).await.judge_due_time);
        let expected = hours.map(|hours| Some(morning() + Duration::hours(hours)));
        assert_eq!([relay, judge], expected);
        town::roster(&world.db, std::slice::from_ref(&event), 1).await;
    }
}
