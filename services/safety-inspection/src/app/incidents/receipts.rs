//! Receipts and notices: each receiver answers for itself.

use kit::auth::{Caller, Department, Permission, Role};
use prost::Message;
use uuid::Uuid;

use super::trail::note_receipt;
use super::{Incidents, Once, Told, instant, is_bureau};
use crate::app::{Site, denied};
use crate::domain::incident::step::{Medium, Receiver};
use crate::error::Error;

/// Whether this caller answers for this receiver: of the other systems, only that of the receiver itself.
fn answers_for(caller: &Caller, receiver: Receiver) -> bool {
    let depth = caller.scope.ids().count();
    let speaks_for = |department: Department| {
        let partner = caller.is(Role::PartnerSystem) && is_bureau(caller);
        partner && caller.department == Some(department)
    };
    match receiver {
        Receiver::District => caller.is(Role::DistrictOfficer) && depth == 2,
        Receiver::City => caller.is(Role::CityOfficer) && depth <= 1,
        Receiver::Government => speaks_for(Department::Government),
        Receiver::Police => speaks_for(Department::Police),
        Receiver::Fire => speaks_for(Department::Fire),
        Receiver::Health => {
            let control = caller.is(Role::DiseaseControl) && is_bureau(caller);
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
        if !answers_for(caller, receiver) {
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
