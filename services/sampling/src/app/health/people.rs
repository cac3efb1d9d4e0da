//! What humans do about people's health: observed, referred, diagnosed, let in again.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request::{Once, once};
use prost::Message;
use sea_orm::Value;

use super::Said;
use super::case_files::room_of;
use super::medical::{line, unknown};
use crate::app::App;
use crate::app::axes::{lock_people, move_axes};
use crate::domain::health::disease::{Certainty, Disease, Severity};
use crate::domain::health::person::Act;
use crate::domain::health::sign::Sign;
use crate::domain::health::symptom::Symptoms;
use crate::domain::roll::{GroupKind, PersonId, person};
use crate::error::Error;
use crate::grpc::convert::person_name;
use crate::store::health::medical::{HealthEventRow, MedicalRow};
use crate::store::people::locate;
use kit::rows::{Lock, Row};

/// What is asked to be done about somebody.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) person: (GroupKind, PersonId),
    pub(crate) permission: Permission,
    pub(crate) method: &'static str,
    pub(crate) act: Act,
    /// Why, and who decided if that is told.
    pub(crate) note: String,
}

impl App {
    /// Does what is asked, and renders the answer from what is stored then.
    pub(crate) async fn act_on_health<R: Message + Default>(
        &self,
        caller: &Caller,
        asked: Asked,
        (request_id, request): (&str, &impl Message),
        render: fn(&MedicalRow) -> R,
    ) -> Result<R, Error> {
        let place = self
            .health_place(caller, asked.permission, asked.person)
            .await?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let school = place.rsplit_once('/').map_or("", |(school, _)| school);
        self.lock_health(&tx, &[school]).await?;
        let method = asked.method;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let (row, before) = self.act(&tx, caller, &asked, &place, now).await?;
        if matches!(asked.act, Act::Confirm(_)) {
            self.say_diagnosis(&tx, &row, now).await?;
            let course = row.health()?.course;
            let diagnosis = (before, &course);
            self.confirm_by_doctor(&tx, &row, diagnosis, &caller.subject, now)
                .await?;
        }
        let answer = render(&row);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Does what is asked of a row, and returns it with the disease that the school doctor had
    /// confirmed before of the same illness, if any.
    async fn act(
        &self,
        tx: &Tx,
        caller: &Caller,
        asked: &Asked,
        place: &str,
        now: DateTime<Utc>,
    ) -> Result<(MedicalRow, Option<Disease>), Error> {
        let (kind, person) = asked.person;
        let name = person_name(kind, person);
        let names = BTreeMap::from([(person.0.to_vec(), name)]);
        let people = lock_people(tx, names).await?;
        let key: Value = person.0.to_vec().into();
        let row = MedicalRow::find(tx, "person", vec![key], Lock::No)
            .await?
            .pop();
        let mut row = row.unwrap_or_else(|| unknown(person.0.to_vec(), kind.code(), place));
        if matches!(asked.act, Act::Release(..)) {
            self.is_not_confirmed(tx, &row).await?;
        }
        let policy = self.policy_at(tx, place).await?;
        let mut health = row.health()?;
        let (mut state, was_admitted) = (health.state, health.is_admitted());
        let before = health.course.disease.filter(|_| health.case.is_empty());
        let certificate = self.certificate(place);
        let moves = health
            .act(
                &asked.act,
                &policy.health,
                &certificate,
                now.timestamp_millis(),
            )
            .map_err(|refusal| Error::Health(refusal, Self::sees_health(caller, place)))?;
        let is_admitted = health.is_admitted();
        row.take(health);
        place.clone_into(&mut row.org_path);
        row.policy_version.clone_from(&policy.version);
        let mut lines = Vec::with_capacity(moves.len());
        for verb in moves {
            state = state.after(verb).unwrap_or(state);
            let told = (caller.subject.as_str(), asked.note.as_str());
            lines.push(line(&mut row, verb, state, told, now));
        }
        MedicalRow::save(tx, std::slice::from_ref(&row)).await?;
        HealthEventRow::add(tx, &lines).await?;
        if was_admitted != is_admitted {
            move_axes(tx, &people, now).await?;
        }
        Ok((row, before))
    }

    /// Says what the school doctor confirmed, so that clusters count it: one sign for each illness,
    /// which goes on until the person is cleared. The school is locked.
    async fn say_diagnosis(
        &self,
        tx: &Tx,
        row: &MedicalRow,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let health = row.health()?;
        let kind = GroupKind::from_code(row.kind).unwrap_or(GroupKind::Students);
        let Some(disease) = health.course.disease else {
            return Ok(());
        };
        let person = person(&row.person);
        let name = person_name(kind, person);
        let source = format!("{name}/health/{}", health.cleared);
        let sign = Sign {
            source: source.clone(),
            person,
            kind,
            group: row.org_path.clone(),
            dormitory: room_of(tx, &row.org_path, &row.person).await?,
            day: self.today(),
            until: crate::domain::day::Day::NEVER,
            symptoms: Symptoms::NONE,
            temperature: 0,
            diagnosis: Some((disease, Certainty::Confirmed)),
            ruled_out: None,
            severity: Severity::Mild,
            onset: health.course.onset,
            time: now.timestamp_millis(),
        };
        let mut said = Said::default();
        said.source(&source, false, vec![sign]);
        self.note_signs(tx, said, now).await
    }

    /// The place of somebody about whose health the caller may do `permission`: that of their
    /// group, or where they were last, when they have left.
    pub(crate) async fn health_place(
        &self,
        caller: &Caller,
        permission: Permission,
        (kind, person): (GroupKind, PersonId),
    ) -> Result<String, Error> {
        caller.allowed(permission)?;
        let read = self.db.read();
        let located = locate(read, person).await?;
        let located = located.filter(|located| located.group.kind == kind);
        let path = match located {
            Some(located) => Some(located.group.path),
            None => {
                let key: Value = person.0.to_vec().into();
                let rows = MedicalRow::find(read, "person", vec![key], Lock::No).await?;
                let row = rows.into_iter().find(|row| row.kind == kind.code());
                row.map(|row| row.org_path)
            }
        };
        Self::check_path(caller, permission, path.as_deref().unwrap_or_default())?;
        path.ok_or_else(|| Error::NotFound(person_name(kind, person)))
    }

    /// The number of a certificate of return (复课证明): school, day and chance; nothing about the
    /// person.
    fn certificate(&self, place: &str) -> String {
        let school = place.rsplit('/').nth(1).unwrap_or_default();
        let day = self.clock.today().format("%Y%m%d");
        let chance = hex::encode(&(self.entropy)()[..6]);
        format!("{school}-{day}-{chance}")
    }
}
