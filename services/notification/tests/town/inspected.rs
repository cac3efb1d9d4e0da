//! One fact of each kind that inspections and spot checks raise.

use chrono::Duration;
use notification::domain::fact::{Kind, Severity};
use proto::safety as pb;
use proto::safety::safety_event::State;

use super::safe::{Danger, at, of_school};
use super::{BUREAU, SCHOOL, morning};

/// Of five inspections that the school owes, so many were made and so many missed.
pub(crate) fn inspections(inspected: i32, missed: i32) -> pb::InspectionStanding {
    pb::InspectionStanding {
        name: format!("{SCHOOL}/inspectionStanding"),
        due_count: 5,
        inspected_count: inspected,
        missed_count: missed,
        ..Default::default()
    }
}

/// A spot check at the school.
pub(crate) fn spot_check(result: pb::spot_check::Result) -> pb::SpotCheck {
    pb::SpotCheck {
        name: of_school("spotChecks"),
        shift: of_school("dutyShifts"),
        result: result.into(),
        check_time: at(morning()),
    }
}

/// One of each kind, in the order of their numbers.
pub(crate) fn of_inspections() -> Vec<Danger> {
    use pb::spot_check::Result as Found;
    vec![
        Danger {
            kind: Kind::InspectionsMissed,
            stands: (
                format!("{SCHOOL}/inspectionStanding"),
                State::InspectionStanding(inspections(3, 2)),
            ),
            over: Some(State::InspectionStanding(inspections(5, 0))),
            severity: Severity::Notice,
            due: Duration::hours(24),
            people: 0,
            title: "近一周应开展检查 5 次，逾期未检 2 次，未检不等于合格，请立即补检",
            upper: "",
            rule: "5.5",
        },
        Danger {
            kind: Kind::SpotCheckUnanswered,
            stands: (
                of_school("spotChecks"),
                State::SpotCheck(spot_check(Found::NoAnswer)),
            ),
            over: None,
            severity: Severity::Critical,
            due: Duration::minutes(30),
            people: 0,
            title: "上级抽查值班无人应答，请立即核实值班人员是否在岗，并说明原因",
            upper: BUREAU,
            rule: "5.31",
        },
    ]
}
