//! Clusters and suspensions on both databases, from what is said to what the roster hears.

mod amending;
mod desk;
mod naming;
mod outbreak;
mod relating;
mod suspending;

use chrono::Duration;
use kit::auth::Role;
use kit::db::Database;
use proto::sampling::cluster::State;
use proto::sampling::{AcknowledgeClusterRequest, CloseClusterRequest, Cluster, OpenCaseRequest};

use crate::Migrator;
use crate::app::health::Listing;
use crate::app::health::cases::{About, NewCase};
use crate::app::health::reports::StepUp;
use crate::domain::day::Day;
use crate::domain::health::disease::Severity;
use crate::domain::health::symptom::Symptom;
use crate::error::Error;
use crate::store::health::reports::ReportRow;
use amending::{
    what_is_amended_reaches_the_roster, what_is_ended_before_it_began_is_never_told,
    what_is_over_is_not_amended,
};
use desk::{DISTRICT, Desk, SCHOOL, ill, in_room};
use naming::{
    a_class_group_that_is_refused_keeps_no_other_waiting, a_grade_is_narrowed_to_class_groups,
    class_groups_are_named_let_go_and_back,
};
use outbreak::{
    a_replay_knows_no_more_than_was_said_by_then, an_outbreak_is_replayed,
    the_outbreak_of_derbyshire_is_replayed,
};
use relating::{
    a_report_counts_for_whom_it_holds, clusters_with_people_in_common_are_shown_together,
    what_becomes_part_of_a_reported_one_is_reported,
};
use suspending::{
    a_graver_cluster_is_proposed_anew, a_suspension_reaches_the_roster_however_long_it_is_down,
    only_a_proposal_is_decided_and_never_for_less, two_that_end_together_keep_nobody_away,
    what_is_proposed_follows_its_cluster, who_ends_first_does_not_end_another,
};

kit::store_suite!(
    Migrator;
    three_fevers_in_a_class_fire_and_a_report_is_due_in_a_day,
    a_dormitory_fires_and_different_places_do_not,
    people_are_told_to_those_who_look_after_their_health_only,
    order_and_repetition_do_not_matter,
    clusters_that_grow_together_go_on_as_the_oldest,
    a_correction_lets_a_cluster_fall_and_it_rises_as_the_same,
    a_correction_does_not_stop_the_clock_of_a_report,
    a_closed_cluster_has_used_up_the_cases_of_its_people_alone,
    only_a_report_that_was_received_ends_its_clock,
    a_cluster_is_announced_without_its_people,
    clusters_with_people_in_common_are_shown_together,
    a_report_counts_for_whom_it_holds,
    what_becomes_part_of_a_reported_one_is_reported,
    a_suspension_reaches_the_roster_however_long_it_is_down,
    only_a_proposal_is_decided_and_never_for_less,
    what_is_proposed_follows_its_cluster,
    a_graver_cluster_is_proposed_anew,
    who_ends_first_does_not_end_another,
    two_that_end_together_keep_nobody_away,
    what_is_amended_reaches_the_roster,
    what_is_ended_before_it_began_is_never_told,
    what_is_over_is_not_amended,
    class_groups_are_named_let_go_and_back,
    a_grade_is_narrowed_to_class_groups,
    a_class_group_that_is_refused_keeps_no_other_waiting,
    an_outbreak_is_replayed,
    the_outbreak_of_derbyshire_is_replayed,
    a_replay_knows_no_more_than_was_said_by_then,
);

fn codes(clusters: &[Cluster]) -> Vec<(&str, &str, i32)> {
    let told = clusters.iter().map(|one| {
        let code = one.rule.as_ref().map_or("", |rule| rule.code.as_str());
        let place = if one.dormitory.is_empty() {
            &one.class_group
        } else {
            &one.dormitory
        };
        (
            code,
            place.rsplit('/').next().unwrap_or_default(),
            one.person_count,
        )
    });
    told.collect()
}

