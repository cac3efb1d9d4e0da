//! The school day as data: which acts are due when, and whom they are about. Everything follows from the
//! town, the tubes of the day and a seed.

use proto::roster::check_policy::Slot;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::act::Act;
use super::campus::{self, Visit};
use super::homes::{self, NOTICE};
use super::options::Window;
use super::town::{School, Town};
use crate::city::DISTRICTS;

/// Milliseconds since midnight in the city.
pub(super) type Moment = u32;

/// One minute.
pub(super) const MINUTE: Moment = 60_000;

/// The school day: everything happens within.
pub(super) const DAY: Window = between((6, 30), (21, 30));
/// When people come to the gates.
pub(super) const GATES: Window = between((7, 0), (8, 20));
/// When the city comes to school: gates, checks and the order of the day together.
pub(super) const BUSY: Window = between((7, 0), (8, 50));
/// When checks are submitted (rules 1.1, 1.6).
pub(super) const MORNING: Window = between((7, 0), (8, 30));
pub(super) const NOON: Window = between((13, 0), (14, 30));
pub(super) const EVENING: Window = between((18, 30), (19, 30));
/// When swabs are scanned.
pub(super) const SWABS: Window = between((9, 0), (11, 30));
/// When anything is done with the tubes of the day.
pub(super) const TUBES: Window = between((9, 0), (17, 0));
/// When the order is issued, and when schools sign it.
pub(super) const ORDER: Moment = moment(7, 10);
pub(super) const SIGNING: Window = between((7, 20), (8, 50));

/// How long a school's people take to come.
const COMING: Moment = 40 * MINUTE;
/// How long after the first of them its classes begin to be checked.
const CHECKED_AFTER: Moment = 10 * MINUTE;
/// The wait before a recheck, and a minute (rule 3.3).
const WAIT: Moment = 16 * MINUTE;
/// How many decisions of an offline gate are recorded together, and how long after the last of them.
const TOGETHER: usize = 200;
const RECORDED_AFTER: Moment = MINUTE;
/// When a guardian is called after the check that found a pupil absent (rule 1.11: within the hour).
const TRACED: std::ops::Range<Moment> = 5 * MINUTE..45 * MINUTE;
/// Between two scans into one tube.
const SCAN_EVERY: Moment = 20_000;
/// How long a sealed tube is on its way.
const CARRIED: std::ops::Range<Moment> = 30 * MINUTE..120 * MINUTE;
/// How many results are told together, and how long after the last of these tubes came.
const RESULTS: usize = 500;
const TESTED: Moment = 180 * MINUTE;
/// How often a bureau looks.
const LOOK: Moment = 10_000;

/// Shares of a thousand: of schools whose gate has no network, of those who come with a fever, of pupils
/// who are away, and of those in class who have symptoms in the morning and at noon.
const OFFLINE: u32 = 50;
const FEVER: u32 = 10;
const AWAY: u32 = 10;
const ILL: [u32; 2] = [15, 2];

/// How many desks look: that of the city and those of its districts.
pub(super) const DESKS: u32 = 1 + DISTRICTS.len() as u32;

/// The random streams of a day that are of no school.
const TUBE_STREAM: u64 = u64::MAX;

/// When an act is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub(super) at: Moment,
    pub(super) act: Act,
}

/// What a check finds, by places on the roll.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) ill: Vec<u32>,
    pub(super) away: Vec<u32>,
}

/// What a gate without a network decided: who came, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) school: u32,
    pub(super) entries: Vec<(u32, Moment)>,
}

/// A school day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Day {
    /// Everything in the order of time.
    pub(super) dues: Vec<Due>,
    pub(super) batches: Vec<Batch>,
    pub(super) visits: Vec<Visit>,
    /// The school of each hazard.
    pub(super) hazards: Vec<u32>,
    /// The tubes of which results are told together.
    pub(super) results: Vec<Vec<u32>>,
    morning: Vec<Found>,
    noon: Vec<Found>,
}

