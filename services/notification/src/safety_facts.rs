//! What safety-inspection tells, read as facts that ask somebody to do something.

mod gate;
mod supplies;

use chrono::{DateTime, Utc};
use kit::clock::start_of;
use kit::field::{from_date, from_timestamp};
use proto::roster::incident_policy::Level;
use proto::safety as pb;
use proto::safety::safety_event::State;

use crate::domain::fact::{Entity, Fact, Figures, Kind, Word};
use crate::facts::{entity, instant};
use crate::store::facts::Told;

/// The collections of organisations, and what there is of them only once, whose entities have facts.
const COLLECTIONS: &[&str] = &[
    "drillStanding",
    "dutyShifts",
    "dutyStanding",
    "gateConflictStanding",
    "gateRecheckStanding",
    "gateRedCodeStanding",
    "hazards",
    "incidents",
    "inspectionStanding",
    "protectionStanding",
    "resumptions",
    "shelterStanding",
    "spotChecks",
    "supplyStanding",
    "visits",
    "weatherState",
];

/// What an event tells of its entity: the facts that are, all others being over. None for an
/// entity that never has any, and for one that a newer peer tells in a way unknown here.
pub(crate) fn told(event: &pb::SafetyEvent, now: DateTime<Utc>) -> Option<Told> {
    let facts = match &event.state {
        _ if event.removed => {
            let collection = event.entity.split('/').nth(2)?;
            COLLECTIONS.contains(&collection).then(Vec::new)?
        }
        Some(State::Hazard(hazard)) => of_hazard(event, hazard, now),
        Some(State::DutyShift(shift)) => Vec::from_iter(unattended(event, shift, now)),
        Some(State::DutyStanding(standing)) => Vec::from_iter(duty_gap(event, standing, now)),
        Some(State::Visit(visit)) => of_visit(event, visit, now),
        Some(State::DrillStanding(standing)) => Vec::from_iter(drill_due(event, standing, now)),
        Some(State::WeatherStanding(standing)) => of_weather(event, standing, now),
        Some(State::Incident(incident)) => of_incident(event, incident, now),
        Some(State::GateRecheckStanding(standing)) => {
            Vec::from_iter(gate::kept_out(place(event), standing, now))
        }
        Some(State::GateRedCodeStanding(standing)) => {
            Vec::from_iter(gate::red_codes(place(event), standing, now))
        }
        Some(State::GateConflictStanding(standing)) => {
            Vec::from_iter(gate::conflicts(place(event), standing, now))
        }
        Some(State::SupplyStanding(standing)) => supplies::lacking(place(event), standing, now),
        Some(State::ShelterStanding(standing)) => {
            supplies::short_of_room(place(event), standing, now)
        }
        Some(State::ProtectionStanding(standing)) => {
            supplies::unprotected(place(event), standing, now)
        }
        Some(State::InspectionStanding(standing)) => {
            Vec::from_iter(inspections_missed(event, standing, now))
        }
        Some(State::SpotCheck(check)) => Vec::from_iter(unanswered(event, check, now)),
        Some(State::Resumption(told)) => Vec::from_iter(resumption_blocked(event, told, now)),
        _ => return None,
    };
    Some(Told {
        entity: event.entity.clone(),
        version: event.version,
        gone: event.removed,
        facts,
    })
}

/// Where an event is: all that is told here belongs to an organisation.
fn place(event: &pb::SafetyEvent) -> Entity {
    entity(&event.entity, &event.entity, &event.org_path)
}

/// A hazard asks up to two things at once: to make people safe from a major one, and to be removed
/// once its deadline is over. It goes from bureau to bureau by itself, so the bureau above is asked
/// from the start.
fn of_hazard(event: &pb::SafetyEvent, hazard: &pb::Hazard, now: DateTime<Utc>) -> Vec<Fact> {
    use pb::hazard::{Escalation, Grade, State as Stage};
    let uncontrolled = matches!(hazard.state(), Stage::Reported | Stage::Verified);
    let major = hazard.grade() == Grade::Major && uncontrolled;
    let found = major.then(|| {
        Fact::new(
            Kind::MajorHazardFound,
            place(event),
            instant(hazard.find_time, now),
        )
    });
    let due = hazard.due_date.and_then(from_date);
    // It may be open until the end of its last day.
    let over = due.and_then(|day| day.succ_opt()).map_or(now, start_of);
    let overdue = hazard.overdue.then(|| Fact {
        grave: hazard.escalation() == Escalation::City,
        ..Fact::new(Kind::HazardOverdue, place(event), over)
    });
    [found, overdue].into_iter().flatten().collect()
}

