//! Those who send messages in the town, and what they see of them.

use kit::auth::Role;
use kit::clock::Clock;
use kit::db::{Database, statement};
use kit::scratch::Scratch;
use notification::domain::channel::Kind;
use notification::domain::delivery::{Attempt, Failure};
use notification::store::Store;
use notification::store::deliveries::{Due, Hold, Outcome};
use notification::{ChannelConfig, RequestConfig};
use proto::notification as pb;
use sea_orm::ConnectionTrait;
use tonic::Status;

use super::people::everybody;
use super::world::{World, by};
use super::{CITY, SCHOOL, SCHOOL_PATH, roster};

/// The town with everybody in it.
pub(crate) struct Post {
    pub(crate) world: World,
}

/// A notice to some.
pub(crate) fn notice(recipients: pb::Recipients) -> pb::Message {
    let value = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    pb::Message {
        category: pb::message::Category::Notice.into(),
        urgency: pb::message::Urgency::Urgent.into(),
        template: "templates/notice".to_owned(),
        values: [value("title", "通知"), value("body", "请按时返校")].into(),
        recipients: Some(recipients),
        ..Default::default()
    }
}

/// Those named one by one.
pub(crate) fn to_parties(parties: impl IntoIterator<Item = String>) -> pb::Recipients {
    pb::Recipients {
        parties: parties.into_iter().collect(),
        ..Default::default()
    }
}

