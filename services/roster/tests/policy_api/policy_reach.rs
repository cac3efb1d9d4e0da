//! Who may set a policy profile where, and who sees and hears of it.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use crate::desk::desk_suite;
use crate::desk::follow::Follower;
use crate::desk::policy::{SHIPPED, activate, client, enact, get, in_force, like_shipped, propose};
use crate::desk::{Desk, FUQING, FUQING_PRIMARY, GULOU, GULOU_PRIMARY, reason};
use kit::auth::Role;
use proto::roster::policy_service_client::PolicyServiceClient;
use proto::roster::roster_event::State as Fact;
use proto::roster::{PolicyProfile, SimulatePolicyProfileRequest};
use tonic::Code;

const GULOU_SCOPE: &str = "fz/350102";

async fn nobody_sets_or_sees_more_than_their_part(desk: Desk) {
    desk.plant().await;
    let mut city = client(&desk);
    let gulou = like_shipped(&mut city, "gulou", GULOU, "2022-05-01").await;
    let fuqing = like_shipped(&mut city, "fuqing", FUQING, "2022-05-01").await;
    let whole = like_shipped(&mut city, "whole", "", "2022-05-01").await;
    let mut district = PolicyServiceClient::new(desk.caller(Role::CityOfficer, GULOU_SCOPE));
    let own = propose(&mut district, gulou.clone()).await.unwrap();
    // What is wrong with it is told to those who may propose it.
    let unnamed = PolicyProfile {
        display_name: String::new(),
        ..whole.clone()
    };
    for refused in [fuqing.clone(), whole.clone(), unnamed] {
        let refused = propose(&mut district, refused).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused)),
            (Code::PermissionDenied, "SCOPE_DENIED".to_owned())
        );
    }
    let other = propose(&mut city, fuqing).await.unwrap();
    let of_city = propose(&mut city, whole).await.unwrap();
    for refused in [&other, &of_city] {
        let refused = activate(&mut district, refused).await.unwrap_err();
        assert_eq!(reason(&refused), "SCOPE_DENIED");
    }
    for (name, seen) in [
        (own.name.as_str(), Ok(())),
        (of_city.name.as_str(), Ok(())),
        (other.name.as_str(), Err("SCOPE_DENIED".to_owned())),
        ("policyProfiles/none-1", Err("SCOPE_DENIED".to_owned())),
    ] {
        let found = get(&mut district, name).await;
        let found = found.map(|_| ()).map_err(|refused| reason(&refused));
        assert_eq!(found, seen, "{name}");
    }
    let mut reader = PolicyServiceClient::new(desk.caller(Role::DistrictOfficer, GULOU_SCOPE));
    let refused = propose(&mut reader, gulou.clone()).await.unwrap_err();
    assert_eq!(reason(&refused), "SCOPE_DENIED");
    let request = SimulatePolicyProfileRequest {
        policy_profile: Some(gulou.clone()),
    };
    reader.simulate_policy_profile(request).await.unwrap();
    let request = SimulatePolicyProfileRequest {
        policy_profile: Some(PolicyProfile {
            organization: String::new(),
            ..gulou
        }),
    };
    let refused = reader.simulate_policy_profile(request).await.unwrap_err();
    assert_eq!(reason(&refused), "SCOPE_DENIED");
    assert_eq!(
        in_force(&mut reader, FUQING_PRIMARY, "2022-04-07").await,
        Err("SCOPE_DENIED".to_owned())
    );
    let service = desk.caller(Role::Service, "");
    let mut service = PolicyServiceClient::new(service);
    let found = in_force(&mut service, FUQING_PRIMARY, "2022-04-07").await;
    assert_eq!(found.as_deref(), Ok("fuzhou-2022-04@1"));
}

async fn of_one_region_and_day_the_last_activated_is_in_force(desk: Desk) {
    desk.plant().await;
    let mut client = client(&desk);
    let profile = like_shipped(&mut client, "a", GULOU, "2022-05-01").await;
    let wrong = enact(&mut client, profile.clone()).await;
    let mut follower = Follower::settled(&desk, desk.officer()).await;
    let right = enact(&mut client, profile).await;
    let found = in_force(&mut client, GULOU_PRIMARY, "2022-05-01").await;
    assert_eq!(found.as_deref(), Ok("a@2"));
    let gone = follower.heard().await;
    assert_eq!(
        (gone.entity, gone.version, gone.removed, gone.state),
        (wrong.name.clone(), 3, true, None)
    );
    let told = follower.heard().await;
    assert_eq!(told.state, Some(Fact::PolicyProfile(right)));
    let unguarded = PolicyProfile {
        etag: String::new(),
        ..wrong
    };
    let refused = activate(&mut client, &unguarded).await.unwrap_err();
    assert_eq!(reason(&refused), "POLICY_WRONG_STATE");
}

async fn followers_hear_of_what_is_in_force_and_of_nothing_else(desk: Desk) {
    // Before there is any organisation, what is shipped is published for the whole city.
    let empty = Follower::settled(&desk, desk.caller(Role::Service, "")).await;
    let shipped = [SHIPPED, "policyProfiles/multi-disease-routine-1"];
    assert_eq!(empty.stood("policyProfiles/"), shipped);
    desk.plant().await;
    // The root of the tree hears of the whole city, a district of its own part.
    let mut city = Follower::settled(&desk, desk.officer()).await;
    let mut service = Follower::settled(&desk, desk.caller(Role::Service, "")).await;
    let mut district =
        Follower::settled(&desk, desk.caller(Role::DiseaseControl, GULOU_SCOPE)).await;
    assert_eq!(city.stood("policyProfiles/"), shipped);
    assert_eq!(service.stood("policyProfiles/"), shipped);
    assert_eq!(district.stood("policyProfiles/"), [] as [&str; 0]);
    let mut client = client(&desk);
    let proposal = like_shipped(&mut client, "never", GULOU, "2022-05-01").await;
    propose(&mut client, proposal).await.unwrap();
    let whole = like_shipped(&mut client, "whole", "", "2022-05-01").await;
    let whole = enact(&mut client, whole).await;
    let gulou = like_shipped(&mut client, "gulou", GULOU, "2022-05-01").await;
    let gulou = enact(&mut client, gulou).await;
    for follower in [&mut city, &mut service] {
        for (profile, org_path) in [(&whole, ""), (&gulou, GULOU_SCOPE)] {
            let told = follower.heard().await;
            assert_eq!(
                (&*told.entity, told.version, &*told.org_path),
                (&*profile.name, 2, org_path)
            );
            assert_eq!(told.state, Some(Fact::PolicyProfile(profile.clone())));
        }
    }
    assert_eq!(district.heard().await.entity, gulou.name);
}

desk_suite!(
    nobody_sets_or_sees_more_than_their_part,
    of_one_region_and_day_the_last_activated_is_in_force,
    followers_hear_of_what_is_in_force_and_of_nothing_else,
);
