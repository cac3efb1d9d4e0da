//! A message of a school to the families of a class group, and what comes back.

use kit::auth::Role;
use proto::notification::delivery::State as Arrived;
use proto::notification::delivery_service_client::DeliveryServiceClient;
use proto::notification::message::{Category, State, Urgency};
use proto::notification::recipients::Group;
use proto::notification::{
    DeliveryCounts, GetMessageRequest, ListDeliveriesRequest, Message, Recipients,
    SendMessageRequest,
};
use tests::city::{City, Door};
use tests::town::{school, school_path};
use tests::until;
use tonic::{Code, Status};

use super::inbox::{Inbox, was_read};
use crate::region::Region;
use crate::verbs::{denied, expect, request_id};

/// The heading of the message.
const TITLE: &str = "返校前一天请完成健康监测";

fn to_families(region: &Region, at: u32) -> SendMessageRequest {
    let recipients = Recipients {
        class_groups: vec![region.city.town.class_group(at, 1)],
        groups: vec![Group::Families.into()],
        ..Recipients::default()
    };
    let values = [("title", TITLE), ("body", "请于今晚八点前填报")];
    let message = Message {
        category: Category::Notice.into(),
        urgency: Urgency::Ordinary.into(),
        template: "templates/notice".to_owned(),
        values: values
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        recipients: Some(recipients),
        ..Message::default()
    };
    SendMessageRequest {
        parent: format!("organizations/{}", school(1)),
        message: Some(message),
        request_id: request_id(),
    }
}

async fn send(door: &Door, request: &SendMessageRequest) -> Result<Message, Status> {
    let mut client = DeliveryServiceClient::new(door.clone());
    Ok(client.send_message(request.clone()).await?.into_inner())
}

async fn read(door: &Door, name: &str) -> Result<Message, Status> {
    let name = name.to_owned();
    let mut client = DeliveryServiceClient::new(door.clone());
    let message = client.get_message(GetMessageRequest { name }).await?;
    Ok(message.into_inner())
}

/// The recipients to whom it has come so far.
async fn with(door: &Door, message: &str, state: Arrived) -> Vec<String> {
    let request = ListDeliveriesRequest {
        parent: message.to_owned(),
        state: state.into(),
        page_size: 100,
        ..ListDeliveriesRequest::default()
    };
    let mut client = DeliveryServiceClient::new(door.clone());
    let listed = client.list_deliveries(request).await.expect("the ledger");
    let deliveries = listed.into_inner().deliveries.into_iter();
    deliveries.map(|one| one.recipient).collect()
}

/// Every family has it once; the school sees who has read it.
pub(super) async fn is_read_and_says_so(region: &Region) {
    let principal = region.city.door(Role::Principal, &school_path(1));
    let class = format!("{}/{}", school_path(1), region.city.town.class_id(1));
    let request = to_families(region, 1);
    for wrong in [
        region.city.door(Role::ClassReporter, &class),
        region.city.door(Role::Principal, &school_path(2)),
    ] {
        denied("sending", send(&wrong, &request).await);
    }
    expect(
        "families of another school",
        send(&principal, &to_families(region, 2)).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
    let emergency = SendMessageRequest {
        message: request.message.clone().map(|message| Message {
            urgency: Urgency::Emergency.into(),
            ..message
        }),
        ..to_families(region, 1)
    };
    denied(
        "an emergency of a school",
        send(&principal, &emergency).await,
    );

    let child = region.city.student(1, 1, 5);
    let family = City::guardians_of(child);
    let parent = region.person(Role::Guardian, &class, child);
    let neighbour = region.person(Role::Guardian, &class, region.city.student(1, 1, 6));
    denied(
        "another family's inbox",
        Inbox::open(&neighbour, &family).await.map(drop),
    );
    denied(
        "the pupil's own inbox",
        Inbox::open(&parent, child).await.map(drop),
    );
    let mut inbox = Inbox::open(&parent, &family)
        .await
        .expect("the family's inbox");
    let sent = send(&principal, &request).await.expect("is sent");
    let again = send(&principal, &request).await.expect("is answered again");
    assert_eq!(sent, again);
    let told = inbox.titled(TITLE).await;
    assert_eq!(told.sender, format!("organizations/{}", school(1)));
    let families = i64::from(region.city.town.students);
    until("there is a row for every family", || async {
        let now = read(&principal, &sent.name).await.expect("the message");
        (now.state() == State::Expanded && now.recipient_count == families).then_some(())
    })
    .await;

    assert_eq!(was_read(&neighbour, &told.delivery).await, 0, "not theirs");
    assert_eq!(was_read(&parent, &told.delivery).await, 1);
    assert_eq!(was_read(&parent, &told.delivery).await, 0, "once");
    let now = read(&principal, &sent.name).await.expect("the message");
    let expected = DeliveryCounts {
        sent: families - 1,
        read: 1,
        ..DeliveryCounts::default()
    };
    assert_eq!(now.counts, Some(expected));
    assert_eq!(with(&principal, &sent.name, Arrived::Read).await, [family]);
    let unread = with(&principal, &sent.name, Arrived::Sent).await;
    assert_eq!(unread.len() as i64, families - 1);
    let sibling = region.city.door(Role::Principal, &school_path(2));
    denied("another school's message", read(&sibling, &sent.name).await);
    denied("a parent", read(&parent, &sent.name).await);
}
