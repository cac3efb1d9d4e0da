//! What auditors find in the log, and that they are recorded themselves.

use kit::audit::from_pb;
use kit::auth::Role;
use kit::db::Database;
use proto::audit::{AuditFilter, ExportRecordsRequest, SearchRecordsRequest, VerifyChainRequest};
use sea_orm::ConnectionTrait;
use tonic::Code;

use crate::town::{HOLD, Migrator, PLACE, SERVICE, Town, chained, get, signed};

kit::store_suite!(Migrator;
    auditors_search_verify_and_export_and_are_recorded,
    an_auditor_of_a_district_sees_no_other,
);

async fn auditors_search_verify_and_export_and_are_recorded(db: Database) {
    let town = Town::open(db).await;
    for _ in 0..5 {
        let asked = signed(Role::SchoolDoctor, PLACE, get(HOLD));
        town.holds().get_hold(asked).await.expect("it is answered");
    }
    chained(&town.db).await;
    let filter = AuditFilter {
        resource: HOLD.to_owned(),
        ..AuditFilter::default()
    };
    let mut request = SearchRecordsRequest {
        filter: Some(filter),
        page_size: 2,
        page_token: String::new(),
    };
    let mut found = Vec::new();
    loop {
        let asked = signed(Role::AuditAdmin, "", request.clone());
        let page = town
            .log()
            .search_records(asked)
            .await
            .expect("it is answered")
            .into_inner();
        found.extend(page.records.iter().map(|record| record.sequence));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(found, [5, 4, 3, 2, 1]);
    let own = AuditFilter {
        method: "/campus.safety.v1.GateService/CheckEntry".to_owned(),
        ..AuditFilter::default()
    };
    let own = SearchRecordsRequest {
        filter: Some(own),
        ..SearchRecordsRequest::default()
    };
    let own = town
        .log()
        .search_records(signed(Role::AuditAdmin, "", own))
        .await;
    assert_eq!(
        own.expect("it is answered").into_inner().own_record,
        "gate_decisions"
    );

    chained(&town.db).await;
    let whole = || signed(Role::AuditAdmin, "", VerifyChainRequest::default());
    let verdict = town
        .log()
        .verify_chain(whole())
        .await
        .expect("it is answered")
        .into_inner();
    assert_eq!((verdict.fault, verdict.last_sequence), (None, 9));
    let asked = signed(Role::AuditAdmin, "", ExportRecordsRequest::default());
    let mut export = town
        .log()
        .export_records(asked)
        .await
        .expect("it is answered")
        .into_inner();
    let mut exported = Vec::new();
    while let Some(piece) = export.message().await.expect("it is answered") {
        exported.extend(piece.records);
    }
    let mut verification = kit::audit::Verification::new(SERVICE, [], &[]).expect("it is answered");
    for record in exported {
        verification
            .push(&from_pb(record).expect("it is answered"))
            .expect("it is answered");
    }
    assert!(verification.finish().expect("it is answered").records >= 9);

    let tx = town.db.begin().await.expect("it is answered");
    let change = "UPDATE audit_records SET place = 'fz' WHERE sequence = 4";
    tx.execute_unprepared(change).await.expect("it is answered");
    tx.commit().await.expect("it is answered");
    let verdict = town
        .log()
        .verify_chain(whole())
        .await
        .expect("it is answered")
        .into_inner();
    assert_eq!(verdict.fault.expect("it is answered").sequence, 4);

    let readers = AuditFilter {
        subject: "test-audit-admin".to_owned(),
        ..AuditFilter::default()
    };
    let readers = SearchRecordsRequest {
        filter: Some(readers),
        ..SearchRecordsRequest::default()
    };
    chained(&town.db).await;
    let readers = signed(Role::AuditAdmin, "", readers);
    let readers = town
        .log()
        .search_records(readers)
        .await
        .expect("it is answered");
    assert!(readers.into_inner().records.len() >= 6);
    town.running.stop().await.expect("it is answered");
}

async fn an_auditor_of_a_district_sees_no_other(db: Database) {
    let town = Town::open(db).await;
    let asked = signed(Role::SchoolDoctor, PLACE, get(HOLD));
    town.holds().get_hold(asked).await.expect("it is answered");
    chained(&town.db).await;
    let search = |scope: &str, place: &str| {
        let filter = AuditFilter {
            place: place.to_owned(),
            ..AuditFilter::default()
        };
        let request = SearchRecordsRequest {
            filter: Some(filter),
            ..SearchRecordsRequest::default()
        };
        signed(Role::AuditAdmin, scope, request)
    };
    let own = town
        .log()
        .search_records(search("fz/350102", ""))
        .await
        .expect("it is answered");
    assert_eq!(own.into_inner().records.len(), 1);
    let next = town
        .log()
        .search_records(search("fz/350103", ""))
        .await
        .expect("it is answered");
    assert_eq!(next.into_inner().records.len(), 0);
    let refused = town
        .log()
        .search_records(search("fz/350103", "fz/350102"))
        .await;
    assert_eq!(
        refused.expect_err("it is refused").code(),
        Code::PermissionDenied
    );
    let refused = signed(Role::AuditAdmin, "fz/350102", VerifyChainRequest::default());
    let refused = town
        .log()
        .verify_chain(refused)
        .await
        .expect_err("it is refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let stranger = signed(Role::CityOfficer, "", SearchRecordsRequest::default());
    let refused = town
        .log()
        .search_records(stranger)
        .await
        .expect_err("it is refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    town.running.stop().await.expect("it is answered");
}
