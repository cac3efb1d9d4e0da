//! What stands in the way of teaching after a suspension (rule 5.29).

use crate::domain::weather::catalogue::CheckItem;

/// What is missing when nobody signed a disinfection.
pub const DISINFECTION: &str = "DISINFECTION";

/// The codes of what stands in the way, in the order of the list: items that nobody looked at,
/// items that must be in order and are not, and [`DISINFECTION`]. What else is not in order is a
/// hazard and goes its own way.
pub fn missing(
    items: &[CheckItem],
    passed: impl Fn(&str) -> Option<bool>,
    disinfected: bool,
) -> Vec<&str> {
    let in_the_way = items.iter().filter(|item| match passed(&item.code) {
        None => true,
        Some(passed) => item.blocking && !passed,
    });
    let disinfection = (!disinfected).then_some(DISINFECTION);
    in_the_way
        .map(|item| item.code.as_str())
        .chain(disinfection)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::hazard::report::Category;

    fn item(code: &str, blocking: bool) -> CheckItem {
        CheckItem {
            code: code.to_owned(),
            description: "看".to_owned(),
            category: Category::Building,
            blocking,
            source: "预案".to_owned(),
            effective: chrono::NaiveDate::MIN,
        }
    }

    #[test]
    fn what_must_be_in_order_blocks_and_the_rest_does_not() {
        let items = [item("WALLS", true), item("TREES", false)];
        let found = |walls, trees, disinfected| {
            let passed = |code: &str| if code == "WALLS" { walls } else { trees };
            missing(&items, passed, disinfected)
        };
        assert_eq!(found(None, None, false), ["WALLS", "TREES", DISINFECTION]);
        assert_eq!(found(Some(false), Some(false), true), ["WALLS"]);
        assert_eq!(found(Some(true), Some(false), false), [DISINFECTION]);
        assert!(found(Some(true), Some(false), true).is_empty());
    }

    proptest! {
        /// Nothing is in the way exactly when all is looked at, all that must be is in order, and
        /// somebody signed.
        #[test]
        fn nothing_is_forgotten(
            drawn in prop::collection::vec((any::<bool>(), prop::option::of(any::<bool>())), 0..8),
            disinfected: bool,
        ) {
            let items: Vec<_> = drawn.iter().enumerate()
                .map(|(number, (blocking, _))| item(&number.to_string(), *blocking)).collect();
            let passed = |code: &str| drawn[code.parse::<usize>().unwrap()].1;
            let done = drawn.iter().all(|(blocking, passed)| match passed {
                None => false,
                Some(passed) => *passed || !blocking,
            });
            prop_assert_eq!(missing(&items, passed, disinfected).is_empty(), done && disinfected);
        }
    }
}
