//! Where warnings hold, and how a message of this service becomes a chain of documents.

use std::collections::{BTreeMap, BTreeSet};

use cap::{MessageType, prefix};
use uuid::Uuid;

/// How many organisations of one area are told at most.
pub const ORGANIZATIONS: usize = 1000;
/// How many organisations of all areas of one warning are told at most: more than any city has in areas
/// that do not overlap.
pub const OF_ALL_AREAS: usize = 100 * ORGANIZATIONS;

/// The divisions of some areas, each once in each area. When they are more than `most` in all, those of
/// the counties that contain them, then of the cities, then of the provinces: nothing is left out.
pub fn coarsened(areas: &[&[String]], most: usize) -> Vec<BTreeSet<String>> {
    let cut = |digits: usize| -> Vec<BTreeSet<String>> {
        let divisions = |area: &&[String]| area.iter().map(|code| above(code, digits)).collect();
        areas.iter().map(divisions).collect()
    };
    let fits = |cut: &Vec<BTreeSet<String>>| cut.iter().map(BTreeSet::len).sum::<usize>() <= most;
    let mut finer = [usize::MAX, 6, 4].into_iter().map(cut);
    finer.find(fits).unwrap_or_else(|| cut(2))
}

/// The division of so many digits that contains one, as a code of six digits at least.
fn above(division: &str, digits: usize) -> String {
    division
        .get(..digits)
        .map_or_else(|| division.to_owned(), |head| format!("{head:0<6}"))
}

/// Organisations by their division.
#[derive(Clone, Debug, Default)]
pub struct Places(BTreeMap<String, BTreeSet<String>>);

impl Places {
    /// From divisions and ids.
    pub fn new(found: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut places = BTreeMap::<_, BTreeSet<_>>::new();
        for (division, id) in found {
            places.entry(division).or_default().insert(id);
        }
        Self(places)
    }

    /// The ids of the organisations in some divisions, in order and each once, at most
    /// [`ORGANIZATIONS`].
    pub fn within(&self, divisions: &[&str]) -> Vec<String> {
        let mut found = BTreeSet::new();
        for division in divisions {
            let prefix = prefix(division);
            let inside = self.0.range(prefix.to_owned()..);
            let inside = inside.take_while(|(place, _)| place.starts_with(prefix));
            found.extend(inside.flat_map(|(_, ids)| ids));
        }
        found.into_iter().take(ORGANIZATIONS).cloned().collect()
    }
}

/// A document of this service may not follow those that were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the document does not follow those that were written")]
pub struct OutOfChain;

/// What a document of this service is called: the message and the number of the document, in the order of
/// writing as text too.
pub fn identifier(message: Uuid, number: usize) -> String {
    format!("{}-{number:04}", message.hyphenated())
}

/// Whether a document of `next` may follow those of `written`, in the order of writing: an alert first
/// and once, updates after it, a cancel last.
///
/// # Errors
/// [`OutOfChain`] otherwise, and for acknowledgements and errors: this service writes none.
pub fn follows(written: &[MessageType], next: MessageType) -> Result<(), OutOfChain> {
    match (written.last(), next) {
        (None, MessageType::Alert)
        | (
            Some(MessageType::Alert | MessageType::Update),
            MessageType::Update | MessageType::Cancel,
        ) => Ok(()),
        (None | Some(_), _) => Err(OutOfChain),
    }
}

#[cfg(test)]
mod tests {
    use cap::upwards;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn organisations_are_found_by_their_divisions() {
        let pair = |division: &str, id: &str| (division.to_owned(), id.to_owned());
        let places = Places::new([
            pair("350102", "s1"),
            pair("350103", "s2"),
            pair("350102", "s0"),
            pair("350212", "s3"),
            pair("", "s4"),
        ]);
        assert_eq!(places.within(&["350102000000"]), ["s0", "s1"]);
        assert_eq!(places.within(&["350100", "350102"]), ["s0", "s1", "s2"]);
        assert_eq!(places.within(&["350000"]), ["s0", "s1", "s2", "s3"]);
        assert!(places.within(&["360000"]).is_empty() && places.within(&[]).is_empty());
        let many = Places::new((0..2000).map(|number| pair("350102", &format!("{number:04}"))));
        assert_eq!(many.within(&["350100"]).len(), ORGANIZATIONS);
    }

    #[test]
    fn too_many_divisions_are_told_by_those_that_contain_them() {
        let codes = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
        let first: Vec<String> = codes(&["350102001000", "350102002000", "350103000000", "350103"]);
        let second: Vec<String> = codes(&["350212"]);
        let told = |most| -> Vec<Vec<String>> {
            let told = coarsened(&[&first, &second], most).into_iter();
            told.map(|area| area.into_iter().collect()).collect()
        };
        let fine: Vec<String> = codes(&["350102001000", "350102002000", "350103", "350103000000"]);
        assert_eq!(told(5), [fine, second.clone()]);
        assert_eq!(told(4), [codes(&["350102", "350103"]), second.clone()]);
        assert_eq!(told(2), [codes(&["350100"]), codes(&["350200"])]);
        assert_eq!(told(1), [codes(&["350000"]), codes(&["350000"])]);
    }

    /// Every document after every chain: the table is the contract.
    #[test]
    fn documents_follow_each_other_as_the_contract_says() {
        use MessageType::{Ack, Alert, Cancel, Error, Update};
        let legal = [
            (&[][..], Alert),
            (&[Alert], Update),
            (&[Alert], Cancel),
            (&[Alert, Update], Update),
            (&[Alert, Update], Cancel),
        ];
        for written in [&[][..], &[Alert], &[Alert, Update], &[Alert, Cancel]] {
            for next in [Alert, Update, Cancel, Ack, Error] {
                let expected = legal.contains(&(written, next));
                assert_eq!(
                    follows(written, next).is_ok(),
                    expected,
                    "{written:?} {next:?}"
                );
            }
        }
    }

    proptest! {
        /// A code is within its own division and those above, and within no other of its level.
        #[test]
        fn a_code_is_within_those_above_it(code in "[1-6][0-9]{11}", other in "[1-6][0-9]{5}") {
            let own = prefix(&code);
            for above in upwards(own) {
                prop_assert!(code.starts_with(above));
            }
            let places = Places::new([(code.clone(), "s1".to_owned())]);
            prop_assert_eq!(places.within(&[&code]).len(), 1);
            let within = code.starts_with(prefix(&other));
            prop_assert_eq!(places.within(&[&other]).len(), usize::from(within));
        }
    }
}
