//! What people do to hazards: one transition, once, written down and told.

use kit::auth::Caller;
use kit::db::Tx;
use prost::Message;

use super::rules::shipped;
use super::setting::{moment, setting};
use super::telling::{note, tell};
use super::{By, Hazards, Named, View, actor, owns, view};
use crate::app::{Site, denied};
use crate::domain::hazard::accountability::Telling;
use crate::domain::hazard::entry::{self, Actor, Hazard, Moment};
use crate::domain::hazard::major::together;
use crate::domain::hazard::verb::{Plan, Verb};
use crate::error::Error;
use crate::store::Store;
use crate::store::hazards::{Change, Heeded, ProgressReport};

/// What an act led to.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// The hazard afterwards.
    pub(crate) view: View,
    /// The report of progress that was made.
    pub(crate) report: Option<ProgressReport>,
}

impl Hazards {
    /// Does `verb` to a hazard. The caller was authorised before, and is again once nobody else can
    /// move it.
    pub(crate) async fn act<R: Message + Default>(
        &self,
        caller: &Caller,
        (named, site, by): (Named<'_>, &Site, By),
        mut verb: Verb,
        once: (&str, &impl Message),
        render: impl FnOnce(Done) -> R,
    ) -> Result<R, Error> {
        let method = verb.method();
        self.base
            .act(caller, method, once, async |tx, now| {
                let found = Store::hazard_to_change(tx, named.id).await?;
                let name = || entry::name(named.organization, named.id);
                let before = found.ok_or_else(|| Error::NotFound(name()))?;
                let permission = by.permission();
                if caller.require(permission, &site.path).is_err() && !owns(caller, by, &before) {
                    return Err(denied(permission).into());
                }
                let now = moment(now);
                let around = setting(tx, site, now.at).await?;
                let actor = actor(tx, caller).await?;
                if let Verb::Assign(Plan { owner, .. }) | Verb::HandOver { owner, .. } = &verb
                    && !owner.is_empty()
                {
                    self.base.people.require([&**owner]).await?;
                }
                complete(tx, &mut verb, &before, site, now).await?;
                let mut tellings = Telling::of(&verb, &before);
                let verifies = matches!(verb, Verb::Verify { .. });
                let moves = matches!(verb, Verb::DecideExtension(true, _));
                let words = verb.note().to_owned();
                let (from, late) = (before.state, before.is_progress_overdue(now.today));
                let (progress, photos) = match &verb {
                    Verb::Progress(percent, words) => (Some((*percent, words.clone())), None),
                    Verb::Submit { photos, .. } => (None, Some(photos.clone())),
                    _ => (None, None),
                };
                let mut hazard = before.apply(verb, &actor, now, &around)?;
                if verifies {
                    tellings.extend(Telling::of_verification(&hazard, &around));
                }
                let change = Change {
                    sequence: 0,
                    act: method.to_owned(),
                    from: Some(from),
                    to: hazard.state,
                    actor: actor.name.clone(),
                    at: now.at,
                    note: words,
                };
                note(tx, &mut hazard, change).await?;
                Store::save_hazard(tx, &hazard, &around.terms).await?;
                if moves {
                    Store::note_hazard_move(tx, &hazard.home.organization, now.at).await?;
                }
                if let (Some(photos), Some(evidence)) = (photos, hazard.evidence()) {
                    let home = (&*hazard.home.organization, &*hazard.home.org_path);
                    Store::add_photos(tx, home, &evidence, &photos, now.at).await?;
                }
                let report = match progress {
                    Some(progress) => {
                        Some(reported(tx, &hazard, progress, (&actor, now, late)).await?)
                    }
                    None => None,
                };
                Store::note_seen(tx, Heeded::Hazard(hazard.id), &actor.name, now.at).await?;
                tell(tx, &hazard, tellings, now.at).await?;
                let view = view(tx, caller, hazard, now.today).await?;
                Ok(render(Done { view, report }))
            })
            .await
    }
}

/// Adds to a verb what is known here: the facts of the report, who answers, the pictures before.
async fn complete(
    tx: &Tx,
    verb: &mut Verb,
    hazard: &Hazard,
    site: &Site,
    now: Moment,
) -> Result<(), Error> {
    match verb {
        Verb::Verify {
            facts, major_rules, ..
        } => {
            *facts = together(&hazard.course.facts, std::mem::take(facts));
            *major_rules = shipped().hits(site.organization.kind, facts, now.today);
        }
        Verb::Assign(plan) if plan.owner.is_empty() => {
            let subject = hazard.category.subject();
            let answers = Store::answerable(tx, &site.path, subject, &hazard.place).await?;
            plan.owner = answers.map(|one| one.staff_member).unwrap_or_default();
        }
        Verb::Submit { before, .. } => {
            let found = Store::photos(tx, &[hazard.name()]).await?;
            *before = found.into_iter().map(|(_, photo)| photo).collect();
        }
        _ => {}
    }
    Ok(())
}

async fn reported(
    tx: &Tx,
    hazard: &Hazard,
    (percent, description): (i32, String),
    (actor, now, late): (&Actor, Moment, bool),
) -> Result<ProgressReport, Error> {
    let report = ProgressReport {
        sequence: hazard.course.progress_reports,
        description,
        percent,
        reporter: actor.name.clone(),
        at: now.at,
        late,
    };
    Store::add_progress_report(tx, hazard.id, &report).await?;
    Ok(report)
}
