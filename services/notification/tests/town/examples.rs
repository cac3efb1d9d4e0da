//! One fact of each kind, as sampling tells it.

use chrono::{DateTime, Duration, Utc};
use kit::field::to_timestamp;
use notification::domain::fact::{Kind, Severity};
use proto::roster::check_policy::Slot;
use proto::roster::{cluster_policy, report_policy};
use proto::sampling as pb;
use proto::sampling::sampling_event::State;

use super::{BUREAU, SCHOOL, SCHOOL_PATH, morning, placed, student};

/// A fact and what its alert says.
pub(crate) struct Example {
    pub(crate) kind: Kind,
    /// What is told while it is a fact, and once it is over.
    stands: (&'static str, State),
    over: Option<State>,
    pub(crate) severity: Severity,
    /// From when it came to be until somebody must have seen it.
    pub(crate) due: Duration,
    pub(crate) people: i32,
    pub(crate) title: &'static str,
    pub(crate) title_en: &'static str,
    pub(crate) upper: &'static str,
    pub(crate) rule: &'static str,
}

fn event(entity: &str, version: i64, state: Option<State>) -> pb::SamplingEvent {
    pb::SamplingEvent {
        entity: entity.to_owned(),
        version,
        org_path: format!("{SCHOOL_PATH}/p2019-01"),
        removed: state.is_none(),
        state,
    }
}

impl Example {
    pub(crate) fn entity(&self) -> &'static str {
        self.stands.0
    }

    /// It is a fact.
    pub(crate) fn stands(&self, version: i64) -> pb::SamplingEvent {
        event(self.stands.0, version, Some(self.stands.1.clone()))
    }

    /// It is over.
    pub(crate) fn over(&self, version: i64) -> pb::SamplingEvent {
        event(self.stands.0, version, self.over.clone())
    }

    /// The entity has left the feed.
    pub(crate) fn gone(&self, version: i64) -> pb::SamplingEvent {
        event(self.stands.0, version, None)
    }
}

fn at(time: DateTime<Utc>) -> Option<prost_types::Timestamp> {
    Some(to_timestamp(time))
}

fn class_group() -> String {
    format!("{SCHOOL}/classGroups/p2019-01")
}

/// An absence that asks for nothing.
pub(crate) fn absence() -> pb::Absence {
    pb::Absence {
        name: "absences/A1".to_owned(),
        person: student(1),
        class_group: class_group(),
        org_path: format!("{SCHOOL_PATH}/p2019-01"),
        state: pb::absence::State::Traced.into(),
        contact_due_time: at(morning()),
        upload_due_time: at(morning()),
        ..Default::default()
    }
}

/// A cluster of three in a class, to be reported within a day.
pub(crate) fn cluster() -> pb::Cluster {
    pb::Cluster {
        name: "clusters/C1".to_owned(),
        state: pb::cluster::State::Open.into(),
        stands: true,
        rule: Some(pb::ClusterRule {
            scope: cluster_policy::Scope::ClassGroup.into(),
            ..Default::default()
        }),
        org_path: format!("{SCHOOL_PATH}/p2019-01"),
        organization: SCHOOL.to_owned(),
        class_group: class_group(),
        person_count: 3,
        people: vec![pb::cluster::Person {
            person: student(1),
            case_date: None,
        }],
        fire_time: at(morning()),
        report_due_time: at(morning() + Duration::hours(24)),
        ..Default::default()
    }
}

fn suspension(state: pb::suspension::State) -> pb::Suspension {
    pb::Suspension {
        name: "suspensions/S1".to_owned(),
        state: state.into(),
        cluster: "clusters/C1".to_owned(),
        organization: SCHOOL.to_owned(),
        class_group: class_group(),
        scope: pb::suspension::Scope::ClassGroup.into(),
        suspend_days: 4,
        propose_time: at(morning()),
        ..Default::default()
    }
}

