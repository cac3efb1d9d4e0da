//! One fact of each kind, as safety-inspection tells it.

use chrono::{DateTime, Duration, Utc};
use kit::field::{to_date, to_timestamp};
use notification::domain::fact::{Kind, Severity};
use proto::safety as pb;
use proto::safety::safety_event::State;

use super::{BUREAU, SCHOOL, SCHOOL_PATH, morning};

/// A fact and what its alert says.
pub(crate) struct Danger {
    pub(crate) kind: Kind,
    /// What is told while it is a fact, and once it is over.
    pub(crate) stands: (String, State),
    pub(crate) over: Option<State>,
    pub(crate) severity: Severity,
    /// From when it came to be until somebody must have seen it.
    pub(crate) due: Duration,
    pub(crate) people: i32,
    pub(crate) title: &'static str,
    pub(crate) upper: &'static str,
    pub(crate) rule: &'static str,
}

fn event(entity: &str, version: i64, state: Option<State>) -> pb::SafetyEvent {
    pb::SafetyEvent {
        entity: entity.to_owned(),
        version,
        org_path: SCHOOL_PATH.to_owned(),
        removed: state.is_none(),
        state,
    }
}

impl Danger {
    pub(crate) fn entity(&self) -> &str {
        &self.stands.0
    }

    /// It is a fact.
    pub(crate) fn stands(&self, version: i64) -> pb::SafetyEvent {
        event(&self.stands.0, version, Some(self.stands.1.clone()))
    }

    /// It is over.
    pub(crate) fn over(&self, version: i64) -> pb::SafetyEvent {
        event(&self.stands.0, version, self.over.clone())
    }

    /// The entity has left the feed.
    pub(crate) fn gone(&self, version: i64) -> pb::SafetyEvent {
        event(&self.stands.0, version, None)
    }
}

pub(crate) fn at(time: DateTime<Utc>) -> Option<prost_types::Timestamp> {
    Some(to_timestamp(time))
}

/// The resource of the first school in a collection.
pub(crate) fn of_school(collection: &str) -> String {
    format!("{SCHOOL}/{collection}/0186e0b4-0000-7000-8000-000000000001")
}

/// A hazard whose deadline was yesterday.
pub(crate) fn hazard(state: pb::hazard::State, grade: pb::hazard::Grade) -> pb::Hazard {
    let yesterday = kit::clock::civil_date(morning() - Duration::days(1));
    pb::Hazard {
        name: of_school("hazards"),
        state: state.into(),
        grade: grade.into(),
        find_time: at(morning()),
        due_date: Some(to_date(yesterday)),
        ..Default::default()
    }
}

fn shift(state: pb::duty_shift::State) -> pb::DutyShift {
    pb::DutyShift {
        name: of_school("dutyShifts"),
        state: state.into(),
        check_in_due_time: at(morning()),
        ..Default::default()
    }
}

fn visit(state: pb::visit::State, companions: i32) -> pb::Visit {
    pb::Visit {
        name: of_school("visits"),
        state: state.into(),
        entered_companion_count: companions,
        enter_time: at(morning()),
        overstay_time: at(morning()),
        ..Default::default()
    }
}

fn drills(state: pb::drill_obligation::State, pressing: bool) -> pb::DrillStanding {
    let done = pb::DrillObligation {
        kind: pb::drill_obligation::Kind::NightDorm.into(),
        state: pb::drill_obligation::State::Done.into(),
        ..Default::default()
    };
    pb::DrillStanding {
        name: format!("{SCHOOL}/drillStanding"),
        obligations: vec![
            pb::DrillObligation {
                kind: pb::drill_obligation::Kind::Evacuation.into(),
                state: state.into(),
                ..Default::default()
            },
            done,
        ],
        pressing,
    }
}

/// Where the school stands in the weather, with no task overdue.
pub(crate) fn weather(state: pb::weather_state::State) -> pb::WeatherStanding {
    pb::WeatherStanding {
        name: format!("{SCHOOL}/weatherState"),
        state: state.into(),
        level: pb::WeatherLevel::Iii.into(),
        state_time: at(morning()),
        ..Default::default()
    }
}

/// A hop up the chain that began in the morning and is due in two hours.
pub(crate) fn hop(late: bool, done: bool) -> pb::IncidentClock {
    use pb::incident_step::Receiver;
    pb::IncidentClock {
        duty: pb::incident_clock::Duty::Hop.into(),
        from_receiver: Receiver::School.into(),
        to_receiver: Receiver::District.into(),
        start_time: at(morning()),
        report_number: 0,
        due_time: at(morning() + Duration::hours(if late { 0 } else { 2 })),
        done_time: done.then(|| to_timestamp(morning())),
        over_level: false,
        late,
    }
}

