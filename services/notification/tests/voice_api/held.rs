//! What notification tells a pupil that it holds about them: everything that is theirs, and of support no more than
//! that there is a case.

use std::time::Duration;

use kit::auth::{Caller, Issuer, Role};
use kit::clock::Clock;
use kit::db::statement;
use kit::scratch::Scratch;
use kit::subject::StandIn;
use proto::notification::concern::Category;
use proto::notification::support_case::Grade;
use proto::subject::held_data_service_client::HeldDataServiceClient;
use proto::subject::held_section::Telling;
use proto::subject::{ExportHeldDataRequest, HeldSection};
use sea_orm::ConnectionTrait;
use tonic::{Code, Request, Status};
use uuid::Uuid;

use crate::town;
use crate::town::counsellors::{NOTE, Walk};
use crate::town::on_both;
use crate::town::voices::{CLASS_PATH, counsellor, parent, people};
use crate::town::world::{World, told};
use crate::town::{SCHOOL_PATH, staff, student};

const REQUEST: &str =
    "organizations/2135010001/subjectRequests/0b9c3f5e-a111-4222-8333-44445555abcd";

on_both!(
    support_is_told_as_existing_to_whom_it_is_known_and_to_no_handler,
    messages_are_told_to_whom_they_were_sent,
    what_the_roster_refuses_is_refused,
    who_works_is_told_what_was_sent_to_them,
);

async fn opened(scratch: Scratch) -> (World, StandIn) {
    let roster = StandIn::default();
    let address = roster.serve().await.expect("a port");
    let world = World::beside(scratch, address).await;
    town::roster(&world.db, &town::town(), 1).await;
    town::roster(&world.db, &people(), 1).await;
    roster.say(REQUEST, &student(1), CLASS_PATH);
    (world, roster)
}

async fn export(
    world: &World,
    (subject, role): (&str, Role),
    person: Option<String>,
) -> Result<Vec<HeldSection>, Status> {
    let scope = SCHOOL_PATH.parse().expect("a place");
    let caller = Caller {
        person,
        second_factor: true,
        ..Caller::new(subject, vec![role], scope)
    };
    let ttl = Duration::from_secs(3600);
    let token = Issuer::development().issue(caller, world.clock.now(), ttl);
    let name = REQUEST.to_owned();
    let mut request = Request::new(ExportHeldDataRequest { name });
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    let mut client = HeldDataServiceClient::new(world.channel());
    let mut parts = client.export_held_data(request).await?.into_inner();
    let mut sections = Vec::new();
    while let Some(part) = parts.message().await? {
        sections.extend(part.section);
    }
    Ok(sections)
}

async fn as_pupil(world: &World) -> Vec<HeldSection> {
    let told = export(world, ("sub-pupil-1", Role::Student), Some(student(1))).await;
    told.expect("it is told")
}

async fn as_guardian(world: &World) -> Vec<HeldSection> {
    let told = export(world, (parent().subject, Role::Guardian), Some(student(1))).await;
    told.expect("it is told")
}

async fn as_clerk(world: &World) -> Vec<HeldSection> {
    let told = export(world, ("sub-clerk-1", Role::SchoolClerk), None).await;
    told.expect("it is told")
}

fn of<'a>(told: &'a [HeldSection], section: &str) -> &'a HeldSection {
    let mut sections = told.iter().filter(|one| one.section == section);
    sections.next().expect(section)
}

fn values<'a>(told: &'a [HeldSection], section: &str, field: &str) -> Vec<&'a str> {
    let records = of(told, section).records.iter();
    let fields = records.flat_map(|record| &record.fields);
    let named = fields.filter(|one| one.field == field);
    named.map(|one| one.value.as_str()).collect()
}

async fn support_is_told_as_existing_to_whom_it_is_known_and_to_no_handler(scratch: Scratch) {
    let (world, _roster) = opened(scratch).await;
    let withheld = |told: &[HeldSection]| {
        let support = of(told, "support");
        (
            support.telling(),
            support.record_count,
            support.withheld_reason.clone(),
        )
    };
    let before = withheld(&as_clerk(&world).await);
    let case = world.opened(Grade::Orange).await.name;
    world.submitted(Category::Living).await;

    let after = withheld(&as_clerk(&world).await);
    assert_eq!(
        after, before,
        "a handler cannot tell whether there is a case"
    );
    assert_eq!((after.0, after.1), (Telling::Withheld, 0));

    let pupil = as_pupil(&world).await;
    let support = of(&pupil, "support");
    assert_eq!(
        (support.telling(), support.record_count),
        (Telling::Existence, 1)
    );
    assert!(support.withheld_reason.contains("心理教师"), "{support:?}");
    assert!(!format!("{pupil:?}").contains(NOTE), "no content");
    assert_eq!(
        of(&pupil, "concerns").record_count,
        0,
        "the parent's are the parent's"
    );

    let guardian = as_guardian(&world).await;
    assert_eq!(
        of(&guardian, "support").record_count,
        0,
        "not told of it yet"
    );
    let concerns = of(&guardian, "concerns");
    assert_eq!(
        (concerns.telling(), concerns.record_count),
        (Telling::Existence, 1)
    );
    assert_eq!(
        values(&guardian, "concerns", "category"),
        ["CATEGORY_LIVING"]
    );

    let known = [Walk::Grade(Grade::Orange), Walk::Inform];
    world.walked(&case, &known).await;
    assert_eq!(of(&as_guardian(&world).await, "support").record_count, 1);

    let accesses = world.accesses(&counsellor(), &case).await.expect("listed");
    let heard = accesses
        .iter()
        .filter(|one| format!("{one:?}").contains("ExportHeldData"));
    assert_eq!(heard.count(), 2, "the pupil and the guardian, each time");
}

