//! Errors put into what was seen, one for each promise: a promise that none of them breaks is none.

use super::validate::{Event, Seen, Session, violations};

/// An error, and the promise that it breaks.
type Error = (&'static str, fn(&mut Seen));

const ERRORS: [Error; 15] = [
    ("gapless", |seen| seen.log[3].0 += 1),
    ("gapless", |seen| seen.log[2].1.version += 1),
    ("known", |seen| {
        seen.sessions[0].events[1].mark = "x/0/1".to_owned()
    }),
    ("ordered", |seen| seen.sessions[0].events.swap(1, 2)),
    ("unique", |seen| {
        let again = seen.sessions[0].events[1].clone();
        seen.sessions[0].events.insert(2, again);
    }),
    ("complete", |seen| drop(seen.sessions[0].events.remove(1))),
    ("resumable", |seen| drop(seen.sessions[1].events.remove(0))),
    ("bookmarkable", |seen| seen.sessions[0].bookmarks[0].1 += 1),
    ("bookmarkable", |seen| seen.sessions[1].bookmarks[0].1 -= 1),
    ("atomic", |seen| {
        let event = seen.log[3].1.clone();
        seen.log[3].1 = std::mem::replace(&mut seen.log[2].1, event);
    }),
    ("atomic", |seen| drop(seen.log.pop())),
    ("atomic", |seen| {
        let again = seen.log[0].clone();
        seen.log.push(again);
    }),
    ("acknowledged", |seen| {
        seen.acknowledged.push("lost".to_owned())
    }),
    ("copied", |seen| drop(seen.copy.pop_first())),
    ("applied once", |seen| {
        let again = seen.effects[0].clone();
        seen.effects.push(again);
    }),
];

/// What is seen where everything is right: three orders, two watches that follow one another.
fn right() -> Seen {
    let event = |entity: &str, version, mark: &str| Event {
        entity: entity.to_owned(),
        version,
        mark: mark.to_owned(),
    };
    let events = [
        event("a", 1, "one/0/1"),
        event("a", 2, "two/0/2"),
        event("b", 1, "two/1/2"),
        event("b", 2, "three/0/2"),
        event("c", 1, "three/1/2"),
    ];
    let session = |from, events: &[Event], bookmarks: &[(usize, i64)]| Session {
        host: "watcher",
        from,
        events: events.to_vec(),
        bookmarks: bookmarks.to_vec(),
    };
    let states = [
        ("a", 2, "two/0/2"),
        ("b", 2, "three/0/2"),
        ("c", 1, "three/1/2"),
    ];
    let states =
        states.map(|(entity, version, mark)| (entity.to_owned(), (version, mark.to_owned())));
    Seen {
        log: (1..).zip(events.clone()).collect(),
        latest: states.clone().into(),
        copy: states.into(),
        effects: events
            .iter()
            .map(|event| (1, event.entity.clone(), event.version))
            .collect(),
        acknowledged: ["one", "three"].map(str::to_owned).to_vec(),
        sessions: vec![
            session(0, &events[..3], &[(1, 1), (3, 3)]),
            session(3, &events[3..], &[(0, 3), (2, 5)]),
        ],
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
            unnoticed.push(format!("feed: error {at} against {promise}: {told:?}"));
        }
    }
    unnoticed
}
