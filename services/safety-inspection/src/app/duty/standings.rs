//! Who is on duty now, gaps included.

use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use kit::clock::civil_date;
use sea_orm::{ConnectionTrait, DbErr};

use super::checks::points;
use super::{Duty, SHIFTS, Templates};
use crate::app::Site;
use crate::domain::duty::{Hole, Route, Shift, Span, Standing, hole, missed, rounds, unmade};
use crate::domain::organization::{Kind, Organization};
use crate::error::Error;
use crate::store::Store;
use crate::store::duty::PatrolRow;
use crate::store::records::Record;
use crate::store::register::Rules;

/// Who is on duty at one organisation.
#[derive(Debug)]
pub(crate) struct OnDuty {
    /// The organisation.
    pub(crate) organization: Organization,
    /// How it stands.
    pub(crate) standing: Standing,
    /// Who; none in a gap.
    pub(crate) shift: Option<OnShift>,
}

/// Who is on duty.
#[derive(Debug, Default)]
pub(crate) struct OnShift {
    /// The name of the shift.
    pub(crate) shift: String,
    /// Its leader.
    pub(crate) leader: String,
    /// The telephone that answers.
    pub(crate) phone: String,
}

/// How long before a shift somebody looks again whether it begins.
const AHEAD: TimeDelta = TimeDelta::hours(25);

/// How one organisation stands.
#[derive(Debug)]
pub(crate) struct Now {
    /// How.
    pub(crate) standing: Standing,
    /// The name of the shift that says so; none in a gap.
    pub(crate) shift: Option<String>,
    /// The time without a published roster, now or soon.
    pub(crate) hole: Option<Hole>,
    /// The rounds of today and of the day before that nobody made, each with its day and who answered for
    /// it.
    pub(crate) unmade: Vec<(NaiveDate, Span, String)>,
    /// When time alone changes it.
    pub(crate) next: DateTime<Utc>,
}

/// How one organisation stands at `now`, by the rules in force and the templates that ship.
///
/// # Errors
/// When the database fails.
pub(crate) async fn standing_of(
    db: &impl ConnectionTrait,
    (rules, templates): (&Rules, &Templates),
    site: &Site,
    now: DateTime<Utc>,
) -> Result<Now, DbErr> {
    let organization = &*site.organization.id;
    let span = Span {
        start: now,
        end: now + AHEAD,
    };
    let shifts = Store::shifts_within(db, &[organization.to_owned()], span).await?;
    let answering = || {
        let shifts = shifts.iter();
        shifts.filter_map(|shift| Some((shift.value.state.standing()?, shift)))
    };
    let running = answering().filter(|(_, shift)| shift.value.span.contains(now));
    let best = running.max_by_key(|(standing, _)| *standing);
    let instants =
        answering().flat_map(|(_, shift)| [shift.value.span.start, shift.value.span.end]);
    let next = instants.filter(|at| *at > now).min();
    let at = Span {
        start: now,
        end: now,
    };
    let (last, _) = Store::neighbouring_rosters(db, organization, at).await?;
    let coming = Store::coming_rosters(db, organization, now).await?;
    let today = civil_date(now);
    let days = [today - Days::new(1), today].into_iter();
    let rounds = days.flat_map(|day| {
        let night = rounds(templates.on(rules, site, day), day).into_iter();
        night.map(move |round| (day, round))
    });
    let rounds: Vec<(NaiveDate, Span)> = rounds.collect();
    let unmade = unmade_at(db, organization, &rounds, now).await?;
    let round = rounds.iter().map(|(_, round)| round.end);
    let round = round.filter(|end| *end > now).min();
    Ok(Now {
        standing: best.map_or(Standing::Gap, |(standing, _)| standing),
        shift: best.map(|(_, shift)| shift.name(SHIFTS)),
        hole: hole(now, last, &coming),
        unmade,
        next: next.into_iter().chain(round).fold(span.end, Ord::min),
    })
}

/// Those of the rounds of `days` that nobody made at an organisation during a published shift.
async fn unmade_at(
    db: &impl ConnectionTrait,
    organization: &str,
    days: &[(NaiveDate, Span)],
    now: DateTime<Utc>,
) -> Result<Vec<(NaiveDate, Span, String)>, DbErr> {
    let rounds: Vec<Span> = days.iter().map(|(_, round)| *round).collect();
    let Some(first) = rounds.iter().map(|round| round.start).min() else {
        return Ok(Vec::new());
    };
    let span = Span {
        start: first,
        end: now.max(first),
    };
    let shifts = Store::shifts_within(db, &[organization.to_owned()], span).await?;
    let rows = Store::patrols_within(db, organization, span).await?;
    let passed: Vec<_> = rows.iter().filter_map(PatrolRow::passed).collect();
    let points = points(db, organization).await?;
    let missed = missed(&rounds, &passed, Route(&points), now);
    let unmade = unmade(&missed, shifts.iter().map(|shift| &shift.value));
    let unmade = unmade.into_iter().filter_map(|(round, leader)| {
        let (day, _) = days.iter().find(|(_, one)| *one == round)?;
        Some((*day, round, leader.to_owned()))
    });
    Ok(unmade.collect())
}

impl Duty {
    /// Who is on duty now at and below an organisation, by place, after the place `after`.
    pub(crate) async fn standings(
        &self,
        site: &Site,
        after: &str,
        limit: u64,
    ) -> Result<Vec<OnDuty>, Error> {
        let (db, now) = (self.base.store.database().read(), self.base.clock.now());
        let watched = Kind::ALL.into_iter().filter(|kind| kind.keeps_duty());
        let watched: Vec<Kind> = watched.collect();
        let place = &site.organization.org_path;
        let page = Store::organizations_below(db, place, &watched, after, limit).await?;
        let ids: Vec<String> = page.iter().map(|one| one.id.clone()).collect();
        let span = Span {
            start: now,
            end: now + TimeDelta::milliseconds(1),
        };
        let mut best: HashMap<String, (Standing, Record<Shift>)> = HashMap::new();
        for shift in Store::shifts_within(db, &ids, span).await? {
            let Some(standing) = shift.value.state.standing() else {
                continue;
            };
            let known = best.get(&shift.organization).map(|(known, _)| *known);
            if known < Some(standing) {
                best.insert(shift.organization.clone(), (standing, shift));
            }
        }
        let standings = page
            .into_iter()
            .map(|organization| match best.remove(&organization.id) {
                Some((standing, shift)) => OnDuty {
                    organization,
                    standing,
                    shift: Some(OnShift {
                        shift: shift.name(SHIFTS),
                        leader: shift.value.answers().to_owned(),
                        phone: shift.value.crew.phone.clone(),
                    }),
                },
                None => OnDuty {
                    organization,
                    standing: Standing::Gap,
                    shift: None,
                },
            });
        Ok(standings.collect())
    }
}
