//! Sampling plans.

use std::fmt;
use std::str::FromStr;

use super::day::Day;
use super::quota::Ratio;
use super::roll::GroupKind;

/// What kind of people a plan draws, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlanKind {
    /// Students in rotation.
    StudentRotation,
    /// Staff, holders of key posts more often.
    StaffByPost,
    /// Everybody.
    MassRound,
}

impl PlanKind {
    /// Whether groups of this kind are drawn under the plan.
    pub fn draws(self, group: GroupKind) -> bool {
        match (self, group) {
            (Self::StudentRotation, GroupKind::Students)
            | (Self::StaffByPost, GroupKind::Staff)
            | (Self::MassRound, GroupKind::Students | GroupKind::Staff) => true,
            (Self::StudentRotation, GroupKind::Staff)
            | (Self::StaffByPost, GroupKind::Students) => false,
        }
    }

    /// As it is stored.
    pub fn code(self) -> i16 {
        match self {
            Self::StudentRotation => 1,
            Self::StaffByPost => 2,
            Self::MassRound => 3,
        }
    }

    /// From how it is stored.
    pub fn from_code(code: i16) -> Option<Self> {
        match code {
            1 => Some(Self::StudentRotation),
            2 => Some(Self::StaffByPost),
            3 => Some(Self::MassRound),
            _ => None,
        }
    }
}

/// The identifier of a plan: 1 to 32 of `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanId(String);

/// The text is no resource name of the kind expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a resource name of this kind")]
pub struct InvalidName;

impl PlanId {
    /// Checks an identifier.
    ///
    /// # Errors
    /// When it is empty, too long, or has another character.
    pub fn new(id: &str) -> Result<Self, InvalidName> {
        if is_id(id) {
            Ok(Self(id.to_owned()))
        } else {
            Err(InvalidName)
        }
    }

    /// The identifier without collection.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PlanId {
    type Err = InvalidName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name.strip_prefix("plans/").ok_or(InvalidName)?)
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plans/{}", self.0)
    }
}

/// Whether a text may stand in a resource name as an identifier of an organisation, group or plan.
pub fn is_id(id: &str) -> bool {
    (1..=32).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The identifier of the draw of one school and day: `{plan}~{YYYYMMDD}~{organization}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DrawId {
    /// The plan.
    pub plan: PlanId,
    /// The day.
    pub day: Day,
    /// The school.
    pub organization: String,
}

impl DrawId {
    /// The identifier without collection.
    pub fn id(&self) -> String {
        let date = self
            .day
            .date()
            .map(|date| date.format("%Y%m%d").to_string());
        format!(
            "{}~{}~{}",
            self.plan.as_str(),
            date.unwrap_or_default(),
            self.organization
        )
    }
}

impl FromStr for DrawId {
    type Err = InvalidName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut parts = name.strip_prefix("draws/").ok_or(InvalidName)?.split('~');
        let (Some(plan), Some(date), Some(school), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidName);
        };
        let day: Day = chrono::NaiveDate::parse_from_str(date, "%Y%m%d")
            .map_err(|_| InvalidName)?
            .into();
        let id = Self {
            plan: PlanId::new(plan)?,
            day,
            organization: school.to_owned(),
        };
        if is_id(school) && id.to_string() == name {
            Ok(id)
        } else {
            Err(InvalidName)
        }
    }
}

impl fmt::Display for DrawId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "draws/{}", self.id())
    }
}

/// Who is sampled how often within one part of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its identifier.
    pub id: PlanId,
    /// Shown to people.
    pub display_name: String,
    /// Who is drawn.
    pub kind: PlanKind,
    /// The organisation's place in the tree.
    pub org_path: String,
    /// The share a day.
    pub ratio: Ratio,
    /// Everybody once in as many draws.
    pub cycle_days: u8,
    /// The first day.
    pub start: Day,
    /// The last day.
    pub end: Option<Day>,
    /// Nothing is drawn any more.
    pub ended: bool,
    /// The policy whose numbers filled what was left out.
    pub policy_version: String,
}

impl Plan {
    /// Whether draws are made on `day`.
    pub fn is_active(&self, day: Day) -> bool {
        !self.ended && self.start <= day && self.end.is_none_or(|end| day <= end)
    }

    /// Since when somebody waits who could be drawn from `since` on and was last swabbed on
    /// `last`. Nobody waits under a plan before it began.
    pub fn waiting_since(&self, last: Day, since: Day) -> Day {
        last.max(since.before()).max(self.start.before())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_and_others_are_refused() {
        let name = "draws/students~20220406~2135010001";
        assert_eq!(name.parse::<DrawId>().unwrap().to_string(), name);
        for wrong in [
            "draws/students~2022046~2135010001",
            "draws/students~20220431~2135010001",
            "draws/~20220406~2135010001",
            "draws/students~20220406~",
            "draws/students~20220406~a~b",
            "plans/students",
        ] {
            assert_eq!(wrong.parse::<DrawId>(), Err(InvalidName), "{wrong}");
        }
        assert_eq!("plans/Students".parse::<PlanId>(), Err(InvalidName));
    }
}
