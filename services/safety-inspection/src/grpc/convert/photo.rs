//! Evidence in pictures, both ways.

use chrono::{DateTime, Utc};
use kit::field::{Fields, to_timestamp};
use proto::safety as pb;

use super::{number, spot};
use crate::app::photos::Shown;
use crate::domain::photo::{Location, Photo};

/// The longest address.
const URI: usize = 2000;

/// At most `most` pictures that were taken before `now`, each once.
pub(in crate::grpc) fn photos(
    fields: &mut Fields,
    field: &str,
    told: &[pb::Photo],
    (most, now): (usize, DateTime<Utc>),
) -> Vec<Photo> {
    if told.len() > most {
        let (zh, en) = (format!("最多 {most} 张"), format!("at most {most}"));
        fields.violation(field, zh, en);
        return Vec::new();
    }
    let mut photos: Vec<Photo> = Vec::with_capacity(told.len());
    for (place, one) in told.iter().enumerate() {
        let path = format!("{field}[{place}]");
        let Some(read) = photo(fields, &path, one, now) else {
            continue;
        };
        if photos.iter().any(|other| other.sha256 == read.sha256) {
            fields.violation(format!("{path}.sha256"), "照片重复", "stands twice");
        }
        photos.push(read);
    }
    photos
}

/// A picture that was taken before `now`; none when something of it is wrong.
pub(in crate::grpc) fn photo(
    fields: &mut Fields,
    path: &str,
    told: &pb::Photo,
    now: DateTime<Utc>,
) -> Option<Photo> {
    let sha256: Option<[u8; 32]> = told.sha256.as_ref().try_into().ok();
    if sha256.is_none() {
        let (zh, en) = ("须为 32 字节的 SHA-256", "32 bytes of SHA-256");
        fields.violation(format!("{path}.sha256"), zh, en);
    }
    if !is_address(&told.uri) {
        let (zh, en) = (
            "须为不含用户名和密码的 https 地址",
            "an https address without user or password",
        );
        fields.violation(format!("{path}.uri"), zh, en);
    }
    let field = format!("{path}.take_time");
    let taken = fields.instant(&field, told.take_time);
    if taken.is_some_and(|taken| taken > now) {
        fields.violation(field, "不能晚于现在", "must not be in the future");
    }
    let location = location(fields, &format!("{path}.location"), told.location.as_ref());
    if !told.place.is_empty() {
        spot(fields, &format!("{path}.place"), &told.place);
    }
    Some(Photo {
        sha256: sha256?,
        uri: told.uri.clone(),
        taken: taken?,
        location,
        place: told.place.clone(),
    })
}

/// A place on earth that may be left out.
pub(in crate::grpc) fn location(
    fields: &mut Fields,
    field: &str,
    told: Option<&proto::LatLng>,
) -> Option<Location> {
    let (latitude, longitude) = told.map(|at| (at.latitude, at.longitude))?;
    let on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    if !on_earth {
        fields.violation(field, "不是有效的位置", "no place on earth");
    }
    Some((latitude, longitude))
}

/// A place on earth for the wire.
pub(in crate::grpc) fn on_earth((latitude, longitude): Location) -> proto::LatLng {
    proto::LatLng {
        latitude,
        longitude,
    }
}

fn is_address(uri: &str) -> bool {
    if uri.is_empty() {
        return true;
    }
    let host = uri.strip_prefix("https://").and_then(|rest| {
        let authority = rest.split(['/', '?', '#']).next();
        authority.filter(|authority| !authority.is_empty() && !authority.contains('@'))
    });
    host.is_some() && uri.len() <= URI && uri.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A picture with where else it was shown.
pub(in crate::grpc) fn shown(shown: Shown) -> pb::Photo {
    let Shown {
        photo:
            Photo {
                sha256,
                uri,
                taken,
                location,
                place,
            },
        seen_before,
        seen_elsewhere,
        distance,
        misplaced,
    } = shown;
    pb::Photo {
        sha256: sha256.to_vec().into(),
        uri,
        take_time: Some(to_timestamp(taken)),
        location: location.map(on_earth),
        seen_before,
        seen_elsewhere_count: seen_elsewhere,
        place,
        distance_meters: distance.map(number),
        misplaced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_https_addresses_are_kept() {
        for good in ["", "https://photos.example/1.jpg", "https://photos.example"] {
            assert!(is_address(good), "{good}");
        }
        let long = format!("https://photos.example/{}", "a".repeat(URI));
        for wrong in [
            "http://photos.example/1.jpg",
            "https://",
            "https://user:secret@photos.example/1.jpg",
            "https://photos.example/校门.jpg",
            &long,
        ] {
            assert!(!is_address(wrong), "{wrong}");
        }
    }
}
