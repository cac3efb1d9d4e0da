//! Who has a hand in a destruction.

use std::time::Duration;

use kit::auth::{Caller, Issuer, Role};
use kit::clock::Clock;
use proto::roster as pb;
use proto::roster::destruction_report::CategoryReport;
use proto::roster::destruction_service_client::DestructionServiceClient;
use proto::roster::emergency_service_client::EmergencyServiceClient;
use tonic::Status;

use crate::desk::{CITY, Desk, Door, reason};

pub(crate) type Jobs = DestructionServiceClient<Door>;

/// Somebody of the city by name.
pub(crate) fn door(desk: &Desk, subject: &str, role: Role) -> Door {
    let scope = match role {
        Role::Service => "".parse(),
        _ => CITY.parse(),
    };
    let caller = Caller {
        second_factor: true,
        ..Caller::new(subject, vec![role], scope.expect("a place"))
    };
    let day = Duration::from_secs(24 * 3600);
    desk.door(&Issuer::development().issue(caller, desk.clock.now(), day))
}

pub(crate) fn emergencies(desk: &Desk) -> EmergencyServiceClient<Door> {
    EmergencyServiceClient::new(door(desk, "ann", Role::CityOfficer))
}

pub(crate) fn jobs(desk: &Desk, subject: &str, role: Role) -> Jobs {
    DestructionServiceClient::new(door(desk, subject, role))
}

pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    reason(&answer.expect_err("refused"))
}

pub(crate) async fn declare(desk: &Desk) -> Result<pb::Emergency, Status> {
    let request = pb::DeclareEmergencyRequest {
        emergency: Some(pb::Emergency {
            display_name: "疫情防控应急响应".to_owned(),
            legal_basis: "市政府2022年第1号令".to_owned(),
            ..pb::Emergency::default()
        }),
        request_id: String::new(),
    };
    let declared = emergencies(desk).declare_emergency(request).await?;
    Ok(declared.into_inner())
}

pub(crate) async fn end(desk: &Desk, name: &str) -> Result<pb::Emergency, Status> {
    let request = pb::EndEmergencyRequest {
        name: name.to_owned(),
        reason: "响应终止".to_owned(),
        request_id: String::new(),
    };
    Ok(emergencies(desk).end_emergency(request).await?.into_inner())
}

/// An emergency that was declared and ended.
pub(crate) async fn over(desk: &Desk) -> pb::Emergency {
    let declared = declare(desk).await.expect("declared");
    desk.clock.advance(chrono::Duration::days(30));
    end(desk, &declared.name).await.expect("ended")
}

pub(crate) async fn propose(desk: &Desk, emergency: &str) -> Result<pb::DestructionJob, Status> {
    let request = pb::ProposeDestructionRequest {
        emergency: emergency.to_owned(),
        reason: "突发事件应对法第八十五条".to_owned(),
        request_id: String::new(),
    };
    let mut jobs = jobs(desk, "ann", Role::CityOfficer);
    Ok(jobs.propose_destruction(request).await?.into_inner())
}

pub(crate) async fn assess(
    desk: &Desk,
    name: &str,
    keeps: Vec<pb::KeptCategory>,
) -> Result<pb::DestructionJob, Status> {
    let request = pb::AssessDestructionRequest {
        name: name.to_owned(),
        keeps,
        statement: "合法性、必要性、安全性评估通过".to_owned(),
        request_id: String::new(),
    };
    let mut jobs = jobs(desk, "ann", Role::CityOfficer);
    Ok(jobs.assess_destruction(request).await?.into_inner())
}

pub(crate) async fn approve(
    desk: &Desk,
    (subject, role): (&str, Role),
    name: &str,
    capacity: pb::ApprovalCapacity,
) -> Result<pb::DestructionJob, Status> {
    let request = pb::ApproveDestructionRequest {
        name: name.to_owned(),
        capacity: capacity.into(),
        request_id: String::new(),
    };
    let mut jobs = jobs(desk, subject, role);
    Ok(jobs.approve_destruction(request).await?.into_inner())
}

pub(crate) async fn run(desk: &Desk, name: &str) -> Result<pb::DestructionJob, Status> {
    let request = pb::RunDestructionRequest {
        name: name.to_owned(),
        request_id: String::new(),
    };
    let mut jobs = jobs(desk, "ops", Role::SystemAdmin);
    Ok(jobs.run_destruction(request).await?.into_inner())
}

/// What a service says that destroyed everything; `exposed` rows were no secrets.
pub(crate) fn report(desk: &Desk, service: &str, exposed: i64) -> pb::DestructionReport {
    let (_, categories) = roster::domain::destruction::SERVICES
        .iter()
        .find(|(known, _)| *known == service)
        .expect("a service");
    let told = categories.iter().map(|category| CategoryReport {
        category: (*category).to_owned(),
        destroyed_count: 12,
        exposed_count: exposed,
        ..CategoryReport::default()
    });
    pb::DestructionReport {
        service: service.to_owned(),
        categories: told.collect(),
        finish_time: Some(kit::field::to_timestamp(desk.clock.now())),
        ..pb::DestructionReport::default()
    }
}

pub(crate) async fn tell(
    desk: &Desk,
    name: &str,
    report: pb::DestructionReport,
) -> Result<(), Status> {
    let subject = report.service.clone();
    let request = pb::ReportDestructionRequest {
        name: name.to_owned(),
        report: Some(report),
        request_id: String::new(),
    };
    let mut jobs = jobs(desk, &subject, Role::Service);
    jobs.report_destruction(request).await.map(|_| ())
}

pub(crate) async fn confirm(
    desk: &Desk,
    name: &str,
    finding: pb::backup_check::Finding,
) -> Result<pb::DestructionJob, Status> {
    let request = pb::ConfirmDestructionRequest {
        name: name.to_owned(),
        backup_checks: vec![pb::BackupCheck {
            backup: "每晚全量备份".to_owned(),
            finding: finding.into(),
        }],
        statement: "逐类核对数量与抽样".to_owned(),
        request_id: String::new(),
    };
    let mut jobs = jobs(desk, "aud", Role::AuditAdmin);
    Ok(jobs.confirm_destruction(request).await?.into_inner())
}

/// A job that runs.
pub(crate) async fn running(desk: &Desk) -> pb::DestructionJob {
    use pb::ApprovalCapacity::{Bureau, Security};
    let over = over(desk).await;
    let job = propose(desk, &over.name).await.expect("proposed");
    assess(desk, &job.name, Vec::new()).await.expect("assessed");
    let approved = approve(desk, ("bob", Role::CityOfficer), &job.name, Bureau).await;
    approved.expect("approved");
    let approved = approve(desk, ("eve", Role::SecurityAdmin), &job.name, Security).await;
    approved.expect("approved");
    run(desk, &job.name).await.expect("runs")
}
