//! The service as a client sees it. Roster and sampling are away all the time: a gate decides from
//! what was told before.

mod city;

use std::sync::Arc;
use std::time::Duration;

use kit::auth::{AuthConfig, Issuer, Role};
use kit::clock::{Clock, ManualClock};
use kit::db::{Database, DatabaseConfig};
use kit::drain::Drain;
use kit::scratch::Scratch;
use kit::server::{Running, ServerConfig};
use kit::telemetry::TelemetryConfig;
use proto::safety as pb;
use proto::safety::check_entry_request::Identity;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_reason::Code;
use proto::safety::gate_service_client::GateServiceClient;
use safety_inspection::{Config, GateConfig, Migrator};
use tonic::transport::Channel;
use tonic::{Code as Grpc, Request, Status};
use tonic_types::{ErrorDetail, StatusExt};
use uuid::Uuid;

use city::{SCHOOL, SCHOOL_PATH, clearance, held, released, roster, student};

struct World {
    client: GateServiceClient<Channel>,
    clock: ManualClock,
    db: Database,
    running: Option<Running>,
    _scratch: Scratch,
}

impl World {
    async fn new(scratch: Scratch) -> Self {
        let clock = ManualClock::at("2022-04-06T00:00:00Z".parse().expect("an instant"));
        let db = scratch.open::<Migrator>().await;
        roster(&db, &city::city(), 1).await;
        heard(&db, &clock).await;
        let (client, running) = serve(&scratch, &clock).await;
        Self {
            client,
            clock,
            db,
            running: Some(running),
            _scratch: scratch,
        }
    }

    fn as_role<T>(&self, role: Role, scope: &str, message: T) -> Request<T> {
        let scope = scope.parse().expect("a scope");
        let hour = Duration::from_secs(86_400 * 60);
        let start = "2022-04-05T00:00:00Z".parse().expect("an instant");
        let token = Issuer::development().token("someone-1", &[role], &scope, None, start, hour);
        let mut request = Request::new(message);
        let bearer = format!("Bearer {token}").parse().expect("a header");
        request.metadata_mut().insert("authorization", bearer);
        request
    }

    async fn check(&mut self, request: pb::CheckEntryRequest) -> Result<pb::GateDecision, Status> {
        let request = self.as_role(Role::Guard, SCHOOL_PATH, request);
        Ok(self.client.check_entry(request).await?.into_inner())
    }

    /// Waits until the gate knows, at most five seconds.
    async fn until(
        &mut self,
        request: pb::CheckEntryRequest,
        outcome: Outcome,
    ) -> pb::GateDecision {
        for _ in 0..100 {
            let decision = self.check(request.clone()).await.expect("decided");
            if decision.result() == outcome {
                return decision;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the gate never said {outcome:?}");
    }
}

/// The facts were confirmed just now.
async fn heard(db: &Database, clock: &ManualClock) {
    let store = safety_inspection::store::Store::new(db.clone());
    for feed in ["roster", "clearance"] {
        store.note_heard(feed, clock.now()).await.expect("noted");
    }
}

async fn serve(
    database: &DatabaseConfig,
    clock: &ManualClock,
) -> (GateServiceClient<Channel>, Running) {
    let config = Config {
        server: ServerConfig::loopback(),
        auth: AuthConfig::development(),
        telemetry: TelemetryConfig::default(),
        database: database.clone(),
        roster: "http://127.0.0.1:9".to_owned(),
        sampling: "http://127.0.0.1:9".to_owned(),
        gate: GateConfig {
            refresh: Duration::from_millis(20),
            ..GateConfig::default()
        },
    };
    let running = safety_inspection::start(config, Arc::new(clock.clone()), Drain::new())
        .await
        .expect("started");
    let address = format!("http://{}", running.addr);
    let channel = kit::channel::connect_lazy(&address).expect("an address");
    (GateServiceClient::new(channel), running)
}

fn well(person: &str) -> pb::CheckEntryRequest {
    pb::CheckEntryRequest {
        parent: SCHOOL.to_owned(),
        identity: Some(Identity::Person(person.to_owned())),
        observation: Some(pb::GateObservation {
            temperature_decidegrees: Some(365),
            colour: pb::gate_observation::Colour::Green.into(),
            travel_card: Some(pb::TravelCard {
                show_date: Some(proto::Date {
                    year: 2022,
                    month: 4,
                    day: 6,
                }),
                starred: false,
            }),
        }),
        device: "东门-1".to_owned(),
        ..Default::default()
    }
}

fn with_temperature(person: &str, tenths: i32) -> pb::CheckEntryRequest {
    let mut request = well(person);
    if let Some(observation) = &mut request.observation {
        observation.temperature_decidegrees = Some(tenths);
    }
    request
}

fn codes(decision: &pb::GateDecision) -> Vec<Code> {
    decision.reasons.iter().map(pb::GateReason::code).collect()
}

/// Code, reason and the Chinese sentence of an error.
fn told(status: &Status) -> (Grpc, String, String) {
    let reason = status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default();
    let zh = status
        .get_error_details_vec()
        .into_iter()
        .find_map(|detail| match detail {
            ErrorDetail::LocalizedMessage(words) if words.locale == "zh-CN" => Some(words.message),
            _ => None,
        });
    (status.code(), reason, zh.unwrap_or_default())
}

macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(super::World::new(kit::scratch::sqlite()).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let Some(scratch) = kit::scratch::postgres().await else { return };
                super::$test(super::World::new(scratch).await).await;
            })+
        }
    };
}

