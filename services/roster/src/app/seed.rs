//! What a register begins with: the shipped policy profiles, in force, and the shipped calendars.

use chrono::{DateTime, Utc};
use kit::db::{Database, Tx};
use proto::roster::PolicyProfile;
use sea_orm::DbErr;

use super::announce;
use super::policies::{below_floor, numbers};
use crate::domain::calendar::{self, CalendarYear};
use crate::domain::policy::{self, State, VersionId, violations};
use crate::grpc::{calendar_convert, policy_convert};
use crate::store::{calendars, policies};

/// What is shipped, as documents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shipped<'a> {
    pub(crate) policies: &'a [&'a str],
    pub(crate) calendars: &'a [&'a str],
}

impl Shipped<'static> {
    /// What this version ships.
    pub(crate) const ALL: Self = Self {
        policies: &policy::SHIPPED,
        calendars: &calendar::SHIPPED,
    };
}

/// Why the service may not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// A document cannot be read.
    #[error("a shipped document cannot be read: {0}")]
    Document(String),
    /// A number of a profile may not be in force.
    #[error("policy profile {profile}: {key}: {why}")]
    Policy {
        /// The profile, as documents or decisions name it.
        profile: String,
        /// The key.
        key: String,
        /// Why not.
        why: String,
    },
}

/// Adds what is missing of what is shipped, and checks every profile in force against the legal
/// floors. What is there is never changed; replicas that start at once add each thing once.
///
/// # Errors
/// When a shipped document or an active profile may not be in force, or the database fails; nothing
/// is added then.
pub(crate) async fn seed(
    db: &Database,
    shipped: Shipped<'_>,
    now: DateTime<Utc>,
) -> Result<(), Refused> {
    let profiles: Vec<policies::Stored> = shipped
        .policies
        .iter()
        .map(|text| profile(text, now))
        .collect::<Result<_, _>>()?;
    let years: Vec<CalendarYear> = shipped
        .calendars
        .iter()
        .map(|text| calendar::read(text).map_err(|err| Refused::Document(err.to_string())))
        .collect::<Result<_, _>>()?;
    let tx = db.begin().await?;
    add(&tx, &profiles, &years, now).await?;
    for stored in policies::active(&tx).await? {
        let profile = stored.id.policy_version();
        let numbers = numbers(&stored.body).map_err(|err| Refused::Document(err.to_string()))?;
        if let Some((key, _, why)) = below_floor(&numbers).into_iter().next() {
            return Err(Refused::Policy { profile, key, why });
        }
    }
    tx.commit().await?;
    Ok(())
}

async fn add(
    tx: &Tx,
    profiles: &[policies::Stored],
    years: &[CalendarYear],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut facts = Vec::new();
    for profile in profiles {
        if policies::add(tx, profile).await? {
            facts.push(announce::policy_profile(profile));
        }
    }
    for year in years {
        let stored = calendars::Stored {
            year: year.year(),
            body: calendar_convert::body(year),
            version: 1,
            update_time: now.timestamp_millis(),
        };
        if calendars::add(tx, &stored).await? {
            facts.push(announce::calendar_year(&stored));
        }
    }
    announce::tell(tx, facts).await
}

/// The policy profiles that ship, as the feed tells them.
///
/// # Panics
/// When a shipped document may not be in force: a test guards that they may.
pub fn shipped_policies(now: DateTime<Utc>) -> Vec<PolicyProfile> {
    let stored = Shipped::ALL.policies.iter().map(|text| profile(text, now));
    stored
        .map(|stored| policy_convert::message(stored.expect("what ships may be in force")))
        .collect()
}

/// The first version of a shipped profile, in force in the whole city.
fn profile(text: &str, now: DateTime<Utc>) -> Result<policies::Stored, Refused> {
    let document = policy::read(text).map_err(|err| Refused::Document(err.to_string()))?;
    let policy::Document {
        name,
        display_name,
        effective_date,
        profile,
    } = document;
    if let Some(violation) = violations(&profile).into_iter().next() {
        return Err(Refused::Policy {
            profile: name,
            key: violation.path,
            why: violation.en,
        });
    }
    let mut body = policy_convert::to_proto(&profile).map_err(|unfit| Refused::Policy {
        profile: name.clone(),
        why: "cannot be expressed".to_owned(),
        key: unfit.path,
    })?;
    body.display_name = display_name;
    let now = now.timestamp_millis();
    Ok(policies::Stored {
        id: VersionId {
            profile: name,
            number: 1,
        },
        organization: String::new(),
        org_path: String::new(),
        effective: effective_date,
        state: State::Active,
        body,
        version: 1,
        create_time: now,
        activate_time: Some(now),
    })
}

#[cfg(test)]
mod tests;
