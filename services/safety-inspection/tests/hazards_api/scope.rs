//! Who may do what where, and what malformed requests are told.

use kit::auth::Role;
use proto::safety as pb;
use proto::safety::hazard::{Grade, Source};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::city::hazards::*;
use crate::city::on_both;
use crate::city::tree::{self, BUREAU_PATH, OTHER_BUREAU_PATH, SISTER_PATH, TEACHER};
use crate::city::world::{World, told};
use crate::city::{SCHOOL, SCHOOL_PATH};

on_both!(
    siblings_and_other_districts_see_nothing,
    roles_do_what_is_theirs,
    who_found_it_follows_from_the_caller,
    malformed_requests_are_explained,
    a_bureau_sees_all_below_by_filter_and_page,
);

fn denied(answer: Result<impl std::fmt::Debug, Status>) {
    let status = answer.expect_err("denied");
    let (code, reason, _) = told(&status);
    assert_eq!((code, &*reason), (Code::PermissionDenied, "SCOPE_DENIED"));
}

async fn siblings_and_other_districts_see_nothing(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("hall").await;
    let sibling = (91, Role::SafetyOfficer, SISTER_PATH);
    let district = (92, Role::DistrictOfficer, OTHER_BUREAU_PATH);
    let unknown = format!("{SCHOOL}/hazards/{}", uuid::Uuid::from_u128(7));
    for who in [sibling, district] {
        // Whether it exists looks the same.
        for name in [&name, &unknown] {
            denied(desk.get(who, get(name)).await);
            denied(desk.verify(who, verify(name, Grade::Unspecified)).await);
            denied(desk.close(who, close(name)).await);
        }
        let request = desk.blocked_exit("hall");
        denied(desk.report(who, request).await);
    }
    let status = desk.get(CITY, get(&unknown)).await.expect_err("nothing");
    assert_eq!(told(&status).1, "NOT_FOUND");
    let nowhere = "organizations/nowhere/hazards/00000000-0000-0000-0000-000000000007";
    denied(desk.get(OFFICER, get(nowhere)).await);
}

async fn roles_do_what_is_theirs(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("hall").await;
    denied(desk.verify(GUARD, verify(&name, Grade::General)).await);
    denied(desk.dismiss(GUARD, dismiss(&name)).await);
    desk.verify(OFFICER, verify(&name, Grade::Major))
        .await
        .expect("verified");
    denied(desk.supervise(PRINCIPAL, supervise(&name)).await);
    desk.control(OFFICER, control(&name))
        .await
        .expect("controlled");
    let assign = desk.fixes(&name, 5);
    desk.assign(OFFICER, assign).await.expect("assigned");
    // A teacher who does not own it, with the same role and scope as the owner.
    let teacher = (TEACHER, OWNER.1, OWNER.2);
    denied(desk.get(teacher, get(&name)).await);
    denied(desk.rectify(teacher, rectify(&name)).await);
    desk.get(OWNER, get(&name)).await.expect("theirs");
    desk.rectify(OWNER, rectify(&name)).await.expect("theirs");
    denied(desk.review(OWNER, review(&name)).await);
    let fire = (93, Role::PartnerSystem, BUREAU_PATH);
    desk.get(fire, get(&name)).await.expect("in its scope");
    denied(desk.close(fire, close(&name)).await);
    denied(desk.get((94, Role::Laboratory, ""), get(&name)).await);
}

async fn who_found_it_follows_from_the_caller(world: World) {
    let mut desk = Desk::new(world).await;
    let class = "fz/350102/2135010001/j2019-01";
    let guardian = (95, Role::Guardian, class);
    let fire = (93, Role::PartnerSystem, BUREAU_PATH);
    let cases = [
        (guardian, None, Some(Source::Parent)),
        (guardian, Some(Source::Own), None),
        (fire, None, Some(Source::OtherDepartment)),
        (fire, Some(Source::Bureau), None),
        (GUARD, None, Some(Source::Own)),
        (OFFICER, Some(Source::Parent), Some(Source::Parent)),
        (OFFICER, Some(Source::Bureau), None),
        (OFFICER, Some(Source::Drill), None),
        (DISTRICT, None, Some(Source::Bureau)),
        (
            DISTRICT,
            Some(Source::OtherDepartment),
            Some(Source::OtherDepartment),
        ),
    ];
    for (who, stated, expected) in cases {
        let mut request = desk.blocked_exit("hall");
        if let (Some(stated), Some(hazard)) = (stated, &mut request.hazard) {
            hazard.source = stated.into();
        }
        match desk.report(who, request).await {
            Ok(hazard) => assert_eq!(Some(hazard.source()), expected, "{who:?} {stated:?}"),
            Err(status) => {
                assert_eq!(told(&status).1, "INVALID_FIELD", "{who:?} {stated:?}");
                assert_eq!(expected, None, "{who:?} {stated:?}");
            }
        }
    }
    // A parent reports at the school of the child only.
    let mut elsewhere = desk.blocked_exit("hall");
    elsewhere.parent = tree::SISTER.to_owned();
    denied(desk.report(guardian, elsewhere).await);
}

fn fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details
        .bad_request()
        .expect("fields")
        .field_violations
        .iter();
    violations
        .map(|violation| violation.field.clone())
        .collect()
}

