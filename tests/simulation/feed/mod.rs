//! Several replicas of a service write and sequence one feed, others keep a copy of it or watch it, and all of
//! them die, hear nothing and lose answers in the midst of it.

mod clients;
mod copy;
pub(crate) mod plants;
mod service;
mod validate;

use std::time::Duration;

use kit::db::Backend;
use rusqlite::types::Value as Stored;

use crate::chance::Chance;
use crate::database::{Plant, Store};
use crate::net;
use crate::world::{Storm, World};
use clients::Record;
use validate::{Event, Seen};

/// Replicas of the service: on SQLite one process at a time has the file.
const SERVICES: &[&str] = &["service-1", "service-2"];
const COPIES: [&str; 2] = ["copy-1", "copy-2"];
const WRITERS: [&str; 4] = ["writer-1", "writer-2", "writer-3", "writer-4"];
const WATCHERS: [&str; 3] = ["watcher-1", "watcher-2", "watcher-3"];
/// How finely time passes.
const TICK: Duration = Duration::from_millis(4);
/// How many orders each writer writes.
const ORDERS: u64 = 12;

/// Runs it by one seed with an error in the database or without, and tells what is wrong with it.
pub(crate) fn run(world: &World, plant: Plant) -> Vec<String> {
    let chance = Chance::of(world.seed, "feed");
    let backend = if chance.hits(0.75) {
        Backend::Postgres
    } else {
        Backend::Sqlite
    };
    let services = match backend {
        Backend::Postgres => SERVICES,
        Backend::Sqlite => &SERVICES[..1],
    };
    let store = |name, plant, tables: &[&str]| {
        let (trouble, trace) = (world.trouble.clone(), world.trace.clone());
        let migrations = kit::migration::tables();
        let store = Store::new((name, backend), plant, migrations, (trouble, trace));
        tables.iter().for_each(|table| store.make(table));
        store
    };
    let origin = store("origin", plant, &[service::THINGS]);
    for id in 1..=service::MANY {
        origin.make(&format!("INSERT INTO things VALUES ({id}, 0)"));
    }
    let copies = store("copies", Plant::None, &copy::TABLES);
    let record = Record::default();
    let mut sim = world.simulation(TICK);
    for host in services.iter().copied() {
        let origin = origin.clone();
        sim.host(host, move || service::replica(origin.open(host)));
    }
    let of = |what: &str| Chance::of(world.seed, what);
    for host in COPIES {
        let (copies, chance) = (copies.clone(), of(host));
        sim.host(host, move || {
            copy::replica(copies.open(host), net::channel(chance.clone(), services))
        });
    }
    let told = (record.clone(), world.trace.clone());
    for host in WRITERS {
        let (chance, ways, told) = (of(host), of(&format!("{host}'s way")), told.clone());
        sim.host(host, move || {
            let channel = net::channel(ways.clone(), services);
            clients::writer(channel, chance.clone(), told.clone(), ORDERS)
        });
    }
    for host in WATCHERS {
        let (chance, ways, told) = (of(host), of(&format!("{host}'s way")), told.clone());
        sim.host(host, move || {
            let channel = net::channel(ways.clone(), services);
            clients::watcher(host, channel, chance.clone(), told.clone())
        });
    }
    let users: Vec<&'static str> = services.iter().chain(&COPIES).copied().collect();
    let everybody = users.iter().chain(&WRITERS).chain(&WATCHERS);
    let storm = Storm {
        mortal: users.clone(),
        silent: users.clone(),
        linked: everybody.copied().collect(),
        often: chance.one(&[0.0, 0.01, 0.05]),
        silence: 3000,
        rough: Duration::from_secs(4),
        longest: Duration::from_secs(180),
    };
    let driven = world.drive(&mut sim, &storm, || rests((&origin, &copies), &record));
    drop(sim);
    let mut wrong = world.trouble.wrongs();
    wrong.extend(driven.err());
    wrong.extend(validate::violations(&seen(&origin, &copies, &record)));
    wrong
}

/// Whether everything is written, in its place, copied and seen.
fn rests((origin, copies): (&Store, &Store), record: &Record) -> bool {
    let head = "SELECT COALESCE((SELECT seq FROM feed_head), 0)";
    let waiting = "SELECT count(*) FROM sqlite_master WHERE name = 'outbox'";
    if record.with(|told| told.writers_done) < WRITERS.len() {
        return false;
    }
    if origin.number(waiting) > 0 && origin.number("SELECT count(*) FROM outbox") > 0 {
        return false;
    }
    let head = origin.number(head);
    let seen = |host: &str| {
        record.with(|told| {
            let of = told.sessions.iter().filter(|session| session.host == host);
            of.flat_map(|session| session.bookmarks.iter().map(|(_, place)| *place))
                .max()
        })
    };
    let place = copies.look("SELECT resume_token FROM projections");
    let copied = match place.first().and_then(|row| row.first()) {
        Some(Stored::Text(token)) if !token.is_empty() => clients::seq_of(token),
        _ => 0,
    };
    copied == head
        && WATCHERS
            .iter()
            .all(|host| seen(host).is_some_and(|place| place >= head))
}

fn seen(origin: &Store, copies: &Store, record: &Record) -> Seen {
    use prost::Message;
    let text = |value: &Stored| match value {
        Stored::Text(text) => text.clone(),
        other => panic!("{other:?} is no text"),
    };
    let number = |value: &Stored| match value {
        Stored::Integer(number) => *number,
        other => panic!("{other:?} is no number"),
    };
    let event = |value: &Stored| match value {
        Stored::Blob(bytes) => proto::roster::RosterEvent::decode(&bytes[..]).expect("an event"),
        other => panic!("{other:?} is no event"),
    };
    let log = origin.look("SELECT seq, payload FROM feed_log ORDER BY seq");
    let latest = origin.look("SELECT entity, payload FROM feed_latest");
    let copy = copies.look("SELECT entity, version, mark FROM copies WHERE NOT removed");
    let effects = copies.look("SELECT generation, entity, version FROM effects ORDER BY rowid");
    let (acknowledged, sessions) =
        record.with(|told| (told.acknowledged.clone(), told.sessions.clone()));
    let placed = |row: &Vec<Stored>| (number(&row[0]), clients::event(&event(&row[1])));
    let kept = |row: &Vec<Stored>| {
        let Event { version, mark, .. } = clients::event(&event(&row[1]));
        (text(&row[0]), (version, mark))
    };
    let copied = |row: &Vec<Stored>| (text(&row[0]), (number(&row[1]), text(&row[2])));
    let applied = |row: &Vec<Stored>| (number(&row[0]), text(&row[1]), number(&row[2]));
    Seen {
        log: log.iter().map(placed).collect(),
        latest: latest.iter().map(kept).collect(),
        copy: copy.iter().map(copied).collect(),
        effects: effects.iter().map(applied).collect(),
        acknowledged,
        sessions,
    }
}
