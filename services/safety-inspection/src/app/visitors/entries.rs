//! A visitor shows the pass, is checked, enters and leaves.

use kit::auth::Caller;
use kit::clock::civil_date;
use kit::rows::Lock;
use kit::status::Problem;
use prost::Message;

use super::{Named, Opened, Visitors};
use crate::app::Site;
use crate::app::gate::{LookUp, implausible};
use crate::domain::gate::decision;
use crate::domain::gate::observation::{ColourSource, Observation, Reading};
use crate::domain::visitor::checked::{Checked, Entrant};
use crate::domain::visitor::pass::is_live;
use crate::domain::visitor::state::{State, Verb};
use crate::domain::visitor::visit::Illegal;
use crate::error::Error;

/// What was seen of a visitor and the companions.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) observation: Observation,
    pub(crate) companions: Vec<Observation>,
    pub(crate) look_up: LookUp,
    pub(crate) mask_worn: bool,
    pub(crate) device: String,
    pub(crate) badge: String,
}

impl Visitors {
    /// The pass to show now, and when it dies.
    ///
    /// # Errors
    /// When the visit is not approved or not today.
    pub(crate) async fn pass(
        &self,
        named: &Named,
    ) -> Result<(String, chrono::DateTime<chrono::Utc>), Error> {
        let now = self.base.clock.now();
        let db = self.base.store.database().read();
        let visit = self.open(db, named, Lock::No, now).await?.visit;
        if visit.state != State::EpidemicApproved {
            return Err(Illegal(visit.state).into());
        }
        if visit.day != civil_date(now) {
            return Err(Error::VisitPass("OTHER_DAY"));
        }
        Ok(self.passes.issue(visit.id, now))
    }

    /// The pass is shown at the gate of a school.
    ///
    /// # Errors
    /// When it is not live, not of today, or of a visit elsewhere.
    pub(crate) async fn arrive<R: Message + Default>(
        &self,
        caller: &Caller,
        site: Site,
        code: &str,
        once: (&str, &impl Message),
        render: impl FnOnce(Opened) -> R,
    ) -> Result<R, Error> {
        let foreign = || Error::VisitPass("FOREIGN");
        let (id, issued) = self.passes.open(code).map_err(|_| foreign())?;
        let named = Named { site, id };
        let change = |opened: &mut Opened| {
            if !is_live(issued, opened.now) {
                return Err(Error::VisitPass("EXPIRED"));
            }
            if opened.visit.day != civil_date(opened.now) {
                return Err(Error::VisitPass("OTHER_DAY"));
            }
            Ok((Verb::Arrive, String::new()))
        };
        let arrived = self
            .step(caller, &named, "ArriveVisit", once, change, render)
            .await;
        // A guard learns nothing of another school's visits.
        arrived.map_err(|err| match err {
            Error::NotFound(_) => foreign(),
            other => other,
        })
    }

    /// Makes the four checks of everybody; the strictest decides.
    ///
    /// # Errors
    /// When more come than were approved, or a second reading comes too early.
    pub(crate) async fn check<R: Message + Default>(
        &self,
        caller: &Caller,
        named: &Named,
        seen: Seen,
        once: (&str, &impl Message),
        render: impl FnOnce(Opened) -> R,
    ) -> Result<R, Error> {
        let (observation, colour_source) = self.seen(named, &seen).await?;
        let change = |opened: &mut Opened| {
            if opened.visit.state != State::Arrived {
                return Err(Illegal(opened.visit.state).into());
            }
            let approved = usize::try_from(opened.visit.companions).unwrap_or_default();
            if seen.companions.len() > approved {
                return Err(too_many(approved).into());
            }
            let all = std::iter::once(observation).chain(seen.companions.iter().copied());
            let checked = self.weigh_all(named, opened, all.collect(), &seen)?;
            let checked = Checked {
                guard: caller.subject.clone(),
                colour_source,
                ..checked
            };
            let verb = checked.verb();
            if verb == Verb::Admit {
                opened.visit.companions_inside = checked.companions();
                opened.visit.badge = seen.badge.clone();
            }
            opened.checked = Some(checked);
            Ok((verb, String::new()))
        };
        self.step(caller, named, "CheckVisit", once, change, render)
            .await
    }

