//! The reader's side: a snapshot of the latest states, then the log from where it began.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use proto::error::ErrorReason;
use sea_orm::{ConnectionTrait, DbErr};
use tokio::sync::{OnceCell, mpsc};
use tokio::time::{Instant, timeout_at};
use tokio_stream::wrappers::ReceiverStream;

use super::figures::tell_feed;
use super::hub::{Hub, tail};
use super::sequencer::ensure_head;
use super::token::{Position, Tokens};
use crate::db::{Database, statement};
use crate::drain::Drain;
use crate::org::OrgPath;
use crate::status::Problem;

/// How many entities a page of a snapshot has.
const SNAPSHOT: i64 = 200;
/// An idle watcher hears from the feed this often, so that its place moves on.
const BOOKMARK: Duration = Duration::from_secs(5);
/// A watcher that takes nothing for this long is sent away; it may come back with its token.
const STALLED: Duration = Duration::from_secs(10);

/// One change as a reader sees it.
#[derive(Clone, Debug)]
pub struct Item {
    pub(super) seq: i64,
    /// The resource name of the entity.
    pub entity: String,
    /// Grows with each change of the entity.
    pub version: i64,
    /// The entity is gone.
    pub removed: bool,
    /// Where the entity stands.
    pub org_path: String,
    /// The encoded event message.
    pub payload: Bytes,
    /// The trace in which it was caused; empty where it has none.
    pub(super) cause: String,
    /// When it was announced, in milliseconds since 1970; 0 where that is not known.
    pub(super) announced_at: i64,
}

/// Some changes, and where to go on.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The changes, in commit order; in a snapshot, the latest state of some entities.
    pub items: Vec<Arc<Item>>,
    /// In a snapshot, continues it after a cut; empty on its last page.
    pub page_token: String,
    /// Where to watch from; in a snapshot, on its last page only.
    pub resume_token: String,
}

pub(super) type Pages = BoxStream<'static, Result<Page, Problem>>;

/// A feed of this service, to be read. Clones share one reader of the log.
#[derive(Clone, Debug)]
pub struct Feed {
    db: Database,
    name: &'static str,
    drain: Drain,
    hub: Arc<Hub>,
    tokens: Arc<OnceCell<Tokens>>,
}

impl Feed {
    /// The feed `name` of the service whose database is `db`.
    pub fn new(db: Database, name: &'static str, drain: Drain) -> Self {
        let hub = Arc::new(Hub::new(db.clone(), name, drain.clone()));
        tell_feed(db.service(), name, &hub);
        Self {
            db,
            name,
            drain,
            hub,
            tokens: Arc::default(),
        }
    }

    /// Streams the latest state of everything in `scope`, from the start or from `page_token`.
    pub fn snapshot(&self, scope: OrgPath, page_token: String) -> Pages {
        let feed = self.clone();
        let (sender, receiver) = mpsc::channel(2);
        tokio::spawn(async move {
            if let Err(problem) = feed.send_snapshot(&scope, &page_token, &sender).await {
                let _ = sender.send_timeout(Err(problem), STALLED).await;
            }
        });
        ReceiverStream::new(receiver).boxed()
    }

    async fn send_snapshot(
        &self,
        scope: &OrgPath,
        page_token: &str,
        sender: &mpsc::Sender<Result<Page, Problem>>,
    ) -> Result<(), Problem> {
        let tokens = self.tokens().await?;
        let mut position = if page_token.is_empty() {
            let tail = self.head().await?;
            Position {
                epoch: tail.0,
                seq: tail.1,
                scope: scope.to_string(),
                after: None,
            }
        } else {
            tokens
                .open(page_token)
                .filter(|position| position.after.is_some() && position.scope == scope.as_str())
                .ok_or_else(|| Problem::new(ErrorReason::InvalidPageToken))?
        };
        loop {
            let (items, last) = self.latest_after(scope, position.after.clone()).await?;
            let ended = items.len() < usize::try_from(SNAPSHOT).unwrap_or(usize::MAX);
            position.after = last;
            let page = if ended {
                position.after = None;
                Page {
                    items,
                    page_token: String::new(),
                    resume_token: tokens.seal(&position),
                }
            } else {
                Page {
                    items,
                    page_token: tokens.seal(&position),
                    resume_token: String::new(),
                }
            };
            if sender.send_timeout(Ok(page), STALLED).await.is_err() || ended {
                return Ok(());
            }
            if self.drain.is_draining() {
                return Err(Problem::new(ErrorReason::Unavailable));
            }
        }
    }

