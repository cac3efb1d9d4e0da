//! Evidence in pictures.

use chrono::{DateTime, Utc};
use kit::field::{Fields, to_timestamp};
use proto::LatLng;
use proto::safety as pb;

use super::few;
use crate::app::drills::Evidence;
use crate::domain::photo::Photo;

const PHOTOS: usize = 20;
const ADDRESS: usize = 2000;

/// Photos as they are handed in at `now`.
pub(super) fn photos(
    fields: &mut Fields,
    field: &str,
    sent: &[pb::Photo],
    now: DateTime<Utc>,
) -> Vec<Photo> {
    few(fields, field, sent, PHOTOS);
    let read = sent.iter().take(PHOTOS).enumerate();
    read.filter_map(|(index, sent)| photo(fields, &format!("{field}[{index}]"), sent, now))
        .collect()
}

fn photo(fields: &mut Fields, field: &str, sent: &pb::Photo, now: DateTime<Utc>) -> Option<Photo> {
    let sha256: Option<[u8; 32]> = sent.sha256[..].try_into().ok();
    if sha256.is_none() {
        fields.violation(
            format!("{field}.sha256"),
            "必须是 32 字节的 SHA-256",
            "must be the 32 bytes of a SHA-256",
        );
    }
    if !sent.uri.is_empty() && !is_address(&sent.uri) {
        fields.violation(
            format!("{field}.uri"),
            "必须是不含用户名和密码的 https 地址",
            "must be an https address without user or password",
        );
    }
    let taken = fields.instant(&format!("{field}.take_time"), sent.take_time);
    if taken.is_some_and(|taken| taken > now) {
        fields.violation(
            format!("{field}.take_time"),
            "拍摄时间不能晚于现在",
            "must not be in the future",
        );
    }
    let location = sent.location.as_ref().map(|at| (at.latitude, at.longitude));
    let on_earth = |(latitude, longitude): (f64, f64)| {
        (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude)
    };
    if location.is_some_and(|location| !on_earth(location)) {
        fields.violation(
            format!("{field}.location"),
            "不是有效的经纬度",
            "not on earth",
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
    let rest = uri.strip_prefix("https://").unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = uri.bytes().all(|byte| byte.is_ascii_graphic());
    plain && uri.len() <= ADDRESS && !host.is_empty() && !host.contains('@')
}

/// Photos as callers see them.
pub(super) fn evidence(shown: Vec<Evidence>) -> Vec<pb::Photo> {
    let shown = shown.into_iter().map(|shown| {
        let Evidence {
            photo,
            seen_before,
            seen_elsewhere,
        } = shown;
        let Photo {
            sha256,
            uri,
            taken,
            location,
        } = photo;
        pb::Photo {
            sha256: sha256.to_vec().into(),
            uri,
            take_time: Some(to_timestamp(taken)),
            location: location.map(|(latitude, longitude)| LatLng {
                latitude,
                longitude,
            }),
            seen_before,
            seen_elsewhere_count: super::count(seen_elsewhere),
        }
    });
    shown.collect()
}
