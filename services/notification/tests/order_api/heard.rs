//! Who hears of directives: class groups too, of an end, of what is overdue.

use chrono::Duration;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::close_directive_request::Outcome;

use crate::town::classes::{answers, class_group};
use crate::town::officers::{
    BUREAU_CLERK, Move, SCHOOL_CLERK, SIGN, SISTER_CLERK, Step, TITLE, draft,
};
use crate::town::world::World;
use crate::town::{self, BUREAU, CITY, OTHER, SCHOOL, SCHOOL_PATH, SISTER, on_both, staff};

on_both!(
    a_class_group_hears_by_who_answers_for_it,
    whoever_was_told_hears_of_a_revocation,
    whoever_was_told_hears_of_the_directive_that_takes_its_place,
    a_reason_that_fits_no_template_is_told_in_a_sentence,
    an_unsigned_directive_is_told_once_here_and_above,
    a_demand_that_is_overdue_is_told_once_for_each_day,
    whoever_owns_a_demand_hears_of_it,
    what_was_overdue_while_the_service_was_down_is_told_once_by_two_replicas,
);

const ARRIVED: &str = "directive-arrived";
const OVERDUE: &str = "directive-overdue";
const UNFINISHED: &str = "directive-unfinished";

/// The school has two class groups; nobody answers for the second.
async fn with_class_groups(scratch: Scratch) -> World {
    let world = World::new(scratch).await;
    let events = [
        class_group(SCHOOL_PATH, "p2019-01", 1, &[1]),
        class_group(SCHOOL_PATH, "p2019-02", 1, &[2]),
        answers(SCHOOL_PATH, 2, &[("CLASS_GROUP", "p2019-01", 134)]),
    ];
    town::roster(&world.db, &events, 1).await;
    world
}

impl World {
    /// A directive down to the class groups of the bureau, as far as the school.
    async fn passed_down(&mut self) -> pb::Directive {
        let ask = pb::DraftDirectiveRequest {
            to_class_groups: true,
            ..draft(&[BUREAU])
        };
        let draft = self.drafted(ask).await.expect("drafted");
        let issued = self.sent(&draft.name).await;
        let hash = issued.text_sha256.to_vec();
        self.relayed(&issued.name, BUREAU, BUREAU_CLERK, &hash)
            .await;
        self.relayed(&issued.name, SCHOOL, SCHOOL_CLERK, &hash)
            .await;
        issued
    }

    async fn relayed(&mut self, name: &str, to: &str, who: (kit::auth::Role, &str), hash: &[u8]) {
        self.steps(name, to, who, &SIGN).await;
        let relayed = self.step(name, to, who, Step::Relay(hash.to_vec())).await;
        relayed.expect("relayed");
    }
}

async fn a_class_group_hears_by_who_answers_for_it(scratch: Scratch) {
    let mut world = with_class_groups(scratch).await;
    world.passed_down().await;
    let mail = world.mails(&staff(134), ARRIVED, 1).await;
    assert_eq!(mail[0]["title"], TITLE);
    // The school in the place of the class group for which nobody answers, after what it got itself.
    world.mails(SCHOOL, ARRIVED, 2).await;
    world.mails(SISTER, ARRIVED, 1).await;
}

async fn whoever_was_told_hears_of_a_revocation(scratch: Scratch) {
    let mut world = with_class_groups(scratch).await;
    let issued = world.passed_down().await;
    let revoke = Move::End(Outcome::Revoked, String::new());
    world.moved(&issued.name, revoke).await.expect("revoked");
    for party in [BUREAU, SCHOOL, SISTER, &staff(134)] {
        let mail = world.mails(party, "directive-revoked", 1).await;
        assert_eq!(
            (&*mail[0]["title"], &*mail[0]["reason"]),
            (TITLE, "数字有误")
        );
    }
    assert_eq!(world.mail(OTHER, "directive-revoked").await, []);
    // One that reached nobody is withdrawn in silence.
    let draft = world.draft(&[CITY]).await;
    world
        .moved(&draft.name, Move::Approve)
        .await
        .expect("approved");
    let revoke = Move::End(Outcome::Revoked, String::new());
    world.moved(&draft.name, revoke).await.expect("revoked");
    world.mails(BUREAU, "directive-revoked", 1).await;
}

