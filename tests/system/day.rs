//! A school day across five processes, as those who work in it see it through the gateway: a town
//! is imported, today's sample drawn, tubes are filled, one is positive, its people are held at
//! the gate and go free, and the day is published.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kit::auth::Role;
use proto::notification::alert;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_reason::Code as Why;
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::hold_service_client::HoldServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::{
    CloseDayRequest, Draw, GetCoverageRequest, GetHoldRequest, GetVerificationKeyRequest, Hold,
    ListDrawsRequest, ListHoldsRequest, ListRecheckOrdersRequest, PoolType,
    ReplaceAssignmentRequest, ResultValue, VerifyDrawRequest, assignment, draw, hold, tube,
};
use sampling::domain::commitment::PublicKey;
use tests::city::{City, Store};
use tests::town::{CITY, Town, school, school_path};
use tests::until;

use crate::audit::{
    a_broken_glass_is_seen, a_call_that_the_gateway_refuses_is_on_record, the_day_is_on_record,
    the_year_is_audited,
};
use crate::tubes::{Use, Way};
use crate::verbs::{
    acknowledge, alert_about, assignments, create_plan, draw_city, enter, export, request_id, told,
};

const SCHOOLS: u32 = 3;
/// The school at which a tube turns out positive.
const HERE: u32 = 1;
/// How soon what a result means has reached every gate.
const SOON: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_day_from_the_roster_to_the_publication_sqlite() {
    a_day(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_from_the_roster_to_the_publication_postgres() {
    a_day(Store::Postgres).await;
}

async fn a_day(store: Store) {
    let Some(city) = City::open(store, Town::of(SCHOOLS)).await else {
        return;
    };
    let draws = plan_and_draw(&city).await;
    someone_is_absent(&city, &draws[0]).await;

    let tubes = fill(&city, &draws).await;
    let positive = tubes.iter().find(|tube| tube.at == HERE);
    let positive = positive.expect("the school has a tube");
    let member = positive.people[0].as_str();
    assert_eq!(
        enter(&city, HERE, member).await.effective_result(),
        Outcome::Admit,
        "nobody is held before a result"
    );

    report(&city, &tubes, positive).await;
    let held = everybody_of_the_tube_is_held(&city, positive).await;
    the_gate_denies(&city, member).await;
    the_alert_stands(&city, &held).await;

    singles_are_negative(&city, &held).await;
    the_gate_admits(&city, member).await;
    the_alert_is_over(&city, &held).await;

    coverage_counts(&city, &tubes).await;
    close_and_publish(&city, &draws).await;
    a_broken_glass_is_seen(&city, &held.name).await;
    a_call_that_the_gateway_refuses_is_on_record(&city).await;
    the_day_is_on_record(&city, &held.name).await;
    the_year_is_audited(&city).await;
}

/// A tube with those who are in it.
#[derive(Debug)]
struct Filled {
    at: u32,
    code: String,
    people: Vec<String>,
}

async fn plan_and_draw(city: &City) -> Vec<Draw> {
    let officer = city.door(Role::CityOfficer, CITY);
    let mut plans = PlanServiceClient::new(officer.clone());
    let planned = plans.create_plan(create_plan("daily", "")).await;
    planned.expect("a plan is made");
    let drawn = draw_city(officer.clone(), "daily").await;
    let drawn = drawn.expect("the city is drawn");
    let Town {
        classes, students, ..
    } = city.town;
    let picks = SCHOOLS * classes * students.div_ceil(5);
    assert_eq!(
        (drawn.drawn_school_count, drawn.pick_count),
        (SCHOOLS as i32, picks as i32),
        "a fifth of each class group"
    );

    // The school sees its own draw, whose seed is secret, and nobody else's.
    let reporter = city.door(Role::EpidemicReporter, &school_path(HERE));
    let mine = list_draws(reporter.clone(), &school(HERE)).await;
    let mine = mine.expect("its own draw");
    assert_eq!(mine.len(), 1);
    assert_eq!(
        (mine[0].state(), mine[0].seed.is_empty()),
        (draw::State::Frozen, true)
    );
    let other = list_draws(reporter, &school(HERE + 1)).await;
    assert_eq!(told(&other.expect_err("not its own")).1, "SCOPE_DENIED");

    let all = list_draws(officer, CITY).await.expect("every draw");
    assert_eq!(all.len(), SCHOOLS as usize);
    all
}

async fn list_draws(
    door: tests::city::Door,
    organization: &str,
) -> Result<Vec<Draw>, tonic::Status> {
    let request = ListDrawsRequest {
        organization: format!("organizations/{organization}"),
        ..ListDrawsRequest::default()
    };
    let listed = DrawServiceClient::new(door).list_draws(request).await?;
    Ok(listed.into_inner().draws)
}

async fn someone_is_absent(city: &City, draw: &Draw) {
    let reporter = city.door(Role::EpidemicReporter, &school_path(HERE));
    let called = assignments(reporter.clone(), &draw.name).await;
    let absent = called.expect("assignments")[0].person.clone();
    let request = ReplaceAssignmentRequest {
        draw: draw.name.clone(),
        absent: absent.clone(),
        request_id: request_id(),
    };
    let mut client = DrawServiceClient::new(reporter);
    let replaced = client.replace_assignment(request.clone()).await;
    let replaced = replaced.expect("is replaced").into_inner();
    assert!(
        replaced.absent == absent && !replaced.replacement.is_empty(),
        "the next in the queue: {replaced:?}"
    );
    let again = client.replace_assignment(request).await;
    assert_eq!(replaced, again.expect("is answered again").into_inner());
}

/// Opens, fills, seals and carries a tube for each that the draws plan.
async fn fill(city: &City, draws: &[Draw]) -> Vec<Filled> {
    let officer = city.door(Role::CityOfficer, CITY);
    let mut tubes = Vec::new();
    for (draw, at) in draws.iter().zip(1..) {
        let way = Way::new(city, at);
        let called = assignments(officer.clone(), &draw.name).await;
        let mut planned: BTreeMap<(String, i32), Vec<String>> = BTreeMap::new();
        for one in called.expect("assignments") {
            if one.state() == assignment::State::Assigned {
                let tube = (one.class_group, one.tube_number);
                planned.entry(tube).or_default().push(one.person);
            }
        }
        for ((class_group, number), people) in planned {
            let code = format!(
                "T{at:02}-{}-{number}",
                &class_group[class_group.len() - 2..]
            );
            let issued = way.issue(std::slice::from_ref(&code), PoolType::P10).await;
            assert_eq!(issued.expect("tubes are issued"), 1);
            let to = Use::ClassGroup(&class_group, &draw.name);
            let tube = way.bring(&code, to, &people).await;
            let tube = tube.expect("it reaches the laboratory");
            assert_eq!(
                (tube.state(), tube.swab_count as usize),
                (tube::State::Testing, people.len())
            );
            assert_eq!(tube.class_group, "", "a laboratory sees no class group");
            tubes.push(Filled { at, code, people });
        }
    }
    tubes
}

async fn report(city: &City, tubes: &[Filled], positive: &Filled) {
    let results: Vec<(String, ResultValue)> = tubes
        .iter()
        .map(|tube| {
            let value = if tube.code == positive.code {
                ResultValue::Positive
            } else {
                ResultValue::Negative
            };
            (tube.code.clone(), value)
        })
        .collect();
    let way = Way::new(city, HERE);
    for repeated in [false, true] {
        let verdicts = way.submit(&results).await.expect("the results are taken");
        assert!(
            verdicts
                .iter()
                .all(|one| one.accepted && one.repeated_result == repeated),
            "{verdicts:?}"
        );
    }
}

async fn everybody_of_the_tube_is_held(city: &City, positive: &Filled) -> Hold {
    let mut holds = HoldServiceClient::new(city.door(Role::CityOfficer, CITY));
    let request = ListHoldsRequest {
        organization: format!("organizations/{CITY}"),
        active: true,
        ..ListHoldsRequest::default()
    };
    let listed = holds.list_holds(request).await.expect("holds");
    let [hold] = listed.into_inner().holds.try_into().expect("one hold");
    let hold: Hold = hold;
    let (mut held, mut swabbed) = (hold.members.clone(), positive.people.clone());
    held.sort_unstable();
    swabbed.sort_unstable();
    assert_eq!(hold.tube, format!("tubes/{}", positive.code));
    assert_eq!(held, swabbed, "everybody of the tube and nobody else");
    hold
}

async fn the_gate_denies(city: &City, member: &str) {
    let begun = Instant::now();
    let denied = until("the gate denies", || async {
        let decision = enter(city, HERE, member).await;
        (decision.effective_result() == Outcome::Deny).then_some(decision)
    })
    .await;
    assert!(begun.elapsed() < SOON, "after {:?}", begun.elapsed());
    let [why] = &denied.reasons[..] else {
        panic!("one reason: {denied:?}");
    };
    assert_eq!(why.code(), Why::Held);
    assert!(!why.message.is_ascii() && !why.rule.is_empty(), "{why:?}");
    let elsewhere = enter(city, HERE, city.student(HERE, 2, 1)).await;
    assert_eq!(
        elsewhere.effective_result(),
        Outcome::Admit,
        "the other class group is free: {elsewhere:?}"
    );
}

async fn the_alert_stands(city: &City, hold: &Hold) {
    let alert = until("the alert arrives", || alert_about(city, HERE, &hold.name)).await;
    assert_eq!(alert.state(), alert::State::Open);
    assert_eq!(alert.people_count as usize, hold.members.len());
    assert_eq!(
        alert.owner,
        city.staff(HERE, "疫情报告人"),
        "the epidemic reporter answers"
    );
    let seen = acknowledge(city, HERE, alert.name).await;
    assert_eq!(seen.state(), alert::State::Acknowledged);
}

/// Everybody who is held is swabbed alone; the last negative frees them all.
async fn singles_are_negative(city: &City, held: &Hold) {
    let mut holds = HoldServiceClient::new(city.door(Role::CityOfficer, CITY));
    let request = ListRecheckOrdersRequest {
        hold: held.name.clone(),
        page_size: 100,
        ..ListRecheckOrdersRequest::default()
    };
    let orders = holds.list_recheck_orders(request).await.expect("orders");
    let orders = orders.into_inner().recheck_orders;
    assert_eq!(orders.len(), held.members.len(), "a single for everybody");
    let way = Way::new(city, HERE);
    let codes: Vec<String> = (0..orders.len()).map(|n| format!("S-{n:03}")).collect();
    let issued = way.issue(&codes, PoolType::Single).await;
    assert_eq!(issued.expect("singles are issued") as usize, codes.len());
    for (code, order) in codes.iter().zip(&orders) {
        let people = std::slice::from_ref(&order.person);
        let brought = way.bring(code, Use::Hold(&held.name), people).await;
        brought.expect("the single reaches the laboratory");
    }
    let negative = |code: &String| (code.clone(), ResultValue::Negative);
    let results: Vec<_> = codes.iter().map(negative).collect();
    let (last, rest) = results.split_last().expect("somebody is held");
    for (some, state) in [
        (rest, hold::State::Active),
        (std::slice::from_ref(last), hold::State::ResolvedNegative),
    ] {
        let verdicts = way.submit(some).await.expect("results are taken");
        assert!(verdicts.iter().all(|one| one.accepted), "{verdicts:?}");
        let name = held.name.clone();
        let now = holds.get_hold(GetHoldRequest { name }).await.expect("hold");
        assert_eq!(now.into_inner().state(), state, "the last one decides");
    }
}

async fn the_gate_admits(city: &City, member: &str) {
    let begun = Instant::now();
    until("the gate admits again", || async {
        let decision = enter(city, HERE, member).await;
        (decision.effective_result() == Outcome::Admit).then_some(())
    })
    .await;
    assert!(begun.elapsed() < SOON, "after {:?}", begun.elapsed());
}

async fn the_alert_is_over(city: &City, hold: &Hold) {
    until("the alert ends with the hold", || async {
        let alert = alert_about(city, HERE, &hold.name).await?;
        (alert.state() == alert::State::Resolved).then_some(())
    })
    .await;
}

async fn coverage_counts(city: &City, tubes: &[Filled]) {
    let request = GetCoverageRequest {
        scope: format!("organizations/{CITY}"),
    };
    let mut client = CoverageServiceClient::new(city.door(Role::CityOfficer, CITY));
    let coverage = client.get_coverage(request).await.expect("coverage");
    let coverage = coverage.into_inner();
    let swabbed: usize = tubes.iter().map(|tube| tube.people.len()).sum();
    let everybody = i64::from(city.town.everybody());
    assert!(coverage.school_day);
    assert_eq!(
        (coverage.school_count, coverage.drawn_school_count),
        (SCHOOLS as i32, SCHOOLS as i32)
    );
    assert_eq!(
        (coverage.enrolled_count, coverage.eligible_count),
        (everybody, everybody)
    );
    assert_eq!(
        (
            coverage.covered_count,
            coverage.due_count,
            coverage.late_count
        ),
        (swabbed as i64, everybody - swabbed as i64, 0)
    );
}

async fn close_and_publish(city: &City, draws: &[Draw]) {
    let officer = city.door(Role::CityOfficer, CITY);
    let mut client = DrawServiceClient::new(officer.clone());
    for Draw { name, .. } in draws {
        let request = CloseDayRequest {
            name: name.clone(),
            request_id: request_id(),
        };
        let closed = client.close_day(request).await.expect("closes");
        let closed = closed.into_inner();
        assert_eq!(
            (closed.state(), closed.seed.len()),
            (draw::State::Closed, 32)
        );
        let request = VerifyDrawRequest { name: name.clone() };
        let verdict = client.verify_draw(request).await.expect("verifies");
        let verdict = verdict.into_inner();
        assert!(verdict.valid, "{}", verdict.finding);
    }

    // Anybody can check the file with nothing but the public key.
    let file = export(officer, "daily", draws[0].draw_date).await;
    let mut file = file.expect("is published");
    let key = client.get_verification_key(GetVerificationKeyRequest {});
    let key = key.await.expect("the public key").into_inner().public_key;
    let key: Result<[u8; 32], _> = key[..].try_into();
    let key = key.ok().and_then(|key| PublicKey::from_bytes(&key).ok());
    let key = key.expect("an Ed25519 key");
    let report = sampling::verify(&file[..], &key).expect("the file is what was signed");
    let picks: i32 = draws.iter().map(|draw| draw.pick_count).sum();
    assert_eq!(
        (
            report.draws,
            report.candidates,
            report.picks,
            report.replacements
        ),
        (
            SCHOOLS as usize,
            city.town.everybody() as usize,
            picks as usize,
            1
        )
    );
    let middle = file.len() / 2;
    file[middle] ^= 1;
    sampling::verify(&file[..], &key).expect_err("a changed byte is seen");
}
