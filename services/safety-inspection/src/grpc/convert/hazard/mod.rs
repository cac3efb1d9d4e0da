//! Hazards on the wire: what is answered.

mod accountability;
mod ledger;
mod request;

pub(in crate::grpc) use accountability::{gap, record, record_name, wanted};
pub(in crate::grpc) use ledger::{heading, line};
pub(in crate::grpc) use request::{
    assign, control, date_filter, decide_extension, hand_over, hazard_name, listed, progress,
    report, request_extension, said, submit, verify, words, year,
};

use kit::field::{to_date, to_timestamp};
use kit::status::Problem;
use proto::error::ErrorReason as Reason;
use proto::safety as pb;

use super::{inspection, photo};
use crate::app::hazards::View;
use crate::domain::hazard::course::{Control, Course, Extension, Fixes, Submission, Supervision};
use crate::domain::hazard::entry::{Hazard, name};
use crate::domain::hazard::major::{Fact, Rule, RuleBook, Value};
use crate::domain::hazard::moves::Refused;
use crate::domain::organization::Level;
use crate::store::hazards::{Change, Export, ProgressReport};

/// Why something was not done to a hazard.
pub(in crate::grpc) fn refused(refused: Refused) -> Problem {
    let problem = Problem::new;
    match refused {
        Refused::State(state) => problem(Reason::HazardState).meta("state", state.word()),
        Refused::ControlMissing(state) => {
            problem(Reason::HazardControlMissing).meta("state", state.word())
        }
        Refused::SamePerson(part) => problem(Reason::HazardSamePerson).meta("part", part),
        Refused::LevelTooLow(level) => {
            let word = match level {
                Level::School => "SCHOOL",
                Level::District => "DISTRICT",
                Level::City => "CITY",
            };
            problem(Reason::HazardLevelTooLow).meta("level", word)
        }
        Refused::AfterPhotoMissing => problem(Reason::HazardAfterPhotoMissing),
        Refused::Deadline(latest) => problem(Reason::HazardDeadline).meta("latest_date", latest),
        Refused::ExtensionLimit(max) => problem(Reason::HazardExtensionLimit).meta("max", max),
        Refused::ExtensionState(state) => {
            problem(Reason::HazardExtensionState).meta("state", state)
        }
        Refused::NotMajor => problem(Reason::HazardNotMajor),
        Refused::SupervisionState(list) => {
            problem(Reason::HazardSupervisionState).meta("list", list)
        }
        Refused::Unowned => problem(Reason::HazardUnowned),
    }
}

/// A hazard as callers see it.
pub(in crate::grpc) fn hazard(view: View) -> pb::Hazard {
    let View {
        hazard,
        photos,
        after,
        today,
    } = view;
    let (overdue, late) = (hazard.is_overdue(today), hazard.is_progress_overdue(today));
    let review_overdue = hazard.is_review_overdue(today);
    let Hazard {
        id,
        home,
        number,
        place,
        category,
        source,
        origin,
        description,
        major_rules,
        finder,
        found,
        state,
        grade,
        recurrence_of,
        due,
        escalation,
        closed,
        course,
    } = hazard;
    let Course {
        facts,
        proposed,
        clause,
        control,
        fixes,
        percent: _,
        progress_reports: _,
        progress_due,
        submission,
        review_due,
        former: _,
        reviewer,
        extension,
        extensions,
        overdue_told: _,
        escalated: _,
        supervision,
        changes: _,
    } = course;
    let after = after.into_iter().map(photo::shown).collect();
    pb::Hazard {
        name: name(&home.organization, id),
        ledger_number: number.to_string(),
        state: state as i32,
        grade: grade.map_or(0, |grade| grade as i32),
        place,
        category: category as i32,
        description,
        photos: photos.into_iter().map(photo::shown).collect(),
        source: source as i32,
        origin,
        facts: facts.into_iter().map(fact).collect(),
        major_rules,
        finder,
        find_time: Some(to_timestamp(found)),
        recurrence_of,
        control: control.map(controlled),
        fixes: fixes.map(|fixes| fixed(fixes, due)),
        due_date: Some(to_date(due)),
        overdue,
        escalation: escalation.map_or(0, |bureau| bureau as i32),
        progress_due_date: progress_due.map(|due| to_date(due.day)),
        progress_overdue: late,
        submission: submission.map(|submission| submitted(submission, after)),
        reviewer,
        close_time: closed.map(to_timestamp),
        extension: extension.map(extended),
        extension_count: extensions,
        supervision: supervision.map(supervised),
        proposed_grade: proposed.map_or(0, |grade| grade as i32),
        clause: clause.as_ref().map(inspection::clause),
        review_due_date: review_due.map(|due| to_date(due.day)),
        review_overdue,
    }
}

