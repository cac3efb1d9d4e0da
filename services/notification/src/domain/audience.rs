//! Whom something is addressed to: a pure filter over the tree of organisations.

use std::collections::HashSet;

use cap::prefix;

use super::organization::OrganizationFact;
use super::place::{by_place, places_above};

/// Whom something is addressed to: everything at and below `organizations`, as far as kind, stage and
/// area let it through, and those of `listed` whatever they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Organisation ids: they and everything below them.
    pub organizations: Vec<String>,
    /// Organisation ids: they alone.
    pub listed: Vec<String>,
    /// Numbers of `Organization.Kind`; all when empty.
    pub kinds: Vec<i16>,
    /// Numbers of `Stage`; all when empty.
    pub stages: Vec<i16>,
    /// Division codes, padded with zeros or not: each with everything below it. All when empty.
    pub divisions: Vec<String>,
}

impl Audience {
    /// Everything at and below `organizations`.
    pub fn of(organizations: Vec<String>) -> Self {
        Self {
            organizations,
            ..Self::default()
        }
    }

    /// Every organisation id it names, those of `organizations` first.
    pub fn named(&self) -> impl Iterator<Item = &String> {
        self.organizations.iter().chain(&self.listed)
    }

    /// Those of `tree` that are addressed, by place. Bureaus teach nothing themselves: stages and areas
    /// let a bureau through when they let anything below it through.
    pub fn addressed(&self, tree: Vec<OrganizationFact>) -> Vec<OrganizationFact> {
        self.choose(tree, false)
    }

    /// Those addressed and the bureaus at and below `organizations` that stand above them, by place: whom
    /// something reaches that goes down step by step (rule 5.38).
    pub fn passed_down(&self, tree: Vec<OrganizationFact>) -> Vec<OrganizationFact> {
        self.choose(tree, true)
    }

    fn choose(&self, mut tree: Vec<OrganizationFact>, with_bureaus: bool) -> Vec<OrganizationFact> {
        tree.sort_by(|a, b| by_place(&a.org_path, &b.org_path));
        let paths = |ids: &[String]| -> HashSet<String> {
            let ids: HashSet<&String> = ids.iter().collect();
            let named = tree.iter().filter(|one| ids.contains(&one.id));
            named.map(|one| one.org_path.clone()).collect()
        };
        let (roots, listed) = (paths(&self.organizations), paths(&self.listed));
        let inside = |path: &str| {
            roots.contains(path) || places_above(path).any(|above| roots.contains(above))
        };
        tree.retain(|one| {
            one.addressable && (listed.contains(&one.org_path) || inside(&one.org_path))
        });
        let fits = tree.iter().filter(|one| self.fits(one));
        let above_fit = above(fits.filter(|one| inside(&one.org_path)));
        let is_addressed = |one: &OrganizationFact| {
            let fits = self.fits(one) || (one.is_bureau() && above_fit.contains(&one.org_path));
            let is_kind = self.kinds.is_empty() || self.kinds.contains(&one.kind);
            listed.contains(&one.org_path) || (is_kind && fits)
        };
        let above_addressed = above(tree.iter().filter(|one| with_bureaus && is_addressed(one)));
        let passes_on = |one: &OrganizationFact| {
            one.is_bureau() && inside(&one.org_path) && above_addressed.contains(&one.org_path)
        };
        let chosen = tree.iter().map(|one| is_addressed(one) || passes_on(one));
        let chosen: Vec<bool> = chosen.collect();
        let mut chosen = chosen.into_iter();
        tree.retain(|_| chosen.next().unwrap_or(false));
        tree
    }

    /// Whether stage and area let an organisation through by itself.
    fn fits(&self, one: &OrganizationFact) -> bool {
        let stage = self.stages.is_empty() || self.stages.iter().any(|stage| one.teaches(*stage));
        let (division, mut areas) = (prefix(&one.division), self.divisions.iter());
        stage && (self.divisions.is_empty() || areas.any(|code| division.starts_with(prefix(code))))
    }
}

/// Every place above one of `organizations`.
fn above<'a>(organizations: impl Iterator<Item = &'a OrganizationFact>) -> HashSet<String> {
    let above = organizations.flat_map(|one| places_above(&one.org_path));
    above.map(ToOwned::to_owned).collect()
}

#[cfg(test)]
#[path = "audience_tests.rs"]
mod tests;
