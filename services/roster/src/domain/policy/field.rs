//! Every key of a policy with what may stand there and the rule it comes from.

use std::iter;

use super::word;

/// What may stand under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no.
    Flag,
    /// A whole number between these, both included.
    Number(i64, i64),
    /// Whole seconds between these, both included.
    Span(i64, i64),
    /// A civil day.
    Day,
    /// A text of at most so many characters.
    Text(usize),
    /// One of these.
    Word(&'static [&'static str]),
    /// Some of these, each once.
    Words(&'static [&'static str]),
    /// Whole numbers between these, each once.
    Numbers(i64, i64),
    /// Records; those that agree in these fields are the same entry.
    Records(&'static [&'static str]),
}

/// One key of a policy.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The key, `[]` behind the list for fields of its records.
    pub path: &'static str,
    /// What may stand there.
    pub kind: Kind,
    /// The value may be absent, 0, false or empty, which all mean that it is not used.
    pub optional: bool,
    /// The numbers in the rule book.
    pub rule: &'static str,
}

impl Field {
    const fn optional(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }

    const fn new(path: &'static str, kind: Kind, rule: &'static str) -> Self {
        Self {
            path,
            kind,
            optional: false,
            rule,
        }
    }
}

const fn flag(path: &'static str, rule: &'static str) -> Field {
    Field::new(path, Kind::Flag, rule)
}

const fn number(path: &'static str, least: i64, most: i64, rule: &'static str) -> Field {
    Field::new(path, Kind::Number(least, most), rule)
}

const fn span(path: &'static str, least: i64, most: i64, rule: &'static str) -> Field {
    Field::new(path, Kind::Span(least, most), rule)
}