/// An incident of level III with these clocks.
pub(crate) fn incident(clocks: Vec<pb::IncidentClock>) -> pb::Incident {
    pb::Incident {
        name: of_school("incidents"),
        level: proto::roster::incident_policy::Level::Iii.into(),
        state: pb::incident::State::FirstReported.into(),
        clocks,
        ..Default::default()
    }
}

/// One of each kind that a hazard, a shift or the gate raises.
fn of_campus() -> Vec<Danger> {
    use pb::hazard::{Grade, State as Stage};
    let minutes = Duration::minutes;
    let found = hazard(Stage::Verified, Grade::Major);
    let overdue = pb::Hazard {
        overdue: true,
        ..hazard(Stage::Assigned, Grade::General)
    };
    vec![
        Danger {
            kind: Kind::MajorHazardFound,
            stands: (of_school("hazards"), State::Hazard(found.clone())),
            over: Some(State::Hazard(pb::Hazard {
                state: Stage::InterimControl.into(),
                ..found
            })),
            severity: Severity::Critical,
            due: minutes(30),
            people: 0,
            title: "发现一项重大隐患，尚未采取临时管控措施，请立即停用或撤离，并报上级督办",
            upper: BUREAU,
            rule: "5.4",
        },
        Danger {
            kind: Kind::HazardOverdue,
            stands: (
                format!("{}2", of_school("hazards")),
                State::Hazard(overdue.clone()),
            ),
            over: Some(State::Hazard(pb::Hazard {
                overdue: false,
                ..overdue
            })),
            severity: Severity::Warning,
            due: Duration::hours(24),
            people: 0,
            title: "一项隐患逾期未整改，已上报上级，请立即整改并说明原因",
            upper: BUREAU,
            rule: "5.9",
        },
        Danger {
            kind: Kind::DutyUnattended,
            stands: (
                of_school("dutyShifts"),
                State::DutyShift(shift(pb::duty_shift::State::Alert)),
            ),
            over: Some(State::DutyShift(shift(pb::duty_shift::State::Replaced))),
            severity: Severity::Critical,
            due: minutes(30),
            people: 0,
            title: "一个值班班次无人到岗，请立即派人到岗",
            upper: "",
            rule: "5.31",
        },
        Danger {
            kind: Kind::VisitorOverstay,
            stands: (
                of_school("visits"),
                State::Visit(visit(pb::visit::State::Overstay, 1)),
            ),
            over: Some(State::Visit(visit(pb::visit::State::Left, 0))),
            severity: Severity::Warning,
            due: Duration::hours(2),
            people: 2,
            title: "2 名外来人员超时未离校，请立即核实",
            upper: "",
            rule: "3.7",
        },
        Danger {
            kind: Kind::GateEmergency,
            stands: (
                format!("{}2", of_school("visits")),
                State::Visit(visit(pb::visit::State::AdmittedEmergency, 5)),
            ),
            over: Some(State::Visit(visit(pb::visit::State::Left, 5))),
            severity: Severity::Critical,
            due: minutes(30),
            people: 6,
            title: "校门应急放行 6 人，请立即了解情况并补登记",
            upper: "",
            rule: "3.7",
        },
    ]
}

