//! One reader of the log per process and feed: watchers that keep up share what it read.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use sea_orm::{ConnectionTrait, DbErr};
use tokio::sync::watch;

use super::reader::Item;
use crate::db::{Database, statement};
use crate::drain::Drain;

/// How many recent changes are kept for watchers that are a little behind.
const RING_ITEMS: usize = 16_384;
/// How many bytes of payload they may hold.
const RING_BYTES: usize = 16 << 20;
/// How many changes are read at once.
pub(super) const READ: i64 = 500;
/// How long to wait for a wake-up before looking anyway.
const POLL: Duration = Duration::from_millis(100);

/// What stands in the log after a place, as one snapshot saw it.
pub(super) struct Tail {
    pub(super) epoch: String,
    pub(super) floor: i64,
    pub(super) head: i64,
    pub(super) items: Vec<Arc<Item>>,
}

#[derive(Debug)]
pub(super) struct Hub {
    db: Database,
    feed: &'static str,
    drain: Drain,
    ring: Mutex<Ring>,
    last: watch::Sender<i64>,
    running: OnceLock<()>,
}

#[derive(Debug, Default)]
struct Ring {
    items: VecDeque<Arc<Item>>,
    bytes: usize,
}

impl Hub {
    pub(super) fn new(db: Database, feed: &'static str, drain: Drain) -> Self {
        Self {
            db,
            feed,
            drain,
            ring: Mutex::default(),
            last: watch::Sender::new(0),
            running: OnceLock::new(),
        }
    }

    /// Starts the reader at `from`, unless it runs.
    pub(super) fn start(self: &Arc<Self>, from: i64) {
        self.running.get_or_init(|| {
            self.last.send_replace(from);
            tokio::spawn(run(self.clone()));
        });
    }

    /// Tells when something later than a place is known.
    pub(super) fn news(&self) -> watch::Receiver<i64> {
        self.last.subscribe()
    }

    /// How many wait for something later.
    pub(super) fn watchers(&self) -> usize {
        self.last.receiver_count()
    }

    /// The changes after `seq` that are still shared; none when they must come from the database.
    pub(super) fn recent(&self, seq: i64) -> Option<Vec<Arc<Item>>> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let first = ring.items.front()?.seq;
        let skip = usize::try_from((seq + 1).checked_sub(first)?).ok()?;
        let most = usize::try_from(READ).unwrap_or(usize::MAX);
        Some(ring.items.iter().skip(skip).take(most).cloned().collect())
    }

    fn keep(&self, items: &[Arc<Item>]) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        for item in items {
            ring.bytes += item.payload.len();
            ring.items.push_back(item.clone());
            while ring.items.len() > RING_ITEMS || ring.bytes > RING_BYTES {
                let Some(old) = ring.items.pop_front() else {
                    break;
                };
                ring.bytes -= old.payload.len();
            }
        }
    }
}

async fn run(hub: Arc<Hub>) {
    let mut last = *hub.last.borrow();
    while !hub.drain.is_draining() {
        let woken = hub.db.appended().notified();
        match tail(&hub.db, hub.feed, last).await {
            Ok(tail) if tail.items.is_empty() => {
                tokio::select! {
                    () = woken => {}
                    () = tokio::time::sleep(POLL) => {}
                    () = hub.drain.draining() => {}
                }
            }
            Ok(tail) => {
                hub.keep(&tail.items);
                last = tail.items.last().map_or(last, |item| item.seq);
                hub.last.send_replace(last);
            }
            Err(err) => {
                tracing::warn!(feed = hub.feed, error = %err, "cannot read the feed, trying again");
                hub.drain.sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Reads what follows `seq`. Head and rows come from one statement, so that they belong together.
pub(super) async fn tail(db: &Database, feed: &str, seq: i64) -> Result<Tail, DbErr> {
    let select = statement(
        db.read(),
        "SELECT h.epoch, h.floor, h.seq, l.seq, l.entity, l.version, l.removed, l.org_path, \
         l.payload, l.cause, l.announced_at FROM feed_head h LEFT JOIN (SELECT * FROM feed_log WHERE feed = $1 \
         AND seq > $2 ORDER BY seq LIMIT $3) l ON l.feed = h.feed WHERE h.feed = $1 ORDER BY l.seq",
        [feed.into(), seq.into(), READ.into()],
    );
    let rows = db.read().query_all_raw(select).await?;
    let Some(first) = rows.first() else {
        return Ok(Tail {
            epoch: String::new(),
            floor: 0,
            head: 0,
            items: Vec::new(),
        });
    };
    let (epoch, floor, head) = (
        first.try_get_by_index(0)?,
        first.try_get_by_index(1)?,
        first.try_get_by_index(2)?,
    );
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(seq) = row.try_get_by_index::<Option<i64>>(3)? else {
            continue;
        };
        items.push(Arc::new(Item {
            seq,
            entity: row.try_get_by_index(4)?,
            version: row.try_get_by_index(5)?,
            removed: row.try_get_by_index(6)?,
            org_path: row.try_get_by_index(7)?,
            payload: Bytes::from(row.try_get_by_index::<Vec<u8>>(8)?),
            cause: row.try_get_by_index(9)?,
            announced_at: row.try_get_by_index(10)?,
        }));
    }
    Ok(Tail {
        epoch,
        floor,
        head,
        items,
    })
}
