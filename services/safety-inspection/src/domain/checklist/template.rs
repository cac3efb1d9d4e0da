//! Versions of a list, what is added to them, and what both come to at one place.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use kit::org::is_id;

use super::item::{Item, PlaceKind};
use crate::domain::hazard::report::Category;
use crate::domain::numbered::numbered;

numbered! {
    /// The place of a version in its life cycle; the numbers are those of the contract.
    State {
        /// May change.
        Draft = 1 "DRAFT",
        /// In force; never changes again.
        Published = 2 "PUBLISHED",
        /// No longer in force.
        Retired = 3 "RETIRED",
    }
}

/// What is done with a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Its content is changed.
    Change,
    /// It comes into force.
    Publish,
    /// It goes out of force.
    Retire,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 3] = [Self::Change, Self::Publish, Self::Retire];
}

impl State {
    /// The state after `verb`.
    ///
    /// # Errors
    /// The state itself, when the verb does not start from it.
    pub fn after(self, verb: Verb) -> Result<Self, Self> {
        match (self, verb) {
            (Self::Draft, Verb::Change) => Ok(Self::Draft),
            (Self::Draft, Verb::Publish) => Ok(Self::Published),
            (Self::Published, Verb::Retire) => Ok(Self::Retired),
            (state, _) => Err(state),
        }
    }
}

/// The id of a version: `{code}~{version}` of what ships, else `{organization}~{code}~{version}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TemplateId {
    /// The id of the owner; empty for what ships.
    pub organization: String,
    /// The same for each version.
    pub code: String,
    /// Counts from 1.
    pub version: u32,
}

impl TemplateId {
    /// What all versions have in common.
    pub fn line(&self) -> String {
        if self.organization.is_empty() {
            self.code.clone()
        } else {
            format!("{}~{}", self.organization, self.code)
        }
    }
}

impl fmt::Display for TemplateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.line(), self.version)
    }
}

impl FromStr for TemplateId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (organization, code, version) = match text.split('~').collect::<Vec<_>>()[..] {
            [code, version] => ("", code, version),
            [organization, code, version] if is_id(organization) => (organization, code, version),
            _ => return Err(()),
        };
        let number: u32 = version.parse().map_err(|_| ())?;
        let plain = number > 0 && number.to_string() == version;
        if !plain || i32::try_from(number).is_err() || !is_id(code) {
            return Err(());
        }
        Ok(Self {
            organization: organization.to_owned(),
            code: code.to_owned(),
            version: number,
        })
    }
}

/// What a version says; it may change while it is a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Shown to people.
    pub display_name: String,
    /// What it is for.
    pub place_kinds: BTreeSet<PlaceKind>,
    /// The field whose subject answers for inspections by this list.
    pub category: Category,
    /// What is looked at, in this order.
    pub items: Vec<Item>,
}

/// A version of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its id.
    pub id: TemplateId,
    /// The place of its owner; empty for what ships.
    pub org_path: String,
    /// Where it is in its life cycle.
    pub state: State,
    /// The version that it adds to; none for a list of its own.
    pub extended: Option<TemplateId>,
    /// What it says.
    pub content: Content,
}

/// Why a list adds nothing to another (items are only added, by somebody further down).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unaddable {
    /// The other is not in force.
    #[error("{0} is not in force")]
    NotInForce(TemplateId),
    /// The other adds to a third itself.
    #[error("{0} is an addition itself")]
    Addition(TemplateId),
    /// The owner does not stand below that of the other.
    #[error("{0} is not of an organisation above")]
    NotAbove(TemplateId),
    /// The other has this item: it is neither changed nor removed.
    #[error("item {0} stands in the list already")]
    Repeated(String),
}

impl Template {
    /// Checks that this adds to `base` and weakens nothing of it.
    ///
    /// # Errors
    /// [`Unaddable`] with the first reason.
    pub fn adds_to(&self, base: &Self) -> Result<(), Unaddable> {
        if base.state != State::Published {
            return Err(Unaddable::NotInForce(base.id.clone()));
        }
        if base.extended.is_some() {
            return Err(Unaddable::Addition(base.id.clone()));
        }
        let below = base.org_path.is_empty()
            || self
                .org_path
                .strip_prefix(base.org_path.as_str())
                .is_some_and(|rest| rest.starts_with('/'));
        if !below {
            return Err(Unaddable::NotAbove(base.id.clone()));
        }
        let held: BTreeSet<&str> = base.codes().collect();
        match self.codes().find(|code| held.contains(code)) {
            Some(code) => Err(Unaddable::Repeated(code.to_owned())),
            None => Ok(()),
        }
    }

    fn codes(&self) -> impl Iterator<Item = &str> {
        self.content.items.iter().map(|item| item.code.as_str())
    }
}

/// An item as it stands in a checklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The code; `{template}/{code}` for one that was added.
    pub id: String,
    /// The same for every version of the list that it comes from.
    pub key: String,
    /// The item.
    pub item: Item,
}

/// What is looked at on `day` at a place: the items of the list whose law is in force, then those of
/// `additions`, in their order. A version of the list that has an item itself stands before the
/// addition of an item with its code.
pub fn entries(base: &Template, additions: &[Template], day: NaiveDate) -> Vec<Entry> {
    let held: BTreeSet<&str> = base.codes().collect();
    let own = base.content.items.iter().map(|item| Entry {
        id: item.code.clone(),
        key: format!("{}/{}", base.id.line(), item.code),
        item: item.clone(),
    });
    let added = additions.iter().flat_map(|addition| {
        let items = addition.content.items.iter();
        let new = items.filter(|item| !held.contains(item.code.as_str()));
        new.map(|item| Entry {
            id: format!("{}/{}", addition.id, item.code),
            key: format!("{}/{}", addition.id.line(), item.code),
            item: item.clone(),
        })
    });
    own.chain(added)
        .filter(|entry| entry.item.clause.effective <= day)
        .collect()
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
