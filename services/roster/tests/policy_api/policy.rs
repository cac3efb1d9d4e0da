//! Policy profiles as a client sees them.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use crate::desk::desk_suite;
use crate::desk::policy::{SHIPPED, activate, client, enact, get, in_force, like_shipped, propose};
use crate::desk::{CITY, Desk, FUQING, FUQING_PRIMARY, GULOU, GULOU_PRIMARY, date, fields, reason};
use kit::auth::Role;
use proto::roster::policy_profile::State;
use proto::roster::policy_service_client::PolicyServiceClient;
use proto::roster::simulate_policy_profile_response::Difference;
use proto::roster::{
    ActivatePolicyProfileRequest, CloseOrganizationRequest, ListPolicyProfilesRequest,
    PolicyProfile, ProposePolicyProfileRequest, ResolvePolicyRequest, SimulatePolicyProfileRequest,
};
use tonic::Code;

const GULOU_SCOPE: &str = "fz/350102";
const REQUEST: &str = "5f1e2c1a-6d1f-4a3b-9a58-0d2f5a1b7c11";

async fn the_shipped_profiles_are_in_force_from_their_days(desk: Desk) {
    desk.plant().await;
    let mut client = client(&desk);
    for (day, expected) in [
        ("2022-04-01", "fuzhou-2022-04@1"),
        ("2022-04-07", "fuzhou-2022-04@1"),
        ("2023-01-07", "fuzhou-2022-04@1"),
        ("2023-02-01", "multi-disease-routine@1"),
    ] {
        let found = in_force(&mut client, GULOU_PRIMARY, day).await;
        assert_eq!(found.as_deref(), Ok(expected), "{day}");
    }
    let before = in_force(&mut client, GULOU_PRIMARY, "2022-03-31").await;
    assert_eq!(before, Err("POLICY_NONE".to_owned()));
    let request = ResolvePolicyRequest {
        organization: format!("organizations/{CITY}"),
        date: None,
    };
    let today = client.resolve_policy(request).await.unwrap().into_inner();
    assert_eq!(today, get(&mut client, SHIPPED).await.unwrap());
    assert_eq!((today.state(), &*today.organization), (State::Active, ""));
}

async fn a_loosened_floor_is_refused_by_name(desk: Desk) {
    desk.plant().await;
    let mut client = client(&desk);
    let mut loose = like_shipped(&mut client, "loose", "", "2022-05-01").await;
    loose.audit.as_mut().unwrap().retention_days = 90;
    loose.hazard.as_mut().unwrap().reviewer_differs = false;
    let refused = propose(&mut client, loose).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::InvalidArgument, "POLICY_BELOW_FLOOR".to_owned())
    );
    let expected = [
        "policy_profile.audit.retention_days",
        "policy_profile.hazard.reviewer_differs",
    ];
    assert_eq!(fields(&refused), expected);
    let unknown = get(&mut client, "policyProfiles/loose-1").await;
    assert_eq!(reason(&unknown.unwrap_err()), "NOT_FOUND");
}

async fn everything_else_that_is_wrong_is_named_together(desk: Desk) {
    desk.plant().await;
    let mut client = client(&desk);
    let mut wrong = like_shipped(&mut client, "Not A Name", "", "2022-05-01").await;
    wrong.display_name = " ".to_owned();
    wrong.effective_date = None;
    wrong.patrol = None;
    wrong.gate.as_mut().unwrap().temperature_max_tenths = 500;
    let refused = propose(&mut client, wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_FIELD");
    let expected = [
        "policy_profile.profile",
        "policy_profile.display_name",
        "policy_profile.effective_date",
        "policy_profile.gate.temperature_max_tenths",
        "policy_profile.patrol.per_day",
    ];
    assert_eq!(fields(&refused), expected);
    let mut impossible = like_shipped(&mut client, "a", "", "2022-05-01").await;
    impossible.guard.as_mut().unwrap().rules[0].effective_date = Some(proto::Date {
        year: 2022,
        month: 2,
        day: 30,
    });
    let refused = propose(&mut client, impossible).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        ["policy_profile.guard.rules[0].effective_date"]
    );
}