/// T8.
async fn three_fevers_in_a_class_fire_and_a_report_is_due_in_a_day(db: Database) {
    let desk = Desk::open(db).await;
    desk.say(&[ill(1, 1, 0, Symptom::Fever), ill(2, 1, 0, Symptom::Fever)])
        .await;
    assert_eq!(desk.standing().await, []);
    desk.say(&[ill(3, 1, 0, Symptom::Fever)]).await;
    let found = desk.standing().await;
    assert_eq!(codes(&found), [("similar-1-class", "c1", 3)]);
    let cluster = desk.cluster(&found[0].name).await;
    let seconds = |time: Option<prost_types::Timestamp>| time.map_or(0, |time| time.seconds);
    let due = seconds(cluster.report_due_time) - seconds(cluster.fire_time);
    assert_eq!(due, Duration::hours(24).num_seconds());
    assert_eq!(cluster.state(), State::Open);
    let rule = cluster.rule.clone().unwrap_or_default();
    assert_eq!(rule.numbers, ["1.12", "1.15"]);
    assert_eq!(
        rule.sentence,
        "同一班级1日内出现3例及以上发热，或连续3日内出现5例及以上发热，24小时内报告"
    );
    assert!(rule.source.contains("学校和托幼机构传染病疫情报告工作规范"));
    assert_eq!(cluster.met_conditions.len(), 1);
    assert_eq!(cluster.met_conditions[0].count, 3);
    assert_eq!(cluster.policy_version, desk.policy_version);
    assert_eq!(desk.trail(&cluster.name).await, ["FIRED"]);
}

/// T8, T9.
async fn a_dormitory_fires_and_different_places_do_not(db: Database) {
    let desk = Desk::open(db).await;
    desk.say(&[
        in_room("r1", ill(1, 1, 0, Symptom::Rash)),
        in_room("r2", ill(2, 2, 0, Symptom::Rash)),
        in_room("r3", ill(3, 3, 0, Symptom::Rash)),
    ])
    .await;
    assert_eq!(desk.standing().await, []);
    desk.say(&[
        in_room("r9", ill(4, 1, 3, Symptom::Rash)),
        in_room("r9", ill(5, 2, 3, Symptom::Rash)),
        in_room("r9", ill(6, 3, 3, Symptom::Rash)),
    ])
    .await;
    let found = desk.standing().await;
    assert_eq!(codes(&found), [("similar-2-dormitory", "r9", 3)]);
    assert_eq!(found[0].org_path, SCHOOL);
}

async fn people_are_told_to_those_who_look_after_their_health_only(db: Database) {
    let desk = Desk::open(db).await;
    desk.fevers(1, 0, 1..=3).await;
    let name = desk.standing().await[0].name.clone();
    let told = |role, scope: &'static str| {
        let (desk, name) = (&desk, name.as_str());
        async move {
            let id = name.trim_start_matches("clusters/");
            let told = desk.app.get_cluster(&Desk::caller(role, scope), id).await;
            told.map(|one| (one.person_count, one.people.len()))
        }
    };
    assert_eq!(told(Role::SchoolDoctor, SCHOOL).await.ok(), Some((3, 3)));
    assert_eq!(
        told(Role::DiseaseControl, DISTRICT).await.ok(),
        Some((3, 3))
    );
    assert_eq!(
        told(Role::DistrictOfficer, DISTRICT).await.ok(),
        Some((3, 0))
    );
    assert_eq!(told(Role::Principal, SCHOOL).await.ok(), Some((3, 0)));
    for (role, scope) in [
        (Role::SchoolDoctor, "fz/350102/2135010002"),
        (Role::ClassReporter, "fz/350102/2135010001/c1"),
        (Role::Guard, SCHOOL),
    ] {
        assert!(matches!(told(role, scope).await, Err(Error::Refused(_))));
    }
}

async fn order_and_repetition_do_not_matter(db: Database) {
    let signs: Vec<_> = (0..36)
        .map(|n| {
            let symptom = [Symptom::Fever, Symptom::Vomiting][usize::from(n % 3 == 0)];
            ill(n % 24, n % 2 + 1, i64::from(n * 7 % 5), symptom)
        })
        .collect();
    let straight = Desk::open_at(db.clone(), "fz/350102/2135010001").await;
    for sign in &signs {
        straight.say(std::slice::from_ref(sign)).await;
    }
    let other = Desk::open_at(db, "fz/350102/2135010002").await;
    for sign in signs.iter().rev().chain(&signs) {
        other.say(std::slice::from_ref(sign)).await;
    }
    let told = |clusters: Vec<Cluster>| {
        let mut told: Vec<_> = clusters
            .into_iter()
            .map(|one| {
                let class = one
                    .class_group
                    .rsplit('/')
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                let rule = one.rule.unwrap_or_default().code;
                let days = format!("{:?} {:?}", one.first_date, one.last_date);
                (rule, class, days, one.person_count)
            })
            .collect();
        told.sort();
        told
    };
    let expected = told(straight.standing().await);
    assert!(expected.len() > 1, "{expected:?}");
    assert_eq!(told(other.standing().await), expected);
}

