//! What people share beside class and dormitory: contacts are looked for there, and rules of clusters
//! count there (rules 1.15, 1.24).

use std::collections::BTreeMap;

use kit::auth::Role;
use proto::roster::check_policy::Slot;
use proto::roster::cluster_policy::Scope;
use proto::roster::{Disease, Symptom, cluster_policy};
use proto::sampling::case_contact::Degree;
use proto::sampling::cluster_rule::{Condition, Counted, Criterion};
use proto::sampling::cluster_service_client::ClusterServiceClient;
use proto::sampling::shared_group::{Kind, Member};
use proto::sampling::shared_group_service_client::SharedGroupServiceClient;
use proto::sampling::simulated_cluster::Outcome;
use proto::sampling::{
    CandidateContact, CaseContact, Cluster, ClusterRule, ContactKind, GetClusterRequest,
    GetSharedGroupRequest, ListCandidateContactsRequest, ListClustersRequest,
    ListSharedGroupsRequest, RemoveSharedGroupRequest, SetSharedGroupRequest, SharedGroup,
    SimulateClustersRequest,
};
use tonic::{Code, Status};

use super::cases::{doctor, of_person, open};
use super::clinic::denied;
use super::contacts::{add, contact};
use super::screening_site::{FIRST, SECOND, Site as School, finding, group};
use super::site::Site;
use super::town::roster::policy;
use super::town::{
    Authorised, CITY, DISTRICT, OTHER_SCHOOL, SCHOOL, Town, on_both_databases, reason, school_path,
    student,
};

on_both_databases!(
    groups_are_said_read_and_forgotten,
    contacts_are_found_on_seats_in_buses_and_at_meals,
    contacts_of_a_contact_are_proposed,
    those_who_eat_together_are_a_cluster,
    a_row_of_the_policy_is_a_rule_without_a_release,
);

fn groups(town: &Town, role: Role, scope: &str) -> SharedGroupServiceClient<Authorised> {
    SharedGroupServiceClient::new(town.authorised(&[role], scope))
}

fn named(school: &str, code: &str) -> String {
    format!("organizations/{school}/sharedGroups/{code}")
}

fn member(number: u32) -> Member {
    Member {
        person: student(number),
        ..Member::default()
    }
}

fn seat(number: u32, row: i32, column: i32) -> Member {
    Member {
        row,
        column,
        ..member(number)
    }
}

fn saying(code: &str, kind: Kind, members: Vec<Member>) -> SetSharedGroupRequest {
    SetSharedGroupRequest {
        name: named(SCHOOL, code),
        kind: kind.into(),
        display_name: "一号".to_owned(),
        members,
        ..SetSharedGroupRequest::default()
    }
}

async fn set(town: &Town, request: SetSharedGroupRequest) -> Result<SharedGroup, Status> {
    let mut client = groups(town, Role::SchoolDoctor, &school_path(SCHOOL));
    Ok(client.set_shared_group(request).await?.into_inner())
}

