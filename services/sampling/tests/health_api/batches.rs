//! Checks of several schools in one batch raise what the same checks raise one by one.

use std::collections::{BTreeMap, BTreeSet};

use kit::auth::Role;
use kit::scratch::Scratch;
use proto::roster::check_policy::Slot;
use proto::roster::{Disease, Symptom};
use proto::sampling::cluster_service_client::ClusterServiceClient;
use proto::sampling::submit_check_response::Verdict;
use proto::sampling::{
    BatchSubmitChecksRequest, CheckFinding, CheckSubmission, Cluster, GetClusterRequest,
    ListClustersRequest, SubmitCheckRequest,
};

use super::screening_site::{FIRST, SECOND, Site, finding, group};
use super::town::{CITY, DISTRICT, OTHER_SCHOOL, SCHOOL, on_both_databases, student};

on_both_databases!(a_batch_of_several_schools_raises_what_its_checks_raise_alone);

fn district() -> String {
    format!("{CITY}/{DISTRICT}")
}

/// The checks of a morning and of a noon: influenza-like illness in one class and in a room that it
/// shares with another, hand, foot and mouth disease in that one, and vomiting at the other school.
fn outbreak(site: &Site) -> [Vec<CheckSubmission>; 2] {
    let hot = |number: u32| CheckFinding {
        temperature_tenths: 386,
        ..finding(student(number), &[Symptom::Cough])
    };
    let spotted = |number: u32| CheckFinding {
        seen_doctor: true,
        preliminary_disease: Disease::Hfmd.into(),
        ..finding(student(number), &[Symptom::Rash])
    };
    let sick = |number: u32| finding(student(number), &[Symptom::Vomiting]);
    let check =
        |school: &str, class: &str, slot, findings| site.ill(&group(school, class), slot, findings);
    let mut second = vec![hot(100)];
    second.extend((110..113).map(spotted));
    let morning = vec![
        check(
            OTHER_SCHOOL,
            FIRST,
            Slot::Morning,
            (200..203).map(sick).collect(),
        ),
        check(SCHOOL, FIRST, Slot::Morning, (0..5).map(hot).collect()),
        check(SCHOOL, SECOND, Slot::Morning, second),
    ];
    let noon = vec![
        check(SCHOOL, SECOND, Slot::Noon, vec![spotted(113)]),
        check(SCHOOL, FIRST, Slot::Noon, vec![hot(5), sick(6)]),
        check(
            OTHER_SCHOOL,
            FIRST,
            Slot::Noon,
            (203..206).map(sick).collect(),
        ),
    ];
    [morning, noon]
}

/// Every cluster with its people, named by its rule and place instead of by its identifier.
async fn raised(site: &Site) -> Vec<Cluster> {
    let doctor = site.0.authorised(&[Role::SchoolDoctor], &district());
    let mut client = ClusterServiceClient::new(doctor);
    let request = ListClustersRequest {
        organization: format!("organizations/{DISTRICT}"),
        page_size: 1000,
        ..Default::default()
    };
    let listed = client.list_clusters(request).await.expect("clusters");
    let listed = listed.into_inner().clusters;
    let place = |one: &Cluster| {
        let rule = one.rule.clone().unwrap_or_default().code;
        format!("{rule} {} {}", one.org_path, one.dormitory)
    };
    let places: BTreeMap<String, String> = listed
        .iter()
        .map(|one| (one.name.clone(), place(one)))
        .collect();
    let mut found = Vec::new();
    for name in places.keys() {
        let request = GetClusterRequest { name: name.clone() };
        let cluster = client.get_cluster(request).await.expect("a cluster");
        let mut cluster = cluster.into_inner();
        cluster.name.clone_from(&places[name]);
        for related in &mut cluster.related_clusters {
            related.cluster.clone_from(&places[&related.cluster]);
        }
        let related = &mut cluster.related_clusters;
        related.sort_by(|one, other| one.cluster.cmp(&other.cluster));
        found.push(cluster);
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

async fn a_batch_of_several_schools_raises_what_its_checks_raise_alone(database: Scratch) {
    let together = Site::open(database).await;
    let alone = Site::open(kit::scratch::sqlite()).await;
    let doctor = |site: &Site| site.client(&[Role::SchoolDoctor], &district());
    for checks in outbreak(&together) {
        let request = BatchSubmitChecksRequest {
            checks: checks.clone(),
        };
        let answer = doctor(&together).batch_submit_checks(request).await;
        let results = answer.expect("answered").into_inner().results;
        assert!(results.iter().all(|one| one.verdict() == Verdict::Stored));
        for check in checks {
            let request = SubmitCheckRequest { check: Some(check) };
            let answer = doctor(&alone).submit_check(request).await;
            assert_eq!(
                answer.expect("answered").into_inner().verdict(),
                Verdict::Stored
            );
        }
    }
    let found = raised(&together).await;
    let schools: BTreeSet<&str> = found.iter().map(|one| one.organization.as_str()).collect();
    assert_eq!(schools.len(), 2, "{found:?}");
    assert!(
        found.iter().any(|one| !one.dormitory.is_empty()),
        "{found:?}"
    );
    assert_eq!(found, raised(&alone).await);
}
