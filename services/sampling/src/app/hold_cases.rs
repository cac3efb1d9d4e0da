//! Reads holds, and releases one by the decision of a human.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kit::auth::{Caller, Permission};
use kit::request::{Once, once};
use proto::sampling::{Hold, ReleaseHoldRequest};

use super::App;
use super::holds::{Unsettled, of_tube};
use crate::domain::hold::{HoldState, Single};
use crate::error::Error;
use crate::grpc::tube_convert;
use crate::store::holds::{self, HoldEventRow, HoldRow, RecheckRow};
use crate::store::swabs::SwabRow;
use crate::store::tubes::TubeRow;
use kit::rows::{Lock, Row};

/// A single swab that was ordered, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Ordered {
    pub(crate) order: RecheckRow,
    pub(crate) single: Single,
    /// The tube that says so; empty before it was filled.
    pub(crate) tube: String,
}

impl App {
    /// A hold with which the caller may do `permission`.
    pub(crate) async fn readable_hold(
        &self,
        caller: &Caller,
        permission: Permission,
        code: &str,
    ) -> Result<HoldRow, Error> {
        caller.allowed(permission)?;
        let hold = HoldRow::get(self.db.read(), code, Lock::No).await?;
        let path = hold.as_ref().map_or("", |hold| &hold.org_path);
        Self::check_path(caller, permission, path)?;
        hold.ok_or_else(|| Error::NotFound(format!("holds/{code}")))
    }

    /// One hold with its people.
    pub(crate) async fn get_hold(&self, caller: &Caller, code: &str) -> Result<Hold, Error> {
        let row = self
            .readable_hold(caller, Permission::HoldRead, code)
            .await?;
        let holds = self.with_members(std::slice::from_ref(&row)).await?;
        let found = holds.into_iter().next();
        found.ok_or_else(|| Error::NotFound(format!("holds/{code}")))
    }

    /// Holds below an organisation, by name after `after`.
    pub(crate) async fn list_holds(
        &self,
        caller: &Caller,
        organization: &str,
        active: bool,
        after: &str,
        limit: u64,
    ) -> Result<Vec<HoldRow>, Error> {
        let place = self
            .place(caller, Permission::HoldRead, organization)
            .await?;
        Ok(holds::list(self.db.read(), &place, active, after, limit).await?)
    }

    /// Holds as they are told, with their people.
    pub(crate) async fn with_members(&self, rows: &[HoldRow]) -> Result<Vec<Hold>, Error> {
        let codes = rows.iter().map(|row| row.tube.as_str().into()).collect();
        let mut members: HashMap<String, Vec<SwabRow>> = HashMap::new();
        for swab in SwabRow::find(self.db.read(), "tube", codes, Lock::No).await? {
            members.entry(swab.tube.clone()).or_default().push(swab);
        }
        let members = |row: &HoldRow| members.get(&row.tube).map_or(&[][..], Vec::as_slice);
        Ok(rows
            .iter()
            .map(|row| tube_convert::hold(row, members(row)))
            .collect())
    }

    /// The single swabs that a hold ordered, by person after `after`.
    pub(crate) async fn list_orders(
        &self,
        caller: &Caller,
        code: &str,
        after: Vec<u8>,
        limit: u64,
    ) -> Result<Vec<Ordered>, Error> {
        self.readable_hold(caller, Permission::HoldRead, code)
            .await?;
        let read = self.db.read();
        let orders = holds::orders(read, code, after, limit).await?;
        let singles = holds::singles(read, &[code.into()]).await?;
        let ordered = |order: RecheckRow| {
            let nothing = (Single::Ordered, String::new());
            let told = singles
                .iter()
                .filter(|row| row.person.as_ref() == Some(&order.person))
                .fold(nothing, |(known, tube), row| {
                    let one = known.or(of_tube(row.state, row.result));
                    if one == known {
                        (known, tube)
                    } else {
                        (one, row.tube.clone())
                    }
                });
            Ordered {
                order,
                single: told.0,
                tube: told.1,
            }
        };
        Ok(orders.into_iter().map(ordered).collect())
    }

    /// The audit lines of a hold after a line.
    pub(crate) async fn list_hold_events(
        &self,
        caller: &Caller,
        code: &str,
        after: i64,
        limit: u64,
    ) -> Result<Vec<HoldEventRow>, Error> {
        self.readable_hold(caller, Permission::HoldRead, code)
            .await?;
        Ok(holds::events(self.db.read(), code, after, limit).await?)
    }

    /// Releases a hold by the decision of a human.
    pub(crate) async fn release_hold(
        &self,
        caller: &Caller,
        code: &str,
        request: &ReleaseHoldRequest,
    ) -> Result<Hold, Error> {
        caller.allowed(Permission::HoldRelease)?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        // The tube first: that is the order of all writers.
        let tube = TubeRow::get(&tx, code, Lock::Yes).await?;
        let hold = HoldRow::get(&tx, code, Lock::Yes).await?;
        let path = hold.as_ref().map_or("", |hold| &hold.org_path);
        Self::check_path(caller, Permission::HoldRelease, path)?;
        let (Some(tube), Some(mut hold)) = (tube, hold) else {
            return Err(Error::NotFound(format!("holds/{code}")));
        };
        let request_id = &request.request_id;
        let ticket = match once(&tx, caller, "ReleaseHold", request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        match HoldState::from_code(hold.state) {
            Some(HoldState::Active) => {}
            state => return Err(Error::HoldState(state)),
        }
        hold.released_version = tube.result_version;
        hold.end_reason = format!("{}: {}", request.decided_by, request.reason);
        HoldRow::save(&tx, std::slice::from_ref(&hold)).await?;
        let before = tube.clone();
        let mut tubes = BTreeMap::from([(code.to_owned(), tube)]);
        let unsettled = Unsettled {
            holds: BTreeSet::from([code.to_owned()]),
            ..Unsettled::default()
        };
        self.settle(&tx, caller, &mut tubes, &unsettled, now)
            .await?;
        // A positive single makes more of it than a release.
        let mut moved: Vec<TubeRow> = tubes.into_values().filter(|tube| *tube != before).collect();
        self.noted(&tx, caller, &mut moved, "ReleaseHold", "", now)
            .await?;
        let hold = HoldRow::get(&tx, code, Lock::No).await?;
        let members = SwabRow::find(&tx, "tube", vec![code.into()], Lock::No).await?;
        let hold = hold.ok_or_else(|| Error::NotFound(format!("holds/{code}")))?;
        let answer = tube_convert::hold(&hold, &members);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }
}
