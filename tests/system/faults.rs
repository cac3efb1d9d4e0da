//! Services are killed with SIGKILL while they write. Clients keep what was acknowledged, send what
//! was not again until it is, and send some of it again after that. At the end nothing that was
//! acknowledged is lost, every repeat got the first answer, and no command had two effects.
//!
//! `CAMPUS_CUTS` says how many cuts are made on each database; 30 when it is not set.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use kit::auth::Role;
use proto::notification::directive::Urgency;
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::{Directive, DraftDirectiveRequest, ListDirectivesRequest};
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::{GateDecision, ListGateDecisionsRequest};
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::{
    Draw, ListAssignmentsRequest, ListDrawsRequest, ListPlansRequest, ReplaceAssignmentRequest,
    Replacement, SamplingPlan, VerifyDrawRequest,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tests::city::{City, Store};
use tests::process::SERVICES;
use tests::register::{CITY, DISTRICT, school, school_path, student};
use tests::within;
use tokio::sync::watch;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::verbs::{check_entry, create_plan, draw_city};

const SCHOOLS: u32 = 4;
/// How many clients write to each gate.
const GUARDS: u32 = 3;
/// How many clients write directives.
const WRITERS: u32 = 3;

/// What all clients share.
#[derive(Clone)]
struct Campaign {
    over: Arc<AtomicBool>,
    /// Acknowledged writes by service.
    acknowledged: Arc<BTreeMap<&'static str, watch::Sender<u32>>>,
    /// Calls that were answered with an error and sent again.
    again: Arc<AtomicU32>,
}

impl Campaign {
    fn new() -> Self {
        let counters = SERVICES.map(|service| (service, watch::Sender::new(0)));
        Self {
            over: Arc::default(),
            acknowledged: Arc::new(counters.into()),
            again: Arc::default(),
        }
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Sends a command until it is acknowledged.
    async fn insist<R, F, Fut>(&self, service: &str, what: &str, mut send: F) -> R
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<R, Status>>,
    {
        let trying = async {
            loop {
                match send().await {
                    Ok(answer) => {
                        for counted in [service, "gateway"] {
                            self.acknowledged[counted].send_modify(|count| *count += 1);
                        }
                        return answer;
                    }
                    Err(status) if may_be_sent_again(&status) => {
                        self.again.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    Err(status) => panic!("{what}: {status:?}"),
                }
            }
        };
        within(what, trying).await
    }

    /// Sends a command until it is acknowledged, and sometimes once more: the answer is the same.
    async fn insist_twice<R, F, Fut>(&self, service: &str, number: u32, mut send: F) -> R
    where
        R: PartialEq + std::fmt::Debug,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<R, Status>>,
    {
        let first = self.insist(service, "a command", &mut send).await;
        if number.is_multiple_of(3) {
            let second = self.insist(service, "a repeat", &mut send).await;
            assert_eq!(first, second, "a repeat gets the first answer");
        }
        first
    }
}

/// A connection that broke says one of these; everything else is an answer of the service.
fn may_be_sent_again(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable
            | Code::Unknown
            | Code::Internal
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::ResourceExhausted
    )
}

fn request_id() -> String {
    Uuid::new_v4().to_string()
}

/// What one client had acknowledged.
#[derive(Debug, Default)]
struct Record {
    plans: Vec<SamplingPlan>,
    draws: Vec<Draw>,
    replacements: Vec<Replacement>,
    decisions: Vec<GateDecision>,
    directives: Vec<Directive>,
}

/// Makes plans, draws them, and replaces somebody in each draw of the first school.
async fn planner(campaign: Campaign, city: Arc<City>) -> Record {
    let door = city.door(Role::CityOfficer, CITY);
    let mut record = Record::default();
    for number in 0.. {
        if campaign.is_over() {
            break;
        }
        let id = format!("plan-{number}");
        let request = create_plan(&id, &request_id());
        let plan = campaign.insist_twice("sampling", number, || {
            let (mut plans, request) = (PlanServiceClient::new(door.clone()), request.clone());
            async move { Ok(plans.create_plan(request).await?.into_inner()) }
        });
        record.plans.push(plan.await);
        let draw = || draw_city(door.clone(), &id);
        campaign.insist("sampling", "a draw", draw).await;
        let draws = campaign
            .insist("sampling", "the draws", || draws(&city, &id))
            .await;
        assert_eq!(
            draws.len(),
            SCHOOLS as usize,
            "a finished draw has every school"
        );
        let name = draws[0].name.clone();
        record.draws.extend(draws);

        let absent = campaign
            .insist("sampling", "assignments", || assigned(&city, &name))
            .await;
        let request = ReplaceAssignmentRequest {
            draw: name.clone(),
            absent,
            request_id: request_id(),
        };
        let replaced = campaign.insist_twice("sampling", number, || {
            let (mut draws, request) = (DrawServiceClient::new(door.clone()), request.clone());
            async move { Ok(draws.replace_assignment(request).await?.into_inner()) }
        });
        record.replacements.push(replaced.await);
    }
    record
}

/// Lets people in at the gate of a school.
async fn guard(campaign: Campaign, city: Arc<City>, at: u32, place: u32) -> Record {
    let door = city.door(Role::Guard, &school_path(at));
    let mut record = Record::default();
    for number in 0.. {
        if campaign.is_over() {
            break;
        }
        let request = check_entry(at, &student(at, 1, place), &request_id());
        let decision = campaign.insist_twice("safety-inspection", number, || {
            let (mut gate, request) = (GateServiceClient::new(door.clone()), request.clone());
            async move { Ok(gate.check_entry(request).await?.into_inner()) }
        });
        record.decisions.push(decision.await);
    }
    record
}

/// Drafts directives.
async fn writer(campaign: Campaign, city: Arc<City>) -> Record {
    let door = city.door(Role::DistrictOfficer, &format!("{CITY}/{DISTRICT}"));
    let mut record = Record::default();
    for number in 0.. {
        if campaign.is_over() {
            break;
        }
        let request = DraftDirectiveRequest {
            parent: format!("organizations/{DISTRICT}"),
            urgency: Urgency::Urgent.into(),
            title: format!("通知 {number}"),
            text: "请各校落实晨午晚检。".to_owned(),
            audience: vec![format!("organizations/{}", school(1))],
            request_id: request_id(),
        };
        let directive = campaign.insist_twice("notification", number, || {
            let (mut client, request) =
                (DirectiveServiceClient::new(door.clone()), request.clone());
            async move { Ok(client.draft_directive(request).await?.into_inner()) }
        });
        record.directives.push(directive.await);
    }
    record
}

/// Kills a service by chance each time it has acknowledged some writes more, with others under way.
async fn cut(campaign: &Campaign, city: &City, cuts: u32, seed: u64) {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    for number in 0..cuts {
        let service = SERVICES[chance.random_range(0..SERVICES.len())];
        let mut acknowledged = campaign.acknowledged[service].subscribe();
        let until = *acknowledged.borrow() + chance.random_range(1..12);
        let wait = acknowledged.wait_for(|count| *count >= until);
        let waited = within(&format!("cut {number}: writes to {service} go on"), wait).await;
        drop(waited.expect("the counters stay"));
        // The next call is cut at another point of its way each time.
        let pause = Duration::from_micros(chance.random_range(0..4_000));
        tokio::time::sleep(pause).await;
        city.kill(service).await;
        city.start_again(service).await;
    }
}

async fn campaign(store: Store) {
    let Some(city) = City::open(store, SCHOOLS).await else {
        return;
    };
    let (city, campaign, begun) = (Arc::new(city), Campaign::new(), Instant::now());
    let mut clients = tokio::task::JoinSet::new();
    clients.spawn(planner(campaign.clone(), city.clone()));
    for place in 1..=GUARDS {
        for at in 1..=SCHOOLS {
            clients.spawn(guard(campaign.clone(), city.clone(), at, place));
        }
    }
    for _ in 0..WRITERS {
        clients.spawn(writer(campaign.clone(), city.clone()));
    }
    let cuts = cuts();
    tokio::select! {
        () = cut(&campaign, &city, cuts, 7) => {}
        Some(ended) = clients.join_next() => panic!("a client ended early: {ended:?}"),
    }
    campaign.over.store(true, Ordering::Relaxed);
    let mut all = Record::default();
    while let Some(record) = within("the clients end", clients.join_next()).await {
        let record = record.expect("a client ends well");
        all.plans.extend(record.plans);
        all.draws.extend(record.draws);
        all.replacements.extend(record.replacements);
        all.decisions.extend(record.decisions);
        all.directives.extend(record.directives);
    }
    report(store, cuts, &all, &campaign, begun);
    judge(&campaign, &city, all).await;
}

#[expect(clippy::print_stderr, reason = "a campaign says what it did")]
fn report(store: Store, cuts: u32, all: &Record, campaign: &Campaign, begun: Instant) {
    eprintln!(
        "{store:?}: {cuts} cuts in {:.1} s; acknowledged {} plans, {} draws, {} replacements, {} gate \
         decisions, {} directives; {} calls sent again",
        begun.elapsed().as_secs_f64(),
        all.plans.len(),
        all.draws.len(),
        all.replacements.len(),
        all.decisions.len(),
        all.directives.len(),
        campaign.again.load(Ordering::Relaxed),
    );
}

/// Nothing acknowledged is missing or different, and there is nothing that no client has.
async fn judge(campaign: &Campaign, city: &City, all: Record) {
    let plans = campaign.insist("sampling", "plans", || plans(city)).await;
    same("plans", plans, all.plans, |plan| plan.name.clone());

    let mut kept = Vec::new();
    for number in 0..all.replacements.len() {
        let plan = format!("plan-{number}");
        kept.extend(
            campaign
                .insist("sampling", "draws", || draws(city, &plan))
                .await,
        );
    }
    let replaced: i32 = kept.iter().map(|draw| draw.replacement_count).sum();
    assert_eq!(
        replaced as usize,
        all.replacements.len(),
        "each replacement has one effect"
    );
    let frozen = |draw: Draw| Draw {
        replacement_count: 0,
        ..draw
    };
    let kept: Vec<Draw> = kept.into_iter().map(frozen).collect();
    let told = all.draws.into_iter().map(frozen).collect();
    for draw in &kept {
        let door = city.door(Role::CityOfficer, CITY);
        let request = VerifyDrawRequest {
            name: draw.name.clone(),
        };
        let verdict = campaign.insist("sampling", "verify", || {
            let (mut draws, request) = (DrawServiceClient::new(door.clone()), request.clone());
            async move { Ok(draws.verify_draw(request).await?.into_inner()) }
        });
        let verdict = verdict.await;
        assert!(verdict.valid, "{}: {}", draw.name, verdict.finding);
    }
    same("draws", kept, told, |draw| draw.name.clone());

    let mut decisions = Vec::new();
    for at in 1..=SCHOOLS {
        decisions.extend(
            campaign
                .insist("safety-inspection", "list", || decided(city, at))
                .await,
        );
    }
    same("gate decisions", decisions, all.decisions, |decision| {
        decision.name.clone()
    });

    let directives = campaign
        .insist("notification", "list", || drafted(city))
        .await;
    same("directives", directives, all.directives, |directive| {
        directive.name.clone()
    });
}

/// Both sides hold the same things, each once.
fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    kept: Vec<T>,
    told: Vec<T>,
    name: impl Fn(&T) -> String,
) {
    let (kept_count, told_count) = (kept.len(), told.len());
    let kept: BTreeMap<String, T> = kept.into_iter().map(|one| (name(&one), one)).collect();
    let told: BTreeMap<String, T> = told.into_iter().map(|one| (name(&one), one)).collect();
    assert_eq!(
        (kept.len(), told.len()),
        (kept_count, told_count),
        "{what}: each once"
    );
    let lost: Vec<&String> = told
        .keys()
        .filter(|name| !kept.contains_key(*name))
        .collect();
    assert_eq!(lost, Vec::<&String>::new(), "{what}: acknowledged and lost");
    let twice: Vec<&String> = kept
        .keys()
        .filter(|name| !told.contains_key(*name))
        .collect();
    assert_eq!(
        twice,
        Vec::<&String>::new(),
        "{what}: kept, but in no client's record"
    );
    for (name, told) in &told {
        assert_eq!(
            &kept[name], told,
            "{what}: kept otherwise than it was acknowledged"
        );
    }
}

async fn plans(city: &City) -> Result<Vec<SamplingPlan>, Status> {
    let mut client = PlanServiceClient::new(city.door(Role::CityOfficer, CITY));
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListPlansRequest {
            page_size: 7,
            page_token,
        };
        let page = client.list_plans(request).await?.into_inner();
        all.extend(page.plans);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(all);
        }
    }
}

