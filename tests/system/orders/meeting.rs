//! The meeting: a main venue and branches, and minutes that become an order.

use kit::field::to_timestamp;
use proto::Date;
use proto::notification::directive::{State, Urgency};
use proto::notification::meeting;
use proto::notification::meeting_service_client::MeetingServiceClient;
use proto::notification::{
    ConveneMeetingRequest, Directive, DirectiveItem, Meeting, PublishMinutesRequest, Venue,
};
use tests::city::Door;
use tests::town::{CITY, DISTRICT};

use super::april_evening::{DEMANDS, Demand, MAIN_VENUE, MEETING_AGENDA, MEETING_TITLE, MINUTES};
use super::notice::issue;
use super::steps::read;
use crate::region::{OTHER_BUREAU, Region, everybody, municipal};
use crate::verbs::{denied, request_id};

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
