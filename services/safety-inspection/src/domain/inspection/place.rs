//! Places within organisations, and which of them are inspected.

use chrono::NaiveDate;
use kit::org::is_id;
use uuid::Uuid;

use super::premises::Premises;
use super::schedule::Period;
use crate::domain::checklist::item::PlaceKind;
use crate::domain::organization::Kind;
use crate::domain::photo::{Location, Scene};

/// How many characters a place has at most.
const LONGEST: usize = 100;

/// Whether a text names a place within an organisation, such as `building-3/floor-2`.
pub fn is_place(text: &str) -> bool {
    text.len() <= LONGEST && text.split('/').all(is_id)
}

/// A place that an organisation entered.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The id.
    pub id: Uuid,
    /// The id of the organisation.
    pub organization: String,
    /// Its place in the tree.
    pub org_path: String,
    /// What it is.
    pub kind: PlaceKind,
    /// Where.
    pub place: String,
    /// Shown to people.
    pub display_name: String,
    /// Its first day.
    pub opened: NaiveDate,
    /// The first day on which it is no more.
    pub closed: Option<NaiveDate>,
    /// Where on earth it is; none where nobody said.
    pub location: Option<Location>,
}

/// So many places of a kind that are there for the same days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock {
    /// What they are.
    pub kind: PlaceKind,
    /// Their first day.
    pub opened: NaiveDate,
    /// The first day on which they are no more.
    pub closed: Option<NaiveDate>,
    /// How many.
    pub count: u32,
}

impl Stock {
    /// Whether these places are there on the last day of a period, or were closed after its first.
    pub fn in_period(&self, period: Period) -> bool {
        self.opened <= period.last && self.closed.is_none_or(|closed| closed > period.first)
    }
}

/// What is inspected at an organisation of a kind: itself, what it entered, and one of whatever it has and never
/// entered, so that what nobody entered is missed and not unseen.
pub fn stock(kind: Kind, premises: Premises, entered: &[Stock]) -> Vec<Stock> {
    let always = |kind| Stock {
        kind,
        opened: NaiveDate::MIN,
        closed: None,
        count: 1,
    };
    let Some(whole) = PlaceKind::whole(kind) else {
        return Vec::new();
    };
    let had = PlaceKind::ALL.iter().copied();
    let had = had.filter(|kind| premises.has(*kind));
    let missing = had.filter(|kind| entered.iter().all(|one| one.kind != *kind));
    let mut all = vec![always(whole)];
    all.extend(missing.map(always));
    all.extend_from_slice(entered);
    all
}

/// The places of one kind at an organisation of another: where, and for which days.
pub fn places_of(
    wanted: PlaceKind,
    (kind, premises): (Kind, Premises),
    entered: &[Place],
) -> Vec<(String, Stock)> {
    let entered: Vec<&Place> = entered.iter().filter(|one| one.kind == wanted).collect();
    let always = Stock {
        kind: wanted,
        opened: NaiveDate::MIN,
        closed: None,
        count: 1,
    };
    let implied = wanted.implied().filter(|_| premises.has(wanted));
    match (PlaceKind::whole(kind), implied) {
        (None, _) => Vec::new(),
        (Some(whole), _) if whole == wanted => vec![(String::new(), always)],
        (Some(_), Some(implied)) if entered.is_empty() => vec![(implied.to_owned(), always)],
        _ => entered
            .into_iter()
            .map(|one| {
                let stock = Stock {
                    opened: one.opened,
                    closed: one.closed,
                    ..always
                };
                (one.place.clone(), stock)
            })
            .collect(),
    }
}

