//! What a campus is known to have, whether or not anybody entered it as a place that is inspected.

use crate::domain::checklist::item::PlaceKind;
use crate::domain::protection::declaration::{Declaration, KeyPartKind};

/// What the register and its declaration say that a campus has (rules 5.13, 5.15, 5.17).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Premises {
    /// Dormitories.
    pub dormitories: bool,
    /// A canteen.
    pub canteen: bool,
    /// Laboratories.
    pub laboratories: bool,
    /// School buses.
    pub buses: bool,
}

impl Premises {
    /// By what the register says of dormitories, whether there are buses, and what was declared and not
    /// returned; none where nothing was.
    pub fn known(boarding: bool, buses: bool, declaration: Option<&Declaration>) -> Self {
        let part = |kind| {
            let mut parts = declaration.iter().flat_map(|one| &one.key_parts);
            parts.any(|part| part.kind == kind && !part.absent)
        };
        let serves = declaration.is_some_and(|one| one.food.is_some() && !one.no_food);
        Self {
            dormitories: boarding || part(KeyPartKind::Dormitory),
            canteen: serves || part(KeyPartKind::Canteen),
            laboratories: part(KeyPartKind::Laboratory),
            buses,
        }
    }

    /// Whether a campus with these premises has a place of this kind; every campus has a gate and
    /// surroundings.
    pub fn has(self, kind: PlaceKind) -> bool {
        match kind {
            PlaceKind::Dormitory => self.dormitories,
            PlaceKind::Canteen => self.canteen,
            PlaceKind::Laboratory => self.laboratories,
            PlaceKind::Bus => self.buses,
            PlaceKind::Gate | PlaceKind::Surroundings => true,
            PlaceKind::School
            | PlaceKind::Kindergarten
            | PlaceKind::TrainingInstitution
            | PlaceKind::OffCampusBase => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::protection::declaration::{Food, KeyPart};

    #[test]
    fn the_register_and_the_declaration_say_what_a_campus_has() {
        assert_eq!(Premises::known(false, false, None), Premises::default());
        let boarding = Premises::known(true, false, None);
        assert!(boarding.has(PlaceKind::Dormitory) && !boarding.has(PlaceKind::Canteen));
        let part = |kind, absent| KeyPart {
            kind,
            absent,
            guarded: true,
            monitored: true,
        };
        let declared = Declaration {
            key_parts: vec![
                part(KeyPartKind::Laboratory, false),
                part(KeyPartKind::Dormitory, true),
            ],
            food: Some(Food::default()),
            ..Declaration::default()
        };
        let known = Premises::known(false, true, Some(&declared));
        let all = Premises {
            dormitories: false,
            canteen: true,
            laboratories: true,
            buses: true,
        };
        assert_eq!(known, all);
        let nothing = Declaration {
            no_food: true,
            ..Declaration::default()
        };
        let known = Premises::known(false, false, Some(&nothing));
        assert_eq!(known, Premises::default());
    }
}
