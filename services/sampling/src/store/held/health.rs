//! Checks, absences, illnesses, cases, contacts and controls from outside.

use kit::auth::Permission;
use kit::said;
use kit::subject::{As, By, Field, Rows, Section};
use proto::sampling::case::{Certainty, Detection, Outcome, Severity};
use proto::sampling::clearance::Control;
use proto::sampling::{
    AbsenceReason, ContactKind, ExportFormat, absence, case_contact, control_measure, health_state,
    shared_group, trace,
};

use super::words::{DAY, DEGREES, DISEASE, SYMPTOMS};

const BASIS: &str = "传染病防治法第十二条、第三十一条，学校卫生工作条例；个人信息保护法第十三条第一款第三项、第四项";
/// For how long records are kept is a setting of each place; these are the periods that are shipped.
const YEAR: &str =
    "一学年，未了结的至了结后（规则6.13，以当地政策为准）；应急期间收集的于应急结束后销毁";
const CHECKED: &str =
    "正常体温三十日，其余一学年（规则6.13，以当地政策为准）；应急期间收集的于应急结束后销毁";
const REPORTED: &str = "结案后三年（规则6.13，以当地政策为准）；应急期间收集的于应急结束后销毁";

const fn section(name: &'static str, titles: (&'static str, &'static str)) -> Section {
    let (title, title_en) = titles;
    Section {
        name,
        title,
        title_en,
        purpose: "学校传染病监测、因病缺勤追查与病例管理",
        basis: BASIS,
        retention: YEAR,
        guard: Some(Permission::HealthRead),
        only: None,
        reserve: None,
        tables: &[],
        rows: None,
    }
}

pub(super) const CHECKS: Section = Section {
    purpose: "晨午晚检",
    retention: CHECKED,
    guard: Some(Permission::CheckRead),
    tables: &["checks", "check_submissions"],
    ..section(
        super::CHECKS,
        ("晨午晚检记录", "checks that name the person"),
    )
};

pub(super) const SIGNS: Section = Section {
    tables: &["signs"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "signs s WHERE s.person = $1",
        order: "s.day DESC, s.source",
        fields: &[
            Field("source", "s.source", As::Text),
            Field("date", "s.day", DAY),
            Field("symptoms", "s.symptoms", SYMPTOMS),
            Field("temperature", "s.temperature", DEGREES),
            Field("disease", "s.disease", DISEASE),
            Field("certainty", "s.certainty", said!(Certainty)),
            Field("severity", "s.severity", said!(Severity)),
            Field("onset_date", "s.onset", DAY),
            Field("last_date", "s.until", DAY),
            Field("dormitory", "s.dormitory", As::Text),
            Field("time", "s.time", As::Millis),
        ],
    }),
    ..section("signs", ("健康表现", "what is said of the person's health"))
};

pub(super) const ABSENCES: Section = Section {
    guard: Some(Permission::AbsenceRead),
    tables: &["absences"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "absences a WHERE a.person = $1",
        order: "a.create_time DESC, a.id",
        fields: &[
            Field("state", "a.state", said!(absence::State)),
            Field("reason", "a.reason", said!(AbsenceReason)),
            Field("start_date", "a.start_day", DAY),
            Field("ill_date", "a.ill_day", DAY),
            Field("leave_time", "a.leave_time", As::Millis),
            Field("symptoms", "a.symptoms", SYMPTOMS),
            Field("temperature", "a.temperature", DEGREES),
            Field("onset_date", "a.onset", DAY),
            Field("seen_doctor", "a.seen_doctor", As::YesNo),
            Field("disease", "a.disease", DISEASE),
            Field("hospitalised", "a.hospitalised", As::YesNo),
            Field("upload_time", "a.upload_time", As::Millis),
            Field("interview_time", "a.interview_time", As::Millis),
            Field("return_time", "a.return_time", As::Millis),
            Field("withdraw_time", "a.withdraw_time", As::Millis),
            Field("create_time", "a.create_time", As::Millis),
        ],
    }),
    ..section("absences", ("缺勤记录", "absences"))
};

