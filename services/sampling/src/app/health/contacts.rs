//! Contacts of a case: who is one, and until when they are controlled.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::start_of;
use kit::db::Tx;
use kit::hop;
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::sampling::{AddContactsResponse, CaseContact};

use super::absence_book::to_day;
use super::case_files::{Locked, check_decides, log, school_of};
use super::deadlines::{self, Deadline};
use crate::app::App;
use crate::app::controls::Controls;
use crate::domain::day::Day;
use crate::domain::health::case::Happening;
use crate::domain::health::contact::{Degree, control};
use crate::domain::health::disease::Disease;
use crate::domain::health::rules::ContactRule;
use crate::domain::hold::Control;
use crate::domain::policy::Policy;
use crate::domain::roll::{GroupKind, PersonId};
use crate::error::Error;
use crate::grpc::convert::person_name;
use crate::grpc::health::contact_convert;
use crate::grpc::tube_convert::member;
use crate::store::controls::ControlRow;
use crate::store::health::cases::CaseRow;
use crate::store::health::contacts::{self, ContactRow};
use crate::store::people;
use kit::rows::{Lock, Row};

/// A contact as somebody names it. `relation` is a number of the contract.
#[derive(Clone, Debug)]
pub(crate) struct NewContact {
    pub(crate) person: (PersonId, GroupKind),
    pub(crate) relation: i16,
    pub(crate) degree: Degree,
    pub(crate) last: Day,
    pub(crate) via: String,
}

