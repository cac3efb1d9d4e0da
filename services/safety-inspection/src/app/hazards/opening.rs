//! Hazards begin: found by somebody, or by an inspection, a drill, an incident or a sweep.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission, Role};
use kit::clock::start_of;
use kit::db::Tx;
use kit::status::Problem;
use prost::Message;

use super::rules::shipped;
use super::setting::{moment, setting};
use super::telling::{note, tell};
use super::{Hazards, View, actor, name_of, view};
use crate::app::{Base, Site, new_id, place, unknown};
use crate::domain::hazard::accountability::Telling;
use crate::domain::hazard::entry::{Hazard, Home, LedgerNumber, Moment, Opening};
use crate::domain::hazard::major::Fact;
use crate::domain::hazard::report::{Report, Source};
use crate::domain::hazard::terms::Setting;
use crate::domain::organization::Level;
use crate::error::Error;
use crate::store::Store;
use crate::store::hazards::Change;

/// A report as a caller makes it: who found it may be left out.
#[derive(Clone, Debug)]
pub(crate) struct Stated {
    /// The report; its source is that of the caller when none is stated.
    pub(crate) report: Report,
    /// Who found it, as stated.
    pub(crate) source: Option<Source>,
    /// Facts.
    pub(crate) facts: Vec<Fact>,
}

impl Base {
    /// Opens a hazard for each report, found by `finder`, and returns their names.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn open_hazards(
        &self,
        tx: &Tx,
        site: &Site,
        reports: Vec<Report>,
        finder: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<String>, Error> {
        let reports = reports.into_iter().map(|report| (report, None));
        self.open_found_again(tx, site, reports.collect(), finder, now)
            .await
    }

    /// Opens a hazard for each report, found by `finder`, and returns their names. Beside each report
    /// stands the hazard that the same item of a checklist opened last at the place, if any.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn open_found_again(
        &self,
        tx: &Tx,
        site: &Site,
        reports: Vec<(Report, Option<String>)>,
        finder: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<String>, Error> {
        let mut names = Vec::with_capacity(reports.len());
        let around = setting(tx, site, now).await?;
        for (report, before) in reports {
            let found = (report, Vec::new(), before);
            let hazard = open(tx, site, found, finder, (moment(now), &around)).await?;
            names.push(hazard.name());
        }
        Ok(names)
    }
}

/// The hazard that a report repeats: closed not long before, and opened by the same item, or of the same
/// category at the same place, when that is named: all of an organisation is no place (rule 5.9).
async fn repeated(
    tx: &Tx,
    site: &Site,
    report: &Report,
    before: Option<String>,
    since: DateTime<Utc>,
) -> Result<Option<String>, Error> {
    let organization = &site.organization.id;
    if let Some(name) = before
        && Store::closed_since(tx, organization, &name, since).await?
    {
        return Ok(Some(name));
    }
    if report.place.is_empty() {
        return Ok(None);
    }
    let same = (report.category, &*report.place);
    let closed = Store::closed_before(tx, organization, same, since).await?;
    Ok(closed.map(|closed| closed.name()))
}

async fn open(
    tx: &Tx,
    site: &Site,
    (report, facts, before): (Report, Vec<Fact>, Option<String>),
    finder: &str,
    (now, around): (Moment, &Setting),
) -> Result<Hazard, Error> {
    let organization = &site.organization;
    let year = LedgerNumber::year_of(now.today);
    let number = Store::next_ledger_number(tx, &organization.id, year).await?;
    let since = start_of(around.terms.recurrence_from(now.today));
    let repeated = repeated(tx, site, &report, before, since).await?;
    let opening = Opening {
        id: new_id(now.at),
        home: Home {
            organization: organization.id.clone(),
            org_path: organization.org_path.clone(),
        },
        number,
        facts,
        recurrence_of: repeated.unwrap_or_default(),
        finder: finder.to_owned(),
    };
    let mut hazard = Hazard::open(opening, &report, now, around);
    let change = Change {
        sequence: 0,
        act: "ReportHazard".to_owned(),
        from: None,
        to: hazard.state,
        actor: finder.to_owned(),
        at: now.at,
        note: String::new(),
    };
    note(tx, &mut hazard, change).await?;
    Store::save_hazard(tx, &hazard, &around.terms).await?;
    let place = (&*organization.id, &*organization.org_path);
    Store::add_photos(tx, place, &hazard.name(), &report.photos, now.at).await?;
    tell(tx, &hazard, vec![Telling::of_opening()], now.at).await?;
    Ok(hazard)
}

impl Hazards {
    /// An organisation at which the caller may report: below their scope, or the school that their
    /// scope is a part of.
    pub(crate) async fn reporting(&self, caller: &Caller, id: &str) -> Result<Site, Error> {
        let permission = Permission::HazardReport;
        let scope = caller.allowed(permission)?;
        let db = self.base.store.database().read();
        let Some(organization) = Store::organization(db, id).await? else {
            return Err(unknown(permission, scope, format!("organizations/{id}")));
        };
        let path = place(&organization.org_path);
        let at = match organization.level() {
            Level::School => caller.reached(&path),
            Level::District | Level::City => &path,
        };
        caller.require(permission, at)?;
        Ok(Site { organization, path })
    }

    /// Reports a hazard.
    pub(crate) async fn report<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        stated: Stated,
        once: (&str, &impl Message),
        render: impl FnOnce(View) -> R,
    ) -> Result<R, Error> {
        self.base
            .act(caller, "ReportHazard", once, async |tx, now| {
                let around = setting(tx, site, now).await?;
                let now = moment(now);
                let Stated {
                    mut report,
                    source,
                    facts,
                } = stated;
                let level = actor(tx, caller).await?.level;
                report.source = source_of(caller, level, site, source)?;
                report.major_rules = shipped().hits(site.organization.kind, &facts, now.today);
                let found = (report, facts, None);
                let hazard = open(tx, site, found, name_of(caller), (now, &around)).await?;
                Ok(render(view(tx, caller, hazard, now.today).await?))
            })
            .await
    }
}

/// Who found it, by what the caller is; nobody speaks for those who speak for themselves.
fn source_of(
    caller: &Caller,
    level: Level,
    site: &Site,
    stated: Option<Source>,
) -> Result<Source, Problem> {
    let only = |role: Role| caller.roles.iter().all(|held| *held == role);
    let usual = if only(Role::Guardian) {
        Source::Parent
    } else if only(Role::PartnerSystem) {
        Source::OtherDepartment
    } else if level > site.organization.level() {
        Source::Bureau
    } else {
        Source::Own
    };
    let fixed = matches!(usual, Source::Parent | Source::OtherDepartment);
    let allowed = match stated {
        None => return Ok(usual),
        Some(stated) if fixed || stated == usual => stated == usual,
        Some(Source::Own | Source::Parent | Source::OtherDepartment) => true,
        Some(
            Source::Bureau
            | Source::Inspection
            | Source::Drill
            | Source::Incident
            | Source::Weather,
        ) => false,
    };
    match stated.filter(|_| allowed) {
        Some(stated) => Ok(stated),
        None => Err(Problem::invalid(
            "hazard.source",
            "与上报人的身份不符",
            "not what the caller can say",
        )),
    }
}
