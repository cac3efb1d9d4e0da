//! Who may do what where, and what malformed requests are told.

use crate::city;
use crate::city::on_both;
use kit::auth::Role;
use proto::safety as pb;
use proto::safety::gate_decision::Result as Outcome;
use tonic::{Code as Grpc, Request, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::city::world::{World, told, well, with_temperature};
use crate::city::{SCHOOL, SCHOOL_PATH, student};

on_both!(
    wrong_scopes_are_refused,
    nobody_reads_or_moves_the_decisions_of_another_school,
    malformed_requests_are_explained,
);

async fn wrong_scopes_are_refused(mut world: World) {
    let denied = |status: Status| {
        let (code, reason, zh) = told(&status);
        assert_eq!((code, &*reason), (Grpc::PermissionDenied, "SCOPE_DENIED"));
        assert_eq!(zh, "您无权在此范围内进行该操作");
    };
    let elsewhere = world.as_role(Role::Guard, city::OTHER_PATH, well(&student(1)));
    denied(
        world
            .client
            .check_entry(elsewhere)
            .await
            .expect_err("another school's guard"),
    );
    let laboratory = world.as_role(Role::Laboratory, "", well(&student(1)));
    denied(
        world
            .client
            .check_entry(laboratory)
            .await
            .expect_err("a laboratory"),
    );
    // What does not exist looks the same from below, and malformed input is not looked at.
    let nowhere = pb::CheckEntryRequest {
        parent: "organizations/nowhere".to_owned(),
        device: String::new(),
        ..well(&student(1))
    };
    let ask = world.as_role(Role::Guard, SCHOOL_PATH, nowhere);
    denied(world.client.check_entry(ask).await.expect_err("nowhere"));
    let list = pb::ListGateDecisionsRequest {
        parent: "organizations/nowhere".to_owned(),
        ..Default::default()
    };
    let ask = world.as_role(Role::CityOfficer, "fz", list);
    let (code, reason, zh) = told(
        &world
            .client
            .list_gate_decisions(ask)
            .await
            .expect_err("nowhere"),
    );
    assert_eq!((code, &*reason), (Grpc::NotFound, "NOT_FOUND"));
    assert_eq!(zh, "未找到 organizations/nowhere");
    let get = pb::GetGateDecisionRequest {
        name: format!("{SCHOOL}/gateDecisions/{}", Uuid::from_u128(5)),
    };
    let ask = world.as_role(Role::Guard, SCHOOL_PATH, get.clone());
    let missing = world
        .client
        .get_gate_decision(ask)
        .await
        .expect_err("no such decision");
    assert_eq!(told(&missing).1, "NOT_FOUND");
    let anonymous = world.client.get_gate_decision(Request::new(get)).await;
    assert_eq!(told(&anonymous.expect_err("nobody")).1, "TOKEN_INVALID");
}

async fn malformed_requests_are_explained(mut world: World) {
    let mut request = with_temperature("students/1", 500);
    request.device = "门".repeat(65);
    request.request_id = "1".to_owned();
    let status = world.check(request).await.expect_err("malformed");
    let (code, reason, zh) = told(&status);
    assert_eq!((code, &*reason), (Grpc::InvalidArgument, "INVALID_FIELD"));
    assert_eq!(zh, "填写的内容有误，请按提示修改");
    let details = status.get_error_details();
    let fields: Vec<_> = details
        .bad_request()
        .expect("fields")
        .field_violations
        .iter()
        .map(|violation| &*violation.field)
        .collect();
    let expected = [
        "person",
        "device",
        "observation.temperature_decidegrees",
        "request_id",
    ];
    assert_eq!(fields, expected);
    for parent in ["", "schools/1", "organizations/", "organizations/福州"] {
        let request = pb::CheckEntryRequest {
            parent: parent.to_owned(),
            ..well(&student(1))
        };
        let status = world.check(request).await.expect_err("malformed");
        assert_eq!(told(&status).0, Grpc::InvalidArgument, "{parent}");
    }
    let many = pb::RecordBatchRequest {
        parent: SCHOOL.to_owned(),
        device: "门".to_owned(),
        decisions: vec![pb::OfflineDecision::default(); 1001],
    };
    let ask = world.as_role(Role::Guard, SCHOOL_PATH, many);
    let status = world.client.record_batch(ask).await.expect_err("too many");
    assert_eq!(told(&status).0, Grpc::InvalidArgument);
}

/// Golden test T24 for gates.
async fn nobody_reads_or_moves_the_decisions_of_another_school(mut world: World) {
    let name = world.check(well(&student(1))).await.expect("decided").name;
    let denied = |status: Status, what: &str| {
        let (code, reason, _) = told(&status);
        assert_eq!(
            (code, &*reason),
            (Grpc::PermissionDenied, "SCOPE_DENIED"),
            "{what}"
        );
    };
    for scope in [city::OTHER_PATH, "fz/350103", "fz/350102/2135010003"] {
        let role = Role::Principal;
        let get = pb::GetGateDecisionRequest { name: name.clone() };
        let get = world.as_role(role, scope, get);
        denied(
            world.client.get_gate_decision(get).await.expect_err("get"),
            "get",
        );
        let list = pb::ListGateDecisionsRequest {
            parent: SCHOOL.to_owned(),
            ..Default::default()
        };
        let list = world.as_role(role, scope, list);
        denied(
            world
                .client
                .list_gate_decisions(list)
                .await
                .expect_err("list"),
            "list",
        );
        let word = pb::OverrideDecisionRequest {
            name: name.clone(),
            result: Outcome::Deny.into(),
            reason: "误判".to_owned(),
            request_id: Uuid::new_v4().to_string(),
        };
        let word = world.as_role(role, scope, word);
        denied(
            world
                .client
                .override_decision(word)
                .await
                .expect_err("override"),
            "override",
        );
        let snapshot = pb::GetSnapshotRequest {
            name: format!("{SCHOOL}/gateSnapshot"),
        };
        let snapshot = world.as_role(Role::Guard, scope, snapshot);
        denied(
            world
                .client
                .get_snapshot(snapshot)
                .await
                .expect_err("snapshot"),
            "snapshot",
        );
        let batch = pb::RecordBatchRequest {
            parent: SCHOOL.to_owned(),
            device: "后门".to_owned(),
            decisions: vec![pb::OfflineDecision::default()],
        };
        let batch = world.as_role(Role::Guard, scope, batch);
        denied(
            world.client.record_batch(batch).await.expect_err("batch"),
            "batch",
        );
        let code = pb::IssuePersonCodeRequest { person: student(1) };
        let code = world.as_role(Role::SchoolClerk, scope, code);
        denied(
            world
                .client
                .issue_person_code(code)
                .await
                .expect_err("code"),
            "code",
        );
        let card = pb::BindCardRequest {
            person: student(1),
            card: "04A1B2C3".to_owned(),
            request_id: Uuid::new_v4().to_string(),
        };
        let card = world.as_role(Role::SchoolClerk, scope, card);
        denied(
            world.client.bind_card(card).await.expect_err("card"),
            "card",
        );
    }
    // The id of another school's decision below one's own name is nothing.
    let id = name.rsplit('/').next().expect("an id");
    let get = pb::GetGateDecisionRequest {
        name: format!("organizations/2135010002/gateDecisions/{id}"),
    };
    let get = world.as_role(Role::Principal, city::OTHER_PATH, get);
    let status = world
        .client
        .get_gate_decision(get)
        .await
        .expect_err("not its own");
    assert_eq!(told(&status).1, "NOT_FOUND");
    // A district sees its own school's.
    let get = pb::GetGateDecisionRequest { name: name.clone() };
    let get = world.as_role(Role::DistrictOfficer, "fz/350102", get);
    let read = world
        .client
        .get_gate_decision(get)
        .await
        .expect("read")
        .into_inner();
    assert_eq!(read.name, name);
}
