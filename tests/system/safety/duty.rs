//! The duty watch: a roster without gaps, somebody who comes, a spot check from above, and somebody who does
//! not come (rules 5.30 and 5.31).

use kit::auth::Role;
use kit::field::to_timestamp;
use proto::safety::duty_roster::Shift;
use proto::safety::duty_service_client::DutyServiceClient;
use proto::safety::duty_shift::State;
use proto::safety::spot_check::Result as Answered;
use proto::safety::{
    CreateDutyRosterRequest, DutyPost, DutyRoster, DutyShift, GetDutyShiftRequest,
    ListDutyShiftsRequest, ListDutyStandingsRequest, ListSpotChecksRequest, RecordSpotCheckRequest,
    UpdateDutyRosterRequest, duty_standing,
};
use tests::city::Door;
use tests::town::{DISTRICT, school};
use tests::until;
use tonic::{Code, Status};

use super::people::{call, once, organization};
use crate::region::Region;
use crate::verbs::{denied, expect, request_id};

const REFUSED: Code = Code::FailedPrecondition;

/// A shift between two hours of 7 April, counted from its midnight.
fn shift(region: &Region, hours: (i64, i64), leader: &str, others: [&str; 2]) -> Shift {
    let person = |post: &str| region.staff(&school(1), post).to_owned();
    let at = |hour: i64| Some(to_timestamp(region.hour_of(7, hour)));
    Shift {
        start_time: at(hours.0),
        end_time: at(hours.1),
        leader: person(leader),
        staff: others.map(person).into(),
        posts: vec![DutyPost {
            post: "GUARD".to_owned(),
            staff_member: person("保安"),
        }],
        phone: "0591-83850000".to_owned(),
    }
}

/// A day and a night, the night from `night` on.
fn roster(region: &Region, name: String, night: i64) -> DutyRoster {
    let day = shift(region, (8, 20), "安全副校长", ["疫情报告人", "心理教师"]);
    let night = shift(region, (night, 32), "校长", ["班主任", "心理教师"]);
    DutyRoster {
        name,
        start_time: day.start_time,
        end_time: night.end_time,
        shifts: vec![day, night],
        ..DutyRoster::default()
    }
}

/// An hour without anybody is named and refused; then the roster stands.
pub(super) async fn is_planned_without_a_gap(region: &Region) -> String {
    let draft = CreateDutyRosterRequest {
        parent: organization(1),
        duty_roster: Some(roster(region, String::new(), 21)),
        request_id: request_id(),
    };
    let guard = call!(
        DutyServiceClient,
        region.guard(),
        create_duty_roster,
        draft.clone()
    );
    denied("a guard plans no duty", guard);
    let drafted = call!(
        DutyServiceClient,
        region.deputy(),
        create_duty_roster,
        draft
    );
    let name = drafted.expect("is drafted").name;
    let publish = || once!(PublishDutyRosterRequest, name);
    let own = call!(
        DutyServiceClient,
        region.deputy(),
        publish_duty_roster,
        publish()
    );
    denied("who drafts does not publish", own);
    let gap = call!(
        DutyServiceClient,
        region.head(),
        publish_duty_roster,
        publish()
    );
    expect("nobody from 20:00 to 21:00", gap, REFUSED, "DUTY_GAP");
    assert_eq!(shifts(region).await, [], "nothing is scheduled");
    let update = UpdateDutyRosterRequest {
        duty_roster: Some(roster(region, name.clone(), 20)),
        request_id: request_id(),
    };
    let closed = call!(
        DutyServiceClient,
        region.deputy(),
        update_duty_roster,
        update
    );
    closed.expect("the gap is closed");
    let published = call!(
        DutyServiceClient,
        region.head(),
        publish_duty_roster,
        publish()
    );
    published.expect("is published");
    name
}

/// The shifts of the first school, the first begin first.
async fn shifts(region: &Region) -> Vec<DutyShift> {
    let request = ListDutyShiftsRequest {
        parent: organization(1),
        ..ListDutyShiftsRequest::default()
    };
    let listed = call!(DutyServiceClient, region.guard(), list_duty_shifts, request);
    let mut shifts = listed.expect("shifts").duty_shifts;
    shifts.reverse();
    shifts
}

async fn check_in(door: Door, name: &str) -> Result<DutyShift, Status> {
    let request = once!(CheckInDutyShiftRequest, name);
    call!(DutyServiceClient, door, check_in_duty_shift, request)
}

