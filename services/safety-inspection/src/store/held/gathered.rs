//! What is kept packed, or with words that follow from what is kept.

use kit::subject::{Asked, Group, Held, MOST, Record, day_time, instant};
use proto::sampling::clearance as pb;
use sea_orm::{ConnectionTrait, DbErr};

use crate::domain::gate::clearance::{Clearance, Control, Medical};
use crate::domain::gate::decision::{Checks, Outcome};
use crate::domain::gate::finding::Verdict;
use crate::domain::gate::observation::{Colour, Observation};
use crate::domain::person::{PersonKind, PersonName};
use crate::store::Store;
use crate::store::gate::decisions::{Filter, Override, Record as Decision};

fn person(asked: &Asked) -> PersonName {
    PersonName {
        kind: match asked.group {
            Group::Students => PersonKind::Student,
            Group::Staff => PersonKind::Staff,
        },
        id: asked.person,
    }
}

fn yes(it: bool) -> &'static str {
    if it { "是" } else { "否" }
}

/// Where the roll says that the person is.
///
/// # Errors
/// When the database fails or the roll is unreadable.
pub async fn roll(db: &impl ConnectionTrait, asked: &Asked) -> Result<Held, DbErr> {
    let (school, class) = (&asked.organization, asked.place.leaf());
    let (name, field) = match asked.group {
        Group::Students => (
            format!("organizations/{school}/classGroups/{class}"),
            "class_group",
        ),
        Group::Staff => (format!("organizations/{school}/staffRoll"), "staff_roll"),
    };
    let found = Store::on_roll(db, &name, person(asked)).await?;
    let records = found.map(|(roll, member)| {
        Record::new()
            .with(field, name)
            .with("in_person", yes(roll.in_person))
            .with("on_leave", yes(member.on_leave))
    });
    Ok(Held::all(records.into_iter().collect()))
}

/// The clearance that gates know, and those of the days before.
///
/// # Errors
/// When the database fails.
pub async fn clearances(db: &impl ConnectionTrait, asked: &Asked) -> Result<Held, DbErr> {
    let found = Store::clearances_about(db, person(asked)).await?;
    let records = found.into_iter().map(|(until, clearance)| {
        let Clearance { control, medical } = clearance;
        Record::new()
            .with("control", said(control))
            .with("medical", said_medical(medical))
            .with("until", until.map(day_time).unwrap_or_default())
    });
    Ok(Held::all(records.collect()))
}

/// What gates of the organisation decided about the person, and why.
///
/// # Errors
/// When the database fails or a row is unreadable.
pub async fn gate_decisions(store: &Store, asked: &Asked) -> Result<Held, DbErr> {
    let filter = Filter {
        person: Some(person(asked)),
        ..Filter::default()
    };
    let most = u64::try_from(MOST).unwrap_or(u64::MAX);
    let found = store
        .decisions(&asked.organization, &filter, None, most)
        .await?;
    let records = found
        .into_iter()
        .map(|(decision, word)| told(&decision, word));
    Ok(Held::all(records.collect()))
}

fn told(decision: &Decision, word: Option<Override>) -> Record {
    let Observation { colour, travel, .. } = decision.observation;
    let readings = decision.observation.readings();
    let readings: Vec<String> = readings
        .map(|reading| format!("{}.{}", reading.tenths() / 10, reading.tenths() % 10))
        .collect();
    let record = Record::new()
        .with("decide_time", instant(decision.decide_time))
        .with("outcome", said_outcome(decision.outcome))
        .with("reasons", reasons(&decision.checks))
        .with("temperature", readings.join(", "))
        .with("health_code", said_colour(colour))
        .with(
            "travel_card",
            travel
                .map(|card| card.shown.to_string())
                .unwrap_or_default(),
        )
        .with("gate", decision.device.clone())
        .with("offline", yes(decision.offline))
        .with("policy_version", decision.policy_version.clone());
    match word {
        None => record,
        Some(word) => record
            .with("override_outcome", said_outcome(word.outcome))
            .with("override_reason", word.reason)
            .with("override_time", instant(word.time)),
    }
}

/// What kept somebody out or waiting, with the rule of each.
fn reasons(checks: &Checks) -> String {
    let Checks {
        identity,
        temperature,
        health_code,
        travel_card,
        clearance,
        // A note, which keeps nobody out.
        arrival: _,
    } = checks;
    let all = [identity, temperature, health_code, travel_card, clearance].into_iter();
    let kept = all.filter(|one| matches!(one.verdict(), Verdict::Observe | Verdict::Deny));
    let words = kept.map(|one| format!("{}（规则{}）", one.message(), one.rule()));
    words.collect::<Vec<_>>().join("；")
}

/// Drills of the organisation at whose headcount the person was missing.
///
/// # Errors
/// When the database fails or a row is unreadable.
pub async fn drills(db: &impl ConnectionTrait, asked: &Asked) -> Result<Held, DbErr> {
    let most = u64::try_from(MOST).unwrap_or(u64::MAX);
    let found = Store::drills_missing(db, &asked.organization, &asked.name(), most).await?;
    let records = found.into_iter().map(|(drill, missed)| {
        let signal = drill.value.signal.as_ref();
        Record::new()
            .with("drill", drill.name("drills"))
            .with(
                "signal_time",
                signal.map(|signal| instant(signal.at)).unwrap_or_default(),
            )
            .with("found_time", missed.found.map(instant).unwrap_or_default())
    });
    Ok(Held::all(records.collect()))
}

fn said(control: Control) -> &'static str {
    let control = match control {
        Control::Free => pb::Control::Free,
        Control::PoolHold => pb::Control::PoolHold,
        Control::SecondaryContact => pb::Control::SecondaryContact,
        Control::CloseContact => pb::Control::CloseContact,
        Control::RegionRestricted => pb::Control::RegionRestricted,
        Control::HealthMonitoring => pb::Control::HealthMonitoring,
        Control::Isolated => pb::Control::Isolated,
        Control::Observation => pb::Control::Observation,
    };
    control.as_str_name()
}

fn said_medical(medical: Medical) -> &'static str {
    match medical {
        Medical::Normal => pb::Medical::Normal,
        Medical::NotAdmitted => pb::Medical::NotAdmitted,
    }
    .as_str_name()
}

fn said_outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Admit => "ADMIT",
        Outcome::Observe => "OBSERVE",
        Outcome::Deny => "DENY",
    }
}

fn said_colour(colour: Colour) -> &'static str {
    match colour {
        Colour::Green => "GREEN",
        Colour::Yellow => "YELLOW",
        Colour::Red => "RED",
        Colour::Unknown => "UNKNOWN",
    }
}
