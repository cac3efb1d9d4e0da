//! Receipts and notices: each receiver answers for itself.

use kit::auth::{Caller, Department, Permission, Role};
use prost::Message;
use uuid::Uuid;

use super::trail::note_receipt;
use super::{Incidents, Once, Told, instant};
use crate::app::{Site, denied, level_of};
use crate::domain::incident::step::{Medium, Receiver};
use crate::domain::organization::Level;
use crate::error::Error;

/// Whether this caller, who decides at `level`, answers for this receiver: of the other systems, only that of
/// the receiver itself.
fn answers_for(caller: &Caller, level: Level, receiver: Receiver) -> bool {
    let is_bureau = level > Level::School;
    let speaks_for = |department: Department| {
        let partner = caller.is(Role::PartnerSystem) && is_bureau;
        partner && caller.department == Some(department)
    };
    match receiver {
        Receiver::District => caller.is(Role::DistrictOfficer) && level == Level::District,
        Receiver::City => caller.is(Role::CityOfficer) && level == Level::City,
        Receiver::Government => speaks_for(Department::Government),
        Receiver::Police => speaks_for(Department::Police),
        Receiver::Fire => speaks_for(Department::Fire),
        Receiver::Health => {
            let control = caller.is(Role::DiseaseControl) && is_bureau;
            control || speaks_for(Department::Health)
        }
        // Refused with a reason by the incident itself.
        Receiver::School | Receiver::Guardians => true,
    }
}

impl Incidents {
    /// Notes that a receiver was reached.
    pub(crate) async fn acknowledge<M: Message, R: Message + Default>(
        &self,
        (caller, site): (&Caller, &Site),
        id: Uuid,
        (receiver, medium): (Receiver, Medium),
        once: Once<'_, M>,
        render: impl FnOnce(Told, ()) -> R,
    ) -> Result<R, Error> {
        let level = level_of(self.base.store.database().read(), caller).await?;
        if !answers_for(caller, level, receiver) {
            return Err(denied(Permission::IncidentReceive).into());
        }
        let at = (caller, site);
        self.act(
            at,
            id,
            once,
            async |tx, file, now| {
                let event = file.receive(receiver, medium, now.by(caller, ""))?;
                if event.is_some() {
                    let by = (caller, receiver);
                    note_receipt(tx, file, by, instant(now.time)).await?;
                }
                Ok((Vec::from_iter(event), ()))
            },
            render,
        )
        .await
    }

    /// Notes that somebody outside education was told.
    pub(crate) async fn note<M: Message, R: Message + Default>(
        &self,
        (caller, site): (&Caller, &Site),
        id: Uuid,
        (told, reference): ((Receiver, Medium), &str),
        once: Once<'_, M>,
        render: impl FnOnce(Told, ()) -> R,
    ) -> Result<R, Error> {
        let at = (caller, site);
        self.act(
            at,
            id,
            once,
            async |_, file, now| {
                let event = file.tell(told, reference, now.by(caller, ""))?;
                Ok((Vec::from_iter(event), ()))
            },
            render,
        )
        .await
    }
}
