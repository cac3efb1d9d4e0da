//! The legal floors: bounds that a region may tighten and never loosen (rules 9 and 6.9).

use chrono::TimeDelta;

use super::value::{Profile, Value, span_text};

/// What the law asks of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A number of at least this.
    AtLeast(i64),
    /// A number of at most this.
    AtMost(i64),
    /// A span of at most as many hours.
    WithinHours(i64),
    /// True.
    Always,
}

/// One legal floor.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// The key, `[]` behind a list.
    pub path: &'static str,
    /// What the law asks.
    pub bound: Bound,
    /// The number in the rule book.
    pub rule: &'static str,
    /// The source in Chinese.
    pub source: &'static str,
    /// The source in English.
    pub source_en: &'static str,
}

const fn floor(
    path: &'static str,
    bound: Bound,
    rule: &'static str,
    source: &'static str,
    source_en: &'static str,
) -> Floor {
    Floor {
        path,
        bound,
        rule,
        source,
        source_en,
    }
}

const REPORTING: &str = "《学校和托幼机构传染病疫情报告工作规范(试行)》";
const REPORTING_EN: &str = "Norm on epidemic reports of schools and nurseries";
const ACCIDENTS: &str = "《生产安全事故报告和调查处理条例》第十一条";
const ACCIDENTS_EN: &str = "Regulation on reporting production accidents, art. 11";
/// Where the rule book calls a rule a floor without naming a statute.
const BOOK: &str = "规则书第 9 节";
const BOOK_EN: &str = "rule book, section 9";
const DRILLS: &str = "教基一厅〔2014〕2号";
const DRILLS_EN: &str = "Guide to evacuation drills, 2014";

/// Every legal floor.
pub const FLOORS: &[Floor] = &[
    floor(
        "audit.retention_days",
        Bound::AtLeast(180),
        "6.9",
        "《网络安全法》第二十一条",
        "Cybersecurity Law, art. 21",
    ),
    floor(
        "audit.partner_log_years",
        Bound::AtLeast(3),
        "6.9",
        "《网络数据安全管理条例》第十二条",
        "Regulation on Network Data Security, art. 12",
    ),
    floor(
        "audit.impact_assessment_years",
        Bound::AtLeast(3),
        "6.3",
        "《个人信息保护法》第五十六条",
        "Personal Information Protection Law, art. 56",
    ),
    floor(
        "retention.approval_years",
        Bound::AtLeast(3),
        "6.13",
        BOOK,
        BOOK_EN,
    ),
    floor("check.zero_report", Bound::Always, "1.5", BOOK, BOOK_EN),
    floor(
        "absence.upload_sla",
        Bound::WithinHours(24),
        "1.8",
        BOOK,
        BOOK_EN,
    ),
    floor(
        "alert.class_one_day_cases",
        Bound::AtMost(3),
        "1.15",
        REPORTING,
        REPORTING_EN,
    ),
    floor(
        "alert.class_three_day_cases",
        Bound::AtMost(5),
        "1.15",
        REPORTING,
        REPORTING_EN,
    ),
    floor(
        "alert.report_sla",
        Bound::WithinHours(24),
        "1.15",
        REPORTING,
        REPORTING_EN,
    ),
    floor(
        "alert.class_a_report_sla",
        Bound::WithinHours(2),
        "1.17, 1.18",
        "《突发公共卫生事件应急条例》第十九条、第二十条",
        "Regulation on Public Health Emergencies, art. 19 and 20",
    ),
    floor(
        "outbreak.rules[].report_sla",
        Bound::WithinHours(24),
        "1.15",
        REPORTING,
        REPORTING_EN,
    ),
    floor(
        "report.hops[].sla",
        Bound::WithinHours(2),
        "1.17",
        "《突发公共卫生事件应急条例》第十九条、第二十条",
        "Regulation on Public Health Emergencies, art. 19 and 20",
    ),
    floor(
        "report.follow_up",
        Bound::WithinHours(24),
        "5.35",
        BOOK,
        BOOK_EN,
    ),
    floor(
        "hazard.reviewer_differs",
        Bound::Always,
        "5.9",
        BOOK,
        BOOK_EN,
    ),
    floor(
        "incident.hop_sla",
        Bound::WithinHours(2),
        "5.33",
        ACCIDENTS,
        ACCIDENTS_EN,
    ),
    floor(
        "incident.slas[].written",
        Bound::WithinHours(24),
        "5.33",
        BOOK,
        BOOK_EN,
    ),
    floor(
        "drill.school_per_month",
        Bound::AtLeast(1),
        "5.18",
        DRILLS,
        DRILLS_EN,
    ),
    floor(
        "drill.kindergarten_per_quarter",
        Bound::AtLeast(1),
        "5.18",
        DRILLS,
        DRILLS_EN,
    ),
];

impl Bound {
    /// Whether the value is as strict as the law asks; a value of another kind is not.
    pub fn holds(self, value: &Value) -> bool {
        match self {
            Self::AtLeast(least) => value.as_number().is_some_and(|number| number >= least),
            Self::AtMost(most) => value.as_number().is_some_and(|number| number <= most),
            Self::WithinHours(hours) => value
                .as_span()
                .is_some_and(|span| span <= TimeDelta::hours(hours)),
            Self::Always => value.as_flag() == Some(true),
        }
    }

    pub(super) fn zh(self) -> String {
        match self {
            Self::AtLeast(least) => format!("不得低于 {least}"),
            Self::AtMost(most) => format!("不得高于 {most}"),
            Self::WithinHours(hours) => format!("不得超过 {}", span_text(TimeDelta::hours(hours))),
            Self::Always => "必须为 true".to_owned(),
        }
    }

    pub(super) fn en(self) -> String {
        match self {
            Self::AtLeast(least) => format!("at least {least}"),
            Self::AtMost(most) => format!("at most {most}"),
            Self::WithinHours(hours) => format!("at most {}", span_text(TimeDelta::hours(hours))),
            Self::Always => "true".to_owned(),
        }
    }
}

impl Floor {
    /// Every value that the floor is about, with its place.
    pub(super) fn values<'a>(&self, profile: &'a Profile) -> Vec<(String, &'a Value)> {
        let Some((list, name)) = self.path.split_once("[].") else {
            let value = profile.get(self.path);
            return value
                .map(|value| (self.path.to_owned(), value))
                .into_iter()
                .collect();
        };
        let records = profile.records(list);
        records
            .filter_map(|(place, record)| {
                Some((format!("{list}[{place}].{name}"), record.get(name)?))
            })
            .collect()
    }
}
