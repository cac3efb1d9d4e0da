//! Who is on duty now, gaps included.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DbErr};

use super::{Duty, SHIFTS};
use crate::app::Site;
use crate::domain::duty::{Hole, Shift, Span, Standing, hole};
use crate::domain::organization::{Kind, Organization};
use crate::error::Error;
use crate::store::Store;
use crate::store::records::Record;

/// Who is on duty at one organisation.
#[derive(Debug)]
pub(crate) struct OnDuty {
    /// The organisation.
    pub(crate) organization: Organization,
    /// How it stands.
    pub(crate) standing: Standing,
    /// The name of the shift and its leader; none in a gap.
    pub(crate) shift: Option<(String, String)>,
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
    /// When time alone changes it.
    pub(crate) next: DateTime<Utc>,
}

/// How one organisation stands at `now`.
///
/// # Errors
/// When the database fails.
pub(crate) async fn standing_of(
    db: &impl ConnectionTrait,
    organization: &str,
    now: DateTime<Utc>,
) -> Result<Now, DbErr> {
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
    Ok(Now {
        standing: best.map_or(Standing::Gap, |(standing, _)| standing),
        shift: best.map(|(_, shift)| shift.name(SHIFTS)),
        hole: hole(now, last, &coming),
        next: next.unwrap_or(span.end).min(span.end),
    })
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
        let watched = Kind::ALL
            .into_iter()
            .filter(|kind| kind.is_bureau() || kind.has_campus());
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
                    shift: Some((shift.name(SHIFTS), shift.value.answers().to_owned())),
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
