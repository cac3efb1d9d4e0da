//! One day at work: what was made ready for it, and what its acts have left for others.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::Context as _;
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use kit::clock::{Clock, ManualClock, start_of};
use proto::roster::check_policy::Slot;
use proto::sampling::PoolType;
use tokio::sync::RwLock;

use super::super::ledger;
use super::super::signing::Bureaus;
use super::super::stand::{PLAN, Stand};
use super::super::swabs;
use super::act::Act;
use super::course::Course;
use super::crew::Crew;
use super::drive::{Bounds, Pace, Speed};
use super::homes::{NOTICE, READING};
use super::options::Window;
use super::plan::{Day, ORDER, SIGNING, TUBES};
use super::town::Town;
use crate::city::CITY_ID;
use crate::house::Door;
use crate::journey::{Filling, Journey};

/// How many carry tubes, each over connections of their own.
const JOURNEYS: usize = 4;
/// How long before the first act everything is made ready, by the clock of the services.
const BEFORE: i64 = 10;

/// How far a tube has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Step {
    Planned,
    Filled,
    Sealed,
    Delivered,
}

/// A tube of the day.
pub(super) struct Carried {
    pub(super) filling: Filling,
    step: AtomicU8,
    /// Shared by those who are scanned, had alone by whoever seals it.
    pub(super) hand: RwLock<()>,
}

impl Carried {
    /// Whether it has come so far.
    pub(super) fn reached(&self, step: Step) -> bool {
        self.step.load(Ordering::Relaxed) >= step as u8
    }

    /// It has come so far.
    pub(super) fn reach(&self, step: Step) {
        self.step.fetch_max(step as u8, Ordering::Relaxed);
    }
}

/// A day with everybody who acts in it.
pub(super) struct Shift {
    pub(super) crew: Arc<Crew>,
    pub(super) today: NaiveDate,
    pub(super) day: Day,
    pub(super) bureaus: Bureaus,
    pub(super) order: OnceLock<String>,
    /// Whoever tells families something, how many there are, and the message of the day.
    pub(super) officer: Door,
    pub(super) families: u64,
    pub(super) notice: OnceLock<String>,
    pub(super) tubes: Vec<Carried>,
    journeys: Vec<Journey>,
    /// Who is not swabbed with the others: whoever is ill or away, by resource name.
    pub(super) apart: HashSet<String>,
    /// The visits of the day, as they are planned.
    pub(super) visits: Vec<Course>,
    /// Its hazards, likewise.
    pub(super) hazards: Vec<Course>,
    /// The duty of the day and of the night of each school.
    pub(super) duty: Vec<[Course; 2]>,
    /// The clock of the services.
    pub(super) clock: ManualClock,
    /// The decision that sent somebody to observation, by school and place.
    observed: Mutex<HashMap<(u32, u32), String>>,
}

impl Shift {
    /// Makes the next school day ready, up to shortly before a part of it.
    pub(super) async fn ready(
        stand: &Stand,
        (crew, town): (&Arc<Crew>, &Town),
        window: Window,
    ) -> anyhow::Result<Self> {
        let today = Stand::school_day_after(stand.clock.today());
        let before = begin(today, window) - TimeDelta::minutes(BEFORE);
        stand.clock.set(before);
        stand.settled().await?;
        let journeys = (0..JOURNEYS).map(|_| Journey::new(&stand.house));
        let journeys = journeys.collect::<anyhow::Result<Vec<_>>>()?;
        let fillings = match journeys.first() {
            Some(journey) if window.meets(TUBES) => drawn(stand, journey, today).await?,
            _ => Vec::new(),
        };
        let sizes = fillings.iter().map(|one| u32::try_from(one.people.len()));
        let sizes = sizes.collect::<Result<Vec<_>, _>>()?;
        let day = Day::of(town, &sizes, seed(today));
        let bureaus = Bureaus::of(stand)?;
        let order = OnceLock::new();
        if window.from > ORDER && window.meets(SIGNING) {
            // What is signed was issued before.
            let issued = bureaus.clone().issue().await?;
            order.get_or_init(|| issued);
        }
        let (notice, families) = (OnceLock::new(), stand.city.plan().students());
        if window.from > NOTICE && window.meets(READING) {
            // What is read was told before.
            let told = ledger::tell(stand.officer()?, families).await?;
            notice.get_or_init(|| told.name);
        }
        let shift = Self {
            apart: apart(crew, town, &day),
            crew: crew.clone(),
            today,
            visits: Course::several(day.visits.len()),
            hazards: Course::several(day.hazards.len()),
            duty: town.schools.iter().map(|_| Default::default()).collect(),
            clock: stand.clock.clone(),
            day,
            bureaus,
            order,
            officer: stand.officer()?,
            families,
            notice,
            tubes: fillings.into_iter().map(carried).collect(),
            journeys,
            observed: Mutex::default(),
        };
        shift.open_before(window).await?;
        shift.plan_duty(window).await?;
        Ok(shift)
    }

