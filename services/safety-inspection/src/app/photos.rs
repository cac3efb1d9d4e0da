//! Evidence in pictures, with where else the same picture was shown.

use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr};

use crate::app::place;
use crate::domain::photo::Photo;
use crate::store::Store;

/// How many names of other showings are told at most.
const NAMED: usize = 10;

/// A picture, and where else the same one was shown.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// The picture.
    pub(crate) photo: Photo,
    /// Names of other resources whose evidence it is, as far as the caller may read them.
    pub(crate) seen_before: Vec<String>,
    /// How often it was shown at other organisations.
    pub(crate) seen_elsewhere: i32,
}

/// The evidence of `origin` at an organisation, for a caller of this scope.
///
/// # Errors
/// When the database fails.
pub(crate) async fn shown(
    db: &impl ConnectionTrait,
    scope: &OrgPath,
    organization: &str,
    origin: &str,
) -> Result<Vec<Shown>, DbErr> {
    let photos = Store::photos(db, &[origin.to_owned()]).await?;
    let hashes: Vec<[u8; 32]> = photos.iter().map(|(_, photo)| photo.sha256).collect();
    let showings = Store::showings(db, &hashes, origin).await?;
    let shown = photos.into_iter().map(|(_, photo)| {
        let same = showings
            .iter()
            .filter(|showing| showing.sha256 == photo.sha256);
        let elsewhere = same
            .clone()
            .filter(|showing| showing.organization != organization);
        let seen_elsewhere = i32::try_from(elsewhere.count()).unwrap_or(i32::MAX);
        let readable = same.filter(|showing| scope.contains(&place(&showing.org_path)));
        Shown {
            seen_before: readable
                .take(NAMED)
                .map(|showing| showing.origin.clone())
                .collect(),
            seen_elsewhere,
            photo,
        }
    });
    Ok(shown.collect())
}
