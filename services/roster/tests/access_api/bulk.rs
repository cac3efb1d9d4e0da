//! The register itself keeps to approvals: many schools at once, and another purpose.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use kit::auth::Role;
use proto::roster as pb;
use proto::roster::guardian_service_client::GuardianServiceClient;
use proto::roster::student_service_client::StudentServiceClient;

use crate::desk::{Desk, Door, desk_suite};
use crate::hands::{DISTRICT, PLACE, approved, door, eve, refused, revoke, wanted, with_purpose};
use crate::people::{FUQING_THIRD, THIRD, enrol, plant};

fn students(desk: &Desk, subject: &str) -> StudentServiceClient<Door> {
    StudentServiceClient::new(door(desk, subject, Role::DistrictOfficer, PLACE))
}

fn all_of(parent: &str) -> pb::ListStudentsRequest {
    pb::ListStudentsRequest {
        parent: parent.to_owned(),
        ..pb::ListStudentsRequest::default()
    }
}

async fn many_schools_at_once_take_an_approval(desk: Desk) {
    plant(&desk).await;
    let here = enrol(&desk, THIRD, "").await;
    enrol(&desk, FUQING_THIRD, "").await;
    let mut ann = students(&desk, "ann");
    let school = ann.list_students(all_of("organizations/2135010001")).await;
    assert_eq!(
        school.unwrap().into_inner().students,
        std::slice::from_ref(&here),
        "daily work"
    );
    for purpose in ["administration", "audit"] {
        let answer = ann.list_students(with_purpose(purpose, all_of(DISTRICT)));
        assert_eq!(refused(answer.await), "ACCESS_NOT_APPROVED", "{purpose}");
    }
    let given = approved(&desk, wanted(&desk)).await;
    let seen = ann.list_students(with_purpose("audit", all_of(DISTRICT)));
    assert_eq!(seen.await.unwrap().into_inner().students, [here]);
    let unnamed = ann.list_students(all_of(DISTRICT)).await;
    assert_eq!(
        refused(unnamed),
        "ACCESS_NOT_APPROVED",
        "for another purpose"
    );
    let mut bob = students(&desk, "bob");
    let other = bob.list_students(with_purpose("audit", all_of(DISTRICT)));
    assert_eq!(
        refused(other.await),
        "ACCESS_NOT_APPROVED",
        "of somebody else"
    );
    revoke(&mut eve(&desk), &given.name).await.unwrap();
    let late = ann.list_students(with_purpose("audit", all_of(DISTRICT)));
    assert_eq!(refused(late.await), "ACCESS_NOT_APPROVED", "revoked");
    let uses = pb::ListAccessUsesRequest {
        parent: given.name,
        ..pb::ListAccessUsesRequest::default()
    };
    let uses = eve(&desk)
        .list_access_uses(uses)
        .await
        .unwrap()
        .into_inner();
    let kept = uses
        .access_uses
        .into_iter()
        .map(|one| (one.method, one.organization));
    let expected = (
        "StudentService.ListStudents".to_owned(),
        DISTRICT.to_owned(),
    );
    assert_eq!(kept.collect::<Vec<_>>(), [expected]);
}

async fn an_approval_ends_with_its_time(desk: Desk) {
    plant(&desk).await;
    approved(&desk, wanted(&desk)).await;
    let mut ann = students(&desk, "ann");
    desk.clock
        .advance(chrono::Duration::days(10) - chrono::Duration::seconds(1));
    let mut ask = async || {
        ann.list_students(with_purpose("audit", all_of(DISTRICT)))
            .await
    };
    ask().await.unwrap();
    desk.clock.advance(chrono::Duration::seconds(1));
    assert_eq!(refused(ask().await), "ACCESS_NOT_APPROVED");
}

async fn another_purpose_takes_an_approval_for_the_person(desk: Desk) {
    plant(&desk).await;
    let (one, other) = (enrol(&desk, THIRD, "").await, enrol(&desk, THIRD, "").await);
    let mut ann = students(&desk, "ann");
    let get = |name: &str| pb::GetStudentRequest {
        name: name.to_owned(),
    };
    ann.get_student(with_purpose("care", get(&one.name)))
        .await
        .unwrap();
    let answer = ann.get_student(with_purpose("audit", get(&one.name)));
    assert_eq!(refused(answer.await), "ACCESS_NOT_APPROVED");
    let for_one = pb::AccessApproval {
        persons: vec![one.name.clone()],
        ..wanted(&desk)
    };
    approved(&desk, for_one).await;
    let seen = ann.get_student(with_purpose("audit", get(&one.name)));
    assert_eq!(seen.await.unwrap().into_inner(), one);
    let answer = ann.get_student(with_purpose("audit", get(&other.name)));
    assert_eq!(refused(answer.await), "ACCESS_NOT_APPROVED");
    let all = ann.list_students(with_purpose("audit", all_of(DISTRICT)));
    assert_eq!(refused(all.await), "ACCESS_NOT_APPROVED", "one is not all");
    let mut guardians =
        GuardianServiceClient::new(door(&desk, "ann", Role::DistrictOfficer, PLACE));
    let mut family = async |parent: &str| {
        let request = pb::ListGuardiansRequest {
            parent: parent.to_owned(),
            ..pb::ListGuardiansRequest::default()
        };
        guardians
            .list_guardians(with_purpose("audit", request))
            .await
    };
    family(&one.name).await.unwrap();
    assert_eq!(refused(family(&other.name).await), "ACCESS_NOT_APPROVED");
}

async fn administrators_of_the_system_see_no_pupils(desk: Desk) {
    plant(&desk).await;
    let pupil = enrol(&desk, THIRD, "").await;
    for role in [Role::SystemAdmin, Role::SecurityAdmin, Role::AuditAdmin] {
        let mut client = StudentServiceClient::new(door(&desk, "ops", role, "fz"));
        let get = pb::GetStudentRequest {
            name: pupil.name.clone(),
        };
        let answer = client.get_student(get).await;
        assert_eq!(refused(answer), "SCOPE_DENIED", "{role}");
        let answer = client.list_students(all_of("organizations/2135010001"));
        assert_eq!(refused(answer.await), "SCOPE_DENIED", "{role}");
    }
}

desk_suite!(
    many_schools_at_once_take_an_approval,
    an_approval_ends_with_its_time,
    another_purpose_takes_an_approval_for_the_person,
    administrators_of_the_system_see_no_pupils,
);
