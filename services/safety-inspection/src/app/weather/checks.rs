//! The sweep and the disinfection after a suspension, and the way back to teaching (rule 5.29).

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use kit::auth::Caller;
use kit::db::Tx;
use kit::rows::Lock;
use prost::Message;
use sea_orm::ConnectionTrait;

use super::evidence::evidence;
use super::{CheckView, StateView, Weather};
use crate::app::Site;
use crate::domain::hazard::entry::Hazard;
use crate::domain::hazard::report::{Report, Source};
use crate::domain::photo::Photo;
use crate::domain::weather::catalogue::CheckItem;
use crate::domain::weather::post_check;
use crate::domain::weather::state::{Event, State};
use crate::domain::weather::suspension::Cover;
use crate::error::Error;
use crate::store::Store;
use crate::store::weather::Turn;
use crate::store::weather::checks::{DisinfectionRow, FindingRow, Recorded};
use crate::store::weather::states::StateRow;

/// What was found at one item.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) item: CheckItem,
    pub(crate) passed: bool,
    pub(crate) place: String,
    pub(crate) description: String,
    pub(crate) photos: Vec<Photo>,
}

/// A disinfection that somebody signs for.
#[derive(Clone, Debug)]
pub(crate) struct Disinfected {
    pub(crate) places: String,
    pub(crate) agent: String,
    pub(crate) concentration: i32,
}

