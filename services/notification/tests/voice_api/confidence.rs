//! What is told of concerns and support is for its recipients alone: nobody else learns of a message.

use chrono::Duration;
use kit::auth::Role;
use kit::db::{Database, statement};
use kit::scratch::Scratch;
use notification::Migrator;
use proto::notification as pb;
use proto::notification::concern::{Category, Submitter};
use proto::notification::support_case::Grade;
use sea_orm::ConnectionTrait;
use sea_orm_migration::sea_query::DynIden;
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use tonic::Code;
use uuid::Uuid;

use crate::town::post::{notice, to_parties};
use crate::town::scan::number;
use crate::town::voices::{
    Who, admin, city, clearance, concern, district, principal, pupil, until, who,
};
use crate::town::world::World;
use crate::town::{BUREAU, CITY, SCHOOL, SCHOOL_PATH, morning, on_both, staff, student};

on_both!(
    who_speaks_up_of_harm_is_shown_to_nobody_with_messages,
    nobody_counts_cases_of_support_by_messages,
    nobody_counts_pupils_at_home_by_messages,
    what_was_told_before_messages_were_confidential_is_hidden_too,
);

fn clerk() -> Who {
    who("sub-clerk-9", Role::SchoolClerk, SCHOOL_PATH, None)
}

/// Every message that there is, by its name.
async fn messages(world: &World) -> Vec<String> {
    let db = world.db.read();
    let sql = "SELECT id, organization FROM messages ORDER BY id";
    let rows = db.query_all_raw(statement(db, sql, [])).await;
    let name = |row: &sea_orm::QueryResult| {
        let id: Uuid = row.try_get_by_index(0).expect("an id");
        let organization: String = row.try_get_by_index(1).expect("an organisation");
        format!("organizations/{organization}/messages/{id}")
    };
    rows.expect("read").iter().map(name).collect()
}

/// What somebody is shown of the messages of an organisation.
async fn listed(world: &mut World, who: &Who, parent: &str) -> Vec<pb::Message> {
    let ask = pb::ListMessagesRequest {
        parent: parent.to_owned(),
        ..Default::default()
    };
    let listed = world.deliveries.list_messages(who.asks(ask)).await;
    listed.expect("listed").into_inner().messages
}

/// Neither a message nor its ledger is there for somebody, nor can they stop it.
async fn hidden(world: &mut World, who: &Who, message: &str) {
    let name = message.to_owned();
    let get = pb::GetMessageRequest { name: name.clone() };
    let ledger = pb::ListDeliveriesRequest {
        parent: name.clone(),
        ..Default::default()
    };
    let cancel = pb::CancelMessageRequest {
        name,
        ..Default::default()
    };
    let read = world.deliveries.get_message(who.asks(get)).await.map(drop);
    let listed = world.deliveries.list_deliveries(who.asks(ledger)).await;
    let stopped = world.deliveries.cancel_message(who.asks(cancel)).await;
    let answers = [read, listed.map(drop), stopped.map(drop)];
    for answer in answers {
        let refused = answer.expect_err("hidden").code();
        let unseen = [Code::NotFound, Code::PermissionDenied].contains(&refused);
        assert!(unseen, "{who:?}: {refused:?}");
    }
}

/// Nobody with messages sees any of them, not even once it failed.
async fn all_hidden(world: &mut World) {
    let all = messages(world).await;
    assert!(!all.is_empty());
    let db = world.db.clone();
    let failed = statement(db.read(), "UPDATE deliveries SET state = 5", []);
    db.read().execute_raw(failed).await.expect("failed");
    for who in [clerk(), principal(), district(), city()] {
        for message in &all {
            hidden(world, &who, message).await;
        }
    }
    for (who, parent) in [
        (clerk(), SCHOOL),
        (principal(), SCHOOL),
        (district(), SCHOOL),
        (district(), BUREAU),
        (city(), CITY),
    ] {
        assert_eq!(listed(world, &who, parent).await, []);
    }
    let dead = admin().asks(pb::ListDeadLettersRequest::default());
    let dead = world.deliveries.list_dead_letters(dead).await;
    assert_eq!(dead.expect("listed").into_inner().deliveries, []);
    // One that a person wrote is seen as ever.
    let ask = pb::SendMessageRequest {
        parent: SCHOOL.to_owned(),
        message: Some(notice(to_parties([staff(1)]))),
        request_id: String::new(),
    };
    let sent = world.deliveries.send_message(principal().asks(ask)).await;
    let sent = sent.expect("sent").into_inner().name;
    let [shown] = &listed(world, &clerk(), SCHOOL).await[..] else {
        panic!("one message")
    };
    assert_eq!(shown.name, sent);
}

