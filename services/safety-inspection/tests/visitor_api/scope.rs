//! Who may do what where, and what malformed requests are told.

use kit::auth::Role;
use proto::safety as pb;
use proto::safety::visit::State;
use tonic::{Code as Grpc, Status};
use tonic_types::StatusExt;

use crate::book::{Book, as_person, check_of, guard, once, principal};
use crate::city::world::{World, told};
use crate::city::{OTHER_PATH, SCHOOL, SCHOOL_PATH, on_both, tree};

on_both!(
    another_school_neither_reads_nor_moves_a_visit,
    a_bureau_reads_what_is_below_it,
    malformed_requests_are_explained,
);

fn denied(status: Status, what: &str) {
    let (code, reason, zh) = told(&status);
    let expected = (Grpc::PermissionDenied, "SCOPE_DENIED");
    assert_eq!((code, &*reason), expected, "{what}");
    assert_eq!(zh, "您无权在此范围内进行该操作");
}

async fn another_school_neither_reads_nor_moves_a_visit(world: World) {
    let mut book = Book::of(&world).await;
    let (name, pass) = book.bring(&world, State::EpidemicApproved).await;
    let pass = pass.expect("a pass");
    for scope in [OTHER_PATH, tree::SISTER_PATH, tree::OTHER_BUREAU_PATH] {
        let who = ("someone-1", None);
        let client = &mut book.client;
        let get = pb::GetVisitRequest { name: name.clone() };
        let get = as_person(who.clone(), Role::Principal, scope, get);
        denied(client.get_visit(get).await.expect_err("get"), "get");
        let list = pb::ListVisitsRequest {
            parent: SCHOOL.to_owned(),
            ..Default::default()
        };
        let list = as_person(who.clone(), Role::Principal, scope, list);
        denied(client.list_visits(list).await.expect_err("list"), "list");
        let check = as_person(who.clone(), Role::Guard, scope, check_of(&world, &name));
        denied(client.check_visit(check).await.expect_err("check"), "check");
        let leave = pb::LeaveVisitRequest {
            name: name.clone(),
            ..Default::default()
        };
        let leave = as_person(who.clone(), Role::Guard, scope, leave);
        denied(client.leave_visit(leave).await.expect_err("leave"), "leave");
        let refuse = pb::RefuseVisitRequest {
            name: name.clone(),
            reason: "不同意".to_owned(),
            request_id: once(),
        };
        let refuse = as_person(who.clone(), Role::Principal, scope, refuse);
        denied(
            client.refuse_visit(refuse).await.expect_err("refuse"),
            "refuse",
        );
        let reveal = pb::RevealVisitorRequest {
            name: name.clone(),
            reason: "流调".to_owned(),
        };
        let reveal = as_person(who, Role::Principal, scope, reveal);
        denied(
            client.reveal_visitor(reveal).await.expect_err("reveal"),
            "reveal",
        );
    }
    // The pass of one school opens no other gate, and does not say whose it is.
    let arrive = pb::ArriveVisitRequest {
        parent: tree::SISTER.to_owned(),
        pass_code: pass,
        request_id: once(),
    };
    let who = ("guard-2", None);
    let arrive = as_person(who.clone(), Role::Guard, tree::SISTER_PATH, arrive);
    let foreign = book
        .client
        .arrive_visit(arrive)
        .await
        .expect_err("elsewhere");
    assert!(told(&foreign).2.contains("FOREIGN"));
    // The id of a visit below one's own name is nothing.
    let id = name.rsplit('/').next().expect("an id");
    let get = pb::GetVisitRequest {
        name: format!("{}/visits/{id}", tree::SISTER),
    };
    let get = as_person(who, Role::Guard, tree::SISTER_PATH, get);
    let nothing = book.client.get_visit(get).await.expect_err("not its own");
    assert_eq!(told(&nothing).1, "NOT_FOUND");
    // Roles within the school: a guard neither confirms nor approves nor overrides.
    let approve = pb::ApproveVisitRequest {
        name: name.clone(),
        request_id: once(),
    };
    let refused = book.client.approve_visit(guard(approve)).await;
    denied(refused.expect_err("a guard"), "approve");
    let word = pb::OverrideVisitRequest {
        name,
        reason: "放行".to_owned(),
        request_id: once(),
    };
    let refused = book.client.override_visit(guard(word)).await;
    denied(refused.expect_err("a guard"), "override");
}

