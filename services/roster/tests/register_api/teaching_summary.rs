//! How class groups are taught, as a bureau counts them.
#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use crate::desk;
use crate::desk::desk_suite;
use crate::desk::{CITY, Desk, FUQING, FUQING_PRIMARY, GULOU, GULOU_PRIMARY, GULOU_SENIOR};
use crate::people::{
    FUQING_THIRD, THIRD, THIRD_TWO, class_group, execute, invalid, plant, refusal, refused,
};
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_timestamp;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use proto::roster::teaching_summary::ModeCount;
use proto::roster::{
    GetTeachingSummaryRequest, ListTeachingSummariesRequest, ListTeachingSummariesResponse,
    SetTeachingModeRequest, Stage, TeachingSummary,
};
use tonic::{Code, Status};

type Client = ClassGroupServiceClient<desk::Door>;

fn officer(desk: &Desk) -> Client {
    ClassGroupServiceClient::new(desk.officer())
}

async fn summary(client: &mut Client, organization: &str) -> Result<TeachingSummary, Status> {
    let request = GetTeachingSummaryRequest {
        name: format!("organizations/{organization}/teachingSummary"),
    };
    let answered = client.get_teaching_summary(request).await;
    answered.map(tonic::Response::into_inner)
}

async fn page(
    client: &mut Client,
    parent: &str,
    page_size: i32,
    page_token: &str,
) -> Result<ListTeachingSummariesResponse, Status> {
    let request = ListTeachingSummariesRequest {
        parent: format!("organizations/{parent}"),
        page_size,
        page_token: page_token.to_owned(),
    };
    let answered = client.list_teaching_summaries(request).await;
    answered.map(tonic::Response::into_inner)
}

async fn teach(client: &mut Client, name: &str, mode: TeachingMode) {
    let request = SetTeachingModeRequest {
        name: name.to_owned(),
        teaching_mode: mode.into(),
        reason: "台风红色预警".to_owned(),
        ..SetTeachingModeRequest::default()
    };
    client.set_teaching_mode(request).await.unwrap();
}

/// What is told of a place: class groups in person, online and suspended, schools, and schools in person.
fn told(desk: &Desk, org_path: &str, modes: [i32; 3], schools: [i32; 2]) -> TeachingSummary {
    let all = [
        TeachingMode::InPerson,
        TeachingMode::Online,
        TeachingMode::Suspended,
    ];
    let counts = all.into_iter().zip(modes).map(|(mode, count)| ModeCount {
        teaching_mode: mode.into(),
        class_group_count: count,
    });
    let id = org_path.rsplit('/').next().unwrap_or_default();
    TeachingSummary {
        name: format!("organizations/{id}/teachingSummary"),
        org_path: org_path.to_owned(),
        class_group_count: modes.iter().sum(),
        modes: counts.collect(),
        school_count: schools[0],
        in_person_school_count: schools[1],
        data_time: Some(to_timestamp(desk.clock.now())),
    }
}

async fn class_groups_and_schools_are_counted_by_mode_at_every_level(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let senior = class_group(GULOU_SENIOR, Stage::Senior, 2021, 1);
    client.create_class_group(senior).await.unwrap();
    let school = format!("fz/350102/{GULOU_PRIMARY}");
    let city = summary(&mut client, CITY).await.unwrap();
    assert_eq!(city, told(&desk, CITY, [4, 0, 0], [3, 3]));
    teach(&mut client, THIRD, TeachingMode::Online).await;
    let fuqing = format!("organizations/{FUQING}");
    teach(&mut client, &fuqing, TeachingMode::Suspended).await;
    for (id, expected) in [
        (CITY, told(&desk, CITY, [2, 1, 1], [3, 1])),
        (GULOU, told(&desk, "fz/350102", [2, 1, 0], [2, 1])),
        (FUQING, told(&desk, "fz/350181", [0, 0, 1], [1, 0])),
        (GULOU_PRIMARY, told(&desk, &school, [1, 1, 0], [1, 0])),
    ] {
        assert_eq!(summary(&mut client, id).await.unwrap(), expected, "{id}");
    }
    teach(&mut client, THIRD, TeachingMode::InPerson).await;
    let later = summary(&mut client, GULOU).await.unwrap();
    assert_eq!(later, told(&desk, "fz/350102", [3, 0, 0], [2, 2]));
}

async fn whoever_has_no_class_groups_that_are_taught_has_zeros(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let senior = format!("fz/350102/{GULOU_SENIOR}");
    let none = summary(&mut client, GULOU_SENIOR).await.unwrap();
    assert_eq!(none, told(&desk, &senior, [0; 3], [0; 2]));
    execute(
        &desk,
        "UPDATE class_groups SET state = 2 WHERE org_path LIKE 'fz/350181/%'",
    )
    .await;
    let finished = summary(&mut client, FUQING).await.unwrap();
    assert_eq!(finished, told(&desk, "fz/350181", [0; 3], [0; 2]));
    let city = summary(&mut client, CITY).await.unwrap();
    assert_eq!(city, told(&desk, CITY, [2, 0, 0], [1, 1]));
}