async fn a_proposal_is_tried_and_comes_into_force_on_its_day(desk: Desk) {
    desk.plant().await;
    let mut client = client(&desk);
    let mut stricter = like_shipped(&mut client, "fuzhou-2022-04", "", "2022-04-10").await;
    stricter.gate.as_mut().unwrap().temperature_max_tenths = 372;
    let proposed = propose(&mut client, stricter.clone()).await.unwrap();
    let expected = PolicyProfile {
        name: "policyProfiles/fuzhou-2022-04-2".to_owned(),
        policy_version: "fuzhou-2022-04@2".to_owned(),
        state: State::Proposed.into(),
        create_time: proposed.create_time,
        activate_time: None,
        etag: "\"1\"".to_owned(),
        ..stricter.clone()
    };
    assert_eq!(proposed, expected);
    assert!(proposed.create_time.is_some());
    let request = SimulatePolicyProfileRequest {
        policy_profile: Some(stricter),
    };
    let simulated = client.simulate_policy_profile(request).await.unwrap();
    let simulated = simulated.into_inner();
    assert_eq!(simulated.current_policy_version, "fuzhou-2022-04@1");
    let difference = Difference {
        path: "gate.temperature_max_tenths".to_owned(),
        before: "373".to_owned(),
        after: "372".to_owned(),
    };
    assert_eq!(simulated.differences, [difference]);
    assert_eq!(simulated.violations, [] as [String; 0]);
    let before = in_force(&mut client, GULOU_PRIMARY, "2022-04-10").await;
    assert_eq!(before.as_deref(), Ok("fuzhou-2022-04@1"));
    let active = activate(&mut client, &proposed).await.unwrap();
    let expected = PolicyProfile {
        state: State::Active.into(),
        activate_time: active.activate_time,
        etag: "\"2\"".to_owned(),
        ..proposed
    };
    assert_eq!(active, expected);
    assert!(active.activate_time.is_some());
    for (day, expected) in [
        ("2022-04-09", "fuzhou-2022-04@1"),
        ("2022-04-10", "fuzhou-2022-04@2"),
    ] {
        let found = in_force(&mut client, GULOU_PRIMARY, day).await;
        assert_eq!(found.as_deref(), Ok(expected), "{day}");
    }
}

async fn a_simulation_tells_what_is_broken_and_where_nothing_was_in_force(desk: Desk) {
    desk.plant().await;
    let mut client = client(&desk);
    let mut loose = like_shipped(&mut client, "loose", GULOU, "2022-03-01").await;
    loose.audit.as_mut().unwrap().retention_days = 90;
    loose.pool = None;
    let request = SimulatePolicyProfileRequest {
        policy_profile: Some(loose),
    };
    let simulated = client.simulate_policy_profile(request).await.unwrap();
    let simulated = simulated.into_inner();
    let paths: Vec<&str> = simulated
        .violations
        .iter()
        .filter_map(|text| Some(text.split_once(": ")?.0))
        .collect();
    let expected = [
        "audit.retention_days",
        "pool.class_pure",
        "pool.pool_type",
        "pool.single_only",
    ];
    assert_eq!(paths, expected);
    assert_eq!(simulated.current_policy_version, "");
    assert!(
        simulated
            .differences
            .iter()
            .all(|one| one.before.is_empty())
    );
    assert_eq!(
        (simulated.current_load, simulated.proposed_load),
        (None, None)
    );
}

async fn only_a_proposal_as_it_was_read_is_activated(desk: Desk) {
    desk.plant().await;
    let mut client = client(&desk);
    let profile = like_shipped(&mut client, "city", "", "2022-05-01").await;
    let proposed = propose(&mut client, profile).await.unwrap();
    let old = PolicyProfile {
        etag: "\"7\"".to_owned(),
        ..proposed.clone()
    };
    let refused = activate(&mut client, &old).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::Aborted, "ETAG_MISMATCH".to_owned())
    );
    let active = activate(&mut client, &proposed).await.unwrap();
    let refused = activate(&mut client, &active).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::FailedPrecondition, "POLICY_WRONG_STATE".to_owned())
    );
}

async fn a_district_s_profile_is_in_force_in_the_district_only(desk: Desk) {
    desk.plant().await;
    let mut client = client(&desk);
    let mut stricter = like_shipped(&mut client, "gulou", GULOU, "2022-04-05").await;
    stricter
        .sampling
        .as_mut()
        .unwrap()
        .student_ratio_basis_points = 5000;
    let mut district = PolicyServiceClient::new(desk.caller(Role::CityOfficer, GULOU_SCOPE));
    enact(&mut district, stricter).await;
    for (organization, day, expected) in [
        (GULOU_PRIMARY, "2022-04-04", "fuzhou-2022-04@1"),
        (GULOU_PRIMARY, "2022-04-07", "gulou@1"),
        (GULOU, "2022-04-07", "gulou@1"),
        // The nearest region comes before the latest day.
        (GULOU_PRIMARY, "2023-02-01", "gulou@1"),
        (FUQING_PRIMARY, "2022-04-07", "fuzhou-2022-04@1"),
        (FUQING_PRIMARY, "2023-02-01", "multi-disease-routine@1"),
        (CITY, "2022-04-07", "fuzhou-2022-04@1"),
    ] {
        let found = in_force(&mut client, organization, day).await;
        assert_eq!(found.as_deref(), Ok(expected), "{organization} {day}");
    }
}