on_both!(
    a_pupil_enters_and_a_held_one_does_not,
    golden_t11,
    a_fever_waits_and_is_measured_again,
    strangers_and_others_do_not_enter,
    a_suspended_class_is_not_expected,
    a_repeat_returns_the_first_answer,
    a_denial_is_overridden_by_a_named_person,
    codes_and_cards_identify,
    offline_decisions_are_recorded_once,
    the_snapshot_can_be_verified,
    old_facts_are_said_to_be_old,
    decisions_survive_a_restart,
    decisions_are_listed_page_by_page,
    wrong_scopes_are_refused,
    malformed_requests_are_explained,
);

async fn a_pupil_enters_and_a_held_one_does_not(mut world: World) {
    let decision = world.check(well(&student(1))).await.expect("decided");
    assert_eq!(decision.result(), Outcome::Admit);
    assert_eq!(decision.policy_version, "fuzhou-2022-04@1");
    assert_eq!(
        (&*decision.guard, &*decision.device),
        ("someone-1", "东门-1")
    );
    assert!(decision.reasons.is_empty() && !decision.stale);

    clearance(&world.db, &[held(&student(1), 1)], 1).await;
    let denied = world.until(well(&student(1)), Outcome::Deny).await;
    assert_eq!(codes(&denied), [Code::Held]);
    assert_eq!(denied.reasons[0].rule, "2.19");
    let check = denied.clearance.clone().expect("a check");
    assert_eq!(check.verdict(), pb::gate_check::Verdict::Deny);
    let others = world.check(well(&student(2))).await.expect("decided");
    assert_eq!(others.result(), Outcome::Admit);

    clearance(&world.db, &[released(&student(1), 2)], 1).await;
    world.until(well(&student(1)), Outcome::Admit).await;
}

async fn golden_t11(mut world: World) {
    let admitted = world
        .check(with_temperature(&student(1), 372))
        .await
        .expect("decided");
    let observed = world
        .check(with_temperature(&student(1), 373))
        .await
        .expect("decided");
    assert_eq!(
        (admitted.result(), observed.result()),
        (Outcome::Admit, Outcome::Observe)
    );
    assert_eq!(codes(&observed), [Code::TemperatureHigh]);
}

