//! Evidence in pictures, with where else the same picture was shown.

use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr};

use crate::app::place;
use crate::domain::photo::{Photo, Showing};
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
    /// How many metres from where it should be it was taken; none when that is not known.
    pub(crate) distance: Option<u32>,
    /// It was taken somewhere else.
    pub(crate) misplaced: bool,
}

impl Shown {
    /// A picture as evidence of an organisation, for a caller of this scope; of `showings` those of
    /// the same picture count.
    pub(crate) fn of(
        photo: Photo,
        showings: &[Showing],
        organization: &str,
        scope: &OrgPath,
    ) -> Self {
        let same = showings.iter().filter(|one| one.sha256 == photo.sha256);
        let elsewhere = same.clone().filter(|one| one.organization != organization);
        let seen_elsewhere = i32::try_from(elsewhere.count()).unwrap_or(i32::MAX);
        let readable = same.filter(|one| scope.contains(&place(&one.org_path)));
        Self {
            seen_before: readable.take(NAMED).map(|one| one.origin.clone()).collect(),
            seen_elsewhere,
            distance: None,
            misplaced: false,
            photo,
        }
    }
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
    let photos = photos.into_iter();
    let shown = photos.map(|(_, photo)| Shown::of(photo, &showings, organization, scope));
    Ok(shown.collect())
}
