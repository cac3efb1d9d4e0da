//! How much each caller has under way, altogether or of one method.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use kit::auth::Caller;

/// Who has a share of what there is: each caller, and each partner together with whoever comes over its
/// connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Whose {
    Caller(String),
    Partner(String),
}

impl Whose {
    /// Whose share `caller` has a part in.
    pub(crate) fn of(caller: &Caller) -> Self {
        match &caller.partner {
            Some(partner) => Self::Partner(partner.clone()),
            None => Self::Caller(caller.subject.clone()),
        }
    }
}

/// Of whom calls are counted, and of which method; the empty path is all of them.
type Share = (Whose, String);

/// Counts calls and streams by caller. Clones share the counts.
#[derive(Clone, Debug)]
pub(crate) struct Callers {
    most: usize,
    under_way: Arc<Mutex<HashMap<Share, usize>>>,
}

/// A call counts as under way until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    callers: Callers,
    share: Share,
}

impl Callers {
    /// Each caller may have `most` under way.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            under_way: Arc::default(),
        }
    }

    /// A place for one more call of `caller`; none when there are as many as there may be.
    pub(crate) fn enter(&self, caller: &Caller) -> Option<Place> {
        self.enter_at("", caller)
    }

    /// A place for one more call of `caller` to the method at `path`, of which there may be as many as of every
    /// other; none when there are.
    pub(crate) fn enter_at(&self, path: &str, caller: &Caller) -> Option<Place> {
        let share = (Whose::of(caller), path.to_owned());
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match under_way.get_mut(&share) {
            Some(count) if *count >= self.most => return None,
            Some(count) => *count += 1,
            None => drop(under_way.insert(share.clone(), 1)),
        }
        Some(Place {
            callers: self.clone(),
            share,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = self
            .callers
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = under_way.get_mut(&self.share) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.share);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(subject: &str, partner: Option<&str>) -> Caller {
        Caller {
            subject: subject.to_owned(),
            partner: partner.map(ToOwned::to_owned),
            ..Caller::default()
        }
    }

    #[test]
    fn each_caller_has_places_of_its_own_and_gets_them_back() {
        let callers = Callers::new(2);
        let (a, b) = (caller("a", None), caller("b", None));
        let first = callers.enter(&a).unwrap();
        let second = callers.enter(&a).unwrap();
        assert!(callers.enter(&a).is_none());
        let other = callers.enter(&b).unwrap();
        drop(first);
        let third = callers.enter(&a).unwrap();
        assert!(callers.enter(&a).is_none());
        drop((second, third, other));
        assert!(
            callers.under_way.lock().unwrap().is_empty(),
            "nobody is remembered"
        );
    }

    #[test]
    fn whoever_comes_over_the_connections_of_a_partner_shares_its_places() {
        let callers = Callers::new(2);
        let _first = callers.enter(&caller("a", Some("lab"))).unwrap();
        let _second = callers.enter(&caller("b", Some("lab"))).unwrap();
        assert!(callers.enter(&caller("lab", Some("lab"))).is_none());
        assert!(
            callers.enter(&caller("lab", None)).is_some(),
            "another one of that name"
        );
        assert!(callers.enter(&caller("a", None)).is_some());
    }
}
