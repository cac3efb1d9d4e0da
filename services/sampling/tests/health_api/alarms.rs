//! What follows at once from what a check says, and is taken back with it or is not: absences, severe
//! signs, public health events (rules 1.4, 1.11, 1.16).

use kit::auth::Role;
use kit::scratch::Scratch;
use proto::roster::Symptom;
use proto::roster::check_policy::Slot;
use proto::sampling::absence::State as AbsenceState;
use proto::sampling::absence_service_client::AbsenceServiceClient;
use proto::sampling::case::{Certainty, Detection, EventKind, State, Subject};
use proto::sampling::case_service_client::CaseServiceClient;
use proto::sampling::check_finding::SevereSign;
use proto::sampling::submit_check_response::Verdict;
use proto::sampling::{
    Absence, AbsenceReason, Case, CheckAbsence, CheckFinding, CheckSubmission, CorrectCheckRequest,
    ListAbsencesRequest, ListCasesRequest,
};

use super::screening_site::{FIRST, SECOND, Site, finding, group};
use super::town::{SCHOOL, on_both_databases, school_path, student};

on_both_databases!(
    an_absence_follows_what_stands_in_either_order,
    a_correction_takes_an_absence_back_or_changes_its_reason,
    a_severe_sign_opens_one_case_that_only_a_human_ends,
    an_event_that_classes_know_of_is_opened_once_a_day,
    an_event_after_one_that_was_ended_is_another,
);

fn absent(check: CheckSubmission, who: &[(u32, AbsenceReason)]) -> CheckSubmission {
    let absences = who.iter().map(|(number, reason)| CheckAbsence {
        person: student(*number),
        reason: (*reason).into(),
    });
    let count = |least: usize, of: usize| i32::try_from(of.max(least)).expect("few");
    let ill = who
        .iter()
        .filter(|(_, reason)| *reason == AbsenceReason::Illness);
    let away = count(1, who.len());
    CheckSubmission {
        absences: absences.collect(),
        absent_count: away,
        present_count: check.roll_count - away,
        ill_absent_count: count(0, ill.count()),
        ..check
    }
}

/// Taken so many minutes ago.
fn taken(site: &Site, check: CheckSubmission, minutes: i64) -> CheckSubmission {
    let time = site.0.now() - chrono::Duration::minutes(minutes);
    CheckSubmission {
        capture_time: Some(prost_types::Timestamp {
            seconds: time.timestamp(),
            nanos: 0,
        }),
        ..check
    }
}

/// The absences of a class group that have neither ended nor been withdrawn, or those in a state.
async fn absences(site: &Site, class: &str, state: AbsenceState) -> Vec<Absence> {
    let scope = school_path(SCHOOL);
    let mut client = AbsenceServiceClient::new(site.0.authorised(&[Role::SchoolDoctor], &scope));
    let request = ListAbsencesRequest {
        scope: group(SCHOOL, class),
        state: state.into(),
        ..Default::default()
    };
    let found = client.list_absences(request).await.expect("absences");
    found.into_inner().absences
}

async fn cases(site: &Site) -> Vec<Case> {
    let scope = school_path(SCHOOL);
    let mut client = CaseServiceClient::new(site.0.authorised(&[Role::SchoolDoctor], &scope));
    let request = ListCasesRequest {
        organization: format!("organizations/{SCHOOL}"),
        ..Default::default()
    };
    client
        .list_cases(request)
        .await
        .expect("cases")
        .into_inner()
        .cases
}

async fn correct(site: &Site, class: &str, check: CheckSubmission) {
    let request = CorrectCheckRequest {
        name: format!("{}/checks/20220328-morning", group(SCHOOL, class)),
        check: Some(check),
        correction_reason: "点名有误".to_owned(),
    };
    site.doctor()
        .correct_check(request)
        .await
        .expect("corrected");
}

async fn an_absence_follows_what_stands_in_either_order(database: Scratch) {
    let site = Site::open(database).await;
    let of = |class: &str, someone: u32| {
        let scope = group(SCHOOL, class);
        let with = absent(
            site.zero(&scope, Slot::Morning),
            &[(someone, AbsenceReason::Illness)],
        );
        let without = site.zero(&scope, Slot::Morning);
        (taken(&site, with, 5), taken(&site, without, 20))
    };
    let (late, early) = of(FIRST, 3);
    assert_eq!(site.submit(&late).await.0, Verdict::Stored);
    assert_eq!(
        absences(&site, FIRST, AbsenceState::Unspecified)
            .await
            .len(),
        1
    );
    assert_eq!(site.submit(&early).await.0, Verdict::Stored);
    let (late, early) = of(SECOND, 103);
    site.submit(&early).await;
    site.submit(&late).await;
    for class in [FIRST, SECOND] {
        let open = absences(&site, class, AbsenceState::Unspecified).await;
        assert_eq!(open, [], "{class}: the check taken first stands");
    }
    let signs = site.signs().await;
    assert!(signs.is_empty(), "and nobody is taken for ill");
}

