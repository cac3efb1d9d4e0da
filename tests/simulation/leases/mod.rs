//! Several replicas take turns at work by a lease in the database, hear nothing for longer than it lasts, and
//! wake up in the midst of what they were doing.

pub(crate) mod plants;
mod validate;

use std::time::Duration;

use kit::db::{Backend, Database, statement};
use kit::lease::{self, Lease};
use rusqlite::types::Value as Stored;
use sea_orm::{ConnectionTrait, DbErr};

use crate::chance::Chance;
use crate::database::{Plant, Store};
use crate::world::{Storm, World};
use validate::{Effect, Holding, Seen};

const WORKERS: [&str; 3] = ["worker-1", "worker-2", "worker-3"];
/// The lease, and for how long it is taken.
const LEASE: &str = "work";
const TTL: Duration = Duration::from_secs(5);
/// How finely time passes.
const TICK: Duration = Duration::from_millis(10);
/// One piece of work after the other; which comes next follows from those that were done.
const EFFECTS: &str = "CREATE TABLE effects (id TEXT PRIMARY KEY, piece BIGINT NOT NULL,
    fence BIGINT NOT NULL, holder TEXT NOT NULL)";

/// Runs it by one seed with an error in the database or without, and tells what is wrong with it.
pub(crate) fn run(world: &World, plant: Plant) -> Vec<String> {
    let chance = Chance::of(world.seed, "leases");
    let backend = if chance.hits(0.8) {
        Backend::Postgres
    } else {
        Backend::Sqlite
    };
    let with = (world.trouble.clone(), world.trace.clone());
    let store = Store::new(("work", backend), plant, kit::migration::tables(), with);
    store.make(EFFECTS);
    store.keep(&["effects", "leases"]);
    let mut sim = world.simulation(TICK);
    for host in WORKERS {
        let (store, chance) = (store.clone(), Chance::of(world.seed, host));
        sim.host(host, move || worker(store.open(host), chance.clone()));
    }
    let storm = Storm {
        mortal: WORKERS.to_vec(),
        silent: WORKERS.to_vec(),
        linked: Vec::new(),
        often: chance.one(&[0.005, 0.02]),
        silence: 15_000,
        rough: Duration::from_secs(40),
        longest: Duration::from_secs(120),
    };
    let mut at_rest = None;
    let pieces = || store.number("SELECT count(*) FROM effects");
    let driven = world.drive(&mut sim, &storm, || {
        // Once it is calm the work goes on.
        pieces() >= *at_rest.get_or_insert_with(pieces) + 5
    });
    drop(sim);
    let mut wrong = world.trouble.wrongs();
    wrong.extend(driven.err());
    wrong.extend(validate::violations(&seen(&store)));
    wrong
}

/// Works whenever it holds the lease, as services do.
async fn worker(db: Database, chance: Chance) -> turmoil::Result {
    let holder = chance.uuid().to_string();
    loop {
        // A database that does not answer well is asked again.
        let _ = turn(&db, &holder, &chance).await;
        let wait = chance.between(20, 1500);
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}

async fn turn(db: &Database, holder: &str, chance: &Chance) -> Result<(), DbErr> {
    let Some(lease) = lease::take(db, LEASE, holder, TTL).await? else {
        return Ok(());
    };
    for _ in 0..chance.between(1, 8) {
        if !piece(db, &lease, holder, chance).await? {
            return Ok(());
        }
        let wait = chance.between(0, 1200);
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    if chance.hits(0.3) {
        lease.release(db).await?;
    }
    Ok(())
}

/// Does the next piece; not when somebody else holds the lease.
async fn piece(db: &Database, lease: &Lease, holder: &str, chance: &Chance) -> Result<bool, DbErr> {
    let tx = db.begin().await?;
    if !lease.holds(&tx).await? {
        return Ok(false);
    }
    let next = statement(&tx, "SELECT COALESCE(MAX(piece), 0) + 1 FROM effects", []);
    let row = tx.query_one_raw(next).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("effects".to_owned()))?;
    let next: i64 = row.try_get_by_index(0)?;
    let effect = statement(
        &tx,
        "INSERT INTO effects (id, piece, fence, holder) VALUES ($1, $2, $3, $4)",
        [
            chance.uuid().to_string().into(),
            next.into(),
            lease.fence().into(),
            holder.into(),
        ],
    );
    tx.execute_raw(effect).await?;
    tx.commit().await?;
    Ok(true)
}

fn seen(store: &Store) -> Seen {
    let text = |value: &Stored| match value {
        Stored::Text(text) => text.clone(),
        other => panic!("{other:?} is no text"),
    };
    let number = |value: &Stored| match value {
        Stored::Integer(number) => *number,
        other => panic!("{other:?} is no number"),
    };
    let mut seen = Seen::default();
    for (table, row) in store.history() {
        if table == "leases" {
            seen.holdings.push(Holding {
                holder: text(&row[1]),
                fence: number(&row[2]),
                until: number(&row[3]),
                ttl: i64::try_from(TTL.as_millis()).unwrap_or_default(),
            });
        } else {
            seen.effects.push(Effect {
                piece: number(&row[1]),
                fence: number(&row[2]),
                holder: text(&row[3]),
            });
        }
    }
    seen
}
