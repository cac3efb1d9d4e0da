//! The figures of bureaus, live: read, listed the worst first, watched.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::drain::Drain;
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::sync::{Mutex, OnceCell, OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::{Base, Site};
use crate::domain::figures::{Counts, Rank, is_silent, share};
use crate::domain::gate::day::{GateDay, number_of};
use crate::error::Error;
use crate::store::Store;
use crate::store::figures::Counted;

/// How many streams one replica serves at once.
const WATCHERS: usize = 256;
/// How often to look whether anything changed, which is also how often a stream tells at most.
const PERIOD: Duration = Duration::from_secs(1);
/// A stream without changes says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// A watcher that takes nothing for this long is sent away.
const STALLED: Duration = Duration::from_secs(10);

/// The figures of one organisation with everything below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    /// The id.
    pub(crate) organization: String,
    /// Its place in the tree.
    pub(crate) org_path: String,
    /// Its name.
    pub(crate) display_name: String,
    /// Open campuses.
    pub(crate) campuses: u64,
    /// Of them, those that are silent.
    pub(crate) silent: u64,
    /// Open schools and kindergartens.
    pub(crate) schools: u64,
    /// The numbers.
    pub(crate) counts: Counts,
    /// When the deadline of a hazard was moved last, in milliseconds since 1970; 0 when none was.
    pub(crate) moved: i64,
    /// What gates decided today.
    pub(crate) gates: GateDay,
    /// Open campuses that decided anything today.
    pub(crate) deciding: u64,
}

/// What is counted of each organisation beside its numbers, by its id.
struct Beside {
    moves: BTreeMap<String, i64>,
    gates: BTreeMap<String, GateDay>,
}

impl Figures {
    fn new(organization: &str, org_path: &str) -> Self {
        Self {
            organization: organization.to_owned(),
            org_path: org_path.to_owned(),
            display_name: String::new(),
            campuses: 0,
            silent: 0,
            schools: 0,
            counts: Counts::default(),
            moved: 0,
            gates: GateDay::default(),
            deciding: 0,
        }
    }

    fn add(&mut self, one: &Counted, beside: &Beside) {
        let moved = beside.moves.get(&one.id).copied();
        self.moved = self.moved.max(moved.unwrap_or_default());
        let gates = beside.gates.get(&one.id).copied().unwrap_or_default();
        self.gates.add(&gates);
        let Some(kind) = one.kind else {
            return self.counts.add(&one.counts);
        };
        self.counts.add(&share(kind, one.counts.clone()));
        self.schools += u64::from(kind.is_school());
        if kind.has_campus() {
            self.campuses += 1;
            self.silent += u64::from(is_silent(&one.counts));
            self.deciding += u64::from(gates.decisions > 0);
        }
    }

    fn rank(&self) -> (Rank, String) {
        let rank = Rank::new(self.campuses, self.silent, &self.counts);
        (rank, self.org_path.clone())
    }
}

/// What a stream sends: figures after a change, or none in a heartbeat.
pub(crate) type News = Option<(Figures, DateTime<Utc>)>;

/// Reads, lists and watches figures.
#[derive(Clone, Debug)]
pub(crate) struct FiguresDesk {
    base: Base,
    drain: Drain,
    changed: watch::Receiver<i64>,
    room: Arc<Semaphore>,
    readings: Arc<Mutex<Readings>>,
}

/// By place: the revision since which watchers share a reading, and the reading.
type Readings = BTreeMap<String, (i64, Arc<OnceCell<Figures>>)>;

impl FiguresDesk {
    /// Looks for changes until the drain.
    pub(crate) fn start(base: Base, drain: Drain) -> Self {
        let (sender, changed) = watch::channel(0);
        tokio::spawn(look(base.clone(), sender, drain.clone()));
        Self {
            base,
            drain,
            changed,
            room: Arc::new(Semaphore::new(WATCHERS)),
            readings: Arc::default(),
        }
    }

    /// The organisation of a request.
    ///
    /// # Errors
    /// As [`Base::site`].
    pub(crate) async fn site(&self, caller: &Caller, id: &str) -> Result<Site, Error> {
        let permission = Permission::SafetyFiguresRead;
        self.base.site(caller, permission, id).await
    }

    /// Whether the caller may read decisions of gates there one by one.
    pub(crate) fn sees_decisions(caller: &Caller, site: &Site) -> bool {
        caller.require(Permission::GateRead, &site.path).is_ok()
    }

    async fn beside(&self, place: &str) -> Result<Beside, Error> {
        let db = self.base.store.database().read();
        let today = number_of(self.base.clock.today());
        Ok(Beside {
            moves: Store::hazard_moves(db, place).await?,
            gates: Store::gate_days(db, place, today).await?,
        })
    }

