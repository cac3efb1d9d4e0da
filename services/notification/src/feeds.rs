//! What this service makes of roster's and sampling's facts.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::Duration;
use kit::clock::Clock;
use kit::db::Tx;
use kit::projection::Projection;
use proto::roster as pb;
use proto::roster::roster_event::State;
use proto::sampling as spb;
use sea_orm::DbErr;
use tokio::sync::Notify;

use crate::domain::policy::{Enacted, Policy};
use crate::facts::told;
use crate::store::Store;
use crate::store::register::{Fact, Gone};

/// The subject whose answerable person owns alerts.
const EPIDEMIC_CONTROL: &str = "EPIDEMIC_CONTROL";

/// The tree, the responsibility chain and the policies from roster.
#[derive(Debug)]
pub struct RosterProjection {
    store: Store,
    changed: Arc<Notify>,
}

/// Facts from sampling: each raises one alert.
#[derive(Debug)]
pub struct SamplingProjection {
    clock: Arc<dyn Clock>,
    changed: Arc<Notify>,
}

impl RosterProjection {
    /// Writes to `store` and wakes `changed` after each commit.
    pub fn new(store: Store, changed: Arc<Notify>) -> Self {
        Self { store, changed }
    }
}

impl SamplingProjection {
    /// Wakes `changed` after each commit.
    pub fn new(clock: Arc<dyn Clock>, changed: Arc<Notify>) -> Self {
        Self { clock, changed }
    }
}

#[async_trait]
impl Projection for RosterProjection {
    type Event = pb::RosterEvent;

    fn name(&self) -> &'static str {
        "roster"
    }

    async fn apply(&self, tx: &Tx, events: &[Self::Event], generation: i64) -> Result<(), DbErr> {
        for event in events {
            if let Some(fact) = fact(event) {
                Store::write_fact(tx, &fact, event.version, generation).await?;
                match &fact {
                    Fact::Owner(organization, _) => {
                        Store::hand_alerts_over(tx, organization).await?;
                    }
                    Fact::Organization(id, ..) => self.store.follow_move(tx, id).await?,
                    Fact::Policy(..) => {}
                }
            } else if let Some(gone) = gone(event) {
                Store::forget_fact(tx, &gone, event.version).await?;
                if let Gone::Owner(organization) = &gone {
                    Store::hand_alerts_over(tx, organization).await?;
                }
            }
        }
        Ok(())
    }

    async fn sweep(&self, tx: &Tx, generation: i64) -> Result<(), DbErr> {
        Store::sweep_register(tx, generation).await
    }

    async fn applied(&self, _: &[Self::Event]) {
        self.changed.notify_one();
    }
}

#[async_trait]
impl Projection for SamplingProjection {
    type Event = spb::SamplingEvent;

    fn name(&self) -> &'static str {
        "sampling"
    }

    async fn apply(&self, tx: &Tx, events: &[Self::Event], generation: i64) -> Result<(), DbErr> {
        let now = self.clock.now();
        for event in events {
            if let Some(told) = told(event, now) {
                Store::follow_facts(tx, told, generation, now).await?;
            }
        }
        Store::forget_facts(tx, now).await
    }

    async fn sweep(&self, tx: &Tx, generation: i64) -> Result<(), DbErr> {
        Store::sweep_facts(tx, generation, self.clock.now()).await
    }

    async fn applied(&self, _: &[Self::Event]) {
        self.changed.notify_one();
    }

    async fn swept(&self) {
        self.changed.notify_one();
    }
}

/// The fact in an event; none when it is not needed here or gone.
fn fact(event: &pb::RosterEvent) -> Option<Fact> {
    if event.removed {
        return None;
    }
    match event.state.as_ref()? {
        State::Organization(organization) => {
            use pb::organization::{Kind, State};
            let id = event.entity.strip_prefix("organizations/")?.to_owned();
            let addressable = organization.state() != State::Closed
                && !matches!(organization.kind(), Kind::Laboratory | Kind::DiseaseControl);
            Some(Fact::Organization(id, event.org_path.clone(), addressable))
        }
        State::ResponsibilityRoll(roll) => {
            let organization = roll.organization.strip_prefix("organizations/")?.to_owned();
            // One who answers for the whole organisation comes before one who answers for a part.
            let mut duties: Vec<_> = roll
                .duties
                .iter()
                .filter(|duty| duty.subject == EPIDEMIC_CONTROL)
                .collect();
            duties.sort_by_key(|duty| duty.place.len());
            let owner = duties.first().map(|duty| duty.staff_member.clone());
            Some(Fact::Owner(organization, owner.unwrap_or_default()))
        }
        State::PolicyProfile(profile) => {
            let enacted = enacted(profile, &event.org_path)?;
            Some(Fact::Policy(event.entity.clone(), enacted))
        }
        State::ClassGroupRoll(_) | State::StaffRoll(_) | State::CalendarYear(_) => None,
    }
}

/// The entity that an event removes.
fn gone(event: &pb::RosterEvent) -> Option<Gone> {
    if !event.removed {
        return None;
    }
    match event.entity.split('/').collect::<Vec<_>>()[..] {
        ["organizations", id] => Some(Gone::Organization(id.to_owned())),
        ["organizations", id, "responsibilityRoll"] => Some(Gone::Owner(id.to_owned())),
        ["policyProfiles", _] => Some(Gone::Policy(event.entity.clone())),
        _ => None,
    }
}

fn enacted(profile: &pb::PolicyProfile, region: &str) -> Option<Enacted> {
    use pb::directive_policy::Urgency;
    let shipped = Policy::default();
    let span = |span: Option<&prost_types::Duration>| {
        span.and_then(|span| Duration::try_seconds(span.seconds))
    };
    let acks = profile
        .directive
        .as_ref()
        .map_or(&[][..], |directive| &directive.acks);
    let ack = |urgency: Urgency, otherwise| {
        let found = acks.iter().find(|ack| ack.urgency() == urgency);
        found
            .and_then(|ack| span(ack.sla.as_ref()))
            .unwrap_or(otherwise)
    };
    let notice = profile
        .tube
        .as_ref()
        .and_then(|tube| span(tube.positive_notify.as_ref()));
    Some(Enacted {
        region: region.to_owned(),
        effective: kit::field::from_date(profile.effective_date?)?,
        policy: Policy {
            version: profile.policy_version.clone(),
            hold_notice: notice.unwrap_or(shipped.hold_notice),
            acknowledge_routine: ack(Urgency::Ordinary, shipped.acknowledge_routine),
            acknowledge_urgent: ack(Urgency::Urgent, shipped.acknowledge_urgent),
            acknowledge_extra_urgent: ack(Urgency::MostUrgent, shipped.acknowledge_extra_urgent),
        },
    })
}
