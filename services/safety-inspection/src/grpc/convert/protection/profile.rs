//! What declarations amount to, for the wire.

use kit::field::{Fields, to_date};
use kit::status::Problem;
use proto::safety as pb;

use super::super::{big, instant, small};
use super::declaration;
use crate::app::protection::{Figures, Judged};
use crate::domain::protection::figures::Figure;
use crate::domain::protection::finding::{Finding, PartKind};
use crate::domain::protection::judgement::{Part, Verdict};
use crate::error::Error;
use crate::store::protection::{MoveRow, VersionRow, declaration as stored};

const REASON: usize = 500;

/// Why a version is returned.
pub(in crate::grpc) fn reason(text: &str) -> Result<String, Problem> {
    let mut fields = Fields::new();
    fields.required("reason", text);
    fields.text("reason", text, REASON);
    fields.finish()?;
    Ok(text.to_owned())
}

fn finding(found: &Finding) -> pb::ProtectionFinding {
    pb::ProtectionFinding {
        code: found.code as i32,
        subject: found.subject.clone(),
        required_count: small(found.required),
        actual_count: small(found.actual),
        rule: found.rule.to_owned(),
        text: found.text(),
    }
}

fn part(part: &Part) -> pb::ProtectionPart {
    use pb::protection_part::State;
    let state = match part.verdict {
        Verdict::NotDeclared => State::NotDeclared,
        Verdict::Met => State::Met,
        Verdict::NotMet => State::NotMet,
    };
    pb::ProtectionPart {
        kind: part.kind as i32,
        state: state.into(),
        findings: part.findings.iter().map(finding).collect(),
        due_date: part.due.map(to_date),
    }
}

fn moves(rows: Vec<MoveRow>) -> Vec<pb::ProtectionMove> {
    let rows = rows.into_iter().map(|row| pb::ProtectionMove {
        former_state: row.former_state.into(),
        state: row.state.into(),
        actor: row.actor,
        move_time: instant(row.moved_at),
        reason: row.reason,
    });
    rows.collect()
}

/// A profile for the wire.
pub(in crate::grpc) fn profile(judged: Judged) -> pb::ProtectionProfile {
    let (declared, judgement) = (judged.declared, judged.judgement);
    let requirement = judgement.requirement;
    let due = judgement.due();
    pb::ProtectionProfile {
        name: format!("organizations/{}/protectionProfile", declared.organization),
        version: declared.version,
        state: declared.state as i32,
        declaration: (declared.version > 0).then(|| declaration::write(&declared.declaration)),
        parts: judgement.parts.iter().map(part).collect(),
        guard_requirement: Some(pb::GuardRequirement {
            formula: requirement.formula as i32,
            people_count: small(requirement.people),
            boarder_count: small(judged.people.boarders),
            required_count: small(requirement.required),
            roll_count: small(judged.people.guards),
            qualified_count: small(judgement.qualified),
        }),
        due_date: due.map(to_date),
        overdue: due.is_some_and(|due| due < judged.today),
        policy_version: judged.policy_version,
        moves: moves(judged.moves),
    }
}

/// A version for the wire.
pub(in crate::grpc) fn version(
    (row, history): (VersionRow, Vec<MoveRow>),
) -> Result<pb::ProtectionVersion, Error> {
    Ok(pb::ProtectionVersion {
        version: row.version,
        state: row.state.into(),
        declaration: Some(declaration::write(&stored(&row.declaration)?)),
        moves: moves(history),
    })
}

fn three(figures: [Figure; 3]) -> Vec<pb::ProtectionFigure> {
    let demands = PartKind::ALL.iter().zip(figures);
    let demands = demands.map(|(kind, figure)| pb::ProtectionFigure {
        kind: *kind as i32,
        campus_count: big(figure.campuses),
        met_count: big(figure.met),
        not_met_count: big(figure.not_met),
        lapsed_count: big(figure.lapsed),
        not_declared_count: big(figure.not_declared()),
        confirmed_count: big(figure.confirmed),
        met_basis_points: small(figure.basis_points()),
    });
    demands.collect()
}

/// Figures for the wire.
pub(in crate::grpc) fn figures(name: String, figures: Figures) -> pb::ProtectionFigures {
    let parts = figures.parts.into_iter();
    let parts = parts.map(|(id, figures)| pb::protection_figures::Part {
        organization: format!("organizations/{id}"),
        figures: three(figures),
    });
    pb::ProtectionFigures {
        name,
        date: Some(to_date(figures.today)),
        figures: three(figures.total),
        parts: parts.collect(),
    }
}
