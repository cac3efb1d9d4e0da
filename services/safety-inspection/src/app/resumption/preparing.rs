//! The school prepares: checks itself item by item, its head signs, and it applies.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::auth::Caller;
use kit::clock::civil_date;
use kit::db::Tx;
use kit::org::OrgPath;
use kit::rows::Lock;
use kit::status::Problem;
use prost::Message;

use super::readiness::{answered, checklist, noted, ready, refused};
use super::{Held, Ready, Resumptions, View, found, named, one_of, waits_for};
use crate::app::{Site, photos};
use crate::domain::checklist::item::{Kind as ItemKind, Unfit, Value};
use crate::domain::checklist::template::Entry;
use crate::domain::photo::Photo;
use crate::domain::resumption::checklist::{Answer, judge};
use crate::domain::resumption::state::{State, Verb};
use crate::error::Error;
use crate::store::Store;
use crate::store::resumption::{AnswerRow, Kept};

/// An answer as it is handed in.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) item: String,
    pub(crate) value: Value,
    pub(crate) note: String,
    pub(crate) photos: Vec<Photo>,
}

/// An answer with its evidence.
#[derive(Clone, Debug)]
pub(crate) struct AnswerView {
    pub(crate) row: AnswerRow,
    pub(crate) value: Value,
    pub(crate) answered: DateTime<Utc>,
    pub(crate) evidence: Vec<photos::Shown>,
}

impl Resumptions {
    /// Begins the self-check.
    ///
    /// # Errors
    /// NOT_FOUND, RESUMPTION_STATE, CHECKLIST_NOT_APPLICABLE, or when the database fails.
    pub(crate) async fn start_self_check<R: Message + Default>(
        &self,
        caller: &Caller,
        at: (&Site, i16),
        once: (&str, &impl Message),
        render: impl FnOnce(View) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, held: Held| {
            let today = civil_date(held.now);
            let progress = &held.kept.progress;
            let key = (held.kept.organization.clone(), held.kept.position);
            let (former, from) = (progress.checklists.clone(), progress.state);
            let demands = progress.demands.iter().cloned().collect();
            let mut fresh = held.kept.clone();
            fresh.progress.checklists.clear();
            let (lists, _) = checklist(tx, &fresh, today).await?;
            // What was shown stands, but for what is to be put right.
            let same = from == State::Rectify && former == lists;
            let mut kept = held.step(tx, Verb::StartSelfCheck(lists), "").await?;
            let forgotten = same.then_some(demands);
            Store::forget_resumption_answers(tx, (&key.0, key.1), forgotten).await?;
            kept.summary = answered(tx, &kept, today).await?.summary();
            Store::save_resumptions(tx, std::slice::from_ref(&kept)).await?;
            Ok(kept)
        };
        self.act(caller, at, ("StartSelfCheck", once), work, render)
            .await
    }

