//! Class groups as a client sees them, and their rolls as a reader of the feed does.
#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use crate::desk;
use crate::desk::desk_suite;
use crate::desk::{CITY, Desk, FUQING_PRIMARY, GULOU, GULOU_PRIMARY, GULOU_SENIOR};
use crate::people;
use crate::people::{
    FUQING_THIRD, Follower, REQUEST, THIRD, THIRD_TWO, class_group, employ, enrol, invalid, number,
    plant, refusal, refused,
};
use kit::auth::Role;
use proto::roster::class_group::State;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use proto::roster::organization_service_client::OrganizationServiceClient;
use proto::roster::set_teaching_mode_request::Ground;
use proto::roster::{
    ClassGroup, CloseOrganizationRequest, GetClassGroupRequest, ListClassGroupsRequest,
    SetTeachingModeRequest, Stage, UpdateClassGroupRequest,
};
use tonic::Code;
use uuid::Uuid;

type Client = ClassGroupServiceClient<desk::Door>;

fn officer(desk: &Desk) -> Client {
    ClassGroupServiceClient::new(desk.officer())
}

async fn get(client: &mut Client, name: &str) -> ClassGroup {
    let request = GetClassGroupRequest {
        name: name.to_owned(),
    };
    client
        .get_class_group(request)
        .await
        .expect("it is there")
        .into_inner()
}

fn update(class_group: ClassGroup, paths: &[&str]) -> UpdateClassGroupRequest {
    let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
    UpdateClassGroupRequest {
        class_group: Some(class_group),
        update_mask: (!paths.is_empty()).then_some(prost_types::FieldMask { paths }),
        request_id: String::new(),
    }
}

fn teach(name: &str, mode: TeachingMode, grades: &[i32]) -> SetTeachingModeRequest {
    SetTeachingModeRequest {
        name: name.to_owned(),
        teaching_mode: mode.into(),
        grades: grades.to_vec(),
        reason: "台风红色预警".to_owned(),
        ..SetTeachingModeRequest::default()
    }
}

async fn name_grade_and_display_name_follow_from_the_cohort(desk: Desk) {
    desk.plant().await;
    let mut client = officer(&desk);
    let request = class_group(GULOU_SENIOR, Stage::Senior, 2021, 2);
    let made = client
        .create_class_group(request)
        .await
        .unwrap()
        .into_inner();
    let expected = ClassGroup {
        name: format!("organizations/{GULOU_SENIOR}/classGroups/s2021-02"),
        display_name: "高一（2）班".to_owned(),
        stage: Stage::Senior.into(),
        entry_year: 2021,
        number: 2,
        grade: 10,
        teaching_mode: TeachingMode::InPerson.into(),
        org_path: format!("fz/350102/{GULOU_SENIOR}/s2021-02"),
        state: State::Active.into(),
        roll_version: 1,
        update_time: made.update_time,
        etag: "\"1\"".to_owned(),
        ..ClassGroup::default()
    };
    assert_eq!(made, expected);
    assert_eq!(get(&mut client, &expected.name).await, expected);
    desk.clock.advance(chrono::Duration::days(180));
    let later = get(&mut officer(&desk), &expected.name).await;
    assert_eq!(
        (later.grade, later.display_name),
        (11, "高二（2）班".to_owned())
    );
}

async fn class_groups_stand_in_open_schools_once(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let again = class_group(GULOU_PRIMARY, Stage::Primary, 2019, 1);
    let again = client.create_class_group(again).await.unwrap_err();
    assert_eq!(
        refusal(again),
        refused(Code::AlreadyExists, "ALREADY_EXISTS")
    );
    let bureau = class_group(GULOU, Stage::Primary, 2019, 1);
    let bureau = client.create_class_group(bureau).await.unwrap_err();
    let kind = refused(Code::FailedPrecondition, "ORGANIZATION_KIND");
    assert_eq!(refusal(bureau), kind);
    let close = CloseOrganizationRequest {
        name: format!("organizations/{GULOU_SENIOR}"),
        valid_to_date: people::today(),
        ..CloseOrganizationRequest::default()
    };
    let mut organizations = OrganizationServiceClient::new(desk.officer());
    organizations.close_organization(close).await.unwrap();
    let closed = class_group(GULOU_SENIOR, Stage::Senior, 2021, 1);
    let closed = client.create_class_group(closed).await.unwrap_err();
    let expected = refused(Code::FailedPrecondition, "ORGANIZATION_CLOSED");
    assert_eq!(refusal(closed), expected);
}

