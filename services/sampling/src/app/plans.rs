//! Keeps plans and evaluates them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kit::auth::{Caller, Permission};
use kit::org::OrgPath;
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::sampling::{EndPlanRequest, SamplingPlan};

use super::App;
use crate::domain::day::Day;
use crate::domain::evaluate::{Classes, Cost, Evaluation, Strategy, closed_form, cost};
use crate::domain::plan::{Plan, PlanId, PlanKind};
use crate::domain::quota::Ratio;
use crate::domain::roll::GroupKind;
use crate::domain::simulate::{Setup, simulate};
use crate::error::Error;
use crate::grpc::draw_convert;
use crate::store::plans::PlanRow;
use crate::store::{plans, rolls};

/// A plan to be created; what is none comes from the policy.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) id: PlanId,
    pub(crate) display_name: String,
    pub(crate) kind: PlanKind,
    pub(crate) organization: String,
    pub(crate) ratio: Option<Ratio>,
    pub(crate) cycle_days: Option<u8>,
    pub(crate) start: NaiveDate,
    pub(crate) end: Option<NaiveDate>,
}

/// What changes of a plan; none stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) display_name: Option<String>,
    pub(crate) ratio: Option<Ratio>,
    pub(crate) cycle_days: Option<u8>,
    pub(crate) end: Option<Option<NaiveDate>>,
    pub(crate) etag: String,
}

/// On whom to evaluate.
#[derive(Clone, Debug)]
pub(crate) enum Population {
    Class(u32),
    Organization(String),
}

/// What to evaluate.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) population: Population,
    pub(crate) ratio: Ratio,
    pub(crate) strategy: Strategy,
    pub(crate) absence_per_mille: u32,
    pub(crate) replace_absent: bool,
    pub(crate) tube_capacity: u32,
}

/// The answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) evaluation: Evaluation,
    pub(crate) cost: Cost,
    pub(crate) exact: bool,
    pub(crate) groups: u32,
    pub(crate) eligible: u64,
}

/// Games played of one class size when all sizes together are to take a second or so.
const GAMES: u32 = 400;

impl App {
    /// One plan.
    pub(crate) async fn get_plan(&self, caller: &Caller, id: &PlanId) -> Result<PlanRow, Error> {
        caller.allowed(Permission::PlanRead)?;
        let found = plans::get(self.db.read(), id).await?;
        found
            .filter(|row| concerns(row, caller))
            .ok_or_else(|| Error::NotFound(id.to_string()))
    }

    /// The plans that concern the caller, after `after`.
    pub(crate) async fn list_plans(
        &self,
        caller: &Caller,
        after: &str,
    ) -> Result<Vec<PlanRow>, Error> {
        caller.allowed(Permission::PlanRead)?;
        let all = plans::all(self.db.read()).await?;
        Ok(all
            .into_iter()
            .filter(|row| row.plan.id.as_str() > after && concerns(row, caller))
            .collect())
    }

