//! Pictures, both ways.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use kit::field::{Fields, to_timestamp};
use kit::org::OrgPath;
use proto::safety as pb;

use crate::app::weather::Evidence;
use crate::domain::photo::Photo;

/// Pictures of one request, at most.
const PHOTOS: usize = 9;
/// The longest address, in characters.
const URI: usize = 2000;
/// Names of earlier showings, at most.
const SEEN: usize = 10;

/// Pictures that are handed in at `now`.
pub(super) fn photos(
    fields: &mut Fields,
    field: &str,
    photos: &[pb::Photo],
    now: DateTime<Utc>,
) -> Vec<Photo> {
    if photos.len() > PHOTOS {
        fields.violation(field, "最多 9 张照片", "at most 9 photos");
    }
    let mut hashes = BTreeSet::new();
    let read = photos
        .iter()
        .take(PHOTOS)
        .zip(0..)
        .filter_map(|(told, place)| {
            let at = |part: &str| format!("{field}[{place}].{part}");
            let sha256: Option<[u8; 32]> = told.sha256.as_ref().try_into().ok();
            if sha256.is_none_or(|hash| !hashes.insert(hash)) {
                let (zh, en) = ("应为 32 字节且不重复", "32 bytes, each photo once");
                fields.violation(at("sha256"), zh, en);
            }
            if !(told.uri.is_empty() || is_address(&told.uri)) {
                let (zh, en) = (
                    "应为不含用户名的 https 地址",
                    "an https address without user",
                );
                fields.violation(at("uri"), zh, en);
            }
            let taken = fields.instant(&at("take_time"), told.take_time);
            if taken.is_some_and(|taken| taken > now) {
                let (zh, en) = ("不能晚于现在", "must not be later than now");
                fields.violation(at("take_time"), zh, en);
            }
            let location = told
                .location
                .as_ref()
                .map(|one| (one.latitude, one.longitude));
            if let Some((latitude, longitude)) = location {
                fields.within(&at("location.latitude"), latitude, -90.0..=90.0);
                fields.within(&at("location.longitude"), longitude, -180.0..=180.0);
            }
            Some(Photo {
                sha256: sha256?,
                uri: told.uri.clone(),
                taken: taken?,
                location,
            })
        });
    read.collect()
}

fn is_address(uri: &str) -> bool {
    let Some(rest) = uri.strip_prefix("https://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = !uri.chars().any(|c| c.is_whitespace() || c.is_control());
    uri.chars().count() <= URI && plain && !host.is_empty() && !host.contains('@')
}

/// A picture as somebody with a scope sees it, as the evidence of one organisation.
pub(super) fn photo(evidence: &Evidence, organization: &str, scope: &OrgPath) -> pb::Photo {
    let Evidence { photo, seen } = evidence;
    let readable = seen.iter().filter(|one| {
        let place = one.org_path.parse::<OrgPath>();
        place.is_ok_and(|place| scope.contains(&place))
    });
    let elsewhere = seen.iter().filter(|one| one.organization != organization);
    pb::Photo {
        sha256: photo.sha256.to_vec().into(),
        uri: photo.uri.clone(),
        take_time: Some(to_timestamp(photo.taken)),
        location: photo.location.map(|(latitude, longitude)| proto::LatLng {
            latitude,
            longitude,
        }),
        seen_before: readable.take(SEEN).map(|one| one.origin.clone()).collect(),
        seen_elsewhere_count: i32::try_from(elsewhere.count()).unwrap_or(i32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_carry_no_user() {
        for (uri, fits) in [
            ("https://files.example.cn/a.jpg?x=1", true),
            ("http://files.example.cn/a.jpg", false),
            ("https://", false),
            ("https://user:word@files.example.cn/a", false),
            ("https://files.example.cn/a b", false),
        ] {
            assert_eq!(is_address(uri), fits, "{uri}");
        }
        assert!(!is_address(&format!("https://a/{}", "x".repeat(URI))));
    }
}
