//! Reads medical states and their history.

use kit::auth::{Caller, Permission};
use sea_orm::Value;

use super::medical::unknown;
use crate::app::App;
use crate::domain::roll::{GroupKind, PersonId};
use crate::error::Error;
use crate::store::health::medical::{self, HealthEventRow, MedicalRow};
use kit::rows::{Lock, Row};

impl App {
    /// One person's medical state.
    pub(crate) async fn health_state(
        &self,
        caller: &Caller,
        (kind, person): (GroupKind, PersonId),
    ) -> Result<MedicalRow, Error> {
        let place = self
            .health_place(caller, Permission::HealthRead, (kind, person))
            .await?;
        let key: Value = person.0.to_vec().into();
        let rows = MedicalRow::find(self.db.read(), "person", vec![key], Lock::No).await?;
        let row = rows.into_iter().next();
        Ok(row.unwrap_or_else(|| unknown(person.0.to_vec(), kind.code(), &place)))
    }

    /// Those below an organisation who are not normal, by person after `after`.
    pub(crate) async fn list_health_states(
        &self,
        caller: &Caller,
        organization: &str,
        state: Option<i16>,
        after: Vec<u8>,
        limit: u64,
    ) -> Result<Vec<MedicalRow>, Error> {
        let place = self
            .place(caller, Permission::HealthRead, organization)
            .await?;
        Ok(medical::list(self.db.read(), &place, state, after, limit).await?)
    }

    /// The history of a person after a line.
    pub(crate) async fn list_health_events(
        &self,
        caller: &Caller,
        (kind, person): (GroupKind, PersonId),
        after: i64,
        limit: u64,
    ) -> Result<Vec<HealthEventRow>, Error> {
        self.health_place(caller, Permission::HealthRead, (kind, person))
            .await?;
        Ok(medical::events(self.db.read(), &person.0, after, limit).await?)
    }
}
