//! Spot checks with public results, and patrols.

use chrono::{DateTime, Days, NaiveDate, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::start_of;
use kit::db::Tx;
use prost::Message;
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{Duty, Page, SHIFTS, policy};
use crate::app::{Site, denied, identity, new_id, place, policy_version, unknown};
use crate::domain::duty::{Day, Route, Span, missed, patrols, rounds};
use crate::error::Error;
use crate::store::Store;
use crate::store::duty::{PatrolRow, SpotCheckRow};

/// How an organisation was patrolled on a day.
#[derive(Debug)]
pub(crate) struct PatrolledDay {
    /// The id of the organisation.
    pub(crate) organization: String,
    /// The civil day.
    pub(crate) date: NaiveDate,
    /// How it was patrolled.
    pub(crate) day: Day,
    /// The version of the policy.
    pub(crate) policy_version: String,
}

impl Duty {
    /// Notes a spot check; only a bureau above makes one.
    pub(crate) async fn spot_check<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, shift): (&Site, Uuid),
        (result, word): (i16, &str),
        request: (&str, &impl Message),
        render: impl FnOnce(SpotCheckRow) -> R,
    ) -> Result<R, Error> {
        if caller.scope == site.path {
            return Err(denied(Permission::DutyCheck).into());
        }
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            let shift = self.locked_shift(tx, site, shift).await?;
            let (_, moved) = shift.value.clone().spot_check(now)?;
            let row = SpotCheckRow {
                id: new_id(now),
                organization: shift.organization.clone(),
                org_path: shift.org_path.clone(),
                shift: shift.id,
                result,
                checked_at: now.timestamp_millis(),
            };
            Store::save_spot_check(tx, row.clone()).await?;
            let by = (&*identity(caller), word);
            Store::note_move(tx, &shift.name(SHIFTS), &moved, by, now).await?;
            Ok(render(row))
        };
        self.base
            .act(caller, "RecordSpotCheck", request, work)
            .await
    }

    /// Spot checks at and below an organisation, for whoever may read duty above, at or below it.
    pub(crate) async fn spot_checks(
        &self,
        site: &Site,
        result: Option<i16>,
        (before, limit): Page,
    ) -> Result<Vec<SpotCheckRow>, Error> {
        let (db, place) = (
            self.base.store.database().read(),
            &site.organization.org_path,
        );
        Ok(Store::spot_checks(db, place, result, before, limit).await?)
    }

    /// The organisation of a request for what is public at and below it.
    pub(crate) async fn public_site(&self, caller: &Caller, id: &str) -> Result<Site, Error> {
        let permission = Permission::DutyRead;
        let scope = caller.allowed(permission)?;
        let db = self.base.store.database().read();
        let Some(organization) = Store::organization(db, id).await? else {
            return Err(unknown(permission, scope, format!("organizations/{id}")));
        };
        let path = place(&organization.org_path);
        caller.require(permission, caller.reached(&path))?;
        Ok(Site { organization, path })
    }

    /// Notes that a point was passed.
    pub(crate) async fn patrol<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, shift): (&Site, Uuid),
        point: String,
        request: (&str, &impl Message),
        render: impl FnOnce(PatrolRow) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            let shift = self.locked_shift(tx, site, shift).await?;
            let staff_member = identity(caller);
            shift.value.patrol(&staff_member)?;
            let row = PatrolRow {
                id: new_id(now),
                organization: shift.organization.clone(),
                org_path: shift.org_path.clone(),
                shift: shift.id,
                point,
                staff_member,
                passed_at: now.timestamp_millis(),
            };
            Store::save_patrol(tx, row.clone()).await?;
            Ok(render(row))
        };
        self.base.act(caller, "RecordPatrol", request, work).await
    }

    /// How an organisation was patrolled on a day.
    pub(crate) async fn patrol_day(
        &self,
        site: &Site,
        date: NaiveDate,
    ) -> Result<PatrolledDay, Error> {
        if date > self.base.clock.today() {
            return Err(Error::Unfit {
                field: "name",
                zh: "日期不能晚于今天",
                en: "the day must not be after today",
            });
        }
        let (db, now) = (self.base.store.database().read(), self.base.clock.now());
        let rules = Store::rules(db).await?;
        let profile = rules.policy(&site.path, date);
        let midnight = start_of(date + Days::new(1));
        let rounds = rounds(self.templates.on(&rules, site, date), date);
        let end = rounds
            .last()
            .map_or(midnight, |round| round.end.max(midnight));
        let span = Span {
            start: start_of(date),
            end,
        };
        let rows = Store::patrols_within(db, &site.organization.id, span).await?;
        let passed: Vec<_> = rows.iter().filter_map(PatrolRow::passed).collect();
        let today = passed.iter().filter(|one| one.at < midnight);
        let today: Vec<_> = today.copied().collect();
        let points = points(db, &site.organization.id).await?;
        Ok(PatrolledDay {
            organization: site.organization.id.clone(),
            date,
            day: Day {
                required: policy::patrols(profile),
                count: patrols(&today, Route(&points)),
                missed: missed(&rounds, &passed, Route(&points), now),
                over: now >= midnight,
            },
            policy_version: policy_version(profile),
        })
    }
}

/// The points of the patrol plan that a campus declared last (rule 5.13); none where none is declared.
pub(super) async fn points(
    db: &impl ConnectionTrait,
    organization: &str,
) -> Result<Vec<String>, DbErr> {
    let declared = Store::protection(db, organization).await?;
    let plan = declared.and_then(|declared| declared.declaration.patrol);
    Ok(plan.map(|plan| plan.points).unwrap_or_default())
}
