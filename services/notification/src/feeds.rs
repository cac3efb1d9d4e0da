//! What this service makes of the facts of roster, sampling and safety-inspection.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::Duration;
use kit::clock::Clock;
use kit::db::Tx;
use kit::field::delta_of;
use kit::projection::Projection;
use proto::roster as pb;
use proto::roster::roster_event::State;
use proto::safety;
use proto::sampling as spb;
use sea_orm::DbErr;
use tokio::sync::Notify;

use crate::app::destruction::SERVICE;
use crate::domain::fact::Source;
use crate::domain::party::Party;
use crate::domain::policy::{ByUrgency, Enacted, Policy};
use crate::facts::told;
use crate::safety_facts;
use crate::store::Store;
use crate::store::people::{Group, Roll, RollChange};
use crate::store::register::{Duty, Fact, Gone, OrganizationFact};
use crate::voice_feeds::{calendar_year, voice_policy};

/// The tree, the responsibility chain, the policies and what is to be destroyed from roster.
#[derive(Debug)]
pub struct RosterProjection {
    store: Store,
    clock: Arc<dyn Clock>,
    changed: Arc<Notify>,
}

/// Facts from sampling: each raises one alert.
#[derive(Debug)]
pub struct SamplingProjection {
    clock: Arc<dyn Clock>,
    changed: Arc<Notify>,
}

/// Facts from safety-inspection: each raises one alert.
#[derive(Debug)]
pub struct SafetyProjection {
    clock: Arc<dyn Clock>,
    changed: Arc<Notify>,
}

impl RosterProjection {
    /// Writes to `store` and wakes `changed` after each commit.
    pub fn new(store: Store, clock: Arc<dyn Clock>, changed: Arc<Notify>) -> Self {
        Self {
            store,
            clock,
            changed,
        }
    }
}

impl SamplingProjection {
    /// Wakes `changed` after each commit.
    pub fn new(clock: Arc<dyn Clock>, changed: Arc<Notify>) -> Self {
        Self { clock, changed }
    }
}

impl SafetyProjection {
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
        let now = self.clock.now();
        let mut rolls = BTreeMap::new();
        for event in events {
            if let Some((name, roll)) = roll(event) {
                rolls.insert(name, roll);
            } else if let Some(year) = calendar_year(event) {
                Store::write_year(tx, &year, generation).await?;
            } else if let Some(fact) = fact(event) {
                Store::write_fact(tx, &fact, event.version, generation).await?;
                match &fact {
                    Fact::Duties(organization, _) => {
                        Store::hand_alerts_over(tx, organization, now).await?;
                    }
                    Fact::Organization(told) => self.store.follow_move(tx, &told.id, now).await?,
                    Fact::Policy(..) => {}
                }
            } else if let Some(gone) = gone(event) {
                Store::forget_fact(tx, &gone, event.version).await?;
                if let Gone::Duties(organization) = &gone {
                    Store::hand_alerts_over(tx, organization, now).await?;
                }
            }
        }
        Store::write_rolls(tx, rolls, generation).await?;
        kit::destruction::hear(tx, SERVICE, events).await
    }

    async fn sweep(&self, tx: &Tx, generation: i64) -> Result<(), DbErr> {
        Store::sweep_register(tx, generation, self.clock.now()).await
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
        let told = events.iter().filter_map(|event| told(event, now));
        Store::follow_facts(tx, Source::Sampling, told.collect(), generation, now).await?;
        Store::forget_facts(tx, now).await
    }

    async fn sweep(&self, tx: &Tx, generation: i64) -> Result<(), DbErr> {
        Store::sweep_facts(tx, Source::Sampling, generation, self.clock.now()).await
    }

    async fn applied(&self, _: &[Self::Event]) {
        self.changed.notify_one();
    }

    async fn swept(&self) {
        self.changed.notify_one();
    }
}

#[async_trait]
impl Projection for SafetyProjection {
    type Event = safety::SafetyEvent;

