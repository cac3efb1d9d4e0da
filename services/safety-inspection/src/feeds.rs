//! What this service keeps of roster's and sampling's facts.

use std::sync::Arc;

use async_trait::async_trait;
use kit::clock::Clock;
use kit::db::Tx;
use kit::field::delta_of;
use kit::projection::Projection;
use proto::roster as pb;
use proto::roster::roster_event::State;
use proto::sampling as spb;
use sea_orm::DbErr;
use tokio::sync::Notify;

use crate::app::destruction::SERVICE;
use crate::domain::gate::clearance::{Clearance, Control, Medical};
use crate::domain::gate::index::Member;
use crate::domain::gate::observation::{Colour, Further};
use crate::domain::gate::policy::{ArrivalWindow, GatePolicy, VisitPolicy};
use crate::register;
use crate::store::Store;
use crate::store::gate::facts::{Body, Fact, Kind};

/// Rolls, organisations and policies from roster.
#[derive(Debug, Default)]
pub struct RosterProjection {
    changed: Arc<Notify>,
}

/// Clearances from sampling.
#[derive(Debug)]
pub struct ClearanceProjection {
    changed: Arc<Notify>,
    clock: Arc<dyn Clock>,
}

impl RosterProjection {
    /// Wakes `changed` after each commit.
    pub fn new(changed: Arc<Notify>) -> Self {
        Self { changed }
    }
}

impl ClearanceProjection {
    /// Wakes `changed` after each commit; what held before is remembered until the time of `clock`.
    pub fn new(changed: Arc<Notify>, clock: Arc<dyn Clock>) -> Self {
        Self { changed, clock }
    }
}

#[async_trait]
impl Projection for RosterProjection {
    type Event = pb::RosterEvent;

    fn name(&self) -> &'static str {
        "roster"
    }

    async fn apply(&self, tx: &Tx, events: &[Self::Event], generation: i64) -> Result<(), DbErr> {
        let facts: Vec<Fact> = events.iter().filter_map(roster_fact).collect();
        Store::write_facts(tx, &facts, generation).await?;
        kit::destruction::hear(tx, SERVICE, events).await?;
        register::write(tx, events, generation).await
    }

    async fn sweep(&self, tx: &Tx, generation: i64) -> Result<(), DbErr> {
        let kinds = [Kind::Organization, Kind::Roll, Kind::Policy];
        Store::sweep_facts(tx, &kinds, generation).await?;
        Store::sweep_register(tx, generation).await?;
        Store::retell_all(tx).await?;
        Store::judge_all_anew(tx).await
    }

    async fn applied(&self, _: &[Self::Event]) {
        self.changed.notify_one();
    }

    async fn swept(&self) {
        self.changed.notify_one();
    }
}

#[async_trait]
impl Projection for ClearanceProjection {
    type Event = spb::ClearanceEvent;

    fn name(&self) -> &'static str {
        "clearance"
    }

    async fn apply(&self, tx: &Tx, events: &[Self::Event], generation: i64) -> Result<(), DbErr> {
        let facts: Vec<Fact> = events.iter().map(clearance_fact).collect();
        Store::keep_clearances(tx, &facts, generation, self.clock.now()).await?;
        Store::write_facts(tx, &facts, generation).await
    }

    async fn sweep(&self, tx: &Tx, generation: i64) -> Result<(), DbErr> {
        Store::keep_swept_clearances(tx, generation, self.clock.now()).await?;
        Store::sweep_facts(tx, &[Kind::Clearance], generation).await
    }

    async fn applied(&self, _: &[Self::Event]) {
        self.changed.notify_one();
    }

    async fn swept(&self) {
        self.changed.notify_one();
    }
}

/// The fact in an event; none when gates do not need it.
fn roster_fact(event: &pb::RosterEvent) -> Option<Fact> {
    let (kind, body) = match &event.state {
        Some(State::Organization(_)) => (Kind::Organization, Body::Organization),
        Some(State::ClassGroupRoll(roll)) => {
            let in_person = roll.teaching_mode() == pb::class_group_roll::TeachingMode::InPerson;
            let members = roll.members.iter().filter_map(member).collect();
            let body = Body::Roll {
                in_person,
                grade: u8::try_from(roll.grade).unwrap_or_default(),
                members,
            };
            (Kind::Roll, body)
        }
        Some(State::StaffRoll(roll)) => {
            let people = roll
                .members
                .iter()
                .filter_map(|member| member.member.as_ref());
            let members = people.filter_map(member).collect();
            (
                Kind::Roll,
                Body::Roll {
                    in_person: true,
                    grade: 0,
                    members,
                },
            )
        }
        Some(State::PolicyProfile(profile)) => (Kind::Policy, policy_body(profile)?),
        Some(
            State::CalendarYear(_)
            | State::ResponsibilityRoll(_)
            | State::Emergency(_)
            | State::DestructionOrder(_),
        ) => return None,
        None => (kind_of(&event.entity)?, Body::Removed),
    };
    Some(Fact {
        kind,
        entity: event.entity.clone(),
        org_path: event.org_path.clone(),
        version: event.version,
        body,
    })
}

/// The kind of an entity that was removed, by its name.
fn kind_of(entity: &str) -> Option<Kind> {
    let parts: Vec<_> = entity.split('/').collect();
    match parts[..] {
        ["organizations", _] => Some(Kind::Organization),
        ["organizations", _, "classGroups", _] | ["organizations", _, "staffRoll"] => {
            Some(Kind::Roll)
        }
        ["policyProfiles", _] => Some(Kind::Policy),
        _ => None,
    }
}

