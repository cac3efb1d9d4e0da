//! Who attends the meeting: substitutes with approval, signatures at the desks, absentees.

use kit::auth::Role;
use proto::notification::attendance::{State as Came, Substitution};
use proto::notification::{
    Attendance, DecideSubstituteRequest, EndMeetingRequest, GetMeetingRequest,
    ListAttendancesRequest, Meeting, RequestSubstituteRequest, SignInRequest, SignOutRequest,
};
use tests::city::Door;
use tests::every;
use tests::town::{CITY, DISTRICT, school, school_path};
use tonic::{Code, Status};

use super::april_evening::MAIN_VENUE;
use super::meeting::meetings;
use crate::region::{FAR, MUNICIPAL, Place, Region, far, municipal};
use crate::verbs::{denied, expect, request_id};

fn attendance(meeting: &str, organization: &str) -> String {
    format!("{meeting}/attendances/{organization}~principal")
}

async fn ask(door: &Door, name: &str, substitute: &str) -> Result<Attendance, Status> {
    let request = RequestSubstituteRequest {
        name: name.to_owned(),
        substitute: substitute.to_owned(),
        reason: "在外地参加培训".to_owned(),
        request_id: request_id(),
    };
    let asked = meetings(door.clone()).request_substitute(request).await?;
    Ok(asked.into_inner())
}

async fn decide(door: &Door, name: &str, approved: bool) -> Result<Attendance, Status> {
    let request = DecideSubstituteRequest {
        name: name.to_owned(),
        approved,
        request_id: request_id(),
    };
    let decided = meetings(door.clone()).decide_substitute(request).await?;
    Ok(decided.into_inner())
}

/// Two heads cannot come and ask; the bureau grants one and refuses the other.
pub(super) async fn lets_substitutes_come(region: &Region, meeting: &str) {
    region.at(6, 18, 0);
    let [own, other] = region.bureaus();
    for (at, approved) in [(2, true), (3, false)] {
        let place: Place = (school(at), school_path(at));
        let (door, name) = (region.acting(&place), attendance(meeting, &place.0));
        let substitute = region.staff(&place.0, "安全副校长");
        let sibling = region.acting(&(school(1), school_path(1)));
        denied("a sibling asks", ask(&sibling, &name, substitute).await);
        denied(
            "the bureau asks",
            ask(&region.acting(&own), &name, substitute).await,
        );
        let asked = ask(&door, &name, substitute).await.expect("is asked");
        assert_eq!(asked.substitution(), Substitution::Requested);
        denied("one's own request", decide(&door, &name, true).await);
        let elsewhere = region.acting(&other);
        denied("another bureau", decide(&elsewhere, &name, true).await);
        let decided = decide(&region.acting(&own), &name, approved).await;
        let decided = decided.expect("is decided");
        let expected = if approved {
            Substitution::Approved
        } else {
            Substitution::Refused
        };
        assert_eq!(
            (decided.substitution(), &*decided.substitute_decider),
            (expected, "test-district-officer")
        );
    }
}

async fn sign_in(door: &Door, name: &str, attendee: &str) -> Result<Attendance, Status> {
    let request = SignInRequest {
        name: name.to_owned(),
        attendee: attendee.to_owned(),
        venue_id: String::new(),
        request_id: request_id(),
    };
    Ok(meetings(door.clone()).sign_in(request).await?.into_inner())
}

async fn end(door: &Door, meeting: &str) -> Result<Meeting, Status> {
    let request = EndMeetingRequest {
        name: meeting.to_owned(),
        request_id: request_id(),
    };
    Ok(meetings(door.clone())
        .end_meeting(request)
        .await?
        .into_inner())
}