fn fact(fact: Fact) -> pb::HazardFact {
    use pb::hazard_fact::Value as Pb;
    let value = match fact.value {
        Value::Flag(flag) => Pb::Flag(flag),
        Value::Number(number) => Pb::Number(number),
    };
    pb::HazardFact {
        key: fact.key,
        value: Some(value),
    }
}

fn controlled(control: Control) -> pb::HazardControl {
    let Control {
        measures,
        description,
        controller,
        start,
        end,
    } = control;
    pb::HazardControl {
        measures: measures.into_iter().map(|one| one as i32).collect(),
        description,
        controller,
        start_time: Some(to_timestamp(start)),
        end_time: end.map(to_timestamp),
    }
}

fn fixed(fixes: Fixes, due: chrono::NaiveDate) -> pb::HazardFixes {
    let Fixes {
        owner,
        measures,
        budget_fen,
        contingency_plan,
        assigned: _,
    } = fixes;
    pb::HazardFixes {
        owner,
        measures,
        budget_fen: Some(budget_fen),
        due_date: Some(to_date(due)),
        contingency_plan,
    }
}

fn submitted(submission: Submission, photos: Vec<pb::Photo>) -> pb::HazardSubmission {
    let Submission {
        statement,
        submitter,
        submitted,
        day: _,
        round,
        after_photos: _,
    } = submission;
    pb::HazardSubmission {
        statement,
        photos,
        submitter,
        submit_time: Some(to_timestamp(submitted)),
        round,
    }
}

fn extended(extension: Extension) -> pb::HazardExtension {
    let Extension {
        decision,
        due,
        reason,
        requester,
        decider,
    } = extension;
    pb::HazardExtension {
        state: decision as i32,
        due_date: Some(to_date(due)),
        reason,
        requester,
        decider,
    }
}

fn supervised(supervision: Supervision) -> pb::HazardSupervision {
    let Supervision {
        bureau,
        demand,
        supervisor,
        start,
        watched,
        lifted,
    } = supervision;
    let (last_finding, watched) = watched.unzip();
    pb::HazardSupervision {
        level: bureau as i32,
        demand,
        supervisor,
        start_time: Some(to_timestamp(start)),
        last_finding: last_finding.unwrap_or_default(),
        last_watch_time: watched.map(to_timestamp),
        lift_time: lifted.map(to_timestamp),
    }
}

/// An act on the hazard with this name.
pub(in crate::grpc) fn change(hazard: &str, change: Change) -> pb::HazardChange {
    let Change {
        sequence,
        act,
        from,
        to,
        actor,
        at,
        note,
    } = change;
    pb::HazardChange {
        name: format!("{hazard}/changes/{sequence}"),
        act,
        from_state: from.map_or(0, |state| state as i32),
        to_state: to as i32,
        actor,
        change_time: Some(to_timestamp(at)),
        note,
    }
}

/// A report of progress on the hazard with this name.
pub(in crate::grpc) fn progress_report(
    hazard: &str,
    report: ProgressReport,
) -> pb::HazardProgressReport {
    let ProgressReport {
        sequence,
        description,
        percent,
        reporter,
        at,
        late,
    } = report;
    pb::HazardProgressReport {
        name: format!("{hazard}/progressReports/{sequence}"),
        description,
        percent,
        reporter,
        report_time: Some(to_timestamp(at)),
        late,
    }
}

/// A rule by which hazards are major, with the facts of its book.
pub(in crate::grpc) fn major_rule(rule: &Rule, book: &RuleBook) -> pb::MajorRule {
    let known = rule.keys().into_iter().filter_map(|key| book.fact(key));
    let facts = known.map(|known| pb::major_rule::Fact {
        key: known.key.clone(),
        text: known.text.clone(),
        numeric: known.numeric,
    });
    pb::MajorRule {
        name: format!("majorRules/{}", rule.code),
        category: rule.category as i32,
        text: rule.text.clone(),
        source: rule.source.clone(),
        effective_date: Some(to_date(rule.effective)),
        end_date: rule.end.map(to_date),
        facts: facts.collect(),
        topics: rule.topics.clone(),
    }
}

/// An export of a ledger.
pub(in crate::grpc) fn export(export: Export) -> pb::HazardLedgerExport {
    let Export {
        id,
        organization,
        year,
        exporter,
        at,
    } = export;
    let id = id.hyphenated();
    pb::HazardLedgerExport {
        name: format!("organizations/{organization}/hazardLedgerExports/{id}"),
        year,
        exporter,
        export_time: Some(to_timestamp(at)),
    }
}
