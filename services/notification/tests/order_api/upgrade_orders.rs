//! Directives of the version that knew neither demands nor class groups go on where they were.

use crate::town::on_both;
use chrono::{DateTime, Duration, Utc};
use kit::auth::Role;
use kit::db::{Database, statement};
use kit::scratch::Scratch;
use notification::Migrator;
use notification::store::Store;
use proto::notification::directive::State;
use proto::notification::level_progress::Level;
use sea_orm::ConnectionTrait;
use sea_orm_migration::sea_query::DynIden;
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::town::officers::{SCHOOL_CLERK, SIGN, TEXT, TITLE, WORK};
use crate::town::world::World;
use crate::town::{BUREAU, BUREAU_PATH, CITY, SCHOOL, SCHOOL_PATH, SISTER_PATH, morning};

on_both!(a_directive_goes_on_after_the_upgrade);

/// The schema before directives had demands.
struct Before;

#[async_trait::async_trait]
impl MigratorTrait for Before {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = Migrator::migrations();
        migrations.retain(|migration| migration.name() < "m20261126_000013");
        migrations
    }

    fn migration_table_name() -> DynIden {
        Migrator::migration_table_name()
    }
}

/// A recipient as the version before wrote it: place, the one above, how many below, state, when signed.
type Row = (&'static str, &'static str, i32, i16, Option<DateTime<Utc>>);

/// Writes as the version before did: a directive to a bureau, which signed ten minutes later and passed it
/// on to its two schools.
async fn issued_before(db: &Database, id: Uuid) {
    let hash = Sha256::digest(format!("{TITLE}\n{TEXT}")).to_vec();
    let tx = db.begin().await.expect("a transaction");
    let insert = statement(
        &tx,
        "INSERT INTO directives (id, organization, org_path, state, urgency, title, text, \
         text_sha256, audience, author, approver, create_time, issue_time, superseded_by, version) \
         VALUES ($1, 'fz', 'fz', 3, 2, $2, $3, $4, '[\"350102\"]', 'writer-1', 'chief-1', $5, $5, \
         '', 3)",
        [
            id.into(),
            TITLE.into(),
            TEXT.into(),
            hash.clone().into(),
            morning().into(),
        ],
    );
    tx.execute_raw(insert).await.expect("written");
    let signed = morning() + Duration::minutes(10);
    let rows: [Row; 3] = [
        (BUREAU_PATH, "", 2, 5, Some(signed)),
        (SCHOOL_PATH, "350102", 0, 1, None),
        (SISTER_PATH, "350102", 0, 1, None),
    ];
    for (path, upper, below, state, acknowledged) in rows {
        let due = morning() + Duration::hours(2);
        let insert = statement(
            &tx,
            "INSERT INTO directive_recipients (directive, organization, org_path, orderer, \
             upper_organization, below, state, due_at, acknowledge_time, relay_note, report, \
             progress, return_reason, update_time, text_sha256, version, open) VALUES \
             ($1, $2, $3, 'fz', $4, $5, $6, $7, $8, '', '', 0, '', $9, $10, 1, TRUE)",
            [
                id.into(),
                path.rsplit('/').next().unwrap_or_default().into(),
                path.into(),
                upper.into(),
                below.into(),
                state.into(),
                due.timestamp_millis().into(),
                acknowledged.into(),
                morning().into(),
                hash.clone().into(),
            ],
        );
        tx.execute_raw(insert).await.expect("written");
    }
    tx.commit().await.expect("committed");
}

async fn a_directive_goes_on_after_the_upgrade(scratch: Scratch) {
    let id = Uuid::from_u128(1);
    let before = scratch.open::<Before>().await;
    issued_before(&before, id).await;
    before.close().await;
    let after = scratch.open::<Migrator>().await;
    let tally = Store::tally(after.read(), id).await.expect("counted");
    assert_eq!(
        (tally.recipients, tally.acknowledged, tally.accepted),
        (3, 1, 0)
    );
    after.close().await;
    let mut world = World::new(scratch).await;
    let name = format!("{CITY}/directives/{}", id.hyphenated());
    let read = world
        .get(&name, Role::CityOfficer, "fz")
        .await
        .expect("read");
    let audience = read.audience.clone().unwrap_or_default();
    assert_eq!(
        (read.state(), &*audience.organizations),
        (State::Issued, &[BUREAU.to_owned()][..])
    );
    assert_eq!(
        (&*read.title, &*read.text, read.items.len()),
        (TITLE, TEXT, 0)
    );
    assert_eq!((read.recipient_count, read.acknowledged_count), (3, 1));

    let progress = world.progress(&name).await;
    let levels: Vec<_> = progress
        .levels
        .iter()
        .map(|one| (one.level(), one.recipient_count, one.first_minutes))
        .collect();
    assert_eq!(levels, [(Level::District, 1, 10), (Level::School, 2, -1)]);
    let districts: Vec<_> = progress
        .districts
        .iter()
        .map(|one| (&*one.organization, one.school_count))
        .collect();
    assert_eq!(districts, [(BUREAU, 2)]);

    world.steps(&name, SCHOOL, SCHOOL_CLERK, &SIGN).await;
    world.steps(&name, SCHOOL, SCHOOL_CLERK, &WORK).await;
    world
        .accept(&name, SCHOOL, BUREAU_PATH)
        .await
        .expect("accepted");
    let progress = world.progress(&name).await;
    assert_eq!(
        (progress.districts[0].accepted_count, progress.done),
        (1, false)
    );
}
