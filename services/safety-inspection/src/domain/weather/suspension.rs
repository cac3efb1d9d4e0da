//! Decisions to suspend for the weather, and who may take them back (rules 5.24, 5.25, 5.28).

use crate::domain::numbered::numbered;
use crate::domain::organization::{Kind, Level as Authority};

numbered! {
    /// Where a suspension stands. The numbers are those of the contract.
    SuspensionState {
        /// Its first day is to come.
        Scheduled = 1,
        /// In force.
        InForce = 2,
        /// Lifted, or its last day has passed.
        Lifted = 3,
    }
}

numbered! {
    /// What happens to a suspension.
    SuspensionEvent {
        /// Its first day has come.
        Begin = 1,
        /// It is lifted, or its last day has passed.
        Lift = 2,
    }
}

numbered! {
    /// Who or what stops. The numbers are those of the contract.
    Cover {
        /// Teaching at schools and kindergartens.
        Schools = 1,
        /// Training institutions, off-campus bases, study tours and camps.
        Training = 2,
        /// School buses, and what brings people to training institutions and bases.
        Buses = 3,
    }
}

numbered! {
    /// How pupils are taught. The numbers are those of the contract and of the register.
    Teaching {
        /// At school.
        InPerson = 1,
        /// Online.
        Online = 2,
        /// Not at all.
        Suspended = 3,
    }
}

impl SuspensionState {
    /// The state after an event; none when the event does not start from this state.
    pub fn after(self, event: SuspensionEvent) -> Option<Self> {
        match (self, event) {
            (Self::Scheduled, SuspensionEvent::Begin) => Some(Self::InForce),
            (Self::Scheduled | Self::InForce, SuspensionEvent::Lift) => Some(Self::Lifted),
            _ => None,
        }
    }
}

impl Cover {
    /// What stops the teaching of a kind of organisation; none where nobody is taught.
    pub fn of_teaching(kind: Kind) -> Option<Self> {
        match kind {
            Kind::MunicipalSchool | Kind::School | Kind::Kindergarten | Kind::University => {
                Some(Self::Schools)
            }
            Kind::TrainingInstitution | Kind::OffCampusBase => Some(Self::Training),
            Kind::CityBureau
            | Kind::CountyBureau
            | Kind::FunctionalZone
            | Kind::Laboratory
            | Kind::DiseaseControl => None,
        }
    }
}

/// Whether `by` may take back what `decided` decided: nobody lifts what a higher one decided.
pub fn may_lift(by: Authority, decided: Authority) -> bool {
    by >= decided
}

/// The number of an authority in the contract; a higher one is greater.
pub fn authority_number(authority: Authority) -> i16 {
    match authority {
        Authority::School => 1,
        Authority::District => 2,
        Authority::City => 3,
    }
}

/// The authority of a number.
pub fn authority_of(number: i16) -> Option<Authority> {
    [Authority::School, Authority::District, Authority::City]
        .into_iter()
        .find(|authority| authority_number(*authority) == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_that_is_not_named_is_refused() {
        use {SuspensionEvent as E, SuspensionState as S};
        let legal = [
            (S::Scheduled, E::Begin, S::InForce),
            (S::Scheduled, E::Lift, S::Lifted),
            (S::InForce, E::Lift, S::Lifted),
        ];
        for state in S::ALL {
            for event in E::ALL {
                let expected = legal.iter().find(|(s, e, _)| (s, e) == (state, event));
                assert_eq!(state.after(*event), expected.map(|(_, _, to)| *to));
            }
        }
    }

    #[test]
    fn nobody_lifts_what_a_higher_one_decided() {
        let levels = [Authority::School, Authority::District, Authority::City];
        for (below, by) in levels.iter().enumerate() {
            for (above, decided) in levels.iter().enumerate() {
                assert_eq!(may_lift(*by, *decided), below >= above);
            }
            assert_eq!(authority_of(authority_number(*by)), Some(*by));
        }
        assert_eq!(authority_of(0), None);
    }

    #[test]
    fn wherever_people_come_together_teaching_can_be_stopped() {
        for kind in Kind::ALL {
            assert_eq!(Cover::of_teaching(kind).is_some(), kind.has_campus());
        }
    }
}