async fn groups_are_said_read_and_forgotten(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let town = &site.0;
    let bus = saying("bus-3", Kind::Bus, vec![member(1), member(2)]);
    let said = set(town, bus.clone()).await.expect("said");
    assert_eq!((said.member_count, said.kind()), (2, Kind::Bus));
    let more = SetSharedGroupRequest {
        members: vec![member(2), member(3), member(100)],
        ..bus.clone()
    };
    set(town, more).await.expect("said anew");
    let get = GetSharedGroupRequest {
        name: bus.name.clone(),
    };
    let mut principal = groups(town, Role::Principal, &school_path(SCHOOL));
    let read = principal
        .get_shared_group(get.clone())
        .await
        .expect("a group");
    let read = read.into_inner();
    let mut people: Vec<&str> = read.members.iter().map(|one| one.person.as_str()).collect();
    let mut expected = [2, 3, 100].map(student);
    people.sort_unstable();
    expected.sort_unstable();
    assert_eq!(people, expected, "in place of what was said before");
    let meal = SetSharedGroupRequest {
        class_groups: vec![format!("organizations/{SCHOOL}/classGroups/p2019-02")],
        ..saying("canteen-1", Kind::Meal, Vec::new())
    };
    set(town, meal).await.expect("a whole class group");
    let list = ListSharedGroupsRequest {
        parent: format!("organizations/{SCHOOL}"),
        kind: Kind::Meal.into(),
        ..Default::default()
    };
    let listed = principal.list_shared_groups(list).await.expect("a list");
    let listed = listed.into_inner().shared_groups;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].name.clone(), listed[0].class_groups.len()),
        (named(SCHOOL, "canteen-1"), 1)
    );

    let wrong = [
        saying("Bus 3", Kind::Bus, vec![member(1)]),
        saying("bus-4", Kind::Unspecified, vec![member(1)]),
        saying("bus-4", Kind::Bus, Vec::new()),
        saying("bus-4", Kind::Bus, vec![member(1), member(1)]),
        saying("bus-4", Kind::Bus, vec![seat(1, 2, 2)]),
        saying("seats-1", Kind::Seats, vec![seat(1, 201, 2)]),
    ];
    for (number, request) in wrong.into_iter().enumerate() {
        let refused = set(town, request).await.expect_err("is refused");
        assert_eq!(refused.code(), Code::InvalidArgument, "{number}");
    }
    let stranger = saying("bus-4", Kind::Bus, vec![member(999)]);
    let stranger = set(town, stranger).await.expect_err("on no roll");
    assert_eq!(stranger.code(), Code::NotFound);
    let other = SetSharedGroupRequest {
        name: named(OTHER_SCHOOL, "bus-3"),
        ..bus.clone()
    };
    let other = set(town, other).await.expect_err("another school");
    assert_eq!(reason(&other), denied());
    let own = principal.set_shared_group(bus.clone()).await;
    assert_eq!(reason(&own.expect_err("reads only")), denied());

    let remove = RemoveSharedGroupRequest {
        name: bus.name.clone(),
        request_id: uuid::Uuid::new_v4().to_string(),
    };
    let mut client = groups(town, Role::SchoolDoctor, &school_path(SCHOOL));
    let removed = client.remove_shared_group(remove.clone()).await;
    let again = client.remove_shared_group(remove).await;
    assert_eq!(
        removed.expect("forgotten").into_inner(),
        again.expect("a repeat").into_inner()
    );
    let gone = principal.get_shared_group(get).await;
    assert_eq!(gone.expect_err("forgotten").code(), Code::NotFound);
}

async fn candidates(site: &Site, case: &str, via: &str) -> Result<Vec<CandidateContact>, Status> {
    let request = ListCandidateContactsRequest {
        case: case.to_owned(),
        page_size: 1000,
        via: via.to_owned(),
        ..Default::default()
    };
    let listed = doctor(site).list_candidate_contacts(request).await?;
    Ok(listed.into_inner().candidate_contacts)
}

fn kinds(found: &[CandidateContact]) -> BTreeMap<String, Vec<ContactKind>> {
    let found = found.iter();
    found
        .map(|one| (one.person.clone(), one.kinds().collect()))
        .collect()
}

/// A bus with a pupil of each class group, a sitting with a whole class group, and a seat plan.
async fn shared(site: &Site) {
    let seats = vec![seat(1, 2, 2), seat(2, 2, 3), seat(3, 3, 1), seat(4, 5, 5)];
    let bus = vec![member(1), member(100), member(101)];
    let meal = SetSharedGroupRequest {
        class_groups: vec![format!("organizations/{SCHOOL}/classGroups/p2019-02")],
        ..saying("canteen-1", Kind::Meal, vec![member(1)])
    };
    for request in [
        saying("seats-1", Kind::Seats, seats),
        saying("bus-3", Kind::Bus, bus),
        meal,
        saying("well-1", Kind::Water, vec![member(1), member(20)]),
    ] {
        set(&site.0, request).await.expect("said");
    }
}

