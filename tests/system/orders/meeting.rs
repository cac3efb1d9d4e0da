//! The meeting: a main venue and branches, another time or none, and minutes that become an order.

use kit::auth::Role;
use kit::field::to_timestamp;
use proto::Date;
use proto::notification::directive::{State, Urgency};
use proto::notification::meeting;
use proto::notification::meeting_service_client::MeetingServiceClient;
use proto::notification::{
    CancelMeetingRequest, ConveneMeetingRequest, Directive, DirectiveItem, EndMeetingRequest,
    Meeting, PostponeMeetingRequest, PublishMinutesRequest, Venue,
};
use tests::city::Door;
use tests::town::{CITY, DISTRICT, school, school_path};
use tonic::Code;

use super::april_evening::{DEMANDS, Demand, MAIN_VENUE, MEETING_AGENDA, MEETING_TITLE, MINUTES};
use super::inbox::Inbox;
use super::notice::issue;
use super::steps::read;
use crate::region::{OTHER_BUREAU, Place, Region, everybody, municipal};
use crate::verbs::{denied, expect, request_id};

pub(super) fn meetings(door: Door) -> MeetingServiceClient<Door> {
    MeetingServiceClient::new(door)
}

/// The city calls the heads of every bureau and school to its own room and those of the bureaus.
pub(super) async fn is_called(region: &Region, notice: &Directive) -> String {
    let branch = |bureau: &str| Venue {
        venue_id: bureau.to_owned(),
        display_name: "教育局会议室（分会场）".to_owned(),
        main: false,
        organization: format!("organizations/{bureau}"),
    };
    let main = Venue {
        venue_id: MAIN_VENUE.0.to_owned(),
        display_name: MAIN_VENUE.1.to_owned(),
        main: true,
        organization: String::new(),
    };
    let called = Meeting {
        title: MEETING_TITLE.to_owned(),
        agenda: MEETING_AGENDA.to_owned(),
        start_time: Some(to_timestamp(region.later(5 * 60))),
        end_time: Some(to_timestamp(region.later(6 * 60 + 30))),
        venues: vec![main, branch(DISTRICT), branch(OTHER_BUREAU)],
        audience: Some(everybody()),
        posts: vec!["PRINCIPAL".to_owned()],
        notice: notice.name.clone(),
        ..Meeting::default()
    };
    let request = ConveneMeetingRequest {
        parent: format!("organizations/{CITY}"),
        meeting: Some(called),
        request_id: request_id(),
    };
    let [own, _] = region.bureaus();
    for door in [region.acting(&own), region.acting(&municipal())] {
        let refused = meetings(door).convene_meeting(request.clone()).await;
        denied("a meeting of the city", refused);
    }
    let convened = meetings(region.officer("clerk"))
        .convene_meeting(request)
        .await;
    let convened = convened.expect("is called").into_inner();
    assert_eq!(
        (convened.state(), convened.expected_count),
        (meeting::State::Convened, notice.recipient_count)
    );
    let known = read(&region.officer("chief"), &notice.name).await;
    assert_eq!(known.expect("the notice").meeting, convened.name);
    convened.name
}

