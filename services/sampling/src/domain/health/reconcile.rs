//! What is found makes of the clusters that are known: they fire, grow, merge and fall. A pure
//! function.

use std::collections::BTreeSet;

use super::cluster::Finding;
use super::cluster_state::ClusterState;
use super::illness::Case;
use crate::domain::day::Day;
use crate::domain::roll::PersonId;

/// A cluster that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its identifier.
    pub id: String,
    /// The code of its rule.
    pub rule: String,
    /// Where, within the rule's scope.
    pub place: String,
    /// The first day of its cases.
    pub first: Day,
    /// Its last day; of one that is closed, the day on which it was.
    pub last: Day,
    /// Where it stands.
    pub state: ClusterState,
    /// Whether the facts still reach the rule.
    pub stands: bool,
    /// When it fired: of clusters that grow together the oldest goes on.
    pub fired: i64,
    /// Whose cases it used up; of one that is closed alone.
    pub used_up: BTreeSet<PersonId>,
}

impl Known {
    /// Whether it is of this rule and place.
    pub fn is_at(&self, rule: &str, place: &str) -> bool {
        self.rule == rule && self.place == place
    }

    /// Whether it was closed over this case: that of one of its people, on one of its days. Who falls
    /// ill after it, or was none of its people, is counted anew.
    pub fn has_used_up(&self, case: &Case) -> bool {
        self.state == ClusterState::Closed
            && self.used_up.contains(&case.person)
            && case.day <= self.last
            && self.first <= case.last
    }
}

/// As far as a change of cases reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// Clusters with a day among these may change.
    pub core: (Day, Day),
    /// Cases of these days tell all about them.
    pub load: (Day, Day),
}

/// How far a change of cases dated within `changed` reaches when no window is longer than
/// `window` days. A cluster is a chain of windows, so what is known of it tells how far it goes.
pub fn horizon(changed: (Day, Day), window: u16, known: &[Known]) -> Horizon {
    let wider = |(first, last): (Day, Day)| {
        let first = Day::from_number(first.number().saturating_sub(window));
        (
            first,
            Day::from_number(last.number().saturating_add(window)),
        )
    };
    let core = wider(changed);
    let mut load = core;
    for cluster in known.iter().filter(|cluster| cluster.state.lives()) {
        if cluster.first <= core.1 && core.0 <= cluster.last {
            load = (load.0.min(cluster.first), load.1.max(cluster.last));
        }
    }
    Horizon {
        core,
        load: wider(load),
    }
}

/// What becomes of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// It fires.
    Fires(Finding<'a>),
    /// The cluster with this identifier is this now.
    Is(String, Finding<'a>),
    /// The first is part of the second now.
    Merges(String, String),
    /// The facts of the cluster with this identifier do not reach its rule any more.
    Falls(String),
}

/// Compares what is known with what is found near `core`. A finding that shares a day with a
/// cluster of its rule and place is that cluster; if with several, the oldest, and the others are
/// part of it; if with none, it fires. A cluster that lives and is not found falls.
pub fn reconcile<'a>(
    known: &[Known],
    findings: Vec<Finding<'a>>,
    core: (Day, Day),
) -> Vec<Verdict<'a>> {
    let near = |cluster: &&Known| {
        cluster.state.lives() && cluster.first <= core.1 && core.0 <= cluster.last
    };
    let mut left: Vec<&Known> = known.iter().filter(near).collect();
    left.sort_by_key(|cluster| (cluster.fired, &cluster.id));
    let all = left.clone();
    let mut verdicts = Vec::new();
    for finding in findings {
        let same = |cluster: &&&Known| {
            cluster.is_at(&finding.rule.code, &finding.place)
                && finding.shares_a_day((cluster.first, cluster.last))
        };
        if !finding.shares_a_day(core) && !all.iter().any(|cluster| same(&cluster)) {
            continue;
        }
        let mine: Vec<&Known> = left.iter().filter(same).copied().collect();
        let Some((oldest, others)) = mine.split_first() else {
            verdicts.push(Verdict::Fires(finding));
            continue;
        };
        for other in others {
            verdicts.push(Verdict::Merges(other.id.clone(), oldest.id.clone()));
        }
        verdicts.push(Verdict::Is(oldest.id.clone(), finding));
        left.retain(|cluster| !mine.iter().any(|one| one.id == cluster.id));
    }
    let fallen = left.into_iter().filter(|cluster| cluster.stands);
    verdicts.extend(fallen.map(|cluster| Verdict::Falls(cluster.id.clone())));
    verdicts
}