async fn contacts_are_found_on_seats_in_buses_and_at_meals(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    shared(&site).await;
    let case = open(&site, of_person(1, Disease::Influenza)).await;
    let found = candidates(&site, &case.name, "").await.expect("candidates");
    assert!(
        found
            .iter()
            .all(|one| one.degree() == Degree::Close && one.via.is_empty())
    );
    assert_eq!(
        found.len(),
        44 + 45,
        "both class groups, without the patient"
    );
    let kinds = kinds(&found);
    let of = |number: u32| kinds[&student(number)].clone();
    use ContactKind as K;
    assert_eq!(of(2), [K::ClassGroup, K::Seat], "beside");
    assert_eq!(of(3), [K::ClassGroup, K::Seat], "across a corner");
    assert_eq!(of(4), [K::ClassGroup], "three rows behind");
    assert_eq!(of(20), [K::ClassGroup], "the same water is no meeting");
    assert_eq!(of(100), [K::Bus, K::Meal]);
    assert_eq!(of(110), [K::Meal]);
}

async fn contacts_of_a_contact_are_proposed(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    shared(&site).await;
    let case = open(&site, of_person(1, Disease::Covid19)).await;
    let via = student(100);
    let early = candidates(&site, &case.name, &via).await;
    let early = early.expect_err("no contact yet");
    assert_eq!(early.code(), Code::InvalidArgument);
    let close = CaseContact {
        kind: ContactKind::Bus.into(),
        ..contact(&site, 100)
    };
    add(&site, &case.name, vec![close])
        .await
        .expect("a human says so");
    let found = candidates(&site, &case.name, &via)
        .await
        .expect("candidates");
    assert!(
        found
            .iter()
            .all(|one| one.degree() == Degree::Secondary && one.via == via)
    );
    let people = kinds(&found);
    assert!(!people.contains_key(&student(1)), "the patient");
    assert!(!people.contains_key(&via), "the contact");
    use ContactKind as K;
    assert_eq!(people[&student(101)], [K::ClassGroup, K::Bus, K::Meal]);
    assert_eq!(people[&student(102)], [K::ClassGroup, K::Meal]);
    assert_eq!(people.len(), 44, "the class group of the contact");
    assert_eq!(
        site.not_clear().await,
        1,
        "nobody is controlled by a proposal"
    );

    let second = CaseContact {
        degree: Degree::Secondary.into(),
        kind: ContactKind::Bus.into(),
        via: via.clone(),
        ..contact(&site, 101)
    };
    add(&site, &case.name, vec![second])
        .await
        .expect("a human says so");
    let rest = candidates(&site, &case.name, &via)
        .await
        .expect("candidates");
    assert!(!kinds(&rest).contains_key(&student(101)), "is one already");
    let secondary = candidates(&site, &case.name, &student(101)).await;
    let secondary = secondary.expect_err("no close contact");
    assert_eq!(secondary.code(), Code::InvalidArgument);
}

/// The clusters of the school, as its doctor reads them.
async fn clusters(school: &School) -> Vec<Cluster> {
    let scope = school_path(SCHOOL);
    let mut client = ClusterServiceClient::new(school.0.authorised(&[Role::SchoolDoctor], &scope));
    let request = ListClustersRequest {
        organization: format!("organizations/{SCHOOL}"),
        ..Default::default()
    };
    let listed = client.list_clusters(request).await.expect("clusters");
    let mut found = Vec::new();
    for one in listed.into_inner().clusters {
        let request = GetClusterRequest { name: one.name };
        let read = client.get_cluster(request).await.expect("a cluster");
        found.push(read.into_inner());
    }
    found
}

/// Somebody of each class group with a symptom, this morning.
async fn ill(school: &School, people: &[(&str, &[u32])], symptom: Symptom) {
    for (class, numbers) in people {
        let findings = numbers.iter();
        let findings = findings.map(|number| finding(student(*number), &[symptom]));
        let check = school.ill(&group(SCHOOL, class), Slot::Morning, findings.collect());
        school.submit(&check).await;
    }
}

