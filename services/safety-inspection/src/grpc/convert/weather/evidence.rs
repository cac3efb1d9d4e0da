//! Pictures of the weather, both ways.

use chrono::{DateTime, Utc};
use kit::field::Fields;
use kit::org::OrgPath;
use proto::safety as pb;

use crate::app::photos::Shown;
use crate::app::weather::Evidence;
use crate::domain::photo::Photo;
use crate::grpc::convert::photo;

/// Pictures of one request, at most.
const PHOTOS: usize = 9;

/// Pictures that are handed in at `now`.
pub(super) fn photos(
    fields: &mut Fields,
    field: &str,
    told: &[pb::Photo],
    now: DateTime<Utc>,
) -> Vec<Photo> {
    photo::photos(fields, field, told, (PHOTOS, now))
}

/// A picture as somebody with a scope sees it, as the evidence of one organisation.
pub(super) fn photo(evidence: &Evidence, organization: &str, scope: &OrgPath) -> pb::Photo {
    let Evidence { photo, seen } = evidence;
    photo::shown(Shown::of(photo.clone(), seen, organization, scope))
}
