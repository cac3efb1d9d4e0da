//! Concerns, heard and answered by those who may.

use crate::town;
use crate::town::on_both;
use chrono::{DateTime, Duration, Utc};
use kit::auth::Role;
use kit::field::to_timestamp;
use kit::scratch::Scratch;
use notification::domain::notice::Event;
use notification::store::notices::Message;
use proto::notification as pb;
use proto::notification::concern::{Category, State, Submitter};
use proto::roster::RosterEvent;
use proto::roster::organization::Kind;
use tonic::Code;

use crate::town::voices::{
    TEXT, admin, city, concern, counsellor, district, parent, principal, pupil, teacher, who,
};
use crate::town::world::{World, reason};
use crate::town::{
    BUREAU, CITY, OTHER_PATH, SCHOOL, SCHOOL_PATH, SISTER, SISTER_PATH, family, staff,
};

on_both!(
    a_concern_is_sorted_out_answered_and_judged,
    harm_goes_over_the_head_of_the_school,
    an_answer_that_does_not_satisfy_goes_up,
    who_answers_is_related_to_the_concern,
    only_those_who_may_hear_concerns,
    concerns_move_with_their_school,
    wrong_fields_are_named,
);

/// This instant, as contracts tell it.
pub(crate) fn at(time: &str) -> Option<prost_types::Timestamp> {
    let time: DateTime<Utc> = time.parse().expect("an instant");
    Some(to_timestamp(time))
}

async fn a_concern_is_sorted_out_answered_and_judged(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let submitted = world.submitted(Category::Living).await;
    assert_eq!(
        (submitted.state(), submitted.late, &*submitted.text),
        (State::Received, false, TEXT)
    );
    assert_eq!(submitted.acknowledge_due_time, at("2022-04-07T16:00:00Z"));
    assert_eq!(submitted.answer_due_time, at("2022-04-27T16:00:00Z"));
    let name = &submitted.name;
    let triaged = world.triage(&principal(), name, Category::Living).await;
    assert_eq!(triaged.expect("triaged").state(), State::Triaged);
    let assigned = world.assign(&principal(), name, staff(2)).await;
    let assigned = assigned.expect("assigned");
    assert_eq!(
        (
            assigned.state(),
            &*assigned.assignee,
            &*assigned.assignee_organization
        ),
        (State::Assigned, &*staff(2), SCHOOL)
    );
    let mut expected = [
        (Event::ConcernReceived, SCHOOL.to_owned()),
        (Event::ConcernAssigned, staff(2)),
    ];
    expected.sort();
    assert_eq!(whom(&world.notices().await), expected);
    let answered = world.answer(&teacher(), name).await.expect("answered");
    assert_eq!(answered.state(), State::Answered);
    let [told] = &world.notices().await[..] else {
        panic!("one notice")
    };
    assert_eq!(
        (told.event, told.party.name(), &told.bases[..]),
        (Event::ConcernAnswered, family(1), &[name.clone()][..])
    );
    let rated = world.rate(&parent(), name, (4, "")).await.expect("rated");
    assert_eq!((rated.state(), rated.satisfaction), (State::Closed, 4));
    let again = world
        .rate(&parent(), name, (1, ""))
        .await
        .expect_err("refused");
    assert_eq!(reason(&again), "CONCERN_STATE");
    assert_eq!(
        world.look(&principal(), name, "").await.expect("read"),
        rated
    );
}

/// Of what happened, and who is told.
fn whom(told: &[Message]) -> Vec<(Event, String)> {
    let told = told.iter().map(|one| (one.event, one.party.name()));
    let mut told: Vec<_> = told.collect();
    told.sort();
    told
}

