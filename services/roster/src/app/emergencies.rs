//! Emergencies: declared and ended for the whole city.

use kit::auth::{Caller, Permission};
use kit::request;
use kit::rows::Lock;
use prost::Message;
use proto::roster as pb;

use super::{Act, App, announce};
use crate::domain::emergency::{Emergency, End};
use crate::error::Error;
use crate::grpc::destruction_convert as convert;
use crate::store::emergencies as store;

impl App {
    /// One emergency.
    pub(crate) async fn get_emergency(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<pb::Emergency, Error> {
        self.city(caller, Permission::DestructionRead).await?;
        let found = store::get(self.db.read(), id, Lock::No).await?;
        let found = found.ok_or_else(|| Error::NotFound(convert::emergency_name(id)))?;
        Ok(convert::emergency(found))
    }

    /// One page of emergencies, the latest first.
    pub(crate) async fn list_emergencies(
        &self,
        caller: &Caller,
        before: &str,
        limit: u64,
    ) -> Result<Vec<Emergency>, Error> {
        self.city(caller, Permission::DestructionRead).await?;
        Ok(store::list(self.db.read(), before, limit).await?)
    }

    /// Declares an emergency from now on.
    pub(crate) async fn declare_emergency(
        &self,
        caller: &Caller,
        display_name: String,
        legal_basis: String,
        act: Act<'_, impl Message>,
    ) -> Result<pb::Emergency, Error> {
        let now = self.clock.now();
        let once = (act.request_id, act.request);
        request::act(&self.db, caller, act.method, once, now, async |tx| {
            let emergency = Emergency {
                id: (self.new_id)().hyphenated().to_string(),
                display_name,
                legal_basis,
                start: now.timestamp_millis(),
                declared_by: caller.subject.clone(),
                end: None,
            };
            if !store::add(tx, &emergency).await? {
                let open = store::open(tx).await?.map(|open| open.name());
                return Err(Error::EmergencyOpen(open.unwrap_or_default()));
            }
            announce::tell(tx, [announce::emergency(&emergency)]).await?;
            Ok(convert::emergency(emergency))
        })
        .await
    }

    /// Ends an emergency.
    pub(crate) async fn end_emergency(
        &self,
        caller: &Caller,
        id: &str,
        reason: String,
        act: Act<'_, impl Message>,
    ) -> Result<pb::Emergency, Error> {
        let now = self.clock.now();
        let once = (act.request_id, act.request);
        request::act(&self.db, caller, act.method, once, now, async |tx| {
            let found = store::get(tx, id, Lock::Yes).await?;
            let found = found.ok_or_else(|| Error::NotFound(convert::emergency_name(id)))?;
            let end = End {
                time: now.timestamp_millis(),
                ended_by: caller.subject.clone(),
                reason,
            };
            let name = found.name();
            let ended = found.ended(end.clone());
            let ended = ended.map_err(|_| Error::EmergencyEnded(name))?;
            store::end(tx, id, &end).await?;
            announce::tell(tx, [announce::emergency(&ended)]).await?;
            Ok(convert::emergency(ended))
        })
        .await
    }
}
