//! What of the counts of people's health a caller does not see at a place.

use std::collections::BTreeMap;

use kit::auth::{Caller, Permission};
use kit::org::OrgPath;
use kit::privacy::Veil;

use crate::domain::health::veil::{Counts, Hidden, Veils};

/// The veils of a caller at a place: whoever may read what is counted sees the count. `k` is `privacy.k`.
pub(super) fn veils(caller: &Caller, place: &OrgPath, k: u32) -> Veils {
    let may = |permission| caller.require(permission, place).is_ok();
    let unless = |also: bool| {
        if also || may(Permission::HealthRead) {
            Veil::NONE
        } else {
            Veil::below(k)
        }
    };
    Veils {
        ill: unless(false),
        absences: unless(may(Permission::AbsenceRead)),
        clusters: unless(may(Permission::ClusterRead)),
        cases: unless(may(Permission::CaseRead)),
    }
}

/// The highest place whose counts the caller sees, `place` or one above it: what is hidden is judged over all
/// that is there.
pub(super) fn top(caller: &Caller, place: &OrgPath) -> OrgPath {
    let scope = &caller.scope;
    if scope.is_root() {
        let city = place.ids().next().unwrap_or_default();
        return OrgPath::root().join(city);
    }
    let top = if scope.contains(place) { scope } else { place };
    top.clone()
}

/// What is hidden of a place and of those right below it.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    place: String,
    at: Hidden,
    below: BTreeMap<String, Hidden>,
}

impl Judged {
    /// Judges `place` and, when asked, those below it. `schools` has the counts of every school at or below
    /// `top`.
    pub(super) fn new(
        veils: &Veils,
        schools: &BTreeMap<String, Counts>,
        (top, place): (&OrgPath, &OrgPath),
        below: bool,
    ) -> Self {
        let at = veils.hidden_at(schools, top.as_str(), place.as_str());
        let below = if below {
            veils.hidden_below(schools, place.as_str(), &at)
        } else {
            BTreeMap::new()
        };
        Self {
            place: place.to_string(),
            at,
            below,
        }
    }

    /// What is hidden of one of these places.
    pub(super) fn of(&self, path: &str) -> Hidden {
        if path == self.place {
            return self.at.clone();
        }
        let id = path.rsplit('/').next().unwrap_or_default();
        self.below.get(id).cloned().unwrap_or_default()
    }
}