async fn harm_goes_over_the_head_of_the_school(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    for category in [Category::Harm, Category::Conduct] {
        let submitted = world.submitted(category).await;
        let name = &submitted.name;
        assert_eq!(submitted.assignee_organization, BUREAU);
        let told = whom(&world.notices().await);
        assert_eq!(told, [(Event::ConcernReceived, BUREAU.to_owned())]);
        // The principal learns nothing, not even that it is there.
        let nowhere = format!("{SCHOOL}/concerns/00000000-0000-7000-8000-000000000000");
        let hidden = world
            .look(&principal(), name, "")
            .await
            .expect_err("refused");
        let absent = world
            .look(&principal(), &nowhere, "")
            .await
            .expect_err("refused");
        assert_eq!(
            (hidden.code(), reason(&hidden)),
            (absent.code(), reason(&absent))
        );
        let listed = world
            .concerns_at(&principal(), SCHOOL, pb::ListConcernsRequest::default())
            .await;
        assert!(listed.expect("listed").concerns.is_empty());
        let triaged = world.triage(&district(), name, category).await;
        assert_eq!(triaged.expect("triaged").state(), State::Triaged);
        let to_school = world
            .assign(&district(), name, staff(1))
            .await
            .expect_err("refused");
        assert_eq!(reason(&to_school), "CONCERN_ASSIGNEE");
        let assigned = world.assign(&district(), name, staff(20)).await;
        assert_eq!(assigned.expect("assigned").assignee_organization, BUREAU);
        let told = whom(&world.notices().await);
        assert_eq!(told, [(Event::ConcernAssigned, staff(20))]);
    }
    // What turns out to be harm leaves the school then.
    let submitted = world.submitted(Category::Other).await;
    let triaged = world
        .triage(&principal(), &submitted.name, Category::Harm)
        .await;
    assert_eq!(triaged.expect("triaged").assignee_organization, BUREAU);
    let gone = world.look(&principal(), &submitted.name, "").await;
    assert_eq!(gone.expect_err("refused").code(), Code::NotFound);
    let told = [SCHOOL, BUREAU].map(|to| (Event::ConcernReceived, to.to_owned()));
    let mut told = told.to_vec();
    told.sort();
    assert_eq!(whom(&world.notices().await), told);
}

async fn an_answer_that_does_not_satisfy_goes_up(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let name = world.submitted(Category::Living).await.name;
    world.answered(&name).await;
    world.notices().await;
    let reopened = world.rate(&parent(), &name, (2, "")).await.expect("rated");
    let told = whom(&world.notices().await);
    assert_eq!(told, [(Event::ConcernReopened, BUREAU.to_owned())]);
    assert_eq!(
        (
            reopened.state(),
            reopened.reopen_count,
            &*reopened.assignee_organization
        ),
        (State::Reopened, 1, BUREAU)
    );
    let school = world.triage(&principal(), &name, Category::Living).await;
    assert_eq!(school.expect_err("refused").code(), Code::NotFound);
    let triaged = world.triage(&district(), &name, Category::Living).await;
    assert_eq!(triaged.expect("triaged").state(), State::Triaged);
}

async fn who_answers_is_related_to_the_concern(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let name = world.submitted(Category::Living).await.name;
    let early = world.assign(&principal(), &name, staff(2)).await;
    assert_eq!(reason(&early.expect_err("refused")), "CONCERN_STATE");
    let triaged = world.triage(&principal(), &name, Category::Living).await;
    triaged.expect("triaged");
    for unrelated in [staff(30), staff(40), staff(999)] {
        let refused = world.assign(&principal(), &name, unrelated).await;
        assert_eq!(reason(&refused.expect_err("refused")), "CONCERN_ASSIGNEE");
    }
    world.notices().await;
    // Whoever is to answer is told each time it becomes theirs, and once.
    for (related, told) in [
        (staff(20), true),
        (staff(2), true),
        (staff(2), false),
        (staff(20), true),
        (staff(2), true),
    ] {
        let assigned = world.assign(&principal(), &name, related.clone()).await;
        assert_eq!(assigned.expect("assigned").assignee, related);
        let expected = told.then(|| (Event::ConcernAssigned, related.clone()));
        let expected: Vec<_> = expected.into_iter().collect();
        assert_eq!(whom(&world.notices().await), expected, "{related}");
        world.clock.advance(Duration::seconds(1));
    }
    // The one who answers reads and answers it, and does nothing else.
    assert_eq!(
        world.look(&teacher(), &name, "").await.expect("read").text,
        TEXT
    );
    let passed_on = world.assign(&teacher(), &name, staff(1)).await;
    assert_eq!(reason(&passed_on.expect_err("refused")), "SCOPE_DENIED");
    let colleague = who(
        "sub-teacher-8",
        Role::ClassReporter,
        SCHOOL_PATH,
        Some(staff(3)),
    );
    let other = world.answer(&colleague, &name).await.expect_err("refused");
    assert_eq!(other.code(), Code::PermissionDenied);
    world.answer(&teacher(), &name).await.expect("answered");
}