/// Nobody came to a shift: until others are sent, or it is over.
fn unattended(event: &pb::SafetyEvent, shift: &pb::DutyShift, now: DateTime<Utc>) -> Option<Fact> {
    use pb::duty_shift::State as Stage;
    let due = instant(shift.check_in_due_time, now);
    (shift.state() == Stage::Alert).then(|| Fact::new(Kind::DutyUnattended, place(event), due))
}

/// No published shift covers this moment: until one does.
fn duty_gap(
    event: &pb::SafetyEvent,
    standing: &pb::DutyStanding,
    now: DateTime<Utc>,
) -> Option<Fact> {
    use pb::duty_standing::State as Stage;
    let since = instant(standing.gap_start_time, now);
    (standing.state() == Stage::Gap).then(|| Fact::new(Kind::DutyGap, place(event), since.min(now)))
}

/// Somebody is inside for too long, or in an emergency: until they leave; and the book does not tell of
/// an emergency in time: until it does. People are counted, never named.
fn of_visit(event: &pb::SafetyEvent, visit: &pb::Visit, now: DateTime<Utc>) -> Vec<Fact> {
    use pb::visit::State as Stage;
    let inside = match visit.state() {
        Stage::Overstay => Some((Kind::VisitorOverstay, visit.overstay_time)),
        Stage::AdmittedEmergency => Some((Kind::GateEmergency, visit.enter_time)),
        _ => None,
    };
    let unwritten = (Kind::VisitorAfterEntry, visit.after_entry_due_time);
    let unwritten = visit.after_entry_overdue.then_some(unwritten);
    let fact = |(kind, since)| Fact {
        figures: Figures {
            people: visit.entered_companion_count.saturating_add(1),
            ..Figures::default()
        },
        ..Fact::new(kind, place(event), instant(since, now))
    };
    inside.into_iter().chain(unwritten).map(fact).collect()
}

/// A school has its day and something blocks it: until nothing does, or it has no day any more.
fn resumption_blocked(
    event: &pb::SafetyEvent,
    told: &pb::Resumption,
    now: DateTime<Utc>,
) -> Option<Fact> {
    use pb::resumption::State as Stage;
    let blocked = told.state() == Stage::Scheduled && !told.blocks.is_empty();
    let day = told.scheduled_date.and_then(from_date);
    blocked.then(|| Fact {
        figures: Figures {
            amount: i32::try_from(told.blocks.len()).unwrap_or(i32::MAX),
            ..Figures::default()
        },
        grave: day.is_some_and(|day| start_of(day) <= now),
        ..Fact::new(
            Kind::ResumptionBlocked,
            place(event),
            instant(told.update_time, now),
        )
    })
}

/// A drill is owed soon, or was not held: until it counts.
fn drill_due(
    event: &pb::SafetyEvent,
    standing: &pb::DrillStanding,
    now: DateTime<Utc>,
) -> Option<Fact> {
    use pb::drill_obligation::State as Stage;
    let of = |stage| {
        let those = standing.obligations.iter();
        those.filter(move |one| one.state() == stage).count()
    };
    let (missed, due) = (of(Stage::Missed), of(Stage::Due));
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    standing.pressing.then(|| Fact {
        figures: Figures {
            amount: number(missed + due),
            total: number(standing.obligations.len()),
            ..Figures::default()
        },
        grave: missed > 0,
        ..Fact::new(Kind::DrillDue, place(event), now)
    })
}

