//! What a feed promises, each promise a function of what was seen: every violation is told by its name.

use std::collections::{BTreeMap, BTreeSet};

/// One change as it was told. Its mark says of which order it is a part: `order/part/parts`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Event {
    pub(crate) entity: String,
    pub(crate) version: i64,
    pub(crate) mark: String,
}

/// What a watcher saw from when it came to when it went.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) host: &'static str,
    /// The place after which it watched.
    pub(crate) from: i64,
    pub(crate) events: Vec<Event>,
    /// After how many events it was told where to go on, and the place.
    pub(crate) bookmarks: Vec<(usize, i64)>,
}

impl Session {
    /// The watch of `host` that begins at the place of `token`.
    pub(super) fn of(host: &'static str, token: &str) -> Self {
        Self {
            host,
            from: super::clients::seq_of(token),
            events: Vec::new(),
            bookmarks: Vec::new(),
        }
    }
}

/// What there is at the end, and what everybody saw on the way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The log: the place of each change.
    pub(crate) log: Vec<(i64, Event)>,
    /// What a snapshot tells: version and mark of each entity.
    pub(crate) latest: BTreeMap<String, (i64, String)>,
    /// The same as the copy has it.
    pub(crate) copy: BTreeMap<String, (i64, String)>,
    /// The changes that were applied to the copy, in their order: generation, entity, version.
    pub(crate) effects: Vec<(i64, String, i64)>,
    pub(crate) acknowledged: Vec<String>,
    pub(crate) sessions: Vec<Session>,
}

