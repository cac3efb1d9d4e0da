//! Policies and calendars as the roster published them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use kit::audit::{Floor, Floors};
use kit::db::{Database, Tx, statement};
use kit::field::{from_date, from_duration};
use prost::Message;
use proto::roster::{CalendarYear, PolicyProfile, RetentionPolicy, hold_policy, pool_policy};
use sea_orm::{ConnectionTrait, DbErr};

use super::health::rules::health_rules;
use crate::domain::calendar::{Calendar, Year};
use crate::domain::day::Day;
use crate::domain::policy::{Policy, in_force};
use crate::domain::quota::Ratio;
use crate::domain::retention::Periods;
use crate::domain::swab::SingleReason;
use kit::bulk::{Column, insert};

/// Everything that decides besides rolls.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Every policy known, whatever its region and day.
    pub policies: Vec<Policy>,
    /// School days.
    pub calendar: Calendar,
}

impl Facts {
    /// The policy in force at a place on a day.
    pub fn policy(&self, org_path: &str, day: Day) -> Option<&Policy> {
        in_force(&self.policies, org_path, day)
    }

    /// The greatest `privacy.k` that is in force on a day at a place or below it: what is hidden at one place
    /// depends on what is at others, so one number judges all. 0 when no policy is in force.
    pub fn privacy_k(&self, org_path: &str, day: Day) -> u32 {
        let above = |id: &str| org_path.split('/').any(|part| part == id);
        let regions = self.policies.iter().filter_map(|policy| {
            let region = policy.organization.as_deref();
            region.filter(|id| !above(id))
        });
        let in_force = regions
            .chain([org_path])
            .filter_map(|place| self.policy(place, day));
        let each = in_force.map(|policy| policy.health.privacy_k);
        each.max().unwrap_or_default()
    }
}

/// Reads facts once and again when they changed. Clones share what was read.
#[derive(Clone, Debug, Default)]
pub struct FactsCache(Arc<Mutex<Option<Read>>>);

/// What was read, and when it was true.
type Read = (Stamp, Arc<Facts>);

type Stamp = [i64; 6];

impl FactsCache {
    /// The facts as they are in the database now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&self, connection: &impl ConnectionTrait) -> Result<Arc<Facts>, DbErr> {
        let stamp = stamp(connection).await?;
        {
            let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((read, facts)) = &*cached
                && *read == stamp
            {
                return Ok(facts.clone());
            }
        }
        let facts = Arc::new(read(connection).await?);
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *cached = Some((stamp, facts.clone()));
        Ok(facts)
    }
}

/// Changes whenever a fact does: versions only grow within a generation, and generations always do.
async fn stamp(connection: &impl ConnectionTrait) -> Result<Stamp, DbErr> {
    let sql = "SELECT (SELECT COUNT(*) FROM policies), \
        (SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM policies), \
        (SELECT CAST(COALESCE(SUM(generation), 0) AS BIGINT) FROM policies), \
        (SELECT COUNT(*) FROM calendar_years), \
        (SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM calendar_years), \
        (SELECT CAST(COALESCE(SUM(generation), 0) AS BIGINT) FROM calendar_years)";
    let row = connection
        .query_one_raw(statement(connection, sql, []))
        .await?;
    let row = row.ok_or_else(|| DbErr::Custom("no row of counts".to_owned()))?;
    let at = |place| row.try_get_by_index::<i64>(place);
    Ok([at(0)?, at(1)?, at(2)?, at(3)?, at(4)?, at(5)?])
}

async fn read(connection: &impl ConnectionTrait) -> Result<Facts, DbErr> {
    let mut facts = Facts::default();
    let sql = statement(connection, "SELECT profile FROM policies ORDER BY name", []);
    for row in connection.query_all_raw(sql).await? {
        let profile: Vec<u8> = row.try_get_by_index(0)?;
        let profile = PolicyProfile::decode(profile.as_slice()).map_err(unreadable)?;
        facts.policies.extend(to_policy(&profile));
    }
    let mut years = BTreeMap::new();
    let sql = statement(
        connection,
        "SELECT days FROM calendar_years ORDER BY name",
        [],
    );
    for row in connection.query_all_raw(sql).await? {
        let days: Vec<u8> = row.try_get_by_index(0)?;
        let year = CalendarYear::decode(days.as_slice()).map_err(unreadable)?;
        years.insert(year.year, to_year(&year));
    }
    facts.calendar = Calendar::new(&years);
    Ok(facts)
}

/// What the policies ask of audit logs.
#[derive(Clone, Copy, Debug)]
pub struct AuditFloors;

#[async_trait]
impl Floors for AuditFloors {
    async fn floors(&self, db: &Database) -> Result<Vec<Floor>, DbErr> {
        let sql = statement(db.read(), "SELECT profile FROM policies", []);
        let mut floors = Vec::new();
        for row in db.read().query_all_raw(sql).await? {
            let profile: Vec<u8> = row.try_get_by_index(0)?;
            let profile = PolicyProfile::decode(profile.as_slice()).map_err(unreadable)?;
            if let Some(effective) = profile.effective_date.and_then(from_date) {
                let audit = profile.audit.as_ref();
                floors.push(Floor::of(profile.organization, effective, audit));
            }
        }
        Ok(floors)
    }
}