fn screening_day(missing: i32) -> pb::ScreeningDay {
    pb::ScreeningDay {
        name: format!("{SCHOOL}/screeningDays/20220406-morning"),
        organization: SCHOOL.to_owned(),
        slot: Slot::Morning.into(),
        expected_count: 30,
        submitted_count: 30 - missing,
        missing_count: missing,
        due_time: at(morning()),
        ..Default::default()
    }
}

/// A case whose first report was received in time; the government has not received it yet.
pub(crate) fn case() -> pb::Case {
    use report_policy::Level;
    let hop = |from: Level, to: Level| pb::ReportHop {
        from_level: from.into(),
        to_level: to.into(),
        start_time: at(morning() - Duration::hours(2)),
        due_time: at(morning()),
        ..Default::default()
    };
    pb::Case {
        name: "cases/K1".to_owned(),
        organization: SCHOOL.to_owned(),
        urgent: true,
        last_report_kind: pb::case_report::Kind::First.into(),
        follow_up_due_time: at(morning() + Duration::hours(24)),
        hops: vec![
            pb::ReportHop {
                receive_time: at(morning()),
                ..hop(Level::School, Level::CountyHealth)
            },
            hop(Level::CountyHealth, Level::CountyGovernment),
        ],
        ..Default::default()
    }
}

/// A case that a laboratory opened and nobody has reported yet: the first report is due within a day.
pub(crate) fn opened() -> pb::Case {
    pb::Case {
        name: "cases/K1".to_owned(),
        organization: SCHOOL.to_owned(),
        state: pb::case::State::Open.into(),
        detection: pb::case::Detection::Laboratory.into(),
        person_count: 1,
        open_time: at(morning()),
        first_report_due_time: at(morning() + Duration::hours(24)),
        ..Default::default()
    }
}

fn late(mut case: pb::Case) -> pb::Case {
    case.late = true;
    for hop in &mut case.hops {
        hop.late = hop.receive_time.is_none();
    }
    case
}

