//! Guardians as a client sees them.
#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use crate::desk;
use crate::desk::desk_suite;
use crate::desk::{Desk, GULOU_PRIMARY};
use crate::people::{
    FUQING_THIRD, REQUEST, THIRD, enrol, execute, invalid, number, plant, refusal, refused, today,
};
use kit::auth::Role;
use proto::roster::guardian::Relation;
use proto::roster::guardian_service_client::GuardianServiceClient;
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::{
    CreateGuardianRequest, GetGuardianRequest, Guardian, ListGuardiansRequest,
    RemoveGuardianRequest, RevealGuardianPhoneRequest, UpdateGuardianRequest,
    WithdrawStudentRequest,
};
use tonic::Code;

const PHONE: &str = "13900005678";

type Client = GuardianServiceClient<desk::Door>;

fn officer(desk: &Desk) -> Client {
    GuardianServiceClient::new(desk.officer())
}

fn mother(student: &str, priority: i32) -> CreateGuardianRequest {
    CreateGuardianRequest {
        parent: student.to_owned(),
        guardian: Some(Guardian {
            display_name: "林妈妈".to_owned(),
            relation: Relation::Mother.into(),
            phone: PHONE.to_owned(),
            priority,
            ..Guardian::default()
        }),
        request_id: String::new(),
    }
}

fn update(guardian: Guardian, paths: &[&str]) -> UpdateGuardianRequest {
    let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
    UpdateGuardianRequest {
        guardian: Some(guardian),
        update_mask: (!paths.is_empty()).then_some(prost_types::FieldMask { paths }),
        request_id: String::new(),
    }
}

fn reveal(name: &str, reason: &str) -> RevealGuardianPhoneRequest {
    RevealGuardianPhoneRequest {
        name: name.to_owned(),
        reason: reason.to_owned(),
    }
}

async fn a_guardian_is_kept_changed_and_removed(desk: Desk) {
    plant(&desk).await;
    let student = enrol(&desk, THIRD, "").await.name;
    let mut client = officer(&desk);
    let made = client.create_guardian(mother(&student, 0)).await;
    let made = made.unwrap().into_inner();
    let expected = Guardian {
        name: made.name.clone(),
        student,
        display_name: "林妈妈".to_owned(),
        relation: Relation::Mother.into(),
        masked_phone: "139****5678".to_owned(),
        priority: 1,
        update_time: made.update_time,
        etag: "\"1\"".to_owned(),
        ..Guardian::default()
    };
    assert_eq!(made, expected);
    let name = made.name.clone();
    let read = client.get_guardian(GetGuardianRequest { name }).await;
    assert_eq!(read.unwrap().into_inner(), made);
    execute(
        &desk,
        "UPDATE guardians SET content_hash = sealed, raw_hash = 1, batch = 1",
    )
    .await;
    let named = Guardian {
        name: made.name.clone(),
        relation: Relation::Grandparent.into(),
        etag: made.etag.clone(),
        ..Guardian::default()
    };
    let request = update(named, &["relation", "phone"]);
    let after = client.update_guardian(request.clone()).await;
    let after = after.unwrap().into_inner();
    let expected = Guardian {
        relation: Relation::Grandparent.into(),
        masked_phone: String::new(),
        etag: "\"2\"".to_owned(),
        update_time: after.update_time,
        ..made
    };
    assert_eq!(after, expected);
    let marked = "SELECT COUNT(*) FROM guardians \
        WHERE content_hash IS NOT NULL OR raw_hash IS NOT NULL OR batch IS NOT NULL";
    assert_eq!(number(&desk, marked).await, 0);
    let stale = client.update_guardian(request).await.unwrap_err();
    assert_eq!(refusal(stale), refused(Code::Aborted, "ETAG_MISMATCH"));
    let remove = RemoveGuardianRequest {
        name: after.name.clone(),
        request_id: REQUEST.to_owned(),
    };
    for _ in 0..2 {
        let removed = client.remove_guardian(remove.clone()).await.unwrap();
        assert_eq!(removed.into_inner(), after);
    }
    assert_eq!(number(&desk, "SELECT COUNT(*) FROM guardians").await, 0);
    let name = after.name;
    let gone = client.get_guardian(GetGuardianRequest { name }).await;
    let expected = refused(Code::NotFound, "NOT_FOUND");
    assert_eq!(refusal(gone.unwrap_err()), expected);
}