impl Day {
    /// The day of `town`, with tubes of so many people each.
    pub(super) fn of(town: &Town, tubes: &[u32], seed: u64) -> Self {
        let mut day = Self::default();
        for (number, school) in (0..).zip(&town.schools) {
            let mut rng = stream(seed, u64::from(number));
            day.school(town, (number, school), &mut rng);
            let mut rng = campus::stream(seed, number);
            day.visitors(number, &mut rng);
            if campus::has_hazard(number, town.schools.len(), seed) {
                day.hazard(number, &mut rng);
            }
            day.duty(number, &mut rng);
            let mut rng = homes::stream(seed, number);
            for group in school.groups.clone() {
                day.readers(town.pupils(group), group, &mut rng);
            }
        }
        day.push(ORDER, Act::Order);
        day.push(NOTICE, Act::Notify);
        day.tubes(tubes, &mut stream(seed, TUBE_STREAM));
        day.desks();
        day.dues.sort_unstable();
        day
    }

    /// What the check of a class group finds; nothing where no such check is planned.
    pub(super) fn found(&self, slot: Slot, group: u32) -> Option<&Found> {
        let checks = match slot {
            Slot::Morning => &self.morning,
            Slot::Noon => &self.noon,
            _ => return None,
        };
        checks.get(group as usize)
    }

    /// What is due in a part of the day.
    pub(super) fn within(&self, window: Window) -> &[Due] {
        let first = self.dues.partition_point(|due| due.at < window.from);
        let end = self.dues.partition_point(|due| due.at < window.to);
        self.dues.get(first..end).unwrap_or_default()
    }

    /// The `minutes` with the most acts within a part of the day, which may be shorter.
    pub(super) fn densest(&self, minutes: usize, window: Window) -> Window {
        let mut counts = vec![0_usize; ((window.to - window.from).div_ceil(MINUTE)) as usize];
        for due in self.within(window) {
            if let Some(count) = counts.get_mut(((due.at - window.from) / MINUTE) as usize) {
                *count += 1;
            }
        }
        let sums = counts.windows(minutes.clamp(1, counts.len().max(1)));
        let sums = sums.map(|some| some.iter().sum::<usize>()).enumerate();
        // Of two that are alike, the earlier.
        let densest = sums.max_by_key(|(minute, sum)| (*sum, std::cmp::Reverse(*minute)));
        let (minute, _) = densest.unwrap_or_default();
        let from = window.from + minute as Moment * MINUTE;
        let to = window.to.min(from + minutes as Moment * MINUTE);
        Window { from, to }
    }

    pub(super) fn push(&mut self, at: Moment, act: Act) {
        self.dues.push(Due { at, act });
    }

    fn school(&mut self, town: &Town, (number, school): (u32, &School), rng: &mut ChaCha8Rng) {
        let begin = rng.random_range(GATES.from..=GATES.to - COMING);
        let coming = Window {
            from: begin,
            to: begin + COMING,
        };
        let offline = chance(rng, OFFLINE);
        let (mut place, mut entries) = (0, Vec::new());
        for group in school.groups.clone() {
            self.group(town.pupils(group), group, begin, rng);
            let away = self.morning.last().map(|found| found.away.clone());
            let away = away.unwrap_or_default();
            let present = (0..town.pupils(group)).filter(|pupil| !away.contains(pupil));
            entries.extend(present.map(|pupil| (place + pupil, bell(rng, coming))));
            place += town.pupils(group);
        }
        entries.extend((place..place + school.staff).map(|one| (one, bell(rng, coming))));
        if offline {
            self.offline(number, entries);
        } else {
            self.online(number, entries, rng);
        }
        for room in school.rooms.clone() {
            self.push(bell(rng, EVENING), Act::CheckRoom { room });
        }
        self.push(bell(rng, SIGNING), Act::Sign { school: number });
    }