async fn wrong_fields_are_named_together(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let mut request = class_group(GULOU_PRIMARY, Stage::Unspecified, 1979, 100);
    if let Some(sent) = &mut request.class_group {
        sent.display_name = "班".repeat(64);
        sent.head_teacher = "陈老师".to_owned();
    }
    let wrong = client.create_class_group(request).await.unwrap_err();
    let expected = [
        "class_group.stage",
        "class_group.entry_year",
        "class_group.number",
        "class_group.display_name",
        "class_group.head_teacher",
    ];
    assert_eq!(refusal(wrong), invalid(&expected));
    for year in [2015, 2023] {
        let request = class_group(GULOU_PRIMARY, Stage::Primary, year, 1);
        let wrong = client.create_class_group(request).await.unwrap_err();
        assert_eq!(refusal(wrong), invalid(&["class_group.entry_year"]));
    }
    let mut request = teach(THIRD, TeachingMode::Unspecified, &[13]);
    request.reason = " ".to_owned();
    let wrong = client.set_teaching_mode(request).await.unwrap_err();
    let expected = ["teaching_mode", "grades", "grades[0]", "reason"];
    assert_eq!(refusal(wrong), invalid(&expected));
    let strange = update(get(&mut client, THIRD).await, &["teaching_mode"]);
    let wrong = client.update_class_group(strange).await.unwrap_err();
    assert_eq!(refusal(wrong), invalid(&["update_mask.paths[0]"]));
}

async fn whoever_leads_a_class_group_works_at_its_school(desk: Desk) {
    plant(&desk).await;
    let [here, left, elsewhere] = [1, 2, 3].map(Uuid::from_u128);
    let school = format!("fz/350102/{GULOU_PRIMARY}");
    employ(&desk, here, &school, 1).await;
    employ(&desk, left, &school, 3).await;
    employ(&desk, elsewhere, &format!("fz/350181/{FUQING_PRIMARY}"), 1).await;
    let mut client = officer(&desk);
    let led_by = |id: Uuid| ClassGroup {
        name: THIRD.to_owned(),
        head_teacher: format!("staff/{id}"),
        ..ClassGroup::default()
    };
    let led = update(led_by(here), &[]);
    let led = client.update_class_group(led).await.unwrap().into_inner();
    assert_eq!(led.head_teacher, format!("staff/{here}"));
    let gone = client
        .update_class_group(update(led_by(left), &[]))
        .await
        .unwrap_err();
    let expected = refused(Code::FailedPrecondition, "STAFF_MEMBER_DISMISSED");
    assert_eq!(refusal(gone), expected);
    for stranger in [elsewhere, Uuid::from_u128(4)] {
        let request = update(led_by(stranger), &[]);
        let wrong = client.update_class_group(request).await.unwrap_err();
        assert_eq!(refusal(wrong), invalid(&["class_group.head_teacher"]));
        let mut request = class_group(GULOU_PRIMARY, Stage::Primary, 2020, 1);
        request.class_group = request.class_group.map(|sent| ClassGroup {
            head_teacher: format!("staff/{stranger}"),
            ..sent
        });
        let wrong = client.create_class_group(request).await.unwrap_err();
        assert_eq!(refusal(wrong), invalid(&["class_group.head_teacher"]));
    }
    let nobody = ClassGroup {
        name: THIRD.to_owned(),
        ..ClassGroup::default()
    };
    let nobody = client
        .update_class_group(update(nobody, &["head_teacher"]))
        .await;
    assert_eq!(nobody.unwrap().into_inner().head_teacher, "");
}

