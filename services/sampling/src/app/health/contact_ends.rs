//! Controls of contacts that end: by their days alone, or by a negative result after them (rule 2.21).
//! Nobody looks for that result again and again: the one that is missing wakes the deadline.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use kit::db::Tx;
use kit::rows::{Lock, Row};
use sea_orm::Value;

use super::case_files::school_of;
use super::contacts::timer;
use super::deadlines::{self, Deadline};
use crate::app::App;
use crate::app::controls::Controls;
use crate::domain::health::disease::Disease;
use crate::error::Error;
use crate::grpc::tube_convert::member;
use crate::store::controls::ControlRow;
use crate::store::health::cases::CaseRow;
use crate::store::health::contacts::{self, ContactRow};

impl App {
    /// The contact of a deadline, whose school and that of whose case are locked; none when there is
    /// none.
    pub(super) async fn locked_contact(
        &self,
        tx: &Tx,
        entity: &str,
    ) -> Result<Option<ContactRow>, Error> {
        let (id, who) = entity.split_once('/').unwrap_or_default();
        let person = hex::decode(who).unwrap_or_default();
        let Some(contact) = contacts::get(tx, id, person.clone()).await? else {
            return Ok(None);
        };
        let schools = Self::schools_of_contacts(tx, std::slice::from_ref(&contact)).await?;
        let schools: Vec<&str> = schools.iter().map(String::as_str).collect();
        self.lock_health(tx, &schools).await?;
        Ok(contacts::get(tx, id, person).await?)
    }

    /// The schools of contacts and of their cases: who moves the deadlines of these holds their locks.
    pub(in crate::app) async fn schools_of_contacts(
        tx: &Tx,
        contacts: &[ContactRow],
    ) -> Result<BTreeSet<String>, Error> {
        let ids: BTreeSet<&str> = contacts.iter().map(|row| row.case_id.as_str()).collect();
        let ids = ids.into_iter().map(Value::from).collect();
        let cases = CaseRow::find(tx, "id", ids, Lock::No).await?;
        let mut schools: BTreeSet<String> = cases.into_iter().map(|case| case.school).collect();
        let own = contacts.iter().map(|row| school_of(&row.org_path));
        schools.extend(own.map(str::to_owned));
        Ok(schools)
    }

    /// The days of a contact's control are over, or a result came that may end it: it ends, unless a
    /// negative result is asked for and there is none yet (rule 2.21). Then the result wakes it.
    pub(super) async fn control_ends(
        &self,
        tx: &Tx,
        contact: ContactRow,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        if contact.control == 0 || contact.remove_time != 0 {
            return Ok(());
        }
        if contact.until > now.timestamp_millis() {
            // A result woke it while its days were made more.
            let entity = timer(&contact);
            return Ok(deadlines::wait(tx, Deadline::ControlEnds, &entity, contact.until).await?);
        }
        if contact.exit_negative != 0 {
            let case = CaseRow::get(tx, &contact.case_id, Lock::No).await?;
            let disease = Disease(case.map_or(0, |case| case.disease));
            let since = contact.until - contact.exit_negative;
            if !contacts::has_negative(tx, &contact.person, disease, since).await? {
                return Ok(());
            }
        }
        let mut controls = Controls::default();
        let name = member(contact.kind, &contact.person);
        controls.lift(name, contact.person, format!("cases/{}", contact.case_id));
        self.move_controls(tx, controls, now).await
    }

    /// Lets it be decided whether the controls of these contacts end, once their days are over. Their
    /// schools and those of their cases are locked.
    pub(in crate::app) async fn wake_contacts(
        tx: &Tx,
        contacts: &[ContactRow],
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let now = now.timestamp_millis();
        let wake = |row: &ContactRow| (Deadline::ControlEnds, timer(row), row.until.max(now));
        Ok(deadlines::wait_all(tx, contacts.iter().map(wake).collect()).await?)
    }

    /// Wakes the contacts of a case who wait for nothing but a negative result: of what the case is
    /// now, one may be known already.
    pub(super) async fn decide_waiting(
        tx: &Tx,
        case: &CaseRow,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let basis = vec![case.name().into()];
        let under = ControlRow::find(tx, "basis", basis, Lock::No).await?;
        let under: HashSet<Vec<u8>> = under.into_iter().map(|row| row.person).collect();
        let key = vec![case.id.as_str().into()];
        let mut waiting = ContactRow::find(tx, "case_id", key, Lock::No).await?;
        waiting.retain(|row| {
            row.exit_negative != 0
                && row.until <= now.timestamp_millis()
                && under.contains(&row.person)
        });
        Self::wake_contacts(tx, &waiting, now).await
    }
}
