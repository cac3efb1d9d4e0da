//! What goes its way through a day by steps, each of which rests on the one before.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

/// How far it has come.
#[derive(Debug, Default)]
pub(super) struct Course {
    name: OnceLock<String>,
    steps: AtomicU8,
}

impl Course {
    /// As many as are planned, of which nothing is done.
    pub(super) fn several(count: usize) -> Vec<Self> {
        (0..count).map(|_| Self::default()).collect()
    }

    /// Its first step is done, which gave it its resource name.
    pub(super) fn begin(&self, name: String) {
        self.name.get_or_init(|| name);
        self.reach(1);
    }

    /// Its name, when just so many steps are done.
    pub(super) fn after(&self, steps: u8) -> Option<&str> {
        let done = self.steps.load(Ordering::Acquire);
        let name = self.name.get().filter(|_| done == steps);
        name.map(String::as_str)
    }

    /// So many steps are done.
    pub(super) fn reach(&self, steps: u8) {
        self.steps.fetch_max(steps, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_rests_on_the_one_before() {
        let course = Course::default();
        assert_eq!((course.after(0), course.after(1)), (None, None));
        course.begin("visits/1".to_owned());
        assert_eq!((course.after(1), course.after(2)), (Some("visits/1"), None));
        course.reach(2);
        assert_eq!((course.after(1), course.after(2)), (None, Some("visits/1")));
    }
}
