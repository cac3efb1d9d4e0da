//! Rules by which cases that belong together are a cluster (rules 1.12, 1.15, 1.18 to 1.21).

use std::time::Duration;

use super::disease::Severity;
use super::illness::{Case, Criterion};
use super::rules::Level;
use super::shared::{Shared, SharedKind};

/// What the cases of a cluster share. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum Scope {
    /// A class group of students.
    ClassGroup = 1,
    /// A dormitory room.
    Dormitory = 2,
    /// A school, its staff among it.
    School = 3,
    /// Who eats together.
    Meal = 4,
    /// Who drinks of the same source.
    Water = 5,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] = [
        Self::ClassGroup,
        Self::Dormitory,
        Self::School,
        Self::Meal,
        Self::Water,
    ];

    /// The number of this scope.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The scope with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.code() == code)
    }

    /// What groups of people share that counts in this scope; none for a scope of the register.
    pub fn shared(self) -> Option<SharedKind> {
        match self {
            Self::Meal => Some(SharedKind::Meal),
            Self::Water => Some(SharedKind::Water),
            Self::ClassGroup | Self::Dormitory | Self::School => None,
        }
    }

    /// Where a case counts in this scope: the path of the class group, the room, the path of the
    /// school, or each group with which the person shares something; nowhere for who has none.
    pub fn places<'c>(self, case: &'c Case, shared: &'c Shared) -> Vec<&'c str> {
        match self {
            Self::ClassGroup if case.is_student() => vec![case.group.as_str()],
            Self::Dormitory if !case.dormitory.is_empty() => vec![case.dormitory.as_str()],
            Self::School => vec![case.school()],
            Self::Meal | Self::Water => {
                let groups = self.shared().map(|kind| shared.groups(kind, case));
                groups.unwrap_or_default().into_iter().collect()
            }
            Self::ClassGroup | Self::Dormitory => Vec::new(),
        }
    }
}

/// What a condition counts. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum Counted {
    /// People with a case dated in the window.
    Cases = 1,
    /// People ill on the last day of the window, in hundredths of a percent of the class group.
    Share = 2,
    /// Class groups with at least so many people with a case dated in the window.
    ClassGroups = 3,
}

impl Counted {
    /// The number of this value.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The value with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::Cases, Self::Share, Self::ClassGroups]
            .into_iter()
            .find(|counted| counted.code() == code)
    }
}

/// A count that makes a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    /// What is counted.
    pub counted: Counted,
    /// As many civil days are counted together.
    pub window_days: u16,
    /// Reached at this count; "以上" includes the number (W1).
    pub count: u32,
    /// Cases in each class group, where class groups are counted; else 0.
    pub group_cases: u32,
    /// Only those at least so grave.
    pub severity: Severity,
    /// Only those confirmed.
    pub confirmed: bool,
}

impl Condition {
    /// So many cases in so many days.
    pub fn cases(window_days: u16, count: u32) -> Self {
        Self {
            counted: Counted::Cases,
            window_days,
            count,
            group_cases: 0,
            severity: Severity::Mild,
            confirmed: false,
        }
    }

    /// Whether a case counts at all, whenever it was.
    pub fn counts(&self, case: &Case) -> bool {
        let confirmed = case.certainty == Some(super::disease::Certainty::Confirmed);
        case.severity >= self.severity && (confirmed || !self.confirmed)
    }
}

/// A rule: any of its conditions makes a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterRule {
    /// Names the rule within a policy.
    pub code: String,
    /// The numbers in the rule book, such as `1.15`.
    pub numbers: Vec<String>,
    /// What the cases share.
    pub scope: Scope,
    /// What is counted.
    pub criterion: Criterion,
    /// Any of these.
    pub conditions: Vec<Condition>,
    /// What it leads to.
    pub level: Level,
    /// Reported within this of being found.
    pub report_sla: Duration,
    /// Who is told: numbers of the contract.
    pub recipients: Vec<i16>,
    /// Suspension is proposed for as many civil days; 0 when it is not (rule 1.22).
    pub suspend_days: u16,
    /// The recipients are told at once, while the report has its time (rule 1.12).
    pub at_once: bool,
    /// The text that it comes from, as it is shown.
    pub source: String,
}

impl ClusterRule {
    /// The longest window.
    pub fn window_days(&self) -> u16 {
        let windows = self.conditions.iter().map(|one| one.window_days);
        windows.max().unwrap_or(1).max(1)
    }
}