/// Desks sign in who comes; one head comes late, one not at all.
pub(super) async fn is_held(region: &Region, meeting: &str) {
    let [own, other] = region.bureaus();
    let desk = region.acting(&own);
    let first = attendance(meeting, &school(1));
    let head = region.staff(&school(1), "校长");
    region.at(6, 18, 59);
    let early = sign_in(&desk, &first, head).await;
    expect(
        "too early",
        early,
        Code::FailedPrecondition,
        "MEETING_STATE",
    );
    region.at(6, 19, 40);
    let sibling = region.acting(&(school(2), school_path(2)));
    let guard = region.city.door(Role::Guard, &school_path(1));
    for wrong in [sibling, region.acting(&other), guard] {
        denied("another's desk", sign_in(&wrong, &first, head).await);
    }
    let there = sign_in(&desk, &first, head).await.expect("is there");
    assert_eq!((there.state(), there.late), (Came::SignedIn, false));
    assert_eq!(there.sign_in_venue_id, DISTRICT);
    let deputy = region.staff(&school(2), "安全副校长");
    let deputised = sign_in(&desk, &attendance(meeting, &school(2)), deputy).await;
    assert_eq!(deputised.expect("was approved").attendee, deputy);
    let refused = region.staff(&school(3), "安全副校长");
    let refused = sign_in(&desk, &attendance(meeting, &school(3)), refused).await;
    let (code, why) = (Code::FailedPrecondition, "ATTENDANCE_SUBSTITUTE");
    expect("was not approved", refused, code, why);
    for place in [&own, &other, &municipal()] {
        let head = region.staff(&place.0, "校长");
        let there = sign_in(&region.acting(place), &attendance(meeting, &place.0), head).await;
        let there = there.expect("signs itself in");
        let room = if place.0 == MUNICIPAL {
            MAIN_VENUE.0
        } else {
            &place.0
        };
        assert_eq!(there.sign_in_venue_id, room);
    }
    let chief = region.officer("chief");
    let early = end(&chief, meeting).await;
    expect(
        "not begun",
        early,
        Code::FailedPrecondition,
        "MEETING_STATE",
    );

    region.at(6, 20, 5);
    let head = region.staff(FAR, "校长");
    let late = sign_in(&region.acting(&far()), &attendance(meeting, FAR), head).await;
    assert!(late.expect("comes late").late);
    region.at(6, 21, 20);
    let leave = SignOutRequest {
        name: first,
        request_id: request_id(),
    };
    let left = meetings(desk).sign_out(leave).await.expect("leaves");
    assert!(!left.into_inner().left_unsigned);
    region.at(6, 21, 30);
    denied(
        "the convener ends it",
        end(&region.acting(&own), meeting).await,
    );
    let ended = end(&chief, meeting).await.expect("is over");
    assert_eq!(
        (
            ended.attended_count,
            ended.late_count,
            ended.substitute_count,
            ended.absent_count
        ),
        (6, 1, 1, 1)
    );
    who_was_absent(region, meeting).await;
}

/// Each bureau sees its own absentees; who has nothing to do with meetings sees none.
async fn who_was_absent(region: &Region, meeting: &str) {
    let [own, other] = region.bureaus();
    let absent = |door: Door| {
        every(move |page_token| {
            let request = ListAttendancesRequest {
                parent: meeting.to_owned(),
                page_size: 2,
                page_token,
                state: Came::Absent.into(),
                substitution_requested: false,
            };
            let mut client = meetings(door.clone());
            async move {
                let page = client.list_attendances(request).await?.into_inner();
                let of = page.attendances.into_iter().map(|one| one.organization);
                Ok((of.collect::<Vec<_>>(), page.next_page_token))
            }
        })
    };
    let missing = format!("organizations/{}", school(3));
    for door in [region.officer("clerk"), region.acting(&own)] {
        assert_eq!(absent(door).await.expect("listed"), [&*missing]);
    }
    let elsewhere = absent(region.acting(&other)).await;
    assert_eq!(elsewhere.expect("listed"), [""; 0]);
    let guard = region.city.door(Role::Guard, CITY);
    denied("absentees", absent(guard.clone()).await);
    let name = meeting.to_owned();
    denied(
        "a meeting",
        meetings(guard)
            .get_meeting(GetMeetingRequest { name })
            .await,
    );
}
