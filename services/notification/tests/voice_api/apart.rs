//! What a pupil is told and what the guardians are told lie in different inboxes.

use kit::auth::Role;
use kit::db::{Database, statement};
use kit::scratch::Scratch;
use notification::Migrator;
use proto::notification as pb;
use proto::notification::concern::{Category, Submitter};
use sea_orm::{ConnectionTrait, Value};
use sea_orm_migration::sea_query::DynIden;
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use uuid::Uuid;

use crate::town::voices::{CLASS_PATH, concern, pupil, who};
use crate::town::world::World;
use crate::town::{SCHOOL, SCHOOL_PATH, family, on_both, staff, student};

on_both!(
    an_answer_lies_with_whoever_asked,
    what_was_told_before_is_divided,
);

async fn an_answer_lies_with_whoever_asked(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let parent = who(
        "sub-guardian-8",
        Role::Guardian,
        CLASS_PATH,
        Some(student(2)),
    );
    // Whoever speaks as one of the public is still who they are.
    for (who, submitter) in [
        (pupil(), Submitter::Student),
        (pupil(), Submitter::Public),
        (parent.clone(), Submitter::Guardian),
        (parent, Submitter::Public),
    ] {
        let told = pb::Concern {
            submitter: submitter.into(),
            ..concern(Category::Living)
        };
        let submitted = world.submit(&who, told).await.expect("submitted");
        world
            .answered(&submitted.concern.expect("a concern").name)
            .await;
    }
    let own = world.mails(&student(2), "concern-answered", 2).await;
    let family = world.mails(&family(2), "concern-answered", 2).await;
    assert!(
        own.iter()
            .all(|mail| family.iter().all(|other| mail["number"] != other["number"]))
    );
}

/// The schema before pupils and guardians were told apart.
struct Before;

#[async_trait::async_trait]
impl MigratorTrait for Before {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = Migrator::migrations();
        migrations.retain(|migration| migration.name() < "m20261127_000041");
        migrations
    }

    fn migration_table_name() -> DynIden {
        Migrator::migration_table_name()
    }
}

async fn run(db: &Database, sql: &str, values: Vec<Value>) {
    let run = statement(db.read(), sql, values);
    db.read().execute_raw(run).await.expect("written");
}

/// A concern by the number of who handed it in, with its answer in the inbox that a version before knew.
async fn answered(db: &Database, number: u128, submitter: i16) {
    let (id, none) = (Uuid::from_u128(number), Vec::<u8>::new());
    let sql = "INSERT INTO concerns (id, organization, org_path, handler, handler_path, state, \
         submitter, anonymous, category, urgent, create_at, acknowledge_due_at, answer_due_at, \
         urgent_answer_due_at, wait_at, late, assignee, assignee_organization, answer_at, \
         reopen_count, satisfaction, words, author, receipt) VALUES ($1, '2135010001', $2, \
         '2135010001', $2, 4, $3, FALSE, 4, FALSE, 0, 0, 0, 0, 0, FALSE, $4, '2135010001', 1, 0, 0, \
         $5, $5, $5)";
    let values = vec![
        id.into(),
        SCHOOL_PATH.into(),
        submitter.into(),
        staff(2).into(),
        none.into(),
    ];
    run(db, sql, values).await;
    told(
        db,
        number,
        &format!("{SCHOOL}/concerns/{}", id.hyphenated()),
        true,
    )
    .await;
}

/// A message in the inbox of the first pupil's family, and a notice that waits.
async fn told(db: &Database, number: u128, basis: &str, confidential: bool) {
    let id = Uuid::from_u128(number);
    let sql = "INSERT INTO messages (id, organization, org_path, state, category, urgency, template, \
         template_version, body, exercise, author, basis, created_at, expires_at, expanded_at, \
         ends_at, swept, phase, after, parts, confidential) VALUES ($1, '2135010001', $2, 2, 6, 1, \
         'told', 1, '{}', FALSE, 'campus', $3, 0, 0, 0, 0, TRUE, 4, $1, 1, $4)";
    let values = vec![
        id.into(),
        SCHOOL_PATH.into(),
        basis.into(),
        confidential.into(),
    ];
    run(db, sql, values).await;
    let sql = "INSERT INTO deliveries (message, recipient, channel, kind, state, attempts, failure, \
         part) VALUES ($1, $2, 'inbox', 1, 2, 0, 0, 1)";
    let pupil = Uuid::from_u128(1).as_bytes().to_vec();
    run(db, sql, vec![id.into(), pupil.into()]).await;
    let sql = "INSERT INTO notices (id, event, basis, party, together, create_at, details, done) \
         VALUES ($1, 1, $2, $3, $2, 0, '{}', FALSE)";
    run(db, sql, vec![id.into(), basis.into(), student(1).into()]).await;
}

async fn what_was_told_before_is_divided(scratch: Scratch) {
    let db = scratch.open::<Before>().await;
    answered(&db, 1, 1).await;
    answered(&db, 2, 2).await;
    told(&db, 3, "organizations/2135010001/alerts/x", false).await;
    db.close().await;
    let db = scratch.open::<Migrator>().await;
    let sql = "SELECT kind, party FROM deliveries d JOIN notices n ON n.id = d.message \
         ORDER BY message";
    let rows = db.read().query_all_raw(statement(db.read(), sql, [])).await;
    let rows: Vec<(i16, String)> = rows
        .expect("read")
        .iter()
        .map(|row| {
            (
                row.try_get_by_index(0).expect("a kind"),
                row.try_get_by_index(1).expect("a party"),
            )
        })
        .collect();
    // The pupil's own answer is the pupil's; the rest stays the family's, as it was meant.
    let expected = [(6, student(1)), (1, family(1)), (1, student(1))];
    assert_eq!(rows, expected);
}
