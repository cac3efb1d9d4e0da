//! What is told of feeds where they are written: what waits in the outbox, and how far each feed has come.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbErr};

use super::hub::Hub;
use crate::db::{Database, statement};
use crate::drain::Drain;
use crate::telemetry::figures::{self, Name};

const ROWS: Name = Name::count(
    "campus.outbox.rows",
    "Changes that wait for their place in the log, ten thousand at most",
);
const AGE: Name = Name::seconds(
    "campus.outbox.age",
    "How long the change has waited that waits longest for its place in the log",
);
const HEAD: Name = Name::count(
    "campus.feed.head",
    "The number of the last change of the feed that this replica has read",
);
const WATCHERS: Name = Name::count(
    "campus.feed.watchers",
    "Who follows the feed at this replica",
);

/// Both answers come from an index, however much waits.
const WAITING: &str = "SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT 10000) AS waiting), \
    COALESCE((SELECT extract(epoch FROM clock_timestamp()) * 1000 - announced_at FROM outbox \
    ORDER BY id LIMIT 1), 0)::float8";

/// Tells of the outbox until the drain.
pub(super) async fn tell_outbox(db: Database, drain: Drain) {
    let labels = [("service", db.service())];
    let (rows, age) = (ROWS.kept(labels), AGE.kept(labels));
    let look = || async {
        let select = statement(db.read(), WAITING, []);
        let Some(row) = db.read().query_one_raw(select).await? else {
            return Ok::<_, DbErr>(());
        };
        let (waiting, oldest): (i64, f64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        rows.set(waiting as f64);
        age.set((oldest / 1000.0).max(0.0));
        Ok(())
    };
    figures::keep(drain, look).await;
}

/// Tells of a feed as long as there is somebody who reads it.
pub(super) fn tell_feed(service: &'static str, feed: &'static str, hub: &Arc<Hub>) {
    let labels = [("service", service), ("feed", feed)];
    let read = Arc::downgrade(hub);
    HEAD.read(labels, move || {
        let hub = read.upgrade()?;
        let head = *hub.news().borrow();
        (head > 0).then_some(head as f64)
    });
    let watched = Arc::downgrade(hub);
    WATCHERS.read(labels, move || Some(watched.upgrade()?.watchers() as f64));
}
