//! A warning is a chain: an alert, its updates, its cancel. A chain is a set of documents, so that the
//! order in which they come cannot matter.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, FixedOffset, Utc};

use crate::message::{Message, Reference};
use crate::words::{MessageType, Status};

/// What a chain needs to know of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What names it.
    pub reference: Reference,
    /// Whether it is to be acted on.
    pub status: Status,
    /// What it does.
    pub message_type: MessageType,
    /// What it refers to.
    pub references: Vec<Reference>,
    /// When the last of what it says expires; none when a part never does.
    pub expires: Option<DateTime<FixedOffset>>,
}

impl From<&Message> for Document {
    fn from(message: &Message) -> Self {
        let expiries: Option<Vec<_>> = message.infos.iter().map(|info| info.expires).collect();
        Self {
            reference: message.reference(),
            status: message.status,
            message_type: message.message_type,
            references: message.references.clone(),
            expires: expiries.and_then(|expiries| expiries.into_iter().max()),
        }
    }
}

impl Document {
    /// What it refers to of its own sender. Nobody updates or cancels the warnings of another.
    pub fn own_references(&self) -> impl Iterator<Item = &Reference> {
        let sender = &self.reference.sender;
        self.references
            .iter()
            .filter(move |other| other.sender == *sender)
    }

    /// What it takes the place of, or calls off: what it refers to and was sent before.
    fn ends(&self) -> impl Iterator<Item = &Reference> {
        let ends = matches!(self.message_type, MessageType::Update | MessageType::Cancel);
        let mine = age(&self.reference);
        self.own_references()
            .filter(move |other| ends && age(other) < mine)
    }

    fn warns(&self) -> bool {
        matches!(self.message_type, MessageType::Alert | MessageType::Update)
    }
}

/// The order of sending within one sender.
fn age(reference: &Reference) -> (DateTime<FixedOffset>, &str) {
    (reference.sent, &reference.identifier)
}

/// Where a chain stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// In force, or to come.
    Active,
    /// Every part has expired.
    Expired,
    /// Called off by its sender.
    Cancelled,
}

/// Where a chain stands at any moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Called off.
    Cancelled,
    /// In force until then; for ever when none.
    Until(Option<DateTime<Utc>>),
}

impl Standing {
    /// The state at `now`; what expires now has expired.
    pub fn at(self, now: DateTime<Utc>) -> State {
        match self {
            Self::Cancelled => State::Cancelled,
            Self::Until(Some(end)) if end <= now => State::Expired,
            Self::Until(_) => State::Active,
        }
    }
}

/// The documents of one warning, with what they refer to and has not come. Only those of one status count,
/// the first in the order of the standard of which there is any: a test, a draft or an exercise says nothing
/// about a warning that is to be acted on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain(BTreeMap<Reference, Option<Document>>);

impl Chain {
    /// Adds a document, and what it refers to as missing. One that is there already changes nothing.
    pub fn add(&mut self, document: Document) {
        for other in document.own_references() {
            self.0.entry(other.clone()).or_default();
        }
        let entry = self.0.entry(document.reference.clone()).or_default();
        entry.get_or_insert(document);
    }

    /// Whether a document refers to one of these or is referred to by one, or both refer to the same.
    pub fn belongs(&self, document: &Document) -> bool {
        let here = |reference: &Reference| self.0.contains_key(reference);
        here(&document.reference) || document.own_references().any(here)
    }

    /// How many documents there are, the missing ones included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every document by the time it was sent; none for one that has not come.
    pub fn entries(&self) -> Vec<(&Reference, Option<&Document>)> {
        let entries = self
            .0
            .iter()
            .map(|(reference, found)| (reference, found.as_ref()));
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by(|(one, _), (other, _)| age(one).cmp(&age(other)));
        entries
    }

    /// The documents that count.
    fn counting(&self) -> impl Iterator<Item = &Document> {
        let status = self.0.values().flatten().map(|one| one.status).min();
        let come = self.0.values().flatten();
        come.filter(move |one| Some(one.status) == status)
    }

    /// The latest word: of what warns or cancels before what acknowledges. None when nothing has come.
    pub fn latest(&self) -> Option<&Document> {
        self.counting().max_by_key(|document| {
            let says = document.warns() || document.message_type == MessageType::Cancel;
            (says, age(&document.reference))
        })
    }

    /// Where it stands. What warns and is neither updated nor called off counts; when nothing of the
    /// kind is left, a cancel has the last word.
    pub fn standing(&self) -> Standing {
        let counting = || self.counting();
        let ended: BTreeSet<&Reference> = counting().flat_map(Document::ends).collect();
        let in_force = counting().filter(|one| one.warns() && !ended.contains(&one.reference));
        let ends: Vec<_> = in_force.map(|document| document.expires).collect();
        if !ends.is_empty() {
            let last: Option<Vec<_>> = ends.into_iter().collect();
            let last = last.and_then(|ends| ends.into_iter().max());
            return Standing::Until(last.map(|end| end.to_utc()));
        }
        if counting().any(|document| document.message_type == MessageType::Cancel) {
            return Standing::Cancelled;
        }
        // Acknowledgements alone: nothing was ever in force.
        Standing::Until(Some(DateTime::<Utc>::MIN_UTC))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minute: u32) -> DateTime<FixedOffset> {
        let text = format!("2022-06-02T08:{minute:02}:00+08:00");
        DateTime::parse_from_rfc3339(&text).unwrap()
    }

