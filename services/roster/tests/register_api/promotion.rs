//! The beginning of a school year as a client sees it, and the rolls as a reader of the feed does.
#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use crate::desk;
use crate::desk::desk_suite;
use crate::desk::{Desk, GULOU, GULOU_PRIMARY};
use crate::people;
use crate::people::{
    Follower, REQUEST, THIRD, THIRD_TWO, class_group, day, enrol, enrolment, invalid, plant,
    refusal, refused,
};
use proto::roster::class_group::State;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use proto::roster::student::State as StudentState;
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::{
    ClassGroup, GetClassGroupRequest, GetStudentRequest, ListClassGroupsRequest,
    ListStudentsRequest, PromoteClassGroupsRequest, PromoteClassGroupsResponse,
    SetTeachingModeRequest, Stage, Student, TransferStudentRequest, UpdateClassGroupRequest,
    UpdateStudentRequest,
};
use tonic::Code;

const SIXTH: &str = "organizations/2135010001/classGroups/p2016-01";

type Client = ClassGroupServiceClient<desk::Door>;

fn officer(desk: &Desk) -> Client {
    ClassGroupServiceClient::new(desk.officer())
}

fn promote(date: Option<proto::Date>) -> PromoteClassGroupsRequest {
    PromoteClassGroupsRequest {
        parent: format!("organizations/{GULOU_PRIMARY}"),
        date,
        request_id: String::new(),
    }
}

fn counts(promoted: i32, graduated: i32, students: i32) -> PromoteClassGroupsResponse {
    PromoteClassGroupsResponse {
        promoted_count: promoted,
        graduated_count: graduated,
        graduated_student_count: students,
    }
}

/// The small city with a sixth grade of two pupils.
async fn with_sixth_grade(desk: &Desk) -> Vec<Student> {
    plant(desk).await;
    let request = class_group(GULOU_PRIMARY, Stage::Primary, 2016, 1);
    officer(desk).create_class_group(request).await.unwrap();
    vec![enrol(desk, SIXTH, "").await, enrol(desk, SIXTH, "").await]
}

async fn grade_of(desk: &Desk, name: &str) -> (i32, State) {
    let name = name.to_owned();
    let group = officer(desk)
        .get_class_group(GetClassGroupRequest { name })
        .await;
    let group = group.unwrap().into_inner();
    (group.grade, group.state())
}

async fn cohorts_that_finished_leave_with_their_pupils_and_the_others_go_on(desk: Desk) {
    let pupils = with_sixth_grade(&desk).await;
    let mut follower = Follower::of(&desk).await;
    desk.clock.set("2022-09-05T01:00:00Z".parse().unwrap());
    let answer = officer(&desk).promote_class_groups(promote(None)).await;
    assert_eq!(answer.unwrap().into_inner(), counts(2, 1, 2));
    assert_eq!(follower.roll().await, (SIXTH.to_owned(), 4, None));
    for (name, shown) in [(THIRD, "四年（1）班"), (THIRD_TWO, "四年（2）班")] {
        let (entity, version, roll) = follower.roll().await;
        let roll = roll.unwrap();
        assert_eq!(
            (&*entity, version, roll.grade, &*roll.display_name),
            (name, 2, 4, shown)
        );
    }
    assert_eq!(grade_of(&desk, SIXTH).await, (0, State::Graduated));
    assert_eq!(grade_of(&desk, THIRD).await, (4, State::Active));
    let mut students = StudentServiceClient::new(desk.officer());
    for before in pupils {
        let name = before.name.clone();
        let after = students.get_student(GetStudentRequest { name }).await;
        let after = after.unwrap().into_inner();
        let expected = Student {
            state: StudentState::Graduated.into(),
            end_date: day(2022, 8, 31),
            etag: "\"2\"".to_owned(),
            update_time: after.update_time,
            ..before
        };
        assert_eq!(after, expected);
    }
    for (show_graduated, held) in [(false, 2), (true, 3)] {
        let list = ListClassGroupsRequest {
            parent: format!("organizations/{GULOU_PRIMARY}"),
            show_graduated,
            ..ListClassGroupsRequest::default()
        };
        let page = officer(&desk).list_class_groups(list).await.unwrap();
        assert_eq!(page.into_inner().class_groups.len(), held);
    }
}

