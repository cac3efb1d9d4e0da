//! How much each caller has under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts calls and streams by caller. Clones share the counts.
#[derive(Clone, Debug)]
pub(crate) struct Callers {
    most: usize,
    under_way: Arc<Mutex<HashMap<String, usize>>>,
}

/// A call counts as under way until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    callers: Callers,
    subject: String,
}

impl Callers {
    /// Each caller may have `most` under way.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            under_way: Arc::default(),
        }
    }

    /// A place for one more call of `subject`; none when it has as many as it may.
    pub(crate) fn enter(&self, subject: &str) -> Option<Place> {
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match under_way.get_mut(subject) {
            Some(count) if *count >= self.most => return None,
            Some(count) => *count += 1,
            None => drop(under_way.insert(subject.to_owned(), 1)),
        }
        Some(Place {
            callers: self.clone(),
            subject: subject.to_owned(),
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
        if let Some(count) = under_way.get_mut(&self.subject) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_places_of_its_own_and_gets_them_back() {
        let callers = Callers::new(2);
        let first = callers.enter("a").unwrap();
        let second = callers.enter("a").unwrap();
        assert!(callers.enter("a").is_none());
        let other = callers.enter("b").unwrap();
        drop(first);
        let third = callers.enter("a").unwrap();
        assert!(callers.enter("a").is_none());
        drop((second, third, other));
        assert!(
            callers.under_way.lock().unwrap().is_empty(),
            "nobody is remembered"
        );
    }
}
