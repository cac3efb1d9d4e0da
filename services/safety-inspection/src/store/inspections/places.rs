//! Places that organisations entered.

use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::{IN_TREE, day, day_text, known, optional_day, small, tree, unsigned};
use crate::domain::checklist::item::PlaceKind;
use crate::domain::inspection::place::{Place, Stock};
use crate::store::Store;
use crate::store::photos::{degrees, micro};

row! {
    /// A place that is inspected.
    PlaceRow in "inspection_places" by ["id"] {
        /// The id.
        id: Uuid,
        /// The id of the organisation.
        organization: String,
        /// Its place in the tree.
        org_path: String,
        /// The number of the kind.
        kind: i16,
        /// Where.
        place: String,
        /// Shown to people.
        display_name: String,
        /// The first day.
        opened_on: String,
        /// The first day on which it is no more; empty while it is.
        closed_on: String,
        /// Millionths of a degree, or the least number.
        latitude: i32,
        /// Millionths of a degree, or the least number.
        longitude: i32,
    }
}

impl Store {
    /// Stores a place as it is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_inspection_place(tx: &Tx, place: &Place) -> Result<(), DbErr> {
        let (latitude, longitude) = micro(place.location);
        let row = PlaceRow {
            id: place.id,
            organization: place.organization.clone(),
            org_path: place.org_path.clone(),
            kind: small(place.kind as i32),
            place: place.place.clone(),
            display_name: place.display_name.clone(),
            opened_on: place.opened.to_string(),
            closed_on: day_text(place.closed),
            latitude,
            longitude,
        };
        PlaceRow::save(tx, &[row]).await?;
        if place.kind == PlaceKind::Bus {
            Self::retell(tx, &place.organization, "drillStanding").await?;
            Self::retell(tx, &place.organization, "protectionStanding").await?;
        }
        Self::retell(tx, &place.organization, "inspectionStanding").await
    }

    /// One place of an organisation; `lock` holds it until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn inspection_place(
        db: &impl ConnectionTrait,
        organization: &str,
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<Place>, DbErr> {
        let rows = PlaceRow::find(db, "id", vec![id.into()], lock).await?;
        let row = rows
            .into_iter()
            .find(|row| row.organization == organization);
        row.map(place).transpose()
    }

    /// The places that each of these organisations ever entered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn inspection_places(
        db: &impl ConnectionTrait,
        organizations: &[String],
    ) -> Result<Vec<Place>, DbErr> {
        let keys = organizations.iter().map(|id| id.as_str().into()).collect();
        let rows = PlaceRow::find(db, "organization", keys, Lock::No).await?;
        rows.into_iter().map(place).collect()
    }

    /// The places of one organisation after `after`, in the order of their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn inspection_places_page(
        db: &impl ConnectionTrait,
        organization: &str,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Place>, DbErr> {
        let values: Vec<Value> = vec![organization.into(), after.unwrap_or_default().into()];
        let wheres = "organization = $1 AND id > $2";
        let rows = PlaceRow::page(db, wheres, values, limit).await?;
        rows.into_iter().map(place).collect()
    }

    /// How many places organisations at and below `place` entered, by organisation, kind and days.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn inspection_stock(
        db: &impl ConnectionTrait,
        place: &str,
    ) -> Result<Vec<(String, Stock)>, DbErr> {
        let sql = format!(
            "SELECT organization, kind, opened_on, closed_on, COUNT(*) FROM inspection_places \
             WHERE {IN_TREE} GROUP BY organization, kind, opened_on, closed_on"
        );
        let rows = db.query_all_raw(statement(db, &sql, tree(place))).await?;
        rows.iter()
            .map(|row| {
                let kind: i16 = row.try_get_by_index(1)?;
                let opened: String = row.try_get_by_index(2)?;
                let closed: String = row.try_get_by_index(3)?;
                let stock = Stock {
                    kind: known(PlaceKind::from_number(kind.into()), "kind of place")?,
                    opened: day(&opened)?,
                    closed: optional_day(&closed)?,
                    count: unsigned(row.try_get_by_index(4)?),
                };
                Ok((row.try_get_by_index(0)?, stock))
            })
            .collect()
    }
}

fn place(row: PlaceRow) -> Result<Place, DbErr> {
    Ok(Place {
        kind: known(PlaceKind::from_number(row.kind.into()), "kind of place")?,
        opened: day(&row.opened_on)?,
        closed: optional_day(&row.closed_on)?,
        location: degrees((row.latitude, row.longitude)),
        id: row.id,
        organization: row.organization,
        org_path: row.org_path,
        place: row.place,
        display_name: row.display_name,
    })
}
