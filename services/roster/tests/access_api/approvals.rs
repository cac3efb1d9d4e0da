//! The life of an approval through the hands of those who may.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use kit::auth::Role;
use proto::roster as pb;
use proto::roster::MinorData;
use proto::roster::access_approval::State;

use crate::desk::{Desk, desk_suite, fields};
use crate::hands::{
    DISTRICT, PLACE, ann, approvals, approve, approved, eve, in_days, refused, reject, request,
    revoke, wanted, with_purpose, withdraw,
};

async fn somebody_else_approves_for_a_time(desk: Desk) {
    desk.plant().await;
    let asked = request(&mut ann(&desk), wanted(&desk)).await.unwrap();
    assert_eq!(
        (asked.state(), &*asked.requester),
        (State::Requested, "ann")
    );
    let own = approve(&mut ann(&desk), &asked.name).await;
    assert_eq!(refused(own), "ACCESS_SAME_PERSON");
    let own = reject(&mut ann(&desk), &asked.name).await;
    assert_eq!(refused(own), "ACCESS_SAME_PERSON");
    let mut bob = approvals(&desk, "bob", Role::DistrictOfficer, PLACE);
    let other = withdraw(&mut bob, &asked.name).await;
    assert_eq!(refused(other), "ACCESS_SAME_PERSON");
    let longer = pb::ApproveAccessRequest {
        name: asked.name.clone(),
        expire_time: in_days(&desk, 11),
        request_id: String::new(),
    };
    let longer = eve(&desk).approve_access(longer).await;
    assert_eq!(refused(longer), "INVALID_FIELD");
    let shorter = pb::ApproveAccessRequest {
        name: asked.name.clone(),
        expire_time: in_days(&desk, 5),
        request_id: String::new(),
    };
    let given = eve(&desk).approve_access(shorter).await.unwrap();
    let given = given.into_inner();
    assert_eq!((given.state(), &*given.approver), (State::Approved, "eve"));
    assert_eq!(given.expire_time, in_days(&desk, 5));
    desk.clock.advance(chrono::Duration::days(5));
    let get = pb::GetAccessApprovalRequest { name: asked.name };
    let over = ann(&desk).get_access_approval(get).await.unwrap();
    assert_eq!(over.into_inner().state(), State::Expired);
}

async fn what_is_decided_stays_decided(desk: Desk) {
    desk.plant().await;
    let (mut ann, mut eve) = (ann(&desk), eve(&desk));
    let rejected = request(&mut ann, wanted(&desk)).await.unwrap().name;
    reject(&mut eve, &rejected).await.unwrap();
    let withdrawn = request(&mut ann, wanted(&desk)).await.unwrap().name;
    withdraw(&mut ann, &withdrawn).await.unwrap();
    let revoked = approved(&desk, wanted(&desk)).await.name;
    revoke(&mut eve, &revoked).await.unwrap();
    let expired = request(&mut ann, wanted(&desk)).await.unwrap().name;
    desk.clock.advance(chrono::Duration::days(10));
    for name in [&rejected, &withdrawn, &revoked, &expired] {
        let (mut ann, mut eve) = (crate::hands::ann(&desk), crate::hands::eve(&desk));
        let state = "ACCESS_STATE";
        assert_eq!(refused(approve(&mut eve, name).await), state, "{name}");
        assert_eq!(refused(reject(&mut eve, name).await), state, "{name}");
        assert_eq!(refused(revoke(&mut eve, name).await), state, "{name}");
        assert_eq!(refused(withdraw(&mut ann, name).await), state, "{name}");
    }
}

async fn what_is_asked_for_is_bounded_and_names_nobody_by_a_number(desk: Desk) {
    desk.plant().await;
    let mut ann = ann(&desk);
    let nothing = request(&mut ann, pb::AccessApproval::default()).await;
    let mut wrong = fields(&nothing.unwrap_err());
    wrong.sort();
    let expected = ["data", "expire_time", "purpose", "reason"];
    assert_eq!(
        wrong,
        expected.map(|field| format!("access_approval.{field}"))
    );
    let refusals = [
        (
            pb::AccessApproval {
                reason: "核查 13800138000".to_owned(),
                ..wanted(&desk)
            },
            "reason",
        ),
        (
            pb::AccessApproval {
                expire_time: in_days(&desk, 31),
                ..wanted(&desk)
            },
            "expire_time",
        ),
        (
            pb::AccessApproval {
                expire_time: in_days(&desk, 0),
                ..wanted(&desk)
            },
            "expire_time",
        ),
        (
            pb::AccessApproval {
                purpose: "curiosity".to_owned(),
                ..wanted(&desk)
            },
            "purpose",
        ),
        (
            pb::AccessApproval {
                data: vec![1, 1],
                ..wanted(&desk)
            },
            "data[1]",
        ),
        (
            pb::AccessApproval {
                persons: vec!["students/13800138000".to_owned()],
                ..wanted(&desk)
            },
            "persons[0]",
        ),
    ];
    for (asked, field) in refusals {
        let status = request(&mut ann, asked).await.unwrap_err();
        assert_eq!(fields(&status), [format!("access_approval.{field}")]);
    }
}

