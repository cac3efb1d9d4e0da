//! What stands in the way of teaching after a suspension (rule 5.29).

use crate::domain::weather::catalogue::CheckItem;

/// What is missing when nobody signed a disinfection.
pub const DISINFECTION: &str = "DISINFECTION";

/// What is known of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is in order, and so is what was wrong with it before.
    InOrder,
    /// It is not in order, but people are safe from it: the hazard is closed or a major one is under
    /// interim control.
    Safe,
    /// It is not in order, or the hazard that was found at it still endangers people.
    Dangerous,
}

impl Found {
    /// What the newest look and the hazard that was ever found at the item come to.
    pub fn of(passed: bool, hazard: Option<bool>) -> Self {
        match (passed, hazard) {
            (_, Some(true)) | (false, None) => Self::Dangerous,
            (false, Some(false)) => Self::Safe,
            (true, None | Some(false)) => Self::InOrder,
        }
    }
}

/// The codes of what stands in the way, in the order of the list: items that nobody looked at,
/// items that must be in order and endanger people, and [`DISINFECTION`]. What else is not in order is
/// a hazard and goes its own way.
pub fn missing(
    items: &[CheckItem],
    found: impl Fn(&str) -> Option<Found>,
    disinfected: bool,
) -> Vec<&str> {
    let in_the_way = items.iter().filter(|item| match found(&item.code) {
        None => true,
        Some(found) => item.blocking && found == Found::Dangerous,
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
        let [good, safe, bad] = [Found::InOrder, Found::Safe, Found::Dangerous].map(Some);
        assert_eq!(found(None, None, false), ["WALLS", "TREES", DISINFECTION]);
        assert_eq!(found(bad, bad, true), ["WALLS"]);
        assert_eq!(found(good, bad, false), [DISINFECTION]);
        assert!(found(good, bad, true).is_empty());
        assert!(found(safe, bad, true).is_empty());
    }

    #[test]
    fn an_item_in_order_stays_dangerous_while_its_hazard_does() {
        assert_eq!(Found::of(true, None), Found::InOrder);
        assert_eq!(Found::of(true, Some(false)), Found::InOrder);
        assert_eq!(Found::of(true, Some(true)), Found::Dangerous);
        assert_eq!(Found::of(false, None), Found::Dangerous);
        assert_eq!(Found::of(false, Some(false)), Found::Safe);
        assert_eq!(Found::of(false, Some(true)), Found::Dangerous);
    }

    fn found() -> impl Strategy<Value = Found> {
        prop::sample::select(vec![Found::InOrder, Found::Safe, Found::Dangerous])
    }

    proptest! {
        /// Nothing is in the way exactly when all is looked at, all that must be is in order, and
        /// somebody signed.
        #[test]
        fn nothing_is_forgotten(
            drawn in prop::collection::vec((any::<bool>(), prop::option::of(found())), 0..8),
            disinfected: bool,
        ) {
            let items: Vec<_> = drawn.iter().enumerate()
                .map(|(number, (blocking, _))| item(&number.to_string(), *blocking)).collect();
            let passed = |code: &str| drawn[code.parse::<usize>().unwrap()].1;
            let done = drawn.iter().all(|(blocking, found)| match found {
                None => false,
                Some(found) => *found != Found::Dangerous || !blocking,
            });
            prop_assert_eq!(missing(&items, passed, disinfected).is_empty(), done && disinfected);
        }
    }
}
