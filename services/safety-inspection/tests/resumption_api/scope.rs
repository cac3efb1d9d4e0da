//! Who may do what where.

use kit::auth::Role;
use proto::safety as pb;
use proto::safety::resumption::Decision;

use crate::city::tree::{BUREAU, BUREAU_PATH, CITY, CITY_PATH, OTHER_BUREAU_PATH, SISTER_PATH};
use crate::city::{OTHER_PATH, SCHOOL, SCHOOL_PATH};
use crate::ground::{
    Ground, cities, day, denied, inspectors, invalid, opinion, outbreak, refused, request_id,
    resumption,
};

cities!(
    a_head_neither_inspects_nor_approves_their_own_school,
    each_act_is_for_its_role,
    neighbours_see_nothing,
);

async fn a_head_neither_inspects_nor_approves_their_own_school(mut ground: Ground) {
    ground.plan(1, day(4, 6)).await.expect("planned");
    ground.plan(2, day(4, 6)).await.expect("planned");
    ground.stock(SISTER_PATH).await;
    ground.approved(SISTER_PATH, 2).await;
    let schedule = pb::ScheduleResumptionRequest {
        name: resumption(SISTER_PATH, 2),
        date: Some(day(4, 7)),
        request_id: request_id(),
    };
    let head = ground.principal(SISTER_PATH, schedule.clone());
    denied(ground.client.schedule_resumption(head).await, "the head");
    // The same account as an officer of the bureau.
    let account = "principal-2135010003";
    let role = Role::DistrictOfficer;
    let both = ground
        .world
        .by(account, role, BUREAU_PATH, schedule.clone());
    let answer = ground.client.schedule_resumption(both).await;
    refused(answer, "RESUMPTION_OWN_SCHOOL");
    // An officer whose part of the tree is the school.
    let own = ground.world.by("officer", role, SISTER_PATH, schedule);
    let answer = ground.client.schedule_resumption(own).await;
    refused(answer, "RESUMPTION_OWN_SCHOOL");
    let bulk = pb::ScheduleResumptionBatchRequest {
        name: format!("{BUREAU}/resumptionBatches/2"),
        date: Some(day(4, 7)),
        request_id: request_id(),
    };
    let both = ground.world.by(account, role, BUREAU_PATH, bulk);
    let answer = ground.client.schedule_resumption_batch(both).await;
    let answer = answer.expect("answered").into_inner();
    assert_eq!(answer.scheduled_count, 0);
}

async fn each_act_is_for_its_role(mut ground: Ground) {
    ground.plan(1, day(4, 6)).await.expect("planned");
    ground.plan(2, day(4, 6)).await.expect("planned");
    let name = resumption(SISTER_PATH, 2);
    let start = pb::StartSelfCheckRequest {
        name: name.clone(),
        request_id: String::new(),
    };
    for role in [
        Role::Guard,
        Role::ClassReporter,
        Role::DistrictOfficer,
        Role::DiseaseControl,
        Role::PartnerSystem,
        Role::Laboratory,
    ] {
        let request = ground
            .world
            .by("somebody", role, BUREAU_PATH, start.clone());
        denied(ground.client.start_self_check(request).await, role.as_str());
    }
    let sign = pb::SignSelfCheckRequest {
        name: name.clone(),
        request_id: String::new(),
    };
    let request = ground.officer(SISTER_PATH, sign);
    denied(ground.client.sign_self_check(request).await, "not the head");
    for role in [Role::Principal, Role::SafetyOfficer, Role::SchoolDoctor] {
        let request = inspectors(SISTER_PATH, 2);
        let request = ground.world.by("somebody", role, SISTER_PATH, request);
        denied(
            ground.client.start_joint_inspection(request).await,
            role.as_str(),
        );
        let request = opinion(SISTER_PATH, 2, Decision::Approve);
        let request = ground.world.by("somebody", role, SISTER_PATH, request);
        denied(
            ground.client.sign_joint_inspection(request).await,
            role.as_str(),
        );
    }
    let plan = pb::PlanResumptionBatchRequest {
        parent: CITY.to_owned(),
        position: 1,
        planned_date: Some(day(4, 6)),
        request_id: String::new(),
    };
    let request = ground.district(plan.clone());
    denied(
        ground.client.plan_resumption_batch(request).await,
        "the city",
    );
    let request = ground.city(pb::PlanResumptionBatchRequest {
        parent: SCHOOL.to_owned(),
        ..plan
    });
    invalid(
        ground.client.plan_resumption_batch(request).await,
        "a school",
    );
    for role in [Role::SafetyOfficer, Role::Guard, Role::DiseaseControl] {
        let request = outbreak(SCHOOL);
        let request = ground.world.by("somebody", role, SCHOOL_PATH, request);
        denied(ground.client.re_suspend(request).await, role.as_str());
    }
    let request = ground.principal(SCHOOL_PATH, outbreak(BUREAU));
    denied(ground.client.re_suspend(request).await, "the district");
    assert!(ground.heard().is_empty());
}

async fn neighbours_see_nothing(mut ground: Ground) {
    ground.plan(1, day(4, 6)).await.expect("planned");
    ground.plan(2, day(4, 6)).await.expect("planned");
    let get = pb::GetResumptionRequest {
        name: resumption(SISTER_PATH, 2),
    };
    for (role, scope) in [
        (Role::Principal, SCHOOL_PATH),
        (Role::Principal, OTHER_PATH),
        (Role::DistrictOfficer, OTHER_BUREAU_PATH),
        (Role::DiseaseControl, OTHER_BUREAU_PATH),
        (Role::Student, CITY_PATH),
    ] {
        let request = ground.world.by("somebody", role, scope, get.clone());
        denied(ground.client.get_resumption(request).await, scope);
        let list = pb::ListResumptionsRequest {
            parent: BUREAU.to_owned(),
            ..Default::default()
        };
        let request = ground.world.by("somebody", role, scope, list);
        denied(ground.client.list_resumptions(request).await, scope);
        let figures = pb::GetResumptionFiguresRequest {
            name: format!("{BUREAU}/resumptionFigures"),
            position: 0,
        };
        let request = ground.world.by("somebody", role, scope, figures);
        denied(ground.client.get_resumption_figures(request).await, scope);
    }
    for (role, scope) in [
        (Role::ClassReporter, SISTER_PATH),
        (Role::DistrictOfficer, BUREAU_PATH),
        (Role::DiseaseControl, BUREAU_PATH),
        (Role::PartnerSystem, CITY_PATH),
    ] {
        let request = ground.world.by("somebody", role, scope, get.clone());
        ground.client.get_resumption(request).await.expect(scope);
    }
    let malformed = ground.city(pb::GetResumptionRequest {
        name: "organizations/2135010003/resumptions/02".to_owned(),
    });
    invalid(ground.client.get_resumption(malformed).await, "malformed");
}