async fn a_repeat_in_the_same_school_year_changes_nothing(desk: Desk) {
    with_sixth_grade(&desk).await;
    let mut client = officer(&desk);
    let mut first = promote(day(2022, 9, 1));
    first.request_id = REQUEST.to_owned();
    let answer = client.promote_class_groups(first.clone()).await;
    assert_eq!(answer.unwrap().into_inner(), counts(2, 1, 2));
    let same = client.promote_class_groups(first).await;
    assert_eq!(same.unwrap().into_inner(), counts(2, 1, 2));
    let list = || ListClassGroupsRequest {
        parent: format!("organizations/{GULOU_PRIMARY}"),
        show_graduated: true,
        ..ListClassGroupsRequest::default()
    };
    let before = client.list_class_groups(list()).await.unwrap();
    for date in [day(2022, 9, 1), day(2023, 1, 15), day(2022, 4, 7), None] {
        let again = client.promote_class_groups(promote(date)).await;
        assert_eq!(again.unwrap().into_inner(), counts(0, 0, 0), "{date:?}");
    }
    let after = client.list_class_groups(list()).await.unwrap();
    assert_eq!(before.into_inner(), after.into_inner());
    desk.clock.set("2022-09-20T01:00:00Z".parse().unwrap());
    let later = officer(&desk).promote_class_groups(promote(None)).await;
    assert_eq!(later.unwrap().into_inner(), counts(0, 0, 0));
    desk.clock.set("2023-09-01T01:00:00Z".parse().unwrap());
    let next = officer(&desk).promote_class_groups(promote(None)).await;
    assert_eq!(next.unwrap().into_inner(), counts(2, 0, 0));
}

async fn a_school_year_begun_early_stays_begun(desk: Desk) {
    with_sixth_grade(&desk).await;
    let mut client = officer(&desk);
    let promoted = client.promote_class_groups(promote(day(2022, 9, 1))).await;
    promoted.unwrap();
    assert_eq!(grade_of(&desk, THIRD).await, (4, State::Active));
    let mut follower = Follower::of(&desk).await;
    enrol(&desk, THIRD, "").await;
    let (_, _, roll) = follower.roll().await;
    assert_eq!(roll.unwrap().grade, 4);
}

async fn what_finished_takes_nobody_and_changes_no_more(desk: Desk) {
    let pupils = with_sixth_grade(&desk).await;
    let third = enrol(&desk, THIRD, "").await;
    let mut client = officer(&desk);
    let promoted = client.promote_class_groups(promote(day(2022, 9, 1))).await;
    promoted.unwrap();
    let finished = || refused(Code::FailedPrecondition, "CLASS_GROUP_GRADUATED");
    let mut students = StudentServiceClient::new(desk.officer());
    let enrolled = students.create_student(enrolment(SIXTH, "林小雨")).await;
    assert_eq!(refusal(enrolled.unwrap_err()), finished());
    let moved = TransferStudentRequest {
        name: third.name,
        destination_class_group: SIXTH.to_owned(),
        effective_date: people::today(),
        request_id: String::new(),
    };
    let moved = students.transfer_student(moved).await;
    assert_eq!(refusal(moved.unwrap_err()), finished());
    let renamed = ClassGroup {
        name: SIXTH.to_owned(),
        display_name: "毕业班".to_owned(),
        ..ClassGroup::default()
    };
    let renamed = UpdateClassGroupRequest {
        class_group: Some(renamed),
        ..UpdateClassGroupRequest::default()
    };
    let renamed = client.update_class_group(renamed).await;
    assert_eq!(refusal(renamed.unwrap_err()), finished());
    let taught = SetTeachingModeRequest {
        name: SIXTH.to_owned(),
        teaching_mode: 2,
        reason: "演练".to_owned(),
        ..SetTeachingModeRequest::default()
    };
    let taught = client.set_teaching_mode(taught).await;
    assert_eq!(refusal(taught.unwrap_err()), finished());
    let changed = Student {
        name: pupils[0].name.clone(),
        display_name: "林大雨".to_owned(),
        ..Student::default()
    };
    let changed = UpdateStudentRequest {
        student: Some(changed),
        ..UpdateStudentRequest::default()
    };
    let changed = students.update_student(changed).await;
    let gone = refused(Code::FailedPrecondition, "STUDENT_NOT_ENROLLED");
    assert_eq!(refusal(changed.unwrap_err()), gone);
    for (show_withdrawn, held) in [(false, 0), (true, 2)] {
        let list = ListStudentsRequest {
            parent: SIXTH.to_owned(),
            show_withdrawn,
            ..ListStudentsRequest::default()
        };
        let page = students.list_students(list).await.unwrap();
        assert_eq!(page.into_inner().students.len(), held);
    }
}

async fn only_a_school_begins_a_school_year_and_only_a_near_one(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    for date in [day(2021, 8, 31), day(2023, 9, 1), day(2022, 2, 30)] {
        let wrong = client.promote_class_groups(promote(date)).await;
        assert_eq!(refusal(wrong.unwrap_err()), invalid(&["date"]), "{date:?}");
    }
    let bureau = PromoteClassGroupsRequest {
        parent: format!("organizations/{GULOU}"),
        ..PromoteClassGroupsRequest::default()
    };
    let bureau = client.promote_class_groups(bureau).await;
    let expected = refused(Code::FailedPrecondition, "ORGANIZATION_KIND");
    assert_eq!(refusal(bureau.unwrap_err()), expected);
}

desk_suite!(
    cohorts_that_finished_leave_with_their_pupils_and_the_others_go_on,
    a_repeat_in_the_same_school_year_changes_nothing,
    a_school_year_begun_early_stays_begun,
    what_finished_takes_nobody_and_changes_no_more,
    only_a_school_begins_a_school_year_and_only_a_near_one,
);
