//! What stands in the audit logs at the end of a day.

use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Datelike as _;
use kit::audit::SigningKey;
use kit::auth::{BREAK_GLASS, Role};
use proto::audit::audit_record::Kind;
use proto::audit::{AuditFilter, AuditRecord};
use proto::gateway::audit_service_client::AuditServiceClient;
use proto::gateway::{SearchAuditRequest, VerifyAuditRequest};
use proto::notification::alert_service_client::AlertServiceClient;
use proto::notification::{ListAlertsRequest, alert};
use proto::roster::GetStudentRequest;
use proto::roster::student_service_client::StudentServiceClient;
use proto::sampling::GetHoldRequest;
use proto::sampling::hold_service_client::HoldServiceClient;
use standalone::audit::{AuditCommand, GatewayArgs, VerifyArgs, YearArgs};
use standalone::house::AuthorityArgs;
use tests::city::{City, Door};
use tests::town::{CITY, DISTRICT, school_path};
use tests::{every, until};
use tonic::{Code, Request};

/// Every record that `filter` lets through, of all services.
pub(crate) async fn search(
    client: &AuditServiceClient<Door>,
    filter: AuditFilter,
) -> Vec<AuditRecord> {
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

/// The compliance audit of the year is written by the command, says what was done that day, and verifies without any
/// service (rule 6.8).
pub(crate) async fn the_year_is_audited(city: &City) {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("year");
    let (gateway, token) = city.desk(Role::AuditAdmin, "");
    let gateway = GatewayArgs {
        gateway,
        authority: AuthorityArgs::default(),
        token: Some(token),
    };
    let args = YearArgs {
        year: city.town.today.year(),
        out: out.clone(),
        organization: CITY.to_owned(),
        gateway: gateway.clone(),
    };
    let ended = standalone::audit::run(AuditCommand::Year(args)).await;
    succeeded(ended.expect("written"));
    let text = |name: &str| std::fs::read_to_string(out.join(name)).expect("a file");
    for (name, word) in [
        ("reads.jsonl", "/campus.sampling.v1.HoldService/GetHold"),
        ("break-glass.jsonl", "an emergency at the school"),
        ("report.md", "个人信息合规审计报告"),
    ] {
        assert!(text(name).contains(word), "{name}: {word}");
    }
    // A log that is younger than a minute is not signed yet; some key has to be given all the same.
    let some = SigningKey::from_bytes(&[7; 32]).verifying_key();
    let mut keys = vec![STANDARD.encode(some.as_bytes())];
    let chains = text("chains.jsonl");
    assert_eq!(chains.lines().count(), 4);
    for chain in chains.lines() {
        let chain: serde_json::Value = serde_json::from_str(chain).expect("JSON");
        assert_eq!(chain["fault"], serde_json::Value::Null, "{chain}");
        assert!(chain["records"].as_i64() > Some(0), "{chain}");
        for key in chain["keys"].as_array().expect("keys") {
            let digits = key.as_str().expect("digits");
            keys.push(STANDARD.encode(bytes(digits)));
        }
    }
    let args = VerifyArgs {
        file: Some(out.clone()),
        checkpoints: None,
        key: keys,
        gateway,
    };
    let verified = standalone::audit::run(AuditCommand::Verify(args.clone())).await;
    succeeded(verified.expect("verified"));
    std::fs::write(out.join("break-glass.jsonl"), "").expect("forged");
    let forged = standalone::audit::run(AuditCommand::Verify(args)).await;
    forged.expect_err("what was left out is missed");
}

/// The bytes of hexadecimal digits.
fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(pair, 16).expect("digits")
    };
    pairs.map(byte).collect()
}

fn succeeded(ended: ExitCode) {
    assert_eq!(format!("{ended:?}"), format!("{:?}", ExitCode::SUCCESS));
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

/// A laboratory tries the register, to which it has no door: the gateway refuses it, and who tried what is on record
/// at roster all the same.
pub(crate) async fn a_call_that_the_gateway_refuses_is_on_record(city: &City) {
    let code = "fz-lab-9";
    let mut students = StudentServiceClient::new(city.laboratory(code));
    let request = GetStudentRequest {
        name: city.student(1, 1, 1).to_owned(),
    };
    let refused = students.get_student(request).await;
    let refused = refused.expect_err("it is no matter of a laboratory");
    assert_eq!(refused.code(), Code::PermissionDenied);

    let client = AuditServiceClient::new(city.door(Role::AuditAdmin, ""));
    let filter = AuditFilter {
        subject: format!("test-{}", Role::Laboratory),
        kind: Kind::Refused.into(),
        method: "/campus.roster.v1.StudentService/GetStudent".to_owned(),
        ..AuditFilter::default()
    };
    let found = until("the refusal is on record", || async {
        search(&client, filter.clone()).await.pop()
    });
    let found = found.await;
    let told = (&*found.service, found.code, &*found.error_reason);
    assert_eq!(told, ("roster", 7, "SCOPE_DENIED"));
    assert_eq!(found.partner, format!("laboratories/{code}"));
    assert_eq!(found.resources, Vec::<String>::new(), "nobody looked");
}