    /// The present instant.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.base.clock.now()
    }

    /// The figures of an organisation with everything below it.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn get(&self, site: &Site) -> Result<Figures, Error> {
        let organization = &site.organization;
        let db = self.base.store.database().read();
        let mut figures = Figures::new(&organization.id, &organization.org_path);
        let beside = self.beside(&organization.org_path).await?;
        for one in &Store::counted(db, &organization.org_path).await? {
            figures.add(one, &beside);
        }
        figures.display_name.clone_from(&organization.display_name);
        Ok(figures)
    }

    /// The figures of the organisations right below one, the worst first, from the `skipped`th on, at
    /// most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn list(
        &self,
        site: &Site,
        (skipped, limit): (u64, u64),
    ) -> Result<Vec<Figures>, Error> {
        let above = &site.organization.org_path;
        let db = self.base.store.database().read();
        let beside = self.beside(above).await?;
        let mut parts: BTreeMap<String, Figures> = BTreeMap::new();
        for one in &Store::counted(db, above).await? {
            let below = one.org_path.strip_prefix(&**above);
            let below = below.and_then(|below| below.strip_prefix('/'));
            if let Some(id) = below.and_then(|below| below.split('/').next()) {
                let path = format!("{above}/{id}");
                let part = parts.entry(path.clone());
                part.or_insert_with(|| Figures::new(id, &path))
                    .add(one, &beside);
            }
        }
        let mut listed: Vec<Figures> = parts.into_values().collect();
        listed.sort_by_cached_key(Figures::rank);
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let page = listed.into_iter().skip(count(skipped)).take(count(limit));
        let mut page: Vec<Figures> = page.collect();
        let ids = page.iter().map(|one| &*one.organization);
        let mut names = Store::display_names(db, ids).await?;
        for figures in &mut page {
            figures.display_name = names.remove(&figures.organization).unwrap_or_default();
        }
        Ok(page)
    }

    /// The figures of an organisation as whoever asked first since a revision read them.
    async fn shared(&self, site: &Site, revision: i64) -> Result<Figures, Error> {
        let cell = {
            let mut readings = self.readings.lock().await;
            readings.retain(|_, (known, _)| *known >= revision);
            let path = site.organization.org_path.clone();
            let (_, cell) = readings
                .entry(path)
                .or_insert_with(|| (revision, Arc::default()));
            cell.clone()
        };
        let figures = cell.get_or_try_init(|| self.get(site)).await?;
        Ok(figures.clone())
    }

    /// Streams the figures of an organisation as they change.
    ///
    /// # Errors
    /// OVERLOADED when too many streams are open.
    pub(crate) fn watch(&self, site: Site) -> Result<mpsc::Receiver<Result<News, Error>>, Error> {
        let room = self.room.clone().try_acquire_owned();
        let room = room.map_err(|_| Problem::new(ErrorReason::Overloaded))?;
        // A slow watcher holds back its own stream only, and finds the present when it comes back.
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(self.clone().serve(site, sender, room));
        Ok(receiver)
    }

    async fn serve(
        self,
        site: Site,
        sender: mpsc::Sender<Result<News, Error>>,
        _room: OwnedSemaphorePermit,
    ) {
        let ended = tokio::select! {
            ended = self.push(&site, &sender) => ended,
            () = sender.closed() => return,
            () = self.drain.draining() => Err(Problem::new(ErrorReason::Unavailable).into()),
        };
        if let Err(err) = ended {
            // Nobody is left to tell when the watcher has gone.
            let _ = sender.send_timeout(Err(err), STALLED).await;
        }
    }

    async fn push(
        &self,
        site: &Site,
        sender: &mpsc::Sender<Result<News, Error>>,
    ) -> Result<(), Error> {
        let mut changed = self.changed.clone();
        let mut told = None;
        loop {
            let revision = *changed.borrow_and_update();
            let figures = self.shared(site, revision).await?;
            if told.as_ref() != Some(&figures) {
                let news = Some((figures.clone(), self.now()));
                if sender.send_timeout(Ok(news), STALLED).await.is_err() {
                    return Ok(());
                }
                told = Some(figures);
            }
            loop {
                tokio::select! {
                    changed = changed.changed() => match changed {
                        Ok(()) => break,
                        // The service stops.
                        Err(_) => return Ok(()),
                    },
                    () = tokio::time::sleep(HEARTBEAT) => {
                        if sender.send_timeout(Ok(None), STALLED).await.is_err() {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }
}

/// Says whenever changes were added up, by whichever replica.
async fn look(base: Base, sender: watch::Sender<i64>, drain: Drain) {
    loop {
        match Store::figures_revision(base.store.database().read()).await {
            Ok(revision) => {
                sender.send_if_modified(|known| std::mem::replace(known, revision) != revision);
            }
            Err(err) => tracing::warn!(error = %err, "cannot look for figures, trying again"),
        }
        if !drain.sleep(PERIOD).await {
            return;
        }
    }
}
