//! What it costs to decide whether somebody may, beside a look into a table; to put a read on record, beside
//! a read that is not; and to verify a log of a million records from its file alone.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::NaiveDate;
use kit::audit::AuditConfig;
use kit::auth::{AuthConfig, Caller, Issuer, Permission, Role};
use kit::clock::{Clock, ManualClock};
use kit::db::DatabaseConfig;
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::ServerConfig;
use kit::telemetry::TelemetryConfig;
use kit::vault::CryptoConfig;
use proto::roster::access_approval_service_client::AccessApprovalServiceClient;
use proto::roster::destruction_service_client::DestructionServiceClient;
use proto::roster::organization::Kind;
use proto::roster::organization_service_client::OrganizationServiceClient;
use proto::roster::{
    CreateOrganizationRequest, ListAccessApprovalsRequest, ListDestructionJobsRequest, Organization,
};

use super::BenchArgs;
use super::floor::Floor;
use super::harness::{Answer, Bound, Figure, Latencies, median, ms};
use super::load;
use super::log;
use crate::city::CITY_ID;
use crate::house::{Door, door};

/// How many decisions are made at a time, and how many of them nobody asked for before.
const DECISIONS: u32 = 500_000;
const FRESH: usize = 500;
/// How many clients read at once, and how much.
const CLIENTS: usize = 16;
const READS: usize = 4_000;

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let (mut table, mut again, mut first) = (Vec::new(), Vec::new(), Vec::new());
    let fresh = role_sets(args.rounds as usize * FRESH);
    for some in fresh.chunks(FRESH) {
        table.push(looked_up()?);
        again.push(decided_again()?);
        first.push(decided_first(some)?);
    }
    let (table, again, first) = (median(table), median(again), median(first));
    let (plain, recorded) = reads(args).await?;
    let scratch = args.database.scratch().await?;
    let floor = Floor::open(&scratch).await?;
    let commits = floor.commits(CLIENTS, Duration::from_secs(3)).await?;
    let (hashed, verified) = tokio::task::spawn_blocking(log::verified_alone).await??;
    Ok(vec![
        Figure::ratio(
            "a decision asked before ÷ a look into a table",
            "ns",
            table,
            again,
            (Bound::AtMost, 25.0),
        ),
        Figure::alone(
            "a decision that nobody asked before",
            "µs",
            first / 1e3,
            (Bound::AtMost, 500.0),
        ),
        Figure::ratio(
            "reads on record ÷ reads that are not, 16 clients",
            "/s",
            plain.rate(),
            recorded.rate(),
            (Bound::AtLeast, 0.3),
        ),
        Figure::ratio(
            "reads on record ÷ single-row commits, 16 clients",
            "/s",
            commits.rate(),
            recorded.rate(),
            (Bound::AtLeast, 0.15),
        ),
        Figure::ratio(
            "a read on record ÷ one that is not, p50",
            "ms",
            ms(&plain, 0.5),
            ms(&recorded, 0.5),
            (Bound::AtMost, 5.0),
        ),
        Figure::ratio(
            "a log of 1,000,000 records verified ÷ its bytes hashed once",
            "s",
            hashed.as_secs_f64(),
            verified.as_secs_f64(),
            (Bound::AtMost, 20.0),
        ),
        Figure::alone(
            "a log of 1,000,000 records verified",
            "s",
            verified.as_secs_f64(),
            (Bound::AtMost, 10.0),
        ),
    ])
}

/// Nanoseconds of one look into a table of roles and permissions, with the place compared.
fn looked_up() -> anyhow::Result<f64> {
    let scope: OrgPath = "fz/350102".parse().ok().context("a place")?;
    let at: OrgPath = "fz/350102/2135010001".parse().ok().context("a place")?;
    let mut table = HashMap::new();
    for role in Role::ALL {
        for permission in Permission::ALL {
            table.insert((*role, *permission), true);
        }
    }
    let begun = Instant::now();
    for _ in 0..DECISIONS {
        let key = black_box((Role::DistrictOfficer, Permission::RosterRead));
        let may = table.get(&key).copied().unwrap_or_default() && scope.contains(black_box(&at));
        black_box(may);
    }
    Ok(nanoseconds(begun.elapsed(), f64::from(DECISIONS)))
}

/// Nanoseconds of one decision that was made before.
fn decided_again() -> anyhow::Result<f64> {
    let scope: OrgPath = "fz/350102".parse().ok().context("a place")?;
    let at: OrgPath = "fz/350102/2135010001".parse().ok().context("a place")?;
    let caller = Caller::new("officer", vec![Role::DistrictOfficer], scope);
    let begun = Instant::now();
    for _ in 0..DECISIONS {
        black_box(
            caller
                .require(Permission::RosterRead, black_box(&at))
                .is_ok(),
        );
    }
    Ok(nanoseconds(begun.elapsed(), f64::from(DECISIONS)))
}

