//! Decisions at the gates of the city through the gateway, each stored before it is answered.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_date;
use proto::safety::check_entry_request::Identity;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_observation::Colour;
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::{CheckEntryRequest, GateObservation, TravelCard};
use tonic::Code;
use tonic::service::interceptor::InterceptedService;

use super::BenchArgs;
use super::floor::Floor;
use super::harness::{Answer, Bound, Figure, Latencies, ms};
use super::load;
use super::stand::Stand;
use crate::house::Door;
use crate::token::Bearer;

/// How many gates decide at once.
const GATES: usize = 64;
/// How many connections to the gateway they share.
const CONNECTIONS: usize = 16;
/// How many pupils come.
const COME: usize = 50_000;
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
    let gates = Arc::new(gates(&stand)?);
    known(&stand, &gates).await?;
    let scratch = args.database.scratch().await?;
    let floor = Floor::open(&scratch).await?;
    let single = floor.commits(GATES, Duration::from_secs(3)).await?;

    let today = stand.clock.today();
    let enter = move |number: usize| {
        let gates = gates.clone();
        async move {
            let gate = &gates[number % gates.len()];
            let pupil = &gate.pupils[number / gates.len() % gate.pupils.len()];
            enter(gate, pupil, today).await
        }
    };
    let decided = load::closed(GATES, (0..COME).collect(), enter).await?;
    stand.house.close().await?;
    Ok(figures(&decided, single.rate()))
}

fn figures(decided: &Latencies, commits: f64) -> Vec<Figure> {
    let within = |name, share| Figure::alone(name, "ms", ms(decided, share), (Bound::AtMost, 20.0));
    vec![
        Figure::alone(
            "decisions of 64 gates",
            "/s",
            decided.rate(),
            (Bound::AtLeast, 5000.0),
        ),
        within("64 gates, p50", 0.5),
        within("64 gates, p99", 0.99),
        Figure::alone(
            "64 gates, turned away",
            "",
            decided.overloaded() as f64,
            (Bound::AtMost, 0.0),
        ),
        Figure::ratio(
            "decisions ÷ single-row commits, 64 clients",
            "/s",
            commits,
            decided.rate(),
            (Bound::AtLeast, 0.0),
        ),
    ]
}

/// The gates of the first schools.
fn gates(stand: &Stand) -> anyhow::Result<Vec<Gate>> {
    let address = stand.house.gateway();
    let channels = (0..CONNECTIONS).map(|_| kit::channel::connect_lazy(&address));
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
async fn enter(gate: &Gate, pupil: &str, today: chrono::NaiveDate) -> anyhow::Result<Answer> {
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
    today: chrono::NaiveDate,
) -> Result<proto::safety::GateDecision, tonic::Status> {
    let observation = GateObservation {
        temperature_decidegrees: Some(365),
        colour: Colour::Green.into(),
        travel_card: Some(TravelCard {
            show_date: Some(to_date(today)),
            starred: false,
        }),
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
