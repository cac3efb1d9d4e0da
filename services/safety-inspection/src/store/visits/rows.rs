//! The rows of visits.

use chrono::{DateTime, NaiveDate, Utc};
use kit::clock::start_of;
use kit::rows::row;
use sea_orm::DbErr;
use uuid::Uuid;

use super::{KeptVisit, VisitEvent};
use crate::domain::gate::observation::Crew;
use crate::domain::visitor::state::{State, Verb};
use crate::domain::visitor::visit::{Verification, Visit};
use crate::store::unreadable;

row! {
    /// A visit; instants are milliseconds since 1970, 0 for none.
    VisitRow in "visits" by ["id"] {
        /// Sorts by when it was asked for.
        id: Uuid,
        /// The id of the school.
        organization: String,
        /// Its place in the tree.
        org_path: String,
        /// The number of the state.
        state: i16,
        /// Who comes, sealed.
        card: Vec<u8>,
        /// The last check, sealed.
        checked: Vec<u8>,
        /// `staff/{staff_member}`; empty in an emergency.
        host: String,
        /// How many come along.
        companions: i32,
        /// How many of them are, or were, inside.
        companions_inside: i32,
        /// The civil day.
        visit_day: String,
        /// When the visitor is outside again.
        expected_leave_at: i64,
        /// It cannot wait.
        urgent: bool,
        /// The number of the verification; 0 in an emergency.
        verification: i16,
        /// The host has seen the document.
        document_seen: bool,
        /// Whoever confirmed it.
        confirmed_by: String,
        /// The number of the crew; 0 for none.
        crew: i16,
        /// The number of the badge.
        badge: String,
        /// When they entered.
        entered_at: i64,
        /// When they left.
        left_at: i64,
        /// When the alarm was raised.
        overstayed_at: i64,
        /// Who was named with the alarm.
        responsible: String,
        /// When the entry in the book is due.
        after_due_at: i64,
        /// When it was made.
        after_at: i64,
        /// When it was told that it is overdue.
        after_overdue_at: i64,
        /// When the clock moves it on; the greatest number for never.
        due_at: i64,
        /// When it was asked for.
        created_at: i64,
        /// The last change.
        updated_at: i64,
    }
}

row! {
    /// One move of a visit.
    VisitEventRow in "visit_events" by ["visit", "number"] {
        /// The visit.
        visit: Uuid,
        /// 1, 2, …
        number: i32,
        /// The number of the verb.
        verb: i16,
        /// The number of the state before; 0 for none.
        from_state: i16,
        /// The number of the state after.
        to_state: i16,
        /// Who did it.
        actor: String,
        /// The reason given.
        note: String,
        /// Milliseconds since 1970.
        at: i64,
    }
}

row! {
    /// Who saw a visitor in full.
    VisitorDisclosureRow in "visitor_disclosures" by ["id"] {
        /// Sorts by time.
        id: Uuid,
        /// The visit.
        visit: Uuid,
        /// The place of the school in the tree.
        org_path: String,
        /// The subject of the token.
        principal: String,
        /// Why.
        reason: String,
        /// Milliseconds since 1970.
        at: i64,
    }
}

fn millis(at: Option<DateTime<Utc>>) -> i64 {
    at.map_or(0, |at| at.timestamp_millis())
}

fn instant(at: i64) -> Option<DateTime<Utc>> {
    (at != 0).then(|| DateTime::from_timestamp_millis(at))?
}