async fn a_correction_takes_an_absence_back_or_changes_its_reason(database: Scratch) {
    let site = Site::open(database).await;
    let scope = group(SCHOOL, FIRST);
    let ill = [(3, AbsenceReason::Illness), (4, AbsenceReason::Illness)];
    let check = absent(site.zero(&scope, Slot::Morning), &ill);
    site.submit(&check).await;
    assert_eq!(site.signs().await.len(), 2);
    let other = absent(
        site.zero(&scope, Slot::Morning),
        &[(4, AbsenceReason::Personal)],
    );
    correct(&site, FIRST, other).await;
    let open = absences(&site, FIRST, AbsenceState::Unspecified).await;
    let [left] = open.as_slice() else {
        panic!("one is left, not {}", open.len())
    };
    assert_eq!(
        (left.person.as_str(), left.reason()),
        (&*student(4), AbsenceReason::Personal)
    );
    assert_eq!(left.upload_due_time, None);
    assert!(
        site.signs().await.is_empty(),
        "a matter of the family's own"
    );
    let gone = absences(&site, FIRST, AbsenceState::Withdrawn).await;
    assert_eq!((gone.len(), &*gone[0].person), (1, &*student(3)));
    assert_eq!(gone[0].contact_due_time, None, "nobody is traced");
}

async fn a_severe_sign_opens_one_case_that_only_a_human_ends(database: Scratch) {
    let site = Site::open(database).await;
    let scope = group(SCHOOL, FIRST);
    let severe = CheckFinding {
        severe_signs: vec![SevereSign::Dyspnoea.into()],
        ..finding(student(3), &[Symptom::Cough])
    };
    let mild = finding(student(5), &[Symptom::Cough]);
    let check = taken(
        &site,
        site.ill(&scope, Slot::Morning, vec![severe, mild]),
        7,
    );
    let (_, stored) = site.submit(&check).await;
    let opened = cases(&site).await;
    let [case] = opened.as_slice() else {
        panic!("one case, not {}", opened.len())
    };
    assert_eq!(
        (case.subject(), case.person.as_str(), case.certainty()),
        (Subject::Person, &*student(3), Certainty::Suspected)
    );
    assert_eq!(
        (case.detection(), &case.basis),
        (Detection::Check, &stored.name)
    );
    assert_eq!(case.detect_time, check.capture_time);
    let due = case.first_report_due_time.expect("a clock").seconds;
    let found = case.detect_time.expect("a time").seconds;
    assert_eq!(due - found, 24 * 3600, "rule 1.16");
    site.submit(&check).await;
    correct(&site, FIRST, site.zero(&scope, Slot::Morning)).await;
    let after = cases(&site).await;
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].state(), State::Open, "only a human rules it out");
}

async fn an_event_that_classes_know_of_is_opened_once_a_day(database: Scratch) {
    let site = Site::open(database).await;
    for class in [FIRST, SECOND] {
        let check = CheckSubmission {
            unexplained_group_illness: true,
            ..site.zero(&group(SCHOOL, class), Slot::Morning)
        };
        site.submit(&check).await;
    }
    let noon = CheckSubmission {
        public_health_event: true,
        ..site.zero(&group(SCHOOL, FIRST), Slot::Noon)
    };
    site.submit(&noon).await;
    let mut events = cases(&site).await;
    events.sort_by_key(|event| event.event_kind);
    let kinds: Vec<EventKind> = events.iter().map(Case::event_kind).collect();
    assert_eq!(kinds, [EventKind::UnexplainedIllness, EventKind::Other]);
    for event in events {
        assert!(event.subject() == Subject::Event && event.urgent);
        let due = event.first_report_due_time.expect("a clock").seconds;
        assert_eq!(due - event.detect_time.expect("a time").seconds, 24 * 3600);
    }
}

/// Rule 1.16: what was ended silences nothing that is seen afterwards, and each report adds its people.
async fn an_event_after_one_that_was_ended_is_another(database: Scratch) {
    let site = Site::open(database).await;
    let known = |class: &str, slot| CheckSubmission {
        unexplained_group_illness: true,
        ..site.zero(&group(SCHOOL, class), slot)
    };
    site.submit(&known(FIRST, Slot::Morning)).await;
    site.submit(&known(SECOND, Slot::Morning)).await;
    let told = |events: &[Case]| -> Vec<(State, i32)> {
        let mut told: Vec<_> = events
            .iter()
            .map(|event| (event.state(), event.person_count))
            .collect();
        told.sort_by_key(|(state, count)| (*state as i32, *count));
        told
    };
    let events = cases(&site).await;
    assert_eq!(told(&events), [(State::Open, 2)]);
    let scope = school_path(SCHOOL);
    let mut doctor = CaseServiceClient::new(site.0.authorised(&[Role::SchoolDoctor], &scope));
    let close = super::cases::close(&events[0].name);
    doctor.close_case(close).await.expect("ended");
    site.0.clock.advance(chrono::Duration::minutes(20));
    site.submit(&known(FIRST, Slot::Noon)).await;
    let both = [(State::Open, 1), (State::Closed, 2)];
    assert_eq!(told(&cases(&site).await), both);
    // The check that led to the first one says it again: that is no other one.
    correct(&site, FIRST, known(FIRST, Slot::Morning)).await;
    assert_eq!(told(&cases(&site).await), both);
}