    fn name(number: u32) -> Reference {
        Reference {
            sender: "cma@example.cn".to_owned(),
            identifier: format!("w{number}"),
            sent: at(number),
        }
    }

    fn document(number: u32, message_type: MessageType, to: &[u32]) -> Document {
        Document {
            reference: name(number),
            status: Status::Actual,
            message_type,
            references: to.iter().copied().map(name).collect(),
            expires: Some(at(50)),
        }
    }

    fn chain(documents: &[Document]) -> Chain {
        let mut chain = Chain::default();
        for document in documents {
            chain.add(document.clone());
        }
        chain
    }

    use MessageType::{Ack, Alert, Cancel, Update};

    #[test]
    fn a_chain_is_updated_cancelled_and_expires() {
        let (now, late) = (at(40).to_utc(), at(50).to_utc());
        let state = |documents: &[Document]| chain(documents).standing().at(now);
        let alert = document(1, Alert, &[]);
        let update = document(2, Update, &[1]);
        let cancel = document(3, Cancel, &[1, 2]);
        let whole = [alert.clone(), update.clone(), cancel.clone()];
        assert_eq!(state(&whole[..1]), State::Active);
        assert_eq!(state(&whole[..2]), State::Active);
        assert_eq!(state(&whole), State::Cancelled);
        assert_eq!(chain(&whole[..2]).standing().at(late), State::Expired);
        assert_eq!(chain(&whole).standing().at(late), State::Cancelled);
        let short = Document {
            expires: Some(at(30)),
            ..update.clone()
        };
        assert_eq!(
            state(&[alert.clone(), short]),
            State::Expired,
            "the update counts"
        );
        let open = Document {
            expires: None,
            ..update
        };
        let open = chain(&[alert.clone(), open]).standing();
        assert_eq!(open.at(late + chrono::Duration::days(9000)), State::Active);
        let only_first = document(3, Cancel, &[1]);
        assert_eq!(
            state(&[document(2, Update, &[1]), only_first]),
            State::Active
        );
        assert_eq!(state(&[document(2, Ack, &[1])]), State::Expired);
        assert_eq!(state(&[alert, document(2, Ack, &[1])]), State::Active);
    }

    #[test]
    fn what_has_not_come_is_missing_until_it_comes() {
        let mut chain = chain(&[document(3, Cancel, &[2])]);
        let missing = |chain: &Chain| {
            let entries = chain.entries();
            entries
                .iter()
                .map(|(_, found)| found.is_none())
                .collect::<Vec<_>>()
        };
        assert_eq!(missing(&chain), [true, false]);
        let update = document(2, Update, &[1]);
        assert!(chain.belongs(&update) && !chain.belongs(&document(4, Alert, &[])));
        chain.add(update);
        assert_eq!(missing(&chain), [true, false, false]);
        assert_eq!(chain.latest(), Some(&document(3, Cancel, &[2])));
        assert_eq!((chain.len(), chain.is_empty()), (3, false));
    }

    #[test]
    fn nobody_ends_the_warning_of_another() {
        let alert = document(1, Alert, &[]);
        let foreign = Document {
            reference: Reference {
                sender: "other@example.cn".to_owned(),
                ..name(2)
            },
            ..document(2, Cancel, &[1])
        };
        assert!(!chain(std::slice::from_ref(&alert)).belongs(&foreign));
        let both = chain(&[alert, foreign]);
        assert_eq!(both.standing().at(at(10).to_utc()), State::Active);
    }

    #[test]
    fn only_what_is_to_be_acted_on_ends_what_is_to_be_acted_on() {
        let now = at(40).to_utc();
        let alert = document(1, Alert, &[]);
        for status in [
            Status::Exercise,
            Status::System,
            Status::Test,
            Status::Draft,
        ] {
            let of = |document: Document| Document { status, ..document };
            for kind in [Update, Cancel] {
                let ends = Document {
                    expires: Some(at(3)),
                    ..of(document(2, kind, &[1]))
                };
                let both = chain(&[alert.clone(), ends.clone()]);
                assert_eq!(
                    both.standing().at(now),
                    State::Active,
                    "{status:?} {kind:?}"
                );
                assert_eq!(both.latest(), Some(&alert));
                assert_eq!(both.len(), 2, "it is shown all the same");
            }
            // Among themselves they are a chain like any other.
            let cancelled = [of(alert.clone()), of(document(2, Cancel, &[1]))];
            assert_eq!(chain(&cancelled).standing().at(now), State::Cancelled);
        }
    }

    proptest! {
        /// Documents that refer to each other at will, even to later ones, in any order and again: the
        /// end is the same.
        #[test]
        fn the_order_of_arrival_does_not_matter(
            drawn in prop::collection::vec((0..4_usize, prop::collection::vec(0..8_u32, 0..3)), 1..8),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let types = [Alert, Update, Cancel, Ack];
            let documents: Vec<_> = (0..)
                .zip(&drawn)
                .map(|(number, (kind, to))| document(number, types[*kind], to))
                .collect();
            let straight = chain(&documents);
            let mut mixed: Vec<_> =
                order.iter().map(|index| index.get(&documents).clone()).collect();
            mixed.extend(documents.iter().rev().cloned());
            let mixed = chain(&mixed);
            prop_assert_eq!(&mixed, &straight);
            prop_assert_eq!(mixed.standing(), straight.standing());
            prop_assert_eq!(mixed.latest(), straight.latest());
            // Something always has the last word.
            let standing = straight.standing().at(at(59).to_utc());
            prop_assert_ne!(standing, State::Active);
        }
    }
}