/// A channel for short messages by a provider that is away.
fn sms() -> ChannelConfig {
    ChannelConfig {
        url: Some("https://127.0.0.1:9/".to_owned()),
        request: Some(RequestConfig {
            method: "POST".to_owned(),
            path: String::new(),
            query: Vec::new(),
            headers: Vec::new(),
            json: Some(r#"{"to": "{address}", "text": "{body}"}"#.to_owned()),
            form: None,
            sign: None,
        }),
        ..ChannelConfig::new("sms", Kind::Sms)
    }
}

/// Somebody can be reached by a channel.
pub(crate) async fn contact(db: &Database, party: &str, channel: &str) {
    let (kind, bytes) = super::key(party);
    let sql = "INSERT INTO contact_points (channel, party_kind, party, sealed, unreachable, \
               spent_until, update_time) VALUES ($1, $2, $3, $3, FALSE, 0, 0)";
    let values = [channel.into(), kind.into(), bytes.into()];
    let insert = statement(db.read(), sql, values);
    db.read().execute_raw(insert).await.expect("a contact");
}

impl Post {
    /// The town with ways out besides the inbox.
    pub(crate) async fn with(scratch: Scratch, ways: Vec<ChannelConfig>) -> Self {
        let world = World::with(scratch, ways).await;
        roster(&world.db, &everybody(), 1).await;
        Self { world }
    }

    pub(crate) async fn open(scratch: Scratch) -> Self {
        let Self { mut world } = Self::with(scratch, vec![sms()]).await;
        // What is due waits for the tests to take it.
        let pause = pb::PauseChannelRequest {
            name: "channels/sms".to_owned(),
        };
        let pause = by("operator", Role::SystemAdmin, "", pause);
        world.channels.pause_channel(pause).await.expect("paused");
        Self { world }
    }

    /// The city sends.
    pub(crate) async fn city(&mut self, message: pb::Message) -> Result<pb::Message, Status> {
        self.send(CITY, Role::CityOfficer, "fz", message).await
    }

    /// The principal of the first school sends.
    pub(crate) async fn principal(&mut self, message: pb::Message) -> Result<pb::Message, Status> {
        self.send(SCHOOL, Role::Principal, SCHOOL_PATH, message)
            .await
    }

    async fn send(
        &mut self,
        parent: &str,
        role: Role,
        scope: &str,
        message: pb::Message,
    ) -> Result<pb::Message, Status> {
        let request = pb::SendMessageRequest {
            parent: parent.to_owned(),
            message: Some(message),
            request_id: String::new(),
        };
        let request = by("officer", role, scope, request);
        let sent = self.world.deliveries.send_message(request).await;
        sent.map(tonic::Response::into_inner)
    }

    pub(crate) async fn cancel(&mut self, name: &str) -> Result<pb::Message, Status> {
        let request = pb::CancelMessageRequest {
            name: name.to_owned(),
            request_id: String::new(),
        };
        let request = by("officer", Role::CityOfficer, "fz", request);
        let stopped = self.world.deliveries.cancel_message(request).await;
        stopped.map(tonic::Response::into_inner)
    }

    /// A message once it looks as wanted.
    pub(crate) async fn until(
        &mut self,
        name: &str,
        wanted: impl Fn(&pb::Message) -> bool,
    ) -> pb::Message {
        for _ in 0..1000 {
            let request = pb::GetMessageRequest {
                name: name.to_owned(),
            };
            let request = by("officer", Role::CityOfficer, "fz", request);
            let message = self.world.deliveries.get_message(request).await;
            let message = message.expect("a message").into_inner();
            if wanted(&message) {
                return message;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("{name} does not come so far within ten seconds")
    }

    /// A message once there is a row for everybody.
    pub(crate) async fn expanded(&mut self, name: &str) -> pb::Message {
        let expanded = |one: &pb::Message| one.state() == pb::message::State::Expanded;
        self.until(name, expanded).await
    }

    /// The ledger of a message as somebody sees it, in pages of three.
    pub(crate) async fn ledger(
        &mut self,
        name: &str,
        scope: &str,
        role: Role,
    ) -> Result<Vec<pb::Delivery>, Status> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = pb::ListDeliveriesRequest {
                parent: name.to_owned(),
                page_size: 3,
                page_token,
                state: 0,
            };
            let request = by("somebody", role, scope, request);
            let page = self.world.deliveries.list_deliveries(request).await?;
            let page = page.into_inner();
            all.extend(page.deliveries);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(all);
            }
        }
    }

    /// Everybody who is told, in the order of the ledger.
    pub(crate) async fn told(&mut self, name: &str) -> Vec<String> {
        let ledger = self.ledger(name, "fz", Role::CityOfficer).await;
        let ledger = ledger.expect("the ledger").into_iter();
        ledger.map(|one| one.recipient).collect()
    }

    /// Takes what is due by a channel.
    pub(crate) async fn claimed(&self, channel: &str) -> Vec<Due> {
        let now = self.world.clock.now().timestamp_millis();
        let tx = self.world.db.begin().await.expect("a transaction");
        let until = now + 300_000;
        let due = Store::claim(&tx, channel, Hold { now, until }, 100).await;
        let due = due.expect("taken");
        tx.commit().await.expect("committed");
        due
    }

    /// Nobody is at the addresses of what is due by a channel.
    pub(crate) async fn all_fail(&self, channel: &str) {
        let outcomes = self.claimed(channel).await.into_iter().map(|due| Outcome {
            key: due.key,
            attempt: Attempt::Dead(Failure::NoRecipient),
        });
        let outcomes = outcomes.collect();
        let now = self.world.clock.now().timestamp_millis();
        let tx = self.world.db.begin().await.expect("a transaction");
        Store::settle(&tx, outcomes, now).await.expect("settled");
        tx.commit().await.expect("committed");
    }

    /// The dead letters as whoever runs the service sees them, in pages.
    pub(crate) async fn dead_letters(&mut self, page_size: i32) -> Vec<pb::Delivery> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = pb::ListDeadLettersRequest {
                channel: "channels/sms".to_owned(),
                page_size,
                page_token,
            };
            let request = by("operator", Role::SystemAdmin, "", request);
            let page = self.world.deliveries.list_dead_letters(request).await;
            let page = page.expect("a page").into_inner();
            all.extend(page.deliveries);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }
}