/// What pictures of a place of a kind should be of, by what the organisation entered: that very place, or, for
/// all of the organisation, any of its places that are still there.
pub fn scene(kind: PlaceKind, place: &str, entered: &[Place]) -> Scene {
    let concerned = entered.iter().filter(|one| {
        let same = one.kind == kind && one.place == place;
        one.closed.is_none() && (kind.is_whole() || same)
    });
    Scene {
        place: place.to_owned(),
        locations: concerned.filter_map(|one| one.location).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_of_the_very_place_or_of_any_of_the_whole() {
        let place = |kind, place: &str, location, closed| Place {
            id: Uuid::nil(),
            organization: "s".to_owned(),
            org_path: "fz/s".to_owned(),
            kind,
            place: place.to_owned(),
            display_name: "场所".to_owned(),
            opened: NaiveDate::MIN,
            closed,
            location,
        };
        let entered = [
            place(PlaceKind::Gate, "gate", Some((26.0, 119.0)), None),
            place(PlaceKind::Canteen, "hall", Some((26.1, 119.1)), None),
            place(PlaceKind::Laboratory, "hall", None, None),
            place(
                PlaceKind::Bus,
                "bus-1",
                Some((26.2, 119.2)),
                Some(NaiveDate::MIN),
            ),
        ];
        let of = |kind, place| scene(kind, place, &entered).locations;
        assert_eq!(of(PlaceKind::Canteen, "hall"), [(26.1, 119.1)]);
        assert_eq!(of(PlaceKind::Laboratory, "hall"), []);
        assert_eq!(of(PlaceKind::Bus, "bus-1"), [], "it is no more");
        assert_eq!(of(PlaceKind::School, ""), [(26.0, 119.0), (26.1, 119.1)]);
    }

    #[test]
    fn places_have_parts_between_slashes() {
        assert!(is_place("gate") && is_place("building-3/floor-2"));
        for text in ["", "/", "a/", "A", "三号楼", &"a/".repeat(60)] {
            assert!(!is_place(text), "{text}");
        }
    }

    #[test]
    fn every_campus_has_a_gate_and_surroundings_and_no_bureau_has_any() {
        for kind in Kind::ALL {
            for (premises, all) in [(Premises::default(), 3), (EVERYTHING, 7)] {
                let stock = stock(kind, premises, &[]);
                let kinds: Vec<PlaceKind> = stock.iter().map(|one| one.kind).collect();
                let expected = if kind.has_campus() { all } else { 0 };
                assert_eq!(kinds.len(), expected, "{kind:?}");
                for wanted in PlaceKind::ALL {
                    let places = places_of(*wanted, (kind, premises), &[]);
                    assert_eq!(
                        !places.is_empty(),
                        kinds.contains(wanted),
                        "{kind:?} {wanted:?}"
                    );
                }
            }
        }
    }

    const EVERYTHING: Premises = Premises {
        dormitories: true,
        canteen: true,
        laboratories: true,
        buses: true,
    };

    #[test]
    fn a_dormitory_that_nobody_entered_is_wanted_all_the_same() {
        let known = (Kind::School, EVERYTHING);
        let places = places_of(PlaceKind::Dormitory, known, &[]);
        assert_eq!(places.len(), 1);
        assert_eq!(places[0].0, "dormitory");
        let unknown = (Kind::School, Premises::default());
        assert!(places_of(PlaceKind::Dormitory, unknown, &[]).is_empty());
    }

    #[test]
    fn entered_gates_stand_for_the_implied_one() {
        let day = NaiveDate::from_ymd_opt(2022, 4, 6).unwrap();
        let place = |place: &str| Place {
            id: Uuid::nil(),
            organization: "s".to_owned(),
            org_path: "fz/s".to_owned(),
            kind: PlaceKind::Gate,
            place: place.to_owned(),
            display_name: "校门".to_owned(),
            opened: day,
            closed: None,
            location: None,
        };
        let entered = [place("east"), place("west")];
        let places = places_of(PlaceKind::Gate, (Kind::School, EVERYTHING), &entered);
        let names: Vec<&str> = places.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(names, ["east", "west"]);
        let (_, stock_of_one) = &places[0];
        let two = Stock {
            count: 2,
            ..*stock_of_one
        };
        let all = stock(Kind::School, EVERYTHING, &[two]);
        let gates: u32 = all
            .iter()
            .filter(|one| one.kind == PlaceKind::Gate)
            .map(|one| one.count)
            .sum();
        assert_eq!(gates, 2);
    }
}
