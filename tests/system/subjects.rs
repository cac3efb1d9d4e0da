//! What is held about somebody, asked for by the family or by who works, answered by the school, told by four
//! services.

use std::collections::BTreeMap;

use kit::auth::{Caller, Role};
use proto::gateway::ExportSubjectDataRequest;
use proto::gateway::export_subject_data_response::{Part, ServiceEnd};
use proto::gateway::subject_data_service_client::SubjectDataServiceClient;
use proto::roster::subject_request::{Asker, Kind};
use proto::roster::subject_request_service_client::SubjectRequestServiceClient;
use proto::roster::{
    AnswerSubjectRequestRequest, FileSubjectRequestRequest, ServiceHolding, SubjectRequest,
};
use proto::safety::gate_service_client::GateServiceClient;
use proto::subject::HeldSection;
use proto::subject::held_section::Telling;
use tests::city::{City, Door, Store, caller};
use tests::town::{Town, school, school_path};
use tests::until;
use tonic::{Code, Status};

use crate::inventory;
use crate::verbs::{check_entry, told};

const SERVICES: [&str; 4] = ["roster", "sampling", "safety-inspection", "notification"];

#[tokio::test(flavor = "multi_thread")]
async fn a_family_is_told_what_every_service_holds_sqlite() {
    a_family_is_told_what_every_service_holds(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_is_told_what_every_service_holds_postgres() {
    a_family_is_told_what_every_service_holds(Store::Postgres).await;
}

/// What one service told: its sections, and how it ended.
type Told = BTreeMap<String, (Vec<HeldSection>, ServiceEnd)>;

async fn export(door: &Door, request: &str) -> Result<Told, Status> {
    let mut client = SubjectDataServiceClient::new(door.clone());
    let name = format!("{request}/heldData");
    let asked = client.export_subject_data(ExportSubjectDataRequest { name });
    let mut parts = asked.await?.into_inner();
    let (mut told, mut sections) = (Told::new(), Vec::new());
    while let Some(part) = parts.message().await? {
        match part.part.expect("a part") {
            Part::Section(section) => sections.push(section),
            Part::End(end) => {
                told.insert(part.service, (std::mem::take(&mut sections), end));
            }
        }
    }
    Ok(told)
}

fn section<'a>(told: &'a Told, service: &str, name: &str) -> &'a HeldSection {
    let mut sections = told[service].0.iter();
    sections.find(|one| one.section == name).expect(name)
}

/// Checks that the inventory has the section, and every field that was told.
fn is_listed(service: &str, section: &HeldSection) {
    let name = &section.section;
    let listed = inventory::fields(service, name).expect(name);
    let fields = section.records.iter().flat_map(|record| &record.fields);
    for field in fields {
        let known = listed.contains(&*field.field);
        assert!(known, "{service}: {name}: {}", field.field);
    }
}