async fn malformed_requests_are_explained(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("hall").await;
    let request = pb::ReportHazardRequest {
        parent: SCHOOL.to_owned(),
        hazard: Some(pb::Hazard {
            place: "三楼".to_owned(),
            description: "  ".to_owned(),
            source: 99,
            photos: vec![pb::Photo {
                sha256: vec![1].into(),
                uri: "http://photos.example/1.jpg".to_owned(),
                ..Default::default()
            }],
            facts: vec![
                floor(1),
                floor(2),
                pb::HazardFact {
                    key: "floor-of-nothing".to_owned(),
                    value: None,
                },
            ],
            ..Default::default()
        }),
        request_id: String::new(),
    };
    let status = desk.report(GUARD, request).await.expect_err("malformed");
    let expected = [
        "hazard.category",
        "hazard.source",
        "hazard.place",
        "hazard.description",
        "hazard.photos[0].sha256",
        "hazard.photos[0].uri",
        "hazard.photos[0].take_time",
        "hazard.facts[1]",
        "hazard.facts[2]",
    ];
    assert_eq!(fields(&status), expected);
    // Each of the five fixes is asked for (rule 5.6); the owner follows from who answers.
    let assign = pb::AssignHazardRequest {
        name: name.clone(),
        fixes: Some(pb::HazardFixes::default()),
        request_id: String::new(),
    };
    let status = desk.assign(OFFICER, assign).await.expect_err("malformed");
    let expected = [
        "fixes.measures",
        "fixes.budget_fen",
        "fixes.due_date",
        "fixes.contingency_plan",
    ];
    assert_eq!(fields(&status), expected);
    let empty = pb::ControlHazardRequest {
        name: name.clone(),
        control: Some(pb::HazardControl::default()),
        request_id: String::new(),
    };
    let status = desk.control(OFFICER, empty).await.expect_err("malformed");
    assert_eq!(fields(&status), ["control.measures", "control.description"]);
    let long = pb::DismissHazardRequest {
        reason: "长".repeat(501),
        ..dismiss(&name)
    };
    let status = desk.dismiss(OFFICER, long).await.expect_err("malformed");
    assert_eq!(fields(&status), ["reason"]);
    for wrong in ["", "hazards/1", "organizations/2135010001/hazards/1"] {
        let status = desk.get(OFFICER, get(wrong)).await.expect_err("malformed");
        assert_eq!(told(&status).0, Code::InvalidArgument, "{wrong}");
    }
}

async fn a_bureau_sees_all_below_by_filter_and_page(world: World) {
    let mut desk = Desk::new(world).await;
    let first = desk.found("hall").await;
    let second = desk.found("gym").await;
    let mut third = desk.blocked_exit("gate");
    third.parent = tree::SISTER.to_owned();
    let third = desk.report(DISTRICT, third).await.expect("reported").name;
    desk.verify(OFFICER, verify(&first, Grade::Major))
        .await
        .expect("verified");
    desk.dismiss(OFFICER, dismiss(&second))
        .await
        .expect("dismissed");
    let list = async |desk: &mut Desk, who: Who, request: pb::ListHazardsRequest| {
        let request = desk.by(who, request);
        let found = desk.hazards.list_hazards(request).await.expect("listed");
        let found = found.into_inner();
        let names = found.hazards.into_iter().map(|hazard| hazard.name);
        (names.collect::<Vec<_>>(), found.next_page_token)
    };
    let all = pb::ListHazardsRequest {
        parent: tree::BUREAU.to_owned(),
        ..Default::default()
    };
    let (mut names, _) = list(&mut desk, DISTRICT, all.clone()).await;
    names.sort();
    let mut expected = vec![first.clone(), second.clone(), third.clone()];
    expected.sort();
    assert_eq!(names, expected);
    let filtered = [
        (
            pb::ListHazardsRequest {
                grade: Grade::Major.into(),
                ..all.clone()
            },
            vec![first.clone()],
        ),
        (
            pb::ListHazardsRequest {
                state: pb::hazard::State::Dismissed.into(),
                ..all.clone()
            },
            vec![second.clone()],
        ),
        (
            pb::ListHazardsRequest {
                category: pb::HazardCategory::Food.into(),
                ..all.clone()
            },
            vec![],
        ),
        (
            pb::ListHazardsRequest {
                parent: tree::SISTER.to_owned(),
                open: true,
                ..all.clone()
            },
            vec![third],
        ),
    ];
    for (request, expected) in filtered {
        assert_eq!(list(&mut desk, DISTRICT, request).await.0, expected);
    }
    let page = |token: String| pb::ListHazardsRequest {
        page_size: 2,
        page_token: token,
        ..all.clone()
    };
    let (head, token) = list(&mut desk, DISTRICT, page(String::new())).await;
    let (tail, end) = list(&mut desk, DISTRICT, page(token.clone())).await;
    let mut paged = [head, tail].concat();
    paged.sort();
    let mut expected = names;
    expected.sort();
    assert_eq!((paged, &*end), (expected, ""));
    let other = pb::ListHazardsRequest {
        open: true,
        ..page(token)
    };
    let other = desk.by(DISTRICT, other);
    let status = desk
        .hazards
        .list_hazards(other)
        .await
        .expect_err("another list");
    assert_eq!(told(&status).1, "INVALID_PAGE_TOKEN");
    let above = pb::ListHazardsRequest {
        parent: tree::CITY.to_owned(),
        ..Default::default()
    };
    let above = desk.by((96, Role::Principal, SCHOOL_PATH), above);
    denied(desk.hazards.list_hazards(above).await);
}
