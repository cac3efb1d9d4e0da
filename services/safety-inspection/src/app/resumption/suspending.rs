//! Teaching is suspended again: for a class group, grades, a school, or all schools of a bureau.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::Caller;
use kit::clock::civil_date;
use kit::db::Tx;
use kit::rows::Lock;
use kit::status::Problem;
use prost::Message;

use super::{Resumptions, moved, note_all};
use crate::app::Site;
use crate::domain::organization::Kind;
use crate::domain::resumption::away::{Part, Reason, Scope, Suspension};
use crate::domain::resumption::state::{State, Verb};
use crate::domain::weather::suspension::Teaching;
use crate::error::Error;
use crate::store::Store;
use crate::store::register::PAGE;
use crate::store::resumption::{CallRow, Kept};

/// Whom it concerns at the organisation of a request.
#[derive(Clone, Debug)]
pub(crate) enum Whom {
    /// All of the school, or all schools of the bureau.
    All,
    /// Grades of the school.
    Grades(BTreeSet<i32>),
    /// A class group of the school, by its resource name.
    ClassGroup(String),
}

/// What somebody decides.
#[derive(Clone, Debug)]
pub(crate) struct Suspend {
    pub(crate) whom: Whom,
    pub(crate) reason: Reason,
    pub(crate) explanation: String,
    pub(crate) until: Option<NaiveDate>,
    pub(crate) online: bool,
}

/// How many it reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Suspended {
    pub(crate) resumptions: usize,
    pub(crate) schools: usize,
}

/// A school that stops, and what is said of it to the register.
struct Stop {
    organization: String,
    target: String,
    grades: Vec<i32>,
}

/// Who teaches pupils that return in batches.
const SCHOOLS: [Kind; 3] = [Kind::MunicipalSchool, Kind::School, Kind::Kindergarten];

impl Resumptions {
    /// Suspends teaching again.
    ///
    /// # Errors
    /// INVALID_FIELD, RESUMPTION_NOBODY, or when the database fails.
    pub(crate) async fn suspend<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        decided: Suspend,
        once: (&str, &impl Message),
        render: impl FnOnce(Suspended) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            if decided.until.is_some_and(|day| day < civil_date(now)) {
                return Err(Error::Unfit {
                    field: "until_date",
                    zh: "不能早于今天",
                    en: "must not be before today",
                });
            }
            let (scope, part, stops) = reached(tx, site, &decided.whom).await?;
            let suspension = Suspension {
                scope,
                reason: decided.reason,
                explanation: decided.explanation.clone(),
                until: decided.until,
                actor: caller.subject.clone(),
                at: now,
            };
            let resumptions = send_back(tx, &stops, &part, &suspension).await?;
            let schools = stops.len();
            tell(tx, stops, &decided, now).await?;
            Ok(render(Suspended {
                resumptions,
                schools,
            }))
        };
        let answer = self.base.act(caller, "ReSuspend", once, work).await?;
        self.wake.notify_one();
        Ok(answer)
    }
}

