//! What a migration takes away from versions before, said beside it. A schema first grows (expand),
//! then the code moves over (migrate), and only a later release takes away what no version that may
//! still run rests on (contract).

use std::collections::BTreeMap;
use std::fmt;

/// A migration that takes something away, and the release since which nothing rests on that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The name of the migration.
    pub migration: &'static str,
    /// Everything that it takes away, as [`shape::Loss`](super::shape::Loss) writes it, in order.
    pub takes: &'static [&'static str],
    /// The first release whose code rests on none of it: older than the one that has the migration,
    /// by a minor version at least.
    pub unused_since: &'static str,
}

impl Contract {
    /// The release of what no release ever had.
    pub const UNRELEASED: &'static str = "0.0.0";
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let takes = self.takes.join(", ");
        if self.unused_since == Self::UNRELEASED {
            write!(f, "takes away {takes}, which no release had")
        } else {
            let since = self.unused_since;
            write!(f, "takes away {takes}, unused since {since}")
        }
    }
}

/// What is wrong with `contracts` in release `version`, when `found` is what each migration takes
/// away; empty when nothing is.
pub(super) fn judge(
    contracts: &[Contract],
    found: &BTreeMap<String, Vec<String>>,
    version: &str,
) -> Vec<String> {
    let mut complaints = Vec::new();
    for (migration, losses) in found {
        let contract = contracts.iter().find(|one| one.migration == migration);
        let told = contract.map_or(&[][..], |contract| contract.takes);
        let untold = losses.iter().filter(|loss| !told.contains(&loss.as_str()));
        complaints.extend(untold.map(|loss| format!("{migration}: {loss}: no contract says so")));
    }
    for contract in contracts {
        let migration = contract.migration;
        let losses = found.get(migration).map_or(&[][..], Vec::as_slice);
        let kept = contract
            .takes
            .iter()
            .filter(|told| !losses.iter().any(|loss| loss == *told));
        complaints.extend(kept.map(|told| format!("{migration}: {told}: is not so")));
        match (minor(contract.unused_since), minor(version)) {
            (Some(since), Some(now)) if since < now => {}
            _ => complaints.push(format!(
                "{migration}: unused since {}: the version before {version} may still rest on it",
                contract.unused_since
            )),
        }
    }
    complaints
}

/// Major and minor number of a version.
fn minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GONE: Contract = Contract {
        migration: "m2",
        takes: &["column hazards.owner"],
        unused_since: "0.2.0",
    };

    fn found(migration: &str, loss: &str) -> BTreeMap<String, Vec<String>> {
        BTreeMap::from([(migration.to_owned(), vec![loss.to_owned()])])
    }

    #[test]
    fn what_is_taken_away_is_said_and_nothing_else_is() {
        let losses = found("m2", "column hazards.owner");
        assert_eq!(judge(&[GONE], &losses, "0.3.0"), [""; 0]);
        assert_eq!(
            judge(&[], &losses, "0.3.0"),
            ["m2: column hazards.owner: no contract says so"]
        );
        assert_eq!(
            judge(&[GONE], &BTreeMap::new(), "0.3.0"),
            ["m2: column hazards.owner: is not so"]
        );
        assert_eq!(
            judge(&[GONE], &found("m2", "table hazards"), "0.3.0").len(),
            2
        );
    }

    #[test]
    fn what_the_version_before_may_rest_on_stays() {
        let losses = found("m2", "column hazards.owner");
        for (version, kept) in [("0.2.0", 1), ("0.2.9", 1), ("0.3.0", 0), ("1.0.0", 0)] {
            assert_eq!(judge(&[GONE], &losses, version).len(), kept, "{version}");
        }
        let never = Contract {
            unused_since: Contract::UNRELEASED,
            ..GONE
        };
        assert_eq!(judge(&[never], &losses, "0.1.0"), [""; 0]);
        let nonsense = Contract {
            unused_since: "soon",
            ..GONE
        };
        assert_eq!(judge(&[nonsense], &losses, "0.3.0").len(), 1);
    }
}