/// A message to the family, a confidential one to the pupil, and one to staff 1.
async fn send(world: &World) {
    let tx = world.db.begin().await.expect("a transaction");
    let body = r#"{"values":{"text":"明日体检"},"channels":[],"audience":null,"class_groups":[],"groups":[],"posts":[],"parties":[],"apart":true}"#;
    for (number, kind, confidential) in [(1, 1_i16, false), (2, 6, true), (3, 2, true)] {
        let id = Uuid::from_u128(number);
        let sql = "INSERT INTO messages (id, organization, org_path, state, category, urgency, template, \
             template_version, body, exercise, author, basis, created_at, expires_at, expanded_at, ends_at, \
             swept, phase, after, parts, confidential) VALUES ($1, '2135010001', $2, 2, 1, 1, 'notice', 1, $3, \
             FALSE, 'somebody', '', 1649289600000, 4102444800000, 1649289600000, 4102444800000, FALSE, 1, $1, 1, $4)";
        let values = [
            id.into(),
            SCHOOL_PATH.into(),
            body.into(),
            confidential.into(),
        ];
        tx.execute_raw(statement(&tx, sql, values))
            .await
            .expect("a message");
        let recipient = if kind == 2 { staff(1) } else { student(1) };
        let (_, recipient) = recipient.split_once('/').expect("a name");
        let recipient = Uuid::try_parse(recipient)
            .expect("an id")
            .as_bytes()
            .to_vec();
        let sql = "INSERT INTO deliveries (message, recipient, channel, kind, state, attempts, failure, part, \
             sent_at, read_at) VALUES ($1, $2, 'inbox', $3, 4, 1, 0, 1, 1649289600000, 1649376000000)";
        let values = [id.into(), recipient.into(), kind.into()];
        tx.execute_raw(statement(&tx, sql, values))
            .await
            .expect("a delivery");
    }
    tx.commit().await.expect("stored");
}

async fn messages_are_told_to_whom_they_were_sent(scratch: Scratch) {
    let (world, _roster) = opened(scratch).await;
    send(&world).await;
    let guardian = as_guardian(&world).await;
    assert_eq!(values(&guardian, "messages", "recipient"), ["家庭"]);
    assert_eq!(values(&guardian, "messages", "content"), ["text：明日体检"]);
    assert_eq!(values(&guardian, "messages", "state"), ["STATE_READ"]);
    let pupil = as_pupil(&world).await;
    assert_eq!(values(&pupil, "messages", "recipient"), ["本人", "家庭"]);
    assert_eq!(values(&pupil, "messages", "content").len(), 1, "their own");
    let clerk = as_clerk(&world).await;
    assert_eq!(values(&clerk, "messages", "recipient"), ["家庭"]);
    assert_eq!(values(&clerk, "messages", "content"), [""; 0]);
    assert_eq!(of(&clerk, "care_tasks").telling(), Telling::Withheld);
    assert_eq!(values(&pupil, "roll", "class_group"), [CLASS_PATH]);
}

async fn what_the_roster_refuses_is_refused(scratch: Scratch) {
    let (world, roster) = opened(scratch).await;
    let stranger = export(&world, ("sub-2", Role::Guardian), Some(student(2))).await;
    let (code, reason, _) = told(&stranger.expect_err("refused"));
    assert_eq!((code, &*reason), (Code::PermissionDenied, "SCOPE_DENIED"));
    let head = export(&world, ("sub-3", Role::Principal), None).await;
    assert_eq!(told(&head.expect_err("refused")).1, "SCOPE_DENIED");
    roster.close(REQUEST);
    let closed = export(&world, ("sub-clerk-1", Role::SchoolClerk), None).await;
    assert_eq!(
        told(&closed.expect_err("refused")).1,
        "SUBJECT_REQUEST_STATE"
    );
}

async fn who_works_is_told_what_was_sent_to_them(scratch: Scratch) {
    let (world, roster) = opened(scratch).await;
    send(&world).await;
    roster.say(REQUEST, &staff(1), SCHOOL_PATH);
    let own = export(&world, ("sub-1", Role::ClassReporter), Some(staff(1))).await;
    let own = own.expect("it is told");
    assert_eq!(values(&own, "staff_roll", "place"), [SCHOOL_PATH]);
    assert_eq!(values(&own, "messages", "content"), ["text：明日体检"]);
    assert_eq!(values(&own, "messages", "recipient"), ["本人"]);
    assert_eq!(of(&own, "support").record_count, 0);
    let colleague = export(&world, ("sub-2", Role::ClassReporter), Some(staff(2))).await;
    let (code, reason, _) = told(&colleague.expect_err("refused"));
    assert_eq!((code, &*reason), (Code::PermissionDenied, "SCOPE_DENIED"));
    let clerk = as_clerk(&world).await;
    assert_eq!(of(&clerk, "messages").record_count, 0, "confidential");
    assert_eq!(of(&clerk, "support").telling(), Telling::Withheld);
}
