//! What checks at the gate ask for: to see to those kept out, and to decisions that are contradicted
//! (rules 3.3, 3.4 and 3.9). People are counted, never named.

use chrono::{DateTime, Utc};
use proto::safety as pb;

use crate::domain::fact::{Entity, Fact, Figures, Kind};
use crate::facts::instant;

/// As many kept out on one day as make a cluster (rule 1.15).
const CLUSTER: i32 = 3;

/// A recheck at the gate kept people out: until the day is over. People are counted, never named.
pub(super) fn kept_out(
    place: Entity,
    standing: &pb::GateRecheckStanding,
    now: DateTime<Utc>,
) -> Option<Fact> {
    let people = standing.kept_out_count;
    (people > 0).then(|| Fact {
        figures: Figures {
            people,
            ..Figures::default()
        },
        grave: people >= CLUSTER,
        ..Fact::new(
            Kind::GateRecheckFailed,
            place,
            instant(standing.first_time, now),
        )
    })
}

/// Red health codes kept people out today: until the day is over.
pub(super) fn red_codes(
    place: Entity,
    standing: &pb::GateRedCodeStanding,
    now: DateTime<Utc>,
) -> Option<Fact> {
    (standing.red_count > 0).then(|| Fact {
        figures: Figures {
            people: standing.red_count,
            ..Figures::default()
        },
        ..Fact::new(Kind::GateCodeRed, place, instant(standing.first_time, now))
    })
}

/// Gates without a network decided otherwise than the service would have: until a human overrode each of
/// these decisions, or the day is over. Graver when somebody was let in.
pub(super) fn conflicts(
    place: Entity,
    standing: &pb::GateConflictStanding,
    now: DateTime<Utc>,
) -> Option<Fact> {
    (standing.conflict_count > 0).then(|| Fact {
        figures: Figures {
            amount: standing.admitted_count,
            total: standing.conflict_count,
            ..Figures::default()
        },
        grave: standing.admitted_count > 0,
        ..Fact::new(Kind::GateConflict, place, instant(standing.first_time, now))
    })
}
