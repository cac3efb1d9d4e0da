//! An inspection ends: scored, its failed items become hazards, and schedules and campaigns are met.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::Caller;
use kit::clock::civil_date;
use kit::db::Tx;
use prost::Message;
use uuid::Uuid;

use super::{Found, Inspections, actor, planning, recording, season};
use crate::app::Site;
use crate::app::hazards::shipped;
use crate::domain::checklist::item::{Outcome, score};
use crate::domain::checklist::template::Entry;
use crate::domain::hazard::report::{Report, Source};
use crate::domain::hazard::state::Grade;
use crate::domain::inspection::answer::{Answer, counting, outcome};
use crate::domain::inspection::state::{Figures, Inspection, Verb};
use crate::error::Error;
use crate::store::Store;
use crate::store::inspections::{Finding, MOST_SCHEDULES};

impl Inspections {
    /// Ends an inspection.
    ///
    /// # Errors
    /// INSPECTION_STATE, INSPECTION_INSPECTOR, INSPECTION_OWN_PLACE, INSPECTION_INCOMPLETE, or not
    /// found; nothing changes then.
    pub(crate) async fn submit<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        once: (&str, &impl Message),
        render: impl FnOnce(Found) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now| {
            let mut held = planning::held(tx, site, id).await?;
            let before = held.state as i32;
            planning::name_answerable(tx, site, &mut held).await?;
            let mut moved = held.apply(Verb::Submit, actor(caller), now)?;
            let entries = recording::checklist(tx, &moved).await?;
            let answers = counting(Store::answers(tx, &moved).await?);
            let outcomes = complete(&entries, &answers)?;
            moved.figures = figures(tx, &moved, (&entries, &outcomes), &answers).await?;
            let failed: Vec<(&Entry, &Answer)> = entries
                .iter()
                .zip(&outcomes)
                .filter(|(_, outcome)| **outcome == Outcome::Failed)
                .filter_map(|(entry, _)| Some((entry, answers.get(&entry.id)?)))
                .collect();
            self.open_findings(tx, site, &moved, failed, now).await?;
            let looked = answers
                .values()
                .map(|answer| civil_date(answer.written))
                .max();
            let looked = looked.unwrap_or_else(|| civil_date(now));
            meet(tx, site, &moved, looked).await?;
            let steps = (before, (actor(caller), ""));
            planning::keep(tx, &moved, steps, now).await?;
            Ok(render(Found::read(tx, moved).await?))
        };
        self.base.act(caller, "SubmitInspection", once, work).await
    }

    /// Opens a hazard for each failed item, but for those of which one still stands.
    async fn open_findings(
        &self,
        tx: &Tx,
        site: &Site,
        inspection: &Inspection,
        failed: Vec<(&Entry, &Answer)>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let place = (inspection.organization.as_str(), inspection.place.as_str());
        let keys: Vec<String> = failed.iter().map(|(entry, _)| entry.key.clone()).collect();
        let last = Store::last_hazards(tx, place, &keys).await?;
        let names: Vec<String> = last.values().cloned().collect();
        let stand = Store::hazards_standing(tx, &names).await?;
        let (standing, over): (HashMap<_, _>, HashMap<_, _>) = last
            .into_iter()
            .partition(|(_, hazard)| stand.contains(hazard));
        let (met, new): (Vec<_>, Vec<_>) = failed
            .into_iter()
            .partition(|(entry, _)| standing.contains_key(&entry.key));
        let report = |entry: &Entry, answer: &Answer| {
            let major_rules = match &*entry.item.major_rule {
                "" => Vec::new(),
                topic => shipped().about(topic, site.organization.kind, civil_date(now)),
            };
            let grade = if major_rules.is_empty() {
                Grade::General
            } else {
                Grade::Major
            };
            Report {
                place: inspection.place.clone(),
                category: entry.item.category,
                description: entry.item.finding(&answer.note),
                photos: answer.photos.clone(),
                source: Source::Inspection,
                origin: inspection.name(),
                major_rules,
                proposed: Some(grade),
                clause: Some(entry.item.clause.clone()),
            }
        };
        let reports = new.iter().map(|(entry, answer)| {
            let before = over.get(&entry.key).cloned();
            (report(entry, answer), before)
        });
        let finder = &inspection.inspector;
        let opened = self
            .base
            .open_found_again(tx, site, reports.collect(), finder, now)
            .await?;
        let finding = |entry: &Entry, hazard: String, stood| Finding {
            item: entry.id.clone(),
            key: entry.key.clone(),
            hazard,
            stood,
        };
        let old = met.into_iter().filter_map(|(entry, _)| {
            let hazard = standing.get(&entry.key)?.clone();
            Some(finding(entry, hazard, true))
        });
        let new = new.into_iter().zip(opened);
        let new = new.map(|((entry, _), hazard)| finding(entry, hazard, false));
        let findings: Vec<Finding> = old.chain(new).collect();
        Store::add_findings(tx, inspection, &findings, now).await?;
        Ok(())
    }
}