fn member(member: &pb::RollMember) -> Option<Member> {
    let person = member.person.parse().ok()?;
    let on_leave = member.presence() == pb::roll_member::Presence::OnLeave;
    Some(Member { person, on_leave })
}

fn policy_body(profile: &pb::PolicyProfile) -> Option<Body> {
    let gate = profile.gate.as_ref()?;
    let effective = kit::field::from_date(profile.effective_date?)?;
    let shipped = GatePolicy::default();
    let span = |told: Option<prost_types::Duration>, otherwise| {
        told.and_then(delta_of).unwrap_or(otherwise)
    };
    use pb::gate_policy::CodeColour;
    let deny_colours = gate.deny_colours().filter_map(|colour| match colour {
        CodeColour::Green => Some(Colour::Green),
        CodeColour::Yellow => Some(Colour::Yellow),
        CodeColour::Red => Some(Colour::Red),
        CodeColour::Unknown => Some(Colour::Unknown),
        CodeColour::Unspecified => None,
    });
    let policy = GatePolicy {
        version: profile.policy_version.clone(),
        temperature_max: i16::try_from(gate.temperature_max_tenths).ok()?,
        temperature_plausible: plausible(gate).unwrap_or(shipped.temperature_plausible),
        admit_travel_unknown: gate.admit_travel_unknown,
        recheck_wait: span(gate.recheck_wait, shipped.recheck_wait),
        recheck_readings: usize::try_from(gate.recheck_readings)
            .ok()
            .filter(|readings| (1..=Further::MOST + 1).contains(readings))
            .unwrap_or(shipped.recheck_readings),
        deny_colours: if gate.health_code_check {
            deny_colours.collect()
        } else {
            Vec::new()
        },
        travel_window_days: if gate.travel_card_check {
            gate.travel_window_days
        } else {
            0
        },
        snapshot_max_age: span(gate.snapshot_max_age, shipped.snapshot_max_age),
        admit_health_monitoring: gate.admit_health_monitoring,
        self_monitoring_days: profile
            .resume
            .as_ref()
            .map(|resume| resume.self_monitoring_days)
            .filter(|days| *days > 0)
            .unwrap_or(shipped.self_monitoring_days),
        person_code_ttl_days: profile
            .person_code
            .as_ref()
            .map_or(shipped.person_code_ttl_days, |code| code.ttl_days),
        arrival: gate.arrival_windows.iter().filter_map(arrival).collect(),
        retention_days: profile
            .retention
            .as_ref()
            .map_or(shipped.retention_days, |kept| kept.gate_event_days),
        visits: visits(gate, profile.retention.as_ref(), shipped.visits),
    };
    Some(Body::Policy(effective, policy))
}

/// The readings that are believed; none where a profile was stored without them.
fn plausible(gate: &pb::GatePolicy) -> Option<(i16, i16)> {
    let least = i16::try_from(gate.temperature_plausible_min_tenths).ok()?;
    let most = i16::try_from(gate.temperature_plausible_max_tenths).ok()?;
    (0 < least && least < most).then_some((least, most))
}

fn arrival(window: &pb::gate_policy::ArrivalWindow) -> Option<ArrivalWindow> {
    Some(ArrivalWindow {
        grade: u8::try_from(window.grade).ok()?,
        start: window.start_minute,
        end: window.end_minute,
    })
}

/// A profile that was stored before these numbers existed goes by the shipped ones.
fn visits(
    gate: &pb::GatePolicy,
    kept: Option<&pb::RetentionPolicy>,
    shipped: VisitPolicy,
) -> VisitPolicy {
    let span = |told: Option<prost_types::Duration>, otherwise| {
        told.and_then(delta_of).unwrap_or(otherwise)
    };
    VisitPolicy {
        overstay_grace: span(gate.visitor_overstay_grace, shipped.overstay_grace),
        after_entry: span(gate.visitor_after_entry, shipped.after_entry),
        lead_days: gate.visitor_lead_days,
        mask_required: gate.visitor_mask_required,
        retention_days: kept.map_or(shipped.retention_days, |kept| kept.visitor_days),
    }
}

fn clearance_fact(event: &spb::ClearanceEvent) -> Fact {
    let body = match &event.clearance {
        Some(clearance) if !event.removed => Body::Clearance(Clearance {
            control: control(clearance.control()),
            medical: match clearance.medical() {
                spb::clearance::Medical::Normal => Medical::Normal,
                // What a newer peer means by a value unknown here is not a reason to admit.
                spb::clearance::Medical::NotAdmitted | spb::clearance::Medical::Unspecified => {
                    Medical::NotAdmitted
                }
            },
        }),
        _ => Body::Removed,
    };
    Fact {
        kind: Kind::Clearance,
        entity: event.entity.clone(),
        org_path: event.org_path.clone(),
        version: event.version,
        body,
    }
}

fn control(control: spb::clearance::Control) -> Control {
    use spb::clearance::Control as Pb;
    match control {
        Pb::Free => Control::Free,
        Pb::PoolHold => Control::PoolHold,
        Pb::SecondaryContact => Control::SecondaryContact,
        Pb::CloseContact => Control::CloseContact,
        Pb::RegionRestricted => Control::RegionRestricted,
        Pb::HealthMonitoring => Control::HealthMonitoring,
        Pb::Observation => Control::Observation,
        // As above: unknown is not free.
        Pb::Isolated | Pb::Unspecified => Control::Isolated,
    }
}
