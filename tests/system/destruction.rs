//! An emergency from its declaration to the certificate of its destruction, each step through the
//! gateway by somebody in their own role (rule 6.12, T21).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use kit::auth::{Caller, Role};
use kit::clock::{Clock, ManualClock, civil_date};
use kit::field::{to_date, to_timestamp};
use proto::notification::support_case::{CloseReason, Grade};
use proto::notification::support_service_client::SupportServiceClient;
use proto::notification::{
    CloseSupportCaseRequest, GetSupportCaseRequest, OpenSupportCaseRequest, SupportCase,
};
use proto::roster as pb;
use proto::roster::ApprovalCapacity::{Bureau, Security};
use proto::roster::backup_check::Finding;
use proto::roster::destruction_job::State;
use proto::roster::destruction_service_client::DestructionServiceClient;
use proto::roster::emergency_service_client::EmergencyServiceClient;
use proto::safety::visitor::DocumentKind;
use proto::safety::visitor_service_client::VisitorServiceClient;
use proto::safety::{CreateVisitRequest, GetVisitRequest, Visit, Visitor};
use tests::city::{City, Door, Store, caller};
use tests::town::{CITY, Town, school, school_path};
use tonic::Code;

use crate::verbs::told;

type Jobs = DestructionServiceClient<Door>;

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_is_destroyed_on_sqlite() {
    destroyed(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_is_destroyed_on_postgres() {
    destroyed(Store::Postgres).await;
}

/// Somebody of the city by name.
fn door(city: &City, subject: &str, role: Role) -> Door {
    city.door_of(Caller {
        subject: subject.to_owned(),
        ..caller(role, CITY)
    })
}

fn jobs(city: &City, subject: &str, role: Role) -> Jobs {
    DestructionServiceClient::new(door(city, subject, role))
}

/// A visitor asks at the gate of the first school.
async fn visit(city: &City, clock: &ManualClock) -> String {
    let guard = city.door(Role::Guard, &school_path(1));
    let now = clock.now();
    let visit = Visit {
        visitor: Some(Visitor {
            full_name: "林大山".to_owned(),
            document_kind: DocumentKind::ResidentCard.into(),
            document_number: "11010519491231002X".to_owned(),
            phone: "13800138000".to_owned(),
            ..Visitor::default()
        }),
        purpose: "检修电梯".to_owned(),
        urgent: true,
        host: city.staff(1, "校长").to_owned(),
        visit_date: Some(to_date(civil_date(now))),
        expected_leave_time: Some(to_timestamp(now + chrono::Duration::hours(2))),
        ..Visit::default()
    };
    let request = CreateVisitRequest {
        parent: format!("organizations/{}", school(1)),
        visit: Some(visit),
        request_id: String::new(),
    };
    let mut visits = VisitorServiceClient::new(guard);
    let asked = visits.create_visit(request).await.expect("asked for");
    asked.into_inner().name
}

fn counsellor(city: &City) -> SupportServiceClient<Door> {
    SupportServiceClient::new(city.door(Role::Counsellor, &school_path(1)))
}

/// A counsellor of the first school opens a case, once the register has come to notification, and ends it.
async fn supported(city: &City) -> String {
    let mut support = counsellor(city);
    let open = OpenSupportCaseRequest {
        parent: format!("organizations/{}", school(1)),
        support_case: Some(SupportCase {
            person: city.staff(1, "校长").to_owned(),
            grade: Grade::Blue.into(),
            note: "连日值守，睡眠不佳".to_owned(),
            ..SupportCase::default()
        }),
        request_id: String::new(),
    };
    let mut name = String::new();
    until("opened", async || {
        let opened = support.open_support_case(open.clone()).await;
        name = opened.map_or_else(|_| String::new(), |case| case.into_inner().name);
        !name.is_empty()
    })
    .await;
    let close = CloseSupportCaseRequest {
        name: name.clone(),
        note: "情况稳定".to_owned(),
        reason: CloseReason::Left.into(),
        request_id: String::new(),
    };
    support.close_support_case(close).await.expect("ended");
    name
}

/// Waits for `holds`, at most half a minute.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..300 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never {what}");
}

async fn destroyed(store: Store) {
    let day = NaiveDate::from_ymd_opt(2022, 4, 6).expect("a day");
    let clock = ManualClock::morning_of(day);
    let town = Town {
        today: day,
        ..Town::of(1)
    };
    let Some(city) = City::rehearse(store, town, clock.clone()).await else {
        return;
    };
    let mut officer = EmergencyServiceClient::new(door(&city, "ann", Role::CityOfficer));
    let declare = pb::DeclareEmergencyRequest {
        emergency: Some(pb::Emergency {
            display_name: "疫情防控应急响应".to_owned(),
            legal_basis: "市政府2022年第1号令".to_owned(),
            ..pb::Emergency::default()
        }),
        request_id: String::new(),
    };
    let mut district = EmergencyServiceClient::new(city.door(Role::DistrictOfficer, CITY));
    let refused = district.declare_emergency(declare.clone()).await;
    assert_eq!(
        told(&refused.expect_err("a district")).0,
        Code::PermissionDenied
    );
    let emergency = officer.declare_emergency(declare).await.expect("declared");
    let emergency = emergency.into_inner().name;
    until("two secrets", async || city.emergency_secrets() == 2).await;
    let visited = visit(&city, &clock).await;
    let case = supported(&city).await;

    clock.advance(chrono::Duration::hours(1));
    let end = pb::EndEmergencyRequest {
        name: emergency.clone(),
        reason: "响应终止".to_owned(),
        request_id: String::new(),
    };
    officer.end_emergency(end).await.expect("ended");
    clock.advance(chrono::Duration::minutes(1));
    let later = visit(&city, &clock).await;

    let name = approved(&city, &emergency).await;
    let run = pb::RunDestructionRequest {
        name: name.clone(),
        request_id: String::new(),
    };
    let mut operator = jobs(&city, "ops", Role::SystemAdmin);
    operator.run_destruction(run).await.expect("runs");
    let get = pb::GetDestructionJobRequest { name: name.clone() };
    let mut audit = jobs(&city, "aud", Role::AuditAdmin);
    until("reported", async || {
        let job = audit.get_destruction_job(get.clone()).await;
        job.expect("read").into_inner().awaited_services.is_empty()
    })
    .await;
    assert_eq!(city.emergency_secrets(), 0, "the secrets are gone");
    let job = audit.get_destruction_job(get).await.expect("read");
    let job = job.into_inner();
    for (service, category) in [
        ("safety-inspection", "visits"),
        ("notification", "support-cases"),
    ] {
        let mut reports = job.reports.iter();
        let told = reports.find(|told| told.service == service);
        let told = told.expect("a report");
        let mut categories = told.categories.iter();
        let of = categories.find(|of| of.category == category);
        assert_eq!(of.map(|of| of.destroyed_count), Some(1), "{service}");
        assert!(told.key_destroy_time.is_some(), "{service}");
    }
    let mut help = counsellor(&city);
    let gone = help.get_support_case(GetSupportCaseRequest { name: case });
    assert_eq!(told(&gone.await.expect_err("destroyed")).0, Code::NotFound);
    let mut visits = VisitorServiceClient::new(city.door(Role::Guard, &school_path(1)));
    let gone = visits.get_visit(GetVisitRequest { name: visited }).await;
    assert_eq!(told(&gone.expect_err("destroyed")).0, Code::NotFound);
    visits
        .get_visit(GetVisitRequest { name: later })
        .await
        .expect("not of the emergency");

    certified(&mut audit, &name).await;
}

/// A job for the emergency that two persons approved.
async fn approved(city: &City, emergency: &str) -> String {
    let mut ann = jobs(city, "ann", Role::CityOfficer);
    let propose = pb::ProposeDestructionRequest {
        emergency: emergency.to_owned(),
        reason: "突发事件应对法第八十五条".to_owned(),
        request_id: String::new(),
    };
    let job = ann.propose_destruction(propose).await.expect("proposed");
    let name = job.into_inner().name;
    let assess = pb::AssessDestructionRequest {
        name: name.clone(),
        // They are over in days; until then the job would wait.
        keeps: vec![pb::KeptCategory {
            service: "notification".to_owned(),
            category: "messages".to_owned(),
            legal_reason: "网络安全法第二十一条：日志留存不少于六个月".to_owned(),
        }],
        statement: "合法性、必要性、安全性评估通过".to_owned(),
        request_id: String::new(),
    };
    ann.assess_destruction(assess).await.expect("assessed");
    let approve = |capacity: pb::ApprovalCapacity| pb::ApproveDestructionRequest {
        name: name.clone(),
        capacity: capacity.into(),
        request_id: String::new(),
    };
    let own = ann.approve_destruction(approve(Bureau)).await;
    let refused = told(&own.expect_err("the proposer"));
    assert_eq!(refused.1, "DESTRUCTION_SAME_PERSON");
    let mut bob = jobs(city, "bob", Role::CityOfficer);
    let once = bob.approve_destruction(approve(Bureau)).await;
    assert_eq!(
        once.expect("approved").into_inner().state(),
        State::Assessed
    );
    let mut eve = jobs(city, "eve", Role::SecurityAdmin);
    let twice = eve.approve_destruction(approve(Security)).await;
    assert_eq!(
        twice.expect("approved").into_inner().state(),
        State::Approved
    );
    name
}

/// Confirms and certifies a job, and verifies the certificate without any service.
async fn certified(audit: &mut Jobs, name: &str) {
    let confirm = pb::ConfirmDestructionRequest {
        name: name.to_owned(),
        backup_checks: vec![pb::BackupCheck {
            backup: "每晚全量备份".to_owned(),
            finding: Finding::Deleted.into(),
        }],
        statement: "逐类核对数量与抽样".to_owned(),
        request_id: String::new(),
    };
    audit.confirm_destruction(confirm).await.expect("confirmed");
    let certify = pb::CertifyDestructionRequest {
        name: name.to_owned(),
        request_id: String::new(),
    };
    let made = audit.certify_destruction(certify).await.expect("certified");
    let made = made.into_inner();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("certificate.json");
    let json = serde_json::json!({
        "manifest": STANDARD.encode(&made.manifest),
        "signature": STANDARD.encode(&made.signature),
    });
    std::fs::write(&file, json.to_string()).expect("written");
    let key = STANDARD.encode(&made.public_key);
    let job = standalone::destruction::verify(&file, &key).expect("valid");
    assert_eq!(job.reports().len(), 3);
    let other = STANDARD.encode([7; 32]);
    standalone::destruction::verify(&file, &other).expect_err("another key");
}
