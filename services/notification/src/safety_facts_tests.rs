use super::*;

fn now() -> DateTime<Utc> {
    "2022-04-06T03:00:00Z".parse().unwrap()
}

fn event(entity: &str, state: Option<State>) -> pb::SafetyEvent {
    pb::SafetyEvent {
        entity: entity.to_owned(),
        version: 1,
        org_path: "fz/350102/2135010001".to_owned(),
        removed: state.is_none(),
        state,
    }
}

const HAZARD: &str = "organizations/2135010001/hazards/1";

fn kinds(event: &pb::SafetyEvent) -> Vec<Kind> {
    let facts = told(event, now()).unwrap().facts;
    facts.iter().map(|fact| fact.kind).collect()
}

#[test]
fn a_hazard_stands_at_its_organisation_and_is_late_from_the_end_of_its_last_day() {
    let hazard = pb::Hazard {
        grade: pb::hazard::Grade::Major.into(),
        state: pb::hazard::State::Verified.into(),
        overdue: true,
        due_date: Some(proto::Date {
            year: 2022,
            month: 4,
            day: 5,
        }),
        ..Default::default()
    };
    let facts = told(&event(HAZARD, Some(State::Hazard(hazard))), now());
    let facts = facts.unwrap().facts;
    let entity = Entity {
        name: HAZARD.to_owned(),
        organization: "2135010001".to_owned(),
        org_path: "fz/350102/2135010001".to_owned(),
    };
    assert!(facts.iter().all(|fact| fact.entity == entity));
    let [found, overdue] = &facts[..] else {
        panic!("two facts: {facts:?}")
    };
    assert_eq!(found.kind, Kind::MajorHazardFound);
    let end: DateTime<Utc> = "2022-04-05T16:00:00Z".parse().unwrap();
    assert_eq!((overdue.kind, overdue.occurred), (Kind::HazardOverdue, end));
}

#[test]
fn a_major_hazard_asks_until_people_are_safe_from_it() {
    use pb::hazard::{Grade, State as Stage};
    let of = |state: Stage, grade: Grade| {
        let hazard = pb::Hazard {
            state: state.into(),
            grade: grade.into(),
            ..Default::default()
        };
        kinds(&event(HAZARD, Some(State::Hazard(hazard))))
    };
    assert_eq!(of(Stage::Reported, Grade::Major), [Kind::MajorHazardFound]);
    assert_eq!(of(Stage::Verified, Grade::Major), [Kind::MajorHazardFound]);
    assert!(of(Stage::InterimControl, Grade::Major).is_empty());
    assert!(of(Stage::Verified, Grade::General).is_empty());
}

#[test]
fn what_has_no_facts_is_passed_over() {
    let signal = State::WeatherSignal(pb::WeatherSignal::default());
    assert_eq!(told(&event("weatherSignals/1", Some(signal)), now()), None);
    assert_eq!(told(&event("weatherSignals/1", None), now()), None);
    let gone = told(&event(HAZARD, None), now()).unwrap();
    assert!(gone.gone && gone.facts.is_empty());
    for standing in ["drillStanding", "weatherState"] {
        let entity = format!("organizations/2135010001/{standing}");
        assert!(told(&event(&entity, None), now()).is_some(), "{standing}");
    }
    // Of a newer peer, in a way unknown here: not a reason to end an alert.
    let unknown = pb::SafetyEvent {
        removed: false,
        ..event(HAZARD, None)
    };
    assert_eq!(told(&unknown, now()), None);
}

#[test]
fn the_clock_that_is_due_first_says_to_whom() {
    use pb::incident_clock::Duty;
    use pb::incident_step::Receiver;
    let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let clock = |duty: Duty, to: Receiver, due| pb::IncidentClock {
        duty: duty.into(),
        to_receiver: to.into(),
        due_time: at(due),
        ..Default::default()
    };
    let incident = pb::Incident {
        clocks: vec![
            clock(Duty::Hop, Receiver::City, 1_649_220_000),
            clock(Duty::Police, Receiver::Unspecified, 1_649_217_000),
            pb::IncidentClock {
                done_time: at(1_649_210_000),
                ..clock(Duty::Hop, Receiver::District, 1_649_211_000)
            },
        ],
        ..Default::default()
    };
    let entity = "organizations/2135010001/incidents/1";
    let facts = told(&event(entity, Some(State::Incident(incident))), now());
    let facts = facts.unwrap().facts;
    let [due] = &facts[..] else {
        panic!("one fact: {facts:?}")
    };
    assert_eq!(
        (due.kind, due.figures.word),
        (Kind::IncidentReportDue, Word::Police)
    );
    assert_eq!(due.limit, from_timestamp(at(1_649_217_000).unwrap()));
}