impl Weather {
    /// Records findings and a disinfection; what is not in order opens a hazard, unless the one that was
    /// opened before still stands.
    ///
    /// # Errors
    /// WEATHER_STATE, or when the database fails.
    pub(crate) async fn record<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        (found, disinfected): (Vec<Found>, Option<Disinfected>),
        once: (&str, &impl Message),
        render: impl FnOnce(CheckView) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            let turn = Turn::of_one(&caller.subject, now.timestamp_millis());
            let mut row = locked(tx, site).await?;
            let state = row.state()?;
            if !Store::move_weather_state(tx, &mut row, Event::Check, &turn).await? {
                return Err(Error::WeatherState(state));
            }
            let before = Store::weather_recorded(tx, &row.organization, row.sweep).await?;
            let known = |item: &str| {
                let known = before.findings.iter().find(|known| known.item == item);
                known.map(|known| known.hazard.clone()).unwrap_or_default()
            };
            let mut findings = Vec::with_capacity(found.len());
            for one in found {
                let hazard = known(&one.item.code);
                let found = (&row, one, hazard);
                findings.push(self.finding(tx, site, found, &turn, now).await?);
            }
            Store::save_weather_findings(tx, &findings).await?;
            if let Some(signed) = disinfected {
                let signed = DisinfectionRow {
                    organization: row.organization.clone(),
                    sweep: row.sweep,
                    places: signed.places,
                    agent: signed.agent,
                    concentration: signed.concentration,
                    signer: turn.actor.clone(),
                    signed_at: turn.now,
                };
                Store::save_weather_disinfection(tx, signed).await?;
            }
            Ok(render(self.check_in(tx, site, row.sweep).await?))
        };
        self.base.act(caller, "RecordPostCheck", once, work).await
    }

    /// Keeps one finding with its evidence, beside the hazard that was opened for its item before.
    async fn finding(
        &self,
        tx: &Tx,
        site: &Site,
        (row, found, hazard): (&StateRow, Found, String),
        turn: &Turn,
        now: DateTime<Utc>,
    ) -> Result<FindingRow, Error> {
        let mut finding = FindingRow {
            organization: row.organization.clone(),
            sweep: row.sweep,
            item: found.item.code,
            passed: found.passed,
            place: found.place,
            description: found.description,
            hazard,
            checker: turn.actor.clone(),
            checked_at: turn.now,
        };
        let own = (&*site.organization.id, &*site.organization.org_path);
        let known = std::slice::from_ref(&finding.hazard);
        if found.passed || !Store::hazards_standing(tx, known).await?.is_empty() {
            Store::add_photos(tx, own, &shown_by(&finding), &found.photos, now).await?;
        } else {
            let report = Report {
                place: finding.place.clone(),
                category: found.item.category,
                description: finding.description.clone(),
                photos: found.photos,
                source: Source::Weather,
                origin: check_name(&row.organization),
                major_rules: Vec::new(),
                proposed: None,
                clause: None,
            };
            let opened = self
                .base
                .open_hazards(tx, site, vec![report], &turn.actor, now)
                .await?;
            finding.hazard = opened.into_iter().next().unwrap_or_default();
        }
        Ok(finding)
    }

    /// Teaching begins again, after the check is complete and no level holds at which the policy
    /// suspends it (rule 5.24); the register is told.
    ///
    /// # Errors
    /// WEATHER_STATE, WEATHER_LEVEL_HOLDS, WEATHER_POST_CHECK_INCOMPLETE, or when the database fails.
    pub(crate) async fn reopen<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        once: (&str, &impl Message),
        render: impl FnOnce(StateView) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            let turn = Turn::of_one(&caller.subject, now.timestamp_millis());
            let mut row = locked(tx, site).await?;
            let state = row.state()?;
            if state.after(Event::Reopen).is_none() {
                return Err(Error::WeatherState(state));
            }
            let rules = self.rules_at(tx, &site.path, now).await?;
            let taught = Cover::of_teaching(site.organization.kind);
            if let (Some(level), Some(rules), Some(taught)) = (row.level(), rules, taught)
                && rules.policy.covers(level).contains(&taught)
            {
                return Err(Error::WeatherLevelHolds(level));
            }
            let missing = self.check_in(tx, site, row.sweep).await?.missing;
            if !missing.is_empty() {
                return Err(Error::PostCheckIncomplete(missing.join(", ")));
            }
            Store::move_weather_state(tx, &mut row, Event::Reopen, &turn).await?;
            let id = &site.organization.id;
            Store::resume_weather_teaching(tx, id, &row.name(), turn.now).await?;
            Ok(render(self.state_in(tx, site, None, now).await?))
        };
        let answer = self.base.act(caller, "ReopenAfterWeather", once, work);
        let answer = answer.await?;
        self.wake.notify_one();
        Ok(answer)
    }

    /// The sweep and the disinfection of an organisation as they stand.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn check(&self, site: &Site) -> Result<CheckView, Error> {
        let db = self.base.store.database().read();
        let row = Store::weather_state(db, &site.organization.id, Lock::No).await?;
        let sweep = row.map_or(0, |row| row.sweep);
        self.check_in(db, site, sweep).await
    }

    async fn check_in(
        &self,
        db: &impl ConnectionTrait,
        site: &Site,
        sweep: i32,
    ) -> Result<CheckView, Error> {
        let id = &site.organization.id;
        let recorded = Store::weather_recorded(db, id, sweep).await?;
        let origins = recorded.findings.iter().map(shown_by);
        let photos = evidence(db, &origins.collect::<Vec<_>>()).await?;
        let hazards = recorded.findings.iter().map(|one| one.hazard.clone());
        let hazards: Vec<String> = hazards.filter(|name| !name.is_empty()).collect();
        let standing = Store::hazards_that_stand(db, &hazards).await?;
        let dangers = standing.iter().filter(|hazard| hazard.endangers());
        let dangers: HashSet<String> = dangers.map(Hazard::name).collect();
        Ok(CheckView {
            organization: id.clone(),
            missing: self.missing(&recorded, &dangers),
            recorded,
            photos,
        })
    }

    fn missing(&self, recorded: &Recorded, dangers: &HashSet<String>) -> Vec<String> {
        let found = |code: &str| {
            let finding = recorded.findings.iter().find(|one| one.item == code)?;
            let hazard = (!finding.hazard.is_empty()).then(|| dangers.contains(&finding.hazard));
            Some(post_check::Found::of(finding.passed, hazard))
        };
        let signed = recorded.disinfection.is_some();
        let missing = post_check::missing(&self.catalogue.checks, found, signed);
        missing.into_iter().map(str::to_owned).collect()
    }
}

/// The resource whose evidence the pictures of a finding are.
pub(crate) fn shown_by(finding: &FindingRow) -> String {
    if finding.passed || finding.hazard.is_empty() {
        finding.origin()
    } else {
        finding.hazard.clone()
    }
}

/// The resource name of the sweep and the disinfection of an organisation.
pub(crate) fn check_name(organization: &str) -> String {
    format!("organizations/{organization}/postCheck")
}

async fn locked(tx: &Tx, site: &Site) -> Result<StateRow, Error> {
    let row = Store::weather_state(tx, &site.organization.id, Lock::Yes).await?;
    row.ok_or(Error::WeatherState(State::None))
}