impl App {
    /// Adds contacts, all or none, in the order of `new`.
    pub(crate) async fn add_contacts(
        &self,
        caller: &Caller,
        id: &str,
        new: Vec<NewContact>,
        (request_id, request): (&str, &impl Message),
    ) -> Result<AddContactsResponse, Error> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let ids: Vec<PersonId> = new.iter().map(|one| one.person.0).collect();
        let located = people::locate_all(&tx, &ids).await?;
        let schools: Vec<&str> = located
            .values()
            .map(|one| one.group.school_path())
            .collect();
        let permission = Permission::CaseWrite;
        let locked = self
            .locked_case(&tx, caller, permission, id, &schools)
            .await?;
        let Locked { mut row, tubes } = locked;
        let ticket = match once(&tx, caller, "AddContacts", request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        check_takes(&row)?;
        let policy = self.policy_at(&tx, &row.org_path).await?;
        let stored = ContactRow::find(&tx, "case_id", vec![id.into()], Lock::No).await?;
        let named = new
            .iter()
            .map(|one| person_name(one.person.1, one.person.0));
        let mut known: HashSet<String> = named.collect();
        known.extend(stored.iter().map(|row| member(row.kind, &row.person)));
        let mut rows = Vec::with_capacity(new.len());
        for (place, one) in new.iter().enumerate() {
            let (person, kind) = one.person;
            let found = located
                .get(&person)
                .filter(|found| found.group.kind == kind);
            let path = found.map_or("", |found| &found.group.path);
            Self::check_path(caller, Permission::CaseWrite, path)?;
            if found.is_none() {
                return Err(Error::NotFound(person_name(kind, person)));
            }
            self.check_contact(&row, place, one, &known)?;
            let mut contact = ContactRow {
                case_id: row.id.clone(),
                person: person.0.to_vec(),
                kind: kind.code(),
                org_path: path.to_owned(),
                relation: one.relation,
                degree: one.degree.code(),
                last_day: i32::from(one.last.number()),
                via: one.via.clone(),
                add_time: now.timestamp_millis(),
                added_by: caller.subject.clone(),
                ..ContactRow::default()
            };
            let rule = rule_of(&policy, &row);
            if let Some(found) = control(rule, one.degree, one.last, self.today()) {
                put(&mut contact, rule, found);
            }
            rows.push(contact);
        }
        self.control_contacts(&tx, &row, &policy, &stored, &rows, now)
            .await?;
        ContactRow::save(&tx, &rows).await?;
        let note = rows.len().to_string();
        let added = Happening::ContactsAdded;
        log(&tx, &mut row, added, &caller.subject, &note, now).await?;
        self.settle_holds(&tx, caller, "AddContacts", tubes, now)
            .await?;
        self.finish_case(&tx, row, now).await?;
        let contacts = rows.iter().map(contact_convert::contact).collect();
        let answer = AddContactsResponse { contacts };
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// What a contact may not say: itself, a day to come, a contact whom nobody named.
    fn check_contact(
        &self,
        row: &CaseRow,
        place: usize,
        one: &NewContact,
        known: &HashSet<String>,
    ) -> Result<(), Error> {
        let field = |name: &str| format!("contacts[{place}].{name}");
        if one.person.0.0.as_slice() == row.person {
            let (chinese, english) = ("是病例本人", "is the person of the case");
            return Err(Problem::invalid(field("person"), chinese, english).into());
        }
        if one.last > self.today() {
            let (chinese, english) = ("不得晚于今天", "must not be in the future");
            return Err(Problem::invalid(field("last_contact_date"), chinese, english).into());
        }
        if !one.via.is_empty() && !known.contains(&one.via) {
            let (chinese, english) = ("不是该病例的接触者", "is no contact of the case");
            return Err(Problem::invalid(field("via"), chinese, english).into());
        }
        Ok(())
    }

    /// Puts on the contacts of a case what the contact rule of its disease asks for now: the disease
    /// became known or another one, it was confirmed, or the case was opened again (rule 2.21). Whoever
    /// is under a stronger or a longer control stays under it, and whoever was removed stays free.
    pub(super) async fn recontrol_contacts(
        &self,
        tx: &Tx,
        row: &CaseRow,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let key = vec![row.id.as_str().into()];
        let stored = ContactRow::find(tx, "case_id", key, Lock::No).await?;
        if stored.is_empty() {
            return Ok(());
        }
        let policy = self.policy_at(tx, &row.org_path).await?;
        let rule = rule_of(&policy, row);
        let mut changed = Vec::new();
        for contact in stored.iter().filter(|contact| contact.remove_time == 0) {
            let degree = Degree::from_code(contact.degree).unwrap_or(Degree::Close);
            let last = to_day(contact.last_day);
            let Some(found) = control(rule, degree, last, self.today()) else {
                continue;
            };
            let is_stronger = Some(found.0) >= Control::from_code(contact.control)
                && end_of(found.1) >= contact.until;
            if contact.control == 0 || is_stronger {
                let mut next = contact.clone();
                put(&mut next, rule, found);
                if next != *contact {
                    changed.push(next);
                }
            }
        }
        self.control_contacts(tx, row, &policy, &stored, &changed, now)
            .await?;
        ContactRow::save(tx, &changed).await?;
        Self::decide_waiting(tx, row, now).await
    }

    /// Puts the rule's controls on contacts, in place of those they had from this case.
    async fn control_contacts(
        &self,
        tx: &Tx,
        row: &CaseRow,
        policy: &Policy,
        stored: &[ContactRow],
        rows: &[ContactRow],
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut controls = Controls::default();
        for contact in rows {
            let name = member(contact.kind, &contact.person);
            if contact.control == 0 {
                if stored.iter().any(|old| old.person == contact.person) {
                    controls.lift(name, contact.person.clone(), row.name());
                    end_timer(tx, contact).await?;
                }
                continue;
            }
            let control = ControlRow {
                person: contact.person.clone(),
                basis: row.name(),
                control: contact.control,
                since: now.timestamp_millis(),
                org_path: contact.org_path.clone(),
                policy_version: policy.version.clone(),
                rule: "2.21".to_owned(),
                // Whoever needs a negative result is under it until there is one.
                until: if contact.exit_negative == 0 {
                    contact.until
                } else {
                    0
                },
            };
            controls.set(name, control);
            let entity = timer(contact);
            deadlines::wait(tx, Deadline::ControlEnds, &entity, contact.until).await?;
        }
        self.move_controls(tx, controls, now).await
    }

    /// Removes somebody who was no contact after all. What the hold would put on them stays lifted:
    /// a human decided.
    pub(crate) async fn remove_contact(
        &self,
        caller: &Caller,
        id: &str,
        who: (PersonId, &str),
        reason: &str,
        (request_id, request): (&str, &impl Message),
    ) -> Result<CaseContact, Error> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let permission = Permission::CaseWrite;
        let seen = ContactRow::find(&tx, "case_id", vec![id.into()], Lock::No).await?;
        let of_person = |row: &&ContactRow| row.person == who.0.0;
        let path = seen.iter().find(of_person).map_or("", |row| &row.org_path);
        let school = if path.is_empty() {
            Vec::new()
        } else {
            vec![school_of(path)]
        };
        let locked = self
            .locked_case(&tx, caller, permission, id, &school)
            .await?;
        let mut row = locked.row;
        let ticket = match once(&tx, caller, "RemoveContact", request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let stored = ContactRow::find(&tx, "case_id", vec![id.into()], Lock::No).await?;
        let found = stored.into_iter().find(|row| of_person(&row));
        let found = found.filter(|row| row.remove_time == 0);
        let missing = || Error::NotFound(format!("cases/{id}/contacts/{}", who.1));
        let mut contact = found.ok_or_else(missing)?;
        let mut controls = Controls::default();
        if contact.control != 0 {
            check_decides(caller, &row)?;
            let name = member(contact.kind, &contact.person);
            controls.lift(name, contact.person.clone(), row.name());
            end_timer(&tx, &contact).await?;
        }
        contact.remove_time = now.timestamp_millis();
        contact.removed_by.clone_from(&caller.subject);
        contact.remove_reason = reason.to_owned();
        ContactRow::save(&tx, std::slice::from_ref(&contact)).await?;
        self.move_controls(&tx, controls, now).await?;
        let removed = Happening::ContactRemoved;
        log(&tx, &mut row, removed, &caller.subject, reason, now).await?;
        self.finish_case(&tx, row, now).await?;
        let answer = contact_convert::contact(&contact);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// The contacts of a case, by person after `after`.
    pub(crate) async fn list_contacts(
        &self,
        caller: &Caller,
        id: &str,
        after: Vec<u8>,
        limit: u64,
    ) -> Result<Vec<ContactRow>, Error> {
        self.readable_case(caller, Permission::CaseRead, id).await?;
        Ok(contacts::list(self.db.read(), id, after, limit).await?)
    }
}

/// Only an open case of a person has contacts.
fn check_takes(row: &CaseRow) -> Result<(), Error> {
    if row.person.is_empty() {
        return Err(Error::CaseState("EVENT"));
    }
    if !row.is_open() {
        return Err(Error::CaseState("CLOSED"));
    }
    Ok(())
}

/// The contact rule for the disease of a case.
pub(super) fn rule_of<'a>(policy: &'a Policy, row: &CaseRow) -> Option<&'a ContactRule> {
    let mut rules = policy.health.contacts.iter();
    rules.find(|rule| rule.disease == Disease(row.disease))
}

/// Notes what a rule does with a contact, and its last day.
fn put(contact: &mut ContactRow, rule: Option<&ContactRule>, (control, until): (Control, Day)) {
    contact.control = control.code();
    contact.until = end_of(until);
    contact.exit_negative = rule.map_or(0, |rule| hop::millis(rule.exit_negative));
}

/// The instant at which a civil day ends, in milliseconds.
pub(super) fn end_of(day: Day) -> i64 {
    let end = day.after().date().map(start_of);
    end.map_or(i64::MAX / 2, |end| end.timestamp_millis())
}

/// What stands for the end of a contact's control among deadlines.
pub(super) fn timer(contact: &ContactRow) -> String {
    format!("{}/{}", contact.case_id, hex::encode(&contact.person))
}

/// Nobody waits for the end of this contact's control any more.
pub(super) async fn end_timer(tx: &Tx, contact: &ContactRow) -> Result<(), Error> {
    deadlines::settle(tx, Deadline::ControlEnds, &timer(contact)).await?;
    Ok(())
}