fn unreadable(err: prost::DecodeError) -> DbErr {
    DbErr::Custom(format!("unreadable fact: {err}"))
}

/// Stores policies; an older version than the stored one changes nothing, unless it is the first of a generation.
pub(crate) async fn save_policies(
    tx: &Tx,
    profiles: &[(String, i64, &PolicyProfile)],
    generation: i64,
) -> Result<(), DbErr> {
    let facts = profiles
        .iter()
        .map(|(name, version, profile)| (name.clone(), *version, profile.encode_to_vec()));
    save(tx, "policies", "profile", facts.collect(), generation).await
}

/// Stores calendars; an older version than the stored one changes nothing, unless it is the first of a generation.
pub(crate) async fn save_calendars(
    tx: &Tx,
    years: &[(String, i64, &CalendarYear)],
    generation: i64,
) -> Result<(), DbErr> {
    let facts = years
        .iter()
        .map(|(name, version, year)| (name.clone(), *version, year.encode_to_vec()));
    save(tx, "calendar_years", "days", facts.collect(), generation).await
}

async fn save(
    tx: &Tx,
    table: &'static str,
    content: &'static str,
    facts: Vec<(String, i64, Vec<u8>)>,
    generation: i64,
) -> Result<(), DbErr> {
    for (name, version, bytes) in facts {
        let columns = vec![
            ("name", Column::Text(vec![name])),
            ("version", Column::Big(vec![version])),
            ("generation", Column::Big(vec![generation])),
            (content, Column::Bytes(vec![bytes])),
        ];
        let newer = format!(
            "excluded.version > {table}.version OR excluded.generation > {table}.generation"
        );
        let conflict = format!(
            "ON CONFLICT (name) DO UPDATE SET generation = excluded.generation, \
             {content} = CASE WHEN {newer} THEN excluded.{content} ELSE {table}.{content} END, \
             version = CASE WHEN {newer} THEN excluded.version ELSE {table}.version END"
        );
        insert(tx, table, columns, &conflict).await?;
    }
    Ok(())
}

/// What sampling needs of a profile; none when it lacks a part, which the roster never lets pass.
fn to_policy(profile: &PolicyProfile) -> Option<Policy> {
    let sampling = profile.sampling.as_ref()?;
    let pool = profile.pool.as_ref()?;
    let tube = profile.tube.as_ref()?;
    let ratio = |share: i32| Ratio::from_basis_points(u32::try_from(share).ok()?).ok();
    let span =
        |span: &Option<prost_types::Duration>| span.and_then(from_duration).unwrap_or_default();
    let small = |number: i32| u8::try_from(number.clamp(0, 255)).unwrap_or(u8::MAX);
    Some(Policy {
        version: profile.policy_version.clone(),
        organization: profile
            .organization
            .strip_prefix("organizations/")
            .map(ToOwned::to_owned),
        effective: from_date(profile.effective_date?)?.into(),
        enabled: sampling.enabled,
        student_ratio: ratio(sampling.student_ratio_basis_points)?,
        staff_ratio: ratio(sampling.staff_ratio_basis_points)?,
        cycle_days: small(sampling.cycle_days).max(1),
        gap_alert_days: u32::try_from(sampling.gap_alert_days).unwrap_or(0),
        post_frequencies: sampling
            .post_frequencies
            .iter()
            .map(|frequency| (small(frequency.post).min(31), small(frequency.every_days)))
            .collect(),
        environment_days: u16::try_from(sampling.environment_days).unwrap_or(0).max(1),
        tube_capacity: match pool.pool_type() {
            pool_policy::PoolType::Single => 1,
            pool_policy::PoolType::P5 => 5,
            pool_policy::PoolType::Unspecified | pool_policy::PoolType::P10 => 10,
            pool_policy::PoolType::P20 => 20,
        },
        class_pure: pool.class_pure,
        single_only: pool
            .single_only
            .iter()
            .filter_map(|reason| SingleReason::from_code(*reason))
            .collect(),
        max_to_laboratory: span(&tube.max_to_laboratory),
        result_sla: span(&tube.result_sla),
        positive_notify: span(&tube.positive_notify),
        positive_resample: span(&tube.positive_resample),
        auto_release: profile.hold.as_ref()?.auto_release()
            == hold_policy::AutoRelease::SingleNegative,
        retention: profile.retention.as_ref().and_then(periods),
        health: health_rules(profile),
    })
}

/// None where a period is missing: nothing is removed that nobody said to remove.
fn periods(kept: &RetentionPolicy) -> Option<Periods> {
    let count = |number: i32| u32::try_from(number).ok().filter(|number| *number > 0);
    Some(Periods {
        temperature_days: count(kept.temperature_days)?,
        absence_days: count(kept.absence_days)?,
        report_card_years: count(kept.report_card_years)?,
        result_days: count(kept.result_days)?,
    })
}

fn to_year(year: &CalendarYear) -> Year {
    let days = |days: &[proto::roster::calendar_year::NamedDay]| -> BTreeSet<_> {
        days.iter().filter_map(|day| from_date(day.date?)).collect()
    };
    Year {
        days_off: days(&year.days_off),
        makeup_days: days(&year.makeup_days),
        terms: year
            .terms
            .iter()
            .filter_map(|term| Some((from_date(term.start_date?)?, from_date(term.end_date?)?)))
            .collect(),
    }
}
