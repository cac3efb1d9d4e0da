//! The consumer's side of a feed: the place in the feed is stored in the transaction of the effect.

mod lag;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use sea_orm::{ConnectionTrait, DbErr};
use tokio::task::JoinHandle;
use tonic::{Code, Status};
use tracing::{Instrument, Span};

use crate::db::{Database, Tx, statement};
use crate::drain::Drain;
use crate::feed::Origin;
use crate::server::Latch;
use crate::telemetry::carried;
use lag::Lag;

const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// Some changes from upstream, and where to go on after them.
#[derive(Clone, Debug)]
pub struct Batch<E> {
    /// The changes, in their order.
    pub events: Vec<E>,
    /// In a snapshot, continues it; empty on its last batch.
    pub page_token: String,
    /// Where to watch from.
    pub resume_token: String,
    /// Where the changes come from.
    pub origin: Origin,
}

/// A stream of batches.
pub type Batches<E> = BoxStream<'static, Result<Batch<E>, Status>>;

/// The feed of another service.
#[async_trait::async_trait]
pub trait Upstream: Send + Sync + 'static {
    /// The change message of the feed.
    type Event: Send + Sync + 'static;

    /// Streams the present state, from the start or from `page_token`.
    async fn snapshot(&mut self, page_token: String) -> Result<Batches<Self::Event>, Status>;

    /// Streams the changes after `resume_token`.
    async fn watch(&mut self, resume_token: String) -> Result<Batches<Self::Event>, Status>;
}

/// What a service keeps of another service's facts.
#[async_trait::async_trait]
pub trait Projection: Send + Sync + 'static {
    /// The change message of the feed.
    type Event: Send + Sync + 'static;

    /// Names the place in the feed; unique within the service, never changed.
    fn name(&self) -> &'static str;

    /// Applies changes. An event that is not newer than what is stored must change nothing but the
    /// stored generation.
    async fn apply(&self, tx: &Tx, events: &[Self::Event], generation: i64) -> Result<(), DbErr>;

    /// After a snapshot: removes what was not seen in this generation.
    async fn sweep(&self, tx: &Tx, generation: i64) -> Result<(), DbErr>;

    /// Called after each commit, for copies in memory.
    async fn applied(&self, _events: &[Self::Event]) {}

    /// Called after a snapshot was swept, for copies in memory.
    async fn swept(&self) {}
}

/// The place in a feed.
#[derive(Clone, Debug, Default)]
struct Place {
    page_token: String,
    resume_token: String,
    generation: i64,
}

/// Follows `upstream` into `projection` until the drain. Reconnects for ever; takes a new snapshot
/// when its place has expired. The latch is let go once a whole snapshot is stored, so a service
/// that was complete once starts without its neighbours.
pub fn follow<U, P>(
    db: Database,
    upstream: U,
    projection: Arc<P>,
    latch: Option<Latch>,
    drain: Drain,
) -> JoinHandle<()>
where
    U: Upstream,
    P: Projection<Event = U::Event>,
{
    let mut follower = Follower {
        lag: Lag::of(db.clone(), projection.name()),
        db,
        upstream,
        projection,
        latch,
        drain,
    };
    tokio::spawn(async move { follower.run().await })
}

struct Follower<U, P> {
    lag: Lag,
    db: Database,
    upstream: U,
    projection: Arc<P>,
    latch: Option<Latch>,
    drain: Drain,
}

enum Failure {
    Upstream(Status),
    Store(DbErr),
    /// Another replica moved the place on.
    Overtaken,
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Upstream(status)
    }
}

impl From<DbErr> for Failure {
    fn from(err: DbErr) -> Self {
        Self::Store(err)
    }
}

