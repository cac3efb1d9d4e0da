//! What sampling tells a pupil that it holds about them, and what it tells whoever handles the request.

use std::sync::atomic::Ordering;

use kit::auth::Role;
use proto::roster::Symptom;
use proto::roster::check_policy::Slot;
use proto::sampling::{AbsenceReason, ResultValue};
use proto::subject::held_data_service_client::HeldDataServiceClient;
use proto::subject::held_section::Telling;
use proto::subject::{ExportHeldDataRequest, HeldSection};
use tonic::{Code, Status};

use super::clinic::{Clinic, denied};
use super::screening_site::{Site, finding, group, teacher};
use super::site::CLASS;
use super::town::{Authorised, SCHOOL, on_both_databases, reason, school_path, student};

const REQUEST: &str =
    "organizations/2135010001/subjectRequests/0b9c3f5e-a111-4222-8333-44445555abcd";

on_both_databases!(
    a_pupil_is_told_in_full_and_nothing_of_the_others,
    a_handler_is_told_no_more_than_in_daily_work,
    without_a_request_or_the_roster_nothing_is_told,
    who_works_is_told_of_their_own_checks_and_no_colleague_is,
);

async fn export(client: Authorised) -> Result<Vec<HeldSection>, Status> {
    let mut client = HeldDataServiceClient::new(client);
    let name = REQUEST.to_owned();
    let mut parts = client
        .export_held_data(ExportHeldDataRequest { name })
        .await?
        .into_inner();
    let mut sections = Vec::new();
    while let Some(part) = parts.message().await? {
        sections.extend(part.section);
    }
    Ok(sections)
}

fn of<'a>(told: &'a [HeldSection], section: &str) -> &'a HeldSection {
    let mut sections = told.iter().filter(|one| one.section == section);
    sections.next().expect(section)
}

/// The values of a field in a section.
fn values<'a>(told: &'a [HeldSection], section: &str, field: &str) -> Vec<&'a str> {
    let fields = of(told, section)
        .records
        .iter()
        .flat_map(|record| &record.fields);
    let named = fields.filter(|one| one.field == field);
    named.map(|one| one.value.as_str()).collect()
}

/// A tube of five pupils that is positive, and one of them is absent by illness.
async fn eventful(database: kit::scratch::Scratch) -> Clinic {
    let clinic = Clinic::open(database).await;
    clinic.0.filled("FZ-1001", 0..5).await;
    clinic.0.filled("FZ-1002", 5..9).await;
    clinic.0.report("FZ-1001", 1, ResultValue::Positive).await;
    clinic.record(3, AbsenceReason::Illness).await;
    let place = format!("{}/{CLASS}", school_path(SCHOOL));
    clinic.0.0.roster.subjects.say(REQUEST, &student(3), &place);
    clinic
}

async fn a_pupil_is_told_in_full_and_nothing_of_the_others(database: kit::scratch::Scratch) {
    let clinic = eventful(database).await;
    for role in [Role::Student, Role::Guardian] {
        let told = export(clinic.0.0.family(role, &student(3))).await;
        let told = told.expect("it is told");
        assert!(
            told.iter().all(|one| one.telling() == Telling::Full),
            "{told:?}"
        );
        let class = format!("organizations/{SCHOOL}/classGroups/{CLASS}");
        assert_eq!(values(&told, "roll", "class_group"), [class]);
        assert_eq!(values(&told, "swabs", "tube"), ["FZ-1001"]);
        assert_eq!(of(&told, "uncounted_swabs").record_count, 0);
        assert_eq!(values(&told, "results", "value"), ["RESULT_VALUE_POSITIVE"]);
        assert_eq!(values(&told, "holds", "state"), ["STATE_ACTIVE"]);
        assert_eq!(
            values(&told, "absences", "reason"),
            ["ABSENCE_REASON_ILLNESS"]
        );
        assert_eq!(values(&told, "clearance", "control").len(), 1);
        let all = format!("{told:?}");
        for number in [0, 4, 5] {
            let other = student(number);
            assert!(
                !all.contains(other.trim_start_matches("students/")),
                "{other}"
            );
        }
        for section in &told {
            assert!(!section.purpose.is_empty() && !section.basis.is_empty());
            assert!(!section.retention.is_empty(), "{}", section.section);
        }
    }
    let heard = clinic.0.0.roster.subjects.heard();
    assert_eq!(heard.len(), 2, "each read is a disclosure");
    assert!(heard.iter().all(|one| one.service == "sampling"));
}