async fn an_own_name_is_announced_and_can_be_taken_away_again(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let mut follower = Follower::of(&desk).await;
    let own = ClassGroup {
        name: THIRD.to_owned(),
        display_name: "少年先锋班".to_owned(),
        ..ClassGroup::default()
    };
    let before = get(&mut client, THIRD).await;
    let after = client.update_class_group(update(own.clone(), &[])).await;
    let after = after.unwrap().into_inner();
    let expected = ClassGroup {
        display_name: "少年先锋班".to_owned(),
        roll_version: 2,
        etag: "\"2\"".to_owned(),
        ..before
    };
    assert_eq!(after, expected);
    let stale = ClassGroup {
        etag: "\"1\"".to_owned(),
        ..own.clone()
    };
    let stale = client.update_class_group(update(stale, &[])).await;
    let expected = refused(Code::Aborted, "ETAG_MISMATCH");
    assert_eq!(refusal(stale.unwrap_err()), expected);
    let none = ClassGroup {
        display_name: String::new(),
        ..own
    };
    let none = client
        .update_class_group(update(none, &["display_name"]))
        .await;
    assert_eq!(none.unwrap().into_inner().display_name, "三年（1）班");
    for (version, name) in [(2, "少年先锋班"), (3, "三年（1）班")] {
        let (entity, seen, roll) = follower.roll().await;
        let roll = roll.unwrap();
        assert_eq!(
            (&*entity, seen, &*roll.display_name, roll.grade),
            (THIRD, version, name, 3)
        );
    }
}

async fn the_same_request_makes_one_class_group(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let mut request = class_group(GULOU_PRIMARY, Stage::Primary, 2020, 1);
    request.request_id = REQUEST.to_owned();
    let first = client.create_class_group(request.clone()).await;
    let again = client.create_class_group(request.clone()).await;
    assert_eq!(first.unwrap().into_inner(), again.unwrap().into_inner());
    request.parent = format!("organizations/{FUQING_PRIMARY}");
    let reused = client.create_class_group(request).await.unwrap_err();
    let expected = refused(Code::InvalidArgument, "REQUEST_ID_REUSED");
    assert_eq!(refusal(reused), expected);
}

async fn pages_hold_the_class_groups_of_one_school_by_name(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let request = class_group(GULOU_PRIMARY, Stage::Primary, 2016, 1);
    client.create_class_group(request).await.unwrap();
    let mut list = ListClassGroupsRequest {
        parent: format!("organizations/{GULOU_PRIMARY}"),
        page_size: 2,
        ..ListClassGroupsRequest::default()
    };
    let mut names = Vec::new();
    loop {
        let page = client.list_class_groups(list.clone()).await.unwrap();
        let page = page.into_inner();
        assert!(page.class_groups.len() <= 2);
        names.extend(page.class_groups.into_iter().map(|group| group.name));
        list.page_token = page.next_page_token;
        if list.page_token.is_empty() {
            break;
        }
    }
    let sixth = format!("organizations/{GULOU_PRIMARY}/classGroups/p2016-01");
    assert_eq!(names, [&sixth, THIRD, THIRD_TWO]);
    let first = client.list_class_groups(list.clone()).await.unwrap();
    list.page_token = first.into_inner().next_page_token;
    list.show_graduated = true;
    let wrong = client.list_class_groups(list).await.unwrap_err();
    let expected = refused(Code::InvalidArgument, "INVALID_PAGE_TOKEN");
    assert_eq!(refusal(wrong), expected);
}

