//! Decisions at the gates of the city, each stored before it is answered: through the gateway, at the
//! service itself, and in memory alone.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_date;
use proto::safety::check_entry_request::Identity;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_observation::Colour;
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::{
    CheckEntryRequest, GateDecision, GateObservation, OfflineDecision, OfflineVerdict,
    RecordBatchRequest, TravelCard,
};
use safety_inspection::domain::gate::decision::{Case, Outcome as Decided, decide};
use safety_inspection::domain::gate::index::{Index, Member, Roll};
use safety_inspection::domain::gate::observation::Reading;
use safety_inspection::domain::person::{PersonKind, PersonName};
use tonic::{Code, Status};
use uuid::Uuid;

use super::appends::{self, Appends};
use super::harness::{Answer, Bound, Figure, Latencies, Rounds};
use super::load;
use super::stand::{Doors, Stand};
use super::{BenchArgs, Engine};
use crate::house::Door;

/// How many gates decide at once.
const GATES: usize = 64;
/// How many pupils come in a round.
const COME: usize = 30_000;
/// What the gates call themselves.
const DEVICE: &str = "bench";
/// How many decisions are made in memory.
const DECIDED: usize = 200_000;

/// One gate: a guard of a school, and whoever comes to that school.
pub(super) struct Gate {
    /// The resource name of the school.
    school: String,
    guard: GateServiceClient<Door>,
    pupils: Vec<Uuid>,
    staff: Vec<Uuid>,
}

impl Gate {
    /// The resource name of somebody by their place: the pupils come first, class by class, then the staff.
    pub(super) fn person(&self, place: usize) -> anyhow::Result<String> {
        match self.pupils.get(place) {
            Some(pupil) => Ok(format!("students/{pupil}")),
            None => {
                let member = self.staff.get(place.saturating_sub(self.pupils.len()));
                Ok(format!("staff/{}", member.context("nobody of the school")?))
            }
        }
    }

    /// Somebody comes; of a recheck, `recheck_of` names the decision that sent them to observation.
    pub(super) async fn check(
        &self,
        person: String,
        observation: GateObservation,
        recheck_of: String,
    ) -> Result<GateDecision, Status> {
        let request = CheckEntryRequest {
            parent: self.school.clone(),
            identity: Some(Identity::Person(person)),
            observation: Some(observation),
            device: DEVICE.to_owned(),
            recheck_of,
            ..CheckEntryRequest::default()
        };
        let decision = self.guard.clone().check_entry(request).await?;
        Ok(decision.into_inner())
    }

    /// Decisions that this gate made without a network; gives the verdict on each.
    pub(super) async fn record(
        &self,
        decisions: Vec<OfflineDecision>,
    ) -> Result<Vec<OfflineVerdict>, Status> {
        let request = RecordBatchRequest {
            parent: self.school.clone(),
            device: DEVICE.to_owned(),
            decisions,
        };
        let recorded = self.guard.clone().record_batch(request).await?;
        Ok(recorded.into_inner().verdicts)
    }
}

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let stand = Stand::open(args).await?;
    let service = stand.house.addresses();
    let service = service
        .into_iter()
        .find(|(name, _)| *name == "safety-inspection");
    let (_, service) = service.context("safety-inspection answers")?;
    let today = stand.clock.today();
    let at_gateway = Arc::new(gates(&stand, &stand.house.gateway(), GATES)?);
    known(&stand, &at_gateway).await?;
    let at_service = Arc::new(gates(&stand, &service, GATES)?);
    let (mut through, mut direct) = (Rounds::default(), Rounds::default());
    for _ in 0..args.rounds {
        through.add(come(&at_gateway, today).await?);
        direct.add(come(&at_service, today).await?);
    }
    let now = stand.clock.now();
    stand.house.close().await?;
    let appends = Appends::measure(args, GATES, now).await?;
    // SQLite writes one transaction at a time.
    let least = match args.database {
        Engine::Postgres => 10_000.0,
        Engine::Sqlite => 5000.0,
    };
    let direct = (&direct, least);
    Ok(figures(&through, direct, &appends, in_memory(now)?))
}

/// So many pupils come to all gates at once.
async fn come(gates: &Arc<Vec<Gate>>, today: NaiveDate) -> anyhow::Result<Latencies> {
    let gates = gates.clone();
    let enter = move |number: usize| {
        let gates = gates.clone();
        async move {
            let gate = &gates[number % gates.len()];
            let pupil = gate.person(number / gates.len() % gate.pupils.len())?;
            enter(gate, pupil, today).await
        }
    };
    load::closed(GATES, (0..COME).collect(), enter).await
}

