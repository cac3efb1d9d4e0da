//! A visit is asked for, confirmed by the host, approved by the epidemic group, or not.

use chrono::{DateTime, Days, NaiveDate, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::{civil_date, start_of};
use kit::status::Problem;
use prost::Message;

use super::{Named, Opened, Visitors, is_person};
use crate::app::{Site, new_id};
use crate::domain::gate::policy::VisitPolicy;
use crate::domain::person::PersonName;
use crate::domain::visitor::card::Card;
use crate::domain::visitor::state::{State, Verb};
use crate::domain::visitor::visit::{MOST_DAYS_AHEAD, Verification, Visit};
use crate::error::Error;
use crate::store::visits::VisitEvent;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) card: Card,
    pub(crate) host: PersonName,
    pub(crate) companions: i32,
    pub(crate) day: NaiveDate,
    pub(crate) expected_leave: DateTime<Utc>,
    pub(crate) urgent: bool,
}

impl Visitors {
    /// Asks for a visit.
    ///
    /// # Errors
    /// When the host is no member of staff there, or the day cannot be.
    pub(crate) async fn request<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        wish: Wish,
        once: (&str, &impl Message),
        render: impl FnOnce(Opened) -> R,
    ) -> Result<R, Error> {
        // Asked before the transaction: nobody waits for another system while a row is locked.
        let verification = self.identities.verify(&wish.card).await;
        self.act(caller, "CreateVisit", once, async |tx, now| {
            let policy = self.gate.policy(&site.path, now).visits;
            check_day(&wish, &policy, now)?;
            if !self.gate.is_staff(wish.host, &site.path) {
                return Err(Error::VisitHost(wish.host));
            }
            let Wish { card, .. } = wish.clone();
            let mut opened = Opened {
                visit: requested(site, &wish, verification, now),
                card,
                checked: None,
                events: Vec::new(),
                now,
            };
            opened.visit.due = opened.visit.due_after(now, &policy);
            let event = VisitEvent {
                verb: Verb::Request,
                from: None,
                to: State::Requested,
                actor: caller.subject.clone(),
                note: String::new(),
                time: now,
            };
            self.keep(tx, &mut opened, event).await?;
            Ok((render(opened), now))
        })
        .await
    }

    /// The host agrees.
    ///
    /// # Errors
    /// When it is somebody else, the host has left the school, or nobody knows who the visitor is.
    pub(crate) async fn confirm<R: Message + Default>(
        &self,
        caller: &Caller,
        named: &Named,
        document_seen: bool,
        once: (&str, &impl Message),
        render: impl FnOnce(Opened) -> R,
    ) -> Result<R, Error> {
        let change = |opened: &mut Opened| {
            let visit = &mut opened.visit;
            let host = visit.host.filter(|host| is_person(caller, *host));
            let host = host.ok_or(Error::VisitApprover("HOST"))?;
            if !self.gate.is_staff(host, &named.site.path) {
                return Err(Error::VisitHost(host));
            }
            let found = visit.verification.unwrap_or(Verification::NotVerified);
            if visit.state == State::Requested && !found.suffices(document_seen) {
                return Err(Error::VisitorNotVerified(found));
            }
            visit.document_seen = document_seen;
            visit.confirmed_by.clone_from(&caller.subject);
            Ok((Verb::Confirm, String::new()))
        };
        self.step(caller, named, "ConfirmVisit", once, change, render)
            .await
    }

    /// The epidemic group agrees.
    ///
    /// # Errors
    /// When it is the host.
    pub(crate) async fn approve<R: Message + Default>(
        &self,
        caller: &Caller,
        named: &Named,
        once: (&str, &impl Message),
        render: impl FnOnce(Opened) -> R,
    ) -> Result<R, Error> {
        let change = |opened: &mut Opened| {
            let visit = &opened.visit;
            let is_host = visit.host.is_some_and(|host| is_person(caller, host));
            if is_host || visit.confirmed_by == caller.subject {
                return Err(Error::VisitApprover("EPIDEMIC_GROUP"));
            }
            Ok((Verb::Approve, String::new()))
        };
        self.step(caller, named, "ApproveVisit", once, change, render)
            .await
    }

    /// The host or the epidemic group refuses.
    ///
    /// # Errors
    /// When it is neither.
    pub(crate) async fn refuse<R: Message + Default>(
        &self,
        caller: &Caller,
        named: &Named,
        reason: String,
        once: (&str, &impl Message),
        render: impl FnOnce(Opened) -> R,
    ) -> Result<R, Error> {
        let group = caller.require(Permission::VisitApprove, &named.site.path);
        let change = |opened: &mut Opened| {
            let host = opened.visit.host;
            let is_host = host.is_some_and(|host| is_person(caller, host));
            if !is_host && group.is_err() {
                return Err(Error::VisitApprover("HOST"));
            }
            Ok((Verb::Refuse, reason))
        };
        self.step(caller, named, "RefuseVisit", once, change, render)
            .await
    }

    /// The visit is called off.
    ///
    /// # Errors
    /// When the visitor is there already.
    pub(crate) async fn cancel<R: Message + Default>(
        &self,
        caller: &Caller,
        named: &Named,
        once: (&str, &impl Message),
        render: impl FnOnce(Opened) -> R,
    ) -> Result<R, Error> {
        let change = |_: &mut Opened| Ok((Verb::Cancel, String::new()));
        self.step(caller, named, "CancelVisit", once, change, render)
            .await
    }
}

/// Rule 3.6: asked for the day before unless it cannot wait, and out again on the same day.
fn check_day(wish: &Wish, policy: &VisitPolicy, now: DateTime<Utc>) -> Result<(), Problem> {
    let today = civil_date(now);
    let lead = if wish.urgent { 0 } else { policy.lead_days };
    let first = today + Days::new(u64::try_from(lead).unwrap_or_default());
    let last = today + Days::new(MOST_DAYS_AHEAD);
    if !(first..=last).contains(&wish.day) {
        return Err(Problem::invalid(
            "visit.visit_date",
            format!("应在 {first} 至 {last} 之间；确属紧急的请标明"),
            format!("must be from {first} to {last}, unless urgent"),
        ));
    }
    let leave = wish.expected_leave;
    if civil_date(leave) != wish.day || leave <= now {
        return Err(Problem::invalid(
            "visit.expected_leave_time",
            "应为来访当日、晚于现在的时间",
            "must be later on the day of the visit",
        ));
    }
    Ok(())
}

fn requested(site: &Site, wish: &Wish, verification: Verification, now: DateTime<Utc>) -> Visit {
    Visit {
        host: Some(wish.host),
        companions: wish.companions,
        expected_leave: Some(wish.expected_leave),
        urgent: wish.urgent,
        verification: Some(verification),
        ..begun(site.at(), State::Requested, wish.day, now)
    }
}

/// A visit that has just begun, with nothing said of it.
pub(super) fn begun(
    (organization, org_path): (&str, &str),
    state: State,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Visit {
    Visit {
        id: new_id(now),
        organization: organization.to_owned(),
        org_path: org_path.to_owned(),
        state,
        host: None,
        companions: 0,
        companions_inside: 0,
        day,
        closes: start_of(day + Days::new(1)),
        expected_leave: None,
        urgent: false,
        verification: None,
        document_seen: false,
        confirmed_by: String::new(),
        crew: None,
        badge: String::new(),
        entered: None,
        left: None,
        overstayed: None,
        responsible: String::new(),
        after_due: None,
        after: None,
        after_overdue: None,
        due: None,
        created: now,
        updated: now,
    }
}