    /// Creates a plan.
    pub(crate) async fn create_plan(
        &self,
        caller: &Caller,
        draft: Draft,
        request_id: &str,
        request: &impl Message,
    ) -> Result<SamplingPlan, Error> {
        let path = self
            .place(caller, Permission::PlanWrite, &draft.organization)
            .await?;
        let now = self.clock.now();
        let start = Day::from(draft.start);
        let facts = self.facts.get(self.db.read()).await?;
        let policy = facts
            .policy(path.as_str(), start)
            .ok_or_else(|| Error::NoPolicy(path.to_string()))?;
        let (ratio, cycle_days) = match draft.kind {
            PlanKind::StudentRotation => (policy.student_ratio, policy.cycle_days),
            PlanKind::StaffByPost => (policy.staff_ratio, policy.cycle_days),
            PlanKind::MassRound => (Ratio::ALL, 1),
        };
        let row = PlanRow {
            plan: Plan {
                id: draft.id.clone(),
                display_name: draft.display_name,
                kind: draft.kind,
                org_path: path.to_string(),
                ratio: draft.ratio.unwrap_or(ratio),
                cycle_days: draft.cycle_days.unwrap_or(cycle_days),
                start,
                end: draft.end.map(Day::from),
                ended: false,
                policy_version: policy.version.clone(),
            },
            create_time: now,
            update_time: now,
            version: 1,
        };
        let tx = self.db.begin().await?;
        let ticket = match once(&tx, caller, "CreatePlan", request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        if plans::get(&tx, &draft.id).await?.is_some() {
            return Err(Error::AlreadyExists(draft.id.to_string()));
        }
        plans::save(&tx, &row).await?;
        let answer = draw_convert::plan(&row);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Changes a plan.
    pub(crate) async fn update_plan(
        &self,
        caller: &Caller,
        id: &PlanId,
        change: Change,
        request_id: &str,
        request: &impl Message,
    ) -> Result<SamplingPlan, Error> {
        let etag = change.etag.clone();
        self.change_plan(
            caller,
            id,
            "UpdatePlan",
            (request_id, request),
            &etag,
            |plan| {
                let Change {
                    display_name,
                    ratio,
                    cycle_days,
                    end,
                    etag: _,
                } = change;
                plan.display_name = display_name.unwrap_or_else(|| plan.display_name.clone());
                plan.ratio = ratio.unwrap_or(plan.ratio);
                plan.cycle_days = cycle_days.unwrap_or(plan.cycle_days);
                if let Some(end) = end {
                    plan.end = end.map(Day::from);
                }
                if plan.end.is_some_and(|end| end < plan.start) {
                    let (chinese, english) = ("不能早于开始日期", "must not be before start_date");
                    return Err(Problem::invalid("plan.end_date", chinese, english).into());
                }
                Ok(())
            },
        )
        .await
    }

    /// Ends a plan.
    pub(crate) async fn end_plan(
        &self,
        caller: &Caller,
        id: &PlanId,
        request: &EndPlanRequest,
    ) -> Result<SamplingPlan, Error> {
        let once = (request.request_id.as_str(), request);
        self.change_plan(caller, id, "EndPlan", once, &request.etag, |plan| {
            if plan.ended {
                return Err(Error::PlanNotActive(plan.id.to_string()));
            }
            plan.ended = true;
            Ok(())
        })
        .await
    }

    async fn change_plan(
        &self,
        caller: &Caller,
        id: &PlanId,
        method: &'static str,
        (request_id, request): (&str, &impl Message),
        etag: &str,
        change: impl FnOnce(&mut Plan) -> Result<(), Error>,
    ) -> Result<SamplingPlan, Error> {
        caller.allowed(Permission::PlanWrite)?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let found = plans::lock(&tx, id).await?;
        let path = found.as_ref().map_or("", |row| &row.plan.org_path);
        Self::check_path(caller, Permission::PlanWrite, path)?;
        let mut row = found.ok_or_else(|| Error::NotFound(id.to_string()))?;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        if !etag.is_empty() && etag != draw_convert::etag(row.version) {
            return Err(Error::EtagMismatch(id.to_string()));
        }
        change(&mut row.plan)?;
        row.update_time = now;
        row.version += 1;
        plans::save(&tx, &row).await?;
        let answer = draw_convert::plan(&row);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// What a way of sampling costs and buys.
    pub(crate) async fn evaluate(
        &self,
        caller: &Caller,
        question: Question,
    ) -> Result<Answer, Error> {
        let classes = match &question.population {
            Population::Class(size) => {
                caller.allowed(Permission::PlanRead)?;
                vec![Classes {
                    school: 0,
                    size: *size,
                    count: 1,
                }]
            }
            Population::Organization(id) => {
                let place = self.place(caller, Permission::PlanRead, id).await?;
                self.classes_below(&place).await?
            }
        };
        let answer = tokio::task::spawn_blocking(move || evaluate(&question, &classes));
        Ok(answer
            .await
            .map_err(|err| sea_orm::DbErr::Custom(err.to_string()))?)
    }

    async fn classes_below(&self, place: &OrgPath) -> Result<Vec<Classes>, Error> {
        let mut classes = Vec::new();
        let groups = rolls::groups_below(self.db.read(), place.as_str()).await?;
        let schools = groups.chunk_by(|one, other| one.school_path() == other.school_path());
        for (school, groups) in (0..).zip(schools) {
            let mut sizes: BTreeMap<u32, u32> = BTreeMap::new();
            for group in groups
                .iter()
                .filter(|group| group.kind == GroupKind::Students)
            {
                let roll = group.roll()?;
                let eligible = roll
                    .members()
                    .iter()
                    .filter(|member| member.is_eligible())
                    .count();
                *sizes
                    .entry(u32::try_from(eligible).unwrap_or(u32::MAX))
                    .or_default() += 1;
            }
            let sizes = sizes.into_iter().filter(|(size, _)| *size > 0);
            classes.extend(sizes.map(|(size, count)| Classes {
                school,
                size,
                count,
            }));
        }
        Ok(classes)
    }
}

/// A plan concerns those above and below its organisation who may read it.
fn concerns(row: &PlanRow, caller: &Caller) -> bool {
    let path: OrgPath = row.plan.org_path.parse().unwrap_or_default();
    caller.may(Permission::PlanRead, caller.reached(&path))
}

/// Every person counts alike: class groups weigh by their size.
fn evaluate(question: &Question, classes: &[Classes]) -> Answer {
    let Question {
        population: _,
        ratio,
        strategy,
        absence_per_mille,
        replace_absent,
        tube_capacity,
    } = question;
    let mut sizes: BTreeMap<u32, u32> = BTreeMap::new();
    for Classes {
        school: _,
        size,
        count,
    } in classes
    {
        *sizes.entry(*size).or_default() += count;
    }
    let bounded = *strategy == Strategy::LeastRecent;
    let exact = *absence_per_mille == 0 && bounded;
    let games = (GAMES / u32::try_from(sizes.len().max(1)).unwrap_or(GAMES)).max(4);
    let mut answer = Answer {
        cost: cost(classes, *ratio, *tube_capacity),
        exact,
        ..Answer::default()
    };
    for (size, count) in sizes {
        let play = || {
            let setup = Setup {
                size,
                ratio: *ratio,
                strategy: *strategy,
                absence_per_mille: *absence_per_mille,
                replace_absent: *replace_absent,
            };
            simulate(&setup, games, u64::from(size))
        };
        let evaluation = match (*absence_per_mille, bounded) {
            (0, true) => closed_form(size, *ratio, *strategy),
            // Only the longest gap has no closed form.
            (0, false) => Evaluation {
                longest_gap: play().longest_gap,
                ..closed_form(size, *ratio, *strategy)
            },
            _ => play(),
        };
        let weight = f64::from(size) * f64::from(count);
        for (sum, delay) in answer.evaluation.delays.iter_mut().zip(evaluation.delays) {
            *sum += weight * delay;
        }
        answer.evaluation.uncovered += weight * evaluation.uncovered;
        let longest = &mut answer.evaluation.longest_gap;
        *longest = longest.max(evaluation.longest_gap);
        answer.groups += count;
        answer.eligible += u64::from(size) * u64::from(count);
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of people are far below 2^52"
    )]
    let people = answer.eligible.max(1) as f64;
    answer.evaluation.delays = answer.evaluation.delays.map(|sum| sum / people);
    answer.evaluation.uncovered /= people;
    answer
}
