//! Answers with overviews: checks who may see which, asks the services at the same time, and puts together
//! what came in time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::future::join_all;
use kit::auth::Permission;
use kit::clock::Clock;
use kit::field::{to_date, to_timestamp};
use kit::org::OrgPath;
use kit::status::Problem;
use proto::gateway::Overview;
use proto::roster::TeachingSummary;
use tokio::time::Instant;
use tonic::Code;

use super::assemble::{Part, Parts, Place, assemble};
use super::failure::{is_down, refused, unavailable, vouched};
use super::figures::{Told, notification, roster, safety};
use super::memory::{Known, Memory};
use super::rank::Rank;
use super::reader::{Ask, Reader};
use super::refusal::Refusal;
use super::source::Source;
use super::who::Who;

/// Answers with overviews.
#[derive(Clone, Debug)]
pub(crate) struct Desk(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    reader: Reader,
    memory: Memory,
    clock: Arc<dyn Clock>,
    part_deadline: Duration,
}

/// Which overview.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Subject {
    /// The id of the organisation.
    pub(crate) id: String,
    /// The civil day; none for today.
    pub(crate) date: Option<NaiveDate>,
}

/// Until when an answer is of use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    until: Instant,
    part: Duration,
}

/// What was read of one organisation.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) place: Place,
    pub(crate) date: NaiveDate,
    pub(crate) parts: Parts,
    pub(crate) read_time: DateTime<Utc>,
}

impl Budget {
    /// Until when one service may answer that is asked now.
    fn part(&self) -> Instant {
        (Instant::now() + self.part).min(self.until)
    }
}

impl Reading {
    /// As it is shown.
    pub(crate) fn overview(&self, id: &str) -> Overview {
        let now = to_timestamp(self.read_time);
        assemble(id, self.place.clone(), to_date(self.date), &self.parts, now)
    }
}

impl Desk {
    pub(crate) fn new(
        reader: Reader,
        memory: Memory,
        clock: Arc<dyn Clock>,
        part_deadline: Duration,
    ) -> Self {
        Self(Arc::new(Shared {
            reader,
            memory,
            clock,
            part_deadline,
        }))
    }

    /// The way to the services.
    pub(crate) fn reader(&self) -> &Reader {
        &self.0.reader
    }

    /// What a caller leaves who waits for `asked`; a tenth is for the way back.
    pub(crate) fn budget(&self, asked: Option<Duration>) -> Budget {
        let part = self.0.part_deadline;
        // The register comes first, the services follow.
        let most = part * 2;
        let limit = asked.map_or(most, |asked| (asked / 10 * 9).min(most));
        Budget {
            until: Instant::now() + limit,
            part,
        }
    }

    /// Reads the overview of one organisation.
    pub(crate) async fn read(
        &self,
        who: &Who,
        subject: &Subject,
        budget: Budget,
    ) -> Result<Reading, Refusal> {
        who.caller.allowed(Permission::OverviewRead)?;
        let date = self.day(subject.date)?;
        let place = self.place(who, &subject.id, date, budget).await?;
        let parts = self
            .parts(who, &subject.id, date, Source::ALL, budget)
            .await;
        if place.is_none() {
            vouched(parts.values().map(|part| match part {
                Part::Told(_) | Part::Unavailable(Some(_)) => None,
                part => Some(part),
            }))?;
        }
        Ok(Reading {
            place: place.unwrap_or_default(),
            date,
            parts,
            read_time: self.0.clock.now(),
        })
    }

    /// Reads the overviews of all organisations right below one, the worst first.
    pub(crate) async fn below(
        &self,
        who: &Who,
        subject: &Subject,
        budget: Budget,
    ) -> Result<Vec<(Rank, Overview)>, Refusal> {
        who.caller.allowed(Permission::OverviewRead)?;
        let (id, date) = (&*subject.id, self.day(subject.date)?);
        let place = self.place(who, id, date, budget).await?;
        let lists = self.lists(who, id, date, budget).await;
        if place.is_none() {
            vouched(lists.values().map(|list| list.as_ref().err()))?;
        }
        let found = lists.values().filter_map(|list| list.as_ref().ok());
        let children: BTreeSet<&String> = found.flat_map(BTreeMap::keys).collect();
        let now = to_timestamp(self.0.clock.now());
        let above = place.and_then(|place| place.org_path.parse::<OrgPath>().ok());
        let overview = |child: &String| {
            let place = Place {
                org_path: above
                    .as_ref()
                    .map(|above| above.join(child).to_string())
                    .unwrap_or_default(),
                display_name: String::new(),
            };
            let parts = lists.iter().map(|(source, list)| {
                let part = match list {
                    Ok(told) => told_of(*source, told.get(child), now),
                    Err(part) => part.clone(),
                };
                (*source, part)
            });
            assemble(child, place, to_date(date), &parts.collect(), now)
        };
        let mut ranked: Vec<(Rank, Overview)> = children
            .into_iter()
            .map(overview)
            .map(|overview| (Rank::of(&overview), overview))
            .collect();
        ranked.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(ranked)
    }