impl<U, P> Follower<U, P>
where
    U: Upstream,
    P: Projection<Event = U::Event>,
{
    async fn run(&mut self) {
        let name = self.projection.name();
        let mut delay = FIRST_DELAY;
        while !self.drain.is_draining() {
            let mut moved = false;
            match self.once(&mut moved).await {
                Ok(()) => {}
                Err(Failure::Overtaken) => tracing::debug!(name, "another replica follows too"),
                Err(Failure::Upstream(status)) if is_expired(&status) => {
                    tracing::info!(name, "the place in the feed expired, taking a new snapshot");
                    if let Err(err) = self.forget().await {
                        tracing::warn!(name, error = %err, "cannot begin a new snapshot");
                    }
                }
                Err(Failure::Upstream(status)) => {
                    tracing::info!(name, code = ?status.code(), "upstream is away, trying again");
                }
                Err(Failure::Store(err)) => {
                    tracing::warn!(name, error = %err, "cannot apply changes, trying again");
                }
            }
            if moved {
                delay = FIRST_DELAY;
            }
            let jitter = f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 512.0 + 0.5;
            self.drain.sleep(delay.mul_f64(jitter)).await;
            delay = (delay * 2).min(LONGEST_DELAY);
        }
    }

    async fn once(&mut self, moved: &mut bool) -> Result<(), Failure> {
        let mut place = self.place().await?;
        if place.resume_token.is_empty() {
            if place.page_token.is_empty() {
                place.generation += 1;
            }
            self.take_snapshot(&mut place, moved).await?;
        }
        self.latch.take();
        let watching = self.upstream.watch(place.resume_token.clone()).await?;
        self.consume(watching, &mut place, moved).await
    }

    async fn take_snapshot(&mut self, place: &mut Place, moved: &mut bool) -> Result<(), Failure> {
        let batches = self.upstream.snapshot(place.page_token.clone()).await?;
        self.consume(batches, place, moved).await?;
        if place.resume_token.is_empty() {
            return Err(Status::unavailable("the snapshot ended early").into());
        }
        self.projection.swept().await;
        Ok(())
    }

    /// Applies batches until the stream ends, the drain, or the end of a snapshot.
    async fn consume(
        &self,
        mut batches: Batches<U::Event>,
        place: &mut Place,
        moved: &mut bool,
    ) -> Result<(), Failure> {
        let listing = place.resume_token.is_empty();
        loop {
            let batch = tokio::select! {
                batch = batches.next() => batch,
                () = self.drain.draining() => return Ok(()),
            };
            let Some(batch) = batch else { return Ok(()) };
            let batch = batch?;
            let next = Place {
                page_token: batch.page_token,
                resume_token: batch.resume_token,
                generation: place.generation,
            };
            if listing && next.page_token.is_empty() && next.resume_token.is_empty() {
                return Err(Status::internal("a snapshot page without a token").into());
            }
            let ended = listing && !next.resume_token.is_empty();
            let span = match batch.events.len() {
                0 => Span::none(),
                events => tracing::info_span!("follow", feed = self.projection.name(), events),
            };
            carried::caused(&span, batch.origin.traceparents.iter().map(|one| &**one));
            let store = self.store(&batch.events, (&*place, &next), ended);
            store.instrument(span).await?;
            self.lag.stored(&batch.origin);
            *place = next;
            *moved = true;
            if ended {
                return Ok(());
            }
        }
    }

    /// Stores the effect of changes together with the place after them.
    async fn store(
        &self,
        events: &[U::Event],
        (from, to): (&Place, &Place),
        ended: bool,
    ) -> Result<(), Failure> {
        let tx = self.db.begin().await?;
        if !events.is_empty() {
            self.projection.apply(&tx, events, to.generation).await?;
        }
        if ended {
            self.projection.sweep(&tx, to.generation).await?;
        }
        self.move_on(&tx, from, to).await?;
        tx.commit().await?;
        if !events.is_empty() {
            tracing::debug!("changes were stored");
            self.projection.applied(events).await;
        }
        Ok(())
    }

    async fn place(&self) -> Result<Place, DbErr> {
        let db = self.db.read();
        let select = statement(
            db,
            "SELECT page_token, resume_token, generation FROM projections WHERE consumer = $1",
            [self.projection.name().into()],
        );
        let Some(row) = db.query_one_raw(select).await? else {
            return Ok(Place::default());
        };
        Ok(Place {
            page_token: row.try_get_by_index(0)?,
            resume_token: row.try_get_by_index(1)?,
            generation: row.try_get_by_index(2)?,
        })
    }

    /// Compare-and-set: of two replicas that apply the same batch, one commits.
    async fn move_on(&self, tx: &Tx, from: &Place, to: &Place) -> Result<(), Failure> {
        let name = self.projection.name();
        let insert = statement(
            tx,
            "INSERT INTO projections (consumer, page_token, resume_token, generation) \
             VALUES ($1, '', '', 0) ON CONFLICT DO NOTHING",
            [name.into()],
        );
        tx.execute_raw(insert).await?;
        let update = statement(
            tx,
            "UPDATE projections SET page_token = $2, resume_token = $3, generation = $4 \
             WHERE consumer = $1 AND page_token = $5 AND resume_token = $6 AND generation <= $4",
            [
                name.into(),
                to.page_token.clone().into(),
                to.resume_token.clone().into(),
                to.generation.into(),
                from.page_token.clone().into(),
                from.resume_token.clone().into(),
            ],
        );
        let updated = tx.execute_raw(update).await?.rows_affected();
        if updated == 1 {
            Ok(())
        } else {
            Err(Failure::Overtaken)
        }
    }

    /// Begins anew; what is stored stays in use until the new snapshot is complete.
    async fn forget(&self) -> Result<(), DbErr> {
        let tx = self.db.begin().await?;
        let update = statement(
            &tx,
            "UPDATE projections SET page_token = '', resume_token = '' WHERE consumer = $1",
            [self.projection.name().into()],
        );
        tx.execute_raw(update).await?;
        tx.commit().await
    }
}

fn is_expired(status: &Status) -> bool {
    use tonic_types::StatusExt;
    let reason = status.get_details_error_info().map(|info| info.reason);
    let stale = matches!(
        reason.as_deref(),
        Some("RESUME_TOKEN_EXPIRED" | "INVALID_PAGE_TOKEN")
    );
    stale
        && matches!(
            status.code(),
            Code::FailedPrecondition | Code::InvalidArgument
        )
}
