//! Policies and the calendar: by what numbers and days safety is judged.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::NaiveDate;
use kit::audit::{Floor, Floors};
use kit::calendar::{Calendar, Year};
use kit::db::{Database, statement};
use kit::org::OrgPath;
use kit::rows::row;
use prost::Message;
use proto::roster::PolicyProfile;
use sea_orm::{ConnectionTrait, DbErr};

use crate::store::{Store, unreadable};

row! {
    /// A policy profile as the register told it.
    PolicyRow in "policies" by ["name"] {
        /// `policyProfiles/{policy_profile}`.
        name: String,
        /// The place for which it is made; empty for the whole city.
        region: String,
        /// Its first civil day.
        effective: String,
        /// The message of the register's contract.
        profile: Vec<u8>,
        /// Grows with each change.
        version: i64,
        /// The snapshot that mentioned it last.
        generation: i64,
    }
}

row! {
    /// The calendar of a civil year as the register told it.
    CalendarYearRow in "calendar_years" by ["year"] {
        /// The civil year in four digits.
        year: String,
        /// What the calendar says.
        body: String,
        /// Grows with each change.
        version: i64,
        /// The snapshot that mentioned it last.
        generation: i64,
    }
}

/// Every policy that was announced, and the calendar.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Working days and school days.
    pub calendar: Calendar,
    policies: Vec<Enacted>,
}

#[derive(Clone, Debug)]
struct Enacted {
    region: OrgPath,
    effective: NaiveDate,
    profile: PolicyProfile,
}

impl Rules {
    /// The profile in force at a place on a civil day: of those that have begun, the one made for
    /// the nearest region, and there the newest. None before the first one.
    pub fn policy(&self, place: &OrgPath, day: NaiveDate) -> Option<&PolicyProfile> {
        self.policies
            .iter()
            .filter(|enacted| enacted.effective <= day && enacted.region.contains(place))
            .max_by_key(|enacted| (enacted.region.ids().count(), enacted.effective))
            .map(|enacted| &enacted.profile)
    }

    /// Every region with the profile that is in force for it on a civil day.
    pub fn regions(&self, day: NaiveDate) -> Vec<(&OrgPath, &PolicyProfile)> {
        let mut newest: BTreeMap<&str, &Enacted> = BTreeMap::new();
        for enacted in self.policies.iter().filter(|one| one.effective <= day) {
            let known = newest.entry(enacted.region.as_str()).or_insert(enacted);
            if known.effective <= enacted.effective {
                *known = enacted;
            }
        }
        let regions = newest.into_values();
        regions
            .map(|enacted| (&enacted.region, &enacted.profile))
            .collect()
    }
}

impl Store {
    /// Every policy and the calendar.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rules(db: &impl ConnectionTrait) -> Result<Rules, DbErr> {
        let sql = "SELECT region, effective, profile FROM policies";
        let rows = db.query_all_raw(statement(db, sql, [])).await?;
        let policies = rows.iter().map(|row| {
            let region: String = row.try_get_by_index(0)?;
            let effective: String = row.try_get_by_index(1)?;
            let profile: Vec<u8> = row.try_get_by_index(2)?;
            Ok(Enacted {
                region: region.parse().map_err(|_| unreadable("region"))?,
                effective: effective.parse().map_err(|_| unreadable("day"))?,
                profile: PolicyProfile::decode(&*profile).map_err(|_| unreadable("policy"))?,
            })
        });
        let policies = policies.collect::<Result<_, DbErr>>()?;
        let sql = "SELECT year, body FROM calendar_years";
        let rows = db.query_all_raw(statement(db, sql, [])).await?;
        let mut years = BTreeMap::new();
        for row in rows {
            let year: String = row.try_get_by_index(0)?;
            let body: String = row.try_get_by_index(1)?;
            let year = year.parse().map_err(|_| unreadable("year"))?;
            let body: Year = serde_json::from_str(&body).map_err(|_| unreadable("calendar"))?;
            years.insert(year, body);
        }
        Ok(Rules {
            calendar: Calendar::new(years),
            policies,
        })
    }
}

/// What the policies ask of audit logs.
#[derive(Clone, Copy, Debug)]
pub struct AuditFloors;

#[async_trait]
impl Floors for AuditFloors {
    async fn floors(&self, db: &Database) -> Result<Vec<Floor>, DbErr> {
        let rules = Store::rules(db.read()).await?;
        let floor = |enacted: &Enacted| {
            let region = enacted.region.as_str().to_owned();
            Floor::of(region, enacted.effective, enacted.profile.audit.as_ref())
        };
        Ok(rules.policies.iter().map(floor).collect())
    }
}
