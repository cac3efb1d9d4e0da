//! Alerts on the wire.

use kit::field::to_timestamp;
use kit::status::Problem;
use proto::notification as pb;

use super::unknown_value;
use crate::domain::alert::{self, Alert, Step};

pub(in crate::grpc) fn alert_state(number: i32) -> Result<Option<alert::State>, Problem> {
    if number == 0 {
        return Ok(None);
    }
    let state = alert::State::ALL
        .into_iter()
        .find(|state| *state as i32 == number);
    state.map(Some).ok_or_else(|| unknown_value("state"))
}

/// An alert as callers see it.
pub(in crate::grpc) fn alert(alert: Alert) -> pb::Alert {
    let title = alert.title();
    let Alert {
        organization,
        id,
        org_path: _,
        state,
        escalated,
        basis,
        episode: _,
        stands,
        subjects,
        people,
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
        kind: pb::alert::Kind::HoldPlaced.into(),
        severity: pb::alert::Severity::Critical.into(),
        state: state as i32,
        escalated,
        title,
        basis,
        subjects,
        people_count: people,
        owner,
        rule: "2.19".to_owned(),
        occur_time: Some(to_timestamp(occurred)),
        create_time: Some(to_timestamp(raised)),
        due_time: Some(to_timestamp(due)),
        acknowledged: acknowledged.map(step),
        taken: taken.map(step),
        resolved: resolved.map(step),
        fact_stands: stands,
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

    #[test]
    fn states_have_the_numbers_and_names_of_the_contract() {
        for state in alert::State::ALL {
            let pb = pb::alert::State::try_from(state as i32).unwrap();
            assert_eq!(pb.as_str_name(), format!("STATE_{}", state.as_str()));
        }
    }
}
