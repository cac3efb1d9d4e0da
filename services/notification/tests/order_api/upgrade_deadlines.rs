//! What of a directive waited before there were deadlines for it has them after the upgrade.

use chrono::{DateTime, Duration, Utc};
use kit::db::{Database, statement};
use kit::scratch::Scratch;
use notification::Migrator;
use sea_orm::ConnectionTrait;
use sea_orm_migration::sea_query::DynIden;
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use uuid::Uuid;

use crate::town::{BUREAU_PATH, OTHER_PATH, SCHOOL_PATH, SISTER_PATH, morning, on_both};

on_both!(what_waits_has_the_shipped_time_from_when_it_began);

/// The schema before the deadlines.
struct Before;

#[async_trait::async_trait]
impl MigratorTrait for Before {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = Migrator::migrations();
        migrations.retain(|migration| migration.name() < "m20261127_000042");
        migrations
    }

    fn migration_table_name() -> DynIden {
        Migrator::migration_table_name()
    }
}

/// A directive of an urgency as the version before wrote it, with a bureau that signed and did not pass it
/// on, a school that signed and has nobody below, and two that reported, one of them accepted since.
async fn written_before(db: &Database, id: Uuid, urgency: i16) {
    let tx = db.begin().await.expect("a transaction");
    let insert = statement(
        &tx,
        "INSERT INTO directives (id, organization, org_path, state, urgency, title, text, \
         text_sha256, audience, author, approver, create_time, issue_time, superseded_by, version) \
         VALUES ($1, 'fz', 'fz', 3, $2, '通知', '一', $3, '[]', 'writer-1', 'chief-1', $4, $4, '', 3)",
        [
            id.into(),
            urgency.into(),
            vec![0_u8; 32].into(),
            morning().into(),
        ],
    );
    tx.execute_raw(insert).await.expect("written");
    let signed = (morning() + Duration::minutes(10)).timestamp_millis();
    let rows = [
        (BUREAU_PATH, 2, 4_i16, true),
        (SCHOOL_PATH, 0, 4, true),
        (SISTER_PATH, 0, 7, true),
        (OTHER_PATH, 0, 8, false),
    ];
    for (path, below, state, open) in rows {
        let insert = statement(
            &tx,
            "INSERT INTO directive_recipients (directive, organization, org_path, orderer, \
             upper_organization, below, state, due_at, relay_note, report, progress, return_reason, \
             update_time, text_sha256, version, open, level, acknowledged_at) VALUES \
             ($1, $2, $2, 'fz', '', $3, $4, $5, '', '', 0, '', $6, $7, 1, $8, 2, $5)",
            [
                id.into(),
                path.into(),
                below.into(),
                state.into(),
                signed.into(),
                (morning() + Duration::hours(1)).into(),
                vec![0_u8; 32].into(),
                open.into(),
            ],
        );
        tx.execute_raw(insert).await.expect("written");
    }
    tx.commit().await.expect("committed");
}

/// Minutes after the morning until which each recipient passes it on and its report is judged, by place.
async fn deadlines(db: &Database, id: Uuid) -> Vec<(String, Option<i64>, Option<i64>)> {
    let sql = "SELECT org_path, relay_due_at, judge_due_at FROM directive_recipients \
               WHERE directive = $1 ORDER BY org_path";
    let select = statement(db.read(), sql, [id.into()]);
    let rows = db.read().query_all_raw(select).await.expect("read");
    let rows = rows.iter().map(|row| {
        let minutes = |index: usize| {
            let millis: Option<i64> = row.try_get_by_index(index).expect("an instant");
            let at: Option<DateTime<Utc>> = millis.and_then(DateTime::from_timestamp_millis);
            at.map(|at| (at - morning()).num_minutes())
        };
        let path = row.try_get_by_index(0).expect("a place");
        (path, minutes(1), minutes(2))
    });
    rows.collect()
}

async fn what_waits_has_the_shipped_time_from_when_it_began(scratch: Scratch) {
    let before = scratch.open::<Before>().await;
    for urgency in [1_i16, 2, 3] {
        let id = Uuid::from_u128(u128::from(urgency.unsigned_abs()));
        written_before(&before, id, urgency).await;
    }
    before.close().await;
    let after = scratch.open::<Migrator>().await;
    for (id, relay, judge) in [(1, 1450, 4380), (2, 130, 1500), (3, 40, 1500)] {
        let found = deadlines(&after, Uuid::from_u128(id)).await;
        let of = |path: &str, relay, judge| (path.to_owned(), relay, judge);
        let expected = [
            of(BUREAU_PATH, Some(relay), None),
            of(SCHOOL_PATH, None, None),
            of(SISTER_PATH, None, Some(judge)),
            of(OTHER_PATH, None, None),
        ];
        assert_eq!(found, expected);
    }
    after.close().await;
}