/// A second meeting is put off, and then called off: its head hears of each, once, and nobody but the city
/// may do so.
pub(super) async fn of_another_day_is_called_off(region: &Region) {
    let school: Place = (school(1), school_path(1));
    let head = region.staff(&school.0, "校长").to_owned();
    let door = region.person(Role::Principal, &school.1, &head);
    let mut inbox = Inbox::open(&door, &head).await.expect("one's own inbox");
    let main = Venue {
        venue_id: MAIN_VENUE.0.to_owned(),
        display_name: MAIN_VENUE.1.to_owned(),
        main: true,
        organization: String::new(),
    };
    let called = Meeting {
        title: "汛期校园安全工作会".to_owned(),
        start_time: Some(to_timestamp(region.later(24 * 60))),
        end_time: Some(to_timestamp(region.later(25 * 60))),
        venues: vec![main],
        audience: Some(everybody()),
        posts: vec!["PRINCIPAL".to_owned()],
        ..Meeting::default()
    };
    let request = ConveneMeetingRequest {
        parent: format!("organizations/{CITY}"),
        meeting: Some(called),
        request_id: request_id(),
    };
    let clerk = region.officer("clerk");
    let convened = meetings(clerk.clone()).convene_meeting(request).await;
    let name = convened.expect("is called").into_inner().name;
    assert_eq!(inbox.about(&name).await.title, "【会议】汛期校园安全工作会");

    let postpone = PostponeMeetingRequest {
        name: name.clone(),
        start_time: Some(to_timestamp(region.later(48 * 60))),
        end_time: Some(to_timestamp(region.later(49 * 60))),
        reason: "台风防御应急响应".to_owned(),
        request_id: request_id(),
    };
    let cancel = CancelMeetingRequest {
        name: name.clone(),
        reason: "台风防御应急响应".to_owned(),
        request_id: request_id(),
    };
    let [own, _] = region.bureaus();
    for door in [region.acting(&own), region.acting(&school)] {
        let mut client = meetings(door);
        let refused = client.postpone_meeting(postpone.clone()).await;
        denied("a meeting of the city", refused);
        let refused = client.cancel_meeting(cancel.clone()).await;
        denied("a meeting of the city", refused);
    }
    let mut client = meetings(clerk);
    for _ in 0..2 {
        let postponed = client.postpone_meeting(postpone.clone()).await;
        let postponed = postponed.expect("is put off").into_inner();
        assert_eq!(postponed.start_time, postpone.start_time);
    }
    let told = inbox.about(&name).await;
    assert_eq!(told.title, "【会议推迟】汛期校园安全工作会");
    assert!(told.body.contains("台风防御应急响应"), "{}", told.body);
    for _ in 0..2 {
        let cancelled = client.cancel_meeting(cancel.clone()).await;
        let cancelled = cancelled.expect("is called off").into_inner();
        assert_eq!(cancelled.state(), meeting::State::Cancelled);
    }
    let told = inbox.about(&name).await;
    assert_eq!(told.title, "【会议取消】汛期校园安全工作会");
    expect(
        "a meeting that is off",
        client
            .end_meeting(EndMeetingRequest {
                name,
                request_id: request_id(),
            })
            .await,
        Code::FailedPrecondition,
        "MEETING_STATE",
    );
}

/// The demands of the meeting as items, each with the duty that owns it and its day.
fn demands() -> Vec<DirectiveItem> {
    let item = |demand: &Demand| DirectiveItem {
        item_id: demand.id.to_owned(),
        text: demand.text.to_owned(),
        duty: demand.duty.to_owned(),
        due_date: Some(Date {
            year: 2022,
            month: 4,
            day: demand.due,
        }),
    };
    DEMANDS.iter().map(item).collect()
}

/// The minutes are published at 21:35 and issued, down to the class groups, at 21:40.
pub(super) async fn becomes_an_order(region: &Region, meeting: &str) -> Directive {
    region.at(6, 21, 35);
    let request = PublishMinutesRequest {
        name: meeting.to_owned(),
        minutes: MINUTES.to_owned(),
        items: demands(),
        urgency: Urgency::Urgent.into(),
        request_id: request_id(),
        to_class_groups: true,
    };
    let bureau = region.acting(&region.bureaus()[0]);
    denied(
        "minutes",
        meetings(bureau).publish_minutes(request.clone()).await,
    );
    let clerk = region.officer("clerk");
    let published = meetings(clerk.clone())
        .publish_minutes(request.clone())
        .await;
    let published = published.expect("are published").into_inner();
    assert_eq!(published.state(), meeting::State::Minuted);
    let draft = read(&clerk, &published.directive).await.expect("the draft");
    assert_eq!(
        (draft.state(), &*draft.author, &*draft.text, &draft.items),
        (State::Draft, "clerk", MINUTES, &request.items)
    );
    assert_eq!(draft.meeting, meeting);
    region.at(6, 21, 40);
    let order = issue(region, &draft.name).await;
    let schools = region.schools();
    let class_groups: usize = schools
        .iter()
        .map(|one| region.class_groups(one).len())
        .sum();
    assert_eq!(
        order.recipient_count as usize,
        2 + schools.len() + class_groups
    );
    order
}
