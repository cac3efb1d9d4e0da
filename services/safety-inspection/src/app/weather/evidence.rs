//! Evidence in pictures, with where each was shown before.

use sea_orm::ConnectionTrait;

use crate::domain::photo::{Photo, Showing};
use crate::error::Error;
use crate::store::Store;

/// A picture and where else it was shown.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    pub(crate) photo: Photo,
    pub(crate) seen: Vec<Showing>,
}

/// The evidence of each of `origins`, by origin.
pub(super) async fn evidence(
    db: &impl ConnectionTrait,
    origins: &[String],
) -> Result<Vec<(String, Evidence)>, Error> {
    let photos = Store::photos(db, origins).await?;
    let mut found = Vec::with_capacity(photos.len());
    for origin in origins {
        let own = photos.iter().filter(|(of, _)| of == origin);
        let own: Vec<&Photo> = own.map(|(_, photo)| photo).collect();
        let hashes: Vec<[u8; 32]> = own.iter().map(|photo| photo.sha256).collect();
        let seen = Store::showings(db, &hashes, origin).await?;
        found.extend(own.into_iter().map(|photo| {
            let seen = seen.iter().filter(|one| one.sha256 == photo.sha256);
            let evidence = Evidence {
                photo: photo.clone(),
                seen: seen.cloned().collect(),
            };
            (origin.clone(), evidence)
        }));
    }
    Ok(found)
}
