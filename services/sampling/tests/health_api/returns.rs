//! Absences that end by checks, whenever those come (rule 1.8).

use kit::auth::Role;
use kit::scratch::Scratch;
use proto::roster::check_policy::Slot;
use proto::sampling::absence::State;
use proto::sampling::absence_service_client::AbsenceServiceClient;
use proto::sampling::{AbsenceReason, CheckAbsence, CheckSubmission, ListAbsencesRequest};

use super::coverage_site::{Counted, FIRST, SECOND, group};
use super::town::{SCHOOL, on_both_databases, school_path, student};

on_both_databases!(an_absence_ends_by_a_check_that_comes_late);

/// A complete morning check that names these as absent.
fn check(site: &Counted, class: &str, absent: &[u32]) -> CheckSubmission {
    let count = i32::try_from(absent.len()).expect("small");
    let named = absent.iter().map(|number| CheckAbsence {
        person: student(*number),
        reason: AbsenceReason::Personal.into(),
    });
    CheckSubmission {
        present_count: 30 - count,
        absent_count: count,
        absences: named.collect(),
        ..site.zero(&group(SCHOOL, class), Slot::Morning)
    }
}

/// Whose absence has ended.
async fn ended(site: &Counted) -> Vec<String> {
    let doctor = site
        .0
        .authorised(&[Role::SchoolDoctor], &school_path(SCHOOL));
    let request = ListAbsencesRequest {
        scope: format!("organizations/{SCHOOL}"),
        state: State::Ended.into(),
        ..ListAbsencesRequest::default()
    };
    let mut client = AbsenceServiceClient::new(doctor);
    let listed = client.list_absences(request).await;
    let absences = listed.expect("absences").into_inner().absences;
    let mut people: Vec<String> = absences.into_iter().map(|one| one.person).collect();
    people.sort();
    people
}

async fn an_absence_ends_by_a_check_that_comes_late(database: Scratch) {
    let site = Counted::open(database).await;
    site.submit(check(&site, FIRST, &[1])).await;
    site.submit(check(&site, SECOND, &[100])).await;
    site.0.next_day();
    site.submit(check(&site, FIRST, &[])).await;
    site.minutes(31);
    for _ in 0..600 {
        if !ended(&site).await.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(ended(&site).await, [student(1)], "the time is over");
    site.submit(check(&site, SECOND, &[])).await;
    let mut both = [student(1), student(100)];
    both.sort();
    assert_eq!(ended(&site).await, both);
}