async fn each_sees_their_own_and_who_approves_or_audits_sees_all(desk: Desk) {
    desk.plant().await;
    let asked = approved(&desk, wanted(&desk)).await;
    let list = pb::ListAccessApprovalsRequest {
        parent: DISTRICT.to_owned(),
        ..pb::ListAccessApprovalsRequest::default()
    };
    let get = pb::GetAccessApprovalRequest {
        name: asked.name.clone(),
    };
    let uses = pb::ListAccessUsesRequest {
        parent: asked.name.clone(),
        ..pb::ListAccessUsesRequest::default()
    };
    for (subject, role, scope) in [
        ("ann", Role::DistrictOfficer, PLACE),
        ("eve", Role::SecurityAdmin, "fz"),
        ("aud", Role::AuditAdmin, "fz"),
    ] {
        let mut client = approvals(&desk, subject, role, scope);
        let listed = client.list_access_approvals(list.clone()).await.unwrap();
        assert_eq!(
            listed.into_inner().access_approvals,
            std::slice::from_ref(&asked)
        );
        let got = client.get_access_approval(get.clone()).await.unwrap();
        assert_eq!(got.into_inner(), asked);
        client.list_access_uses(uses.clone()).await.unwrap();
    }
    let mut control = approvals(&desk, "cdc", Role::DiseaseControl, PLACE);
    let listed = control.list_access_approvals(list.clone()).await.unwrap();
    assert_eq!(listed.into_inner().access_approvals, []);
    let got = control.get_access_approval(get.clone()).await;
    assert_eq!(refused(got), "NOT_FOUND");
    let listed = control.list_access_uses(uses.clone()).await;
    assert_eq!(refused(listed), "SCOPE_DENIED");
    let mut elsewhere = approvals(&desk, "zoe", Role::DistrictOfficer, "fz/350181");
    let listed = elsewhere.list_access_approvals(list).await;
    assert_eq!(refused(listed), "SCOPE_DENIED");
    let got = elsewhere.get_access_approval(get).await;
    assert_eq!(refused(got), "SCOPE_DENIED");
    let decided = approve(&mut elsewhere, &asked.name).await;
    assert_eq!(refused(decided), "SCOPE_DENIED");
}

async fn another_service_hears_of_an_approval_by_using_it(desk: Desk) {
    desk.plant().await;
    let health = pb::AccessApproval {
        data: vec![MinorData::Health.into()],
        ..wanted(&desk)
    };
    let given = approved(&desk, health).await;
    let showing = pb::UseAccessRequest {
        parent: "organizations/2135010001".to_owned(),
        data: MinorData::Health.into(),
        person: String::new(),
        method: "CaseService.ExportCase".to_owned(),
        request_id: String::new(),
    };
    let mut officer = ann(&desk);
    let used = officer.use_access(with_purpose("audit", showing.clone()));
    let used = used.await.unwrap().into_inner();
    assert_eq!(
        (&used.access_approval, used.expire_time),
        (&given.name, given.expire_time)
    );
    let daily = officer.use_access(with_purpose("prevention", showing.clone()));
    assert_eq!(refused(daily.await), "ACCESS_NOT_APPROVED");
    let unnamed = officer.use_access(showing.clone());
    assert_eq!(refused(unnamed.await), "ACCESS_NOT_APPROVED");
    let register = pb::UseAccessRequest {
        data: MinorData::Register.into(),
        ..showing.clone()
    };
    let register = officer.use_access(with_purpose("audit", register));
    assert_eq!(refused(register.await), "ACCESS_NOT_APPROVED");
    let mut colleague = approvals(&desk, "bob", Role::DistrictOfficer, PLACE);
    let other = colleague.use_access(with_purpose("audit", showing.clone()));
    assert_eq!(refused(other.await), "ACCESS_NOT_APPROVED");
    revoke(&mut eve(&desk), &given.name).await.unwrap();
    let late = officer.use_access(with_purpose("audit", showing));
    assert_eq!(refused(late.await), "ACCESS_NOT_APPROVED");
    let uses = pb::ListAccessUsesRequest {
        parent: given.name,
        ..pb::ListAccessUsesRequest::default()
    };
    let uses = eve(&desk)
        .list_access_uses(uses)
        .await
        .unwrap()
        .into_inner();
    let kept: Vec<_> = uses
        .access_uses
        .iter()
        .map(|one| (one.number, &*one.method))
        .collect();
    assert_eq!(kept, [(1, "CaseService.ExportCase")]);
}

desk_suite!(
    somebody_else_approves_for_a_time,
    what_is_decided_stays_decided,
    what_is_asked_for_is_bounded_and_names_nobody_by_a_number,
    each_sees_their_own_and_who_approves_or_audits_sees_all,
    another_service_hears_of_an_approval_by_using_it,
);
