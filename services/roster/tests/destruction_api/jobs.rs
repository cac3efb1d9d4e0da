//! The life of a job through the hands of those who may.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use kit::auth::Role;
use proto::roster as pb;
use proto::roster::ApprovalCapacity::{Bureau, Security};
use proto::roster::destruction_job::State;
use proto::roster::roster_event::State as Fact;

use crate::desk::follow::Follower;
use crate::desk::{Desk, desk_suite};
use crate::people::{
    approve, assess, confirm, declare, door, jobs, over, propose, refused, report, run, running,
    tell,
};

async fn nothing_runs_before_two_persons_agreed(desk: Desk) {
    desk.plant().await;
    let over = over(&desk).await;
    let job = propose(&desk, &over.name).await.unwrap();
    assert_eq!((job.state(), &job.emergency), (State::Proposed, &over.name));
    let name = job.name;
    let early = approve(&desk, ("bob", Role::CityOfficer), &name, Bureau).await;
    assert_eq!(refused(early), "DESTRUCTION_STATE");
    assess(&desk, &name, Vec::new()).await.unwrap();
    assert_eq!(refused(run(&desk, &name).await), "DESTRUCTION_STATE");
    let own = approve(&desk, ("ann", Role::CityOfficer), &name, Bureau).await;
    assert_eq!(refused(own), "DESTRUCTION_SAME_PERSON");
    let job = approve(&desk, ("bob", Role::CityOfficer), &name, Bureau).await;
    assert_eq!(job.unwrap().state(), State::Assessed);
    assert_eq!(refused(run(&desk, &name).await), "DESTRUCTION_STATE");
    let second = approve(&desk, ("bea", Role::CityOfficer), &name, Bureau).await;
    assert_eq!(refused(second), "DESTRUCTION_SAME_PERSON");
    let other = approve(&desk, ("bob", Role::CityOfficer), &name, Security).await;
    assert_eq!(
        refused(other),
        "SCOPE_DENIED",
        "an officer is no security administrator"
    );
    let job = approve(&desk, ("eve", Role::SecurityAdmin), &name, Security).await;
    assert_eq!(job.unwrap().state(), State::Approved);
    let job = run(&desk, &name).await.unwrap();
    assert_eq!(job.state(), State::Running);
    let awaited = ["safety-inspection", "sampling", "notification"];
    assert_eq!(job.awaited_services, awaited);
    let verbs: Vec<&str> = job.events.iter().map(|event| &*event.verb).collect();
    assert_eq!(
        verbs,
        ["PROPOSED", "ASSESSED", "APPROVED", "APPROVED", "STARTED"]
    );
}

async fn an_emergency_has_one_job_that_stands(desk: Desk) {
    desk.plant().await;
    let open = declare(&desk).await.unwrap();
    assert_eq!(refused(propose(&desk, &open.name).await), "EMERGENCY_OPEN");
    crate::people::end(&desk, &open.name).await.unwrap();
    let job = propose(&desk, &open.name).await.unwrap();
    let again = propose(&desk, &open.name).await;
    assert_eq!(refused(again), "DESTRUCTION_UNDER_WAY");
    let reject = pb::RejectDestructionRequest {
        name: job.name.clone(),
        reason: "评估不足".to_owned(),
        request_id: String::new(),
    };
    let mut eve = jobs(&desk, "eve", Role::SecurityAdmin);
    let rejected = eve.reject_destruction(reject).await.unwrap();
    assert_eq!(rejected.into_inner().state(), State::Rejected);
    let second = propose(&desk, &open.name).await.unwrap();
    let withdraw = pb::WithdrawDestructionRequest {
        name: second.name.clone(),
        reason: "口径有误".to_owned(),
        request_id: String::new(),
    };
    let mut bob = jobs(&desk, "bob", Role::CityOfficer);
    let answer = bob.withdraw_destruction(withdraw.clone()).await;
    assert_eq!(refused(answer), "DESTRUCTION_SAME_PERSON");
    let mut ann = jobs(&desk, "ann", Role::CityOfficer);
    ann.withdraw_destruction(withdraw).await.unwrap();
    propose(&desk, &open.name).await.unwrap();
    let request = pb::ListDestructionJobsRequest::default();
    let listed = ann.list_destruction_jobs(request).await.unwrap();
    let states: Vec<State> = listed
        .into_inner()
        .destruction_jobs
        .iter()
        .map(pb::DestructionJob::state)
        .collect();
    assert_eq!(states, [State::Proposed, State::Withdrawn, State::Rejected]);
}