async fn whoever_was_told_hears_of_the_directive_that_takes_its_place(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let first = world.issued(&[BUREAU]).await;
    let second = world.issued(&[BUREAU]).await;
    let end = Move::End(Outcome::Superseded, second.name.clone());
    world.moved(&first.name, end).await.expect("superseded");
    let mail = world.mails(BUREAU, "directive-superseded", 1).await;
    assert_eq!(
        (&*mail[0]["title"], &*mail[0]["replacement"]),
        (TITLE, TITLE)
    );
    // Nobody has passed it on to the schools.
    assert_eq!(world.mail(SCHOOL, "directive-superseded").await, []);
    // One that is done is told to nobody.
    let end = Move::End(Outcome::Closed, String::new());
    world.moved(&second.name, end).await.expect("closed");
    world.mails(BUREAU, "directive-superseded", 1).await;
}

async fn a_reason_that_fits_no_template_is_told_in_a_sentence(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let issued = world.issued(&[BUREAU]).await;
    let ask = pb::CloseDirectiveRequest {
        name: issued.name,
        outcome: Outcome::Revoked.into(),
        reason: "原因".repeat(240),
        ..Default::default()
    };
    let chief = ("chief-1", kit::auth::Role::CityOfficer, "fz");
    let ask = town::world::by(chief.0, chief.1, chief.2, ask);
    world
        .directives
        .close_directive(ask)
        .await
        .expect("revoked");
    let mail = world.mails(BUREAU, "told", 1).await;
    assert!(mail[0]["what"].contains("已被撤回"), "{:?}", mail[0]);
}

async fn an_unsigned_directive_is_told_once_here_and_above(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let issued = world.issued(&[BUREAU]).await;
    let hash = issued.text_sha256.to_vec();
    world
        .relayed(&issued.name, BUREAU, BUREAU_CLERK, &hash)
        .await;
    world.steps(&issued.name, SISTER, SISTER_CLERK, &SIGN).await;
    world.clock.advance(Duration::hours(2));
    assert_eq!(world.mail(SCHOOL, OVERDUE).await, [], "not before its time");
    world.clock.advance(Duration::seconds(1));
    for party in [SCHOOL, BUREAU] {
        let mail = world.mails(party, OVERDUE, 1).await;
        assert_eq!((&*mail[0]["title"], &*mail[0]["outstanding"]), (TITLE, "1"));
        assert_eq!(mail[0]["due"], "2022-04-06T03:30:00Z");
    }
    assert_eq!(world.mail(SISTER, OVERDUE).await, [], "it has signed");
    // The bureau itself signed in time: the city hears of nobody.
    assert_eq!(world.mail(CITY, OVERDUE).await, []);
    // A later one that a bureau leaves unsigned goes to who ordered.
    world.issued(&[BUREAU]).await;
    world.clock.advance(Duration::hours(3));
    world.mails(CITY, OVERDUE, 1).await;
    world.mails(BUREAU, OVERDUE, 2).await;
    world.mails(SCHOOL, OVERDUE, 1).await;
}

async fn a_demand_that_is_overdue_is_told_once_for_each_day(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let item = |id: &str, day| pb::DirectiveItem {
        item_id: id.to_owned(),
        text: "守好校门".to_owned(),
        duty: "SECURITY".to_owned(),
        due_date: Some(proto::Date {
            year: 2022,
            month: 4,
            day,
        }),
    };
    let ask = pb::DraftDirectiveRequest {
        items: vec![item("gate", 7), item("drill", 9)],
        ..draft(&[SCHOOL])
    };
    let draft = world.drafted(ask).await.expect("drafted");
    let issued = world.sent(&draft.name).await;
    world.steps(&issued.name, SCHOOL, SCHOOL_CLERK, &SIGN).await;
    // The whole of its day is left.
    world
        .clock
        .set("2022-04-07T15:59:59Z".parse().expect("an instant"));
    world
        .step(
            &issued.name,
            SCHOOL,
            SCHOOL_CLERK,
            Step::Item("gate".to_owned(), 40),
        )
        .await
        .expect("reported");
    assert_eq!(world.mail(SCHOOL, UNFINISHED).await, []);
    world.clock.advance(Duration::seconds(1));
    for party in [SCHOOL, CITY] {
        let mail = world.mails(party, UNFINISHED, 1).await;
        assert_eq!(
            (&*mail[0]["due"], &*mail[0]["outstanding"]),
            ("2022-04-07", "1")
        );
    }
    let step = Step::Item("gate".to_owned(), 100);
    let done = world.step(&issued.name, SCHOOL, SCHOOL_CLERK, step).await;
    done.expect("done");
    world.clock.advance(Duration::days(2));
    for party in [SCHOOL, CITY] {
        let mail = world.mails(party, UNFINISHED, 2).await;
        assert_eq!(mail[1]["due"], "2022-04-09");
    }
    world.mails(SCHOOL, OVERDUE, 0).await;
}