    /// What was seen of the visitor, with what was asked for looked up.
    async fn seen(&self, named: &Named, seen: &Seen) -> Result<(Observation, ColourSource), Error> {
        if seen.look_up == LookUp::default() {
            return Ok((seen.observation, ColourSource::Shown));
        }
        let now = self.base.clock.now();
        let db = self.base.store.database().read();
        let opened = self.open(db, named, Lock::No, now).await?;
        let school = (named.site.organization.id.as_str(), &named.site.path);
        let shown = (seen.observation, seen.look_up);
        let gate = &self.gate;
        Ok(gate.seen_of_visitor(school, shown, &opened.card, now).await)
    }

    fn weigh_all(
        &self,
        named: &Named,
        opened: &Opened,
        all: Vec<Observation>,
        seen: &Seen,
    ) -> Result<Checked, Error> {
        let (now, path) = (opened.now, &named.site.path);
        let policy = self.gate.policy(path, now);
        let first = opened.checked.as_ref();
        let awaited = first.and_then(|first| Some((first.awaited()?, first.time)));
        let reading = match awaited {
            None => Reading::First,
            Some(awaited) => {
                decision::recheck(awaited, now, policy.recheck_wait)
                    .map_err(|early| Error::RecheckTooEarly(early.0))?;
                Reading::Contact
            }
        };
        let mut readings = all.iter().enumerate();
        if let Some((place, _)) = readings.find(|(_, seen)| !policy.believes(seen)) {
            let field = match place.checked_sub(1) {
                None => "observation".to_owned(),
                Some(companion) => format!("companion_observations[{companion}]"),
            };
            return Err(implausible(&field).into());
        }
        let mut stale = false;
        let weighed = all.into_iter().map(|observation| {
            let weighing = self.gate.weigh_visitor(path, observation, reading, now);
            stale |= weighing.decision.stale;
            Entrant {
                checks: weighing.decision.checks,
                observation,
            }
        });
        Ok(Checked {
            entrants: weighed.collect(),
            mask_worn: seen.mask_worn,
            mask: policy.mask(seen.mask_worn),
            device: seen.device.clone(),
            guard: String::new(),
            policy_version: policy.version,
            time: now,
            stale,
            colour_source: ColourSource::Shown,
        })
    }

    /// A named person admits whom the checks denied.
    ///
    /// # Errors
    /// When they did not, or the day is over.
    pub(crate) async fn override_check<R: Message + Default>(
        &self,
        caller: &Caller,
        named: &Named,
        reason: String,
        once: (&str, &impl Message),
        render: impl FnOnce(Opened) -> R,
    ) -> Result<R, Error> {
        let change = |opened: &mut Opened| {
            let checked = opened.checked.as_ref();
            opened.visit.companions_inside = checked.map_or(0, Checked::companions);
            Ok((Verb::Override, reason))
        };
        self.step(caller, named, "OverrideVisit", once, change, render)
            .await
    }

    /// Everybody leaves.
    ///
    /// # Errors
    /// When not as many leave as entered.
    pub(crate) async fn leave<R: Message + Default>(
        &self,
        caller: &Caller,
        named: &Named,
        companions: i32,
        once: (&str, &impl Message),
        render: impl FnOnce(Opened) -> R,
    ) -> Result<R, Error> {
        let change = |opened: &mut Opened| {
            let visit = &opened.visit;
            let inside = visit.companions_inside;
            // Who is not inside cannot leave, whatever the count.
            if State::next(Some(visit.state), Verb::Leave).is_some() && companions != inside {
                return Err(Problem::invalid(
                    "companion_count",
                    format!("入校随行 {inside} 人，离校人数须一致"),
                    format!("{inside} companions entered, as many must leave"),
                )
                .into());
            }
            Ok((Verb::Leave, String::new()))
        };
        self.step(caller, named, "LeaveVisit", once, change, render)
            .await
    }
}

fn too_many(approved: usize) -> Problem {
    Problem::invalid(
        "companion_observations",
        format!("随行人数超过审批的 {approved} 人"),
        format!("{approved} companions were approved"),
    )
}
