//! How an organisation stands in drills, inspections, protection and supplies.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use kit::field::{to_date, to_timestamp};
use proto::safety as pb;
use proto::safety::safety_event::State as EventState;

use super::{Telling, number, tomorrow};
use crate::app::drills::Owed;
use crate::app::protection::Judged;
use crate::domain::drill::obligation::Standing;
use crate::domain::figures::{Counts, Metric};
use crate::domain::inspection::coverage::Tally;
use crate::domain::protection::declaration::Statement;
use crate::domain::protection::finding::{Code, PartKind};
use crate::domain::protection::version::State as VersionState;

/// An obligation that ends within as many days presses.
const PRESSING: i64 = 7;

/// The id of an organisation and its place.
type Home<'a> = (&'a str, &'a str);

/// What an organisation owes of drills today and owed in the periods before, and how many of the drills
/// were slow.
pub(crate) fn drill_standing(
    home: Home<'_>,
    (owed, slow): (&[Owed], u32),
    today: NaiveDate,
) -> Telling {
    let telling = Telling::no_standing("drillStanding", home);
    if owed.is_empty() {
        return telling;
    }
    let of = |standing| {
        owed.iter()
            .filter(move |one| one.standing == standing)
            .count()
    };
    let count = |standing| i64::try_from(of(standing)).unwrap_or(i64::MAX);
    let counted = owed.iter().map(|one| i64::from(one.done)).sum();
    let counts = Counts::default()
        .with(Metric::DrillsDue, count(Standing::Due))
        .with(Metric::DrillsDone, count(Standing::Done))
        .with(Metric::DrillsMissed, count(Standing::Missed))
        .with(Metric::DrillsCounted, counted)
        .with(Metric::DrillsSlow, slow.into());
    let presses = |one: &Owed| match one.standing {
        Standing::Missed => true,
        Standing::Due => (one.obligation.period.last - today).num_days() <= PRESSING,
        Standing::Done | Standing::NotRequired => false,
    };
    let told = pb::DrillStanding {
        name: telling.entity.clone(),
        obligations: owed.iter().map(told_obligation).collect(),
        pressing: owed.iter().any(presses),
    };
    telling
        .with(Some(EventState::DrillStanding(told)), counts)
        .wakes(tomorrow(today))
}

fn told_obligation(owed: &Owed) -> pb::DrillObligation {
    let obligation = &owed.obligation;
    let small = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    pb::DrillObligation {
        organization: format!("organizations/{}", owed.organization.id),
        kind: obligation.kind as i32,
        state: owed.standing as i32,
        start_date: Some(to_date(obligation.period.first)),
        end_date: Some(to_date(obligation.period.last)),
        required_count: small(obligation.required),
        done_count: small(owed.done),
        policy_version: owed.policy_version.clone(),
        ..pb::DrillObligation::default()
    }
}

/// How an organisation is inspected in the week up to today, and when something was submitted last.
pub(crate) fn inspection_standing(
    home: Home<'_>,
    (tally, submitted): (Tally, Option<DateTime<Utc>>),
    today: NaiveDate,
) -> Telling {
    let counts = Counts::default()
        .with(Metric::InspectionsDue, tally.due.into())
        .with(Metric::InspectionsDone, tally.inspected.into())
        .with(Metric::InspectionsMissed, tally.missed.into());
    let telling = Telling::no_standing("inspectionStanding", home).wakes(tomorrow(today));
    if counts.is_empty() && submitted.is_none() {
        return telling;
    }
    let small = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let told = pb::InspectionStanding {
        name: telling.entity.clone(),
        date: Some(to_date(today)),
        due_count: small(tally.due),
        inspected_count: small(tally.inspected),
        missed_count: small(tally.missed),
        submit_time: submitted.map(to_timestamp),
    };
    telling.with(Some(EventState::InspectionStanding(told)), counts)
}