async fn whoever_owns_a_demand_hears_of_it(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let duties = [("SECURITY", "", 5), ("FIRE", "", 6), ("FOOD", "", 7)];
    let duties = answers(SCHOOL_PATH, 2, &duties);
    town::roster(&world.db, &[duties], 1).await;
    let item = |id: &str, duty: &str, day| pb::DirectiveItem {
        item_id: id.to_owned(),
        text: "按要求落实".to_owned(),
        duty: duty.to_owned(),
        due_date: Some(proto::Date {
            year: 2022,
            month: 4,
            day,
        }),
    };
    let ask = pb::DraftDirectiveRequest {
        items: vec![
            item("gate", "SECURITY", 7),
            item("patrol", "SECURITY", 7),
            item("drill", "FIRE", 7),
            item("walls", "BUILDINGS", 7),
        ],
        ..draft(&[SCHOOL])
    };
    let draft = world.drafted(ask).await.expect("drafted");
    let issued = world.sent(&draft.name).await;
    world.mails(SCHOOL, ARRIVED, 1).await;
    // Each once, however many are theirs, and not to sign for it.
    for owner in [staff(5), staff(6)] {
        let mail = world.mails(&owner, "told", 1).await;
        let what = &mail[0]["what"];
        assert!(what.contains(TITLE) && what.contains("由您负责"), "{what}");
        assert_eq!(world.mail(&owner, ARRIVED).await, []);
    }
    world.steps(&issued.name, SCHOOL, SCHOOL_CLERK, &SIGN).await;
    let step = Step::Item("drill".to_owned(), 100);
    let done = world.step(&issued.name, SCHOOL, SCHOOL_CLERK, step).await;
    done.expect("done");
    world
        .clock
        .set("2022-04-07T16:00:00Z".parse().expect("an instant"));
    for party in [SCHOOL, CITY, &staff(5)] {
        let mail = world.mails(party, UNFINISHED, 1).await;
        assert_eq!(
            (&*mail[0]["due"], &*mail[0]["outstanding"]),
            ("2022-04-07", "1")
        );
    }
    assert_eq!(world.mail(&staff(6), UNFINISHED).await, [], "it is done");
    let revoke = Move::End(Outcome::Revoked, String::new());
    world.moved(&issued.name, revoke).await.expect("revoked");
    for party in [SCHOOL, &staff(5), &staff(6)] {
        world.mails(party, "directive-revoked", 1).await;
    }
    for nobody in [OTHER, &staff(7)] {
        assert_eq!(world.mail(nobody, "told").await, []);
        assert_eq!(world.mail(nobody, "directive-revoked").await, []);
    }
}

async fn what_was_overdue_while_the_service_was_down_is_told_once_by_two_replicas(
    scratch: Scratch,
) {
    let mut world = World::new(scratch).await;
    world.issued(&[BUREAU]).await;
    let ended = world.issued(&[BUREAU]).await;
    let end = Move::End(Outcome::Closed, String::new());
    world.moved(&ended.name, end).await.expect("closed");
    world.stop().await;
    world.clock.advance(Duration::hours(3));
    world.start().await;
    let other = world.replica().await;
    // Nothing is owed of the one that has ended.
    world.mails(BUREAU, OVERDUE, 1).await;
    world.mails(CITY, OVERDUE, 1).await;
    world.stop().await;
    world.start().await;
    // A third one, so that all of them have looked since.
    world.issued(&[BUREAU]).await;
    world.clock.advance(Duration::hours(3));
    world.mails(BUREAU, OVERDUE, 2).await;
    world.mails(CITY, OVERDUE, 2).await;
    other.stop().await.expect("stopped");
}
