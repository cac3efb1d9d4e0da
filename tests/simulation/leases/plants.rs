//! Errors put into what was committed, one for each promise at least.

use super::validate::{Effect, Holding, Seen, violations};

/// An error, and the promise that it breaks.
type Error = (&'static str, fn(&mut Seen));

const ERRORS: [Error; 7] = [
    ("no old fence", |seen| seen.effects[2].fence = 1),
    ("one holder", |seen| {
        seen.effects[0].holder = "two".to_owned()
    }),
    ("one holder", |seen| {
        seen.holdings[1].holder = "three".to_owned()
    }),
    ("one piece", |seen| seen.effects[2].piece = 2),
    ("one piece", |seen| drop(seen.effects.remove(0))),
    ("patience", |seen| seen.holdings[2].until -= 1),
    ("patience", |seen| seen.holdings.swap(0, 2)),
];

/// What is seen where everything is right: one holds it and draws it out, then another has it.
fn right() -> Seen {
    let effect = |(piece, fence, holder): (i64, i64, &str)| Effect {
        piece,
        fence,
        holder: holder.to_owned(),
    };
    let holding = |(holder, fence, until): (&str, i64, i64)| Holding {
        holder: holder.to_owned(),
        fence,
        until,
        ttl: 50,
    };
    Seen {
        effects: [(1, 1, "one"), (2, 2, "two"), (3, 2, "two")]
            .map(effect)
            .to_vec(),
        holdings: [("one", 1, 50), ("one", 1, 70), ("two", 2, 120)]
            .map(holding)
            .to_vec(),
    }
}

/// The errors that are not told by the promise that they break, and what is told where there is none.
pub(crate) fn unnoticed() -> Vec<String> {
    let mut unnoticed = violations(&right());
    for (at, (promise, error)) in ERRORS.into_iter().enumerate() {
        let mut seen = right();
        error(&mut seen);
        let told = violations(&seen);
        if !told
            .iter()
            .any(|one| one.starts_with(&format!("{promise}: ")))
        {
            unnoticed.push(format!("leases: error {at} against {promise}: {told:?}"));
        }
    }
    unnoticed
}