async fn nobody_acts_outside_of_their_part_of_the_tree(desk: Desk) {
    plant(&desk).await;
    let school = format!("fz/350102/{GULOU_PRIMARY}");
    let class = format!("{school}/p2019-01");
    let denied = || refused(Code::PermissionDenied, "SCOPE_DENIED");
    // Who, whether they read here, whether they write here.
    let callers = [
        (Role::CityOfficer, CITY, true, true),
        (Role::DistrictOfficer, "fz/350102", true, true),
        (Role::DistrictOfficer, "fz/350181", false, false),
        (Role::SchoolClerk, &*school, true, true),
        (Role::SchoolClerk, "fz/350102/3435010002", false, false),
        (Role::Principal, &*school, true, false),
        (Role::ClassReporter, &*class, true, false),
        (Role::Laboratory, "fz", false, false),
    ];
    for (place, (role, scope, reads, writes)) in callers.into_iter().enumerate() {
        let mut client = ClassGroupServiceClient::new(desk.caller(role, scope));
        let name = THIRD.to_owned();
        let read = client.get_class_group(GetClassGroupRequest { name }).await;
        assert_eq!(read.is_ok(), reads, "{role} at {scope}");
        let year = 2017 + i32::try_from(place % 4).unwrap();
        let number = 10 + i32::try_from(place).unwrap();
        let request = class_group(GULOU_PRIMARY, Stage::Primary, year, number);
        let made = client.create_class_group(request).await;
        let renamed = ClassGroup {
            name: THIRD.to_owned(),
            display_name: format!("第{place}次"),
            ..ClassGroup::default()
        };
        let renamed = client.update_class_group(update(renamed, &[])).await;
        let mode = [TeachingMode::Online, TeachingMode::InPerson][place % 2];
        let taught = client.set_teaching_mode(teach(THIRD, mode, &[])).await;
        let promoted = client
            .promote_class_groups(proto::roster::PromoteClassGroupsRequest {
                parent: format!("organizations/{GULOU_PRIMARY}"),
                ..Default::default()
            })
            .await;
        let refusals = [made.err(), renamed.err(), taught.err(), promoted.err()];
        for status in refusals {
            assert_eq!(
                status.map(refusal),
                (!writes).then(denied),
                "{role} at {scope}"
            );
        }
    }
}

async fn unknown_and_foreign_class_groups_are_answered_alike(desk: Desk) {
    plant(&desk).await;
    let clerk = desk.caller(Role::SchoolClerk, &format!("fz/350102/{GULOU_PRIMARY}"));
    let mut clerk = ClassGroupServiceClient::new(clerk);
    let unknown = format!("organizations/{FUQING_PRIMARY}/classGroups/p2020-09");
    for name in [FUQING_THIRD, &unknown] {
        let name = name.to_owned();
        let denied = clerk.get_class_group(GetClassGroupRequest { name }).await;
        let expected = refused(Code::PermissionDenied, "SCOPE_DENIED");
        assert_eq!(refusal(denied.unwrap_err()), expected);
    }
    let name = unknown;
    let unknown = officer(&desk)
        .get_class_group(GetClassGroupRequest { name })
        .await;
    let expected = refused(Code::NotFound, "NOT_FOUND");
    assert_eq!(refusal(unknown.unwrap_err()), expected);
}

async fn teaching_changes_for_one_for_grades_and_for_all_below(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    for (school, stage, year) in [
        (GULOU_PRIMARY, Stage::Primary, 2016),
        (GULOU_PRIMARY, Stage::Kindergarten, 2019),
        (GULOU_SENIOR, Stage::Senior, 2019),
    ] {
        let request = class_group(school, stage, year, 1);
        client.create_class_group(request).await.unwrap();
    }
    let student = enrol(&desk, THIRD, "").await;
    let mut follower = Follower::of(&desk).await;
    let gulou = format!("organizations/{GULOU}");
    let steps = [
        (THIRD, TeachingMode::Online, &[][..], 1),
        (THIRD, TeachingMode::Online, &[], 0),
        // The third grade only, of which one is online already; no kindergarten has it.
        (&gulou, TeachingMode::Online, &[3], 1),
        (&gulou, TeachingMode::Online, &[0, 6], 2),
        (&gulou, TeachingMode::Suspended, &[], 5),
    ];
    for (name, mode, grades, changed) in steps {
        let answer = client.set_teaching_mode(teach(name, mode, grades)).await;
        let count = answer.unwrap().into_inner().changed_count;
        assert_eq!(count, changed, "{name} {mode:?} {grades:?}");
    }
    let mut rolls = Vec::new();
    for _ in 0..9 {
        let (entity, _, roll) = follower.roll().await;
        let roll = roll.unwrap();
        let id = entity.rsplit('/').next().unwrap().to_owned();
        if entity == THIRD {
            assert_eq!(roll.members[0].person, student.name);
        }
        rolls.push((id, roll.teaching_mode()));
    }
    let expected = [
        ("p2019-01", TeachingMode::Online),
        ("p2019-02", TeachingMode::Online),
        ("k2019-01", TeachingMode::Online),
        ("p2016-01", TeachingMode::Online),
        ("k2019-01", TeachingMode::Suspended),
        ("p2016-01", TeachingMode::Suspended),
        ("p2019-01", TeachingMode::Suspended),
        ("p2019-02", TeachingMode::Suspended),
        ("s2019-01", TeachingMode::Suspended),
    ];
    assert_eq!(rolls, expected.map(|(id, mode)| (id.to_owned(), mode)));
    assert_eq!(
        get(&mut client, FUQING_THIRD).await.teaching_mode(),
        TeachingMode::InPerson
    );
    let kept = "SELECT COUNT(*) FROM teaching_changes WHERE reason = '台风红色预警' \
        AND principal = 'test-city-officer' AND name = 'organizations/350102' \
        AND org_path = 'fz/350102'";
    let both = format!("{kept} AND grades = '0,6' AND teaching_mode = 2 AND changed = 2");
    assert_eq!(
        (number(&desk, kept).await, number(&desk, &both).await),
        (3, 1)
    );
}