/// How a campus is protected, by its newest declaration.
pub(crate) fn protection_standing(judged: &Judged, today: NaiveDate) -> Telling {
    let declared = &judged.declared;
    let home = (&*declared.organization, &*declared.org_path);
    let telling = Telling::no_standing("protectionStanding", home);
    if declared.version == 0 {
        return telling;
    }
    let declaration = &declared.declaration;
    let said = [
        (PartKind::FullTimeGuards, &declaration.full_time_guards),
        (PartKind::ClosedManagement, &declaration.closed_management),
        (PartKind::OneKeyAlarm, &declaration.one_key_alarm),
    ];
    // What was returned says nothing until it is declared anew.
    let returned = declared.state == VersionState::Returned;
    let mut counts = Counts::default();
    let mut demands = Vec::with_capacity(said.len());
    for ((kind, said), metrics) in said.into_iter().zip(Metric::DEMANDS) {
        let (state, lapsed, metric) = weighed(said.as_ref().filter(|_| !returned), metrics, today);
        if let Some(metric) = metric {
            counts = counts.with(metric, 1);
        }
        demands.push(pb::protection_standing::Demand {
            kind: kind as i32,
            state: state.into(),
            lapsed,
        });
    }
    let parts = &judged.judgement.parts;
    let findings = || parts.iter().flat_map(|part| &part.findings);
    let codes: BTreeSet<i32> = findings().map(|found| found.code as i32).collect();
    let count = findings().count();
    let few = findings().find(|found| found.code == Code::TooFewGuards);
    let small = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let told = pb::ProtectionStanding {
        name: telling.entity.clone(),
        state: declared.state as i32,
        demands,
        finding_count: number(count),
        finding_codes: codes.into_iter().collect(),
        due_date: judged.judgement.due().map(to_date),
        required_guard_count: few.map_or(0, |few| small(few.required)),
        guard_count: few.map_or(0, |few| small(few.actual)),
    };
    let counts = counts.with(Metric::ProtectionFindings, number(count).into());
    telling
        .with(Some(EventState::ProtectionStanding(told)), counts)
        .wakes(tomorrow(today))
}

/// What one of the three demands amounts to, whether its evidence has expired, and what it counts as.
fn weighed(
    said: Option<&Statement>,
    [met, not_met, lapsed]: [Metric; 3],
    today: NaiveDate,
) -> (pb::protection_part::State, bool, Option<Metric>) {
    use pb::protection_part::State;
    match said {
        None => (State::NotDeclared, false, None),
        Some(said) if !said.met => (State::NotMet, false, Some(not_met)),
        Some(said) if said.expires.is_some_and(|expires| expires < today) => {
            (State::NotMet, true, Some(lapsed))
        }
        Some(_) => (State::Met, false, Some(met)),
    }
}

/// What a campus that keeps a ledger lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lacking {
    /// How many items its ledger mentions.
    pub(crate) items: usize,
    /// Codes of those below their minimum.
    pub(crate) below: Vec<String>,
    /// Codes of those of which a lot has expired.
    pub(crate) expired: Vec<String>,
    /// Codes of those of which a lot expires soon.
    pub(crate) expiring: Vec<String>,
    /// Whole days for which the scarcest item lasts; none when that is not known.
    pub(crate) cover: Option<u32>,
    /// For how many days supplies have to last.
    pub(crate) required_days: u32,
}

/// What a campus lacks of supplies today.
pub(crate) fn supply_standing(home: Home<'_>, lacking: Lacking, today: NaiveDate) -> Telling {
    let telling = Telling::no_standing("supplyStanding", home);
    if lacking.items == 0 {
        return telling;
    }
    let below = number(lacking.below.len());
    let small = |days: u32| i32::try_from(days).unwrap_or(i32::MAX);
    let told = pb::SupplyStanding {
        name: telling.entity.clone(),
        item_count: number(lacking.items),
        items_below_minimum: lacking.below,
        items_expired: lacking.expired,
        items_expiring: lacking.expiring,
        cover_days: lacking.cover.map(small),
        required_days: small(lacking.required_days),
    };
    let counts = Counts::default().with(Metric::SuppliesBelow, below.into());
    telling
        .with(Some(EventState::SupplyStanding(told)), counts)
        .wakes(tomorrow(today))
}