async fn those_who_eat_together_are_a_cluster(database: kit::scratch::Scratch) {
    let school = School::open(database).await;
    ill(
        &school,
        &[(FIRST, &[5, 6]), (SECOND, &[110])],
        Symptom::Vomiting,
    )
    .await;
    assert_eq!(clusters(&school).await, [], "three in two classes");
    let mut client = groups(&school.0, Role::SchoolDoctor, &school_path(SCHOOL));
    let meal = SetSharedGroupRequest {
        class_groups: vec![group(SCHOOL, SECOND)],
        ..saying(
            "canteen-1",
            Kind::Meal,
            vec![member(5), member(6), member(7)],
        )
    };
    client.set_shared_group(meal).await.expect("said");
    let found = clusters(&school).await;
    let [cluster] = &found[..] else {
        panic!("one cluster, not {}", found.len());
    };
    let rule = cluster.rule.clone().expect("its rule");
    assert_eq!(
        (rule.code.as_str(), rule.scope(), rule.alert_at_once),
        ("meal-gastrointestinal", Scope::Meal, true)
    );
    assert!(rule.source.contains("共同用餐"), "{}", rule.source);
    assert_eq!(
        (cluster.shared_group.clone(), cluster.person_count),
        (named(SCHOOL, "canteen-1"), 3)
    );

    // A rule that counts two is tried on the same day.
    let tried = ClusterRule {
        code: "tried-meal".to_owned(),
        scope: Scope::Meal.into(),
        criterion: Some(Criterion::SymptomGroup(3)),
        conditions: vec![Condition {
            counted: Counted::Cases.into(),
            window_days: 1,
            count: 2,
            ..Condition::default()
        }],
        ..ClusterRule::default()
    };
    let district = format!("{CITY}/{DISTRICT}");
    let officer = school.0.authorised(&[Role::DistrictOfficer], &district);
    let request = SimulateClustersRequest {
        organization: format!("organizations/{SCHOOL}"),
        start_date: Some(school.0.date()),
        end_date: Some(school.0.date()),
        rules: vec![tried],
    };
    let mut officer = ClusterServiceClient::new(officer);
    let replayed = officer.simulate_clusters(request).await.expect("a replay");
    let replayed = replayed.into_inner().clusters;
    let told: Vec<_> = replayed
        .iter()
        .map(|one| (one.rule.as_str(), one.outcome(), one.shared_group.clone()))
        .collect();
    let place = named(SCHOOL, "canteen-1");
    assert_eq!(
        told,
        [
            ("meal-gastrointestinal", Outcome::OnlyInForce, place.clone()),
            ("tried-meal", Outcome::OnlyTried, place.clone()),
        ]
    );

    let remove = RemoveSharedGroupRequest {
        name: place,
        ..Default::default()
    };
    client.remove_shared_group(remove).await.expect("forgotten");
    let fallen = clusters(&school).await;
    assert_eq!(
        (fallen.len(), fallen[0].stands),
        (1, false),
        "nobody knows any more that they eat together"
    );
}

async fn a_row_of_the_policy_is_a_rule_without_a_release(database: kit::scratch::Scratch) {
    let mut city = policy();
    let rows = &mut city.cluster.get_or_insert_default().rules;
    let source = "本市规定：同一班级1日内2例皮疹即报";
    rows.push(cluster_policy::Rule {
        code: "rash-pair".to_owned(),
        number: "1.15".to_owned(),
        scope: Scope::ClassGroup.into(),
        symptom_group: proto::roster::alert_policy::SymptomGroup::Rash.into(),
        counted: cluster_policy::Counted::Cases.into(),
        window_days: 1,
        count: 2,
        level: proto::roster::outbreak_policy::Level::ClusterAlert.into(),
        report_sla: Some(prost_types::Duration {
            seconds: 3600,
            nanos: 0,
        }),
        recipients: vec![proto::roster::Recipient::Principal.into()],
        alert_at_once: true,
        source: source.to_owned(),
        ..cluster_policy::Rule::default()
    });
    let school = School::open_under(database, city).await;
    ill(&school, &[(FIRST, &[5, 6])], Symptom::Rash).await;
    let found = clusters(&school).await;
    let [cluster] = &found[..] else {
        panic!("one cluster, not {}", found.len());
    };
    let rule = cluster.rule.clone().expect("its rule");
    assert_eq!(
        (rule.code.as_str(), rule.source.as_str()),
        ("rash-pair", source)
    );
    assert_eq!(rule.sentence, "同一班级1日内出现2例及以上皮疹，1小时内报告");
    let due = cluster.report_due_time.map(|due| due.seconds);
    let fired = cluster.fire_time.map(|fired| fired.seconds);
    assert_eq!(due.zip(fired).map(|(due, fired)| due - fired), Some(3600));
}
