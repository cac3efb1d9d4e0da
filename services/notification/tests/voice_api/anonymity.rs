//! Nothing tells who speaks up.

use crate::town;
use crate::town::on_both;
use kit::auth::Role;
use kit::scratch::Scratch;
use notification::domain::notice::Event;
use proto::notification as pb;
use proto::notification::concern::{Category, State, Submitter};
use tonic::Code;

use crate::town::scan::tables_with;
use crate::town::voices::{TEXT, concern, parent, principal, pupil, teacher, who};
use crate::town::world::{World, reason};
use crate::town::{SCHOOL, student};

on_both!(
    nothing_in_a_concern_tells_who_handed_it_in,
    an_anonymous_concern_leaves_no_trace_of_its_author,
    only_the_bearer_of_the_code_comes_back,
    a_repeated_request_has_one_concern_and_one_code,
);

async fn nothing_in_a_concern_tells_who_handed_it_in(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let told = pb::Concern {
        submitter: Submitter::Student.into(),
        ..concern(Category::Teaching)
    };
    let submitted = world.submit(&pupil(), told).await.expect("submitted");
    let name = submitted.concern.expect("a concern").name;
    assert!(submitted.receipt_code.is_empty());
    let seen = world.look(&principal(), &name, "").await.expect("read");
    let shown = format!("{seen:?}");
    assert!(!shown.contains(&student(2)) && !shown.contains(pupil().subject));
    assert_eq!(seen.submitter(), Submitter::Student);
    assert!(
        tables_with(&world.db, TEXT).await.is_empty(),
        "words stand sealed"
    );
    let read = world.look(&pupil(), &name, "").await.expect("their own");
    assert_eq!(read.text, TEXT);
    let other = world.look(&parent(), &name, "").await.expect_err("refused");
    assert_eq!(other.code(), Code::PermissionDenied);
}

fn anonymous() -> pb::Concern {
    pb::Concern {
        anonymous: true,
        ..concern(Category::Fees)
    }
}

async fn an_anonymous_concern_leaves_no_trace_of_its_author(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let writer = who(
        "sub-anonymous-4711",
        Role::Guardian,
        town::voices::CLASS_PATH,
        Some("students/00000000-0000-4000-8000-00000000abcd".to_owned()),
    );
    let submitted = world.submit(&writer, anonymous()).await.expect("submitted");
    let (name, code) = (
        submitted.concern.expect("a concern").name,
        submitted.receipt_code,
    );
    world.answered(&name).await;
    let rated = world.rate(&writer, &name, (5, &code)).await;
    rated.expect("rated");
    let person = writer.person.as_deref().unwrap_or_default();
    let id = person.trim_start_matches("students/");
    let plain = code.replace('-', "");
    for trace in [writer.subject, person, id, &code, &plain, TEXT] {
        let tables = tables_with(&world.db, trace).await;
        assert_eq!(tables, Vec::<String>::new(), "{trace}");
    }
    let scanned = tables_with(&world.db, teacher().subject).await;
    assert!(
        scanned.contains(&"requests".to_owned()),
        "the scan finds what is there: {scanned:?}"
    );
    let told = world.notices().await;
    let answered = told.iter().any(|one| one.event == Event::ConcernAnswered);
    assert!(!answered, "nobody knows whom to tell");
}

async fn only_the_bearer_of_the_code_comes_back(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let submitted = world
        .submit(&parent(), anonymous())
        .await
        .expect("submitted");
    let (name, code) = (
        submitted.concern.expect("a concern").name,
        submitted.receipt_code,
    );
    let typed = code.to_lowercase().replace('-', " ");
    for code in [&code, &typed] {
        let read = world.look(&parent(), &name, code).await.expect("read");
        assert_eq!((&*read.text, read.anonymous), (TEXT, true));
    }
    // The one who handed it in is nobody without the code.
    let without = world.look(&parent(), &name, "").await.expect_err("refused");
    assert_eq!(without.code(), Code::PermissionDenied);
    let wrong = world.look(&parent(), &name, "AAAA-BBBB-CCCC-DDDD").await;
    let nowhere = format!("{SCHOOL}/concerns/00000000-0000-7000-8000-000000000000");
    let absent = world.look(&parent(), &nowhere, &code).await;
    let (wrong, absent) = (wrong.expect_err("refused"), absent.expect_err("refused"));
    assert_eq!(
        (wrong.code(), reason(&wrong)),
        (Code::NotFound, reason(&absent))
    );
    assert_eq!(absent.message().replace(&nowhere, &name), wrong.message());
    world.answered(&name).await;
    let wrong = world
        .rate(&parent(), &name, (5, "AAAA-BBBB-CCCC-DDDD"))
        .await;
    assert_eq!(wrong.expect_err("refused").code(), Code::NotFound);
    let rated = world
        .rate(&parent(), &name, (5, &code))
        .await
        .expect("rated");
    assert_eq!(rated.state(), State::Closed);
}

async fn a_repeated_request_has_one_concern_and_one_code(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    for told in [anonymous(), concern(Category::Living)] {
        let ask = pb::SubmitConcernRequest {
            parent: SCHOOL.to_owned(),
            concern: Some(told),
            request_id: town::officers::once(),
        };
        let send = async |ask: &pb::SubmitConcernRequest| {
            let ask = parent().asks(ask.clone());
            let answer = world.concerns().submit_concern(ask).await;
            answer.map(tonic::Response::into_inner)
        };
        let first = send(&ask).await.expect("submitted");
        assert_eq!(send(&ask).await.expect("repeated"), first);
        let mut other = ask.clone();
        other.concern.as_mut().expect("a concern").text = "另一件事".to_owned();
        let reused = send(&other).await.expect_err("refused");
        assert_eq!(reason(&reused), "REQUEST_ID_REUSED");
    }
    let listed = world
        .concerns_at(&principal(), SCHOOL, pb::ListConcernsRequest::default())
        .await;
    assert_eq!(listed.expect("listed").concerns.len(), 2);
}
