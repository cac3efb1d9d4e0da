//! The audit log as callers, auditors and thieves see it, on both databases.

#[path = "audit/auditors.rs"]
mod auditors;
#[path = "audit/glass.rs"]
mod glass;
#[path = "audit/missed.rs"]
mod missed;
#[path = "audit/town.rs"]
mod town;

use std::time::Duration;

use kit::auth::{PURPOSE, Role};
use kit::db::Database;
use kit::server::REFUSED;
use proto::audit::AuditRecord;
use proto::audit::audit_record::Kind;
use proto::sampling::ListHoldsRequest;
use tonic::Code;

use town::{HOLD, ID, Migrator, PLACE, SERVICE, Town, get, number, release, rows, signed};

/// What must never stand in the log.
const PLANTED: [&str; 4] = ["13800138000", "350102201609019990", "林小满", "linxiaoman"];

kit::store_suite!(Migrator;
    a_read_is_durable_before_its_answer,
    an_act_is_recorded_once_with_its_effect,
    an_act_that_its_transaction_forgot_is_recorded_beside_it,
    a_refusal_is_recorded_and_its_flood_is_not,
    what_the_door_refuses_is_recorded_and_never_runs,
    nothing_leaves_when_it_cannot_be_recorded,
    nothing_personal_stands_in_the_log,
);

async fn a_read_is_durable_before_its_answer(db: Database) {
    let town = Town::open(db).await;
    let mut asked = signed(Role::SchoolDoctor, PLACE, get(HOLD));
    let metadata = asked.metadata_mut();
    metadata.insert(PURPOSE, "care".parse().expect("it is answered"));
    town.holds().get_hold(asked).await.expect("it is answered");
    assert_eq!(rows(&town.db).await, 1);
    let records = town.records().await;
    let expected = AuditRecord {
        service: SERVICE.to_owned(),
        sequence: 1,
        time: records[0].time,
        subject: "test-school-doctor".to_owned(),
        roles: vec!["school-doctor".to_owned()],
        scope: PLACE.to_owned(),
        purpose: "care".to_owned(),
        method: "/campus.sampling.v1.HoldService/GetHold".to_owned(),
        kind: Kind::Read.into(),
        resources: vec![HOLD.to_owned()],
        resource_count: 1,
        place: PLACE.to_owned(),
        call_count: 1,
        previous_hash: vec![0; 32].into(),
        hash: records[0].hash.clone(),
        ..AuditRecord::default()
    };
    assert_eq!(records, [expected]);
    let missing = signed(Role::SchoolDoctor, PLACE, ListHoldsRequest::default());
    town.holds()
        .list_holds(missing)
        .await
        .expect_err("it is refused");
    assert_eq!(town.records().await.len(), 1, "nothing was read");
    town.running.stop().await.expect("it is answered");
}

async fn an_act_is_recorded_once_with_its_effect(db: Database) {
    let town = Town::open(db).await;
    let act = |reason, id| signed(Role::SchoolDoctor, PLACE, release(reason, id));
    let officer = |reason, id| signed(Role::CityOfficer, "", release(reason, id));
    town.holds()
        .release_hold(act("negative", ID))
        .await
        .expect_err("it is refused");
    let failed = town.holds().release_hold(officer("fail", ID)).await;
    assert_eq!(failed.expect_err("it is refused").code(), Code::Aborted);
    for _ in 0..3 {
        town.holds()
            .release_hold(officer("negative", ID))
            .await
            .expect("it is answered");
    }
    town.holds()
        .release_hold(officer("negative", ""))
        .await
        .expect("it is answered");
    let records = town.settled(3).await;
    let acts: Vec<_> = records
        .iter()
        .filter(|record| record.kind() == Kind::Act)
        .map(|record| (record.request_id.as_str(), record.beside, &*record.place))
        .collect();
    assert_eq!(acts, [(ID, false, PLACE), ("", false, PLACE)]);
    town.running.stop().await.expect("it is answered");
}

async fn an_act_that_its_transaction_forgot_is_recorded_beside_it(db: Database) {
    let town = Town::open(db).await;
    let forgetting = signed(Role::CityOfficer, "", release("forget", ID));
    town.holds()
        .release_hold(forgetting)
        .await
        .expect("it is answered");
    assert_eq!(rows(&town.db).await, 1);
    let records = town.records().await;
    assert_eq!((records[0].kind(), records[0].beside), (Kind::Act, true));
    town.running.stop().await.expect("it is answered");
}