/// Whom a decision reaches.
async fn reached(tx: &Tx, site: &Site, whom: &Whom) -> Result<(Scope, Part, Vec<Stop>), Error> {
    let own = &site.organization;
    let all_of = |organization: &str| Stop {
        organization: organization.to_owned(),
        target: format!("organizations/{organization}"),
        grades: Vec::new(),
    };
    if own.kind.is_bureau() {
        if !matches!(whom, Whom::All) {
            let (zh, en) = ("只能对学校指定年级或班级", "only at a school");
            return Err(Problem::invalid("parent", zh, en).into());
        }
        let schools = schools_below(tx, &own.org_path).await?;
        if schools.is_empty() {
            return Err(Error::ResumptionNobody);
        }
        let stops = schools.iter().map(|id| all_of(id)).collect();
        return Ok((Scope::District, Part::Everybody, stops));
    }
    let taught_here = SCHOOLS.contains(&own.kind) || own.kind == Kind::University;
    if !taught_here || !own.open {
        return Err(Error::ResumptionNobody);
    }
    let taught = Store::class_groups(tx, &own.id).await?;
    let taught: BTreeMap<String, i32> = taught
        .into_iter()
        .map(|group| (group.name, group.grade))
        .collect();
    match whom {
        Whom::All => Ok((Scope::School, Part::Everybody, vec![all_of(&own.id)])),
        Whom::Grades(grades) => {
            let known: BTreeSet<i32> = taught.into_values().collect();
            if !grades.is_subset(&known) {
                let (zh, en) = ("学校没有该年级", "the school has no such grade");
                return Err(Problem::invalid("grades", zh, en).into());
            }
            let stop = Stop {
                grades: grades.iter().copied().collect(),
                ..all_of(&own.id)
            };
            Ok((Scope::Grade, Part::Grades(grades.clone()), vec![stop]))
        }
        Whom::ClassGroup(name) => {
            let Some(grade) = taught.get(name) else {
                let (zh, en) = ("学校没有该班级", "the school has no such class group");
                return Err(Problem::invalid("class_group", zh, en).into());
            };
            let stop = Stop {
                target: name.clone(),
                ..all_of(&own.id)
            };
            let part = Part::ClassGroup(name.clone(), *grade);
            Ok((Scope::Class, part, vec![stop]))
        }
    }
}

async fn schools_below(tx: &Tx, place: &str) -> Result<Vec<String>, Error> {
    let (mut schools, mut after) = (Vec::new(), String::new());
    loop {
        let page = Store::organizations_below(tx, place, &SCHOOLS, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.org_path);
        schools.extend(page.into_iter().map(|school| school.id));
    }
    schools.sort_unstable();
    Ok(schools)
}

/// Whether a part of a school is of a batch.
fn concerns(kept: &Kept, part: &Part) -> bool {
    let grades = &kept.progress.grades;
    match part {
        Part::Everybody => true,
        Part::Grades(part) => grades.iter().any(|grade| part.contains(grade)),
        // A kindergarten has no grades: all its class groups are of its one batch.
        Part::ClassGroup(_, grade) => grades.contains(grade) || (grades.is_empty() && *grade == 0),
    }
}

/// Every resumption that concerns them leads back through the self-check; how many.
async fn send_back(
    tx: &Tx,
    stops: &[Stop],
    part: &Part,
    suspension: &Suspension,
) -> Result<usize, Error> {
    let ids: Vec<String> = stops.iter().map(|stop| stop.organization.clone()).collect();
    let mut moves = Vec::new();
    for kept in Store::resumptions_of(tx, &ids, Lock::Yes).await? {
        if kept.progress.state != State::Suspended && concerns(&kept, part) {
            let verb = Verb::ReSuspend(part.clone(), suspension.clone());
            moves.push(moved(kept, verb, suspension.at)?);
        }
    }
    let kept: Vec<Kept> = moves.iter().map(|(kept, _)| kept.clone()).collect();
    Store::save_resumptions(tx, &kept).await?;
    let by = (&*suspension.actor, suspension.at);
    let entries = moves.iter().map(|(kept, moved)| (kept, moved.clone()));
    note_all(
        tx,
        &entries.collect::<Vec<_>>(),
        by,
        &suspension.explanation,
    )
    .await?;
    Ok(kept.len())
}

async fn tell(
    tx: &Tx,
    stops: Vec<Stop>,
    decided: &Suspend,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let teaching = if decided.online {
        Teaching::Online
    } else {
        Teaching::Suspended
    };
    let calls = stops.into_iter().map(|stop| CallRow {
        teaching: teaching as i16,
        reason: format!("停课：{}", decided.explanation),
        ..CallRow::new(
            &stop.organization,
            stop.target,
            &stop.grades,
            now.timestamp_millis(),
        )
    });
    Ok(Store::add_resumption_calls(tx, calls.collect()).await?)
}