    fn name(&self) -> &'static str {
        "safety"
    }

    async fn apply(&self, tx: &Tx, events: &[Self::Event], generation: i64) -> Result<(), DbErr> {
        let now = self.clock.now();
        let told = events
            .iter()
            .filter_map(|event| safety_facts::told(event, now));
        Store::follow_facts(tx, Source::Safety, told.collect(), generation, now).await?;
        Store::forget_facts(tx, now).await
    }

    async fn sweep(&self, tx: &Tx, generation: i64) -> Result<(), DbErr> {
        Store::sweep_facts(tx, Source::Safety, generation, self.clock.now()).await
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
            let stages = organization.stages().map(|stage| stage as i32);
            Some(Fact::Organization(OrganizationFact {
                id,
                org_path: event.org_path.clone(),
                addressable,
                display_name: organization.display_name.clone(),
                kind: i16::try_from(organization.kind).unwrap_or_default(),
                stages: stages.fold(0, |bits, stage| bits | (1 << stage.clamp(0, 30))),
                division: organization.division_code.clone(),
            }))
        }
        State::ResponsibilityRoll(roll) => {
            let organization = roll.organization.strip_prefix("organizations/")?.to_owned();
            let duties = roll.duties.iter().map(|duty| Duty {
                subject: duty.subject.clone(),
                place: duty.place.clone(),
                staff_member: duty.staff_member.clone(),
            });
            Some(Fact::Duties(organization, duties.collect()))
        }
        State::PolicyProfile(profile) => {
            let enacted = enacted(profile, &event.org_path)?;
            Some(Fact::Policy(event.entity.clone(), Box::new(enacted)))
        }
        State::ClassGroupRoll(_)
        | State::StaffRoll(_)
        | State::CalendarYear(_)
        | State::Emergency(_)
        | State::DestructionOrder(_) => None,
    }
}

/// The roll in an event, as it is or gone, by its name.
fn roll(event: &pb::RosterEvent) -> Option<(String, RollChange)> {
    let name = event.entity.clone();
    let parts: Vec<&str> = event.entity.split('/').collect();
    let (organization, group) = match parts[..] {
        ["organizations", organization, "classGroups", _] => (organization, Group::Pupils),
        ["organizations", organization, "staffRoll"] => (organization, Group::Staff),
        _ => return None,
    };
    if event.removed {
        return Some((name, Err(event.version)));
    }
    let person = |person: &str| match Party::parse(person)? {
        Party::Student(id) | Party::Staff(id) => Some(id),
        Party::Family(_) | Party::Guardian(..) | Party::Organization(_) => None,
    };
    let (display_name, grade, members) = match event.state.as_ref()? {
        State::ClassGroupRoll(roll) => {
            let members = roll.members.iter();
            let members =
                members.filter_map(|member| Some((person(&member.person)?, BTreeSet::new())));
            (roll.display_name.clone(), roll.grade, members.collect())
        }
        State::StaffRoll(roll) => {
            let members = roll.members.iter().filter_map(|one| {
                let posts = one.posts.iter().cloned().collect();
                Some((person(&one.member.as_ref()?.person)?, posts))
            });
            (String::new(), 0, members.collect())
        }
        _ => return None,
    };
    let roll = Roll {
        name: name.clone(),
        group,
        place: event.org_path.clone(),
        organization: organization.to_owned(),
        display_name,
        grade,
        version: event.version,
        members,
    };
    Some((name, Ok(roll)))
}

/// The entity that an event removes.
fn gone(event: &pb::RosterEvent) -> Option<Gone> {
    if !event.removed {
        return None;
    }
    match event.entity.split('/').collect::<Vec<_>>()[..] {
        ["organizations", id] => Some(Gone::Organization(id.to_owned())),
        ["organizations", id, "responsibilityRoll"] => Some(Gone::Duties(id.to_owned())),
        ["policyProfiles", _] => Some(Gone::Policy(event.entity.clone())),
        _ => None,
    }
}

fn enacted(profile: &pb::PolicyProfile, region: &str) -> Option<Enacted> {
    use pb::directive_policy::{Ack, Urgency};
    let shipped = Policy::default();
    let span = |span: Option<&prost_types::Duration>| span.copied().and_then(delta_of);
    let acks = profile
        .directive
        .as_ref()
        .map_or(&[][..], |directive| &directive.acks);
    let times = |of: fn(&Ack) -> Option<&prost_types::Duration>, otherwise: ByUrgency| {
        let time = |urgency: Urgency, otherwise: Duration| {
            let found = acks.iter().find(|ack| ack.urgency() == urgency);
            found.and_then(|ack| span(of(ack))).unwrap_or(otherwise)
        };
        ByUrgency {
            routine: time(Urgency::Ordinary, otherwise.routine),
            urgent: time(Urgency::Urgent, otherwise.urgent),
            extra_urgent: time(Urgency::MostUrgent, otherwise.extra_urgent),
        }
    };
    let acknowledge = times(|ack| ack.sla.as_ref(), shipped.acknowledge);
    let audit = |of: fn(&pb::AuditPolicy) -> i32| {
        let asked = profile.audit.as_ref().map_or(0, of);
        u32::try_from(asked).unwrap_or_default()
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
            acknowledge,
            relay: times(|ack| ack.relay.as_ref(), acknowledge),
            judge: times(|ack| ack.judge.as_ref(), shipped.judge),
            done_percent: match profile.directive.as_ref().map_or(0, |of| of.done_percent) {
                percent @ 1..=100 => percent,
                _ => shipped.done_percent,
            },
            voices: voice_policy(profile),
            audit_days: audit(|audit| audit.retention_days),
            partner_log_years: audit(|audit| audit.partner_log_years),
        },
    })
}
