//! Alerts on the wire.

use kit::field::to_timestamp;
use kit::status::Problem;
use proto::notification as pb;

use super::unknown_value;
use crate::app::alerts::Line;
use crate::domain::alert::{self, Alert, Step};
use crate::domain::change::Entry;
use crate::domain::fact::Kind;
use crate::domain::rulebook::shipped;
use crate::store::alerts::Group;

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
    let kind = Kind::from_code(number);
    kind.map(Some).ok_or_else(|| unknown_value("kind"))
}

/// An alert as callers see it.
pub(in crate::grpc) fn alert(alert: Alert) -> pb::Alert {
    let name = alert.name();
    let (title, title_en) = alert.title();
    let upper = alert.upper().map(|upper| format!("organizations/{upper}"));
    let Alert {
        organization: _,
        id: _,
        kind,
        named: _,
        grave: _,
        severity,
        above: _,
        org_path: _,
        state,
        level,
        told_level: _,
        basis,
        episode: _,
        stands,
        subjects,
        figures,
        owner,
        occurred,
        raised,
        due,
        next: _,
        acknowledged,
        taken,
        resolved,
        inhibited_by,
        silenced_by,
        rule_version,
        entries: _,
        sequence: _,
        revision: _,
    } = alert;
    pb::Alert {
        name,
        kind: kind as i32,
        severity: severity as i32,
        state: state as i32,
        escalated: level > 0,
        title,
        basis,
        subjects,
        people_count: figures.people,
        owner,
        rule: shipped(kind).rule.basis.clone(),
        occur_time: Some(to_timestamp(occurred)),
        create_time: Some(to_timestamp(raised)),
        due_time: Some(to_timestamp(due)),
        acknowledged: acknowledged.map(step),
        taken: taken.map(step),
        resolved: resolved.map(step),
        fact_stands: stands,
        title_en,
        upper_organization: upper.unwrap_or_default(),
        escalation_level: level,
        inhibited_by,
        silenced_by,
        rule_version: version(rule_version),
    }
}

/// A line of the history of an alert as callers see it.
pub(in crate::grpc) fn entry(alert: &Alert, (number, entry): Line) -> pb::AlertEntry {
    let Entry {
        event,
        time,
        subject,
        comment,
        owner,
    } = entry;
    pb::AlertEntry {
        name: format!("{}/entries/{number}", alert.name()),
        event: event as i32,
        time: Some(to_timestamp(time)),
        subject,
        comment,
        owner,
    }
}

/// A group of alerts as callers see it.
pub(in crate::grpc) fn group(group: Group) -> pb::AlertGroup {
    let Group {
        organization,
        kind,
        severity,
        alerts,
        open,
        escalated,
        oldest,
        due,
    } = group;
    let count = |count| i32::try_from(count).unwrap_or(i32::MAX);
    pb::AlertGroup {
        organization: format!("organizations/{organization}"),
        kind: kind as i32,
        severity: severity as i32,
        alert_count: count(alerts),
        open_count: count(open),
        escalated_count: count(escalated),
        oldest_time: Some(to_timestamp(oldest)),
        due_time: due.map(to_timestamp),
    }
}

/// The version of a rule as callers see it.
pub(super) fn version(version: i64) -> String {
    match version {
        0 => "shipped".to_owned(),
        version => version.to_string(),
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
    use crate::domain::change::Event;
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
        for severity in Severity::ALL {
            let pb = pb::alert::Severity::try_from(severity as i32).unwrap();
            assert_eq!(
                name(pb.as_str_name().to_owned()),
                name(format!("SEVERITY{severity:?}"))
            );
        }
    }

    #[test]
    fn events_have_the_numbers_and_names_of_the_contract() {
        for event in Event::ALL {
            let pb = pb::alert_entry::Event::try_from(event as i32).unwrap();
            let name = pb.as_str_name().replace('_', "").to_lowercase();
            assert_eq!(name, format!("event{event:?}").to_lowercase());
        }
        let more = i32::try_from(Event::ALL.len()).unwrap() + 1;
        assert!(pb::alert_entry::Event::try_from(more).is_err());
    }

    #[test]
    fn states_have_the_numbers_and_names_of_the_contract() {
        for state in alert::State::ALL {
            let pb = pb::alert::State::try_from(state as i32).unwrap();
            assert_eq!(pb.as_str_name(), format!("STATE_{}", state.as_str()));
        }
    }
}