async fn organisations_right_below_are_listed_by_path_with_those_that_have_class_groups(
    desk: Desk,
) {
    plant(&desk).await;
    let mut client = officer(&desk);
    teach(&mut client, FUQING_THIRD, TeachingMode::Online).await;
    let gulou = told(&desk, "fz/350102", [2, 0, 0], [1, 1]);
    let fuqing = told(&desk, "fz/350181", [0, 1, 0], [1, 0]);
    let whole = page(&mut client, CITY, 0, "").await.unwrap();
    let districts = [gulou.clone(), fuqing.clone()];
    assert_eq!(whole.teaching_summaries, districts);
    assert_eq!(whole.next_page_token, "");
    let first = page(&mut client, CITY, 1, "").await.unwrap();
    assert_eq!(first.teaching_summaries, [gulou]);
    let token = first.next_page_token;
    let second = page(&mut client, CITY, 1, &token).await.unwrap();
    assert_eq!(second.teaching_summaries, [fuqing]);
    assert_eq!(second.next_page_token, "");
    let other = page(&mut client, GULOU, 1, &token).await.unwrap_err();
    let expected = refused(Code::InvalidArgument, "INVALID_PAGE_TOKEN");
    assert_eq!(refusal(other), expected);
    // The senior school has no class group.
    let school = format!("fz/350102/{GULOU_PRIMARY}");
    let schools = page(&mut client, GULOU, 0, "").await.unwrap();
    let primary = told(&desk, &school, [2, 0, 0], [1, 1]);
    assert_eq!(schools.teaching_summaries, [primary]);
    let below = page(&mut client, GULOU_PRIMARY, 0, "").await.unwrap();
    assert_eq!(below, ListTeachingSummariesResponse::default());
}

async fn everybody_counts_their_own_part_of_the_tree_and_no_other(desk: Desk) {
    plant(&desk).await;
    let school = format!("fz/350102/{GULOU_PRIMARY}");
    // Who, and whether they count the city, Gulou, Fuqing, and a school of each.
    let callers = [
        (Role::CityOfficer, CITY, [true; 5]),
        (
            Role::DistrictOfficer,
            "fz/350102",
            [false, true, false, true, false],
        ),
        (
            Role::DistrictOfficer,
            "fz/350181",
            [false, false, true, false, true],
        ),
        (
            Role::Principal,
            &*school,
            [false, false, false, true, false],
        ),
        (Role::Guard, &*school, [false; 5]),
        (Role::Laboratory, CITY, [false; 5]),
    ];
    let places = [CITY, GULOU, FUQING, GULOU_PRIMARY, FUQING_PRIMARY];
    let denied = || refused(Code::PermissionDenied, "SCOPE_DENIED");
    for (role, scope, may) in callers {
        let mut client = ClassGroupServiceClient::new(desk.caller(role, scope));
        for (place, may) in places.into_iter().zip(may) {
            let one = summary(&mut client, place).await.err();
            // What is wrong with a request is told to nobody who may not ask.
            let wrong = page(&mut client, place, -1, "").await.err();
            let list = page(&mut client, place, 0, "").await.err();
            let what = format!("{role} at {scope} of {place}");
            let expected = (!may).then(denied);
            assert_eq!(one.map(refusal), expected, "{what}");
            assert_eq!(list.map(refusal), expected, "{what}");
            let expected = expected.unwrap_or_else(|| invalid(&["page_size"]));
            assert_eq!(wrong.map(refusal), Some(expected), "{what}");
        }
    }
}

async fn unknown_organisations_and_other_names_are_refused(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let unknown = summary(&mut client, "2135019999").await.unwrap_err();
    assert_eq!(refusal(unknown), refused(Code::NotFound, "NOT_FOUND"));
    let gulou = desk.caller(Role::DistrictOfficer, "fz/350102");
    let hidden = summary(&mut ClassGroupServiceClient::new(gulou), "2135019999").await;
    let denied = refused(Code::PermissionDenied, "SCOPE_DENIED");
    assert_eq!(refusal(hidden.unwrap_err()), denied);
    for name in [
        "",
        "organizations/fz",
        "organizations//teachingSummary",
        THIRD_TWO,
    ] {
        let request = GetTeachingSummaryRequest {
            name: name.to_owned(),
        };
        let wrong = client.get_teaching_summary(request).await.unwrap_err();
        assert_eq!(refusal(wrong), invalid(&["name"]), "{name}");
    }
}

desk_suite!(
    class_groups_and_schools_are_counted_by_mode_at_every_level,
    whoever_has_no_class_groups_that_are_taught_has_zeros,
    organisations_right_below_are_listed_by_path_with_those_that_have_class_groups,
    everybody_counts_their_own_part_of_the_tree_and_no_other,
    unknown_organisations_and_other_names_are_refused,
);
