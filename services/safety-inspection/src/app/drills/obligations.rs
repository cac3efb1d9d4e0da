//! What organisations owe, the worst first (rule 5.18).

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use kit::clock::{civil_date, start_of};
use sea_orm::ConnectionTrait;

use super::{Drills, policy};
use crate::app::{Site, place, policy_version};
use crate::domain::drill::obligation::{Kind, Obligation, Period, Standing, owed};
use crate::domain::organization::{Kind as OrganizationKind, Organization};
use crate::error::Error;
use crate::store::Store;
use crate::store::drills::Done;
use crate::store::register::{PAGE, Rules};

/// What one organisation owes in one period, and how it stands.
#[derive(Debug)]
pub(crate) struct Owed {
    /// The organisation.
    pub(crate) organization: Organization,
    /// What it owes.
    pub(crate) obligation: Obligation,
    /// How many drills count.
    pub(crate) done: u32,
    /// How it stands.
    pub(crate) standing: Standing,
    /// The version of the policy that asks for it.
    pub(crate) policy_version: String,
}

/// How many stand how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) missed: i32,
    pub(crate) due: i32,
    pub(crate) done: i32,
    pub(crate) not_required: i32,
}

impl Tally {
    fn count(&mut self, standing: Standing) {
        match standing {
            Standing::Missed => self.missed += 1,
            Standing::Due => self.due += 1,
            Standing::Done => self.done += 1,
            Standing::NotRequired => self.not_required += 1,
        }
    }
}

/// Who is bound by rule 5.18.
const BOUND: [OrganizationKind; 3] = [
    OrganizationKind::MunicipalSchool,
    OrganizationKind::School,
    OrganizationKind::Kindergarten,
];

impl Owed {
    /// The worst has the least.
    pub(crate) fn rank(&self) -> (i32, String, i32) {
        let place = self.organization.org_path.clone();
        (self.standing as i32, place, self.obligation.kind as i32)
    }
}

impl Drills {
    /// What is owed at and below an organisation in the periods around `day`, the worst first, and
    /// how many stand how.
    pub(crate) async fn obligations(
        &self,
        site: &Site,
        day: Option<NaiveDate>,
    ) -> Result<(Vec<Owed>, Tally), Error> {
        let today = self.base.clock.today();
        let day = day.unwrap_or(today);
        if day > today {
            return Err(Error::Unfit {
                field: "date",
                zh: "不能晚于今天",
                en: "must not be after today",
            });
        }
        let db = self.base.store.database().read();
        let rules = Store::rules(db).await?;
        let (month, quarter) = (Period::month(day), Period::quarter(day));
        let path = &site.organization.org_path;
        let done = Store::drills_done(db, path, instants(month), instants(quarter)).await?;
        let done = by_organization(done);

        let (mut all, mut tally) = (Vec::new(), Tally::default());
        let mut after = String::new();
        loop {
            let page = Store::organizations_below(db, path, &BOUND, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.org_path);
            let ids: Vec<&str> = page.iter().map(|organization| &*organization.id).collect();
            let owners = Store::bus_owners(db, &ids).await?;
            for organization in page {
                let profile = rules.policy(&place(&organization.org_path), day);
                let numbers = policy::numbers(profile);
                let by = (&numbers, &rules.calendar);
                let buses = owners.contains(&organization.id);
                let drills = done.get(&organization.id).map_or(&[][..], Vec::as_slice);
                for obligation in owed(&organization, buses, by, day) {
                    let done = met(drills, obligation.kind, obligation.period == month);
                    let standing = obligation.standing(done, today);
                    tally.count(standing);
                    all.push(Owed {
                        organization: organization.clone(),
                        obligation,
                        done,
                        standing,
                        policy_version: policy_version(profile),
                    });
                }
            }
        }
        all.sort_by_key(Owed::rank);
        Ok((all, tally))
    }
}

/// What one organisation owes in the periods around `today`, and what it owed in the month and the
/// quarter before, which by now is done or missed; and how many drills that count in these periods
/// took longer than their target.
///
/// # Errors
/// When the database fails.
pub(crate) async fn owed_by(
    db: &impl ConnectionTrait,
    rules: &Rules,
    organization: &Organization,
    today: NaiveDate,
) -> Result<(Vec<Owed>, u32), Error> {
    if !BOUND.contains(&organization.kind) || !organization.open {
        return Ok((Vec::new(), 0));
    }
    let (month, quarter) = (Period::month(today), Period::quarter(today));
    let mut all = owed_around(db, rules, organization, (today, today)).await?;
    for over in [month, quarter].map(Period::before) {
        let owed = owed_around(db, rules, organization, (over.last, today)).await?;
        all.extend(owed.into_iter().filter(|one| one.obligation.period == over));
    }
    let since = month.before().first.min(quarter.before().first);
    let drills = Store::counted_drills(db, &organization.id, start_of(since)).await?;
    let slow = drills.iter().filter(|drill| {
        let Some(day) = drill.signal.as_ref().map(|signal| civil_date(signal.at)) else {
            return false;
        };
        let counts = |one: &Owed| one.obligation.is_met_by(drill, day);
        drill.is_slow() && all.iter().any(counts)
    });
    let slow = u32::try_from(slow.count()).unwrap_or(u32::MAX);
    Ok((all, slow))
}

/// What one organisation owes in the periods around `day`, and how it stands `today`.
async fn owed_around(
    db: &impl ConnectionTrait,
    rules: &Rules,
    organization: &Organization,
    (day, today): (NaiveDate, NaiveDate),
) -> Result<Vec<Owed>, Error> {
    let (month, quarter) = (Period::month(day), Period::quarter(day));
    let path = &organization.org_path;
    let done = Store::drills_done(db, path, instants(month), instants(quarter)).await?;
    let done = by_organization(done);
    let drills = done.get(&organization.id).map_or(&[][..], Vec::as_slice);
    let owners = Store::bus_owners(db, &[&*organization.id]).await?;
    let profile = rules.policy(&place(path), day);
    let numbers = policy::numbers(profile);
    let by = (&numbers, &rules.calendar);
    let owed = owed(organization, !owners.is_empty(), by, day);
    let owed = owed.into_iter().map(|obligation| {
        let done = met(drills, obligation.kind, obligation.period == month);
        Owed {
            organization: organization.clone(),
            standing: obligation.standing(done, today),
            done,
            policy_version: policy_version(profile),
            obligation,
        }
    });
    Ok(owed.collect())
}

/// From the first instant of a period until before the last.
fn instants(period: Period) -> (DateTime<Utc>, DateTime<Utc>) {
    let next = period.last.succ_opt().unwrap_or(period.last);
    (start_of(period.first), start_of(next))
}

fn by_organization(done: Vec<Done>) -> HashMap<String, Vec<Done>> {
    let mut sorted: HashMap<String, Vec<Done>> = HashMap::new();
    for one in done {
        sorted
            .entry(one.organization.clone())
            .or_default()
            .push(one);
    }
    sorted
}

/// How many of `drills` count to an obligation of the month, or of the quarter.
fn met(drills: &[Done], kind: Kind, month: bool) -> u32 {
    let counting = drills.iter().filter(|one| kind.is_met_by(one.kind));
    counting
        .map(|one| if month { one.inner } else { one.outer })
        .sum()
}
