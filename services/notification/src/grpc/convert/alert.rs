//! Alerts on the wire.

use kit::field::to_timestamp;
use kit::status::Problem;
use proto::notification as pb;

use super::unknown_value;
use crate::domain::alert::{self, Alert, Step};
use crate::domain::fact::Kind;

pub(in crate::grpc) fn alert_state(number: i32) -> Result<Option<alert::State>, Problem> {
    if number == 0 {
        return Ok(None);
    }
    let state = alert::State::ALL
        .into_iter()
        .find(|state| *state as i32 == number);
    state.map(Some).ok_or_else(|| unknown_value("state"))
}

pub(in crate::grpc) fn alert_kind(number: i32) -> Result<Option<Kind>, Problem> {
    if number == 0 {
        return Ok(None);
    }
    let kind = Kind::ALL.iter().find(|kind| **kind as i32 == number);
    kind.map(|kind| Some(*kind))
        .ok_or_else(|| unknown_value("kind"))
}

/// An alert as callers see it.
pub(in crate::grpc) fn alert(alert: Alert) -> pb::Alert {
    let (title, title_en) = alert.title();
    let severity = alert.severity();
    let upper = alert.upper().map(|upper| format!("organizations/{upper}"));
    let Alert {
        organization,
        id,
        kind,
        grave: _,
        org_path: _,
        state,
        escalated,
        basis,
        episode: _,
        stands,
        subjects,
        figures,
        owner,
        occurred,
        raised,
        due,
        acknowledged,
        taken,
        resolved,
        sequence: _,
        revision: _,
    } = alert;
    pb::Alert {
        name: format!("organizations/{organization}/alerts/{}", id.hyphenated()),
        kind: kind as i32,
        severity: severity as i32,
        state: state as i32,
        escalated,
        title,
        basis,
        subjects,
        people_count: figures.people,
        owner,
        rule: kind.row().rule.to_owned(),
        occur_time: Some(to_timestamp(occurred)),
        create_time: Some(to_timestamp(raised)),
        due_time: Some(to_timestamp(due)),
        acknowledged: acknowledged.map(step),
        taken: taken.map(step),
        resolved: resolved.map(step),
        fact_stands: stands,
        title_en,
        upper_organization: upper.unwrap_or_default(),
    }
}

fn step(step: Step) -> pb::AlertStep {
    let Step {
        subject,
        time,
        comment,
    } = step;
    pb::AlertStep {
        subject,
        time: Some(to_timestamp(time)),
        comment,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fact::Severity;

    #[test]
    fn kinds_and_severities_have_the_numbers_and_names_of_the_contract() {
        let name = |text: String| text.replace('_', "").to_lowercase();
        let mut told = 1;
        for kind in Kind::ALL {
            let pb = pb::alert::Kind::try_from(*kind as i32).unwrap();
            assert_eq!(
                name(pb.as_str_name().to_owned()),
                name(format!("KIND{kind:?}"))
            );
            told += 1;
        }
        let unknown = pb::alert::Kind::try_from(told);
        assert!(unknown.is_err(), "{unknown:?} has no row");
        for severity in [Severity::Notice, Severity::Warning, Severity::Critical] {
            let pb = pb::alert::Severity::try_from(severity as i32).unwrap();
            assert_eq!(
                name(pb.as_str_name().to_owned()),
                name(format!("SEVERITY{severity:?}"))
            );
        }
    }

    #[test]
    fn states_have_the_numbers_and_names_of_the_contract() {
        for state in alert::State::ALL {
            let pb = pb::alert::State::try_from(state as i32).unwrap();
            assert_eq!(pb.as_str_name(), format!("STATE_{}", state.as_str()));
        }
    }
}