async fn clusters_that_grow_together_go_on_as_the_oldest(db: Database) {
    let desk = Desk::open(db).await;
    desk.fevers(1, 4, 1..=3).await;
    desk.fevers(1, 0, 4..=6).await;
    let two = desk.standing().await;
    assert_eq!(two.len(), 2);
    desk.fevers(1, 2, 7..=8).await;
    let one = desk.standing().await;
    assert_eq!(codes(&one), [("similar-1-class", "c1", 8)]);
    assert_eq!(one[0].name, two[0].name);
    let merged = desk.cluster(&two[1].name).await;
    assert_eq!(merged.state(), State::Merged);
    assert_eq!(
        (merged.merged_into, merged.stands),
        (two[0].name.clone(), false)
    );
    assert_eq!(desk.trail(&two[1].name).await, ["FIRED", "MERGED"]);
    assert_eq!(desk.trail(&two[0].name).await, ["FIRED", "CHANGED"]);
}

async fn a_correction_lets_a_cluster_fall_and_it_rises_as_the_same(db: Database) {
    let desk = Desk::open(db).await;
    desk.fevers(1, 0, 1..=3).await;
    let name = desk.standing().await[0].name.clone();
    desk.say(&[ill(3, 1, 0, Symptom::Headache)]).await;
    assert_eq!(desk.standing().await, []);
    let fallen = desk.cluster(&name).await;
    assert_eq!(
        (fallen.state(), fallen.stands, fallen.person_count),
        (State::Open, false, 3)
    );
    desk.say(&[ill(3, 1, 0, Symptom::Fever)]).await;
    assert_eq!(desk.standing().await[0].name, name);
    assert_eq!(desk.trail(&name).await, ["FIRED", "FELL", "ROSE"]);
}

/// Rule 1.16: whoever reported it does not take it back. Only above the school is it decided that
/// nothing is to be reported.
async fn a_correction_does_not_stop_the_clock_of_a_report(db: Database) {
    let desk = Desk::open(db).await;
    for class in 1..=2 {
        desk.fevers(class, 0, class * 10..=class * 10 + 2).await;
    }
    let found = desk.standing().await;
    let [fallen, none] = [&found[0].name, &found[1].name];
    for class in 1..=2 {
        desk.say(&[ill(class * 10, class, 0, Symptom::Headache)])
            .await;
    }
    assert_eq!(desk.standing().await, []);
    let officer = Desk::caller(Role::DistrictOfficer, DISTRICT);
    let close = CloseClusterRequest {
        name: none.clone(),
        reason: "核实为误录".to_owned(),
        decided_by: "王科长".to_owned(),
        ..Default::default()
    };
    let id = none.trim_start_matches("clusters/");
    let closed = desk.app.close_cluster(&officer, id, &close).await;
    closed.expect("closed as no event");
    desk.clock.advance(Duration::hours(25));
    let late = desk.until(fallen, |one| one.late).await;
    assert!(late.overdue && !late.stands);
    assert_eq!(desk.trail(fallen).await, ["FIRED", "FELL", "OVERDUE"]);
    assert!(!desk.cluster(none).await.late);
}

async fn a_closed_cluster_has_used_up_the_cases_of_its_people_alone(db: Database) {
    let desk = Desk::open(db).await;
    desk.fevers(1, 0, 1..=3).await;
    let name = desk.standing().await[0].name.clone();
    let id = name.trim_start_matches("clusters/");
    let doctor = Desk::caller(Role::SchoolDoctor, SCHOOL);
    let close = CloseClusterRequest {
        name: name.clone(),
        reason: "均已痊愈".to_owned(),
        decided_by: "林校医".to_owned(),
        request_id: uuid::Uuid::new_v4().to_string(),
    };
    let closed = desk
        .app
        .close_cluster(&doctor, id, &close)
        .await
        .expect("closed");
    assert_eq!(
        (closed.state(), closed.closed_by.as_str()),
        (State::Closed, "林校医")
    );
    assert_eq!(
        desk.app.close_cluster(&doctor, id, &close).await.ok(),
        Some(closed)
    );
    let again = CloseClusterRequest {
        request_id: String::new(),
        ..close
    };
    let refused = desk.app.close_cluster(&doctor, id, &again).await;
    assert!(matches!(refused, Err(Error::ClusterState(3))));
    let late = AcknowledgeClusterRequest {
        name: name.clone(),
        ..Default::default()
    };
    let refused = desk.app.acknowledge_cluster(&doctor, id, &late).await;
    assert!(matches!(refused, Err(Error::ClusterState(3))));
    desk.fevers(1, 1, 1..=3).await;
    desk.fevers(1, 0, 4..=5).await;
    assert_eq!(desk.trail(&name).await, ["FIRED", "CLOSED"]);
    assert_eq!(desk.standing().await, [], "two others are too few");
    // A third one later on the day on which it was closed: it hides nobody who was none of its people.
    desk.fevers(1, 0, 6..=6).await;
    let listing = |state| Listing {
        organization: "2135010001",
        state,
        standing: false,
    };
    let all = desk
        .app
        .list_clusters(&doctor, listing(0), "", 10)
        .await
        .expect("clusters");
    assert_eq!(all.len(), 2);
    let open = desk
        .app
        .list_clusters(&doctor, listing(1), "", 10)
        .await
        .expect("clusters");
    assert_eq!((open.len(), open[0].people), (1, 3));
}

