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
use proto::safety::{CheckEntryRequest, GateObservation, TravelCard};
use safety_inspection::domain::gate::decision::{Case, Outcome as Decided, decide};
use safety_inspection::domain::gate::index::{Index, Member, Roll};
use safety_inspection::domain::gate::observation::Reading;
use safety_inspection::domain::person::{PersonKind, PersonName};
use tonic::Code;
use tonic::service::interceptor::InterceptedService;
use uuid::Uuid;

use super::appends::{self, Appends};
use super::harness::{Answer, Bound, Figure, Latencies, Rounds};
use super::load;
use super::stand::Stand;
use super::{BenchArgs, Engine};
use crate::house::Door;
use crate::token::Bearer;

/// How many gates decide at once.
const GATES: usize = 64;
/// How many connections to the gateway they share.
const CONNECTIONS: usize = 16;
/// How many pupils come in a round.
const COME: usize = 30_000;
/// How many decisions are made in memory.
const DECIDED: usize = 200_000;
/// How long the guards' tokens are valid.
const TERM: Duration = Duration::from_secs(24 * 3600);

/// One gate: a guard of a school, and the pupils of that school.
struct Gate {
    school: String,
    guard: GateServiceClient<Door>,
    pupils: Vec<String>,
}

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let stand = Stand::open(args).await?;
    let service = stand.house.addresses();
    let service = service
        .into_iter()
        .find(|(name, _)| *name == "safety-inspection");
    let (_, service) = service.context("safety-inspection answers")?;
    let today = stand.clock.today();
    let at_gateway = Arc::new(gates(&stand, &stand.house.gateway())?);
    known(&stand, &at_gateway).await?;
    let at_service = Arc::new(gates(&stand, &service)?);
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
            let pupil = &gate.pupils[number / gates.len() % gate.pupils.len()];
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

/// The gates of the first schools, which ask at `address`.
fn gates(stand: &Stand, address: &str) -> anyhow::Result<Vec<Gate>> {
    let channels = (0..CONNECTIONS).map(|_| kit::channel::Channel::to(address, None));
    let channels: Vec<_> = channels.collect::<Result<_, _>>()?;
    let mut gates = Vec::new();
    for school in stand.city.schools().take(GATES) {
        let (code, path) = (&school.plan.code, school.plan.org_path());
        let path = path.parse().ok().context("a school is a place")?;
        let token = stand
            .house
            .token(&format!("guard-{code}"), Role::Guard, &path, TERM);
        let channel = channels[gates.len() % CONNECTIONS].clone();
        let door = InterceptedService::new(channel, Bearer::new(&token)?);
        let pupils = school.classes.iter().flat_map(|class| &class.students);
        gates.push(Gate {
            school: format!("organizations/{code}"),
            guard: GateServiceClient::new(door),
            pupils: pupils
                .map(|pupil| format!("students/{}", pupil.id))
                .collect(),
        });
    }
    Ok(gates)
}

/// Waits until every gate knows its last pupil: the register has arrived.
async fn known(stand: &Stand, gates: &[Gate]) -> anyhow::Result<()> {
    let today = stand.clock.today();
    for gate in gates {
        let pupil = gate.pupils.last().context("a school has pupils")?;
        let mut left = 2400;
        while ask(gate, pupil, today).await?.effective_result() != Outcome::Admit {
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
async fn enter(gate: &Gate, pupil: &str, today: NaiveDate) -> anyhow::Result<Answer> {
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

async fn ask(
    gate: &Gate,
    pupil: &str,
    today: NaiveDate,
) -> Result<proto::safety::GateDecision, tonic::Status> {
    let observation = GateObservation {
        temperature_decidegrees: Some(365),
        colour: Colour::Green.into(),
        travel_card: Some(TravelCard {
            show_date: Some(to_date(today)),
            starred: false,
            ..Default::default()
        }),
        ..Default::default()
    };
    let request = CheckEntryRequest {
        parent: gate.school.clone(),
        identity: Some(Identity::Person(pupil.to_owned())),
        observation: Some(observation),
        device: "bench".to_owned(),
        ..CheckEntryRequest::default()
    };
    let decision = gate.guard.clone().check_entry(request).await?;
    Ok(decision.into_inner())
}
