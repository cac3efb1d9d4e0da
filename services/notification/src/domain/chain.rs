//! The chain down which a directive goes: each recipient gets it from the nearest one above (rule 5.38).

use super::place::{by_place, contains};

/// What a recipient is; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A bureau or a zone.
    District = 1,
    /// A school, or whatever else is no bureau.
    School = 2,
    /// A class group.
    ClassGroup = 3,
}

impl Level {
    /// Every level, from the top.
    pub const ALL: [Self; 3] = [Self::District, Self::School, Self::ClassGroup];
}

/// Somebody whom a directive is to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The recipient id.
    pub recipient: String,
    /// The place in the tree.
    pub org_path: String,
    /// What it is.
    pub level: Level,
}

/// Somebody whom a directive reaches, and who passes it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressee {
    /// Who.
    pub place: Place,
    /// The recipient id of the nearest one above; empty when it comes from the orderer.
    pub upper: String,
    /// The recipient id of the bureau through which it leaves the orderer; empty without one.
    pub district: String,
    /// How many are right below.
    pub below: i32,
}

/// The recipient id of a class group: `{organization}~{class_group}`; that of an organisation is its own.
pub fn recipient_id(organization: &str, class_group: &str) -> String {
    format!("{organization}~{class_group}")
}

/// The organisation id in a recipient id, and the class group's; empty for an organisation.
pub fn parts(recipient: &str) -> (&str, &str) {
    recipient.split_once('~').unwrap_or((recipient, ""))
}

/// Chains recipients, by place: each gets the directive from the nearest one above. The orderer itself
/// is none of them, and nobody is twice.
pub fn chain(orderer: &str, mut places: Vec<Place>) -> Vec<Addressee> {
    places.retain(|place| place.org_path != orderer);
    places.sort_by(|a, b| by_place(&a.org_path, &b.org_path));
    places.dedup_by(|a, b| a.org_path == b.org_path);
    // In path order everything below a place follows it before any place that is not.
    let mut above: Vec<usize> = Vec::new();
    let mut chained: Vec<Addressee> = Vec::with_capacity(places.len());
    for place in places {
        let is_above = |index: &usize| contains(&chained[*index].place.org_path, &place.org_path);
        while above.last().is_some_and(|upper| !is_above(upper)) {
            above.pop();
        }
        let top = above.first().map(|top| &chained[*top].place);
        let top = top.filter(|top| top.level == Level::District);
        let district = top.map(|top| top.recipient.clone()).unwrap_or_default();
        let upper = above.last().map(|upper| &mut chained[*upper]);
        let upper = upper.map(|upper| {
            upper.below += 1;
            upper.place.recipient.clone()
        });
        above.push(chained.len());
        chained.push(Addressee {
            place,
            upper: upper.unwrap_or_default(),
            district,
            below: 0,
        });
    }
    // A bureau that passes it on is of its own district; one with nobody below is of none.
    for one in &mut chained {
        if one.upper.is_empty() && one.below > 0 && one.place.level == Level::District {
            one.district.clone_from(&one.place.recipient);
        }
    }
    chained
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