    /// How the time passes in a part of the day.
    pub(super) fn pace(&self, stand: &Stand, window: Window, speed: Speed) -> Pace {
        Pace {
            window,
            speed,
            begin: begin(self.today, window),
            clock: stand.clock.clone(),
            bounds: Bounds::default(),
        }
    }

    /// Opens the tubes that were opened before this part of the day and are filled in it.
    async fn open_before(&self, window: Window) -> anyhow::Result<()> {
        let (mut filled, mut opened) = (BTreeSet::new(), BTreeSet::new());
        for due in self.day.within(window) {
            match due.act {
                Act::Scan { tube, .. } => filled.insert(tube),
                Act::Open { tube } => opened.insert(tube),
                _ => false,
            };
        }
        let before = filled.difference(&opened);
        let before = before.filter_map(|tube| self.tubes.get(*tube as usize));
        let before: Vec<Filling> = before.map(|tube| tube.filling.clone()).collect();
        match self.journeys.first() {
            Some(journey) => swabs::open(journey, &before).await,
            None => Ok(()),
        }
    }

    /// A tube with whoever carries it.
    pub(super) fn tube(&self, tube: u32) -> anyhow::Result<(&Carried, &Journey)> {
        let journey = self.journeys.get(tube as usize % JOURNEYS);
        let carried = self.tubes.get(tube as usize).context("a tube of the day")?;
        Ok((carried, journey.context("somebody carries it")?))
    }

    /// Somebody was sent to observation by this decision.
    pub(super) fn observe(&self, who: (u32, u32), decision: String) {
        let mut observed = self.observed.lock().unwrap_or_else(PoisonError::into_inner);
        observed.insert(who, decision);
    }

    /// The decision that sent somebody to observation, once.
    pub(super) fn observed(&self, who: (u32, u32)) -> Option<String> {
        let mut observed = self.observed.lock().unwrap_or_else(PoisonError::into_inner);
        observed.remove(&who)
    }
}

/// When a part of a day begins, by the clock of the services.
fn begin(today: NaiveDate, window: Window) -> DateTime<Utc> {
    start_of(today) + TimeDelta::milliseconds(window.from.into())
}

/// Another day has other people who are ill.
pub(super) fn seed(today: NaiveDate) -> u64 {
    today.num_days_from_ce().unsigned_abs().into()
}

/// The tubes of the day, drawn and printed.
async fn drawn(stand: &Stand, journey: &Journey, today: NaiveDate) -> anyhow::Result<Vec<Filling>> {
    stand.draw(PLAN, CITY_ID).await?;
    let prefix = format!("C{:03}-", today.ordinal());
    let tubes = swabs::tubes(stand, journey, usize::MAX, &prefix).await?;
    journey.issue(&tubes, PoolType::P10).await?;
    Ok(tubes)
}

fn carried(filling: Filling) -> Carried {
    Carried {
        filling,
        step: AtomicU8::new(Step::Planned as u8),
        hand: RwLock::default(),
    }
}

/// Whoever the morning's checks find ill or away.
fn apart(crew: &Crew, town: &Town, day: &Day) -> HashSet<String> {
    let groups = (0..town.groups.len()).zip(0_u32..);
    let found = groups.filter_map(|(place, group)| Some((place, day.found(Slot::Morning, group)?)));
    let apart = found.flat_map(|(group, found)| {
        let people = found.ill.iter().chain(&found.away);
        people.map(move |pupil| crew.reporters.person(group, *pupil as usize))
    });
    apart.collect()
}