    /// Answers items of the self-check, all or none.
    ///
    /// # Errors
    /// NOT_FOUND, RESUMPTION_STATE, INVALID_FIELD, or when the database fails.
    pub(crate) async fn answer<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, position): (&Site, i16),
        given: Vec<Given>,
        once: (&str, &impl Message),
        render: impl FnOnce(Ready) -> R,
    ) -> Result<R, Error> {
        let id = &site.organization.id;
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            let school = found(tx, id, position, Lock::Yes).await?;
            let order = waits_for(&school.all, position).next().is_some();
            let kept = one_of(school, id, position)?;
            let today = civil_date(now);
            // Answers are no steps of the history: they stand beside it, each with who and when.
            kept.progress.clone().apply(Verb::Answer, (now, today))?;
            let (_, entries) = checklist(tx, &kept, today).await?;
            fit(&entries, &given)?;
            keep(tx, &kept, given, &caller.subject, now).await?;
            let rules = Store::rules(tx).await?;
            let mut ready = ready(tx, kept, order, &rules, (now, today)).await?;
            let kept = noted(ready.kept, &ready.readiness, &ready.guards, order, now);
            let kept = Kept {
                updated: now,
                ..kept
            };
            Store::save_resumptions(tx, std::slice::from_ref(&kept)).await?;
            ready.kept = kept;
            Ok(render(ready))
        };
        self.base
            .act(caller, "AnswerResumptionItems", once, work)
            .await
    }

    /// The head signs the self-check.
    ///
    /// # Errors
    /// NOT_FOUND, RESUMPTION_STATE, RESUMPTION_BLOCKED, or when the database fails.
    pub(crate) async fn sign_self_check<R: Message + Default>(
        &self,
        caller: &Caller,
        at: (&Site, i16),
        once: (&str, &impl Message),
        render: impl FnOnce(View) -> R,
    ) -> Result<R, Error> {
        let signer = caller.subject.clone();
        let work = async |tx: &Tx, held: Held| {
            // A resumption that cannot be signed at all says so, not what it lacks.
            let at = (held.now, civil_date(held.now));
            let verb = Verb::SignSelfCheck(signer);
            held.kept.progress.clone().apply(verb.clone(), at)?;
            let readiness = answered(tx, &held.kept, at.1).await?;
            let lacks = readiness.blocks().map(|lack| {
                let kind = super::readiness::item_kind(lack.missing);
                named(kind, &lack.item)
            });
            refused(lacks.collect())?;
            held.step(tx, verb, "").await
        };
        self.act(caller, at, ("SignSelfCheck", once), work, render)
            .await
    }

    /// Asks for the joint inspection.
    ///
    /// # Errors
    /// NOT_FOUND, RESUMPTION_STATE, or when the database fails.
    pub(crate) async fn apply<R: Message + Default>(
        &self,
        caller: &Caller,
        at: (&Site, i16),
        once: (&str, &impl Message),
        render: impl FnOnce(View) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, held: Held| held.step(tx, Verb::Apply, "").await;
        self.act(caller, at, ("ApplyForInspection", once), work, render)
            .await
    }

    /// What was answered, with its evidence, after one item.
    ///
    /// # Errors
    /// NOT_FOUND, or when the database fails.
    pub(crate) async fn answers(
        &self,
        scope: &OrgPath,
        (site, position): (&Site, i16),
        after: &str,
        limit: u64,
    ) -> Result<Vec<AnswerView>, Error> {
        let (db, id) = (self.base.store.database().read(), &site.organization.id);
        let kept = one_of(found(db, id, position, Lock::No).await?, id, position)?;
        if kept.progress.checklists.is_empty() {
            return Ok(Vec::new());
        }
        let rows = Store::resumption_answers(db, (id, position), after, limit).await?;
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            let mut evidence = photos::shown(db, scope, id, &row.name()).await?;
            // Pictures of answers that were replaced are kept, but show nothing any more.
            evidence.retain(|shown| {
                let hash = hex::encode(shown.photo.sha256);
                row.hashes().any(|own| own == hash)
            });
            views.push(AnswerView {
                value: row.value()?,
                answered: row.answered()?,
                evidence,
                row,
            });
        }
        Ok(views)
    }
}

/// Checks that each answer is one to an item of the list, and shows what it claims.
fn fit(entries: &[Entry], given: &[Given]) -> Result<(), Error> {
    let items: BTreeMap<&str, &Entry> = entries.iter().map(|one| (&*one.id, one)).collect();
    let mut fields = kit::field::Fields::new();
    for (place, given) in given.iter().enumerate() {
        let Some(entry) = items.get(given.item.as_str()) else {
            let field = format!("answers[{place}].item");
            fields.violation(field, "检查表中没有此项目", "not an item of the checklist");
            continue;
        };
        let answer = Answer {
            value: given.value.clone(),
            photos: given.photos.len(),
        };
        if let Err(unfit) = judge(&entry.item, &answer) {
            let (part, zh) = match unfit {
                Unfit::Mandatory => ("not_applicable", "此项为必查项，不能选“不适用”"),
                Unfit::NoPhoto => ("photos", "此项须附照片佐证"),
                Unfit::Kind(ItemKind::YesNo | ItemKind::Photo) => ("good", "此项应回答是否符合"),
                Unfit::Kind(ItemKind::Number | ItemKind::Days) => {
                    ("number_thousandths", "此项应填写数字")
                }
                Unfit::Kind(ItemKind::Text) => ("text", "此项应填写文字"),
            };
            fields.violation(format!("answers[{place}].{part}"), zh, unfit.to_string());
        }
    }
    fields.finish().map_err(|problem: Problem| problem.into())
}

async fn keep(
    tx: &Tx,
    kept: &Kept,
    given: Vec<Given>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let place = (kept.organization.as_str(), kept.org_path.as_str());
    let mut rows = Vec::with_capacity(given.len());
    for one in given {
        let hashes = one.photos.iter().map(|photo| hex::encode(photo.sha256));
        let row = AnswerRow {
            organization: kept.organization.clone(),
            position: kept.position,
            item: one.item,
            note: one.note,
            photos: hashes.collect::<Vec<_>>().join(","),
            actor: actor.to_owned(),
            answered_at: now.timestamp_millis(),
            ..AnswerRow::default()
        }
        .saying(&one.value);
        Store::add_photos(tx, place, &row.name(), &one.photos, now).await?;
        rows.push(row);
    }
    Ok(Store::save_resumption_answers(tx, &rows).await?)
}
