//! The tree of organisations.

use chrono::NaiveDate;
use kit::auth::{Caller, Permission};
use kit::org::OrgPath;
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::roster as pb;

use super::{Act, App, announce, check};
use crate::domain::organization::{Kind, Organization, Stages};
use crate::error::Error;
use crate::grpc::convert;
use crate::store::organizations::{self as store, Wanted};

/// An organisation to be added.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// The code of the one above; empty for the root.
    pub(crate) parent: String,
    pub(crate) details: Details,
}

/// What of an organisation can change.
#[derive(Clone, Debug)]
pub(crate) struct Details {
    pub(crate) display_name: String,
    pub(crate) division_code: String,
    pub(crate) school_code: Option<String>,
    pub(crate) uscc: Option<String>,
    pub(crate) stages: Stages,
    pub(crate) laboratory_code: Option<String>,
    pub(crate) boarding: bool,
    pub(crate) valid_from: Option<NaiveDate>,
}

/// What changes of an organisation; none stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) display_name: Option<String>,
    pub(crate) division_code: Option<String>,
    pub(crate) school_code: Option<Option<String>>,
    pub(crate) uscc: Option<Option<String>>,
    pub(crate) stages: Option<Stages>,
    pub(crate) laboratory_code: Option<Option<String>>,
    pub(crate) boarding: Option<bool>,
    pub(crate) valid_from: Option<Option<NaiveDate>>,
    pub(crate) etag: String,
}