    async fn latest_after(
        &self,
        scope: &OrgPath,
        after: Option<(String, String)>,
    ) -> Result<(Vec<Arc<Item>>, Option<(String, String)>), DbErr> {
        let (kind, entity) = after.unwrap_or_default();
        let select = statement(
            self.db.read(),
            "SELECT kind, entity, version, org_path, payload FROM feed_latest \
             WHERE feed = $1 AND (kind, entity) > ($2, $3) \
             AND ($4 = '' OR org_path = $4 OR (org_path >= $5 AND org_path < $6)) \
             ORDER BY kind, entity LIMIT $7",
            [
                self.name.into(),
                kind.into(),
                entity.into(),
                scope.as_str().into(),
                format!("{scope}/").into(),
                scope.below_end().into(),
                SNAPSHOT.into(),
            ],
        );
        let rows = self.db.read().query_all_raw(select).await?;
        let mut items = Vec::with_capacity(rows.len());
        let mut last = None;
        for row in rows {
            let entity: String = row.try_get_by_index(1)?;
            last = Some((row.try_get_by_index(0)?, entity.clone()));
            items.push(Arc::new(Item {
                seq: 0,
                entity,
                version: row.try_get_by_index(2)?,
                removed: false,
                org_path: row.try_get_by_index(3)?,
                payload: Bytes::from(row.try_get_by_index::<Vec<u8>>(4)?),
                cause: String::new(),
                announced_at: 0,
            }));
        }
        Ok((items, last))
    }

    /// Streams what happened in `scope` after `resume_token`, and then what happens.
    ///
    /// # Errors
    /// RESUME_TOKEN_EXPIRED when the place is no longer in the log: take a new snapshot.
    pub async fn watch(&self, scope: OrgPath, resume_token: String) -> Result<Pages, Problem> {
        let expired = || Problem::new(ErrorReason::ResumeTokenExpired);
        let tokens = self.tokens().await?.clone();
        let position = tokens
            .open(&resume_token)
            .filter(|position| position.after.is_none() && position.scope == scope.as_str())
            .ok_or_else(expired)?;
        let tail = tail(&self.db, self.name, position.seq).await?;
        if tail.epoch != position.epoch || position.seq < tail.floor || position.seq > tail.head {
            return Err(expired());
        }
        self.hub.start(tail.head);
        let (sender, receiver) = mpsc::channel(4);
        let watcher = Watcher {
            feed: self.clone(),
            scope,
            tokens,
            position,
            sender,
        };
        tokio::spawn(watcher.run());
        Ok(ReceiverStream::new(receiver).boxed())
    }

    /// The epoch and the last place of the log.
    async fn head(&self) -> Result<(String, i64), DbErr> {
        let mut found = tail(&self.db, self.name, i64::MAX).await?;
        if found.epoch.is_empty() {
            let tx = self.db.begin().await?;
            ensure_head(&tx, self.name).await?;
            tx.commit().await?;
            found = tail(&self.db, self.name, i64::MAX).await?;
        }
        Ok((found.epoch, found.head))
    }

    async fn tokens(&self) -> Result<&Tokens, DbErr> {
        let load = || async {
            let secret = crate::secret::load(&self.db, "feed").await?;
            Ok(Tokens::new(self.name, secret))
        };
        self.tokens.get_or_try_init(load).await
    }
}

struct Watcher {
    feed: Feed,
    scope: OrgPath,
    tokens: Tokens,
    position: Position,
    sender: mpsc::Sender<Result<Page, Problem>>,
}

impl Watcher {
    async fn run(mut self) {
        if let Err(problem) = self.follow().await {
            let _ = self.sender.send_timeout(Err(problem), STALLED).await;
        }
    }

    /// Ends without an error when the reader left or stalled.
    async fn follow(&mut self) -> Result<(), Problem> {
        let mut news = self.feed.hub.news();
        let mut bookmark = Instant::now() + BOOKMARK;
        loop {
            if self.feed.drain.is_draining() {
                return Err(Problem::new(ErrorReason::Unavailable));
            }
            if self.sender.is_closed() {
                return Ok(());
            }
            // Seen before reading: a change that comes in between is not waited for in vain.
            news.mark_unchanged();
            let items = self.next().await?;
            let idle = items.is_empty();
            if let Some(last) = items.last() {
                self.position.seq = last.seq;
            }
            let wanted: Vec<_> = items
                .into_iter()
                .filter(|item| self.may_see(item))
                .collect();
            if !wanted.is_empty() || Instant::now() >= bookmark {
                let resume_token = self.tokens.seal(&self.position);
                let page = Page {
                    items: wanted,
                    page_token: String::new(),
                    resume_token,
                };
                if self.sender.send_timeout(Ok(page), STALLED).await.is_err() {
                    return Ok(());
                }
                bookmark = Instant::now() + BOOKMARK;
            }
            if idle {
                tokio::select! {
                    _ = timeout_at(bookmark, news.changed()) => {}
                    () = self.feed.drain.draining() => {}
                    () = self.sender.closed() => {}
                }
            }
        }
    }

    async fn next(&self) -> Result<Vec<Arc<Item>>, Problem> {
        let seq = self.position.seq;
        if seq >= *self.feed.hub.news().borrow() {
            return Ok(Vec::new());
        }
        if let Some(items) = self.feed.hub.recent(seq) {
            return Ok(items);
        }
        let tail = tail(&self.feed.db, self.feed.name, seq).await?;
        if seq < tail.floor || tail.epoch != self.position.epoch {
            return Err(Problem::new(ErrorReason::ResumeTokenExpired));
        }
        Ok(tail.items)
    }

    fn may_see(&self, item: &Item) -> bool {
        self.scope.is_root()
            || item
                .org_path
                .parse()
                .is_ok_and(|place: OrgPath| self.scope.contains(&place))
    }
}
