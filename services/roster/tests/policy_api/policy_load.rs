//! What a policy profile costs, counted in the register.

use crate::desk::desk_suite;
use crate::desk::{Desk, FUQING, FUQING_PRIMARY, GULOU, GULOU_PRIMARY, date};
use kit::db::{Database, statement};
use proto::roster::policy_service_client::PolicyServiceClient;
use proto::roster::simulate_policy_profile_response::Load;
use proto::roster::{
    GetPolicyProfileRequest, PolicyProfile, SimulatePolicyProfileRequest,
    SimulatePolicyProfileResponse,
};
use sea_orm::{ConnectionTrait, Value};
use uuid::Uuid;

const IN_PERSON: i16 = 1;
const ONLINE: i16 = 2;
const EXPECTED: i16 = 1;
const ON_LEAVE: i16 = 2;

async fn execute(db: &Database, sql: &str, values: Vec<Value>) {
    let tx = db.begin().await.expect("a transaction");
    tx.execute_raw(statement(&tx, sql, values))
        .await
        .expect("a row");
    tx.commit().await.expect("a commit");
}

/// A class group at `place`, taught or finished.
async fn class_group(db: &Database, place: &str, mode: i16, state: i16) {
    let mut parts = place.rsplit('/');
    let (id, school) = (
        parts.next().expect("an id"),
        parts.next().expect("a school"),
    );
    let values = vec![
        place.into(),
        school.into(),
        id.into(),
        mode.into(),
        state.into(),
    ];
    let sql = "INSERT INTO class_groups (org_path, organization, id, display_name, stage, \
        entry_year, number, teaching_mode, state, version, roll_version, update_time) \
        VALUES ($1, $2, $3, '班', 2, 2019, 1, $4, $5, 1, 1, 0)";
    execute(db, sql, values).await;
}

/// As many students at `place`.
async fn students(db: &Database, place: &str, count: u32, presence: i16, exempt: bool, state: i16) {
    for _ in 0..count {
        let values = vec![
            Uuid::new_v4().into(),
            place.into(),
            presence.into(),
            exempt.into(),
            state.into(),
        ];
        let sql = "INSERT INTO students (id, org_path, display_name, presence, swab_exempt, \
            start_day, state, version, update_time) \
            VALUES ($1, $2, '学生', $3, $4, 20190901, $5, 1, 0)";
        execute(db, sql, values).await;
    }
}

async fn simulate(desk: &Desk, organization: &str, ratio: i32) -> SimulatePolicyProfileResponse {
    let mut client = PolicyServiceClient::new(desk.officer());
    let request = GetPolicyProfileRequest {
        name: "policyProfiles/fuzhou-2022-04-1".to_owned(),
    };
    let shipped = client.get_policy_profile(request).await.expect("shipped");
    let mut profile = PolicyProfile {
        organization: organization.to_owned(),
        effective_date: Some(date("2022-05-01")),
        ..shipped.into_inner()
    };
    if let Some(sampling) = &mut profile.sampling {
        sampling.student_ratio_basis_points = ratio;
    }
    let request = SimulatePolicyProfileRequest {
        policy_profile: Some(profile),
    };
    let simulated = client.simulate_policy_profile(request).await;
    simulated.expect("it is tried").into_inner()
}

fn load(students: i64, class_groups: i64, swabs: i64, tubes: i64) -> Option<Load> {
    Some(Load {
        students,
        class_groups,
        swabs_per_day: swabs,
        tubes_per_day: tubes,
    })
}

async fn swabs_and_tubes_are_counted_for_those_who_can_be_drawn(desk: Desk) {
    desk.plant().await;
    let db = desk.database().await;
    let gulou = format!("fz/{GULOU}/{GULOU_PRIMARY}");
    let (taught, online, finished) = (
        format!("{gulou}/p2019-01"),
        format!("{gulou}/p2020-01"),
        format!("{gulou}/p2015-01"),
    );
    class_group(&db, &taught, IN_PERSON, 1).await;
    students(&db, &taught, 49, EXPECTED, false, 1).await;
    students(&db, &taught, 3, ON_LEAVE, false, 1).await;
    students(&db, &taught, 2, EXPECTED, true, 1).await;
    // Those who left are on no roll.
    students(&db, &taught, 5, EXPECTED, false, 2).await;
    class_group(&db, &online, ONLINE, 1).await;
    students(&db, &online, 10, EXPECTED, false, 1).await;
    class_group(&db, &finished, IN_PERSON, 2).await;
    let other = format!("fz/{FUQING}/{FUQING_PRIMARY}/p2019-01");
    class_group(&db, &other, IN_PERSON, 1).await;
    students(&db, &other, 6, EXPECTED, false, 1).await;

    let district = simulate(&desk, &format!("organizations/{GULOU}"), 5000).await;
    assert_eq!(district.current_load, load(64, 2, 10, 1));
    assert_eq!(district.proposed_load, load(64, 2, 25, 3));
    let city = simulate(&desk, "", 5000).await;
    assert_eq!(city.current_load, load(70, 3, 12, 2));
    assert_eq!(city.proposed_load, load(70, 3, 28, 4));
}

async fn an_empty_region_costs_nothing(desk: Desk) {
    desk.plant().await;
    let simulated = simulate(&desk, &format!("organizations/{GULOU}"), 5000).await;
    assert_eq!(simulated.current_load, load(0, 0, 0, 0));
    assert_eq!(simulated.proposed_load, load(0, 0, 0, 0));
}

desk_suite!(
    swabs_and_tubes_are_counted_for_those_who_can_be_drawn,
    an_empty_region_costs_nothing,
);