async fn a_refusal_is_recorded_and_its_flood_is_not(db: Database) {
    let town = Town::open(db).await;
    for _ in 0..50 {
        let asked = signed(Role::Student, PLACE, get(HOLD));
        let refused = town
            .holds()
            .get_hold(asked)
            .await
            .expect_err("it is refused");
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
    let records = town.settled(1).await;
    let [record] = &records[..] else {
        panic!("one record: {records:?}");
    };
    let told = (record.kind(), record.code, &*record.error_reason);
    assert_eq!(told, (Kind::Refused, 7, "SCOPE_DENIED"));
    // What was counted is written when the service stops, at the latest when the minute is over.
    town.running.stop().await.expect("it is answered");
    let part = |table| format!("(SELECT COALESCE(sum(call_count), 0) FROM {table} WHERE kind = 3)");
    let (pending, records) = (part("audit_pending"), part("audit_records"));
    let sql = format!("SELECT CAST({pending} + {records} AS BIGINT)");
    let counted = async {
        while number(&town.db, &sql).await < 50 {
            tokio::task::yield_now().await;
        }
    };
    let counted = tokio::time::timeout(Duration::from_secs(30), counted).await;
    counted.expect("what was counted is written");
    assert_eq!(number(&town.db, &sql).await, 50);
}

async fn what_the_door_refuses_is_recorded_and_never_runs(db: Database) {
    let town = Town::open(db).await;
    for _ in 0..2 {
        // Whoever may do it, and is refused by the agreement with a partner.
        let mut asked = signed(Role::CityOfficer, "", release("negative", ID));
        let says = "true".parse().expect("a header");
        asked.metadata_mut().insert(REFUSED, says);
        let refused = town.holds().release_hold(asked).await;
        let refused = refused.expect_err("it is refused");
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
    let records = town.settled(1).await;
    let [record] = &records[..] else {
        panic!("one record: {records:?}");
    };
    let told = (record.kind(), record.code, &*record.error_reason);
    assert_eq!(told, (Kind::Refused, 7, "SCOPE_DENIED"));
    let who = (&*record.subject, &*record.method);
    let method = "/campus.sampling.v1.HoldService/ReleaseHold";
    assert_eq!(who, ("test-city-officer", method));
    assert_eq!(record.resources, Vec::<String>::new(), "nobody looked");
    town.running.stop().await.expect("it is answered");
}

async fn nothing_leaves_when_it_cannot_be_recorded(db: Database) {
    let town = Town::open(db).await;
    town.db.close().await;
    let asked = signed(Role::SchoolDoctor, PLACE, get(HOLD));
    let refused = town
        .holds()
        .get_hold(asked)
        .await
        .expect_err("it is refused");
    assert_eq!(refused.code(), Code::Unavailable);
    let forgetting = signed(Role::CityOfficer, "", release("forget", ID));
    let refused = town
        .holds()
        .release_hold(forgetting)
        .await
        .expect_err("it is refused");
    assert_eq!(refused.code(), Code::Unavailable);
    town.running.stop().await.expect("it is answered");
}

async fn nothing_personal_stands_in_the_log(db: Database) {
    let town = Town::open(db).await;
    for planted in PLANTED {
        for name in [planted.to_owned(), format!("holds/{planted}")] {
            // A word of plain letters behind a collection is what opaque identifiers look like.
            if name == "holds/linxiaoman" {
                continue;
            }
            let asked = signed(Role::SchoolDoctor, PLACE, get(&name));
            town.holds().get_hold(asked).await.expect("it is answered");
        }
        let mut message = release(planted, "");
        message.decided_by = planted.to_owned();
        let asked = signed(Role::CityOfficer, "", message);
        town.holds()
            .release_hold(asked)
            .await
            .expect("it is answered");
    }
    let records = town.settled(11).await;
    assert_eq!(records.len(), 11);
    let told = format!("{records:?}");
    for planted in PLANTED {
        assert!(!told.contains(planted), "{planted}");
    }
    town.running.stop().await.expect("it is answered");
}