async fn a_closed_organization_gets_no_profile(desk: Desk) {
    desk.plant().await;
    let mut tree =
        proto::roster::organization_service_client::OrganizationServiceClient::new(desk.officer());
    let request = CloseOrganizationRequest {
        name: format!("organizations/{GULOU_PRIMARY}"),
        valid_to_date: Some(date("2022-04-07")),
        replaced_by: String::new(),
        request_id: String::new(),
    };
    tree.close_organization(request).await.unwrap();
    let mut client = client(&desk);
    let profile = like_shipped(&mut client, "a", GULOU_PRIMARY, "2022-05-01").await;
    let refused = propose(&mut client, profile).await.unwrap_err();
    assert_eq!(reason(&refused), "ORGANIZATION_CLOSED");
}

async fn the_same_request_has_one_effect(desk: Desk) {
    desk.plant().await;
    let mut client = client(&desk);
    let profile = like_shipped(&mut client, "city", "", "2022-05-01").await;
    let mut request = ProposePolicyProfileRequest {
        policy_profile: Some(profile),
        request_id: REQUEST.to_owned(),
    };
    let first = client.propose_policy_profile(request.clone()).await;
    let again = client.propose_policy_profile(request.clone()).await;
    let first = first.unwrap().into_inner();
    assert_eq!(again.unwrap().into_inner(), first);
    request.policy_profile.as_mut().unwrap().display_name = "另一个".to_owned();
    let refused = client.propose_policy_profile(request).await.unwrap_err();
    assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
    let request = ActivatePolicyProfileRequest {
        name: first.name,
        etag: first.etag,
        request_id: REQUEST.replace('5', "6"),
    };
    let active = client.activate_policy_profile(request.clone()).await;
    let again = client.activate_policy_profile(request).await;
    assert_eq!(again.unwrap().into_inner(), active.unwrap().into_inner());
}

async fn the_newest_version_of_each_name_is_listed_first(desk: Desk) {
    desk.plant().await;
    let mut client = client(&desk);
    for profile in ["fuzhou-2022-04", "a", "a"] {
        let profile = like_shipped(&mut client, profile, "", "2022-05-01").await;
        propose(&mut client, profile).await.unwrap();
    }
    let fuqing = like_shipped(&mut client, "fuqing", FUQING, "2022-05-01").await;
    propose(&mut client, fuqing).await.unwrap();
    let mut listed = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListPolicyProfilesRequest {
            page_size: 2,
            page_token,
        };
        let page = client.list_policy_profiles(request).await.unwrap();
        let page = page.into_inner();
        assert!(page.policy_profiles.len() <= 2);
        listed.extend(
            page.policy_profiles
                .into_iter()
                .map(|one| one.policy_version),
        );
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let expected = [
        "a@2",
        "a@1",
        "fuqing@1",
        "fuzhou-2022-04@2",
        "fuzhou-2022-04@1",
        "multi-disease-routine@1",
    ];
    assert_eq!(listed, expected);
    let mut district = PolicyServiceClient::new(desk.caller(Role::DistrictOfficer, GULOU_SCOPE));
    let listed = district
        .list_policy_profiles(ListPolicyProfilesRequest::default())
        .await
        .unwrap();
    let listed = listed.into_inner().policy_profiles;
    assert_eq!(listed.len(), 5);
    assert!(listed.iter().all(|one| one.profile != "fuqing"));
}

async fn versions_proposed_at_once_get_numbers_of_their_own(desk: Desk) {
    desk.plant().await;
    let profile = like_shipped(&mut client(&desk), "a", "", "2022-05-01").await;
    let (mut one, mut other) = (client(&desk), client(&desk));
    let (one, other) = tokio::join!(
        propose(&mut one, profile.clone()),
        propose(&mut other, profile)
    );
    let mut numbers = [one.unwrap().policy_version, other.unwrap().policy_version];
    numbers.sort();
    assert_eq!(numbers, ["a@1", "a@2"]);
}

desk_suite!(
    the_shipped_profiles_are_in_force_from_their_days,
    a_loosened_floor_is_refused_by_name,
    everything_else_that_is_wrong_is_named_together,
    a_proposal_is_tried_and_comes_into_force_on_its_day,
    a_simulation_tells_what_is_broken_and_where_nothing_was_in_force,
    only_a_proposal_as_it_was_read_is_activated,
    a_district_s_profile_is_in_force_in_the_district_only,
    a_closed_organization_gets_no_profile,
    the_same_request_has_one_effect,
    the_newest_version_of_each_name_is_listed_first,
    versions_proposed_at_once_get_numbers_of_their_own,
);
