//! What every change of a member of staff has in common.

use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::error::ErrorReason;
use proto::roster as pb;
use uuid::Uuid;

use super::{Act, App, announce};
use crate::domain::organization::Organization;
use crate::domain::staff::StaffMember;
use crate::error::Error;
use crate::store::staff as store;
use crate::store::{organizations, responsibility};

/// What a change did.
pub(super) struct Changed {
    pub(super) member: StaffMember,
    /// The organisations on whose staff rolls it shows.
    pub(super) staff_of: Vec<String>,
    /// The organisations at which others may answer now.
    pub(super) answering: Vec<String>,
}

impl App {
    /// Changes a member of staff and announces it.
    pub(super) async fn change_staff_member(
        &self,
        caller: &Caller,
        id: Uuid,
        act: Act<'_, impl Message>,
        change: impl AsyncFnOnce(&Tx, StaffMember) -> Result<Changed, Error>,
    ) -> Result<pb::StaffMember, Error> {
        let seen = self
            .staff_member(caller, Permission::RosterWrite, id)
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
        let member = store::lock(&tx, id).await?;
        let member = member.ok_or_else(|| Error::NotFound(seen.name()))?;
        if member.org_path != seen.org_path {
            // Moved since the caller's scope was checked.
            return Err(Problem::new(ErrorReason::Conflict).into());
        }
        let Changed {
            mut member,
            staff_of,
            answering,
        } = change(&tx, member).await?;
        member.version += 1;
        member.update_time = now.timestamp_millis();
        store::update(&tx, &member).await.map_err(taken)?;
        for organization in staff_of {
            announce::staff_roll(&tx, &organization).await?;
        }
        announce::responsibility_rolls(&tx, answering, member.update_time).await?;
        let answer = self.shown(member)?;
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }
}

/// The organisation `id`, locked.
pub(super) async fn lock(tx: &Tx, id: &str) -> Result<Organization, Error> {
    let found = organizations::lock(tx, id).await?;
    found.ok_or_else(|| Error::NotFound(format!("organizations/{id}")))
}

/// The organisation `id`, locked, while it is open.
pub(in crate::app) async fn open(tx: &Tx, id: &str) -> Result<Organization, Error> {
    let organization = lock(tx, id).await?;
    if organization.closed.is_some() {
        return Err(Error::Closed(organization.name()));
    }
    Ok(organization)
}

/// Somebody leaves: no class group keeps them as head teacher, and nothing they are named for may
/// stay behind without owner.
pub(super) async fn give_up(tx: &Tx, id: Uuid, now: i64) -> Result<(), Error> {
    if let Some(node) = responsibility::held_by(tx, id, now).await? {
        return Err(Error::Unowned {
            organization: format!("organizations/{}", node.organization),
            subject: node.subject.as_str(),
        });
    }
    store::leave_class_groups(tx, id, now).await?;
    Ok(())
}

/// A number that somebody else has.
pub(super) fn taken(err: sea_orm::DbErr) -> Error {
    let Some(sea_orm::SqlErr::UniqueConstraintViolation(constraint)) = err.sql_err() else {
        return Error::Database(err);
    };
    if constraint.contains("id_hash") {
        Error::PersonRegistered
    } else if constraint.contains("staff_code") {
        Error::AlreadyExists("staff_code".to_owned())
    } else {
        Error::Database(err)
    }
}