/// A case based on a cluster, which the school reports and disease control receives.
async fn report(desk: &Desk, cluster: &str) {
    let doctor = Desk::caller(Role::SchoolDoctor, SCHOOL);
    let request = OpenCaseRequest::default();
    let event = NewCase {
        about: About::Event("2135010001".to_owned(), 1, 3),
        disease: 1,
        certainty: 1,
        severity: Severity::Mild,
        onset: Day::NEVER,
        detection: 5,
        basis: cluster.to_owned(),
        detected: None,
        grave: (0, 0),
    };
    let case = desk.app.open_case(&doctor, event, ("", &request)).await;
    let case = case.expect("opened");
    let fired = desk.cluster(cluster).await.fire_time;
    assert_eq!(case.detect_time, fired, "known since the cluster fired");
    let id = case.name.trim_start_matches("cases/");
    let first = ReportRow {
        kind: 1,
        ..ReportRow::default()
    };
    let written = desk
        .app
        .write_report(&doctor, id, first, ("", &request))
        .await;
    written.expect("written");
    assert_eq!(
        desk.cluster(cluster).await.report_time,
        None,
        "not received"
    );
    let control = Desk::caller(Role::DiseaseControl, DISTRICT);
    let step = StepUp::Receive(2, String::new());
    let received = desk.app.step_up(&control, id, step, ("", &request)).await;
    received.expect("received");
}

/// Rule 1.15: neither taking a cluster up nor closing it at the school ends the clock of its report.
async fn only_a_report_that_was_received_ends_its_clock(db: Database) {
    let desk = Desk::open(db).await;
    for class in 1..=5 {
        desk.fevers(class, 0, class * 10..=class * 10 + 2).await;
    }
    let found: Vec<String> = desk
        .standing()
        .await
        .into_iter()
        .map(|one| one.name)
        .collect();
    let [waiting, taken, reported, closed, none] = &found[..] else {
        panic!("five clusters, not {}", found.len())
    };
    desk.clock.advance(Duration::hours(1));
    let doctor = Desk::caller(Role::SchoolDoctor, SCHOOL);
    let id = |name: &str| name.trim_start_matches("clusters/").to_owned();
    let take = AcknowledgeClusterRequest {
        name: taken.clone(),
        note: "已电话报告区疾控".to_owned(),
        ..Default::default()
    };
    desk.app
        .acknowledge_cluster(&doctor, &id(taken), &take)
        .await
        .expect("acknowledged");
    report(&desk, reported).await;
    let close = |name: &str| CloseClusterRequest {
        name: name.to_owned(),
        reason: "核实后排除聚集".to_owned(),
        decided_by: "王校医".to_owned(),
        ..Default::default()
    };
    desk.app
        .close_cluster(&doctor, &id(closed), &close(closed))
        .await
        .expect("closed");
    let officer = Desk::caller(Role::DistrictOfficer, DISTRICT);
    desk.app
        .close_cluster(&officer, &id(none), &close(none))
        .await
        .expect("closed as no event");
    desk.clock.advance(Duration::hours(24));
    for name in [waiting, taken] {
        desk.until(name, |one| one.overdue && one.late).await;
    }
    // Closing it at the school hides nothing: it is waited for no more, and late all the same.
    desk.until(closed, |one| one.late && !one.overdue).await;
    assert_eq!(
        desk.trail(taken).await,
        ["FIRED", "ACKNOWLEDGED", "OVERDUE"]
    );
    let received = desk.cluster(reported).await;
    assert!(received.report_time.is_some() && !received.overdue && !received.late);
    assert_eq!(desk.trail(reported).await, ["FIRED", "REPORTED"]);
    assert!(!desk.cluster(none).await.late);
    // A report that comes late does not hide that it is late.
    report(&desk, waiting).await;
    let late = desk.cluster(waiting).await;
    assert!(late.report_time.is_some() && late.late && !late.overdue);
}

async fn a_cluster_is_announced_without_its_people(db: Database) {
    let desk = Desk::open(db).await;
    desk.fevers(1, 0, 1..=3).await;
    let name = desk.standing().await[0].name.clone();
    let told = desk.announced(&name).await;
    assert_eq!(
        (told.person_count, told.people.len(), told.stands),
        (3, 0, true)
    );
    assert_eq!(told, desk.standing().await[0]);
}
