//! Incidents in the database: what is kept is what is read, on both databases.

use kit::rows::Lock;
use safety_inspection::domain::hazard::report;
use safety_inspection::domain::incident::category::{Category, Confidential};
use safety_inspection::domain::incident::detection::{Noticed, Scene};
use safety_inspection::domain::incident::file::{Chain, File};
use safety_inspection::domain::incident::harm::{Casualties, TableName, Tables};
use safety_inspection::domain::incident::moves::{Doer, Judge};
use safety_inspection::domain::incident::state::Verb;
use safety_inspection::domain::incident::step::{Medium, Receiver};
use safety_inspection::domain::incident::terms::Terms;
use safety_inspection::store::Store;
use safety_inspection::store::incidents::Filter;
use uuid::Uuid;

use crate::city::on_both;
use crate::city::world::World;

on_both!(
    what_is_kept_is_what_is_read,
    an_incident_belongs_to_its_organisation,
    what_is_due_next_is_found_by_its_instant,
    whoever_handled_one_is_known,
);

const NOTICED: i64 = 1_649_200_000_000;

fn by(time: i64) -> Doer<'static> {
    Doer {
        actor: "staff-1",
        time,
        reason: "",
    }
}

fn noticed(id: u128, harm: Casualties) -> File {
    let (tables, terms) = (Tables::shipped().expect("tables"), Terms::default());
    let judge = Judge {
        tables: &tables,
        terms: &terms,
    };
    let told = Noticed {
        category: Category::SocialSecurity,
        hazard_category: Some(report::Category::Violence),
        confidential: Some(Confidential::SeriousBullying),
        place: "宿舍".to_owned(),
        summary: "欺凌".to_owned(),
        occurred: NOTICED - 1,
        harm,
        over_level_reason: "紧急".to_owned(),
    };
    let scene = Scene {
        organization: "2135010001".to_owned(),
        org_path: "fz/350102/2135010001".to_owned(),
        chain: Chain {
            begins: Receiver::School,
            has_district: true,
        },
    };
    let (mut file, _) = File::detect(
        Uuid::from_u128(id),
        told,
        scene,
        (judge, TableName::Education),
        by(NOTICED),
    );
    let written = file.report(Verb::FirstReport, harm, judge, by(NOTICED + 1));
    written.expect("written");
    file
}

async fn keep(world: &World, file: &File) {
    let tx = world.db.begin().await.expect("a transaction");
    Store::save_incident(&tx, file, 0).await.expect("kept");
    tx.commit().await.expect("committed");
}

async fn what_is_kept_is_what_is_read(world: World) {
    let harm = Casualties {
        deaths: 3,
        missing: 4,
        serious: 5,
        minor: 6,
        loss_yuan: 1_000_000_000_000,
    };
    let mut file = noticed(1, harm);
    let read = async |lock| {
        let db = world.db.read();
        let found = Store::incident(db, "2135010001", Uuid::from_u128(1), lock).await;
        found.expect("read")
    };
    keep(&world, &file).await;
    assert_eq!(read(Lock::No).await, Some(file.clone()));
    for (receiver, time) in [
        (Receiver::Fire, 9),
        (Receiver::District, 3),
        (Receiver::City, 5),
    ] {
        let receipt = file.receive(receiver, Medium::Written, by(NOTICED + time));
        receipt.expect("received");
    }
    file.tell((Receiver::Police, Medium::Phone), "JQ-1", by(NOTICED + 12))
        .expect("told");
    keep(&world, &file).await;
    keep(&world, &file).await;
    file.steps.sort_by_key(|step| step.time);
    assert_eq!(read(Lock::No).await, Some(file));
}

async fn an_incident_belongs_to_its_organisation(world: World) {
    keep(&world, &noticed(1, Casualties::default())).await;
    let (db, id) = (world.db.read(), Uuid::from_u128(1));
    let other = Store::incident(db, "2135010003", id, Lock::No).await;
    assert_eq!(other.expect("read"), None);
    let none = Store::incident(db, "2135010001", Uuid::from_u128(2), Lock::No).await;
    assert_eq!(none.expect("read"), None);
}

async fn what_is_due_next_is_found_by_its_instant(world: World) {
    let mut file = noticed(1, Casualties::default());
    file.receive(Receiver::District, Medium::Written, by(NOTICED + 2))
        .expect("received");
    keep(&world, &file).await;
    let due = file.next_due();
    let found = async |place: &str, overdue_at, confidential| {
        let filter = Filter {
            overdue_at: Some(overdue_at),
            confidential,
            ..Filter::default()
        };
        let found = Store::incidents(world.db.read(), place, &filter, None, 10).await;
        found.expect("read").len()
    };
    assert_eq!(
        found("fz", due, true).await,
        0,
        "the last instant is punctual"
    );
    assert_eq!(found("fz", due + 1, true).await, 1);
    assert_eq!(found("fz", due + 1, false).await, 0);
    assert_eq!(found("fz/350102/2135010001", due + 1, true).await, 1);
    for elsewhere in ["fz/35010", "fz/350103", "fz/350102/213501000", "f"] {
        assert_eq!(found(elsewhere, due + 1, true).await, 0, "{elsewhere}");
    }
}

async fn whoever_handled_one_is_known(world: World) {
    let mut file = noticed(1, Casualties::default());
    let id = file.incident.id;
    let told = file.tell(
        (Receiver::Police, Medium::Phone),
        "",
        Doer {
            actor: "teller",
            ..by(NOTICED)
        },
    );
    let told = told.expect("told").expect("an event");
    let (tables, terms) = (Tables::shipped().expect("tables"), Terms::default());
    let judge = Judge {
        tables: &tables,
        terms: &terms,
    };
    let confirmed = file.confirm(
        None,
        None,
        judge,
        Doer {
            actor: "grader",
            ..by(NOTICED)
        },
    );
    let responded = file.respond(by(NOTICED));
    let events = vec![
        told,
        confirmed.expect("confirmed"),
        responded.expect("responded"),
    ];
    let tx = world.db.begin().await.expect("a transaction");
    Store::save_incident(&tx, &file, 0).await.expect("kept");
    Store::add_incident_events(&tx, id, events)
        .await
        .expect("kept");
    for (actor, handled) in [
        ("staff-1", true),
        ("teller", false),
        ("grader", false),
        ("", false),
    ] {
        let found = Store::handled_incident(&tx, id, actor).await;
        assert_eq!(found.expect("read"), handled, "{actor}");
    }
    tx.commit().await.expect("committed");
}