async fn a_fever_waits_and_is_measured_again(mut world: World) {
    let first = world
        .check(with_temperature(&student(1), 378))
        .await
        .expect("decided");
    let again = |tenths, of: &str| pb::CheckEntryRequest {
        recheck_of: of.to_owned(),
        ..with_temperature(&student(1), tenths)
    };
    world.clock.advance(chrono::Duration::minutes(14));
    let early = world
        .check(again(365, &first.name))
        .await
        .expect_err("too early");
    let (code, reason, zh) = told(&early);
    assert_eq!(
        (code, &*reason),
        (Grpc::FailedPrecondition, "GATE_RECHECK_TOO_EARLY")
    );
    assert!(zh.contains("2022-04-06T08:15:00+08:00"), "{zh}");
    world.clock.advance(chrono::Duration::minutes(1));
    heard(&world.db, &world.clock).await;
    let second = world.check(again(374, &first.name)).await.expect("decided");
    assert_eq!(second.result(), Outcome::Deny);
    assert!(codes(&second).contains(&Code::TemperatureConfirmed));
    assert_eq!(second.recheck_of, first.name);
    let cooled = world.check(again(372, &first.name)).await.expect("decided");
    assert_eq!(cooled.result(), Outcome::Admit);
    // A denial cannot be rechecked away, nor can another's observation be used.
    let refused = world
        .check(again(365, &second.name))
        .await
        .expect_err("no observation");
    assert_eq!(told(&refused).1, "GATE_NOT_OBSERVED");
    let mut other = again(365, &first.name);
    other.identity = Some(Identity::Person(student(2)));
    let refused = world.check(other).await.expect_err("another's observation");
    assert_eq!(told(&refused).1, "GATE_NOT_OBSERVED");
}

async fn strangers_and_others_do_not_enter(mut world: World) {
    let stranger = pb::CheckEntryRequest {
        identity: None,
        ..well("")
    };
    let denied = world.check(stranger.clone()).await.expect("decided");
    assert_eq!(
        (denied.result(), codes(&denied)),
        (Outcome::Deny, vec![Code::PersonUnknown])
    );
    assert_eq!(denied.person, "");
    let unknown = world.check(well(&student(99))).await.expect("decided");
    assert_eq!(codes(&unknown), [Code::PersonUnknown]);
    let other = world.check(well(&student(11))).await.expect("decided");
    assert_eq!(codes(&other), [Code::OtherOrganization]);
    let crew = pb::CheckEntryRequest {
        emergency: pb::check_entry_request::Emergency::Medical.into(),
        observation: None,
        ..stranger
    };
    let crew = world.check(crew).await.expect("decided");
    assert_eq!(
        (crew.result(), codes(&crew)),
        (Outcome::Admit, vec![Code::Emergency])
    );
}

async fn a_suspended_class_is_not_expected(mut world: World) {
    use proto::roster::class_group_roll::TeachingMode;
    for (version, mode) in [(2, TeachingMode::Suspended), (4, TeachingMode::Online)] {
        let event = city::class_roll_taught(SCHOOL_PATH, version, &[1, 2], mode);
        roster(&world.db, &[event], 1).await;
        let denied = world.until(well(&student(1)), Outcome::Deny).await;
        assert_eq!(codes(&denied), [Code::ClassNotInPerson]);
        roster(
            &world.db,
            &[city::class_roll(SCHOOL_PATH, version + 1, &[1, 2])],
            1,
        )
        .await;
        world.until(well(&student(1)), Outcome::Admit).await;
    }
}

async fn a_repeat_returns_the_first_answer(mut world: World) {
    let request_id = Uuid::new_v4().to_string();
    let request = pb::CheckEntryRequest {
        request_id,
        ..well(&student(1))
    };
    let first = world.check(request.clone()).await.expect("decided");
    world.clock.advance(chrono::Duration::minutes(1));
    assert_eq!(world.check(request.clone()).await.expect("repeated"), first);
    let other = pb::CheckEntryRequest {
        device: "西门".to_owned(),
        ..request
    };
    let refused = world.check(other).await.expect_err("another request");
    assert_eq!(told(&refused).0, Grpc::InvalidArgument);
    assert_eq!(told(&refused).1, "REQUEST_ID_REUSED");
}