/// One of each kind.
pub(crate) fn examples() -> Vec<Example> {
    let hours = Duration::hours;
    let base = Example {
        kind: Kind::HoldPlaced,
        stands: (
            "holds/T9",
            placed(SCHOOL_PATH, "T9", 1).state.expect("a hold"),
        ),
        over: None,
        severity: Severity::Critical,
        due: Duration::minutes(10),
        people: 9,
        title: "一管混采结果需复核，同管 9 人暂缓入校，请立即落实单人复检",
        title_en: "A pooled tube needs a recheck: 9 people of the tube are not admitted; sample each \
                   of them at once",
        upper: "",
        rule: "2.19",
    };
    vec![
        base,
        Example {
            kind: Kind::ClusterFound,
            stands: ("clusters/C1", State::Cluster(cluster())),
            over: Some(State::Cluster(pb::Cluster {
                stands: false,
                report_time: at(morning() + Duration::hours(1)),
                ..cluster()
            })),
            severity: Severity::Warning,
            due: hours(2),
            people: 3,
            title: "一个班级有 3 人的病例达到聚集性预警标准，请立即核实处置，并在时限内上报",
            title_en: "3 cases in a class group reach the threshold of a cluster; verify them, act, \
                       and report in time",
            upper: "",
            rule: "1.15",
        },
        Example {
            kind: Kind::SuspensionProposed,
            stands: (
                "suspensions/S1",
                State::Suspension(suspension(pb::suspension::State::Proposed)),
            ),
            over: Some(State::Suspension(suspension(
                pb::suspension::State::Decided,
            ))),
            severity: Severity::Warning,
            due: hours(2),
            people: 0,
            title: "按规则建议一个班级停课 4 天，请听取疾控机构意见后作出决定",
            title_en: "Rules propose to suspend teaching of a class group for 4 days; hear disease \
                       control and decide",
            upper: BUREAU,
            rule: "1.22",
        },
        Example {
            kind: Kind::AbsenceUntraced,
            stands: (
                "absences/A1",
                State::Absence(pb::Absence {
                    state: pb::absence::State::Escalated.into(),
                    ..absence()
                }),
            ),
            over: Some(State::Absence(absence())),
            severity: Severity::Warning,
            due: hours(2),
            people: 1,
            title: "1 名缺勤人员在时限内未能联系到监护人或本人，请校长立即跟进",
            title_en: "Nobody was reached in time about 1 absent person; the principal follows it up",
            upper: "",
            rule: "1.11",
        },
        Example {
            kind: Kind::InterviewDue,
            stands: (
                "absences/A2",
                State::Absence(pb::Absence {
                    interview_due: true,
                    ..absence()
                }),
            ),
            over: Some(State::Absence(pb::Absence {
                interview_due: true,
                state: pb::absence::State::Ended.into(),
                ..absence()
            })),
            severity: Severity::Notice,
            due: hours(24),
            people: 1,
            title: "1 名缺勤人员连续病假已达约谈天数，请约谈监护人",
            title_en: "Sick days in a row of 1 person ask for an interview with the guardian",
            upper: "",
            rule: "1.12",
        },
        Example {
            kind: Kind::UploadOverdue,
            stands: (
                "absences/A3",
                State::Absence(pb::Absence {
                    upload_overdue: true,
                    state: pb::absence::State::Ended.into(),
                    ..absence()
                }),
            ),
            over: Some(State::Absence(pb::Absence {
                upload_overdue: true,
                upload_time: at(morning()),
                ..absence()
            })),
            severity: Severity::Warning,
            due: hours(24),
            people: 1,
            title: "1 名人员的因病缺勤逾期未上报，请校医尽快确认上报",
            title_en: "The absence by illness of 1 person is not uploaded in time; the school doctor \
                       confirms it",
            upper: "",
            rule: "1.8",
        },
        Example {
            kind: Kind::ChecksMissing,
            stands: (
                "organizations/2135010001/screeningDays/20220406-morning",
                State::ScreeningDay(screening_day(4)),
            ),
            over: Some(State::ScreeningDay(screening_day(0))),
            severity: Severity::Warning,
            due: hours(2),
            people: 0,
            title: "晨检应报 30 份，逾期未报 4 份，未报不等于零报告，请立即督促补报",
            title_en: "4 of 30 morning checks are missing; missing is not zero: have them submitted",
            upper: "",
            rule: "1.6",
        },
        Example {
            kind: Kind::ReportOverdue,
            stands: ("cases/K1", State::Case(late(case()))),
            over: Some(State::Case(case())),
            severity: Severity::Critical,
            due: Duration::minutes(30),
            people: 0,
            title: "一份报告已超过法定时限，县级人民政府尚未签收，请立即报告并落实签收",
            title_en: "A report is past its legal limit and the county's government has not received \
                       it; report at once",
            upper: BUREAU,
            rule: "1.17",
        },
        Example {
            kind: Kind::FollowUpOverdue,
            stands: (
                "cases/K2",
                State::Case(pb::Case {
                    late: true,
                    follow_up_due_time: at(morning()),
                    ..case()
                }),
            ),
            over: Some(State::Case(pb::Case {
                late: true,
                ..case()
            })),
            severity: Severity::Critical,
            due: Duration::minutes(30),
            people: 0,
            title: "一份续报已超过时限，请立即续报",
            title_en: "A follow-up report is overdue; write it at once",
            upper: "",
            rule: "5.35",
        },
        Example {
            kind: Kind::CaseOpened,
            stands: (
                "cases/K3",
                State::Case(pb::Case {
                    name: "cases/K3".to_owned(),
                    ..opened()
                }),
            ),
            over: Some(State::Case(pb::Case {
                name: "cases/K3".to_owned(),
                last_report_kind: pb::case_report::Kind::First.into(),
                ..opened()
            })),
            severity: Severity::Warning,
            due: hours(2),
            people: 1,
            title: "新增一例需报告的病例或事件，涉及 1 人，请立即核实，并在时限内作出首次报告",
            title_en: "A case that must be reported was opened, of 1 people; verify it at once and report \
                       in time",
            upper: "",
            rule: "1.16",
        },
    ]
}