impl VisitRow {
    pub(super) fn of(kept: &KeptVisit) -> Self {
        let KeptVisit {
            visit,
            card,
            checked,
        } = kept;
        Self {
            id: visit.id,
            organization: visit.organization.clone(),
            org_path: visit.org_path.clone(),
            state: visit.state as i16,
            card: card.clone(),
            checked: checked.clone(),
            host: visit.host.map(|host| host.to_string()).unwrap_or_default(),
            companions: visit.companions,
            companions_inside: visit.companions_inside,
            visit_day: visit.day.to_string(),
            expected_leave_at: millis(visit.expected_leave),
            urgent: visit.urgent,
            verification: visit.verification.map_or(0, |found| found as i16),
            document_seen: visit.document_seen,
            confirmed_by: visit.confirmed_by.clone(),
            crew: visit.crew.map_or(0, |crew| crew as i16),
            badge: visit.badge.clone(),
            entered_at: millis(visit.entered),
            left_at: millis(visit.left),
            overstayed_at: millis(visit.overstayed),
            responsible: visit.responsible.clone(),
            after_due_at: millis(visit.after_due),
            after_at: millis(visit.after),
            after_overdue_at: millis(visit.after_overdue),
            due_at: visit.due.map_or(i64::MAX, |due| due.timestamp_millis()),
            created_at: visit.created.timestamp_millis(),
            updated_at: visit.updated.timestamp_millis(),
        }
    }

    pub(in crate::store) fn kept(self) -> Result<KeptVisit, DbErr> {
        let day: NaiveDate = self.visit_day.parse().map_err(|_| unreadable("day"))?;
        let after = day.succ_opt().ok_or_else(|| unreadable("day"))?;
        let host = (!self.host.is_empty())
            .then(|| self.host.parse())
            .transpose();
        let known = |number: i16| (number != 0).then_some(number);
        let verification = known(self.verification).map(|number| {
            Verification::from_number(number).ok_or_else(|| unreadable("verification"))
        });
        let crew = known(self.crew).map(|number| {
            let mut crews = Crew::ALL.into_iter();
            let crew = crews.find(|crew| *crew as i16 == number);
            crew.ok_or_else(|| unreadable("crew"))
        });
        let required = |at: i64| instant(at).ok_or_else(|| unreadable("instant"));
        let visit = Visit {
            id: self.id,
            organization: self.organization,
            org_path: self.org_path,
            state: State::from_number(self.state).ok_or_else(|| unreadable("state"))?,
            host: host.map_err(|_| unreadable("host"))?,
            companions: self.companions,
            companions_inside: self.companions_inside,
            day,
            closes: start_of(after),
            expected_leave: instant(self.expected_leave_at),
            urgent: self.urgent,
            verification: verification.transpose()?,
            document_seen: self.document_seen,
            confirmed_by: self.confirmed_by,
            crew: crew.transpose()?,
            badge: self.badge,
            entered: instant(self.entered_at),
            left: instant(self.left_at),
            overstayed: instant(self.overstayed_at),
            responsible: self.responsible,
            after_due: instant(self.after_due_at),
            after: instant(self.after_at),
            after_overdue: instant(self.after_overdue_at),
            due: (self.due_at != i64::MAX)
                .then(|| required(self.due_at))
                .transpose()?,
            created: required(self.created_at)?,
            updated: required(self.updated_at)?,
        };
        Ok(KeptVisit {
            visit,
            card: self.card,
            checked: self.checked,
        })
    }
}

impl VisitEventRow {
    pub(super) fn of(visit: Uuid, number: i32, event: &VisitEvent) -> Self {
        Self {
            visit,
            number,
            verb: event.verb as i16,
            from_state: event.from.map_or(0, |state| state as i16),
            to_state: event.to as i16,
            actor: event.actor.clone(),
            note: event.note.clone(),
            at: event.time.timestamp_millis(),
        }
    }

    pub(super) fn event(self) -> Result<VisitEvent, DbErr> {
        let state = |number| State::from_number(number).ok_or_else(|| unreadable("state"));
        let from = (self.from_state != 0).then(|| state(self.from_state));
        Ok(VisitEvent {
            verb: Verb::from_number(self.verb).ok_or_else(|| unreadable("verb"))?,
            from: from.transpose()?,
            to: state(self.to_state)?,
            actor: self.actor,
            note: self.note,
            time: DateTime::from_timestamp_millis(self.at).ok_or_else(|| unreadable("instant"))?,
        })
    }
}