async fn a_denial_is_overridden_by_a_named_person(mut world: World) {
    clearance(&world.db, &[held(&student(1), 1)], 1).await;
    let denied = world.until(well(&student(1)), Outcome::Deny).await;
    let word = |result: Outcome| pb::OverrideDecisionRequest {
        name: denied.name.clone(),
        result: result.into(),
        reason: "单检阴性，纸质报告已核".to_owned(),
        request_id: Uuid::new_v4().to_string(),
    };
    let guard = world.as_role(Role::Guard, SCHOOL_PATH, word(Outcome::Admit));
    let refused = world
        .client
        .override_decision(guard)
        .await
        .expect_err("a guard");
    assert_eq!(told(&refused).1, "SCOPE_DENIED");
    let same = world.as_role(Role::Principal, SCHOOL_PATH, word(Outcome::Deny));
    let refused = world
        .client
        .override_decision(same)
        .await
        .expect_err("the same");
    assert_eq!(told(&refused).1, "GATE_OVERRIDE_SAME_RESULT");

    let admit = word(Outcome::Admit);
    let ask = world.as_role(Role::Principal, SCHOOL_PATH, admit.clone());
    let done = world
        .client
        .override_decision(ask)
        .await
        .expect("overridden")
        .into_inner();
    assert_eq!(
        (done.result(), done.effective_result()),
        (Outcome::Deny, Outcome::Admit)
    );
    let by = done.r#override.clone().expect("an override");
    assert_eq!(by.responsible, "someone-1");
    let ask = world.as_role(Role::Principal, SCHOOL_PATH, admit);
    let repeat = world
        .client
        .override_decision(ask)
        .await
        .expect("repeated")
        .into_inner();
    assert_eq!(repeat, done);
    let ask = world.as_role(Role::Principal, SCHOOL_PATH, word(Outcome::Observe));
    let refused = world
        .client
        .override_decision(ask)
        .await
        .expect_err("a second time");
    assert_eq!(told(&refused).1, "GATE_DECISION_OVERRIDDEN");
    let get = pb::GetGateDecisionRequest {
        name: denied.name.clone(),
    };
    let get = world.as_role(Role::Guard, SCHOOL_PATH, get);
    let read = world
        .client
        .get_gate_decision(get)
        .await
        .expect("read")
        .into_inner();
    assert_eq!(read, done);
}

async fn codes_and_cards_identify(mut world: World) {
    let ask = pb::IssuePersonCodeRequest { person: student(1) };
    let ask = world.as_role(Role::SchoolClerk, SCHOOL_PATH, ask);
    let code = world
        .client
        .issue_person_code(ask)
        .await
        .expect("issued")
        .into_inner();
    let by_code = pb::CheckEntryRequest {
        identity: Some(Identity::PersonCode(code.person_code.clone())),
        ..well("")
    };
    let decision = world.check(by_code.clone()).await.expect("decided");
    assert_eq!(
        (decision.result(), &*decision.person),
        (Outcome::Admit, &*student(1))
    );
    let resolve = pb::ResolvePersonCodeRequest {
        person_code: code.person_code,
    };
    let ask = world.as_role(Role::Guard, SCHOOL_PATH, resolve.clone());
    let who = world
        .client
        .resolve_person_code(ask)
        .await
        .expect("resolved")
        .into_inner();
    assert_eq!(who.person, student(1));
    let ask = world.as_role(Role::Guard, city::OTHER_PATH, resolve.clone());
    let refused = world
        .client
        .resolve_person_code(ask)
        .await
        .expect_err("elsewhere");
    assert_eq!(told(&refused).1, "SCOPE_DENIED");
    let nonsense = pb::ResolvePersonCodeRequest {
        person_code: "nonsense".to_owned(),
    };
    let ask = world.as_role(Role::Guard, SCHOOL_PATH, nonsense);
    let refused = world
        .client
        .resolve_person_code(ask)
        .await
        .expect_err("not ours");
    assert_eq!(refused.code(), Grpc::InvalidArgument);

    let bind = pb::BindCardRequest {
        person: student(2),
        card: "04A1B2C3".to_owned(),
        request_id: Uuid::new_v4().to_string(),
    };
    for _ in 0..2 {
        let ask = world.as_role(Role::SchoolClerk, SCHOOL_PATH, bind.clone());
        world.client.bind_card(ask).await.expect("bound");
    }
    let card = |number: &str| pb::CheckEntryRequest {
        identity: Some(Identity::Card(number.to_owned())),
        ..well("")
    };
    let decision = world.check(card("04A1B2C3")).await.expect("decided");
    assert_eq!(decision.person, student(2));
    let decision = world.check(card("FFFFFFFF")).await.expect("decided");
    assert_eq!(codes(&decision), [Code::PersonUnknown]);

    world.clock.advance(chrono::Duration::days(30));
    let decision = world.check(by_code).await.expect("decided");
    assert!(codes(&decision).contains(&Code::PersonUnknown));
    let ask = world.as_role(Role::Guard, SCHOOL_PATH, resolve);
    let refused = world
        .client
        .resolve_person_code(ask)
        .await
        .expect_err("too old");
    let (code, reason, zh) = told(&refused);
    assert_eq!(
        (code, &*reason),
        (Grpc::FailedPrecondition, "PERSON_CODE_EXPIRED")
    );
    assert!(zh.contains("2022-05-06"), "{zh}");
}