/// One of each kind that is owed: drills, what the weather asks for, reports of incidents.
fn of_duty() -> Vec<Danger> {
    use pb::drill_obligation::State as Owed;
    use pb::weather_state::State as Stage;
    let minutes = Duration::minutes;
    let overdue = pb::WeatherStanding {
        name: format!("{SCHOOL}2/weatherState"),
        open_task_count: 3,
        overdue_task_count: 2,
        done_task_count: 4,
        task_due_time: at(morning()),
        ..weather(Stage::Suspended)
    };
    let check = pb::WeatherStanding {
        post_check_due_time: at(morning()),
        post_check_overdue: true,
        ..weather(Stage::Lifted)
    };
    vec![
        Danger {
            kind: Kind::DrillDue,
            stands: (
                format!("{SCHOOL}/drillStanding"),
                State::DrillStanding(drills(Owed::Due, true)),
            ),
            over: Some(State::DrillStanding(drills(Owed::Done, false))),
            severity: Severity::Notice,
            due: Duration::hours(24),
            people: 0,
            title: "本期应急演练尚有 1 项未完成，请按期组织并归档",
            upper: "",
            rule: "5.18",
        },
        Danger {
            kind: Kind::WeatherWarned,
            stands: (
                format!("{SCHOOL}/weatherState"),
                State::WeatherStanding(weather(Stage::Alerted)),
            ),
            over: Some(State::WeatherStanding(weather(Stage::Suspended))),
            severity: Severity::Warning,
            due: Duration::hours(2),
            people: 0,
            title: "本地气象预警生效，请按级别落实防御措施",
            upper: "",
            rule: "5.21",
        },
        Danger {
            kind: Kind::WeatherTasksOverdue,
            stands: (
                format!("{SCHOOL}/weatherState/2"),
                State::WeatherStanding(overdue.clone()),
            ),
            over: Some(State::WeatherStanding(pb::WeatherStanding {
                overdue_task_count: 0,
                ..overdue
            })),
            severity: Severity::Warning,
            due: Duration::hours(2),
            people: 0,
            title: "气象防御任务共 7 项，逾期 2 项，请立即落实并上报",
            upper: "",
            rule: "5.28",
        },
        Danger {
            kind: Kind::PostCheckOverdue,
            stands: (
                format!("{SCHOOL}/weatherState/3"),
                State::WeatherStanding(check.clone()),
            ),
            over: Some(State::WeatherStanding(pb::WeatherStanding {
                post_check_overdue: false,
                ..check
            })),
            severity: Severity::Warning,
            due: Duration::hours(2),
            people: 0,
            title: "停课解除后的安全排查或消毒逾期未完成，请立即完成，未完成不得复课",
            upper: BUREAU,
            rule: "5.29",
        },
        Danger {
            kind: Kind::IncidentReportDue,
            stands: (
                of_school("incidents"),
                State::Incident(incident(vec![hop(false, false)])),
            ),
            over: Some(State::Incident(incident(vec![hop(false, true)]))),
            severity: Severity::Warning,
            due: Duration::hours(2),
            people: 0,
            title: "一起突发事件须在时限内报告区县教育局，请抓紧上报",
            upper: "",
            rule: "5.33",
        },
        Danger {
            kind: Kind::IncidentReportOverdue,
            stands: (
                format!("{}2", of_school("incidents")),
                State::Incident(incident(vec![hop(true, false)])),
            ),
            over: Some(State::Incident(incident(vec![hop(true, true)]))),
            severity: Severity::Critical,
            due: minutes(30),
            people: 0,
            title: "一起突发事件的报告已超过时限，区县教育局尚未收到，请立即报告",
            upper: BUREAU,
            rule: "5.34",
        },
    ]
}

/// One of each kind of what is not there: a shift, a red code's person, an entry in the book.
fn of_gaps() -> Vec<Danger> {
    use pb::duty_standing::State as Stage;
    let standing = |state: Stage| pb::DutyStanding {
        organization: SCHOOL.to_owned(),
        state: state.into(),
        gap_start_time: at(morning()),
        ..Default::default()
    };
    let red = |count| pb::GateRedCodeStanding {
        name: format!("{SCHOOL}/gateRedCodeStanding"),
        red_count: count,
        first_time: at(morning()),
        ..Default::default()
    };
    let crew = pb::Visit {
        after_entry_due_time: at(morning()),
        after_entry_overdue: true,
        ..visit(pb::visit::State::Left, 2)
    };
    vec![
        Danger {
            kind: Kind::DutyGap,
            stands: (
                format!("{SCHOOL}/dutyStanding"),
                State::DutyStanding(standing(Stage::Gap)),
            ),
            over: Some(State::DutyStanding(standing(Stage::Awaited))),
            severity: Severity::Warning,
            due: Duration::hours(2),
            people: 0,
            title: "当前时段没有已公布的值班安排，请立即安排值班人员并公布",
            upper: "",
            rule: "5.31",
        },
        Danger {
            kind: Kind::GateCodeRed,
            stands: (
                format!("{SCHOOL}/gateRedCodeStanding"),
                State::GateRedCodeStanding(red(2)),
            ),
            over: Some(State::GateRedCodeStanding(red(0))),
            severity: Severity::Critical,
            due: Duration::minutes(30),
            people: 2,
            title: "今日有 2 人次因健康码红码被拒绝入校，请立即报告所在社区并落实处置",
            upper: "",
            rule: "3.4",
        },
        Danger {
            kind: Kind::VisitorAfterEntry,
            stands: (
                format!("{}3", of_school("visits")),
                State::Visit(crew.clone()),
            ),
            over: Some(State::Visit(pb::Visit {
                after_entry_overdue: false,
                ..crew
            })),
            severity: Severity::Warning,
            due: Duration::hours(2),
            people: 3,
            title: "应急放行的 3 人逾期未补登记，请立即补录来访登记",
            upper: "",
            rule: "3.7",
        },
    ]
}

/// One of each kind, in the order of their numbers.
pub(crate) fn dangers() -> Vec<Danger> {
    let mut dangers = of_campus();
    dangers.extend(of_duty());
    dangers.extend(super::provision::of_provision());
    dangers.extend(of_gaps());
    dangers.extend(super::inspected::of_inspections());
    dangers.extend(super::provision::of_gates());
    dangers
}