async fn who_speaks_up_of_harm_is_shown_to_nobody_with_messages(scratch: Scratch) {
    let mut world = World::peopled(scratch).await;
    let told = pb::Concern {
        submitter: Submitter::Student.into(),
        ..concern(Category::Harm)
    };
    let submitted = world.submit(&pupil(), told).await.expect("submitted");
    let name = submitted.concern.expect("a concern").name;
    let triaged = world.triage(&district(), &name, Category::Harm).await;
    triaged.expect("triaged");
    let assigned = world.assign(&district(), &name, staff(20)).await;
    assigned.expect("assigned");
    world.answer(&district(), &name).await.expect("answered");
    let answered = world.mails(&student(2), "concern-answered", 1).await;
    assert!(name.ends_with(&answered[0]["number"]));
    world.mails(&staff(20), "told", 1).await;
    world.mails(BUREAU, "told", 1).await;
    // The recipient reads it where it lies.
    let ask = pb::WatchInboxRequest {
        recipient: student(2),
        ..Default::default()
    };
    let inbox = world.deliveries.watch_inbox(pupil().asks(ask)).await;
    let first = inbox.expect("opened").into_inner().message().await;
    let items = first.expect("an answer").expect("an answer").items;
    assert_eq!((items.len(), &*items[0].basis), (1, &*name));
    all_hidden(&mut world).await;
}

async fn nobody_counts_cases_of_support_by_messages(scratch: Scratch) {
    let mut world = World::peopled(scratch).await;
    for _ in 0..2 {
        world.opened(Grade::Red).await;
    }
    world
        .clock
        .advance(Duration::hours(24) + Duration::seconds(1));
    let told = "SELECT COUNT(*) FROM messages";
    let db = world.db.clone();
    until(async || (number(&db, told).await >= 4).then_some(())).await;
    all_hidden(&mut world).await;
}

async fn nobody_counts_pupils_at_home_by_messages(scratch: Scratch) {
    let mut world = World::peopled(scratch).await;
    let kept = [clearance(1, 1, Some(morning()))];
    world.hear_clearance(&kept, 1).await;
    let db = world.db.clone();
    let planned = "SELECT COUNT(*) FROM care_tasks";
    until(async || (number(&db, planned).await >= 3).then_some(())).await;
    world
        .clock
        .set("2022-04-06T12:00:01Z".parse().expect("an instant"));
    let told = "SELECT COUNT(*) FROM messages";
    until(async || (number(&db, told).await >= 1).then_some(())).await;
    all_hidden(&mut world).await;
}

/// The schema before messages were confidential.
struct Before;

#[async_trait::async_trait]
impl MigratorTrait for Before {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = Migrator::migrations();
        migrations.retain(|migration| migration.name() < "m20261126_000021");
        migrations
    }

    fn migration_table_name() -> DynIden {
        Migrator::migration_table_name()
    }
}

/// Writes a message of the first school as the version before did.
async fn told_before(db: &Database, id: u128, (author, category): (&str, i16), basis: &str) {
    let body = serde_json::json!({
        "values": {}, "channels": [], "audience": null, "class_groups": [], "groups": [],
        "posts": [], "parties": [student(2)],
    });
    let sql = "INSERT INTO messages (id, organization, org_path, state, category, urgency, template, \
         template_version, body, exercise, author, basis, created_at, expires_at, expanded_at, \
         ends_at, swept, phase, after, parts) VALUES ($1, '2135010001', $2, 2, $3, 1, 'told', 1, \
         $4, FALSE, $5, $6, $7, $8, $7, $8, FALSE, 4, $1, 1)";
    let told = morning().timestamp_millis();
    let values = [
        Uuid::from_u128(id).into(),
        SCHOOL_PATH.into(),
        category.into(),
        body.to_string().into(),
        author.into(),
        basis.into(),
        told.into(),
        (told + 86_400_000).into(),
    ];
    let insert = statement(db.read(), sql, values);
    db.read().execute_raw(insert).await.expect("written");
}

async fn what_was_told_before_messages_were_confidential_is_hidden_too(scratch: Scratch) {
    let db = scratch.open::<Before>().await;
    let concern = format!("{SCHOOL}/concerns/00000000-0000-7000-8000-000000000001");
    let task = format!("{SCHOOL}/careTasks/00000000-0000-7000-8000-000000000001");
    told_before(&db, 1, ("campus", 6), &concern).await;
    told_before(&db, 2, ("campus", 4), SCHOOL).await;
    told_before(&db, 3, ("campus", 4), &task).await;
    told_before(&db, 4, ("sub-principal-1", 6), "").await;
    db.close().await;
    let mut world = World::peopled(scratch).await;
    let shown = listed(&mut world, &clerk(), SCHOOL).await;
    let ids: Vec<&str> = shown
        .iter()
        .map(|one| &one.name[one.name.len() - 1..])
        .collect();
    assert_eq!(ids, ["4", "3"]);
}