/// The leader of the day comes in time, and the bureau makes sure. Gives the two shifts.
pub(super) async fn is_attended(region: &Region, roster: &str) -> [String; 2] {
    let shifts = shifts(region).await;
    assert!(shifts.iter().all(|one| one.roster == roster));
    let names: Vec<String> = shifts.into_iter().map(|one| one.name).collect();
    let names: [String; 2] = names.try_into().expect("a day and a night");
    let [day, _] = &names;
    region.at(7, 7, 50);
    let other = check_in(region.head(), day).await;
    expect("the other leader", other, REFUSED, "DUTY_PERSON");
    let came = check_in(region.deputy(), day).await.expect("comes");
    assert_eq!(came.state(), State::OnDuty);

    region.at(7, 8, 30);
    let check = || RecordSpotCheckRequest {
        shift: day.clone(),
        result: Answered::Ok.into(),
        request_id: request_id(),
    };
    let own = call!(DutyServiceClient, region.head(), record_spot_check, check());
    denied("a school does not check itself", own);
    call!(
        DutyServiceClient,
        region.bureau(),
        record_spot_check,
        check()
    )
    .expect("somebody answers");
    let public = ListSpotChecksRequest {
        parent: organization(1),
        ..ListSpotChecksRequest::default()
    };
    let public = call!(DutyServiceClient, region.guard(), list_spot_checks, public);
    let public = public.expect("are public").spot_checks;
    let found: Vec<Answered> = public.iter().map(|one| one.result()).collect();
    assert_eq!(found, [Answered::Ok]);
    who_is_there(region).await;
    names
}

/// The bureau sees where somebody is, and where nobody is.
async fn who_is_there(region: &Region) {
    let request = ListDutyStandingsRequest {
        parent: format!("organizations/{DISTRICT}"),
        ..ListDutyStandingsRequest::default()
    };
    let listed = call!(
        DutyServiceClient,
        region.bureau(),
        list_duty_standings,
        request
    );
    let standings = listed.expect("standings").duty_standings;
    let stands = |at: u32| {
        let own = standings
            .iter()
            .find(|one| one.organization == organization(at));
        own.map(|one| one.state())
    };
    let (there, gap) = (duty_standing::State::OnDuty, duty_standing::State::Gap);
    assert_eq!(
        [1, 2, 3].map(stands),
        [Some(there), Some(gap), Some(gap)],
        "{standings:?}"
    );
}

/// At night nobody comes: it is an alert, the bureau sends others, and they take over in writing.
pub(super) async fn is_replaced_and_handed_over(region: &Region, [day, night]: &[String; 2]) {
    let person = |post: &str| region.staff(&school(1), post).to_owned();
    let replace = || {
        once!(
            ReplaceDutyShiftRequest,
            night,
            leader: person("疫情报告人"),
            staff: vec![person("班主任"), person("心理教师")],
            reason: "带班领导未到岗".to_owned()
        )
    };
    let early = call!(
        DutyServiceClient,
        region.bureau(),
        replace_duty_shift,
        replace()
    );
    expect("the night is to come", early, REFUSED, "DUTY_STATE");
    region.at(7, 20, 16);
    let alert = until("nobody came", || async {
        let request = GetDutyShiftRequest {
            name: night.clone(),
        };
        let shift = call!(DutyServiceClient, region.guard(), get_duty_shift, request);
        let shift = shift.expect("a shift");
        (shift.state() == State::Alert).then_some(shift)
    })
    .await;
    let last = alert.history.last().expect("a move");
    assert_eq!((&*last.step, &*last.actor), ("RAISE_ALERT", "service"));
    let late = check_in(region.head(), night).await;
    expect("too late", late, REFUSED, "DUTY_STATE");
    let sent = call!(
        DutyServiceClient,
        region.bureau(),
        replace_duty_shift,
        replace()
    );
    let sent = sent.expect("others are sent");
    assert_eq!(
        (sent.state(), &sent.replaces),
        (State::OnDuty, night),
        "{sent:?}"
    );

    let next = region.at_school(Role::EpidemicReporter, "疫情报告人");
    let take = || once!(TakeOverDutyShiftRequest, day);
    let unwritten = call!(
        DutyServiceClient,
        next.clone(),
        take_over_duty_shift,
        take()
    );
    expect("nothing is written", unwritten, REFUSED, "DUTY_HANDOVER");
    let write = once!(
        WriteHandoverRequest,
        day,
        summary: "一人到访，操场护栏坠落已处置".to_owned(),
        open_items: vec!["护栏待更换".to_owned()]
    );
    call!(DutyServiceClient, region.deputy(), write_handover, write).expect("is written");
    let over = call!(DutyServiceClient, next, take_over_duty_shift, take());
    let over = over.expect("is taken over");
    assert_eq!(over.state(), State::HandedOver);
    assert_eq!(
        over.handover.unwrap_or_default().successor,
        person("疫情报告人")
    );
}