/// The microseconds of one decision from what a replica holds of a school of 2,000 people.
fn in_memory(now: DateTime<Utc>) -> anyhow::Result<f64> {
    let (mut index, place) = (Index::default(), "fz/350102/2135000001");
    index.set_organization("2135000001", Some(place));
    let people: Vec<PersonName> = (0..2_000_u128)
        .map(|number| PersonName {
            kind: PersonKind::Student,
            id: Uuid::from_u128(number),
        })
        .collect();
    for (number, class) in people.chunks(40).enumerate() {
        let roll = Roll {
            org_path: format!("{place}/c{number}"),
            in_person: true,
            grade: 7,
            members: class.iter().map(|person| member(*person)).collect(),
        };
        index.set_roll(&format!("classGroups/{number}"), Some(roll));
    }
    let seen = appends::healthy(now)?;
    let today = kit::clock::civil_date(now);
    let begun = Instant::now();
    for person in people.iter().cycle().take(DECIDED) {
        let policy = index.policy(place, today);
        let decision = decide(&Case {
            standing: index.standing(*person, place),
            clearance: index.clearance(*person),
            observation: seen,
            reading: Reading::First,
            emergency: false,
            arrival: policy.arrival_of(index.grade(*person, place)),
            weather_delay: false,
            minute: 450,
            today,
            facts_time: Some(now),
            now,
            policy: &policy,
        });
        ensure!(
            black_box(decision).outcome == Decided::Admit,
            "a pupil was not let in"
        );
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / DECIDED as f64)
}

fn member(person: PersonName) -> Member {
    Member {
        person,
        on_leave: false,
    }
}

fn figures(
    decided: &Rounds,
    (direct, least): (&Rounds, f64),
    appends: &Appends,
    micros: f64,
) -> Vec<Figure> {
    let within = |name, measured: &Rounds, share| {
        Figure::alone(name, "ms", measured.ms(share), (Bound::AtMost, 20.0))
    };
    vec![
        Figure::alone(
            "decisions of 64 gates",
            "/s",
            decided.rate(),
            (Bound::AtLeast, 5000.0),
        ),
        within("64 gates, p50", decided, 0.5),
        within("64 gates, p99", decided, 0.99),
        Figure::alone(
            "64 gates, turned away",
            "",
            decided.overloaded() as f64,
            (Bound::AtMost, 0.0),
        ),
        Figure::alone(
            "the same at the service itself",
            "/s",
            direct.rate(),
            (Bound::AtLeast, least),
        ),
        within("at the service itself, p99", direct, 0.99),
        Figure::ratio(
            "ledger alone, together ÷ one by one",
            "/s",
            appends.single.rate(),
            appends.grouped.rate(),
            (Bound::AtLeast, 1.5),
        ),
        Figure::alone(
            "one decision in memory",
            "µs",
            micros,
            (Bound::AtMost, 10.0),
        ),
    ]
}

/// The gates of the first `count` schools, which ask at `address`.
pub(super) fn gates(stand: &Stand, address: &str, count: usize) -> anyhow::Result<Vec<Gate>> {
    let doors = Doors::new(&stand.house, address)?;
    let mut gates = Vec::new();
    for school in stand.city.schools().take(count) {
        let code = &school.plan.code;
        let door = doors.open(Role::Guard, code, &school.plan.org_path())?;
        let pupils = school.classes.iter().flat_map(|class| &class.students);
        gates.push(Gate {
            school: format!("organizations/{code}"),
            guard: GateServiceClient::new(door),
            pupils: pupils.map(|pupil| pupil.id).collect(),
            staff: school.staff.iter().map(|member| member.id).collect(),
        });
    }
    Ok(gates)
}

/// Waits until every gate knows its last pupil: the register has arrived.
pub(super) async fn known(stand: &Stand, gates: &[Gate]) -> anyhow::Result<()> {
    let today = stand.clock.today();
    for gate in gates {
        let last = gate.pupils.len().checked_sub(1);
        let pupil = gate.person(last.context("a school has pupils")?)?;
        let mut left = 2400;
        while ask(gate, pupil.clone(), today).await?.effective_result() != Outcome::Admit {
            left -= 1;
            if left == 0 {
                bail!("a gate has not heard of its school within ten minutes");
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
    Ok(())
}

/// A healthy pupil of the school comes, and must be let in.
async fn enter(gate: &Gate, pupil: String, today: NaiveDate) -> anyhow::Result<Answer> {
    match ask(gate, pupil, today).await {
        Err(status) if status.code() == Code::ResourceExhausted => Ok(Answer::Overloaded),
        decision => {
            let outcome = decision?.effective_result();
            ensure!(
                outcome == Outcome::Admit,
                "a pupil was answered {outcome:?}"
            );
            Ok(Answer::Done)
        }
    }
}

async fn ask(gate: &Gate, pupil: String, today: NaiveDate) -> Result<GateDecision, Status> {
    gate.check(pupil, healthy(today), String::new()).await
}

/// What is seen of somebody healthy.
pub(super) fn healthy(today: NaiveDate) -> GateObservation {
    GateObservation {
        temperature_decidegrees: Some(365),
        colour: Colour::Green.into(),
        travel_card: Some(TravelCard {
            show_date: Some(to_date(today)),
            starred: false,
            ..TravelCard::default()
        }),
        ..GateObservation::default()
    }
}