async fn the_first_to_call_is_listed_first(desk: Desk) {
    plant(&desk).await;
    let student = enrol(&desk, THIRD, "").await.name;
    let other = enrol(&desk, THIRD, "").await.name;
    let mut client = officer(&desk);
    for priority in [3, 1, 9, 2, 1] {
        client
            .create_guardian(mother(&student, priority))
            .await
            .unwrap();
    }
    client.create_guardian(mother(&other, 1)).await.unwrap();
    let mut list = ListGuardiansRequest {
        parent: student,
        page_size: 2,
        page_token: String::new(),
    };
    let mut priorities = Vec::new();
    loop {
        let page = client.list_guardians(list.clone()).await.unwrap();
        let page = page.into_inner();
        assert!(page.guardians.len() <= 2);
        priorities.extend(page.guardians.into_iter().map(|one| one.priority));
        list.page_token = page.next_page_token;
        if list.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(priorities, [1, 1, 2, 3, 9]);
}

async fn the_same_request_adds_one_guardian(desk: Desk) {
    plant(&desk).await;
    let student = enrol(&desk, THIRD, "").await.name;
    let mut client = officer(&desk);
    let mut request = mother(&student, 1);
    request.request_id = REQUEST.to_owned();
    let first = client.create_guardian(request.clone()).await.unwrap();
    let again = client.create_guardian(request.clone()).await.unwrap();
    assert_eq!(first.into_inner(), again.into_inner());
    if let Some(guardian) = &mut request.guardian {
        guardian.phone = "13900009999".to_owned();
    }
    let reused = client.create_guardian(request).await.unwrap_err();
    let expected = refused(Code::InvalidArgument, "REQUEST_ID_REUSED");
    assert_eq!(refusal(reused), expected);
}

async fn wrong_fields_are_named_together(desk: Desk) {
    plant(&desk).await;
    let student = enrol(&desk, THIRD, "").await.name;
    let mut client = officer(&desk);
    let mut request = mother(&student, 10);
    if let Some(guardian) = &mut request.guardian {
        guardian.display_name = " ".to_owned();
        guardian.relation = 0;
        guardian.phone = "119".to_owned();
    }
    let wrong = client.create_guardian(request).await.unwrap_err();
    let expected = [
        "guardian.display_name",
        "guardian.priority",
        "guardian.phone",
        "guardian.relation",
    ];
    assert_eq!(refusal(wrong), invalid(&expected));
    let made = client.create_guardian(mother(&student, 1)).await;
    let name = made.unwrap().into_inner().name;
    let empty = Guardian {
        name: name.clone(),
        ..Guardian::default()
    };
    let wrong = client.update_guardian(update(empty, &["*"])).await;
    let expected = ["guardian.display_name", "guardian.relation"];
    assert_eq!(refusal(wrong.unwrap_err()), invalid(&expected));
    let wrong = client.reveal_guardian_phone(reveal(&name, "")).await;
    assert_eq!(refusal(wrong.unwrap_err()), invalid(&["reason"]));
    let long = "急".repeat(201);
    let wrong = client.reveal_guardian_phone(reveal(&name, &long)).await;
    assert_eq!(refusal(wrong.unwrap_err()), invalid(&["reason"]));
}

async fn a_phone_number_is_revealed_for_a_reason_that_is_kept(desk: Desk) {
    plant(&desk).await;
    let student = enrol(&desk, THIRD, "").await.name;
    let mut client = officer(&desk);
    let made = client.create_guardian(mother(&student, 1)).await;
    let name = made.unwrap().into_inner().name;
    let school = format!("fz/350102/{GULOU_PRIMARY}");
    let clerk = desk.caller(Role::SchoolClerk, &school);
    let mut clerk = GuardianServiceClient::new(clerk);
    let told = clerk
        .reveal_guardian_phone(reveal(&name, "发热，需接回"))
        .await;
    assert_eq!(told.unwrap().into_inner().phone, PHONE);
    let kept = "SELECT COUNT(*) FROM disclosures WHERE act = 'RevealGuardianPhone' \
        AND reason = '发热，需接回' AND principal = 'test-school-clerk' \
        AND subject = (SELECT id FROM guardians)";
    assert_eq!(number(&desk, kept).await, 1);
    let principal = desk.caller(Role::Principal, &school);
    let mut principal = GuardianServiceClient::new(principal);
    let denied = principal.reveal_guardian_phone(reveal(&name, "电话")).await;
    let expected = refused(Code::PermissionDenied, "SCOPE_DENIED");
    assert_eq!(refusal(denied.unwrap_err()), expected);
    assert_eq!(number(&desk, "SELECT COUNT(*) FROM disclosures").await, 1);
}

async fn guardians_of_whoever_left_are_only_read_and_removed(desk: Desk) {
    plant(&desk).await;
    let student = enrol(&desk, THIRD, "").await.name;
    let mut client = officer(&desk);
    let made = client.create_guardian(mother(&student, 1)).await;
    let made = made.unwrap().into_inner();
    let left = WithdrawStudentRequest {
        name: student.clone(),
        end_date: today(),
        request_id: String::new(),
    };
    let mut students = StudentServiceClient::new(desk.officer());
    students.withdraw_student(left).await.unwrap();
    let gone = || refused(Code::FailedPrecondition, "STUDENT_NOT_ENROLLED");
    let added = client.create_guardian(mother(&student, 2)).await;
    assert_eq!(refusal(added.unwrap_err()), gone());
    let changed = Guardian {
        name: made.name.clone(),
        priority: 2,
        ..Guardian::default()
    };
    let changed = client.update_guardian(update(changed, &[])).await;
    assert_eq!(refusal(changed.unwrap_err()), gone());
    let remove = RemoveGuardianRequest {
        name: made.name.clone(),
        request_id: String::new(),
    };
    let removed = client.remove_guardian(remove).await.unwrap();
    assert_eq!(removed.into_inner(), made);
}

async fn scope_follows_from_the_student_and_hides_who_exists(desk: Desk) {
    plant(&desk).await;
    let here = enrol(&desk, THIRD, "").await.name;
    let elsewhere = enrol(&desk, FUQING_THIRD, "").await.name;
    let mut client = officer(&desk);
    let own = client.create_guardian(mother(&here, 1)).await;
    let own = own.unwrap().into_inner().name;
    let foreign = client.create_guardian(mother(&elsewhere, 1)).await;
    let foreign = foreign.unwrap().into_inner().name;
    let clerk = desk.caller(Role::SchoolClerk, &format!("fz/350102/{GULOU_PRIMARY}"));
    let mut clerk = GuardianServiceClient::new(clerk);
    let read = clerk.get_guardian(GetGuardianRequest { name: own }).await;
    read.unwrap();
    let nobody = "00000000-0000-7000-8000-000000000000";
    let unknown = [format!("guardians/{nobody}"), format!("students/{nobody}")];
    for [name, parent] in [[foreign, elsewhere], unknown] {
        let changed = Guardian {
            name: name.clone(),
            priority: 2,
            ..Guardian::default()
        };
        let remove = RemoveGuardianRequest {
            name: name.clone(),
            request_id: REQUEST.to_owned(),
        };
        let list = ListGuardiansRequest {
            parent: parent.clone(),
            ..ListGuardiansRequest::default()
        };
        let refusals = [
            clerk.update_guardian(update(changed, &[])).await.err(),
            clerk.remove_guardian(remove).await.err(),
            clerk
                .reveal_guardian_phone(reveal(&name, "电话"))
                .await
                .err(),
            clerk.get_guardian(GetGuardianRequest { name }).await.err(),
            clerk.create_guardian(mother(&parent, 1)).await.err(),
            clerk.list_guardians(list).await.err(),
        ];
        for status in refusals {
            let expected = refused(Code::PermissionDenied, "SCOPE_DENIED");
            assert_eq!(status.map(refusal), Some(expected));
        }
    }
    assert_eq!(number(&desk, "SELECT COUNT(*) FROM disclosures").await, 0);
    assert_eq!(number(&desk, "SELECT COUNT(*) FROM guardians").await, 2);
}

desk_suite!(
    a_guardian_is_kept_changed_and_removed,
    the_first_to_call_is_listed_first,
    the_same_request_adds_one_guardian,
    wrong_fields_are_named_together,
    a_phone_number_is_revealed_for_a_reason_that_is_kept,
    guardians_of_whoever_left_are_only_read_and_removed,
    scope_follows_from_the_student_and_hides_who_exists,
);