impl App {
    /// One organisation.
    pub(crate) async fn get_organization(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<Organization, Error> {
        self.organization(caller, Permission::RosterRead, id).await
    }

    /// One page of organisations at or below `ancestor`, or in the caller's whole scope.
    pub(crate) async fn list_organizations(
        &self,
        caller: &Caller,
        ancestor: &str,
        wanted: Wanted,
    ) -> Result<Vec<Organization>, Error> {
        let scope = if ancestor.is_empty() {
            caller.allowed(Permission::RosterRead)?.clone()
        } else {
            let above = self
                .organization(caller, Permission::RosterRead, ancestor)
                .await?;
            above.org_path.parse().unwrap_or_default()
        };
        Ok(store::list(self.db.read(), &Wanted { scope, ..wanted }).await?)
    }

    /// Adds an organisation.
    pub(crate) async fn create_organization(
        &self,
        caller: &Caller,
        draft: Draft,
        act: Act<'_, impl Message>,
    ) -> Result<pb::Organization, Error> {
        caller.allowed(Permission::OrganizationWrite)?;
        let Draft {
            id,
            kind,
            parent,
            details,
        } = draft;
        let name = format!("organizations/{id}");
        let place = if parent.is_empty() {
            check(caller, Permission::OrganizationWrite, &id)?;
            OrgPath::root()
        } else {
            let above = self
                .organization(caller, Permission::OrganizationWrite, &parent)
                .await?;
            above.org_path.parse().unwrap_or_default()
        };
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let Act {
            method,
            request_id,
            request,
        } = act;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let above = if parent.is_empty() {
            if store::root(&tx).await?.is_some() {
                return Err(Error::Kind(name));
            }
            None
        } else {
            let above = store::lock(&tx, &parent).await?;
            let above = above.ok_or_else(|| Error::NotFound(format!("organizations/{parent}")))?;
            if above.closed.is_some() {
                return Err(Error::Closed(above.name()));
            }
            Some(above.kind)
        };
        if !kind.may_stand_below(above) {
            return Err(Error::Kind(name));
        }
        if store::get(&tx, &id).await?.is_some() {
            return Err(Error::AlreadyExists(name));
        }
        let organization = Organization {
            org_path: place.join(&id).to_string(),
            id,
            kind,
            parent,
            closed: None,
            replaced_by: String::new(),
            external_id: String::new(),
            version: 1,
            update_time: now.timestamp_millis(),
            display_name: details.display_name,
            division_code: details.division_code,
            school_code: details.school_code,
            uscc: details.uscc,
            stages: details.stages,
            laboratory_code: details.laboratory_code,
            boarding: details.boarding,
            valid_from: details.valid_from,
        };
        check_kind(&organization)?;
        store::insert(&tx, &organization).await.map_err(taken)?;
        announce::tell(&tx, [announce::organization(&organization)]).await?;
        let answer = convert::organization(organization);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Changes an organisation.
    pub(crate) async fn update_organization(
        &self,
        caller: &Caller,
        id: &str,
        change: Change,
        act: Act<'_, impl Message>,
    ) -> Result<pb::Organization, Error> {
        let etag = change.etag.clone();
        self.change_organization(caller, id, &etag, act, async |_, organization| {
            let Change {
                display_name,
                division_code,
                school_code,
                uscc,
                stages,
                laboratory_code,
                boarding,
                valid_from,
                etag: _,
            } = change;
            let was = organization.clone();
            *organization = Organization {
                display_name: display_name.unwrap_or(was.display_name),
                division_code: division_code.unwrap_or(was.division_code),
                school_code: school_code.unwrap_or(was.school_code),
                uscc: uscc.unwrap_or(was.uscc),
                stages: stages.unwrap_or(was.stages),
                laboratory_code: laboratory_code.unwrap_or(was.laboratory_code),
                boarding: boarding.unwrap_or(was.boarding),
                valid_from: valid_from.unwrap_or(was.valid_from),
                ..was
            };
            check_kind(organization)
        })
        .await
    }

    /// Closes an organisation below which nothing is active.
    pub(crate) async fn close_organization(
        &self,
        caller: &Caller,
        id: &str,
        last_day: NaiveDate,
        replaced_by: String,
        act: Act<'_, impl Message>,
    ) -> Result<pb::Organization, Error> {
        self.change_organization(caller, id, "", act, async |tx, organization| {
            if store::is_used(tx, &organization.org_path).await? {
                return Err(Error::NotEmpty(organization.name()));
            }
            if !replaced_by.is_empty() {
                let heir = store::get(tx, &replaced_by).await?;
                let fits = heir.is_some_and(|heir| heir.closed.is_none() && heir.id != id);
                if !fits {
                    return Err(Problem::invalid(
                        "replaced_by",
                        "不是在用的机构",
                        "not an active organisation",
                    )
                    .into());
                }
            }
            organization.closed = Some(last_day);
            organization.replaced_by = replaced_by;
            Ok(())
        })
        .await
    }

    async fn change_organization(
        &self,
        caller: &Caller,
        id: &str,
        etag: &str,
        act: Act<'_, impl Message>,
        change: impl AsyncFnOnce(&kit::db::Tx, &mut Organization) -> Result<(), Error>,
    ) -> Result<pb::Organization, Error> {
        let seen = self
            .organization(caller, Permission::OrganizationWrite, id)
            .await?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let Act {
            method,
            request_id,
            request,
        } = act;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let found = store::lock(&tx, id).await?;
        let mut organization = found.ok_or_else(|| Error::NotFound(seen.name()))?;
        if !etag.is_empty() && etag != convert::etag(organization.version) {
            return Err(Error::EtagMismatch(organization.name()));
        }
        if organization.closed.is_some() {
            return Err(Error::Closed(organization.name()));
        }
        change(&tx, &mut organization).await?;
        organization.version += 1;
        organization.update_time = now.timestamp_millis();
        store::update(&tx, &organization).await.map_err(taken)?;
        announce::tell(&tx, [announce::organization(&organization)]).await?;
        let answer = convert::organization(organization);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }
}

/// What only some kinds have.
fn check_kind(organization: &Organization) -> Result<(), Error> {
    let Organization {
        kind,
        stages,
        laboratory_code,
        ..
    } = organization;
    let strange = (laboratory_code.is_some() && *kind != Kind::Laboratory)
        || (*stages != Stages::default() && !kind.teaches());
    if strange {
        Err(Error::Kind(organization.name()))
    } else {
        Ok(())
    }
}

/// A code that another organisation has.
fn taken(err: sea_orm::DbErr) -> Error {
    let Some(sea_orm::SqlErr::UniqueConstraintViolation(constraint)) = err.sql_err() else {
        return Error::Database(err);
    };
    let codes = ["school_code", "uscc", "laboratory_code"];
    match codes.into_iter().find(|code| constraint.contains(code)) {
        Some(code) => Error::AlreadyExists(code.to_owned()),
        None => Error::Database(err),
    }
}
