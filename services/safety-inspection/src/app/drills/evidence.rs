//! Photos with where they were shown before.

use kit::org::OrgPath;
use sea_orm::ConnectionTrait;

use crate::app::place;
use crate::domain::photo::Photo;
use crate::error::Error;
use crate::store::Store;

/// A photo, and where the same picture was shown before.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// The photo.
    pub(crate) photo: Photo,
    /// Resource names at places that the caller may read.
    pub(crate) seen_before: Vec<String>,
    /// How often at other organisations.
    pub(crate) seen_elsewhere: usize,
}

/// How many names are told.
const NAMES: usize = 10;

/// The photos of a resource of an organisation, for a caller of this scope.
pub(super) async fn of(
    db: &impl ConnectionTrait,
    scope: &OrgPath,
    organization: &str,
    name: &str,
) -> Result<Vec<Evidence>, Error> {
    let photos = Store::photos(db, &[name.to_owned()]).await?;
    let hashes: Vec<[u8; 32]> = photos.iter().map(|(_, photo)| photo.sha256).collect();
    let showings = Store::showings(db, &hashes, name).await?;
    let evidence = photos.into_iter().map(|(_, photo)| {
        let same = showings.iter().filter(|one| one.sha256 == photo.sha256);
        let elsewhere = same.clone().filter(|one| one.organization != organization);
        let readable = same.filter(|one| scope.contains(&place(&one.org_path)));
        Evidence {
            seen_before: readable.map(|one| one.origin.clone()).take(NAMES).collect(),
            seen_elsewhere: elsewhere.count(),
            photo,
        }
    });
    Ok(evidence.collect())
}
