//! Answers that devices hand in, also late and more than once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kit::auth::Caller;
use uuid::Uuid;

use super::{Inspections, actor, planning};
use crate::app::Site;
use crate::domain::checklist::item::{Kind, Unfit};
use crate::domain::checklist::template::{Entry, entries};
use crate::domain::inspection::answer::{Answer, counting};
use crate::domain::inspection::place::scene;
use crate::domain::inspection::state::{Inspection, Verb};
use crate::domain::photo::Scene;
use crate::error::Error;
use crate::store::Store;

/// How many answers one inspection keeps at most.
const MOST: usize = 4000;

/// What became of one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Stored.
    Recorded {
        /// How many of its photos other organisations showed before.
        borrowed: u32,
        /// How many of its photos were taken somewhere else.
        misplaced: u32,
        /// A later one counts.
        outdated: bool,
    },
    /// Was stored before.
    Repeated,
    /// The id is known with other content.
    Differs,
    /// Not stored; the sentence says why.
    Refused(&'static str),
}

impl Inspections {
    /// Stores answers, in the order of which the verdicts come.
    ///
    /// # Errors
    /// INSPECTION_STATE, INSPECTION_INSPECTOR, or not found; nothing is stored then.
    pub(crate) async fn record(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        answers: Vec<Answer>,
    ) -> Result<Vec<Verdict>, Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        kit::audit::act(&tx, caller);
        let inspection = planning::held(&tx, site, id).await?;
        let inspection = inspection.apply(Verb::Record, actor(caller), now)?;
        let entries = checklist(&tx, &inspection).await?;
        let entries: HashMap<&str, &Entry> = entries
            .iter()
            .map(|entry| (entry.id.as_str(), entry))
            .collect();
        let kept = Store::answers(&tx, &inspection).await?;
        let mut room = MOST.saturating_sub(kept.len());
        let mut known: HashMap<Uuid, i64> = kept
            .iter()
            .map(|one| (one.client_id, one.fingerprint))
            .collect();
        let mut last = counting(kept);
        let hashes: Vec<[u8; 32]> = answers
            .iter()
            .flat_map(|answer| answer.photos.iter().map(|photo| photo.sha256))
            .collect();
        let shown = Store::shown_elsewhere(&tx, &inspection.organization, &hashes).await?;
        let scene = scene_of(&tx, &inspection).await?;

        let (mut new, mut verdicts) = (Vec::new(), Vec::with_capacity(answers.len()));
        for answer in answers {
            let verdict = match known.get(&answer.client_id) {
                Some(print) if *print == answer.fingerprint => Verdict::Repeated,
                Some(_) => Verdict::Differs,
                None if room == 0 => Verdict::Refused("本次检查的答案过多，未保存"),
                None => match unfit(&entries, &inspection, &answer, now) {
                    Some(why) => Verdict::Refused(why),
                    None => {
                        let photos = answer.photos.iter();
                        let borrowed = photos.clone();
                        let borrowed = borrowed.filter(|one| shown.contains(&one.sha256[..]));
                        let misplaced = photos.filter(|one| scene.is_elsewhere(one));
                        let held = last.get(&answer.item);
                        Verdict::Recorded {
                            borrowed: u32::try_from(borrowed.count()).unwrap_or(u32::MAX),
                            misplaced: u32::try_from(misplaced.count()).unwrap_or(u32::MAX),
                            outdated: held.is_some_and(|held| !answer.is_after(held)),
                        }
                    }
                },
            };
            if let Verdict::Recorded { outdated, .. } = &verdict {
                room -= 1;
                known.insert(answer.client_id, answer.fingerprint);
                if !outdated {
                    last.insert(answer.item.clone(), answer.clone());
                }
                new.push(answer);
            }
            verdicts.push(verdict);
        }
        Store::add_answers(&tx, &inspection, &new, now).await?;
        tx.commit().await?;
        Ok(verdicts)
    }
}

/// The items of an inspection as they were when it was planned.
pub(super) async fn checklist(
    db: &impl sea_orm::ConnectionTrait,
    inspection: &Inspection,
) -> Result<Vec<Entry>, Error> {
    let mut ids = vec![inspection.template.clone()];
    ids.extend(inspection.added.iter().cloned());
    let mut lists = Store::checklists(db, &ids).await?.into_iter();
    let Some(base) = lists.next() else {
        return Ok(Vec::new());
    };
    let additions: Vec<_> = lists.collect();
    Ok(entries(&base, &additions, inspection.planned))
}

/// What the pictures of an inspection should be of.
pub(super) async fn scene_of(
    db: &impl sea_orm::ConnectionTrait,
    inspection: &Inspection,
) -> Result<Scene, Error> {
    let own = std::slice::from_ref(&inspection.organization);
    let entered = Store::inspection_places(db, own).await?;
    Ok(scene(inspection.place_kind, &inspection.place, &entered))
}

/// Why an answer is none of this inspection, as people are told.
fn unfit(
    entries: &HashMap<&str, &Entry>,
    inspection: &Inspection,
    answer: &Answer,
    now: DateTime<Utc>,
) -> Option<&'static str> {
    let Some(entry) = entries.get(answer.item.as_str()) else {
        return Some("检查表中没有此项目，未保存");
    };
    if !inspection
        .started
        .is_some_and(|started| answer.in_time(started, now))
    {
        return Some("填写时间不在检查期间，未保存");
    }
    let unfit = entry.item.judge(&answer.value, answer.photos.len()).err()?;
    Some(match unfit {
        Unfit::Mandatory => "此项为必查项，不能选“不适用”，未保存",
        Unfit::NoPhoto => "此项须附照片，未保存",
        Unfit::Kind(Kind::YesNo | Kind::Photo) => "此项应回答是否符合，未保存",
        Unfit::Kind(Kind::Number | Kind::Days) => "此项应填写数字，未保存",
        Unfit::Kind(Kind::Text) => "此项应填写文字，未保存",
    })
}
