//! Reads absences and their trails.

use kit::auth::{Caller, Permission};
use kit::org::OrgPath;

use crate::app::App;
use crate::domain::day::Day;
use crate::error::Error;
use crate::store::health::absences::{self, AbsenceRow, Filter, TraceRow};
use crate::store::rolls;
use kit::rows::{Lock, Row};

/// Which absences are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    /// The organisation's identifier, and that of a class group of it.
    pub(crate) scope: (&'a str, Option<&'a str>),
    /// A number of the contract.
    pub(crate) state: Option<i16>,
    /// A number of the contract.
    pub(crate) reason: Option<i16>,
    pub(crate) day: Option<Day>,
}

impl App {
    /// Whether the caller may read the health of people at a place; to others only the absence
    /// itself is shown.
    pub(crate) fn sees_health(caller: &Caller, path: &str) -> bool {
        Self::check_path(caller, Permission::HealthRead, path).is_ok()
    }

    /// An absence at whose place the caller may do `permission`.
    pub(crate) async fn readable_absence(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<AbsenceRow, Error> {
        let row = AbsenceRow::get(self.db.read(), id, Lock::No).await?;
        let path = row.as_ref().map_or("", |row| &row.org_path);
        Self::check_path(caller, permission, path)?;
        row.ok_or_else(|| Error::NotFound(format!("absences/{id}")))
    }

    /// Absences by identifier after `after`.
    pub(crate) async fn list_absences(
        &self,
        caller: &Caller,
        wanted: &Wanted<'_>,
        after: &str,
        limit: u64,
    ) -> Result<Vec<AbsenceRow>, Error> {
        let place = self
            .place_of(caller, Permission::AbsenceRead, wanted.scope)
            .await?;
        let day = |day: Day| (i32::from(day.number()), day.start_millis());
        let filter = Filter {
            place,
            state: wanted.state,
            reason: wanted.reason,
            day: wanted.day.map(day),
        };
        Ok(absences::list(self.db.read(), &filter, after, limit).await?)
    }

    /// The attempts to reach somebody after one of them.
    pub(crate) async fn list_traces(
        &self,
        caller: &Caller,
        id: &str,
        after: i64,
        limit: u64,
    ) -> Result<(Vec<TraceRow>, bool), Error> {
        let row = self
            .readable_absence(caller, Permission::AbsenceRead, id)
            .await?;
        let traces = absences::traces(self.db.read(), id, after, limit).await?;
        Ok((traces, Self::sees_health(caller, &row.org_path)))
    }

    /// The place of an organisation or of a class group at which the caller may do `permission`.
    async fn place_of(
        &self,
        caller: &Caller,
        permission: Permission,
        (organization, group): (&str, Option<&str>),
    ) -> Result<OrgPath, Error> {
        let Some(group) = group else {
            return self.place(caller, permission, organization).await;
        };
        caller.allowed(permission)?;
        let row = rolls::group_named(self.db.read(), organization, group).await?;
        let path = row.as_ref().map_or("", |row| &row.path);
        Self::check_path(caller, permission, path)?;
        match row.and_then(|row| row.path.parse().ok()) {
            Some(path) => Ok(path),
            None => Err(Error::NotFound(rolls::group_name(organization, group))),
        }
    }
}
