//! Emergencies are declared and ended for the whole city.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use kit::auth::Role;
use proto::roster::emergency::State;
use proto::roster::emergency_service_client::EmergencyServiceClient;
use proto::roster::roster_event::State as Fact;
use proto::roster::{DeclareEmergencyRequest, Emergency, ListEmergenciesRequest};

use crate::desk::follow::Follower;
use crate::desk::{Desk, desk_suite, fields};
use crate::people::{declare, door, emergencies, end, refused};

async fn one_is_open_at_a_time_and_each_ends_once(desk: Desk) {
    desk.plant().await;
    let first = declare(&desk).await.unwrap();
    assert_eq!((first.state(), first.end_time), (State::Open, None));
    assert_eq!(refused(declare(&desk).await), "EMERGENCY_OPEN");
    desk.clock.advance(chrono::Duration::days(1));
    let ended = end(&desk, &first.name).await.unwrap();
    assert_eq!(ended.state(), State::Ended);
    let seconds = |at: Option<prost_types::Timestamp>| at.map(|at| at.seconds);
    let day = seconds(ended.start_time).map(|start| start + 86_400);
    assert_eq!(seconds(ended.end_time), day);
    assert_eq!(refused(end(&desk, &first.name).await), "EMERGENCY_ENDED");
    let second = declare(&desk).await.unwrap();
    let mut listed = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListEmergenciesRequest {
            page_size: 1,
            page_token,
        };
        let page = emergencies(&desk).list_emergencies(request).await.unwrap();
        let page = page.into_inner();
        listed.extend(page.emergencies);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, [second, ended]);
}

async fn services_hear_of_both_ends(desk: Desk) {
    desk.plant().await;
    let mut heard = Follower::settled(&desk, door(&desk, "safety", Role::Service)).await;
    let declared = declare(&desk).await.unwrap();
    let ended = end(&desk, &declared.name).await.unwrap();
    for (version, expected) in [(1, declared), (2, ended)] {
        let event = heard.heard().await;
        assert_eq!((event.version, &event.entity), (version, &expected.name));
        assert_eq!(event.state, Some(Fact::Emergency(expected)));
    }
}

async fn it_takes_an_officer_of_the_city_and_a_legal_basis(desk: Desk) {
    desk.plant().await;
    let emergency = Emergency {
        display_name: "疫情防控".to_owned(),
        ..Emergency::default()
    };
    let request = DeclareEmergencyRequest {
        emergency: Some(emergency),
        request_id: String::new(),
    };
    let refused_fields = emergencies(&desk).declare_emergency(request.clone()).await;
    let wrong = fields(&refused_fields.unwrap_err());
    assert_eq!(wrong, ["emergency.legal_basis"]);
    let mut district = EmergencyServiceClient::new(desk.caller(Role::CityOfficer, "fz/350102"));
    let answer = district.declare_emergency(request.clone()).await;
    assert_eq!(refused(answer), "SCOPE_DENIED");
    for role in [Role::DistrictOfficer, Role::Principal, Role::SystemAdmin] {
        let mut other = EmergencyServiceClient::new(door(&desk, "zoe", role));
        let answer = other.declare_emergency(request.clone()).await;
        assert_eq!(refused(answer), "SCOPE_DENIED", "{role}");
    }
}

desk_suite!(
    one_is_open_at_a_time_and_each_ends_once,
    services_hear_of_both_ends,
    it_takes_an_officer_of_the_city_and_a_legal_basis,
);
