//! Places that organisations enter into the list of what is inspected.

use kit::auth::Caller;
use kit::db::Tx;
use kit::rows::{Lock, Row};
use kit::status::Problem;
use prost::Message;
use proto::error::ErrorReason;
use uuid::Uuid;

use super::Inspections;
use crate::app::{Site, new_id};
use crate::domain::checklist::item::PlaceKind;
use crate::domain::inspection::place::Place;
use crate::domain::photo::Location;
use crate::error::Error;
use crate::store::Store;
use crate::store::register::OrganizationRow;

/// How many places one organisation enters at most, closed ones among them.
const MOST: usize = 500;

/// A place that is to be entered.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// What it is.
    pub(crate) kind: PlaceKind,
    /// Where.
    pub(crate) place: String,
    /// Shown to people.
    pub(crate) display_name: String,
    /// Where on earth; none where nobody says.
    pub(crate) location: Option<Location>,
}

impl Inspections {
    /// Enters a place.
    ///
    /// # Errors
    /// ALREADY_EXISTS, or INVALID_FIELD when the organisation has too many.
    pub(crate) async fn enter_place<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        wish: Wish,
        once: (&str, &impl Message),
        render: impl FnOnce(Place) -> R,
    ) -> Result<R, Error> {
        let today = self.today();
        let work = async |tx: &Tx, now| {
            let organization = &site.organization;
            OrganizationRow::get(tx, &organization.id, Lock::Yes).await?;
            let entered =
                Store::inspection_places(tx, std::slice::from_ref(&organization.id)).await?;
            let same = |one: &Place| {
                let there = one.closed.is_none();
                there && one.kind == wish.kind && one.place == wish.place
            };
            if let Some(held) = entered.iter().find(|one| same(one)) {
                let name = name(&organization.id, held.id);
                return Err(Problem::new(ErrorReason::AlreadyExists)
                    .meta("name", name)
                    .into());
            }
            if entered.len() >= MOST {
                let zh = format!("每个单位最多登记 {MOST} 个场所");
                let en = format!("an organisation has at most {MOST} places");
                return Err(Problem::invalid("inspection_place", zh, en).into());
            }
            let entered = Place {
                id: new_id(now),
                organization: organization.id.clone(),
                org_path: organization.org_path.clone(),
                kind: wish.kind,
                place: wish.place,
                display_name: wish.display_name,
                opened: today,
                closed: None,
                location: wish.location,
            };
            Store::save_inspection_place(tx, &entered).await?;
            Ok(render(entered))
        };
        self.base
            .act(caller, "CreateInspectionPlace", once, work)
            .await
    }

    /// Takes a place off from today.
    ///
    /// # Errors
    /// Not found.
    pub(crate) async fn close_place<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        once: (&str, &impl Message),
        render: impl FnOnce(Place) -> R,
    ) -> Result<R, Error> {
        let today = self.today();
        let work = async |tx: &Tx, _now| {
            let organization = &site.organization.id;
            let held = Store::inspection_place(tx, organization, id, Lock::Yes).await?;
            let mut held = held.ok_or_else(|| Error::NotFound(name(organization, id)))?;
            if held.closed.is_none() {
                held.closed = Some(today);
                Store::save_inspection_place(tx, &held).await?;
            }
            Ok(render(held))
        };
        self.base
            .act(caller, "CloseInspectionPlace", once, work)
            .await
    }

    /// The places of an organisation after `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn places(
        &self,
        site: &Site,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Place>, Error> {
        let db = self.base.store.database().read();
        let organization = &site.organization.id;
        Ok(Store::inspection_places_page(db, organization, after, limit).await?)
    }
}

fn name(organization: &str, id: Uuid) -> String {
    format!(
        "organizations/{organization}/inspectionPlaces/{}",
        id.hyphenated()
    )
}
