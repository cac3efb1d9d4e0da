//! What stands in the audit logs at the end of a day.

use kit::auth::{BREAK_GLASS, Role};
use proto::audit::audit_record::Kind;
use proto::audit::{AuditFilter, AuditRecord};
use proto::gateway::audit_service_client::AuditServiceClient;
use proto::gateway::{SearchAuditRequest, VerifyAuditRequest};
use proto::notification::alert_service_client::AlertServiceClient;
use proto::notification::{ListAlertsRequest, alert};
use proto::sampling::GetHoldRequest;
use proto::sampling::hold_service_client::HoldServiceClient;
use tests::city::{City, Door};
use tests::town::{CITY, DISTRICT, school_path};
use tests::{every, until};
use tonic::Request;

/// Every record that `filter` lets through, of all services.
async fn search(client: &AuditServiceClient<Door>, filter: AuditFilter) -> Vec<AuditRecord> {
    let found = every(|page_token| {
        let mut client = client.clone();
        let request = SearchAuditRequest {
            filter: Some(filter.clone()),
            page_size: 1000,
            page_token,
        };
        async move {
            let page = client.search_audit(request).await?.into_inner();
            assert_eq!(page.unavailable_services, Vec::<String>::new());
            Ok((page.records, page.next_page_token))
        }
    });
    found.await.expect("records")
}

/// Reads and acts of those who worked are found by who, what and of whom; each act was recorded in its own
/// transaction; every chain verifies.
pub(crate) async fn the_day_is_on_record(city: &City, hold: &str) {
    let client = AuditServiceClient::new(city.door(Role::AuditAdmin, ""));
    for (role, kind, method, resource) in [
        (
            Role::CityOfficer,
            Kind::Act,
            "campus.sampling.v1.PlanService/CreatePlan",
            "",
        ),
        (
            Role::CityOfficer,
            Kind::Act,
            "campus.sampling.v1.DrawService/DrawDay",
            "",
        ),
        (
            Role::CityOfficer,
            Kind::Read,
            "campus.sampling.v1.HoldService/GetHold",
            hold,
        ),
        (
            Role::EpidemicReporter,
            Kind::Act,
            "campus.sampling.v1.DrawService/ReplaceAssignment",
            "",
        ),
        (
            Role::Laboratory,
            Kind::Act,
            "campus.sampling.v1.TubeService/IssueTubes",
            "",
        ),
        (
            Role::EpidemicReporter,
            Kind::Act,
            "campus.notification.v1.AlertService/AcknowledgeAlert",
            "",
        ),
    ] {
        let filter = AuditFilter {
            subject: format!("test-{role}"),
            kind: kind.into(),
            method: format!("/{method}"),
            resource: resource.to_owned(),
            ..AuditFilter::default()
        };
        until(&format!("{method} of {role} is on record"), || async {
            let found = search(&client, filter.clone()).await;
            (!found.is_empty()).then_some(())
        })
        .await;
    }
    let acts = AuditFilter {
        kind: Kind::Act.into(),
        ..AuditFilter::default()
    };
    let mut beside = search(&client, acts).await;
    beside.retain(|record| record.beside);
    let mut beside: Vec<String> = beside.into_iter().map(|record| record.method).collect();
    beside.sort();
    beside.dedup();
    assert_eq!(
        beside,
        Vec::<String>::new(),
        "not recorded with their effect"
    );

    let mut client = client;
    let verdicts = client.verify_audit(VerifyAuditRequest {}).await;
    let verdicts = verdicts.expect("verdicts").into_inner().verdicts;
    assert_eq!(verdicts.len(), 4);
    for verdict in verdicts {
        assert_eq!(verdict.fault, None, "{}", verdict.service);
        assert!(verdict.complete && verdict.record_count > 0, "{verdict:?}");
    }
}

/// A principal breaks the glass to read a hold: the reason, and what was read, are on record, and the bureau
/// above hears of it.
pub(crate) async fn a_broken_glass_is_seen(city: &City, hold: &str) {
    let mut holds = HoldServiceClient::new(city.door(Role::Principal, &school_path(1)));
    let mut asked = Request::new(GetHoldRequest {
        name: hold.to_owned(),
    });
    let why = "an emergency at the school".parse().expect("a header");
    asked.metadata_mut().insert(BREAK_GLASS, why);
    holds.get_hold(asked).await.expect("the hold");

    let client = AuditServiceClient::new(city.door(Role::AuditAdmin, ""));
    let of = |kind: Kind| AuditFilter {
        subject: format!("test-{}", Role::Principal),
        method: "/campus.sampling.v1.HoldService/GetHold".to_owned(),
        kind: kind.into(),
        ..AuditFilter::default()
    };
    let used = until("the use is on record", || async {
        search(&client, of(Kind::BreakGlass)).await.pop()
    });
    let used = used.await;
    assert_eq!(used.reason, "an emergency at the school");
    let read = until("what was read is on record", || async {
        let found = search(&client, of(Kind::Read)).await;
        let same = |record: &AuditRecord| record.trace_id == used.trace_id;
        found.into_iter().find(same)
    });
    let read = read.await;
    assert_eq!(
        (&*read.resources, read.time),
        (&[hold.to_owned()][..], used.time)
    );

    let bureau =
        AlertServiceClient::new(city.door(Role::DistrictOfficer, &format!("{CITY}/{DISTRICT}")));
    let alert = until("the bureau hears of it", || async {
        let request = ListAlertsRequest {
            parent: format!("organizations/{DISTRICT}"),
            kind: alert::Kind::BreakGlassUsed.into(),
            ..ListAlertsRequest::default()
        };
        let listed = bureau.clone().list_alerts(request).await;
        listed.expect("alerts").into_inner().alerts.pop()
    });
    let basis = format!("auditLogs/sampling/records/{}", used.sequence);
    assert_eq!(alert.await.basis, basis);
}
