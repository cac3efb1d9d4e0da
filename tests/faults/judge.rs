//! Nothing that was acknowledged is missing or different, and there is nothing that no client has.

use std::collections::BTreeMap;

use kit::auth::Role;
use prost::Message;
use proto::roster::import_job::State;
use proto::safety::GetSnapshotRequest;
use proto::safety::gate_service_client::GateServiceClient;
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::publication_record::Record as Published;
use proto::sampling::result_service_client::ResultServiceClient;
use proto::sampling::tube_service_client::TubeServiceClient;
use proto::sampling::{
    CloseDayRequest, Draw, ListCustodyEventsRequest, ListResultsRequest, ListSwabsRequest,
    PublicationRecord, ResultValue, VerifyDrawRequest, hold,
};
use tests::city::{City, Door};
use tests::students_of_schools;
use tests::town::{CITY, student_called};
use tests::verbs::{create_plan, draw_city, export};
use tonic::Status;
use uuid::Uuid;

use super::campaign::Campaign;
use super::clients::{Answered, Record};
use super::{day, importer, reads};

/// The plan whose draw shows every roll that sampling has.
const LAST_PLAN: &str = "the-last";
/// What happens to a tube, each once.
const CUSTODY: [&str; 7] = [
    "IssueTubes",
    "OpenTube",
    "SealTube",
    "HandOverTube",
    "ReceiveTube",
    "StartTesting",
    "SubmitResults",
];

/// Holds what is kept against what the clients were told.
pub(super) async fn judge(campaign: &Campaign, city: &City, all: Record) {
    plans_and_draws(campaign, city, &all).await;
    decisions_and_directives(campaign, city, &all).await;
    tubes(campaign, city, all.tubes).await;
    day::judge(campaign, city, &all.days).await;
    imports(campaign, city, all.imports, all.students).await;
}