async fn a_handler_is_told_no_more_than_in_daily_work(database: kit::scratch::Scratch) {
    let clinic = eventful(database).await;
    let school = school_path(SCHOOL);
    let told = export(clinic.at(Role::SchoolClerk, &school)).await;
    let told = told.expect("it is told");
    assert_eq!(values(&told, "swabs", "tube"), ["FZ-1001"]);
    for section in [
        "results",
        "signs",
        "absences",
        "medical_states",
        "cases",
        "contacts",
    ] {
        let withheld = of(&told, section);
        assert_eq!(withheld.telling(), Telling::Withheld, "{section}");
        assert_eq!((withheld.record_count, withheld.records.len()), (0, 0));
        assert!(!withheld.withheld_reason.is_empty());
    }
    let both = clinic
        .0
        .0
        .authorised(&[Role::SchoolClerk, Role::SchoolDoctor], &school);
    let told = export(both).await.expect("it is told");
    let absences = of(&told, "absences");
    assert_eq!(
        (absences.telling(), absences.record_count),
        (Telling::Full, 1)
    );

    for role in [Role::SchoolDoctor, Role::Principal, Role::ClassReporter] {
        let refused = export(clinic.at(role, &school)).await;
        assert_eq!(reason(&refused.expect_err("refused")), denied(), "{role}");
    }
}

async fn without_a_request_or_the_roster_nothing_is_told(database: kit::scratch::Scratch) {
    let clinic = eventful(database).await;
    let subjects = &clinic.0.0.roster.subjects;
    let clerk = || clinic.at(Role::SchoolClerk, &school_path(SCHOOL));
    subjects.close(REQUEST);
    let refused = export(clerk()).await.expect_err("it is closed");
    let closed = (Code::FailedPrecondition, "SUBJECT_REQUEST_STATE".to_owned());
    assert_eq!(reason(&refused), closed);
    let place = format!("{}/{CLASS}", school_path(SCHOOL));
    subjects.say(REQUEST, &student(4), &place);
    let stranger = clinic.0.0.family(Role::Guardian, &student(3));
    let refused = export(stranger).await.expect_err("another's child");
    assert_eq!(reason(&refused), denied());
    subjects.down.store(true, Ordering::SeqCst);
    let refused = export(clerk()).await.expect_err("nobody is asked");
    assert_eq!(reason(&refused).0, Code::Unavailable);
}

async fn who_works_is_told_of_their_own_checks_and_no_colleague_is(
    database: kit::scratch::Scratch,
) {
    let site = Site::open(database).await;
    let staff = group(SCHOOL, "staff-03");
    let ill = [teacher(1), teacher(2)].map(|one| finding(one, &[Symptom::Cough]));
    site.submit(&site.ill(&staff, Slot::Morning, ill.to_vec()))
        .await;
    let subjects = &site.0.roster.subjects;
    subjects.say(REQUEST, &teacher(1), &school_path(SCHOOL));
    let told = export(site.0.family(Role::ClassReporter, &teacher(1))).await;
    let told = told.expect("it is told");
    let in_full = |one: &HeldSection| one.telling() == Telling::Full;
    assert!(told.iter().all(in_full), "{told:?}");
    assert_eq!(values(&told, "roll", "class_group"), [staff]);
    assert_eq!(values(&told, "checks", "slot").len(), 1);
    assert_eq!(of(&told, "signs").record_count, 1);
    let other = teacher(2);
    let all = format!("{told:?}");
    assert!(!all.contains(other.trim_start_matches("staff/")), "{all}");
    let colleague = export(site.0.family(Role::ClassReporter, &other)).await;
    assert_eq!(reason(&colleague.expect_err("refused")), denied());
    let clerk = site
        .0
        .authorised(&[Role::SchoolClerk], &school_path(SCHOOL));
    let clerk = export(clerk).await.expect("it is told");
    assert_eq!(of(&clerk, "signs").telling(), Telling::Withheld);
}