/// What the clerk of the first school answers.
fn answer(request: &str) -> AnswerSubjectRequestRequest {
    let holding = |service: &&str| ServiceHolding {
        service: (*service).to_owned(),
        holds: true,
        statement: "由本人在系统中直接查阅".to_owned(),
    };
    AnswerSubjectRequestRequest {
        name: request.to_owned(),
        answer: "已答复，可在三十日内查阅".to_owned(),
        holdings: SERVICES[1..].iter().map(holding).collect(),
        request_id: String::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_works_is_told_what_every_service_holds_sqlite() {
    who_works_is_told_what_every_service_holds(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_works_is_told_what_every_service_holds_postgres() {
    who_works_is_told_what_every_service_holds(Store::Postgres).await;
}

async fn who_works_is_told_what_every_service_holds(store: Store) {
    let Some(city) = City::open(store, Town::of(1)).await else {
        return;
    };
    let (own, other) = (city.staff(1, "疫情报告人"), city.staff(1, "保安"));
    let mut gate = GateServiceClient::new(city.door(Role::Guard, &school_path(1)));
    for person in [own, other] {
        let entered = gate.check_entry(check_entry(1, person, "")).await;
        entered.expect("decided");
    }
    // Responsible for one class group, and asked at the school.
    let class = format!("{}/nowhere", school_path(1));
    let teacher = |person: &str| {
        city.door_of(Caller {
            person: Some(person.to_owned()),
            ..caller(Role::ClassReporter, &class)
        })
    };
    let mut requests = SubjectRequestServiceClient::new(teacher(own));
    let filed = FileSubjectRequestRequest {
        parent: format!("organizations/{}", school(1)),
        subject_request: Some(SubjectRequest {
            person: own.to_owned(),
            kind: Kind::Access.into(),
            asker: Asker::Person.into(),
            ..SubjectRequest::default()
        }),
        request_id: String::new(),
    };
    let filed = requests.file_subject_request(filed).await;
    let request = filed.expect("filed").into_inner().name;
    let clerk = city.door(Role::SchoolClerk, &school_path(1));
    let seen = export(&clerk, &request).await.expect("it is told");
    let gates = section(&seen, "safety-inspection", "gate_decisions");
    assert_eq!(gates.telling(), Telling::Withheld, "a clerk reads no gates");
    let mut clerk = SubjectRequestServiceClient::new(clerk);
    let answered = clerk.answer_subject_request(answer(&request)).await;
    answered.expect("answered");

    let whole = export(&teacher(own), &request).await;
    let whole = whole.expect("it is told");
    for service in SERVICES {
        let (sections, end) = &whole[service];
        assert!(end.complete && end.reason.is_empty(), "{service}: {end:?}");
        for one in sections {
            is_listed(service, one);
        }
    }
    for (service, name) in [
        ("roster", "employment"),
        ("sampling", "roll"),
        ("safety-inspection", "roll"),
        ("safety-inspection", "gate_decisions"),
        ("notification", "staff_roll"),
    ] {
        let told = section(&whole, service, name);
        assert_eq!(
            (told.telling(), told.record_count),
            (Telling::Full, 1),
            "{name}"
        );
    }
    let all = format!("{whole:?}");
    assert!(!all.contains(other.trim_start_matches("staff/")), "{all}");
    let colleague = export(&teacher(other), &request).await;
    assert_eq!(told(&colleague.expect_err("refused")).0, Code::NotFound);
}

async fn a_family_is_told_what_every_service_holds(store: Store) {
    let Some(city) = City::open(store, Town::of(1)).await else {
        return;
    };
    let (child, other) = (city.student(1, 1, 1), city.student(1, 1, 2));
    let mut gate = GateServiceClient::new(city.door(Role::Guard, &school_path(1)));
    for pupil in [child, other] {
        let entered = gate.check_entry(check_entry(1, pupil, "")).await;
        entered.expect("decided");
    }
    let family = |pupil: &str| {
        city.door_of(Caller {
            person: Some(pupil.to_owned()),
            ..caller(Role::Guardian, &school_path(1))
        })
    };
    let home = family(child);
    let filed = FileSubjectRequestRequest {
        parent: format!("organizations/{}", school(1)),
        subject_request: Some(SubjectRequest {
            person: child.to_owned(),
            kind: Kind::Copy.into(),
            asker: Asker::Guardian.into(),
            ..SubjectRequest::default()
        }),
        request_id: String::new(),
    };
    let mut requests = SubjectRequestServiceClient::new(home.clone());
    let filed = requests.file_subject_request(filed).await;
    let request = filed.expect("filed").into_inner().name;
    let early = export(&home, &request).await.expect_err("not answered yet");
    let expected = (Code::FailedPrecondition, "SUBJECT_REQUEST_STATE".to_owned());
    assert_eq!(told(&early), expected);

    let clerk = city.door(Role::SchoolClerk, &school_path(1));
    let seen = export(&clerk, &request).await.expect("it is told");
    assert_eq!(seen.len(), SERVICES.len());
    let gates = section(&seen, "safety-inspection", "gate_decisions");
    assert_eq!(gates.telling(), Telling::Withheld, "a clerk reads no gates");
    let guard = city.door(Role::Guard, &school_path(1));
    let refused = export(&guard, &request).await.expect_err("refused");
    assert_eq!(refused.code(), Code::PermissionDenied);

    let mut requests = SubjectRequestServiceClient::new(clerk);
    requests
        .answer_subject_request(answer(&request))
        .await
        .expect("answered");

    let whole = export(&home, &request).await.expect("it is told");
    for service in SERVICES {
        let (sections, end) = &whole[service];
        assert!(end.complete && end.reason.is_empty(), "{service}: {end:?}");
        assert_eq!(end.section_count as usize, sections.len());
        for one in sections {
            is_listed(service, one);
        }
        let reserved = ["concerns", "support"];
        for one in sections
            .iter()
            .filter(|one| !reserved.contains(&&*one.section))
        {
            assert_eq!(one.telling(), Telling::Full, "{service}: {}", one.section);
        }
    }
    assert_eq!(
        section(&whole, "safety-inspection", "gate_decisions").record_count,
        1
    );
    assert_eq!(section(&whole, "sampling", "roll").record_count, 1);
    assert_eq!(section(&whole, "notification", "roll").record_count, 1);
    let all = format!("{whole:?}");
    assert!(
        !all.contains(other.trim_start_matches("students/")),
        "another pupil"
    );
    let disclosed = section(&whole, "roster", "disclosures");
    assert!(
        format!("{disclosed:?}").contains("ExportHeldData"),
        "what the clerk saw is told"
    );
    let neighbour = export(&family(other), &request).await.expect_err("refused");
    assert_eq!(told(&neighbour).0, Code::NotFound);

    city.kill("notification").await;
    let partly = until("the others are told without notification", || async {
        let partly = export(&home, &request).await.ok()?;
        (!partly["notification"].1.complete).then_some(partly)
    });
    let partly = partly.await;
    let end = &partly["notification"].1;
    assert!(
        ["UNAVAILABLE", "DEADLINE_EXCEEDED"].contains(&&*end.reason),
        "{end:?}"
    );
    for service in &SERVICES[..3] {
        assert!(partly[*service].1.complete, "{service}");
    }

    city.kill("roster").await;
    let alone = until("nobody is told without the register", || async {
        let alone = export(&home, &request).await.ok()?;
        (!alone["roster"].1.complete).then_some(alone)
    });
    let alone = alone.await;
    let silent = alone
        .values()
        .all(|(sections, end)| sections.is_empty() && !end.complete);
    assert!(
        silent,
        "whether there is a request is known to the register only: {alone:?}"
    );
}
