//! What a campus lacks of supplies, of room and of protection (rules 4.5, 4.6, 5.10 to 5.17, 5.28).

use chrono::{DateTime, Utc};
use proto::safety as pb;
use proto::safety::protection_finding::Code;

use crate::domain::fact::{Entity, Fact, Figures, Kind};

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn of(amount: i32, total: i32) -> Figures {
    Figures {
        amount,
        total,
        ..Figures::default()
    }
}

/// Supplies ask up to two things at once: to be filled up, and to be used or removed before they
/// expire.
pub(super) fn lacking(
    place: Entity,
    standing: &pb::SupplyStanding,
    now: DateTime<Utc>,
) -> Vec<Fact> {
    let below = number(standing.items_below_minimum.len());
    let below = (below > 0).then(|| Fact {
        figures: of(below, standing.required_days),
        grave: standing.cover_days == Some(0),
        ..Fact::new(Kind::SuppliesBelow, place.clone(), now)
    });
    let expired = number(standing.items_expired.len());
    let soon = standing.items_expiring.iter();
    let soon = soon.filter(|code| !standing.items_expired.contains(code));
    let expiring = expired + number(soon.count());
    let expiring = (expiring > 0).then(|| Fact {
        figures: of(expired, expiring),
        grave: expired > 0,
        ..Fact::new(Kind::SuppliesExpiring, place, now)
    });
    [below, expiring].into_iter().flatten().collect()
}

/// Room asks up to two things at once: isolation rooms that are fit for it, and a place for
/// everybody who sought shelter.
pub(super) fn short_of_room(
    place: Entity,
    standing: &pb::ShelterStanding,
    now: DateTime<Utc>,
) -> Vec<Fact> {
    let required = standing.required_isolation_room_count;
    let suitable = standing.suitable_isolation_room_count;
    let rooms = (suitable < required).then(|| Fact {
        figures: of(suitable, required),
        grave: suitable == 0,
        ..Fact::new(Kind::IsolationRoomsShort, place.clone(), now)
    });
    let overfull = (standing.overfull_shelter_count > 0).then(|| Fact {
        figures: Figures {
            people: standing.unplaced_count,
            ..of(standing.overfull_shelter_count, standing.open_shelter_count)
        },
        ..Fact::new(Kind::ShelterOverfull, place, now)
    });
    [rooms, overfull].into_iter().flatten().collect()
}

/// Protection asks up to two things at once: guards, and whatever else was declared and is missing.
/// What nobody declared is asked for by the declaration itself.
pub(super) fn unprotected(
    place: Entity,
    standing: &pb::ProtectionStanding,
    now: DateTime<Utc>,
) -> Vec<Fact> {
    let (required, there) = (standing.required_guard_count, standing.guard_count);
    let guards = (there < required).then(|| Fact {
        figures: of(there, required),
        ..Fact::new(Kind::GuardsShort, place.clone(), now)
    });
    let others = standing.finding_codes();
    let others = others.filter(|code| !matches!(code, Code::TooFewGuards | Code::NotDeclared));
    let others = number(others.count());
    let unmet = |demand: &pb::protection_standing::Demand| {
        demand.state() == pb::protection_part::State::NotMet
    };
    let lacking = (others > 0).then(|| Fact {
        figures: of(others, number(standing.finding_codes.len())),
        grave: standing.demands.iter().any(unmet),
        ..Fact::new(Kind::ProtectionLacking, place, now)
    });
    [guards, lacking].into_iter().flatten().collect()
}
