//! Why an incident refuses, as callers are told.

use kit::clock::shanghai;
use kit::status::Problem;
use proto::error::ErrorReason as Reason;
use proto::safety::incident;

use crate::domain::incident::moves::Refusal;

/// What a refusal is told as.
pub(in crate::grpc) fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::State(state) => {
            let named = incident::State::try_from(state as i32).unwrap_or_default();
            let name = named.as_str_name().trim_start_matches("STATE_");
            Problem::new(Reason::IncidentState).meta("state", name)
        }
        Refusal::LevelFloor(level, floor) => Problem::new(Reason::IncidentLevelFloor)
            .meta("level", level.name())
            .meta("floor", floor.name()),
        Refusal::SameLevel(level) => {
            Problem::new(Reason::IncidentSameLevel).meta("level", level.name())
        }
        Refusal::SupplementOver(end) => {
            let end = chrono::DateTime::from_timestamp_millis(end).unwrap_or_default();
            let end = end.with_timezone(&shanghai()).to_rfc3339();
            Problem::new(Reason::IncidentSupplementOver).meta("end_time", end)
        }
        Refusal::OverLevel(receiver) => {
            Problem::new(Reason::IncidentOverLevel).meta("receiver", receiver.name())
        }
        Refusal::SecondPerson => Problem::new(Reason::IncidentSecondPerson),
        Refusal::ReviewLevel(level) => {
            Problem::new(Reason::IncidentReviewLevel).meta("level", level.name())
        }
        Refusal::Untold(receiver) => {
            Problem::new(Reason::IncidentUntold).meta("receiver", receiver.name())
        }
        Refusal::HasCasualties => Problem::new(Reason::IncidentHasCasualties),
        Refusal::Receiver(receiver) => {
            Problem::new(Reason::IncidentReceiver).meta("receiver", receiver.name())
        }
    }
}
