//! Resumption, field by field, both ways.

mod late;
mod requests;

use kit::field::{to_date, to_timestamp};
use proto::safety as pb;
use proto::safety::resumption_figures::Figure as PbFigure;
use proto::safety::resumption_figures::figure::{Blocked, Open};

use super::{count, history, number, photo};
pub(in crate::grpc) use super::{organization, singleton};
use crate::app::resumption::{
    AnswerView, BatchView, Figures, Ready, Scheduled, Standing, Suspended, View,
};
use crate::domain::checklist::item::Value;
use crate::domain::history::Moved;
use crate::domain::resumption::away::{Away, Suspension};
use crate::domain::resumption::checklist::Lack;
use crate::domain::resumption::figures::Figure;
use crate::domain::resumption::guards::{Guard, Kind};
use crate::domain::resumption::inspection::{Seat, Signature};
use crate::domain::resumption::own_plan::OwnPlan;
use crate::domain::resumption::state::Progress;
use crate::store::resumption::Kept;

pub(in crate::grpc) use late::{late_count, late_return};
pub(in crate::grpc) use requests::{
    answers, day, filter, inspectors, numbered, opinion, optional_day, optional_position, plan,
    reported, ruling, suspend,
};

/// How many entries of a history are told, the last ones.
const HISTORY: usize = 100;

/// A batch as callers see it.
pub(in crate::grpc) fn batch(view: BatchView) -> pb::ResumptionBatch {
    let BatchView {
        row,
        planned,
        counts,
    } = view;
    let counts = counts
        .into_iter()
        .map(|(state, resumptions)| pb::resumption_batch::Count {
            state: state as i32,
            resumption_count: number(resumptions),
        });
    pb::ResumptionBatch {
        name: row.name(),
        grades: row.grades(),
        kindergarten: row.kindergarten,
        planned_date: Some(to_date(planned)),
        policy_version: row.policy_version,
        counts: counts.collect(),
        plan_time: chrono::DateTime::from_timestamp_millis(row.planned_at).map(to_timestamp),
    }
}

/// A resumption as callers see it, with its history.
pub(in crate::grpc) fn resumption(view: View) -> pb::Resumption {
    let View { kept, mut history } = view;
    let surplus = history.len().saturating_sub(HISTORY);
    history.drain(..surplus);
    told(kept, history)
}

/// A resumption in a list.
pub(in crate::grpc) fn listed(kept: Kept) -> pb::Resumption {
    told(kept, Vec::new())
}

fn told(kept: Kept, moves: Vec<Moved>) -> pb::Resumption {
    let name = kept.name();
    let Kept {
        organization: _,
        position,
        org_path,
        batch,
        progress,
        changes: _,
        updated,
        acts_at: _,
        check_at: _,
        summary: _,
        guards,
        checked: _,
    } = kept;
    let Progress {
        grades,
        state,
        away,
        checklists,
        started: _,
        signer,
        inspection,
        demands,
        day,
        resumed,
        monitor_until,
        suspension,
        own,
        plan,
    } = progress;
    let lists = checklists
        .iter()
        .map(|id| format!("checklistTemplates/{id}"));
    let seats = inspection
        .into_iter()
        .flat_map(|inspection| inspection.seats);
    pb::Resumption {
        name,
        batch: if own {
            String::new()
        } else {
            format!("organizations/{batch}/resumptionBatches/{position}")
        },
        own_plan: plan.map(own_plan),
        grades,
        state: state as i32,
        org_path,
        checklist_templates: lists.collect(),
        signer,
        signatures: seats.map(signature).collect(),
        demanded_items: demands.into_iter().collect(),
        scheduled_date: day.map(to_date),
        resume_time: resumed.map(to_timestamp),
        monitor_until_date: monitor_until.map(to_date),
        suspension: suspension.map(|suspension| suspended(suspension, away)),
        blocks: guards.iter().map(|kind| *kind as i32).collect(),
        history: history::history(moves),
        update_time: Some(to_timestamp(updated)),
    }
}

fn own_plan(plan: OwnPlan) -> pb::OwnPlan {
    let OwnPlan {
        text,
        day,
        reporter,
        reported,
        ruling,
    } = plan;
    let told = pb::OwnPlan {
        plan: text,
        proposed_date: Some(to_date(day)),
        reporter,
        report_time: Some(to_timestamp(reported)),
        ..pb::OwnPlan::default()
    };
    match ruling {
        None => told,
        Some(ruling) => pb::OwnPlan {
            decision: ruling.decision as i32,
            opinion: ruling.opinion,
            actor: ruling.actor,
            decide_time: Some(to_timestamp(ruling.time)),
            ..told
        },
    }
}

fn signature(seat: Seat) -> pb::resumption::Signature {
    let Seat {
        department,
        inspector,
        signature,
    } = seat;
    let named = pb::resumption::Signature {
        department: department as i32,
        inspector,
        ..Default::default()
    };
    match signature {
        None => named,
        Some(Signature {
            inspector: _,
            decision,
            opinion,
            items,
            time,
        }) => pb::resumption::Signature {
            decision: decision as i32,
            opinion,
            items,
            sign_time: Some(to_timestamp(time)),
            ..named
        },
    }
}

fn suspended(suspension: Suspension, away: Away) -> pb::ResumptionSuspension {
    let Suspension {
        scope,
        reason,
        explanation,
        until,
        actor,
        at,
    } = suspension;
    let (grades, class_groups) = match away {
        Away::Nobody | Away::Everybody => (Vec::new(), Vec::new()),
        Away::Some {
            grades,
            class_groups,
        } => (
            grades.into_iter().collect(),
            class_groups.into_keys().collect(),
        ),
    };
    pb::ResumptionSuspension {
        scope: scope as i32,
        reason: reason as i32,
        explanation,
        until_date: until.map(to_date),
        actor,
        suspend_time: Some(to_timestamp(at)),
        grades,
        class_groups,
        ending: false,
        passed: false,
    }
}