const fn word(path: &'static str, words: &'static [&'static str], rule: &'static str) -> Field {
    Field::new(path, Kind::Word(words), rule)
}

const fn text(path: &'static str, most: usize, rule: &'static str) -> Field {
    Field::new(path, Kind::Text(most), rule)
}

const fn words(path: &'static str, words: &'static [&'static str], rule: &'static str) -> Field {
    Field::new(path, Kind::Words(words), rule)
}

const fn records(path: &'static str, key: &'static [&'static str], rule: &'static str) -> Field {
    Field::new(path, Kind::Records(key), rule)
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 366 * DAY;
const WHOLE: i64 = 10_000;
const CASES: i64 = 10_000;
/// A source as it is shown to people.
const SOURCE: usize = 300;

/// Every key, in the order of the contract.
pub const FIELDS: &[Field] = &[
    number("gate.temperature_max_tenths", 360, 390, "3.2"),
    number("gate.temperature_plausible_min_tenths", 300, 360, "3.2"),
    number("gate.temperature_plausible_max_tenths", 400, 450, "3.2"),
    span("gate.recheck_wait", MINUTE, HOUR, "3.3"),
    flag("gate.health_code_check", "3.4"),
    words("gate.deny_colours", word::COLOURS, "3.4").optional(),
    flag("gate.travel_card_check", "3.5"),
    number("gate.travel_window_days", 1, 60, "3.5").optional(),
    span("gate.snapshot_max_age", MINUTE, DAY, "3.9"),
    flag("gate.admit_health_monitoring", "1.24"),
    records("gate.arrival_windows", &["grade"], "3.8").optional(),
    number("gate.arrival_windows[].grade", 1, 12, "3.8"),
    number("gate.arrival_windows[].start_minute", 300, 719, "3.8"),
    number("gate.arrival_windows[].end_minute", 301, 720, "3.8"),
    span("gate.visitor_overstay_grace", MINUTE, 4 * HOUR, "3.7").optional(),
    span("gate.visitor_after_entry", HOUR, 7 * DAY, "3.7").optional(),
    number("gate.visitor_lead_days", 1, 14, "3.6").optional(),
    number("gate.recheck_readings", 1, 5, "3.3").optional(),
    flag("gate.admit_travel_unknown", "3.5").optional(),
    flag("gate.visitor_mask_required", "3.6").optional(),
    records("check.slots", &["slot"], "1.1"),
    word("check.slots[].slot", word::SLOTS, "1.1"),
    number("check.slots[].deadline_minute", 1, 1439, "1.6"),
    flag("check.slots[].boarders_only", "1.1").optional(),
    flag("check.slots[].staff", "1.1").optional(),
    flag("check.zero_report", "1.5"),
    flag("check.reporter_exam", "1.3").optional(),
    span("absence.contact_sla", MINUTE, DAY, "1.11"),
    span("absence.upload_sla", MINUTE, 7 * DAY, "1.8"),
    number("absence.similar_cases", 1, 50, "1.12"),
    number("absence.interview_days", 1, 30, "1.12"),
    number("alert.class_one_day_cases", 1, 100, "1.15"),
    number("alert.class_three_day_cases", 1, 100, "1.15"),
    span("alert.report_sla", MINUTE, 7 * DAY, "1.15"),
    span("alert.class_a_report_sla", MINUTE, 7 * DAY, "1.18"),
    records("alert.similar", &["group"], "1.15"),
    word("alert.similar[].group", word::SYMPTOM_GROUPS, "1.15"),
    words("alert.similar[].symptoms", word::SYMPTOMS, "1.2, 1.15"),
    words("alert.recipients", word::RECIPIENTS, "1.12, 1.15"),
    records("outbreak.rules", &["disease", "level"], "1.19"),
    word("outbreak.rules[].disease", word::DISEASES, "1.19"),
    word("outbreak.rules[].level", word::OUTBREAK_LEVELS, "1.19"),
    number("outbreak.rules[].window_days", 1, 60, "1.19"),
    number("outbreak.rules[].cases", 1, CASES, "1.19").optional(),
    number("outbreak.rules[].group_cases", 1, CASES, "1.19").optional(),
    number("outbreak.rules[].hospitalised", 1, CASES, "1.19").optional(),
    number("outbreak.rules[].deaths", 1, CASES, "1.19").optional(),
    span("outbreak.rules[].report_sla", MINUTE, 7 * DAY, "1.17, 1.19"),
    records("outbreak.case_definitions", &["disease"], "1.19").optional(),
    word(
        "outbreak.case_definitions[].disease",
        word::DISEASES,
        "1.19",
    ),
    number(
        "outbreak.case_definitions[].temperature_min_tenths",
        360,
        420,
        "1.19",
    )
    .optional(),
    words(
        "outbreak.case_definitions[].symptoms",
        word::SYMPTOMS,
        "1.19",
    ),
    records("outbreak.notices", &["level"], "1.15, 1.19"),
    word("outbreak.notices[].level", word::OUTBREAK_LEVELS, "1.19"),
    words(
        "outbreak.notices[].recipients",
        word::RECIPIENTS,
        "1.15, 1.19",
    ),
    number("suspend.influenza.new_cases", 1, 100, "1.20"),
    number("suspend.influenza.ill_ratio_basis_points", 1, WHOLE, "1.20"),
    number("suspend.influenza.severe_cases", 1, 100, "1.20"),
    number("suspend.influenza.suspend_days", 1, 60, "1.20"),
    number("suspend.hfmd.class_cases", 1, 100, "1.21"),
    number("suspend.hfmd.school_cases", 1, CASES, "1.21"),
    number("suspend.hfmd.school_classes", 1, 200, "1.21"),
    number("suspend.hfmd.window_days", 1, 60, "1.21"),
    number("suspend.hfmd.suspend_days", 1, 60, "1.21"),
    records("return_to_school.rules", &["disease"], "1.23"),
    word("return_to_school.rules[].disease", word::DISEASES, "1.23"),
    word("return_to_school.rules[].basis", word::BASES, "1.23"),
    span("return_to_school.rules[].period", HOUR, YEAR, "1.23").optional(),
    span(
        "return_to_school.rules[].complicated_period",
        HOUR,
        YEAR,
        "1.23",
    )
    .optional(),
    words("return_to_school.rules[].evidence", word::EVIDENCE, "1.23").optional(),
    flag("return_to_school.rules[].evidence_suffices", "1.23").optional(),
    text("return_to_school.rules[].source", SOURCE, "1.23").optional(),
    flag("return_to_school.rules[].hospital_proof_waived", "1.13").optional(),
    flag("sampling.enabled", "2.1"),
    number("sampling.student_ratio_basis_points", 1, WHOLE, "2.1"),
    word("sampling.unit", word::UNITS, "2.2"),
    word("sampling.strategy", word::STRATEGIES, "2.3"),
    number("sampling.cycle_days", 1, 100, "2.3"),
    number("sampling.gap_alert_days", 1, 200, "2.3"),
    word("sampling.rounding", word::ROUNDINGS, "2.2"),
    number("sampling.staff_ratio_basis_points", 1, WHOLE, "2.4"),
    records("sampling.post_frequencies", &["post"], "2.4").optional(),
    word("sampling.post_frequencies[].post", word::POSTS, "2.4"),
    number("sampling.post_frequencies[].every_days", 1, 60, "2.4"),
    number("sampling.environment_days", 1, 60, "2.23"),
    word("pool.pool_type", word::POOL_TYPES, "2.8"),
    flag("pool.class_pure", "2.8"),
    words("pool.single_only", word::SINGLE_ONLY, "2.11"),
    span("tube.max_to_laboratory", 10 * MINUTE, DAY, "2.16"),
    span("tube.result_sla", HOUR, 7 * DAY, "2.17"),
    span("tube.positive_notify", MINUTE, DAY, "2.19"),
    span("tube.positive_resample", MINUTE, 2 * DAY, "2.19"),
    word("hold.auto_release", word::RELEASES, "2.20"),
    number("person_code.ttl_days", 1, 366, "2.13"),
    records("resume.order", &[], "4.1"),
    Field::new("resume.order[].grades", Kind::Numbers(1, 12), "4.1").optional(),
    flag("resume.order[].other_grades", "4.1").optional(),
    flag("resume.order[].kindergarten", "4.1").optional(),
    number("resume.supply_days", 1, 180, "4.5"),
    number("resume.drill_within_days", 1, 366, "4.10"),
    number("resume.monitor_days", 1, 60, "4.10"),
    number("resume.self_monitoring_days", 1, 7, "4.9").optional(),
    number("hazard.same_day_days", 1, 7, "5.8"),
    number("hazard.general_days", 1, 90, "5.8"),
    number("hazard.major_days", 1, 366, "5.8"),
    flag("hazard.reviewer_differs", "5.9"),
    number("hazard.recurrence_days", 1, 730, "5.9"),
    number("hazard.max_extensions", 0, 10, "5.9"),
    number("hazard.progress_days", 1, 31, "5.8").optional(),
    number("hazard.escalation_days", 1, 90, "5.9").optional(),
    number("hazard.review_days", 1, 31, "5.9").optional(),
    number("patrol.per_day", 1, 48, "5.13"),
    records("guard.rules", &["effective_date"], "5.11, 5.12"),
    Field::new("guard.rules[].effective_date", Kind::Day, "5.12").optional(),
    word("guard.rules[].formula", word::FORMULAS, "5.11, 5.12"),
    number("drill.school_per_month", 1, 31, "5.18"),
    number("drill.kindergarten_per_quarter", 1, 92, "5.18"),
    span("drill.evacuation", 10, HOUR, "5.19"),
    span("drill.primary_evacuation", 10, HOUR, "5.19"),
    number("drill.night_dorm_per_quarter", 1, 92, "5.18").optional(),
    number("drill.bus_per_quarter", 1, 92, "5.15, 5.18").optional(),
    records("weather.rules", &["level"], "5.28"),
    word("weather.rules[].level", word::LEVELS, "5.21"),
    words("weather.rules[].actions", word::ACTIONS, "5.28"),
    number("weather.mutual_aid_min", 2, 20, "5.26"),
    number("weather.mutual_aid_max", 2, 20, "5.26"),
    number("weather.flood_season_start", 101, 1231, "5.30"),
    number("weather.flood_season_end", 101, 1231, "5.30"),
    span("weather.post_check", HOUR, 7 * DAY, "5.29").optional(),
    number("duty.min_staff", 1, 50, "5.31"),
    span("duty.checkin_grace", MINUTE, 4 * HOUR, "5.31"),
    words("duty.key_posts", word::POSTS, "5.31").optional(),
    records("incident.slas", &["level"], "5.33"),
    word("incident.slas[].level", word::LEVELS, "5.32"),
    span("incident.slas[].phone", MINUTE, DAY, "5.33").optional(),
    span("incident.slas[].written", MINUTE, 7 * DAY, "5.33"),
    span("incident.hop_sla", MINUTE, DAY, "5.33"),
    word("incident.level_table", word::LEVEL_TABLES, "5.32").optional(),
    span("incident.final_sla", HOUR, 60 * DAY, "5.35").optional(),
    records("directive.acks", &["urgency"], "5.39"),
    word("directive.acks[].urgency", word::URGENCIES, "5.39"),
    span("directive.acks[].sla", MINUTE, 7 * DAY, "5.39"),
    span("directive.acks[].relay", MINUTE, 7 * DAY, "5.39").optional(),
    span("directive.acks[].judge", MINUTE, 30 * DAY, "5.39").optional(),
    number("directive.done_percent", 1, 100, "5.39").optional(),
    number("audit.retention_days", 1, 36_500, "6.9"),
    number("audit.partner_log_years", 1, 100, "6.9"),
    number("audit.impact_assessment_years", 1, 100, "6.3"),
    number("retention.visitor_days", 1, 3_650, "6.13"),
    number("retention.gate_event_days", 1, 3_650, "6.13"),
    number("retention.temperature_days", 1, 3_650, "6.13"),
    number("retention.absence_days", 1, 3_650, "6.13"),
    number("retention.report_card_years", 1, 100, "6.13"),
    number("retention.result_days", 1, 3_650, "6.13"),
    number("retention.safety_years", 1, 100, "6.13"),
    number("retention.approval_years", 1, 100, "6.13"),
    number("privacy.k", 2, 1_000, "6.12"),
    word("crypto.suite", word::SUITES, "6.11"),
    records("contact.rules", &["disease"], "1.24, 2.21").optional(),
    word("contact.rules[].disease", word::DISEASES, "1.24"),
    word("contact.rules[].measure", word::MEASURES, "1.24"),
    number("contact.rules[].close_days", 1, 60, "2.21"),
    number("contact.rules[].secondary_days", 1, 60, "2.21").optional(),
    number("contact.rules[].trace_days", 1, 30, "1.24"),
    span("contact.rules[].exit_negative", HOUR, 7 * DAY, "2.21").optional(),
    records("report.hops", &["from", "to"], "1.17"),
    word("report.hops[].from", word::REPORT_LEVELS, "1.17"),
    word("report.hops[].to", word::REPORT_LEVELS, "1.17"),
    span("report.hops[].sla", MINUTE, DAY, "1.17"),
    words("report.class_a", word::DISEASES, "1.18").optional(),
    span("report.follow_up", HOUR, 7 * DAY, "5.35"),
    span("report.follow_up_other", HOUR, 30 * DAY, "5.35").optional(),
    records("assay.rules", &["disease"], "2.8, F1").optional(),
    word("assay.rules[].disease", word::DISEASES, "F1"),
    word("assay.rules[].specimen", word::SPECIMENS, "F1"),
    flag("assay.rules[].pooled", "2.8").optional(),
    flag("assay.rules[].holds", "2.19").optional(),
    number("concern.acknowledge_days", 1, 10, "5.41").optional(),
    number("concern.answer_days", 1, 60, "5.41").optional(),
    number("concern.urgent_answer_days", 1, 60, "5.41").optional(),
    span("support.red", HOUR, 7 * DAY, "5.42").optional(),
    span("support.orange", HOUR, 30 * DAY, "5.42").optional(),
    span("support.yellow", DAY, 90 * DAY, "5.42").optional(),
    span("support.blue", DAY, YEAR, "5.42").optional(),
    number("support.lessons_minute", 1, 1439, "5.42").optional(),
    number("support.exercise_minute", 1, 1439, "5.42").optional(),
    number("support.call_minute", 1, 1439, "5.42").optional(),
    number("protection.video_days", 30, 3_650, "5.14").optional(),
    number("protection.video_key_days", 30, 3_650, "5.14").optional(),
    number("protection.boarders_per_guard", 0, 10_000, "5.12").optional(),
    number("protection.isolation_rooms", 1, 100, "4.6").optional(),
    number("protection.large_campus_pupils", 1, 100_000, "4.6").optional(),
    number("protection.large_isolation_rooms", 1, 100, "4.6").optional(),
    number("protection.device_report_days", 1, 90, "5.14").optional(),
    records("cluster.rules", CLUSTER_ROW, "1.15, 1.19").optional(),
    text("cluster.rules[].code", 64, "1.15"),
    text("cluster.rules[].number", 8, "1.15"),
    word("cluster.rules[].scope", word::CLUSTER_SCOPES, "1.15"),
    word(
        "cluster.rules[].symptom_group",
        word::SYMPTOM_GROUPS,
        "1.15",
    )
    .optional(),
    word("cluster.rules[].disease", word::DISEASES, "1.19").optional(),
    word("cluster.rules[].counted", word::COUNTED, "1.15, 1.20"),
    number("cluster.rules[].window_days", 1, 31, "1.15, 1.19"),
    number("cluster.rules[].count", 1, CASES, "1.15, 1.19"),
    number("cluster.rules[].group_cases", 1, 1_000, "1.21").optional(),
    word("cluster.rules[].severity", word::SEVERITIES, "1.19").optional(),
    flag("cluster.rules[].confirmed", "1.20").optional(),
    word("cluster.rules[].level", word::OUTBREAK_LEVELS, "1.19"),
    span("cluster.rules[].report_sla", MINUTE, 7 * DAY, "1.15, 1.17"),
    words("cluster.rules[].recipients", word::RECIPIENTS, "1.12, 1.15"),
    number("cluster.rules[].suspend_days", 1, 30, "1.22").optional(),
    flag("cluster.rules[].alert_at_once", "1.12").optional(),
    text("cluster.rules[].source", SOURCE, "1.15"),
    records("cluster.sources", &["number"], "1.15").optional(),
    text("cluster.sources[].number", 8, "1.15"),
    text("cluster.sources[].text", SOURCE, "1.15"),
    number("health_staff.pupils_per_technician", 50, 5_000, "1.9").optional(),
    number("health_staff.children_per_technician", 50, 5_000, "1.9").optional(),
    text("health_staff.source", SOURCE, "1.9").optional(),
];

/// What tells the rows of a cluster rule apart.
const CLUSTER_ROW: &[&str] = &["code", "counted", "window_days", "severity"];

/// What is known of a key.
pub(super) fn field(path: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.path == path)
}

/// The keys of a profile itself, without those of records.
pub(super) fn keys() -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(|field| !field.path.contains("[]"))
}

/// The fields of the records of `list` with their names.
pub(super) fn of_records(list: &str) -> impl Iterator<Item = (&'static str, &'static Field)> {
    iter::zip(iter::repeat(list), FIELDS).filter_map(|(list, field)| {
        let name = field.path.strip_prefix(list)?.strip_prefix("[].")?;
        Some((name, field))
    })
}