/// Nanoseconds of one decision about somebody whose roles nobody had before.
fn decided_first(sets: &[Vec<Role>]) -> anyhow::Result<f64> {
    let at: OrgPath = "fz/350102/2135010001".parse().ok().context("a place")?;
    let scope: OrgPath = "fz/350102".parse().ok().context("a place")?;
    let callers = sets
        .iter()
        .map(|roles| Caller::new("officer", roles.clone(), scope.clone()));
    let callers: Vec<Caller> = callers.collect();
    let begun = Instant::now();
    for caller in &callers {
        black_box(caller.require(Permission::RosterRead, &at).is_ok());
    }
    Ok(nanoseconds(begun.elapsed(), callers.len() as f64))
}

/// So many different sets of roles, each of two roles and more.
fn role_sets(count: usize) -> Vec<Vec<Role>> {
    let sets = (0_u32..1 << Role::ALL.len()).filter(|bits| bits.count_ones() > 1);
    let of = |bits: u32| {
        let held = Role::ALL.iter().enumerate();
        held.filter(|(place, _)| bits & (1 << place) != 0)
            .map(|(_, role)| *role)
            .collect()
    };
    sets.take(count).map(of).collect()
}

fn nanoseconds(taken: Duration, count: f64) -> f64 {
    taken.as_secs_f64() * 1e9 / count
}

/// Reads that are not on record, and reads that are, of as many empty rows, from one register.
async fn reads(args: &BenchArgs) -> anyhow::Result<(Latencies, Latencies)> {
    let scratch = args.database.scratch().await?;
    let day = NaiveDate::from_ymd_opt(2022, 4, 6).context("a day")?;
    let clock = ManualClock::morning_of(day);
    let drain = Drain::new();
    let config = roster::Config {
        server: ServerConfig::loopback(),
        auth: AuthConfig::development(),
        telemetry: TelemetryConfig::default(),
        audit: AuditConfig::default(),
        database: DatabaseConfig::clone(&scratch),
        crypto: CryptoConfig::default(),
    };
    let running = roster::start(config, Arc::new(clock.clone()), drain.clone()).await?;
    let officer = officer(&format!("http://{}", running.addr), &clock)?;
    found(officer.clone()).await?;
    let (mut plain, mut recorded) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        plain.push(not_on_record(officer.clone()).await?);
        recorded.push(on_record(officer.clone()).await?);
    }
    drain.signal();
    running.finished().await?;
    Ok((Latencies::join(plain), Latencies::join(recorded)))
}

/// An officer of the city.
fn officer(address: &str, clock: &ManualClock) -> anyhow::Result<Door> {
    let scope: OrgPath = CITY_ID.parse().ok().context("a place")?;
    let caller = Caller::new("officer", vec![Role::CityOfficer], scope);
    let day = Duration::from_secs(24 * 3600);
    let token = Issuer::development().issue(caller, clock.now(), day);
    door(address, &token)
}

/// Founds the city.
async fn found(officer: Door) -> anyhow::Result<()> {
    let request = CreateOrganizationRequest {
        organization: Some(Organization {
            kind: Kind::CityBureau.into(),
            display_name: "市教育局".to_owned(),
            division_code: "350100".to_owned(),
            ..Organization::default()
        }),
        organization_id: CITY_ID.to_owned(),
        request_id: String::new(),
    };
    let mut organizations = OrganizationServiceClient::new(officer);
    organizations.create_organization(request).await?;
    Ok(())
}

async fn not_on_record(officer: Door) -> anyhow::Result<Latencies> {
    let items = vec![(); READS];
    load::closed(CLIENTS, items, move |()| {
        let mut client = DestructionServiceClient::new(officer.clone());
        async move {
            let request = ListDestructionJobsRequest::default();
            client.list_destruction_jobs(request).await?;
            Ok(Answer::Done)
        }
    })
    .await
}

async fn on_record(officer: Door) -> anyhow::Result<Latencies> {
    let items = vec![(); READS];
    load::closed(CLIENTS, items, move |()| {
        let mut client = AccessApprovalServiceClient::new(officer.clone());
        async move {
            let request = ListAccessApprovalsRequest {
                parent: format!("organizations/{CITY_ID}"),
                ..ListAccessApprovalsRequest::default()
            };
            client.list_access_approvals(request).await?;
            Ok(Answer::Done)
        }
    })
    .await
}