async fn offline_decisions_are_recorded_once(mut world: World) {
    use pb::offline_verdict::Outcome as Became;
    clearance(&world.db, &[held(&student(2), 1)], 1).await;
    world.until(well(&student(2)), Outcome::Deny).await;
    let now = kit::field::to_timestamp(world.clock.now());
    let entry = |person: u128| pb::OfflineDecision {
        client_id: Uuid::from_u128(person).to_string(),
        person: student(person),
        observation: well("").observation,
        result: Outcome::Admit.into(),
        decide_time: Some(now),
    };
    let long_ago = world.clock.now() - chrono::Duration::days(8);
    let old = pb::OfflineDecision {
        decide_time: Some(kit::field::to_timestamp(long_ago)),
        ..entry(5)
    };
    let hot = pb::OfflineDecision {
        observation: Some(pb::GateObservation {
            temperature_decidegrees: Some(500),
            ..Default::default()
        }),
        ..entry(4)
    };
    let batch = |decisions: Vec<pb::OfflineDecision>| pb::RecordBatchRequest {
        parent: SCHOOL.to_owned(),
        device: "后门".to_owned(),
        decisions,
    };
    let mut record = async |decisions| {
        let ask = world.as_role(Role::Guard, SCHOOL_PATH, batch(decisions));
        world
            .client
            .record_batch(ask)
            .await
            .expect("recorded")
            .into_inner()
            .verdicts
    };
    let became = |verdicts: &[pb::OfflineVerdict]| {
        verdicts
            .iter()
            .map(pb::OfflineVerdict::outcome)
            .collect::<Vec<_>>()
    };
    let first = record(vec![entry(1), entry(2), hot, old]).await;
    let all = [
        Became::Recorded,
        Became::Conflict,
        Became::Refused,
        Became::Refused,
    ];
    assert_eq!(became(&first), all);
    assert_eq!(first[1].expected_result(), Outcome::Deny);
    assert!(
        first[2].message.contains("体温读数应在 34.0 至 42.5"),
        "{}",
        first[2].message
    );
    let changed = pb::OfflineDecision {
        result: Outcome::Observe.into(),
        ..entry(1)
    };
    let again = record(vec![entry(2), changed, entry(1)]).await;
    assert_eq!(
        became(&again),
        [Became::Repeated, Became::Differs, Became::Repeated]
    );
    assert_eq!(again[0].gate_decision, first[1].gate_decision);
}