fn item_block(lack: &Lack) -> pb::ResumptionBlock {
    let (kind, what) = if lack.missing {
        (Kind::ItemMissing, "未填报")
    } else {
        (Kind::ItemUnmet, "不符合要求")
    };
    pb::ResumptionBlock {
        kind: kind as i32,
        item: lack.item.clone(),
        explanation: format!("{what}：{}", lack.text),
        rule: "4.3".to_owned(),
    }
}

fn guard_block(guard: &Guard) -> pb::ResumptionBlock {
    pb::ResumptionBlock {
        kind: guard.kind() as i32,
        item: String::new(),
        explanation: guard.explanation(),
        rule: guard.rule().to_owned(),
    }
}

/// How ready a school is.
pub(in crate::grpc) fn readiness(ready: Ready) -> pb::Readiness {
    let Ready {
        kept,
        readiness,
        guards,
        order,
        policy_version,
    } = ready;
    let order = order.then(|| pb::ResumptionBlock {
        kind: Kind::Order as i32,
        item: String::new(),
        explanation: "本校应先返校的批次尚未复课".to_owned(),
        rule: "4.1".to_owned(),
    });
    let items = readiness.blocks().map(item_block);
    let blocks = items.chain(guards.iter().map(guard_block)).chain(order);
    let blocks = blocks.collect();
    let (score, silent) = (readiness.score().into(), readiness.is_silent());
    let categories = readiness.categories.into_iter();
    let categories = categories.map(|(category, standing)| pb::readiness::Category {
        category: category.into(),
        display_name: standing.heading,
        item_count: number(standing.items),
        met_count: number(standing.met),
        missing_items: standing.lacks.into_iter().map(|lack| lack.item).collect(),
    });
    pb::Readiness {
        name: format!("{}/readiness", kept.name()),
        score,
        silent,
        categories: categories.collect(),
        blocks,
        policy_version,
    }
}

/// What is kept of how ready a school is.
pub(in crate::grpc) fn standing(standing: Standing) -> pb::ResumptionStanding {
    let Standing { kept, display_name } = standing;
    let summary = &kept.summary;
    pb::ResumptionStanding {
        resumption: kept.name(),
        display_name,
        state: kept.progress.state as i32,
        score: summary.score.unwrap_or_default().into(),
        silent: summary.score.is_none(),
        item_count: number(summary.items),
        met_count: number(summary.met),
        open_item_count: number(summary.open),
        open_categories: summary.categories.iter().map(|one| (*one).into()).collect(),
        blocks: kept.guards.iter().map(|kind| *kind as i32).collect(),
        check_time: kept.checked.map(to_timestamp),
    }
}

/// What was scheduled, and who was left out.
pub(in crate::grpc) fn scheduled(scheduled: Scheduled) -> pb::ScheduleResumptionBatchResponse {
    pb::ScheduleResumptionBatchResponse {
        scheduled_count: count(scheduled.scheduled),
        left_out_count: count(scheduled.left_out),
        left_out: scheduled.told.into_iter().map(standing).collect(),
    }
}

/// What was suspended again.
pub(in crate::grpc) fn re_suspended(suspended: Suspended) -> pb::ReSuspendResponse {
    pb::ReSuspendResponse {
        resumption_count: count(suspended.resumptions),
        school_count: count(suspended.schools),
    }
}

fn figure(id: &str, figure: &Figure) -> PbFigure {
    let open = figure.open.iter().map(|(category, resumptions)| Open {
        category: (*category).into(),
        resumption_count: number(*resumptions),
    });
    let blocked = figure.blocked.iter().map(|(kind, resumptions)| Blocked {
        kind: *kind as i32,
        resumption_count: number(*resumptions),
    });
    PbFigure {
        organization: format!("organizations/{id}"),
        resumption_count: number(figure.resumptions),
        returned_count: number(figure.returned),
        ready_count: number(figure.ready),
        silent_count: number(figure.silent),
        score: figure.score().into(),
        open: open.collect(),
        blocked: blocked.collect(),
        oldest_check_time: figure.oldest.flatten().map(to_timestamp),
    }
}

/// How ready an organisation is.
pub(in crate::grpc) fn figures(id: &str, figures: &Figures) -> pb::ResumptionFigures {
    let parts = figures.parts.iter();
    pb::ResumptionFigures {
        name: format!("organizations/{id}/resumptionFigures"),
        total: Some(figure(id, &figures.total)),
        parts: parts.map(|(id, part)| figure(id, part)).collect(),
    }
}

/// An answer with its evidence.
pub(in crate::grpc) fn answer(view: AnswerView) -> pb::ResumptionAnswer {
    use pb::resumption_answer::Value as Pb;
    let AnswerView {
        row,
        value,
        answered,
        evidence,
    } = view;
    pb::ResumptionAnswer {
        item: row.item,
        value: Some(match value {
            Value::Good(good) => Pb::Good(good),
            Value::Number(number) => Pb::NumberThousandths(number),
            Value::Text(text) => Pb::Text(text),
            Value::NotApplicable => Pb::NotApplicable(true),
        }),
        note: row.note,
        photos: evidence.into_iter().map(photo::shown).collect(),
        actor: row.actor,
        answer_time: Some(to_timestamp(answered)),
    }
}