async fn draws(city: &City, plan: &str) -> Result<Vec<Draw>, Status> {
    let mut client = DrawServiceClient::new(city.door(Role::CityOfficer, CITY));
    let request = ListDrawsRequest {
        organization: format!("organizations/{CITY}"),
        plan: format!("plans/{plan}"),
        page_size: 1000,
        ..ListDrawsRequest::default()
    };
    Ok(client.list_draws(request).await?.into_inner().draws)
}

async fn assigned(city: &City, draw: &str) -> Result<String, Status> {
    let mut client = DrawServiceClient::new(city.door(Role::CityOfficer, CITY));
    let request = ListAssignmentsRequest {
        draw: draw.to_owned(),
        ..Default::default()
    };
    let assignments = client
        .list_assignments(request)
        .await?
        .into_inner()
        .assignments;
    Ok(assignments
        .into_iter()
        .next()
        .expect("a draw calls somebody")
        .person)
}

async fn decided(city: &City, at: u32) -> Result<Vec<GateDecision>, Status> {
    let mut client = GateServiceClient::new(city.door(Role::Guard, &school_path(at)));
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListGateDecisionsRequest {
            parent: format!("organizations/{}", school(at)),
            page_size: 100,
            page_token,
            ..Default::default()
        };
        let page = client.list_gate_decisions(request).await?.into_inner();
        all.extend(page.gate_decisions);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(all);
        }
    }
}

