//! Families and what they are told: a message to all of them, and the inboxes in which they read it.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use kit::auth::{Caller, Issuer, Role};
use kit::channel::Channel;
use kit::clock::Clock;
use kit::org::OrgPath;
use proto::notification::delivery::State;
use proto::notification::delivery_service_client::DeliveryServiceClient;
use proto::notification::{DeliveryReceipt, RecordReceiptsRequest, WatchInboxRequest};
use tonic::service::interceptor::InterceptedService;

use super::super::ledger;
use super::shift::Shift;
use super::tally::Outcome;
use crate::city::SchoolPlan;
use crate::house::Door;
use crate::token::Bearer;

/// How many connections families share, as behind a carrier's proxies.
const CONNECTIONS: usize = 16;
/// How long the token of a family is valid.
const TERM: Duration = Duration::from_secs(24 * 3600);
/// In how many answers of an inbox the message of the day is looked for.
const ANSWERS: usize = 16;

/// The families of the city. They are many, so each gets a token when it needs one.
pub(super) struct Families {
    channels: Vec<Channel>,
    issuer: Issuer,
    /// The place of the school of each class group.
    places: Vec<OrgPath>,
}

impl Families {
    /// Families that call at `address`, of no school yet.
    pub(super) fn behind(address: &str) -> anyhow::Result<Self> {
        let channels = (0..CONNECTIONS).map(|_| Channel::to(address, None));
        Ok(Self {
            channels: channels.collect::<Result<_, _>>()?,
            issuer: Issuer::development(),
            places: Vec::new(),
        })
    }

    /// Those of a school: the next class groups are its own.
    pub(super) fn add(&mut self, school: &SchoolPlan) -> anyhow::Result<()> {
        let place: OrgPath = school.org_path().parse().ok().context("a place")?;
        let places = std::iter::repeat_n(place, school.classes.len());
        self.places.extend(places);
        Ok(())
    }

    /// The connection of the guardians of a pupil of a class group.
    fn door(&self, group: u32, pupil: &str, now: DateTime<Utc>) -> anyhow::Result<Door> {
        let place = self.places.get(group as usize).context("a class group")?;
        let guardian = Caller {
            person: Some(pupil.to_owned()),
            ..Caller::new(
                format!("guardian-{pupil}"),
                vec![Role::Guardian],
                place.clone(),
            )
        };
        let token = self.issuer.issue(guardian, now, TERM);
        let channel = self.channels[group as usize % CONNECTIONS].clone();
        Ok(InterceptedService::new(channel, Bearer::new(&token)?))
    }
}

impl Shift {
    /// The city tells every family, until each has it in its inbox.
    pub(super) async fn notify(&self) -> anyhow::Result<Outcome> {
        let told = ledger::tell(self.officer.clone(), self.families).await?;
        self.notice.get_or_init(|| told.name);
        Ok(Outcome::Done)
    }

    /// Guardians open their inbox, find the message of the day there and tell that they read it.
    pub(super) async fn read_inbox(&self, group: u32, pupil: u32) -> anyhow::Result<Outcome> {
        let Some(notice) = self.notice.get() else {
            return Ok(Outcome::Void);
        };
        let pupil = self.crew.reporters.person(group as usize, pupil as usize);
        let door = self.crew.families.door(group, &pupil, self.clock.now())?;
        let mut client = DeliveryServiceClient::new(door);
        let request = WatchInboxRequest {
            recipient: format!("{pupil}/guardians/-"),
            resume_token: String::new(),
        };
        let mut inbox = client.watch_inbox(request).await?.into_inner();
        let mut found = None;
        for _ in 0..ANSWERS {
            let answer = inbox.message().await?.context("INBOX_CLOSED")?;
            let mut items = answer.items.into_iter();
            found = items.find(|item| item.delivery.starts_with(&**notice));
            if found.is_some() {
                break;
            }
        }
        let receipt = DeliveryReceipt {
            delivery: found.context("NOT_IN_THE_INBOX")?.delivery,
            state: State::Read.into(),
            time: None,
            failure: 0,
        };
        let receipts = RecordReceiptsRequest {
            receipts: vec![receipt],
        };
        let recorded = client.record_receipts(receipts).await?.into_inner();
        ensure!(recorded.changed_count == 1, "RECEIPT_CHANGED_NOTHING");
        Ok(Outcome::Done)
    }
}
