//! Clusters of different rules and places that have people in common.

use chrono::Duration;
use kit::auth::Role;
use kit::db::Database;
use proto::sampling::cluster::related_cluster::Relation;
use proto::sampling::{Cluster, OpenCaseRequest};

use super::desk::{DISTRICT, Desk, SCHOOL, ill, in_room};
use super::report;
use crate::app::health::reports::StepUp;
use crate::domain::health::symptom::Symptom;

/// Ten who vomit in seven class groups, four of them in the first on one day and two in one room:
/// the school has a cluster of a disease, the class group one of similar illnesses. Three fevers of
/// another class group have nobody in common with them.
async fn overlapping(desk: &Desk) -> (Cluster, Cluster, Cluster) {
    let class = (1..=4).map(|number| ill(number, 1, 0, Symptom::Vomiting));
    let others = (5..=10).map(|number| ill(number, number - 3, 0, Symptom::Vomiting));
    let fevers = (31..=33).map(|number| ill(number, 9, 0, Symptom::Fever));
    let signs: Vec<_> = class.chain(others).chain(fevers).collect();
    desk.say(&signs).await;
    let mut standing = desk.standing().await;
    standing.sort_by_key(|one| one.rule.clone().unwrap_or_default().code);
    let codes: Vec<String> = standing
        .iter()
        .map(|one| one.rule.clone().unwrap_or_default().code)
        .collect();
    let expected = [
        "disease-5-alert-school",
        "similar-1-class",
        "similar-3-class",
    ];
    assert_eq!(codes, expected);
    let apart = standing.remove(1);
    let class = standing.remove(1);
    (standing.remove(0), class, apart)
}

/// Name, relation and how many people both have.
fn related(cluster: &Cluster) -> Vec<(String, Relation, i32)> {
    let related = cluster.related_clusters.iter();
    related
        .map(|one| (one.cluster.clone(), one.relation(), one.shared_person_count))
        .collect()
}

pub(super) async fn clusters_with_people_in_common_are_shown_together(db: Database) {
    let desk = Desk::open(db).await;
    let (school, class, apart) = overlapping(&desk).await;
    let read = desk.cluster(&school.name).await;
    assert_eq!(
        related(&read),
        [(class.name.clone(), Relation::Contains, 4)]
    );
    let read = desk.cluster(&class.name).await;
    assert_eq!(related(&read), [(school.name.clone(), Relation::Within, 4)]);
    assert_eq!(related(&desk.cluster(&apart.name).await), []);
    assert!(school.related_clusters.is_empty(), "not in lists");

    // A room with one of the class group and two of others overlaps the class group only in part.
    desk.say(&[
        in_room("r1", ill(1, 1, 1, Symptom::Vomiting)),
        in_room("r1", ill(41, 2, 0, Symptom::Vomiting)),
        in_room("r1", ill(42, 3, 0, Symptom::Vomiting)),
    ])
    .await;
    let read = desk.cluster(&class.name).await;
    let with: Vec<(Relation, i32)> = related(&read)
        .into_iter()
        .map(|(_, relation, both)| (relation, both))
        .collect();
    assert!(with.contains(&(Relation::Within, 4)), "{with:?}");
    assert!(with.contains(&(Relation::Overlaps, 1)), "{with:?}");
    // Whoever may not read people's health sees how they relate, and nobody of them.
    let officer = Desk::caller(Role::DistrictOfficer, DISTRICT);
    let id = class.name.trim_start_matches("clusters/");
    let seen = desk.app.get_cluster(&officer, id).await.expect("a cluster");
    assert_eq!((seen.people.len(), related(&seen).len()), (0, 2));
    assert_eq!(
        seen.organization,
        format!("organizations/{}", &SCHOOL[10..])
    );
}

pub(super) async fn a_report_counts_for_whom_it_holds(db: Database) {
    let desk = Desk::open(db).await;
    let (school, class, apart) = overlapping(&desk).await;
    report(&desk, &school.name).await;
    let within = desk.cluster(&class.name).await;
    assert!(within.report_time.is_some(), "all its people are reported");
    assert_eq!(desk.trail(&class.name).await, ["FIRED", "REPORTED"]);
    assert_eq!(desk.cluster(&apart.name).await.report_time, None);
    desk.clock.advance(Duration::hours(25));
    desk.until(&apart.name, |one| one.overdue).await;
    let (school, class) = (
        desk.cluster(&school.name).await,
        desk.cluster(&class.name).await,
    );
    assert!(!school.late && !class.late);
}

/// Rule 1.15: a report that was received before another cluster fired says nothing of that one; what
/// both become is to be reported again.
pub(super) async fn what_becomes_part_of_a_reported_one_is_reported(db: Database) {
    let desk = Desk::open(db).await;
    desk.fevers(1, 4, 1..=3).await;
    let older = desk.standing().await.remove(0).name;
    report(&desk, &older).await;
    desk.clock.advance(Duration::hours(2));
    desk.fevers(1, 0, 4..=6).await;
    let younger = desk.standing().await.remove(1);
    desk.clock.advance(Duration::hours(1));
    desk.fevers(1, 2, 7..=8).await;
    let merged = desk.cluster(&younger.name).await;
    assert_eq!(merged.merged_into, older);
    let both = desk.cluster(&older).await;
    assert_eq!(
        (both.report_time, both.report_due_time),
        (None, younger.report_due_time)
    );
    let trail = ["FIRED", "REPORTED", "REPORT_DUE", "CHANGED"];
    assert_eq!(desk.trail(&older).await, trail);

    // That the city receives the report of before says nothing of it.
    let doctor = Desk::caller(Role::SchoolDoctor, SCHOOL);
    let cases = desk
        .app
        .list_cases(&doctor, "2135010001", (None, None, false), "", 10);
    let case = cases.await.expect("cases").remove(0).row.id;
    let city = Desk::caller(Role::DiseaseControl, "fz");
    let (step, request) = (
        StepUp::Receive(4, String::new()),
        OpenCaseRequest::default(),
    );
    let received = desk.app.step_up(&city, &case, step, ("", &request)).await;
    received.expect("received");
    assert_eq!(desk.trail(&older).await, trail);
    desk.clock.advance(Duration::hours(24));
    desk.until(&older, |one| one.overdue && one.late).await;
    report(&desk, &older).await;
    let both = desk.cluster(&older).await;
    assert!(both.report_time.is_some() && !both.overdue && both.late);
}