    /// The checks of a class group, and the call to whoever is away.
    fn group(&mut self, pupils: u32, group: u32, begin: Moment, rng: &mut ChaCha8Rng) {
        let (mut morning, mut noon) = (Found::default(), Found::default());
        for pupil in 0..pupils {
            if chance(rng, AWAY) {
                morning.away.push(pupil);
                noon.away.push(pupil);
                continue;
            }
            for (found, share) in [&mut morning, &mut noon].into_iter().zip(ILL) {
                if chance(rng, share) {
                    found.ill.push(pupil);
                }
            }
        }
        let checked = Window {
            from: begin + CHECKED_AFTER,
            to: MORNING.to,
        };
        let at = bell(rng, checked);
        let slot = Slot::Morning;
        self.push(at, Act::Check { group, slot });
        if !morning.away.is_empty() {
            self.push(at + rng.random_range(TRACED), Act::Trace { group });
        }
        let slot = Slot::Noon;
        self.push(bell(rng, NOON), Act::Check { group, slot });
        self.morning.push(morning);
        self.noon.push(noon);
    }

    fn online(&mut self, school: u32, entries: Vec<(u32, Moment)>, rng: &mut ChaCha8Rng) {
        for (place, at) in entries {
            let fever = chance(rng, FEVER);
            self.push(
                at,
                Act::Enter {
                    school,
                    place,
                    fever,
                },
            );
            if fever {
                self.push(at + WAIT, Act::Recheck { school, place });
            }
        }
    }

    fn offline(&mut self, school: u32, mut entries: Vec<(u32, Moment)>) {
        entries.sort_unstable_by_key(|(place, at)| (*at, *place));
        for some in entries.chunks(TOGETHER) {
            let last = some.last().map(|(_, at)| *at).unwrap_or_default();
            let batch = self.batches.len() as u32;
            self.push(last + RECORDED_AFTER, Act::Batch { batch });
            self.batches.push(Batch {
                school,
                entries: some.to_vec(),
            });
        }
    }

    /// Each tube is opened, filled and sealed while swabs are scanned, carried away and tested.
    fn tubes(&mut self, tubes: &[u32], rng: &mut ChaCha8Rng) {
        let mut delivered = Vec::with_capacity(tubes.len());
        for (tube, people) in (0..).zip(tubes.iter().copied()) {
            let filling = (people + 2) * SCAN_EVERY;
            let opening = Window {
                from: SWABS.from,
                to: SWABS.to.saturating_sub(filling).max(SWABS.from + 1),
            };
            let open = bell(rng, opening);
            self.push(open, Act::Open { tube });
            for place in 0..people {
                let at = open + (place + 1) * SCAN_EVERY;
                self.push(at, Act::Scan { tube, place });
            }
            let seal = open + (people + 1) * SCAN_EVERY;
            self.push(seal, Act::Seal { tube });
            let at = seal + rng.random_range(CARRIED);
            self.push(at, Act::Deliver { tube });
            delivered.push((at, tube));
        }
        delivered.sort_unstable();
        for some in delivered.chunks(RESULTS) {
            let last = some.last().map(|(at, _)| *at).unwrap_or_default();
            let batch = self.results.len() as u32;
            self.push(last + TESTED, Act::Results { batch });
            self.results
                .push(some.iter().map(|(_, tube)| *tube).collect());
        }
    }

    /// Each desk looks at the coverage and at the overview again and again, one desk after the other.
    fn desks(&mut self) {
        for desk in 0..DESKS {
            let first = DAY.from + desk * LOOK / DESKS;
            for at in (first..DAY.to).step_by(LOOK as usize) {
                self.push(at, Act::Coverage { desk });
                self.push(at, Act::Overview { desk });
            }
        }
    }
}

pub(super) const fn moment(hour: Moment, minute: Moment) -> Moment {
    (hour * 60 + minute) * MINUTE
}

pub(super) const fn between(from: (Moment, Moment), to: (Moment, Moment)) -> Window {
    Window {
        from: moment(from.0, from.1),
        to: moment(to.0, to.1),
    }
}

pub(super) fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}

/// Whether something happens whose chance is so many in a thousand.
pub(super) fn chance(rng: &mut ChaCha8Rng, share: u32) -> bool {
    rng.random_range(0..1000) < share
}

/// A moment within a window, most often in its middle: the mean of three.
pub(super) fn bell(rng: &mut ChaCha8Rng, window: Window) -> Moment {
    let span = window.to - window.from;
    let sum: Moment = (0..3).map(|_| rng.random_range(0..span)).sum();
    window.from + sum / 3
}