pub(super) const TRACES: Section = Section {
    guard: Some(Permission::AbsenceRead),
    tables: &["absence_traces", "absence_reports"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "absences a JOIN absence_traces t ON t.absence = a.id WHERE a.person = $1",
        order: "t.time DESC",
        fields: &[
            Field("time", "t.time", As::Millis),
            Field("outcome", "t.outcome", said!(trace::Outcome)),
            Field("reason", "t.reason", said!(AbsenceReason)),
        ],
    }),
    ..section("absence_traces", ("缺勤追访", "attempts to trace absences"))
};

pub(super) const STATES: Section = Section {
    tables: &["medical_states"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "medical_states m WHERE m.person = $1",
        order: "m.since DESC",
        fields: &[
            Field("state", "m.state", said!(health_state::State)),
            Field("since", "m.since", As::Millis),
            Field("cleared_time", "m.cleared", As::Millis),
            Field("observation_room", "m.room", As::Text),
            Field("observation_time", "m.observed", As::Millis),
            Field("guardian_notify_time", "m.notified", As::Millis),
            Field("disease", "m.disease", DISEASE),
            Field("onset_date", "m.onset", DAY),
            Field("rash_date", "m.rash", DAY),
            Field("treatment_date", "m.treatment", DAY),
            Field("recovery_time", "m.recovery", As::Millis),
            Field("excluded_until", "m.until", As::Millis),
            Field("proof", "m.proof", As::Text),
            Field("review", "m.review", said!(health_state::Review)),
            Field("appealed", "m.appealed", As::YesNo),
            Field("certificate", "m.certificate", As::Text),
            Field("certificate_time", "m.certified", As::Millis),
            Field("policy_version", "m.policy_version", As::Text),
        ],
    }),
    ..section("medical_states", ("健康状态", "state of health"))
};

pub(super) const EVENTS: Section = Section {
    tables: &["health_events"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "health_events e WHERE e.person = $1",
        order: "e.sequence DESC",
        fields: &[
            Field("time", "e.time", As::Millis),
            Field("verb", "e.verb", As::Text),
            Field("state", "e.state", said!(health_state::State)),
            Field("rule", "e.rule", As::Text),
            Field("policy_version", "e.policy_version", As::Text),
        ],
    }),
    ..section(
        "health_events",
        ("健康状态变动", "changes of the state of health"),
    )
};

/// Of a cluster only that the person is counted in it: the others in it are other people.
pub(super) const ILLNESSES: Section = Section {
    guard: Some(Permission::ClusterRead),
    purpose: "聚集性疫情判断",
    tables: &["illness_cases", "cluster_people"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "illness_cases i WHERE i.person = $1",
        order: "i.day DESC",
        fields: &[
            Field("first_date", "i.day", DAY),
            Field("last_date", "i.last", DAY),
            Field("severity", "i.severity", said!(Severity)),
            Field("certainty", "i.certainty", said!(Certainty)),
            Field(
                "clusters",
                "(SELECT COUNT(*) FROM cluster_people p WHERE p.person = i.person AND p.day = i.day)",
                As::Number,
            ),
        ],
    }),
    ..section("illnesses", ("发病认定", "illnesses as they are counted"))
};