    /// The civil day that is meant.
    pub(crate) fn day(&self, asked: Option<NaiveDate>) -> Result<NaiveDate, Problem> {
        let today = self.0.clock.today();
        match asked {
            Some(date) if date > today => Err(Problem::invalid(
                "date",
                "不能晚于今天",
                "must not be in the future",
            )),
            date => Ok(date.unwrap_or(today)),
        }
    }

    /// The present instant.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// Asks some sources at the same time.
    pub(crate) async fn parts(
        &self,
        who: &Who,
        id: &str,
        date: NaiveDate,
        sources: impl IntoIterator<Item = Source>,
        budget: Budget,
    ) -> Parts {
        let today = date == self.0.clock.today();
        let asked = sources.into_iter().map(|source| async move {
            if !today && !source.keeps_days() {
                return (source, Part::NotKept);
            }
            let until = budget.part();
            let ask = Ask {
                who,
                id,
                date,
                until,
            };
            let answered = self.0.reader.one(source, ask).await;
            let part = answered.map_or_else(|status| refused(&status), Part::Told);
            (source, self.remember(who, ask, source, part))
        });
        join_all(asked).await.into_iter().collect()
    }

    /// Keeps what was told, and shows what was told last where nothing was now.
    fn remember(&self, who: &Who, ask: Ask<'_>, source: Source, part: Part) -> Part {
        let memory = &self.0.memory;
        match part {
            Part::Unavailable(_) => {
                let last = memory.last(who, ask.id, source, ask.date);
                Part::Unavailable(last.map(|told| Told::clone(&told)))
            }
            part => {
                let told = match &part {
                    Part::Told(told) => Some(told),
                    _ => None,
                };
                memory.keep(who, ask.id, source, ask.date, told);
                part
            }
        }
    }

    async fn lists(&self, who: &Who, id: &str, date: NaiveDate, budget: Budget) -> Lists {
        let today = date == self.0.clock.today();
        let asked = Source::LISTED.into_iter().map(|source| async move {
            if !today && !source.keeps_days() {
                return (source, Err(Part::NotKept));
            }
            let until = budget.part();
            let ask = Ask {
                who,
                id,
                date,
                until,
            };
            let answered = self.0.reader.below(source, ask).await;
            (source, answered.map_err(|status| refused(&status)))
        });
        join_all(asked).await.into_iter().collect()
    }

    /// Where the organisation stands, for a caller who may see its overview. None where the register
    /// cannot be asked: then the services, which know it too, decide alone.
    async fn place(
        &self,
        who: &Who,
        id: &str,
        date: NaiveDate,
        budget: Budget,
    ) -> Result<Option<Place>, Refusal> {
        let memory = &self.0.memory;
        let place = match memory.place(id) {
            Known::Fresh(place) => Some(place),
            known => {
                let last = match known {
                    Known::Stale(place) => Some(place),
                    _ => None,
                };
                if who.caller.allowed(Permission::RosterRead).is_err() {
                    last
                } else {
                    let until = budget.part();
                    let ask = Ask {
                        who,
                        id,
                        date,
                        until,
                    };
                    self.ask_register(ask, last).await?
                }
            }
        };
        if let Some(place) = &place {
            let path = place.org_path.parse().map_err(|_| unavailable())?;
            who.caller.require(Permission::OverviewRead, &path)?;
        }
        Ok(place)
    }

    async fn ask_register(
        &self,
        ask: Ask<'_>,
        last: Option<Place>,
    ) -> Result<Option<Place>, Refusal> {
        let memory = &self.0.memory;
        match self.0.reader.place(ask).await {
            Ok(place) => {
                memory.keep_place(ask.id, Some(&place));
                Ok(Some(place))
            }
            Err(status) if is_down(status.code()) => Ok(last),
            Err(status) => {
                if status.code() == Code::NotFound {
                    memory.keep_place(ask.id, None);
                }
                Err(Refusal::Register(status))
            }
        }
    }
}

/// What each source told of the organisations below, or why it did not.
type Lists = BTreeMap<Source, Result<BTreeMap<String, Told>, Part>>;

/// What a list says of one organisation. One without alerts, resumptions or class groups is not in it.
fn told_of(source: Source, told: Option<&Told>, now: prost_types::Timestamp) -> Part {
    match (told, source) {
        (Some(told), _) => Part::Told(told.clone()),
        (None, Source::AlertGroups) => Part::Told(notification::alerts([], now)),
        (None, Source::ResumptionFigures) => Part::Told(safety::readiness(None, now)),
        (None, Source::TeachingSummary) => {
            Part::Told(roster::teaching(TeachingSummary::default(), now))
        }
        (None, _) => Part::Unknown(String::new()),
    }
}
