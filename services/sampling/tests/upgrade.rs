//! A database of the version that knew no health goes on where it was.

use kit::db::{Database, statement};
use kit::rows::{Lock, Row};
use kit::scratch::Scratch;
use sampling::Migrator;
use sampling::domain::day::Day;
use sampling::domain::roll::{GroupKind, Member, PersonId, Roll};
use sampling::store::controls::ControlRow;
use sampling::store::rolls::groups_at;
use sampling::store::tubes::TubeRow;
use sea_orm::ConnectionTrait;
use sea_orm_migration::sea_query::DynIden;
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// The schema before there was health.
struct Before;

#[async_trait::async_trait]
impl MigratorTrait for Before {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = Migrator::migrations();
        migrations.retain(|migration| migration.name() < "m20261125");
        migrations
    }

    fn migration_table_name() -> DynIden {
        Migrator::migration_table_name()
    }
}

const PLACE: &str = "fz/350102/2135010001/p2019-01";
const PERSON: [u8; 16] = [7; 16];

fn roll() -> Roll {
    Roll::new(vec![Member {
        person: PersonId(PERSON),
        on_leave: false,
        exempt: false,
        since: Day::from_number(8000),
        posts: 0,
    }])
}

/// Writes as the version before did: a class group that the feed told, and a pupil of it who is held
/// for a tube.
async fn held_before(db: &Database) {
    let tx = db.begin().await.expect("a transaction");
    let members = roll().pack(GroupKind::Students);
    let writes = [
        (
            "INSERT INTO class_rolls (path, organization, id, kind, display_name, grade, taught, \
             version, generation, members) VALUES ($1, '2135010001', 'p2019-01', 1, '三年（1）班', 3, \
             TRUE, 5, 1, $2)",
            vec![PLACE.into(), members.into()],
        ),
        (
            "INSERT INTO projections (consumer, page_token, resume_token, generation) \
             VALUES ('roster', '', 'here', 1)",
            vec![],
        ),
        (
            "INSERT INTO tubes (code, laboratory, lot, capacity, subject, state, org_path, \
             class_group, point, draw, day, swab_count, parent, seal_time, sealed_by, courier, \
             receive_time, late, due_time, result, result_version, reason, policy_version, \
             positives, version) VALUES ('T1', 'lab-1', 'L1', 10, 1, 3, $1, '', '', '', 8100, 9, '', \
             0, '', '', 0, FALSE, 0, 2, 1, '', 'fuzhou-2022-04@1', 1, 4)",
            vec![PLACE.into()],
        ),
        (
            "INSERT INTO control_states (person, basis, control, since, org_path, policy_version) \
             VALUES ($1, 'holds/T1', 2, 1000, $2, 'fuzhou-2022-04@1')",
            vec![PERSON.to_vec().into(), PLACE.into()],
        ),
    ];
    for (sql, values) in writes {
        let insert = statement(&tx, sql, values);
        tx.execute_raw(insert).await.expect("written");
    }
    tx.commit().await.expect("committed");
}

async fn who_was_held_stays_held_and_the_register_is_asked_anew(scratch: Scratch) {
    let db = scratch.open::<Before>().await;
    held_before(&db).await;
    db.migrate::<Migrator>().await.expect("upgraded");
    let read = db.read();

    let held = ControlRow::find(read, "basis", vec!["holds/T1".into()], Lock::No).await;
    let expected = ControlRow {
        person: PERSON.to_vec(),
        basis: "holds/T1".to_owned(),
        control: 2,
        since: 1000,
        org_path: PLACE.to_owned(),
        policy_version: "fuzhou-2022-04@1".to_owned(),
        rule: "2.19".to_owned(),
        until: 0,
    };
    assert_eq!(held.expect("read"), [expected]);

    // Every tube of the version before was tested for COVID-19 and held its people.
    let tube = TubeRow::get(read, "T1", Lock::No).await.expect("read");
    let tube = tube.expect("the tube");
    let covid = proto::roster::Disease::Covid19 as i16;
    assert_eq!(
        (tube.swab_count, tube.disease, tube.holds),
        (9, covid, true)
    );

    // Who is expected at a check is told by the register only: its feed is read from the beginning,
    // and what comes is news.
    let groups = groups_at(read, &[PLACE.to_owned()]).await.expect("read");
    let [group] = &groups[..] else {
        panic!("one class group")
    };
    assert_eq!(
        (group.version, group.members.clone()),
        (0, roll().pack(GroupKind::Students))
    );
    let sql = "SELECT resume_token FROM projections WHERE consumer = 'roster'";
    let row = read
        .query_one_raw(statement(read, sql, []))
        .await
        .expect("read");
    let token: String = row.expect("a row").try_get_by_index(0).expect("a text");
    assert_eq!(token, "");
}

mod sqlite {
    #[tokio::test(flavor = "multi_thread")]
    async fn who_was_held_stays_held_and_the_register_is_asked_anew() {
        super::who_was_held_stays_held_and_the_register_is_asked_anew(kit::scratch::sqlite()).await;
    }
}

mod postgres {
    #[tokio::test(flavor = "multi_thread")]
    async fn who_was_held_stays_held_and_the_register_is_asked_anew() {
        let Some(scratch) = kit::scratch::postgres().await else {
            return;
        };
        super::who_was_held_stays_held_and_the_register_is_asked_anew(scratch).await;
    }
}