pub(super) const CASES: Section = Section {
    guard: Some(Permission::CaseRead),
    retention: REPORTED,
    tables: &["cases", "case_events", "case_findings"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "cases c WHERE c.person = $1",
        order: "c.open_time DESC, c.id",
        fields: &[
            Field("case", "c.id", As::Text),
            Field("disease", "c.disease", DISEASE),
            Field("certainty", "c.certainty", said!(Certainty)),
            Field("severity", "c.severity", said!(Severity)),
            Field("onset_date", "c.onset", DAY),
            Field("detection", "c.detection", said!(Detection)),
            Field("detect_time", "c.detect_time", As::Millis),
            Field("open_time", "c.open_time", As::Millis),
            Field("confirm_time", "c.confirm_time", As::Millis),
            Field("close_time", "c.close_time", As::Millis),
            Field("outcome", "c.outcome", said!(Outcome)),
            Field("first_report_time", "c.first_time", As::Millis),
            Field("reports", "c.reports", As::Number),
            Field("events", "c.events", As::Number),
            Field(
                "laboratory_findings",
                "(SELECT COUNT(*) FROM case_findings f WHERE f.case_id = c.id)",
                As::Number,
            ),
            Field("policy_version", "c.policy_version", As::Text),
        ],
    }),
    ..section("cases", ("病例档案", "cases"))
};

pub(super) const CASE_EXPORTS: Section = Section {
    guard: Some(Permission::CaseRead),
    purpose: "病例材料出具留痕",
    retention: REPORTED,
    tables: &["case_exports"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "cases c JOIN case_exports x ON x.case_id = c.id WHERE c.person = $1",
        order: "x.time DESC",
        fields: &[
            Field("case", "x.case_id", As::Text),
            Field("time", "x.time", As::Millis),
            Field("purpose", "x.purpose", As::Text),
            Field("format", "x.format", said!(ExportFormat)),
        ],
    }),
    ..section(
        "case_exports",
        ("病例材料出具", "documents of cases that left the house"),
    )
};

/// Whose contact somebody is, is another person's illness, and is not told.
pub(super) const CONTACTS: Section = Section {
    guard: Some(Permission::CaseRead),
    tables: &["case_contacts"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "case_contacts k WHERE k.person = $1",
        order: "k.add_time DESC",
        fields: &[
            Field("relation", "k.relation", said!(ContactKind)),
            Field("degree", "k.degree", said!(case_contact::Degree)),
            Field("last_contact_date", "k.last_day", DAY),
            Field("control", "k.control", said!(Control)),
            Field("until", "k.until", As::Millis),
            Field("exit_negative_time", "k.exit_negative", As::Millis),
            Field("add_time", "k.add_time", As::Millis),
            Field("remove_time", "k.remove_time", As::Millis),
        ],
    }),
    ..section(
        "contacts",
        ("被判定为接触者的记录", "contacts that the person was"),
    )
};

pub(super) const MEASURES: Section = Section {
    guard: Some(Permission::CaseRead),
    tables: &["control_measures"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "control_measures m WHERE m.person = $1",
        order: "m.place_time DESC, m.id",
        fields: &[
            Field("control", "m.control", said!(Control)),
            Field("setting", "m.setting", said!(control_measure::Setting)),
            Field("state", "m.state", said!(control_measure::State)),
            Field("first_date", "m.first_day", DAY),
            Field("last_date", "m.last_day", DAY),
            Field("document", "m.document", As::Text),
            Field("place_time", "m.place_time", As::Millis),
            Field("end_time", "m.end_time", As::Millis),
            Field("policy_version", "m.policy_version", As::Text),
        ],
    }),
    ..section(
        "control_measures",
        ("校外管控措施", "controls from outside"),
    )
};

pub(super) const SHARED: Section = Section {
    guard: Some(Permission::CaseRead),
    purpose: "查找可能的接触者",
    retention: "在籍期间，随分组更新",
    tables: &["shared_members", "shared_groups"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "shared_members m JOIN shared_groups g ON g.school = m.school AND g.code = m.code \
               WHERE m.person = $1",
        order: "g.update_time DESC, g.code",
        fields: &[
            Field("kind", "g.kind", said!(shared_group::Kind)),
            Field("group", "g.display_name", As::Text),
            Field("row", "m.seat_row", As::Number),
            Field("column", "m.seat_column", As::Number),
        ],
    }),
    ..section(
        "shared_groups",
        ("座位、校车等共同分组", "seats, buses and meals"),
    )
};
