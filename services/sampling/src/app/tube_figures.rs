//! What became of the tubes of today, and which holds are in force, beside how far the rotation has come.

use std::collections::HashMap;

use kit::auth::{Caller, Permission};
use kit::org::OrgPath;

use super::App;
use super::coverage::Covered;
use crate::domain::tube_day::TubeDay;
use crate::error::Error;
use crate::store::tube_days;

/// The tubes of one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tubes {
    /// Those of today.
    pub(crate) today: TubeDay,
    /// Those of any day that wait for a result after it was due.
    pub(crate) overdue: i64,
    /// Whether the caller sees how many are positive.
    pub(crate) with_results: bool,
}

/// The holds of one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holds {
    /// Those in force.
    pub(crate) count: i64,
    /// Of them, those whose time for single swabs is over.
    pub(crate) overdue: i64,
}

impl App {
    /// Adds tubes and holds to places at or below `root`: what the caller may read there one by one.
    /// `index` tells where each place stands in `covered`.
    pub(super) async fn add_tubes(
        &self,
        caller: &Caller,
        root: &OrgPath,
        index: &HashMap<String, usize>,
        covered: &mut [Covered],
    ) -> Result<(), Error> {
        let may = |permission| caller.require(permission, root).is_ok();
        let read = self.db.read();
        let now = self.clock.now().timestamp_millis();
        if may(Permission::TubeRead) {
            let with_results = may(Permission::ResultRead);
            for one in covered.iter_mut() {
                one.tubes = Some(Tubes {
                    with_results,
                    ..Tubes::default()
                });
            }
            for (path, day) in tube_days::of_day(read, root, self.today()).await? {
                for at in places(index, &path) {
                    if let Some(tubes) = tubes_of(covered, at) {
                        tubes.today.add(&day, 1);
                    }
                }
            }
            for (path, count) in tube_days::overdue(read, root, now).await? {
                for at in places(index, &path) {
                    if let Some(tubes) = tubes_of(covered, at) {
                        tubes.overdue = tubes.overdue.saturating_add(count);
                    }
                }
            }
        }
        if may(Permission::HoldRead) {
            for one in covered.iter_mut() {
                one.holds = Some(Holds::default());
            }
            for (path, count, overdue) in tube_days::holds(read, root, now).await? {
                for at in places(index, &path) {
                    let found = covered.get_mut(at);
                    if let Some(holds) = found.and_then(|one| one.holds.as_mut()) {
                        holds.count = holds.count.saturating_add(count);
                        holds.overdue = holds.overdue.saturating_add(overdue);
                    }
                }
            }
        }
        Ok(())
    }
}

fn tubes_of(covered: &mut [Covered], at: usize) -> Option<&mut Tubes> {
    covered.get_mut(at)?.tubes.as_mut()
}

/// Where the places stand at which `path` is, or which are above it.
fn places<'a>(
    index: &'a HashMap<String, usize>,
    path: &'a str,
) -> impl Iterator<Item = usize> + 'a {
    let ends = path.match_indices('/').map(|(end, _)| end);
    ends.chain([path.len()])
        .filter_map(move |end| index.get(path.get(..end)?).copied())
}
