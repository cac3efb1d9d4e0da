//! The other services that hold something about a person.

use super::super::access::MinorData;
use super::OTHERS;

/// A service that shows its own part to whoever is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Other(&'static str);

impl Other {
    /// The service of this name; none where there is no such one.
    pub fn named(name: &str) -> Option<Self> {
        OTHERS.into_iter().find(|one| *one == name).map(Self)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// What it shows of minors: each takes an approval of its own where the purpose is not daily work (rule
    /// 6.8).
    pub fn shows(self) -> &'static [MinorData] {
        match self.0 {
            "sampling" => &[MinorData::Sampling, MinorData::Health],
            "safety-inspection" => &[MinorData::Safety],
            _ => &[MinorData::Messages],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_service_shows_something_of_its_own() {
        let mut shown: Vec<MinorData> = Vec::new();
        for name in OTHERS {
            let other = Other::named(name).unwrap();
            assert_eq!(other.name(), name);
            shown.extend(other.shows());
        }
        let kinds = [
            MinorData::Sampling,
            MinorData::Health,
            MinorData::Safety,
            MinorData::Messages,
        ];
        assert_eq!(shown, kinds);
        assert_eq!(Other::named("roster"), None);
    }
}