/// What became of each item, when all are answered.
fn complete(entries: &[Entry], answers: &HashMap<String, Answer>) -> Result<Vec<Outcome>, Error> {
    let outcomes: Vec<Outcome> = entries
        .iter()
        .map(|entry| outcome(entry, answers.get(&entry.id)))
        .collect();
    let mut open = entries
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| **outcome == Outcome::Unanswered)
        .map(|(entry, _)| entry);
    match open.next() {
        Some(first) => Err(Error::InspectionIncomplete {
            item: first.id.clone(),
            outstanding: open.count() + 1,
        }),
        None => Ok(outcomes),
    }
}

async fn figures(
    tx: &Tx,
    inspection: &Inspection,
    (entries, outcomes): (&[Entry], &[Outcome]),
    answers: &HashMap<String, Answer>,
) -> Result<Figures, Error> {
    let of = |wanted: Outcome| {
        let count = outcomes
            .iter()
            .filter(|outcome| **outcome == wanted)
            .count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    let mut hashes: Vec<[u8; 32]> = answers
        .values()
        .flat_map(|answer| answer.photos.iter().map(|photo| photo.sha256))
        .collect();
    hashes.sort_unstable();
    hashes.dedup();
    let shown = Store::shown_elsewhere(tx, &inspection.organization, &hashes).await?;
    let scene = recording::scene_of(tx, inspection).await?;
    let photos = answers.values().flat_map(|answer| &answer.photos);
    let misplaced = photos.filter(|photo| scene.is_elsewhere(photo)).count();
    let weights = entries.iter().map(|entry| entry.item.weight);
    Ok(Figures {
        failed: of(Outcome::Failed),
        not_applicable: of(Outcome::NotApplicable),
        score: score(weights.zip(outcomes.iter().copied())),
        borrowed: u32::try_from(shown.len()).unwrap_or(u32::MAX),
        misplaced: u32::try_from(misplaced).unwrap_or(u32::MAX),
    })
}

/// Notes what an inspection of a day meets: periods of schedules, and targets of campaigns.
async fn meet(
    tx: &Tx,
    site: &Site,
    inspection: &Inspection,
    looked: NaiveDate,
) -> Result<(), Error> {
    let rules = Store::rules(tx).await?;
    let season = season(&rules, &site.path, looked);
    let schedules = Store::inspection_schedules(tx, &site.path, "", MOST_SCHEDULES).await?;
    let line = inspection.template.line();
    let met = schedules.iter().filter(|schedule| {
        schedule.binds(&inspection.org_path)
            && schedule.template.line() == line
            && schedule.place_kind == inspection.place_kind
            && schedule.level <= inspection.level
    });
    let met = met.flat_map(|schedule| {
        let periods = schedule.periods(&rules.calendar, season, (looked, looked));
        periods
            .into_iter()
            .map(|period| (schedule.id.clone(), period))
    });
    let met: Vec<_> = met.collect();
    Store::add_hits(tx, inspection, &met).await?;
    Store::meet_targets(tx, inspection, looked).await?;
    Ok(())
}