async fn the_snapshot_can_be_verified(mut world: World) {
    clearance(&world.db, &[held(&student(2), 1)], 1).await;
    world.until(well(&student(2)), Outcome::Deny).await;
    let ask = pb::GetSnapshotRequest {
        name: format!("{SCHOOL}/gateSnapshot"),
    };
    let ask = world.as_role(Role::Guard, SCHOOL_PATH, ask);
    let snapshot = world
        .client
        .get_snapshot(ask)
        .await
        .expect("taken")
        .into_inner();
    assert_eq!(snapshot.members.len(), 6);
    let [blocked] = &snapshot.blocked[..] else {
        panic!("{:?}", snapshot.blocked)
    };
    assert_eq!(blocked.person, student(2));
    // As a gate recomputes it from the contract alone.
    let seconds = |time: &Option<prost_types::Timestamp>| time.map_or(0, |time| time.seconds);
    let mut text = format!(
        "campus/gate-snapshot/v1\n{}\n{}\n373\n3,2,4\n14\n{}\n{}\n",
        snapshot.name,
        snapshot.policy_version,
        seconds(&snapshot.create_time),
        seconds(&snapshot.expire_time),
    );
    for member in &snapshot.members {
        text.push_str(&format!("+ {member}\n"));
    }
    text.push_str(&format!("- {} 41\n", blocked.person));
    let digest: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(text).into();
    assert_eq!(snapshot.digest[..], digest);
    assert_eq!(
        seconds(&snapshot.expire_time) - seconds(&snapshot.facts_time),
        1800
    );
}

async fn old_facts_are_said_to_be_old(mut world: World) {
    world.clock.advance(chrono::Duration::minutes(31));
    let decision = world.check(well(&student(1))).await.expect("decided");
    assert_eq!(decision.result(), Outcome::Admit);
    assert!(decision.stale);
    assert_eq!(codes(&decision), [Code::FactsStale]);
    assert_eq!(decision.reasons[0].rule, "3.9");
}

async fn decisions_survive_a_restart(mut world: World) {
    let decision = world.check(well(&student(1))).await.expect("decided");
    world
        .running
        .take()
        .expect("running")
        .stop()
        .await
        .expect("stopped");
    let (client, running) = serve(&world._scratch, &world.clock).await;
    (world.client, world.running) = (client, Some(running));
    let get = pb::GetGateDecisionRequest {
        name: decision.name.clone(),
    };
    let get = world.as_role(Role::Guard, SCHOOL_PATH, get);
    let read = world
        .client
        .get_gate_decision(get)
        .await
        .expect("read")
        .into_inner();
    assert_eq!(read, decision);
    assert_eq!(
        world
            .check(well(&student(1)))
            .await
            .expect("decided")
            .result(),
        Outcome::Admit
    );
}

async fn decisions_are_listed_page_by_page(mut world: World) {
    for number in [1, 2, 99, 3] {
        world.check(well(&student(number))).await.expect("decided");
        world.clock.advance(chrono::Duration::seconds(1));
    }
    let mut ask = pb::ListGateDecisionsRequest {
        parent: SCHOOL.to_owned(),
        page_size: 3,
        ..Default::default()
    };
    let list = world.as_role(Role::Principal, SCHOOL_PATH, ask.clone());
    let page = world
        .client
        .list_gate_decisions(list)
        .await
        .expect("listed")
        .into_inner();
    let people: Vec<_> = page
        .gate_decisions
        .iter()
        .map(|d| d.person.clone())
        .collect();
    assert_eq!(people, [student(3), student(99), student(2)]);
    ask.page_token = page.next_page_token;
    let list = world.as_role(Role::Principal, SCHOOL_PATH, ask.clone());
    let page = world
        .client
        .list_gate_decisions(list)
        .await
        .expect("listed")
        .into_inner();
    assert_eq!((page.gate_decisions.len(), &*page.next_page_token), (1, ""));
    ask.result = Outcome::Deny.into();
    let list = world.as_role(Role::Principal, SCHOOL_PATH, ask.clone());
    let refused = world
        .client
        .list_gate_decisions(list)
        .await
        .expect_err("another list");
    assert_eq!(told(&refused).1, "INVALID_PAGE_TOKEN");
    ask.page_token.clear();
    let list = world.as_role(Role::Principal, SCHOOL_PATH, ask);
    let page = world
        .client
        .list_gate_decisions(list)
        .await
        .expect("listed")
        .into_inner();
    assert_eq!(page.gate_decisions.len(), 1);
}