/// Inspections that schedules want were not made in time: until none of the last days is missed.
fn inspections_missed(
    event: &pb::SafetyEvent,
    standing: &pb::InspectionStanding,
    now: DateTime<Utc>,
) -> Option<Fact> {
    (standing.missed_count > 0).then(|| Fact {
        figures: Figures {
            amount: standing.missed_count,
            total: standing.due_count,
            ..Figures::default()
        },
        grave: standing.inspected_count == 0,
        ..Fact::new(Kind::InspectionsMissed, place(event), now)
    })
}

/// Nobody answered a spot check: it has happened, and somebody has to say what came of it.
fn unanswered(event: &pb::SafetyEvent, check: &pb::SpotCheck, now: DateTime<Utc>) -> Option<Fact> {
    use pb::spot_check::Result as Found;
    (check.result() == Found::NoAnswer).then(|| Fact {
        subjects: vec![check.shift.clone()],
        stands: false,
        ..Fact::new(
            Kind::SpotCheckUnanswered,
            place(event),
            instant(check.check_time, now),
        )
    })
}

/// The weather asks up to three things at once: to heed a warning, to do the tasks that are overdue,
/// and to sweep and disinfect after a suspension.
fn of_weather(
    event: &pb::SafetyEvent,
    standing: &pb::WeatherStanding,
    now: DateTime<Utc>,
) -> Vec<Fact> {
    use pb::WeatherLevel;
    use pb::weather_state::State as Stage;
    let since = instant(standing.state_time, now);
    let warned = (standing.state() == Stage::Alerted).then(|| Fact {
        grave: matches!(standing.level(), WeatherLevel::I | WeatherLevel::Ii),
        ..Fact::new(Kind::WeatherWarned, place(event), since)
    });
    let open = standing.open_task_count;
    let overdue = (standing.overdue_task_count > 0).then(|| Fact {
        figures: Figures {
            amount: standing.overdue_task_count,
            total: open.saturating_add(standing.done_task_count),
            ..Figures::default()
        },
        grave: standing.done_task_count == 0,
        ..Fact::new(
            Kind::WeatherTasksOverdue,
            place(event),
            instant(standing.task_due_time, now),
        )
    });
    let check = standing.post_check_overdue.then(|| {
        let due = instant(standing.post_check_due_time, now);
        Fact::new(Kind::PostCheckOverdue, place(event), due)
    });
    [warned, overdue, check].into_iter().flatten().collect()
}

/// An incident asks to be reported further: in time, or as soon as can be once it is late. The clock
/// that is due first says to whom.
fn of_incident(event: &pb::SafetyEvent, incident: &pb::Incident, now: DateTime<Utc>) -> Vec<Fact> {
    let grave = matches!(incident.level(), Level::I | Level::Ii);
    let open = || {
        let clocks = incident.clocks.iter();
        clocks.filter(|clock| clock.done_time.is_none() && clock.due_time.is_some())
    };
    let first = |late: bool| {
        let clocks = open().filter(move |clock| clock.late == late);
        clocks.min_by_key(|clock| clock.due_time.map(|due| due.seconds))
    };
    let overdue = first(true).map(|clock| Fact {
        figures: told_to(clock),
        grave,
        ..Fact::new(
            Kind::IncidentReportOverdue,
            place(event),
            instant(clock.due_time, now),
        )
    });
    let due = first(false).map(|clock| Fact {
        figures: told_to(clock),
        grave,
        limit: clock.due_time.and_then(from_timestamp),
        ..Fact::new(
            Kind::IncidentReportDue,
            place(event),
            instant(clock.start_time, now),
        )
    });
    [due, overdue].into_iter().flatten().collect()
}

/// To whom an incident is to be reported.
fn told_to(clock: &pb::IncidentClock) -> Figures {
    use pb::incident_clock::Duty;
    use pb::incident_step::Receiver;
    let word = match (clock.duty(), clock.to_receiver()) {
        (Duty::Police, _) | (_, Receiver::Police) => Word::Police,
        (_, Receiver::District) => Word::DistrictBureau,
        (_, Receiver::City) => Word::CityBureau,
        (_, Receiver::Government) => Word::Government,
        _ => Word::None,
    };
    Figures {
        word,
        ..Figures::default()
    }
}

#[cfg(test)]
#[path = "safety_facts_tests.rs"]
mod tests;
