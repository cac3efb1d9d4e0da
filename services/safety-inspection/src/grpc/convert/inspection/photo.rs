//! Evidence in pictures.

use chrono::{DateTime, Utc};
use kit::field::{Fields, to_timestamp};
use proto::safety as pb;

use super::count;
use crate::app::inspections::Shown;
use crate::domain::inspection::answer::CLOCKS_DIFFER;
use crate::domain::photo::Photo;

const URI: usize = 2000;

/// A photo of a request that was taken before `now`; none when something of it is wrong.
pub(super) fn read(
    fields: &mut Fields,
    at: &str,
    sent: &pb::Photo,
    now: DateTime<Utc>,
) -> Option<Photo> {
    let field = |name: &str| format!("{at}.{name}");
    let sha256: Option<[u8; 32]> = sent.sha256[..].try_into().ok();
    if sha256.is_none() {
        fields.violation(
            field("sha256"),
            "应为 32 字节的 SHA-256",
            "32 bytes of SHA-256",
        );
    }
    if !sent.uri.is_empty() && !is_address(&sent.uri) {
        fields.violation(
            field("uri"),
            "应为不含用户名和口令的 https 地址",
            "an https address without user or password",
        );
    }
    let taken = fields.instant(&field("take_time"), sent.take_time);
    if taken.is_some_and(|taken| taken > now + CLOCKS_DIFFER) {
        fields.violation(field("take_time"), "拍摄时间不能晚于现在", "in the future");
    }
    let location = sent.location.map(|at| (at.latitude, at.longitude));
    let on_earth = |(latitude, longitude): (f64, f64)| {
        (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude)
    };
    if !location.is_none_or(on_earth) {
        fields.violation(
            field("location"),
            "不是有效的经纬度",
            "not a place on earth",
        );
    }
    Some(Photo {
        sha256: sha256?,
        uri: sent.uri.clone(),
        taken: taken?,
        location,
    })
}

fn is_address(uri: &str) -> bool {
    let Some(rest) = uri.strip_prefix("https://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    uri.len() <= URI
        && !host.is_empty()
        && !host.contains('@')
        && uri.bytes().all(|byte| byte.is_ascii_graphic())
}

pub(super) fn photo(photo: &Photo, shown: Shown) -> pb::Photo {
    pb::Photo {
        sha256: photo.sha256.to_vec().into(),
        uri: photo.uri.clone(),
        take_time: Some(to_timestamp(photo.taken)),
        location: photo.location.map(|(latitude, longitude)| proto::LatLng {
            latitude,
            longitude,
        }),
        seen_before: shown.before,
        seen_elsewhere_count: count(shown.elsewhere),
    }
}
