//! Answers as devices hand them in, in any order and more than once.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::domain::checklist::item::{Outcome, Value};
use crate::domain::checklist::template::Entry;
use crate::domain::photo::Photo;

/// How far a device's clock may be ahead, and behind the begin of the inspection.
pub const CLOCKS_DIFFER: Duration = Duration::minutes(5);

/// What was seen of one item.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The id that the device gave.
    pub client_id: Uuid,
    /// The id of the entry.
    pub item: String,
    /// What was seen.
    pub value: Value,
    /// More words; may be empty.
    pub note: String,
    /// When it was written, by the device.
    pub written: DateTime<Utc>,
    /// A digest of all of it, photos among it.
    pub fingerprint: i64,
    /// Evidence.
    pub photos: Vec<Photo>,
}

/// The answer that counts for each item: the last written, and of two at one moment the one with the
/// greater id, whatever the order in which they come.
pub fn counting(answers: Vec<Answer>) -> HashMap<String, Answer> {
    let mut counting: HashMap<String, Answer> = HashMap::new();
    for answer in answers {
        let place = counting.get(&answer.item);
        if place.is_none_or(|held| answer.is_after(held)) {
            counting.insert(answer.item.clone(), answer);
        }
    }
    counting
}

impl Answer {
    /// Whether this counts instead of `held`.
    pub fn is_after(&self, held: &Self) -> bool {
        (self.written, self.client_id) > (held.written, held.client_id)
    }

    /// Whether it can have been written in an inspection that began at `started`.
    pub fn in_time(&self, started: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        self.written >= started - CLOCKS_DIFFER && self.written <= now + CLOCKS_DIFFER
    }
}

/// What became of an item.
pub fn outcome(entry: &Entry, answer: Option<&Answer>) -> Outcome {
    let judged = answer.and_then(|answer| {
        let photos = answer.photos.len();
        entry.item.judge(&answer.value, photos).ok()
    });
    judged.unwrap_or(Outcome::Unanswered)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(item: u8, minute: i64, id: u128) -> Answer {
        let begin: DateTime<Utc> = "2022-04-06T01:00:00Z".parse().unwrap();
        Answer {
            client_id: Uuid::from_u128(id),
            item: format!("i{item}"),
            value: Value::Good(true),
            note: String::new(),
            written: begin + Duration::minutes(minute),
            fingerprint: 0,
            photos: Vec::new(),
        }
    }

    proptest! {
        /// Batches may come late, twice and in any order: what counts is the same.
        #[test]
        fn the_order_of_arrival_does_not_matter(
            answers in proptest::collection::vec((0u8..4, 0i64..5, 1u128..50), 0..30),
            seed in any::<u64>(),
        ) {
            let answers: Vec<Answer> =
                answers.into_iter().map(|(item, minute, id)| answer(item, minute, id)).collect();
            let mut shuffled = answers.clone();
            shuffled.extend(answers.iter().take(3).cloned());
            let length = shuffled.len().max(1);
            shuffled.rotate_left(usize::try_from(seed).unwrap_or(0) % length);
            shuffled.reverse();
            prop_assert_eq!(counting(answers), counting(shuffled));
        }
    }

    #[test]
    fn answers_are_written_while_the_inspection_runs() {
        let answer = answer(0, 0, 1);
        let at = |minutes| answer.written + Duration::minutes(minutes);
        assert!(answer.in_time(at(5), at(5)) && !answer.in_time(at(6), at(7)));
        assert!(answer.in_time(at(-60), at(-5)) && !answer.in_time(at(-60), at(-6)));
    }
}
