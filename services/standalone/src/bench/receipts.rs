//! Receipts of a message to every family through the gateway: one a call, and a hundred a call. Receipts of
//! directives are measured beside them.

use std::time::Duration;

use kit::auth::Role;
use kit::org::OrgPath;
use proto::notification::delivery::State;
use proto::notification::delivery_service_client::DeliveryServiceClient;
use proto::notification::{DeliveryReceipt, RecordReceiptsRequest};
use tonic::Code;
use uuid::Uuid;

use super::BenchArgs;
use super::floor::Floor;
use super::harness::{Answer, Bound, Figure, Latencies, ms};
use super::ledger::to_families;
use super::load;
use super::signing;
use super::stand::Stand;

/// How many clients tell at once, and over how many connections.
const CLIENTS: usize = 64;
const CONNECTIONS: usize = 16;
/// How many receipts are told one by one, and how many in larger calls.
const SINGLE: usize = 20_000;
const MANY: usize = 80_000;
/// How many receipts a larger call carries.
const CARRIED: usize = 100;

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let stand = Stand::open(args).await?;
    let floor = Floor::open(&stand.notification).await?;
    let fanout = to_families(&stand).await?;
    let scratch = args.database.scratch().await?;
    let commits = Floor::open(&scratch).await?;
    let commits = commits.commits(CLIENTS, Duration::from_secs(3)).await?;
    let families = families(&floor).await?;
    // A provider tells of no inbox: what lies there stands for what it took.
    floor
        .run("UPDATE deliveries SET channel = 'sms' WHERE channel = 'inbox'")
        .await?;
    let (single, many) = families.split_at(SINGLE.min(families.len() / 2));
    let single = told(&stand, &fanout.name, single.chunks(1)).await?;
    let many = told(&stand, &fanout.name, many.chunks(CARRIED)).await?;
    let mut figures = vec![
        Figure::alone(
            "receipts of a message, one a call",
            "/s",
            single.rate(),
            (Bound::AtLeast, 2000.0),
        ),
        Figure::alone(
            "one a call, p50",
            "ms",
            ms(&single, 0.5),
            (Bound::AtMost, 100.0),
        ),
        Figure::alone(
            "one a call, p99",
            "ms",
            ms(&single, 0.99),
            (Bound::AtMost, 1000.0),
        ),
        Figure::alone(
            "receipts of a message, a hundred a call",
            "/s",
            many.rate() * CARRIED as f64,
            (Bound::AtLeast, 2000.0),
        ),
        Figure::ratio(
            "receipts of a message ÷ single-row commits, 64 clients",
            "/s",
            commits.rate(),
            single.rate(),
            (Bound::AtLeast, 0.3),
        ),
    ];
    figures.extend(signing::figures(&stand).await?);
    stand.house.close().await?;
    Ok(figures)
}

/// Families that have a row, in the order of nothing in particular.
async fn families(floor: &Floor) -> anyhow::Result<Vec<Uuid>> {
    let sql = format!(
        "SELECT person FROM people WHERE kind = 1 ORDER BY place LIMIT {}",
        SINGLE + MANY
    );
    let sql = sqlx::AssertSqlSafe(sql);
    Ok(match floor {
        Floor::Sqlite(pool) => sqlx::query_scalar(sql).fetch_all(pool).await?,
        Floor::Postgres(pool) => sqlx::query_scalar(sql).fetch_all(pool).await?,
    })
}

/// A provider tells that a message was read.
async fn told(
    stand: &Stand,
    message: &str,
    calls: impl Iterator<Item = &[Uuid]>,
) -> anyhow::Result<Latencies> {
    let receipt = |family: &Uuid| DeliveryReceipt {
        delivery: format!(
            "{message}/deliveries/sms~students~{}~guardians~-",
            family.hyphenated()
        ),
        state: State::Read.into(),
        time: None,
        failure: 0,
    };
    let calls = calls.map(|families| RecordReceiptsRequest {
        receipts: families.iter().map(receipt).collect(),
    });
    let doors = (0..CONNECTIONS).map(|_| stand.house.caller(Role::PartnerSystem, &OrgPath::root()));
    let doors = doors.collect::<anyhow::Result<Vec<_>>>()?;
    let calls: Vec<_> = calls.enumerate().collect();
    load::closed(
        CLIENTS,
        calls,
        move |(number, request): (usize, RecordReceiptsRequest)| {
            let mut client = DeliveryServiceClient::new(doors[number % CONNECTIONS].clone());
            async move {
                match client.record_receipts(request).await {
                    Ok(_) => Ok(Answer::Done),
                    Err(status) if status.code() == Code::ResourceExhausted => {
                        Ok(Answer::Overloaded)
                    }
                    Err(status) => Err(status.into()),
                }
            }
        },
    )
    .await
}
