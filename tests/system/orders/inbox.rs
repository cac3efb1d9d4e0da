//! Inboxes as their owners see them while messages come.

use proto::notification::delivery::State;
use proto::notification::delivery_service_client::DeliveryServiceClient;
use proto::notification::{
    DeliveryReceipt, InboxItem, RecordReceiptsRequest, WatchInboxRequest, WatchInboxResponse,
};
use tests::city::Door;
use tests::within;
use tonic::{Status, Streaming};

/// An inbox that is open.
pub(super) struct Inbox(Streaming<WatchInboxResponse>);

impl Inbox {
    /// Opens the inbox of a recipient.
    pub(super) async fn open(door: &Door, recipient: &str) -> Result<Self, Status> {
        let request = WatchInboxRequest {
            recipient: recipient.to_owned(),
            resume_token: String::new(),
        };
        let mut client = DeliveryServiceClient::new(door.clone());
        Ok(Self(client.watch_inbox(request).await?.into_inner()))
    }

    /// The first item from now on that tells of `basis`.
    pub(super) async fn about(&mut self, basis: &str) -> InboxItem {
        self.first(basis, |item| item.basis == basis).await
    }

    /// The first item from now on with this heading.
    pub(super) async fn titled(&mut self, title: &str) -> InboxItem {
        self.first(title, |item| item.title == title).await
    }

    async fn first(&mut self, what: &str, fits: impl Fn(&InboxItem) -> bool) -> InboxItem {
        let wait = async {
            loop {
                let answer = self.0.message().await.expect("the inbox goes on");
                let items = answer.expect("the inbox stays open").items;
                if let Some(item) = items.into_iter().find(&fits) {
                    return item;
                }
            }
        };
        within(&format!("{what} is told"), wait).await
    }
}

/// Says that a delivery was read; gives how many that changed.
pub(super) async fn was_read(door: &Door, delivery: &str) -> i32 {
    let request = RecordReceiptsRequest {
        receipts: vec![DeliveryReceipt {
            delivery: delivery.to_owned(),
            state: State::Read.into(),
            time: None,
            failure: 0,
        }],
    };
    let mut client = DeliveryServiceClient::new(door.clone());
    let recorded = client.record_receipts(request).await;
    recorded
        .expect("a receipt is taken")
        .into_inner()
        .changed_count
}
