//! Inboxes that are watched on and on while notification is killed: whoever goes on with the last token
//! gets each message, and each once.

use std::sync::Arc;

use kit::auth::{Caller, Role};
use proto::notification::delivery_service_client::DeliveryServiceClient;
use proto::notification::{WatchInboxRequest, WatchInboxResponse};
use tests::city::{City, Door, caller};
use tests::town::{school, school_path};
use tests::within;
use tokio::task::JoinSet;

use super::campaign::Campaign;

/// The heading of the message after which nobody watches any more.
pub(super) const LAST: &str = "以上为全部通知";

/// Those who watch, each with what came, in the order in which it came.
pub(super) struct Watchers(JoinSet<(String, Vec<String>)>);

impl Watchers {
    /// A family, a member of staff and a school begin to watch.
    pub(super) fn begin(campaign: &Campaign, city: &Arc<City>) -> Self {
        let place = school_path(1);
        let person = |role, name: &str| Caller {
            person: Some(name.to_owned()),
            ..caller(role, &place)
        };
        let (child, member) = (city.student(1, 1, 1), city.staff(1, "疫情报告人"));
        let school = format!("organizations/{}", school(1));
        let mut watchers = JoinSet::new();
        let family = City::guardians_of(child);
        for (recipient, who) in [
            (&*family, person(Role::Guardian, child)),
            (member, person(Role::EpidemicReporter, member)),
            (&school, caller(Role::Principal, &place)),
        ] {
            let (recipient, door) = (recipient.to_owned(), city.door_of(who));
            watchers.spawn(watch(campaign.clone(), door, recipient));
        }
        Self(watchers)
    }

    /// Waits until each has seen the last message; gives what came before it, by who watched.
    pub(super) async fn end(mut self) -> Vec<(String, Vec<String>)> {
        let mut seen = Vec::new();
        while let Some(one) = within("the last message comes", self.0.join_next()).await {
            seen.push(one.expect("a watcher ends well"));
        }
        seen
    }
}

/// Watches an inbox until the last message comes; gives the messages that came before it.
async fn watch(campaign: Campaign, door: Door, recipient: String) -> (String, Vec<String>) {
    let (mut seen, mut resume_token) = (Vec::new(), String::new());
    loop {
        let open = || {
            let request = WatchInboxRequest {
                recipient: recipient.clone(),
                resume_token: resume_token.clone(),
            };
            let mut client = DeliveryServiceClient::new(door.clone());
            async move { Ok(client.watch_inbox(request).await?.into_inner()) }
        };
        let mut inbox = campaign.insist("notification", "an inbox", open).await;
        // A stream that was cut is opened again where it was.
        while let Ok(Some(answer)) = inbox.message().await {
            let WatchInboxResponse {
                items,
                resume_token: next,
            } = answer;
            for item in items {
                if item.title == LAST {
                    return (recipient, seen);
                }
                let (message, _) = item.delivery.split_once("/deliveries/").expect("its name");
                seen.push(message.to_owned());
            }
            resume_token = next;
        }
    }
}