async fn wrong_scopes_are_refused(mut world: World) {
    let denied = |status: Status| {
        let (code, reason, zh) = told(&status);
        assert_eq!((code, &*reason), (Grpc::PermissionDenied, "SCOPE_DENIED"));
        assert_eq!(zh, "您无权在此范围内进行该操作");
    };
    let elsewhere = world.as_role(Role::Guard, city::OTHER_PATH, well(&student(1)));
    denied(
        world
            .client
            .check_entry(elsewhere)
            .await
            .expect_err("another school's guard"),
    );
    let laboratory = world.as_role(Role::Laboratory, "", well(&student(1)));
    denied(
        world
            .client
            .check_entry(laboratory)
            .await
            .expect_err("a laboratory"),
    );
    // What does not exist looks the same from below, and malformed input is not looked at.
    let nowhere = pb::CheckEntryRequest {
        parent: "organizations/nowhere".to_owned(),
        device: String::new(),
        ..well(&student(1))
    };
    let ask = world.as_role(Role::Guard, SCHOOL_PATH, nowhere);
    denied(world.client.check_entry(ask).await.expect_err("nowhere"));
    let list = pb::ListGateDecisionsRequest {
        parent: "organizations/nowhere".to_owned(),
        ..Default::default()
    };
    let ask = world.as_role(Role::CityOfficer, "fz", list);
    let (code, reason, zh) = told(
        &world
            .client
            .list_gate_decisions(ask)
            .await
            .expect_err("nowhere"),
    );
    assert_eq!((code, &*reason), (Grpc::NotFound, "NOT_FOUND"));
    assert_eq!(zh, "未找到 organizations/nowhere");
    let get = pb::GetGateDecisionRequest {
        name: format!("{SCHOOL}/gateDecisions/{}", Uuid::from_u128(5)),
    };
    let ask = world.as_role(Role::Guard, SCHOOL_PATH, get.clone());
    let missing = world
        .client
        .get_gate_decision(ask)
        .await
        .expect_err("no such decision");
    assert_eq!(told(&missing).1, "NOT_FOUND");
    let anonymous = world.client.get_gate_decision(Request::new(get)).await;
    assert_eq!(told(&anonymous.expect_err("nobody")).1, "TOKEN_INVALID");
}

async fn malformed_requests_are_explained(mut world: World) {
    let mut request = with_temperature("students/1", 500);
    request.device = "门".repeat(65);
    request.request_id = "1".to_owned();
    let status = world.check(request).await.expect_err("malformed");
    let (code, reason, zh) = told(&status);
    assert_eq!((code, &*reason), (Grpc::InvalidArgument, "INVALID_FIELD"));
    assert_eq!(zh, "填写的内容有误，请按提示修改");
    let details = status.get_error_details();
    let fields: Vec<_> = details
        .bad_request()
        .expect("fields")
        .field_violations
        .iter()
        .map(|violation| &*violation.field)
        .collect();
    let expected = [
        "person",
        "device",
        "observation.temperature_decidegrees",
        "request_id",
    ];
    assert_eq!(fields, expected);
    for parent in ["", "schools/1", "organizations/", "organizations/福州"] {
        let request = pb::CheckEntryRequest {
            parent: parent.to_owned(),
            ..well(&student(1))
        };
        let status = world.check(request).await.expect_err("malformed");
        assert_eq!(told(&status).0, Grpc::InvalidArgument, "{parent}");
    }
    let many = pb::RecordBatchRequest {
        parent: SCHOOL.to_owned(),
        device: "门".to_owned(),
        decisions: vec![pb::OfflineDecision::default(); 1001],
    };
    let ask = world.as_role(Role::Guard, SCHOOL_PATH, many);
    let status = world.client.record_batch(ask).await.expect_err("too many");
    assert_eq!(told(&status).0, Grpc::InvalidArgument);
}