async fn only_those_who_may_hear_concerns(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let name = world.submitted(Category::Living).await.name;
    let stranger = who("sub-principal-2", Role::Principal, SISTER_PATH, None);
    let far = who("sub-principal-3", Role::Principal, OTHER_PATH, None);
    for other in [stranger, far, counsellor(), teacher(), pupil(), admin()] {
        let is_staff = other
            .person
            .as_deref()
            .is_some_and(|who| who.starts_with("staff/"));
        let read = world.look(&other, &name, "").await.expect_err("refused");
        assert_eq!(read.code(), Code::PermissionDenied, "{other:?}");
        let triaged = world.triage(&other, &name, Category::Living).await;
        assert_eq!(
            triaged.expect_err("refused").code(),
            Code::PermissionDenied,
            "{other:?}"
        );
        let listed = world
            .concerns_at(&other, SCHOOL, pb::ListConcernsRequest::default())
            .await;
        match listed {
            // Nothing was assigned to them.
            Ok(listed) => assert!(is_staff && listed.concerns.is_empty(), "{other:?}"),
            Err(refused) => {
                assert!(!is_staff, "{other:?}");
                assert_eq!(refused.code(), Code::PermissionDenied, "{other:?}");
            }
        }
    }
    let own = world.triage(&parent(), &name, Category::Living).await;
    assert_eq!(reason(&own.expect_err("refused")), "SCOPE_DENIED");
    for (who, parent) in [(principal(), SCHOOL), (district(), BUREAU), (city(), CITY)] {
        assert_eq!(world.look(&who, &name, "").await.expect("read").text, TEXT);
        let listed = world
            .concerns_at(&who, parent, pb::ListConcernsRequest::default())
            .await;
        let [listed] = &listed.expect("listed").concerns[..] else {
            panic!("one concern")
        };
        assert_eq!(
            (&*listed.name, &*listed.text),
            (&*name, ""),
            "lists carry no words"
        );
    }
    let handler = world
        .rate(&principal(), &name, (5, ""))
        .await
        .expect_err("refused");
    assert_eq!(reason(&handler), "SCOPE_DENIED");
    // A parent speaks up about the school and whoever is above, and about nobody else.
    let ask = |parent: &str| pb::SubmitConcernRequest {
        parent: parent.to_owned(),
        concern: Some(concern(Category::Other)),
        request_id: String::new(),
    };
    for above in [BUREAU, CITY] {
        let submitted = world
            .concerns()
            .submit_concern(parent().asks(ask(above)))
            .await;
        submitted.expect("submitted");
    }
    let beside = world
        .concerns()
        .submit_concern(parent().asks(ask(SISTER)))
        .await;
    assert_eq!(beside.expect_err("refused").code(), Code::PermissionDenied);
}

async fn concerns_move_with_their_school(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let name = world.submitted(Category::Living).await.name;
    let new_bureau = who("sub-district-5", Role::DistrictOfficer, "fz/350103", None);
    let before = world
        .look(&new_bureau, &name, "")
        .await
        .expect_err("refused");
    assert_eq!(before.code(), Code::PermissionDenied);
    let moved = town::organization("fz/350103/2135010001", Kind::School);
    let moved = RosterEvent {
        version: 2,
        ..moved
    };
    town::roster(&world.db, &[moved], 1).await;
    let seen = world.look(&new_bureau, &name, "").await.expect("read");
    assert_eq!(seen.text, TEXT);
    let old = world
        .look(&district(), &name, "")
        .await
        .expect_err("refused");
    assert_eq!(old.code(), Code::PermissionDenied);
}

async fn wrong_fields_are_named(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let empty = world
        .submit(&parent(), pb::Concern::default())
        .await
        .expect_err("refused");
    assert_eq!(reason(&empty), "INVALID_FIELD");
    assert!(
        empty.message().contains("concern.submitter") && empty.message().contains("concern.text")
    );
    let long = pb::Concern {
        text: "长".repeat(5001),
        ..concern(Category::Living)
    };
    let long = world.submit(&parent(), long).await.expect_err("refused");
    assert!(long.message().contains("concern.text"));
    let staff = pb::Concern {
        submitter: Submitter::Staff.into(),
        ..concern(Category::Living)
    };
    let staff = world.submit(&parent(), staff).await.expect_err("refused");
    assert!(staff.message().contains("concern.submitter"));
    let public = pb::Concern {
        submitter: Submitter::Public.into(),
        ..concern(Category::Living)
    };
    world.submit(&parent(), public).await.expect("submitted");
    let name = world.submitted(Category::Living).await.name;
    let unknown = world
        .triage(&principal(), &name, Category::Unspecified)
        .await;
    assert!(unknown.expect_err("refused").message().contains("category"));
    world.answered(&name).await;
    let rate = pb::RateAnswerRequest {
        name,
        satisfaction: 1,
        ..Default::default()
    };
    let rated = world.concerns().rate_answer(parent().asks(rate)).await;
    assert!(rated.expect_err("refused").message().contains("remark"));
}
