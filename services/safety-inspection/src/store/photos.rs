//! Evidence in pictures: by the resource whose evidence they are, and by their hash.

use chrono::{DateTime, Utc};
use kit::bulk::placeholders;
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::{Store, unreadable};
use crate::domain::photo::{Location, Photo, Showing};

row! {
    /// A picture as the evidence of one resource.
    PhotoRow in "photos" by ["origin", "sha256"] {
        /// The resource.
        origin: String,
        /// The SHA-256 of the file.
        sha256: Vec<u8>,
        /// The id of the organisation.
        organization: String,
        /// Its place.
        org_path: String,
        /// Where it can be had.
        uri: String,
        /// When it was taken, in milliseconds since 1970.
        taken_at: i64,
        /// Millionths of a degree, or the least number.
        latitude: i32,
        /// Millionths of a degree, or the least number.
        longitude: i32,
        /// When it was handed in, in milliseconds since 1970.
        shown_at: i64,
        /// At which place it was taken, or empty.
        place: String,
    }
}

/// How many showings of one picture are told at most.
const SHOWINGS: i64 = 100;

impl Store {
    /// Keeps pictures as evidence of `origin` at an organisation (its id and place); one that it
    /// already has is kept once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_photos(
        tx: &Tx,
        (organization, org_path): (&str, &str),
        origin: &str,
        photos: &[Photo],
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let rows: Vec<PhotoRow> = photos
            .iter()
            .map(|photo| {
                let (latitude, longitude) = micro(photo.location);
                PhotoRow {
                    origin: origin.to_owned(),
                    sha256: photo.sha256.to_vec(),
                    organization: organization.to_owned(),
                    org_path: org_path.to_owned(),
                    uri: photo.uri.clone(),
                    taken_at: photo.taken.timestamp_millis(),
                    latitude,
                    longitude,
                    shown_at: now.timestamp_millis(),
                    place: photo.place.clone(),
                }
            })
            .collect();
        PhotoRow::add(tx, &rows).await
    }

    /// The evidence of each of `origins`, in the order of the hashes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn photos(
        db: &impl ConnectionTrait,
        origins: &[String],
    ) -> Result<Vec<(String, Photo)>, DbErr> {
        let keys = origins
            .iter()
            .map(|origin| origin.as_str().into())
            .collect();
        let rows = PhotoRow::find(db, "origin", keys, Lock::No).await?;
        rows.into_iter()
            .map(|row| {
                let photo = Photo {
                    sha256: hash(row.sha256)?,
                    uri: row.uri,
                    taken: DateTime::from_timestamp_millis(row.taken_at)
                        .ok_or_else(|| unreadable("instant"))?,
                    location: degrees((row.latitude, row.longitude)),
                    place: row.place,
                };
                Ok((row.origin, photo))
            })
            .collect()
    }

    /// Where pictures with these hashes were shown, other than as evidence of `origin`: the first
    /// showing first, at most 100 of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn showings(
        db: &impl ConnectionTrait,
        hashes: &[[u8; 32]],
        origin: &str,
    ) -> Result<Vec<Showing>, DbErr> {
        if hashes.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT sha256, organization, org_path, origin FROM photos \
             WHERE origin <> $1 AND sha256 IN ({}) ORDER BY shown_at, origin LIMIT $2",
            placeholders(3, hashes.len())
        );
        let mut values: Vec<Value> = vec![origin.into(), SHOWINGS.into()];
        values.extend(hashes.iter().map(|hash| hash.to_vec().into()));
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter()
            .map(|row| {
                Ok(Showing {
                    sha256: hash(row.try_get_by_index(0)?)?,
                    organization: row.try_get_by_index(1)?,
                    org_path: row.try_get_by_index(2)?,
                    origin: row.try_get_by_index(3)?,
                })
            })
            .collect()
    }
}

fn hash(bytes: Vec<u8>) -> Result<[u8; 32], DbErr> {
    bytes.try_into().map_err(|_| unreadable("hash"))
}

/// A place on earth as it is stored.
#[expect(
    clippy::cast_possible_truncation,
    reason = "degrees were checked to lie within a circle"
)]
pub(super) fn micro(location: Option<Location>) -> (i32, i32) {
    let micro = |degrees: f64| (degrees.clamp(-180.0, 180.0) * 1e6).round() as i32;
    location.map_or((i32::MIN, i32::MIN), |(latitude, longitude)| {
        (micro(latitude), micro(longitude))
    })
}

/// A place on earth as it was stored; none where nobody said.
pub(super) fn degrees((latitude, longitude): (i32, i32)) -> Option<Location> {
    let degrees = |micro| f64::from(micro) / 1e6;
    (latitude != i32::MIN).then(|| (degrees(latitude), degrees(longitude)))
}