async fn plans_and_draws(campaign: &Campaign, city: &City, all: &Record) {
    let plans = campaign.insist("sampling", "plans", || reads::plans(city));
    same("plans", plans.await, all.plans.clone(), |plan| {
        plan.name.clone()
    });
    let mut kept = Vec::new();
    for plan in &all.plans {
        let id = plan.name.trim_start_matches("plans/");
        let draws = campaign.insist("sampling", "draws", || reads::draws(city, id));
        kept.extend(draws.await);
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
    let told = all.draws.iter().cloned().map(frozen).collect();
    let officer = city.door(Role::CityOfficer, CITY);
    for Draw { name, .. } in &kept {
        let verdict = campaign.insist("sampling", "verify", || {
            let (mut draws, name) = (DrawServiceClient::new(officer.clone()), name.clone());
            async move { draws.verify_draw(VerifyDrawRequest { name }).await }
        });
        let verdict = verdict.await.into_inner();
        assert!(verdict.valid, "{name}: {}", verdict.finding);
    }
    same("draws", kept, told, |draw| draw.name.clone());
}

async fn decisions_and_directives(campaign: &Campaign, city: &City, all: &Record) {
    let mut kept = Vec::new();
    for at in 1..=city.town.schools {
        let decided = campaign.insist("safety-inspection", "list", || reads::decided(city, at));
        kept.extend(decided.await);
    }
    let told = all.decisions.clone();
    same("gate decisions", kept, told, |one| one.name.clone());

    let kept = campaign.insist("notification", "list", || reads::drafted(city));
    let told = all.directives.clone();
    same("directives", kept.await, told, |one| one.name.clone());
}

async fn tubes(campaign: &Campaign, city: &City, told: Vec<Answered>) {
    let officer = city.door(Role::CityOfficer, CITY);
    let listed = campaign.insist("sampling", "tubes", || reads::tubes(city));
    let mut kept = Vec::new();
    for tube in listed.await {
        let (name, officer) = (&tube.name, officer.clone());
        let answered = campaign.insist("sampling", "a tube", || answered(officer.clone(), name));
        kept.push(answered.await);
    }
    let positive = |one: &&Answered| one.value == ResultValue::Positive;
    let expected = told.iter().filter(positive);
    let expected: Vec<_> = expected
        .map(|one| (one.code.clone(), vec![one.person.clone()]))
        .collect();
    same("tubes", kept, told, |one| one.code.clone());

    let holds = campaign.insist("sampling", "holds", || reads::holds(city));
    let holds = holds.await.into_iter().map(|one| {
        assert_eq!(one.state(), hold::State::Active, "{one:?}");
        let code = one.tube.trim_start_matches("tubes/").to_owned();
        (code, one.members)
    });
    same("holds", holds.collect(), expected, |one| one.0.clone());
}

/// What became of a tube: one person, one result, and each step once.
async fn answered(door: Door, tube: &str) -> Result<Answered, Status> {
    let mut client = TubeServiceClient::new(door.clone());
    let (tube, code) = (tube.to_owned(), tube.trim_start_matches("tubes/"));
    let request = ListCustodyEventsRequest {
        tube: tube.clone(),
        ..ListCustodyEventsRequest::default()
    };
    let events = client.list_custody_events(request).await?.into_inner();
    let verbs: Vec<_> = events.custody_events.iter().map(|one| &one.verb).collect();
    assert_eq!(verbs, CUSTODY, "{tube}: each step once");
    let request = ListSwabsRequest {
        tube: tube.clone(),
        ..ListSwabsRequest::default()
    };
    let swabs = client.list_swabs(request).await?.into_inner().swabs;
    assert_eq!(swabs.len(), 1, "{tube}: one swab");
    let request = ListResultsRequest {
        tube: tube.clone(),
        ..ListResultsRequest::default()
    };
    let mut client = ResultServiceClient::new(door);
    let results = client.list_results(request).await?.into_inner().results;
    assert_eq!(results.len(), 1, "{tube}: one result");
    Ok(Answered {
        code: code.to_owned(),
        person: swabs[0].person.clone(),
        value: results[0].value(),
    })
}

/// Each committed job is kept as it was answered, and its students stand once in the register, on
/// one roll of sampling, and at the gates.
async fn imports(
    campaign: &Campaign,
    city: &City,
    told: Vec<proto::roster::ImportJob>,
    students: Vec<String>,
) {
    let jobs = campaign.insist("roster", "imports", || reads::imports(city));
    let mut jobs = jobs.await;
    jobs.retain(|job| job.source == importer::SOURCE);
    assert!(jobs.iter().all(|job| job.state() == State::Committed));
    same("imports", jobs, told, |job| job.name.clone());

    let officer = city.door(Role::CityOfficer, CITY);
    let everybody = format!("organizations/{CITY}");
    let kept = campaign.insist("roster", "students", || {
        students_of_schools(officer.clone(), city.town.schools)
    });
    let kept = kept.await;
    let town = city.town;
    let first = (1..=town.schools).flat_map(|at| {
        (1..=town.classes).flat_map(move |class| {
            (1..=town.students).map(move |place| student_called(at, class, place))
        })
    });
    let told: Vec<String> = first.chain(students).collect();
    let called = kept.iter().map(|(called, _)| called.clone()).collect();
    same("students", called, told, Clone::clone);

    city.catch_up("base-02").await;
    let register: Vec<String> = kept.into_iter().map(|(_, name)| name).collect();
    let rolls = on_rolls(campaign, city).await;
    same(
        "on the rolls of sampling",
        rolls,
        register.clone(),
        Clone::clone,
    );
    let guard = city.door(Role::Guard, CITY);
    let members = campaign.insist("safety-inspection", "a snapshot", || {
        let name = format!("{everybody}/gateSnapshot");
        let mut gate = GateServiceClient::new(guard.clone());
        async move { gate.get_snapshot(GetSnapshotRequest { name }).await }
    });
    let mut members = members.await.into_inner().members;
    members.retain(|member| member.starts_with("students/"));
    same("at the gates", members, register, Clone::clone);
}

/// Everybody on the rolls that sampling has, as the publication of one more draw shows.
async fn on_rolls(campaign: &Campaign, city: &City) -> Vec<String> {
    let officer = city.door(Role::CityOfficer, CITY);
    let mut plans = proto::sampling::plan_service_client::PlanServiceClient::new(officer.clone());
    let planned = plans.create_plan(create_plan(LAST_PLAN, "")).await;
    planned.expect("one more plan");
    let drawn = draw_city(officer.clone(), LAST_PLAN).await;
    drawn.expect("one more draw");
    let draws = campaign.insist("sampling", "draws", || reads::draws(city, LAST_PLAN));
    let draws = draws.await;
    let mut client = DrawServiceClient::new(officer.clone());
    for Draw { name, .. } in &draws {
        let request = CloseDayRequest {
            name: name.clone(),
            request_id: String::new(),
        };
        client.close_day(request).await.expect("closes");
    }
    let file = export(officer, LAST_PLAN, draws[0].draw_date).await;
    candidates(&file.expect("is published"))
}

/// Everybody in a published file.
fn candidates(mut file: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    while !file.is_empty() {
        let record = PublicationRecord::decode_length_delimited(&mut file);
        let record = record.expect("a record").record;
        if let Some(Published::ClassGroup(group)) = record {
            let people = group.people.chunks_exact(16);
            let name = |id: &[u8]| Uuid::from_slice(id).map(|id| format!("students/{id}"));
            all.extend(people.map(|id| name(id).expect("16 bytes")));
        }
    }
    all
}

/// Both sides hold the same things, each once.
pub(super) fn same<T: PartialEq + std::fmt::Debug>(
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