async fn each_ground_keeps_pupils_away_for_itself(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let gulou = format!("organizations/{GULOU}");
    let (whole, one) = (&*gulou, THIRD);
    // What is set on which ground, how many change and are held, and how the one is taught then.
    let steps = [
        (
            one,
            Ground::Epidemic,
            TeachingMode::Online,
            1,
            0,
            TeachingMode::Online,
        ),
        (
            whole,
            Ground::Weather,
            TeachingMode::Suspended,
            2,
            0,
            TeachingMode::Suspended,
        ),
        (
            whole,
            Ground::Epidemic,
            TeachingMode::InPerson,
            0,
            2,
            TeachingMode::Suspended,
        ),
        (
            one,
            Ground::Epidemic,
            TeachingMode::Online,
            0,
            1,
            TeachingMode::Suspended,
        ),
        (
            whole,
            Ground::Weather,
            TeachingMode::InPerson,
            2,
            1,
            TeachingMode::Online,
        ),
        (
            one,
            Ground::Unspecified,
            TeachingMode::InPerson,
            0,
            1,
            TeachingMode::Online,
        ),
        (
            one,
            Ground::General,
            TeachingMode::Suspended,
            1,
            0,
            TeachingMode::Suspended,
        ),
        (
            one,
            Ground::Unspecified,
            TeachingMode::InPerson,
            1,
            1,
            TeachingMode::Online,
        ),
        (
            one,
            Ground::Epidemic,
            TeachingMode::InPerson,
            1,
            0,
            TeachingMode::InPerson,
        ),
    ];
    for (step, (name, ground, mode, changed, held, then)) in steps.into_iter().enumerate() {
        let request = SetTeachingModeRequest {
            ground: ground.into(),
            ..teach(name, mode, &[])
        };
        let answer = client
            .set_teaching_mode(request)
            .await
            .unwrap()
            .into_inner();
        let counts = (answer.changed_count, answer.held_count);
        assert_eq!(counts, (changed, held), "step {step}");
        assert_eq!(
            get(&mut client, one).await.teaching_mode(),
            then,
            "step {step}"
        );
    }
    let request = SetTeachingModeRequest {
        ground: 9,
        ..teach(one, TeachingMode::Online, &[])
    };
    let wrong = client.set_teaching_mode(request).await.unwrap_err();
    assert_eq!(refusal(wrong), invalid(&["ground"]));
}

desk_suite!(
    name_grade_and_display_name_follow_from_the_cohort,
    class_groups_stand_in_open_schools_once,
    wrong_fields_are_named_together,
    whoever_leads_a_class_group_works_at_its_school,
    an_own_name_is_announced_and_can_be_taken_away_again,
    the_same_request_makes_one_class_group,
    pages_hold_the_class_groups_of_one_school_by_name,
    nobody_acts_outside_of_their_part_of_the_tree,
    unknown_and_foreign_class_groups_are_answered_alike,
    teaching_changes_for_one_for_grades_and_for_all_below,
    each_ground_keeps_pupils_away_for_itself,
);
