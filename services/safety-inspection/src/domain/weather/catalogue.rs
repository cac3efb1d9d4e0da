//! The actions and the list of the sweep as data: each entry with its source and first day.

use chrono::NaiveDate;
use serde::Deserialize;

use crate::domain::hazard::report::Category;
use crate::domain::organization::Kind;
use crate::domain::weather::action::Action;

/// What an action asks of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRule {
    /// The action.
    pub action: Action,
    /// What it is, in words.
    pub description: String,
    /// Whom it binds.
    pub kinds: Vec<Kind>,
    /// Done within so many minutes, at least one and at most those of a week.
    pub due_minutes: i32,
    /// What it rests on.
    pub source: String,
    /// The first day of what it rests on.
    pub effective: NaiveDate,
}

/// One item of the sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckItem {
    /// Its code.
    pub code: String,
    /// What is looked at, in words.
    pub description: String,
    /// The field of a hazard found there.
    pub category: Category,
    /// Nobody is taught before it is in order.
    pub blocking: bool,
    /// What it rests on.
    pub source: String,
    /// The first day of what it rests on.
    pub effective: NaiveDate,
}

/// Everything that ships about the weather.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// One rule for each action.
    pub actions: Vec<ActionRule>,
    /// The items of the sweep, in the order in which they are walked.
    pub checks: Vec<CheckItem>,
}

/// What is wrong with the data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Faulty(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionsText {
    action: Vec<ActionText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionText {
    code: String,
    description: String,
    binds: Vec<String>,
    due_minutes: i32,
    source: String,
    effective: NaiveDate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChecksText {
    item: Vec<CheckText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckText {
    code: String,
    description: String,
    category: i32,
    blocking: bool,
    source: String,
    effective: NaiveDate,
}

impl Catalogue {
    /// Reads the two files, in TOML.
    ///
    /// # Errors
    /// The first thing that is wrong: a form, a word, an action without a rule, a code twice.
    pub fn parse(actions: &str, checks: &str) -> Result<Self, Faulty> {
        let faulty = |err: toml::de::Error| Faulty(err.message().to_owned());
        let actions: ActionsText = toml::from_str(actions).map_err(faulty)?;
        let checks: ChecksText = toml::from_str(checks).map_err(faulty)?;
        let actions = actions.action.into_iter().map(action);
        let actions = actions.collect::<Result<Vec<_>, _>>()?;
        let checks = checks.item.into_iter().map(check);
        let checks = checks.collect::<Result<Vec<_>, _>>()?;
        for action in Action::ALL {
            let rules = actions.iter().filter(|rule| rule.action == *action);
            if rules.count() != 1 {
                return Err(Faulty(format!("{}: one rule is wanted", action.word())));
            }
        }
        for (place, item) in checks.iter().enumerate() {
            if checks.iter().take(place).any(|one| one.code == item.code) {
                return Err(Faulty(format!("{}: twice", item.code)));
            }
        }
        Ok(Self { actions, checks })
    }

    /// The item with a code.
    pub fn item(&self, code: &str) -> Option<&CheckItem> {
        self.checks.iter().find(|item| item.code == code)
    }
}

fn action(text: ActionText) -> Result<ActionRule, Faulty> {
    let wrong = |what: &str| Faulty(format!("{}: {what}", text.code));
    let found = Action::ALL.iter().find(|one| one.word() == text.code);
    let action = *found.ok_or_else(|| wrong("no action"))?;
    if !(1..=7 * 24 * 60).contains(&text.due_minutes) {
        return Err(wrong("due_minutes"));
    }
    let mut kinds = Vec::new();
    for word in &text.binds {
        kinds.extend_from_slice(bound(word).ok_or_else(|| wrong("binds"))?);
    }
    if kinds.is_empty() || text.description.is_empty() || text.source.is_empty() {
        return Err(wrong("incomplete"));
    }
    Ok(ActionRule {
        action,
        description: text.description,
        kinds,
        due_minutes: text.due_minutes,
        source: text.source,
        effective: text.effective,
    })
}

fn bound(word: &str) -> Option<&'static [Kind]> {
    match word {
        "SCHOOL" => Some(&[Kind::MunicipalSchool, Kind::School, Kind::University]),
        "KINDERGARTEN" => Some(&[Kind::Kindergarten]),
        "TRAINING_INSTITUTION" => Some(&[Kind::TrainingInstitution]),
        "OFF_CAMPUS_BASE" => Some(&[Kind::OffCampusBase]),
        _ => None,
    }
}

fn check(text: CheckText) -> Result<CheckItem, Faulty> {
    let category = Category::from_number(text.category);
    let category = category.ok_or_else(|| Faulty(format!("{}: category", text.code)))?;
    let upper = |c: char| c.is_ascii_uppercase() || c == '_';
    let complete = !(text.description.is_empty() || text.source.is_empty());
    if text.code.is_empty() || !text.code.chars().all(upper) || !complete {
        return Err(Faulty(format!("{}: incomplete", text.code)));
    }
    Ok(CheckItem {
        code: text.code,
        description: text.description,
        category,
        blocking: text.blocking,
        source: text.source,
        effective: text.effective,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIONS: &str = include_str!("../../../data/weather/actions.toml");
    const CHECKS: &str = include_str!("../../../data/weather/post_check.toml");

    #[test]
    fn what_ships_is_complete() {
        let catalogue = Catalogue::parse(ACTIONS, CHECKS).unwrap();
        assert_eq!(catalogue.actions.len(), Action::ALL.len());
        assert!(catalogue.checks.len() >= 10);
        assert!(catalogue.checks.iter().any(|item| item.blocking));
        assert!(catalogue.checks.iter().any(|item| !item.blocking));
        assert!(catalogue.item("WALLS").is_some() && catalogue.item("walls").is_none());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refused = |actions: &str, checks: &str| {
            Catalogue::parse(actions, checks).unwrap_err().to_string()
        };
        let without = ACTIONS.replace("code = \"duty\"", "code = \"inspect\"");
        assert_eq!(refused(&without, CHECKS), "duty: one rule is wanted");
        let unknown = ACTIONS.replace("code = \"duty\"", "code = \"dance\"");
        assert_eq!(refused(&unknown, CHECKS), "dance: no action");
        let twice = format!("{CHECKS}\n{CHECKS}");
        assert_eq!(refused(ACTIONS, &twice), "BUILDINGS: twice");
        let category = CHECKS.replacen("category = 2", "category = 99", 1);
        assert_eq!(refused(ACTIONS, &category), "BUILDINGS: category");
        let binds = ACTIONS.replacen("\"SCHOOL\"", "\"HARBOUR\"", 1);
        assert_eq!(refused(&binds, CHECKS), "duty: binds");
        let late = ACTIONS.replacen("due_minutes = ", "due_minutes = 99999", 1);
        assert_eq!(refused(&late, CHECKS), "duty: due_minutes");
    }
}
