//! What audit logs tell of broken glasses, read as facts: one for each caller and hour.

use chrono::{DateTime, Utc};
use proto::audit::BreakGlassUse;

use crate::domain::fact::{Entity, Fact, Figures, Kind};
use crate::domain::place::{leaf, places_above};
use crate::facts::instant;
use crate::store::facts::Told;

/// The name of a record in the log of a service.
pub(crate) fn record(service: &str, sequence: i64) -> String {
    format!("auditLogs/{service}/records/{sequence}")
}

/// What a use tells of the entity `name`. It concerns the organisation above the caller's, so that nobody
/// judges a use of their own; at the top, and for the whole city, the organisation at the `root`. Somebody
/// there has to say that the reason holds.
pub(crate) fn told(name: String, told: &BreakGlassUse, root: &str, now: DateTime<Utc>) -> Told {
    let own = if told.place.is_empty() {
        root
    } else {
        &told.place
    };
    let place = places_above(own).next().unwrap_or(own);
    let entity = Entity {
        name: name.clone(),
        organization: leaf(place).to_owned(),
        org_path: place.to_owned(),
    };
    let fact = Fact {
        figures: Figures {
            amount: told.use_count,
            ..Figures::default()
        },
        stands: false,
        ..Fact::new(Kind::BreakGlassUsed, entity, instant(told.time, now))
    };
    Told {
        entity: name,
        version: told.sequence,
        gone: false,
        facts: vec![fact],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat(place: &str) -> (String, String) {
        let used = BreakGlassUse {
            sequence: 9,
            place: place.to_owned(),
            first_sequence: 7,
            use_count: 2,
            ..BreakGlassUse::default()
        };
        let told = told(record("roster", 7), &used, "fz", DateTime::UNIX_EPOCH);
        assert_eq!(
            (&*told.entity, told.version),
            ("auditLogs/roster/records/7", 9)
        );
        let [fact] = &told.facts[..] else {
            panic!("one fact: {told:?}");
        };
        assert_eq!((fact.figures.amount, fact.stands), (2, false));
        (
            fact.entity.organization.clone(),
            fact.entity.org_path.clone(),
        )
    }

    #[test]
    fn a_use_concerns_the_organisation_above_the_caller() {
        for (place, organization, path) in [
            ("fz/350102/2135010001", "350102", "fz/350102"),
            ("fz/350102", "fz", "fz"),
            ("fz", "fz", "fz"),
            ("", "fz", "fz"),
        ] {
            let seat = seat(place);
            assert_eq!((&*seat.0, &*seat.1), (organization, path), "{place}");
        }
    }
}