/// A promise, by its name, and what breaks it.
type Promise = (&'static str, fn(&Seen, &mut Vec<String>));

const PROMISES: [Promise; 11] = [
    ("gapless", gapless),
    ("known", known),
    ("ordered", ordered),
    ("unique", unique),
    ("complete", complete),
    ("resumable", resumable),
    ("bookmarkable", bookmarkable),
    ("atomic", atomic),
    ("acknowledged", acknowledged),
    ("copied", copied),
    ("applied once", applied_once),
];

/// Everything that was promised and is not so.
pub(crate) fn violations(seen: &Seen) -> Vec<String> {
    let mut all = Vec::new();
    for (name, promise) in PROMISES {
        let mut found = Vec::new();
        promise(seen, &mut found);
        all.extend(found.into_iter().map(|what| format!("{name}: {what}")));
    }
    all
}

impl Seen {
    fn places(&self) -> BTreeMap<&Event, i64> {
        self.log.iter().map(|(seq, event)| (event, *seq)).collect()
    }

    /// The sessions with the places of what they saw; what is not in the log has none.
    fn placed(&self) -> Vec<(&Session, Vec<i64>)> {
        let places = self.places();
        let seqs = |session: &Session| {
            let events = session.events.iter();
            events
                .filter_map(|event| places.get(event).copied())
                .collect()
        };
        self.sessions.iter().map(|one| (one, seqs(one))).collect()
    }
}

/// Places follow one another, and so do the versions of an entity.
fn gapless(seen: &Seen, found: &mut Vec<String>) {
    let mut versions: BTreeMap<&str, i64> = BTreeMap::new();
    for (at, (seq, event)) in (1..).zip(&seen.log) {
        if *seq != at {
            found.push(format!("place {seq} where {at} should be"));
            return;
        }
        let version = versions.entry(&event.entity).or_default();
        if event.version != *version + 1 {
            found.push(format!("{event:?} after version {version}"));
        }
        *version = event.version;
    }
}

/// What is told is in the log.
fn known(seen: &Seen, found: &mut Vec<String>) {
    let places = seen.places();
    for session in &seen.sessions {
        for event in &session.events {
            if !places.contains_key(event) {
                found.push(format!("{} saw {event:?}", session.host));
            }
        }
    }
}

/// Changes are told in the order of the log.
fn ordered(seen: &Seen, found: &mut Vec<String>) {
    for (session, seqs) in seen.placed() {
        if let Some(pair) = seqs.windows(2).find(|pair| pair[0] > pair[1]) {
            found.push(format!(
                "{} saw {} before {}",
                session.host, pair[0], pair[1]
            ));
        }
    }
}

/// No change is told twice to who watches on.
fn unique(seen: &Seen, found: &mut Vec<String>) {
    for (session, seqs) in seen.placed() {
        let mut once = BTreeSet::new();
        if let Some(twice) = seqs.iter().find(|seq| !once.insert(**seq)) {
            found.push(format!("{} saw {twice} twice", session.host));
        }
    }
}

/// Nothing is left out between the place where a watch begins and what it saw last.
fn complete(seen: &Seen, found: &mut Vec<String>) {
    for (session, seqs) in seen.placed() {
        let told: BTreeSet<i64> = seqs.iter().copied().collect();
        let last = told.last().copied().unwrap_or(session.from);
        if let Some(missing) = (session.from + 1..=last).find(|seq| !told.contains(seq)) {
            found.push(format!("{} never saw {missing}", session.host));
        }
    }
}

/// A watch goes on right after the place that it is given.
fn resumable(seen: &Seen, found: &mut Vec<String>) {
    for (session, seqs) in seen.placed() {
        let first = seqs.first();
        if let Some(first) = first.filter(|first| **first != session.from + 1) {
            let (host, from) = (session.host, session.from);
            found.push(format!("{host} went on at {first} after {from}"));
        }
    }
}

/// Whoever is told a place has seen everything up to it, and nothing beyond.
fn bookmarkable(seen: &Seen, found: &mut Vec<String>) {
    for (session, seqs) in seen.placed() {
        for (count, place) in &session.bookmarks {
            let (before, after) = seqs.split_at((*count).min(seqs.len()));
            let last = before.iter().max().copied().unwrap_or(session.from);
            let next = after.iter().min().copied().unwrap_or(i64::MAX);
            if last != *place || next <= *place {
                found.push(format!(
                    "{} was told {place} between {last} and {next}",
                    session.host
                ));
            }
        }
    }
}

/// The changes of an order stand together, all of them, and the order once.
fn atomic(seen: &Seen, found: &mut Vec<String>) {
    let mut orders = BTreeSet::new();
    let mut open: Option<(&str, usize, usize)> = None;
    for (seq, event) in &seen.log {
        let Some((order, part, parts)) = parts(&event.mark) else {
            found.push(format!("the mark {}", event.mark));
            continue;
        };
        let expected = match open {
            Some((of, part, parts)) => (of, part, parts),
            None if orders.insert(order) => (order, 0, parts),
            None => {
                found.push(format!("{order} once more at {seq}"));
                return;
            }
        };
        if (order, part, parts) != expected {
            found.push(format!(
                "{} at {seq} where {expected:?} should be",
                event.mark
            ));
            return;
        }
        open = (part + 1 < parts).then_some((order, part + 1, parts));
    }
    if let Some(open) = open {
        found.push(format!("the log ends before {open:?}"));
    }
}

fn parts(mark: &str) -> Option<(&str, usize, usize)> {
    let (rest, parts) = mark.rsplit_once('/')?;
    let (order, part) = rest.rsplit_once('/')?;
    Some((order, part.parse().ok()?, parts.parse().ok()?))
}

/// What was acknowledged is in the log.
fn acknowledged(seen: &Seen, found: &mut Vec<String>) {
    let marks = seen.log.iter().filter_map(|(_, event)| parts(&event.mark));
    let told: BTreeSet<&str> = marks.map(|(order, ..)| order).collect();
    for order in &seen.acknowledged {
        if !told.contains(order.as_str()) {
            found.push(format!("{order} is lost"));
        }
    }
}

/// A copy and a snapshot have what the log comes to.
fn copied(seen: &Seen, found: &mut Vec<String>) {
    let mut states: BTreeMap<String, (i64, String)> = BTreeMap::new();
    for (_, event) in &seen.log {
        let Event {
            entity,
            version,
            mark,
        } = event.clone();
        if version % 7 == 0 {
            states.remove(&entity);
        } else {
            states.insert(entity, (version, mark));
        }
    }
    for (whose, have) in [("a snapshot", &seen.latest), ("the copy", &seen.copy)] {
        if *have != states {
            found.push(format!(
                "{whose} has {have:?} where the log comes to {states:?}"
            ));
        }
    }
}

/// Within a generation each change was applied to the copy once, and none after a later one of its entity.
fn applied_once(seen: &Seen, found: &mut Vec<String>) {
    let mut versions: BTreeMap<(i64, &str), i64> = BTreeMap::new();
    for (generation, entity, version) in &seen.effects {
        let last = versions.entry((*generation, entity)).or_default();
        if version <= last {
            found.push(format!("{entity} version {version} after {last}"));
        }
        *last = *version;
    }
}