async fn a_bureau_reads_what_is_below_it(world: World) {
    let mut book = Book::of(&world).await;
    let mut names = Vec::new();
    for state in [State::Requested, State::Admitted, State::Requested] {
        world.clock.advance(chrono::Duration::seconds(1));
        names.push(book.bring(&world, state).await.0);
    }
    let ask = |parent: &str, token: &str, state| {
        let list = pb::ListVisitsRequest {
            parent: parent.to_owned(),
            page_size: 2,
            page_token: token.to_owned(),
            state,
            ..Default::default()
        };
        as_person(
            ("officer-1", None),
            Role::DistrictOfficer,
            tree::BUREAU_PATH,
            list,
        )
    };
    let client = &mut book.client;
    let page = client
        .list_visits(ask(tree::BUREAU, "", 0))
        .await
        .expect("listed");
    let page = page.into_inner();
    let token = page.next_page_token.clone();
    let rest = client
        .list_visits(ask(tree::BUREAU, &token, 0))
        .await
        .expect("listed");
    let rest = rest.into_inner();
    assert_eq!(rest.next_page_token, "");
    let all = page.visits.iter().chain(&rest.visits);
    let found: Vec<_> = all.map(|visit| visit.name.clone()).collect();
    assert_eq!(found, names);
    assert!(
        page.visits
            .iter()
            .all(|visit| visit.check.is_none() && visit.history.is_empty())
    );
    let wrong = client.list_visits(ask(tree::BUREAU, &token, 1)).await;
    assert_eq!(
        told(&wrong.expect_err("another list")).1,
        "INVALID_PAGE_TOKEN"
    );
    let inside = ask(tree::BUREAU, "", State::Admitted.into());
    let inside = client
        .list_visits(inside)
        .await
        .expect("listed")
        .into_inner();
    assert_eq!(inside.visits.len(), 1);
    assert_eq!(inside.visits[0].name, names[1]);
    let sister = client
        .list_visits(ask(tree::SISTER, "", 0))
        .await
        .expect("listed");
    assert!(sister.into_inner().visits.is_empty());
}

async fn malformed_requests_are_explained(world: World) {
    let mut book = Book::of(&world).await;
    let mut wish = Book::wish(&world);
    wish.purpose = " ".to_owned();
    wish.companion_count = 51;
    wish.host = "students".to_owned();
    if let Some(visitor) = &mut wish.visitor {
        visitor.document_number = "110105194912310021".to_owned();
        visitor.phone = "12345".to_owned();
    }
    let status = book.create(wish).await.expect_err("malformed");
    assert_eq!(told(&status).0, Grpc::InvalidArgument);
    let details = status.get_error_details();
    let fields: Vec<_> = details
        .bad_request()
        .expect("fields")
        .field_violations
        .iter()
        .map(|violation| &*violation.field)
        .collect();
    let expected = [
        "visit.purpose",
        "visit.visitor.phone",
        "visit.visitor.document_number",
        "visit.host",
        "visit.companion_count",
    ];
    assert_eq!(fields, expected);
    assert!(!format!("{status:?}").contains("110105194912310021"));
    for (days, hours) in [(-1, 2), (31, 2), (0, -1), (0, 20)] {
        let mut wish = Book::wish(&world);
        let now = kit::clock::Clock::now(&world.clock);
        let day = now + chrono::Duration::days(days);
        wish.visit_date = Some(kit::field::to_date(kit::clock::civil_date(day)));
        let leave = day + chrono::Duration::hours(hours);
        wish.expected_leave_time = Some(kit::field::to_timestamp(leave));
        let refused = book.create(wish).await.expect_err("no such day");
        assert_eq!(told(&refused).1, "INVALID_FIELD", "{days} {hours}");
    }
    for name in ["", "visits/1", "organizations/2135010001/visits/1"] {
        let get = pb::GetVisitRequest {
            name: name.to_owned(),
        };
        let refused = book.client.get_visit(principal(get)).await.expect_err(name);
        assert_eq!(told(&refused).0, Grpc::InvalidArgument, "{name}");
    }
    let blind = pb::AdmitEmergencyRequest {
        parent: SCHOOL.to_owned(),
        ..Default::default()
    };
    let who = ("guard-1", None);
    let blind = as_person(who, Role::Guard, SCHOOL_PATH, blind);
    let refused = book
        .client
        .admit_emergency(blind)
        .await
        .expect_err("no crew");
    assert_eq!(told(&refused).0, Grpc::InvalidArgument);
}
