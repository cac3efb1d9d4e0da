//! What declarations amount to, for the wire.

use kit::field::{Fields, to_date};
use kit::status::Problem;
use proto::safety as pb;

use super::super::{history, number, plain, quantity};
use super::declaration;
use crate::app::protection::{Figures, Judged};
use crate::domain::history::Moved;
use crate::domain::protection::figures::Figure;
use crate::domain::protection::finding::{Finding, PartKind};
use crate::domain::protection::judgement::{Part, Verdict};
use crate::store::protection::Version;

const REASON: usize = 500;

/// Why a version is returned.
pub(in crate::grpc) fn reason(text: &str) -> Result<String, Problem> {
    let mut fields = Fields::new();
    fields.required("reason", text);
    plain(&mut fields, "reason", text, REASON);
    fields.finish()?;
    Ok(text.to_owned())
}

fn finding(found: &Finding) -> pb::ProtectionFinding {
    pb::ProtectionFinding {
        code: found.code as i32,
        subject: found.subject.clone(),
        required_count: number(found.required),
        actual_count: number(found.actual),
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
            people_count: number(requirement.people),
            boarder_count: number(judged.people.boarders),
            required_count: number(requirement.required),
            roll_count: number(judged.people.guards),
            qualified_count: number(judgement.qualified),
        }),
        due_date: due.map(to_date),
        overdue: due.is_some_and(|due| due < judged.today),
        policy_version: judged.policy_version,
        history: history::history(judged.history),
    }
}

/// A version for the wire.
pub(in crate::grpc) fn version((version, history): (Version, Vec<Moved>)) -> pb::ProtectionVersion {
    pb::ProtectionVersion {
        version: version.version,
        state: version.state as i32,
        declaration: Some(declaration::write(&version.declaration)),
        history: history::history(history),
    }
}

fn three(figures: [Figure; 3]) -> Vec<pb::ProtectionFigure> {
    let demands = PartKind::ALL.iter().zip(figures);
    let demands = demands.map(|(kind, figure)| pb::ProtectionFigure {
        kind: *kind as i32,
        campus_count: quantity(figure.campuses),
        met_count: quantity(figure.met),
        not_met_count: quantity(figure.not_met),
        lapsed_count: quantity(figure.lapsed),
        not_declared_count: quantity(figure.not_declared()),
        confirmed_count: quantity(figure.confirmed),
        met_basis_points: figure.basis_points().map(number),
        confirmed_basis_points: figure.confirmed_basis_points().map(number),
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
