//! What a lease promises, each promise a function of what was committed.

use std::collections::BTreeMap;

/// One piece of work that was committed.
#[derive(Clone, Debug)]
pub(super) struct Effect {
    pub(super) piece: i64,
    pub(super) fence: i64,
    pub(super) holder: String,
}

/// The lease as it was committed: until when somebody has it, all in milliseconds since 1970.
#[derive(Clone, Debug)]
pub(super) struct Holding {
    pub(super) holder: String,
    pub(super) fence: i64,
    pub(super) until: i64,
    /// For how long it was taken; nothing says so of one that was given back.
    pub(super) ttl: i64,
}

/// What was committed, in the order of the commits.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) effects: Vec<Effect>,
    pub(super) holdings: Vec<Holding>,
}

/// A promise, by its name, and what breaks it.
type Promise = (&'static str, fn(&Seen, &mut Vec<String>));

const PROMISES: [Promise; 4] = [
    ("no old fence", no_old_fence),
    ("one holder", one_holder),
    ("one piece", one_piece),
    ("patience", patience),
];

/// Everything that was promised and is not so.
pub(super) fn violations(seen: &Seen) -> Vec<String> {
    let mut all = Vec::new();
    for (name, promise) in PROMISES {
        let mut found = Vec::new();
        promise(seen, &mut found);
        all.extend(found.into_iter().map(|what| format!("{name}: {what}")));
    }
    all
}

/// Whoever lost the lease does nothing any more.
fn no_old_fence(seen: &Seen, found: &mut Vec<String>) {
    if let Some(pair) = seen
        .effects
        .windows(2)
        .find(|pair| pair[0].fence > pair[1].fence)
    {
        found.push(format!("{:?} after {:?}", pair[1], pair[0]));
    }
}

/// A fence is of one holder.
fn one_holder(seen: &Seen, found: &mut Vec<String>) {
    let mut holders: BTreeMap<i64, &str> = BTreeMap::new();
    let effects = seen.effects.iter().map(|one| (one.fence, &one.holder));
    let holdings = seen.holdings.iter().map(|one| (one.fence, &one.holder));
    for (fence, holder) in effects.chain(holdings) {
        let known = holders.entry(fence).or_insert(holder);
        if *known != holder {
            found.push(format!("fence {fence} of {known} and of {holder}"));
        }
    }
}

/// Each piece is done once, one after the other.
fn one_piece(seen: &Seen, found: &mut Vec<String>) {
    let mut pieces = (1..).zip(&seen.effects);
    if let Some((expected, effect)) = pieces.find(|(expected, effect)| effect.piece != *expected) {
        found.push(format!("{effect:?} where piece {expected} should be"));
    }
}

/// Nobody takes the lease before it ran out or was given back.
fn patience(seen: &Seen, found: &mut Vec<String>) {
    for pair in seen.holdings.windows(2) {
        let [before, after] = pair else { continue };
        if after.fence < before.fence {
            found.push(format!("{after:?} after {before:?}"));
        }
        if after.fence > before.fence && after.until - after.ttl < before.until {
            found.push(format!("{after:?} while {before:?}"));
        }
    }
}
