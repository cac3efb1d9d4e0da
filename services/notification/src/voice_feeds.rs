//! What concerns, support and care take from the feeds: the calendar, numbers of policies, and who
//! is under control.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kit::clock::Clock;
use kit::db::Tx;
use kit::field::{delta_of, from_timestamp};
use kit::projection::Projection;
use proto::roster as pb;
use proto::roster::roster_event::State;
use proto::sampling as spb;
use sea_orm::DbErr;

use crate::domain::party::Party;
use crate::domain::voice_policy::VoicePolicy;
use crate::store::calendar::YearFact;
use crate::store::controlled::{Control, Controlled};

/// Which pupils are under control, from sampling. Why they are is not kept.
#[derive(Debug)]
pub struct ClearanceProjection {
    clock: Arc<dyn Clock>,
}

impl ClearanceProjection {
    /// Judges what is not dated by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

#[async_trait]
impl Projection for ClearanceProjection {
    type Event = spb::ClearanceEvent;

    fn name(&self) -> &'static str {
        "clearance"
    }

    async fn apply(&self, tx: &Tx, events: &[Self::Event], generation: i64) -> Result<(), DbErr> {
        let now = self.clock.now();
        let told = events.iter().filter_map(|event| controlled(event, now));
        crate::store::Store::write_controlled(tx, told.collect(), generation, now).await
    }

    async fn sweep(&self, tx: &Tx, generation: i64) -> Result<(), DbErr> {
        crate::store::Store::sweep_controlled(tx, generation, self.clock.now()).await
    }
}

/// What an event tells of a pupil; none for staff.
fn controlled(event: &spb::ClearanceEvent, now: DateTime<Utc>) -> Option<Controlled> {
    let Some(Party::Student(student)) = Party::parse(&event.entity) else {
        return None;
    };
    let clearance = event.clearance.as_ref().filter(|_| !event.removed);
    let control = match clearance {
        Some(clearance) if keeps_at_home(clearance.control()) => {
            let since = clearance.effective_time.and_then(from_timestamp);
            Control::Since(since.unwrap_or(now))
        }
        _ => Control::Free,
    };
    Some(Controlled {
        student,
        version: event.version,
        control,
    })
}

/// Whether a measure keeps a pupil from school. Who watches their own health or is observed goes
/// there.
fn keeps_at_home(control: spb::clearance::Control) -> bool {
    use spb::clearance::Control as Measure;
    match control {
        Measure::Free | Measure::HealthMonitoring | Measure::Observation => false,
        // What a newer peer means by a value unknown here is a measure.
        Measure::PoolHold
        | Measure::SecondaryContact
        | Measure::CloseContact
        | Measure::RegionRestricted
        | Measure::Isolated
        | Measure::Unspecified => true,
    }
}

/// The calendar of a civil year in an event.
pub(crate) fn calendar_year(event: &pb::RosterEvent) -> Option<YearFact> {
    let year = event.entity.strip_prefix("calendarYears/")?;
    let calendar = match event.state.as_ref().filter(|_| !event.removed) {
        Some(State::CalendarYear(calendar)) => Some(calendar),
        _ => None,
    };
    let body = calendar.map(kit::field::year_of);
    Some(YearFact {
        year: year.parse().ok()?,
        version: event.version,
        body,
    })
}

/// The numbers of a profile for concerns, support and care; the shipped ones where it says nothing.
pub(crate) fn voice_policy(profile: &pb::PolicyProfile) -> VoicePolicy {
    let shipped = VoicePolicy::default();
    let days = |days: i32, otherwise: u32| {
        u32::try_from(days)
            .ok()
            .filter(|days| *days > 0)
            .unwrap_or(otherwise)
    };
    let seconds = |span: Option<prost_types::Duration>, otherwise: i64| {
        span.and_then(delta_of)
            .map(|span| span.num_seconds())
            .filter(|seconds| *seconds > 0)
            .unwrap_or(otherwise)
    };
    let minute = |minute: i32, otherwise: i64| {
        if minute > 0 {
            i64::from(minute)
        } else {
            otherwise
        }
    };
    let concern = profile.concern.unwrap_or_default();
    let support = profile.support.unwrap_or_default();
    let k = profile.privacy.map_or(0, |privacy| privacy.k);
    VoicePolicy {
        acknowledge_days: days(concern.acknowledge_days, shipped.acknowledge_days),
        answer_days: days(concern.answer_days, shipped.answer_days),
        urgent_answer_days: days(concern.urgent_answer_days, shipped.urgent_answer_days),
        red_seconds: seconds(support.red, shipped.red_seconds),
        orange_seconds: seconds(support.orange, shipped.orange_seconds),
        yellow_seconds: seconds(support.yellow, shipped.yellow_seconds),
        blue_seconds: seconds(support.blue, shipped.blue_seconds),
        lessons_minute: minute(support.lessons_minute, shipped.lessons_minute),
        exercise_minute: minute(support.exercise_minute, shipped.exercise_minute),
        call_minute: minute(support.call_minute, shipped.call_minute),
        privacy_k: days(k, shipped.privacy_k),
    }
}
