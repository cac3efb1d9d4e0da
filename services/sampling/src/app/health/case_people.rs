//! What a case does to its person: a confirmed one keeps them away from school until the return rule
//! lets them back (rules 1.23, 1.24).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::db::Tx;
use sea_orm::Value;

use super::case_files::found_on;
use super::medical::{line, unknown};
use crate::app::App;
use crate::app::axes::{lock_people, move_axes};
use crate::domain::day::Day;
use crate::domain::health::disease::{Certainty, Disease};
use crate::domain::health::person::Act;
use crate::domain::health::return_rule::Course;
use crate::domain::roll::{GroupKind, person};
use crate::error::Error;
use crate::grpc::convert::person_name;
use crate::store::health::cases::CaseRow;
use crate::store::health::medical::{HealthEventRow, MedicalRow};
use kit::rows::{Lock, Row};

impl App {
    /// Keeps the person of a case away that was confirmed just now. The illness counts from the day
    /// on which it was found where nobody knows the first day. The school is locked by the caller.
    pub(super) async fn exclude_by_case(
        &self,
        tx: &Tx,
        row: &CaseRow,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let standing = row.standing()?;
        let is_confirmed = standing.certainty == Some(Certainty::Confirmed);
        if row.disease == 0 || !is_confirmed || !standing.is_open() {
            return Ok(());
        }
        let onset = Day::from_number(u16::try_from(row.onset).unwrap_or_default());
        let course = Course {
            disease: Some(Disease(row.disease)),
            onset: if onset.is_never() {
                found_on(row)
            } else {
                onset
            },
            ..Course::default()
        };
        let act = Act::ExcludeByCase(row.id.clone(), course);
        self.act_by_case(tx, row, &act, actor, now).await
    }

    /// Gives the person of a case free that was ruled out just now, if it alone kept them away and
    /// no other confirmed one does.
    pub(super) async fn lift_case(
        &self,
        tx: &Tx,
        row: &CaseRow,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let act = Act::LiftCase(row.id.clone());
        self.act_by_case(tx, row, &act, actor, now).await?;
        let key: Value = row.person.clone().into();
        let health = MedicalRow::find(tx, "person", vec![key], Lock::No).await?;
        let cleared = health.first().map_or(0, |health| health.cleared);
        for other in confirmed_of(tx, &row.person).await? {
            if other.id != row.id && other.confirm_time > cleared {
                self.exclude_by_case(tx, &other, actor, now).await?;
            }
        }
        Ok(())
    }

    async fn act_by_case(
        &self,
        tx: &Tx,
        case: &CaseRow,
        act: &Act,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Some(kind) = GroupKind::from_code(case.kind) else {
            return Ok(());
        };
        let name = person_name(kind, person(&case.person));
        let names = BTreeMap::from([(case.person.clone(), name)]);
        let people = lock_people(tx, names).await?;
        let key: Value = case.person.clone().into();
        let row = MedicalRow::find(tx, "person", vec![key], Lock::No)
            .await?
            .pop();
        let place = case.org_path.as_str();
        let mut row = row.unwrap_or_else(|| unknown(case.person.clone(), case.kind, place));
        let policy = self.policy_at(tx, place).await?;
        let mut health = row.health()?;
        let (mut state, was_admitted) = (health.state, health.is_admitted());
        let moves = health
            .act(act, &policy.health, "", now.timestamp_millis())
            .map_err(|refusal| Error::Health(refusal, false))?;
        if moves.is_empty() {
            return Ok(());
        }
        let is_admitted = health.is_admitted();
        row.take(health);
        place.clone_into(&mut row.org_path);
        row.policy_version.clone_from(&policy.version);
        let note = case.name();
        let mut lines = Vec::with_capacity(moves.len());
        for verb in moves {
            state = state.after(verb).unwrap_or(state);
            lines.push(line(&mut row, verb, state, (actor, &note), now));
        }
        MedicalRow::save(tx, std::slice::from_ref(&row)).await?;
        HealthEventRow::add(tx, &lines).await?;
        if was_admitted != is_admitted {
            move_axes(tx, &people, now).await?;
        }
        Ok(())
    }

    /// Nobody is let go from observation of whom a case was confirmed after they were last cleared:
    /// only a return ends that (rule 1.23).
    pub(super) async fn is_not_confirmed(&self, tx: &Tx, row: &MedicalRow) -> Result<(), Error> {
        let confirmed = confirmed_of(tx, &row.person).await?;
        if confirmed.iter().any(|case| case.confirm_time > row.cleared) {
            return Err(Error::CaseState("CONFIRMED"));
        }
        Ok(())
    }
}

/// The open confirmed cases of somebody.
async fn confirmed_of(tx: &Tx, person: &[u8]) -> Result<Vec<CaseRow>, Error> {
    if person.is_empty() {
        return Ok(Vec::new());
    }
    let key = vec![person.to_vec().into()];
    let mut open = CaseRow::find(tx, "outcome = 0 AND person", key, Lock::No).await?;
    let confirmed = Certainty::Confirmed.code();
    open.retain(|case| case.certainty == confirmed && case.disease != 0);
    Ok(open)
}
