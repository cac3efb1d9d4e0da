//! A school through one day after the other, each in its order. In the morning a visitor is announced, a hazard is
//! found, and somebody is away. At noon the visitor comes, the hazard gets an owner, and the family is asked. Then swabs
//! are taken. In the evening the visitor leaves, the hazard is closed, an order comes down and is signed, whoever was
//! away is back, and the bureau decides on teaching. Every request has an id; what is acknowledged is kept.

mod absences;
mod audited;
mod hazards;
mod orders;
mod suspensions;
mod visits;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(super) use orders::DRAFT;
use proto::sampling::Suspension;
use tests::city::City;
use tests::town::school;
use tests::verbs::request_id;
use tonic::Status;

use super::campaign::Campaign;
use super::clients::Record;
use super::sampler::Swabs;
use super::{FAULTS, SITES, settings};

/// How many swabs are taken on one day.
const SWABS: u32 = 3;
/// How often a school whose days are over looks whether the campaign is.
const PAUSE: Duration = Duration::from_millis(50);

/// A part of a day.
#[derive(Clone, Copy, Debug)]
enum Part {
    Morning,
    Noon,
    Swabs,
    Evening,
}

/// A day.
const DAY: [Part; 4] = [Part::Morning, Part::Noon, Part::Swabs, Part::Evening];

/// Something that goes from step to step, and the steps that were acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trail {
    name: String,
    steps: Vec<String>,
}

/// What was acknowledged of days.
#[derive(Debug, Default)]
pub(super) struct Days {
    /// The ids of requests by method.
    acts: BTreeMap<&'static str, Vec<String>>,
    hazards: Vec<Trail>,
    visits: Vec<Trail>,
    absences: Vec<Trail>,
    orders: Vec<orders::Signed>,
    /// As they were decided, or amended last.
    suspensions: Vec<Suspension>,
}

impl Days {
    pub(super) fn add(&mut self, other: Self) {
        for (method, ids) in other.acts {
            self.acts.entry(method).or_default().extend(ids);
        }
        self.hazards.extend(other.hazards);
        self.visits.extend(other.visits);
        self.absences.extend(other.absences);
        self.orders.extend(other.orders);
        self.suspensions.extend(other.suspensions);
    }

    /// An act by a request with this id was acknowledged.
    pub(super) fn note(&mut self, method: &'static str, id: String) {
        self.acts.entry(method).or_default().push(id);
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} acts on record, {} hazards, {} visits, {} absences, {} orders and {} suspensions",
            self.acts.values().map(Vec::len).sum::<usize>(),
            self.hazards.len(),
            self.visits.len(),
            self.absences.len(),
            self.orders.len(),
            self.suspensions.len(),
        )
    }
}

/// A school on its days.
struct Office<'a> {
    campaign: &'a Campaign,
    city: &'a City,
    at: u32,
    /// How many acts and days there were: by it some acts are sent again, others on each day.
    turn: u32,
    /// Whether the visitor of the day is expected, or inside.
    visited: bool,
    days: Days,
}

/// Follows one day after the other until the campaign is over; as many at most as faults strike, for all that happens
/// is read one by one at the end.
pub(super) async fn day(campaign: Campaign, city: Arc<City>, at: u32) -> Record {
    let mut office = Office {
        campaign: &campaign,
        city: &city,
        at,
        turn: 0,
        visited: false,
        days: Days::default(),
    };
    let site = at > city.town.schools - SITES;
    let mut swabs = site.then(|| Swabs::begin(&city, at));
    let mut record = Record::default();
    'days: for number in 0..settings::faults(FAULTS) {
        office.turn += 1;
        for part in DAY {
            if campaign.is_over() {
                break 'days;
            }
            match (part, &mut swabs) {
                (Part::Swabs, Some(swabs)) => {
                    for _ in 0..SWABS {
                        record.tubes.extend(swabs.next(&campaign, &city).await);
                    }
                }
                (part, swabs) => office.part(part, number, swabs.is_none()).await,
            }
        }
    }
    while !campaign.is_over() {
        tokio::time::sleep(PAUSE).await;
    }
    record.days = office.days;
    record
}

impl Office<'_> {
    /// A part of a day; pupils are away where `away` says so.
    async fn part(&mut self, part: Part, number: u32, away: bool) {
        match part {
            Part::Morning => {
                visits::is_announced(self, number).await;
                hazards::is_found(self, number).await;
                if away {
                    absences::is_recorded(self, number).await;
                }
            }
            Part::Noon => {
                visits::comes(self).await;
                hazards::is_assigned(self).await;
                if away {
                    absences::is_traced(self).await;
                }
            }
            Part::Swabs => {}
            Part::Evening => {
                visits::leaves(self).await;
                hazards::is_closed(self, number).await;
                orders::is_signed(self, number).await;
                if away {
                    absences::ends(self).await;
                    suspensions::is_decided(self).await;
                }
            }
        }
    }

    /// Does an act until it is acknowledged, and sometimes once more; `send` takes the id of its request.
    async fn act<R, F, Fut>(&mut self, method: &'static str, mut send: F) -> R
    where
        R: PartialEq + fmt::Debug,
        F: FnMut(String) -> Fut,
        Fut: Future<Output = Result<R, Status>>,
    {
        let (id, number) = (request_id(), self.turn);
        let send = || send(id.clone());
        let answer = self.campaign.insist_twice(keeper(method), number, send);
        let answer = answer.await;
        self.turn += 1;
        self.days.note(method, id);
        answer
    }
}

/// The service that keeps what a method does.
fn keeper(method: &str) -> &'static str {
    match method.split('.').nth(1) {
        Some("safety") => "safety-inspection",
        Some("sampling") => "sampling",
        _ => "notification",
    }
}

/// The name of a method within its service.
fn step(method: &str) -> String {
    let (_, step) = method.rsplit_once('/').expect("a method of a service");
    step.to_owned()
}

/// The resource name of a school.
fn organization(at: u32) -> String {
    format!("organizations/{}", school(at))
}

/// Something with its first step.
fn begun(name: String, step: String) -> Trail {
    Trail {
        name,
        steps: vec![step],
    }
}

/// What was begun last.
fn last(trails: &mut [Trail]) -> &mut Trail {
    trails.last_mut().expect("one was begun")
}

/// Holds what is kept of days against what was acknowledged of them.
pub(super) async fn judge(campaign: &Campaign, city: &City, days: &Days) {
    hazards::are_kept(campaign, city, &days.hazards).await;
    visits::are_kept(campaign, city, &days.visits).await;
    absences::are_kept(campaign, city, &days.absences).await;
    orders::are_kept(campaign, city, &days.orders).await;
    suspensions::are_kept(campaign, city, &days.suspensions).await;
    audited::is_on_record(city, &days.acts).await;
}