async fn what_is_kept_has_a_legal_reason_and_is_ordered_so(desk: Desk) {
    desk.plant().await;
    let over = over(&desk).await;
    let mut heard = Follower::settled(&desk, door(&desk, "safety", Role::Service)).await;
    let job = propose(&desk, &over.name).await.unwrap();
    let keep = |category: &str, legal_reason: &str| pb::KeptCategory {
        service: "sampling".to_owned(),
        category: category.to_owned(),
        legal_reason: legal_reason.to_owned(),
    };
    let answer = assess(&desk, &job.name, vec![keep("holds", "")]).await;
    assert_eq!(refused(answer), "INVALID_FIELD");
    let named = keep("holds", "当事人 13800138000 申请复议");
    let answer = assess(&desk, &job.name, vec![named]).await;
    assert_eq!(
        refused(answer),
        "INVALID_FIELD",
        "a certificate names nobody"
    );
    let answer = assess(&desk, &job.name, vec![keep("marks", "无此类别")]).await;
    assert_eq!(refused(answer), "DESTRUCTION_CATEGORY");
    let kept = keep("holds", "行政复议尚未终结");
    assess(&desk, &job.name, vec![kept.clone()]).await.unwrap();
    let approvals = [
        ("bob", Role::CityOfficer, Bureau),
        ("eve", Role::SecurityAdmin, Security),
    ];
    for (subject, role, capacity) in approvals {
        let approved = approve(&desk, (subject, role), &job.name, capacity).await;
        approved.unwrap();
    }
    run(&desk, &job.name).await.unwrap();
    let event = heard.heard().await;
    let Some(Fact::DestructionOrder(order)) = event.state else {
        panic!("nothing was ordered: {event:?}");
    };
    assert_eq!(order.destruction_job, job.name);
    assert_eq!(order.emergency, Some(over));
    assert_eq!(order.keeps, [kept]);
}

async fn it_is_confirmed_when_every_service_left_nothing(desk: Desk) {
    use pb::backup_check::Finding::{Deleted, KeyAbsent};
    desk.plant().await;
    let name = running(&desk).await.name;
    let answer = confirm(&desk, &name, KeyAbsent).await;
    assert_eq!(refused(answer), "DESTRUCTION_INCOMPLETE");
    let mut left = report(&desk, "sampling", 3);
    left.categories[0].remaining_count = 1;
    tell(&desk, &name, left).await.unwrap();
    for service in ["safety-inspection", "notification"] {
        tell(&desk, &name, report(&desk, service, 0)).await.unwrap();
        let answer = confirm(&desk, &name, KeyAbsent).await;
        assert_eq!(refused(answer), "DESTRUCTION_INCOMPLETE");
    }
    tell(&desk, &name, report(&desk, "sampling", 3))
        .await
        .unwrap();
    let answer = confirm(&desk, &name, KeyAbsent).await;
    assert_eq!(refused(answer), "DESTRUCTION_BACKUPS", "backups show rows");
    let job = confirm(&desk, &name, Deleted).await.unwrap();
    assert_eq!(job.state(), State::Confirmed);
    let late = tell(&desk, &name, report(&desk, "sampling", 0)).await;
    assert_eq!(refused(late), "DESTRUCTION_STATE");
}

async fn each_step_takes_its_own_role(desk: Desk) {
    desk.plant().await;
    let name = running(&desk).await.name;
    let get = pb::GetDestructionJobRequest { name: name.clone() };
    for role in [Role::DistrictOfficer, Role::Principal, Role::Service] {
        let mut other = jobs(&desk, "zoe", role);
        let answer = other.get_destruction_job(get.clone()).await;
        assert_eq!(refused(answer), "SCOPE_DENIED", "{role}");
    }
    let run = pb::RunDestructionRequest {
        name: name.clone(),
        request_id: String::new(),
    };
    let certify = pb::CertifyDestructionRequest {
        name: name.clone(),
        request_id: String::new(),
    };
    for role in [Role::CityOfficer, Role::SecurityAdmin] {
        let mut other = jobs(&desk, "zoe", role);
        let answer = other.run_destruction(run.clone()).await;
        assert_eq!(refused(answer), "SCOPE_DENIED", "{role}");
        let answer = other.certify_destruction(certify.clone()).await;
        assert_eq!(refused(answer), "SCOPE_DENIED", "{role}");
        let tell = pb::ReportDestructionRequest {
            name: name.clone(),
            report: Some(report(&desk, "sampling", 0)),
            request_id: String::new(),
        };
        let answer = other.report_destruction(tell).await;
        assert_eq!(refused(answer), "SCOPE_DENIED", "{role}");
    }
}

desk_suite!(
    nothing_runs_before_two_persons_agreed,
    an_emergency_has_one_job_that_stands,
    what_is_kept_has_a_legal_reason_and_is_ordered_so,
    it_is_confirmed_when_every_service_left_nothing,
    each_step_takes_its_own_role,
);
