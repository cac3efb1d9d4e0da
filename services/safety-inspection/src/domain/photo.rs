//! Evidence in pictures: their hashes, times and places; never the pictures themselves.

use chrono::{DateTime, Utc};

/// A place on earth: latitude and longitude in degrees.
pub type Location = (f64, f64);

/// A picture that was handed in.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// The SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Where it can be had; empty when it is kept at the school.
    pub uri: String,
    /// When it was taken, by the device.
    pub taken: DateTime<Utc>,
    /// Where it was taken, by the device.
    pub location: Option<Location>,
    /// At which place of the organisation it was taken, by the code that hangs there; may be empty.
    pub place: String,
}

/// Where the same picture was shown before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Showing {
    /// The SHA-256 of the file.
    pub sha256: [u8; 32],
    /// The id of the organisation.
    pub organization: String,
    /// Its place.
    pub org_path: String,
    /// The resource whose evidence it was.
    pub origin: String,
}

/// The mean radius of the earth in metres.
const EARTH: f64 = 6_371_008.8;
/// A picture from farther away than so many metres is not one of the place; devices are wrong by less.
const FENCE: u32 = 300;

/// The place of which pictures should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// The place within the organisation; empty for all of it.
    pub place: String,
    /// Where on earth it is; for all of an organisation where its places are. None where nobody said.
    pub locations: Vec<Location>,
}

impl Scene {
    /// How many metres away from the place a picture was taken; none where one of the two is not known.
    pub fn distance(&self, photo: &Photo) -> Option<u32> {
        let taken = photo.location?;
        let all = self.locations.iter().map(|place| metres(*place, taken));
        all.min()
    }

    /// Whether a picture was taken somewhere else: outside the fence or, where no distance is known, by the
    /// code of another place.
    pub fn is_elsewhere(&self, photo: &Photo) -> bool {
        match self.distance(photo) {
            Some(metres) => metres > FENCE,
            None => !self.place.is_empty() && !photo.place.is_empty() && !self.holds(&photo.place),
        }
    }

    /// Whether a place is this one or a part of it.
    fn holds(&self, place: &str) -> bool {
        let rest = place.strip_prefix(self.place.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// How far two places on earth are from each other, in whole metres along a great circle.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no two places on earth are farther from each other than half its circumference"
)]
fn metres(one: Location, other: Location) -> u32 {
    let (north, north_of_other) = (one.0.to_radians(), other.0.to_radians());
    let (up, along) = (north_of_other - north, (other.1 - one.1).to_radians());
    let half =
        (up / 2.0).sin().powi(2) + north.cos() * north_of_other.cos() * (along / 2.0).sin().powi(2);
    let angle = 2.0 * half.clamp(0.0, 1.0).sqrt().asin();
    (EARTH * angle).round() as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn photo(location: Option<Location>, place: &str) -> Photo {
        Photo {
            sha256: [7; 32],
            uri: String::new(),
            taken: DateTime::UNIX_EPOCH,
            location,
            place: place.to_owned(),
        }
    }

    fn scene(place: &str, locations: &[Location]) -> Scene {
        Scene {
            place: place.to_owned(),
            locations: locations.to_vec(),
        }
    }

    #[test]
    fn distances_are_those_of_the_globe() {
        assert_eq!(metres((26.08, 119.3), (26.08, 119.3)), 0);
        // A minute of latitude is a nautical mile.
        assert!((1851..=1855).contains(&metres((26.0, 119.3), (26.0 + 1.0 / 60.0, 119.3))));
        // From Fuzhou to Pingtan.
        assert!((65_000..=95_000).contains(&metres((26.08, 119.3), (25.5, 119.79))));
        assert!((20_015_000..=20_016_000).contains(&metres((90.0, 0.0), (-90.0, 0.0))));
    }

    #[test]
    fn a_picture_from_outside_the_fence_is_of_somewhere_else() {
        let canteen = (26.08, 119.3);
        let gate = scene("canteen-1", &[canteen]);
        // A thousandth of a degree of latitude is 111 metres.
        for (away, elsewhere) in [(0.0, false), (0.002, false), (0.003, true), (1.0, true)] {
            let taken = photo(Some((canteen.0 + away, canteen.1)), "");
            assert_eq!(gate.is_elsewhere(&taken), elsewhere, "{away}");
        }
        let wrong_code = photo(Some(canteen), "dormitory-2");
        assert!(!gate.is_elsewhere(&wrong_code), "the distance decides");
        // All of a school is wherever one of its places is.
        let school = scene("", &[canteen, (26.09, 119.31)]);
        assert!(!school.is_elsewhere(&photo(Some((26.0905, 119.31)), "")));
        assert!(school.is_elsewhere(&photo(Some((26.2, 119.31)), "")));
    }

    #[test]
    fn without_a_distance_the_code_of_the_place_decides() {
        let floor = scene("building-3", &[]);
        for (code, elsewhere) in [
            ("", false),
            ("building-3", false),
            ("building-3/floor-2", false),
            ("building-31", true),
            ("gate", true),
        ] {
            let somewhere = photo(Some((26.0, 119.0)), code);
            assert_eq!(floor.is_elsewhere(&somewhere), elsewhere, "{code}");
            assert_eq!(floor.distance(&somewhere), None);
            assert_eq!(floor.is_elsewhere(&photo(None, code)), elsewhere, "{code}");
        }
        let school = scene("", &[]);
        assert!(!school.is_elsewhere(&photo(None, "gate")));
    }

    proptest! {
        #[test]
        fn both_ways_are_equally_long(
            one in (-90.0f64..=90.0, -180.0f64..=180.0),
            other in (-90.0f64..=90.0, -180.0f64..=180.0),
        ) {
            let there = metres(one, other);
            prop_assert!(there.abs_diff(metres(other, one)) <= 1);
            prop_assert!(there <= 20_015_116);
            prop_assert_eq!(metres(one, one), 0);
        }
    }
}
