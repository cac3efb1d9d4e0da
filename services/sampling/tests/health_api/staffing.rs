//! Whether schools have the health technicians that they have to have (rule 1.9).

use kit::auth::Role;
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::{HealthStaffing, ListHealthStaffingRequest};

use super::clinic::denied;
use super::screening_site::teacher;
use super::town::roster::policy;
use super::town::{
    CITY, DISTRICT, OTHER_SCHOOL, Roster, SCHOOL, Town, class, on_both_databases, reason,
    school_path,
};

on_both_databases!(bureaus_see_which_school_lacks_a_technician);

async fn listed(town: &Town, request: ListHealthStaffingRequest) -> Vec<HealthStaffing> {
    let district = format!("{CITY}/{DISTRICT}");
    let officer = town.authorised(&[Role::DistrictOfficer], &district);
    let mut client = CoverageServiceClient::new(officer);
    let mut request = request;
    let mut all = Vec::new();
    loop {
        let page = client.list_health_staffing(request.clone()).await;
        let page = page.expect("a page").into_inner();
        assert!(page.health_staffing.len() <= 1);
        all.extend(page.health_staffing);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return all;
        }
    }
}

/// Pupils, children, technicians, required, lacking, and whether they are full-time.
fn told(one: &HealthStaffing) -> (&str, [i32; 5], bool) {
    (
        one.organization.trim_start_matches("organizations/"),
        [
            one.pupil_count,
            one.child_count,
            one.technician_count,
            one.required_count,
            one.lacking_count,
        ],
        one.full_time,
    )
}

async fn bureaus_see_which_school_lacks_a_technician(database: kit::scratch::Scratch) {
    let mut city = policy();
    let law = city.health_staff.get_or_insert_default();
    (law.pupils_per_technician, law.children_per_technician) = (40, 10);
    let roster = Roster::town_under(city);
    roster.class(class(SCHOOL, "p2019-01", 0, 45));
    roster.class(class(SCHOOL, "p2019-02", 100, 45));
    roster.class(class(SCHOOL, "k2021-01", 300, 15));
    let staff = [
        (teacher(1), &["MEDICAL"][..], 3),
        (teacher(2), &["TEACHER", "MEDICAL"][..], 0),
        (teacher(3), &["TEACHER"][..], 3),
    ];
    roster.staff(SCHOOL, &staff);
    roster.class(class(OTHER_SCHOOL, "p2019-01", 200, 30));
    roster.staff(OTHER_SCHOOL, &[(teacher(9), &["MEDICAL"][..], 3)]);
    let town = Town::start(database, roster).await;
    let request = ListHealthStaffingRequest {
        parent: format!("organizations/{DISTRICT}"),
        page_size: 1,
        ..Default::default()
    };
    let all = listed(&town, request.clone()).await;
    assert_eq!(
        all.iter().map(told).collect::<Vec<_>>(),
        [
            (SCHOOL, [90, 15, 2, 3, 1], true),
            (OTHER_SCHOOL, [30, 0, 1, 1, 0], false),
        ]
    );
    assert!(all[0].source.contains("学校卫生工作条例"));
    assert!(!all[0].policy_version.is_empty());
    let lacking = ListHealthStaffingRequest {
        lacking: true,
        ..request.clone()
    };
    let lacking = listed(&town, lacking).await;
    assert_eq!(lacking, all[..1]);

    let mut own = CoverageServiceClient::new(
        town.authorised(&[Role::SchoolDoctor], &school_path(OTHER_SCHOOL)),
    );
    let above = own.list_health_staffing(request).await;
    assert_eq!(reason(&above.expect_err("the district")), denied());
}