async fn drafted(city: &City) -> Result<Vec<Directive>, Status> {
    let place = format!("{CITY}/{DISTRICT}");
    let mut client = DirectiveServiceClient::new(city.door(Role::DistrictOfficer, &place));
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListDirectivesRequest {
            parent: format!("organizations/{DISTRICT}"),
            page_size: 100,
            page_token,
            ..Default::default()
        };
        let page = client.list_directives(request).await?.into_inner();
        all.extend(page.directives);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(all);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a campaign runs is up to who starts it"
)]
fn cuts() -> u32 {
    let cuts = std::env::var("CAMPUS_CUTS").ok();
    cuts.map_or(30, |cuts| cuts.parse().expect("CAMPUS_CUTS is a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_is_lost_or_done_twice_when_processes_are_killed_sqlite() {
    campaign(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_is_lost_or_done_twice_when_processes_are_killed_postgres() {
    campaign(Store::Postgres).await;
}

/// The judge itself is judged: it must see what a broken service would do.
fn judged(kept: &[(&str, u8)], told: &[(&str, u8)]) -> bool {
    let (kept, told) = (kept.to_vec(), told.to_vec());
    std::panic::catch_unwind(|| same("planted", kept, told, |one| one.0.to_owned())).is_ok()
}

#[test]
fn the_judge_sees_what_is_lost_doubled_or_changed() {
    let good = [("a", 1), ("b", 2)];
    assert!(judged(&good, &good));
    assert!(!judged(&[("a", 1)], &good), "lost");
    assert!(
        !judged(&[("a", 1), ("b", 2), ("c", 2)], &good),
        "done twice under another name"
    );
    assert!(
        !judged(&[("a", 1), ("b", 2), ("b", 2)], &good),
        "done twice under one name"
    );
    assert!(!judged(&[("a", 1), ("b", 3)], &good), "changed");
}
