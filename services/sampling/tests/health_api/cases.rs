//! Cases from the first suspicion to their end (rules 1.16, 2.22), and their documents.

use futures_util::TryStreamExt;
use kit::auth::Role;
use proto::roster::Disease;
use proto::sampling::case::{Certainty, Detection, EventKind, Outcome, Severity, State, Subject};
use proto::sampling::case_service_client::CaseServiceClient;
use proto::sampling::{
    Case, CaseEvent, CloseCaseRequest, ConfirmCaseRequest, ExportCaseRequest, ExportFormat,
    GetCaseRequest, ListCaseEventsRequest, ListCaseExportsRequest, ListCasesRequest,
    OpenCaseRequest, ResultValue, RuleOutCaseRequest, UpdateSeverityRequest, case_event,
    case_report,
};
use sea_orm::ConnectionTrait;
use tonic::Code;

use super::site::{CLASS, Site, refused};
use super::town::{
    Authorised, CITY, OTHER_SCHOOL, SCHOOL, on_both_databases, reason, school_path, student,
};

on_both_databases!(
    a_case_goes_from_suspicion_to_its_end,
    only_who_works_there_opens_a_case,
    an_event_names_nobody,
    a_positive_single_opens_one_case_and_a_correction_rules_it_out,
    closing_a_case_ends_what_its_hold_put_on_people,
    what_weighs_is_ruled_out_above_the_school,
    an_export_is_logged_before_it_leaves,
);

pub(crate) fn doctor(site: &Site) -> CaseServiceClient<Authorised> {
    let scope = school_path(SCHOOL);
    CaseServiceClient::new(site.0.authorised(&[Role::SchoolDoctor], &scope))
}

pub(crate) fn disease_control(site: &Site) -> CaseServiceClient<Authorised> {
    CaseServiceClient::new(site.as_role(Role::DiseaseControl, None))
}

pub(crate) fn of_person(number: u32, disease: Disease) -> OpenCaseRequest {
    OpenCaseRequest {
        person: student(number),
        disease: disease.into(),
        detection: Detection::Hospital.into(),
        ..Default::default()
    }
}

pub(crate) async fn open(site: &Site, request: OpenCaseRequest) -> Case {
    let opened = doctor(site).open_case(request).await;
    opened.expect("a case").into_inner()
}

pub(crate) async fn get(site: &Site, name: &str) -> Case {
    let request = GetCaseRequest {
        name: name.to_owned(),
    };
    let found = doctor(site).get_case(request).await;
    found.expect("a case").into_inner()
}

pub(crate) async fn all(site: &Site) -> Vec<Case> {
    let request = ListCasesRequest {
        organization: format!("organizations/{SCHOOL}"),
        ..Default::default()
    };
    let found = doctor(site).list_cases(request).await;
    found.expect("cases").into_inner().cases
}

async fn events(site: &Site, case: &str) -> Vec<CaseEvent> {
    let request = ListCaseEventsRequest {
        case: case.to_owned(),
        ..Default::default()
    };
    let found = doctor(site).list_case_events(request).await;
    found.expect("events").into_inner().case_events
}

/// What cases say of people: disease, certainty and severity.
async fn signs(site: &Site) -> Vec<(i16, i16, i16)> {
    let db = kit::db::Database::connect(&site.0.database)
        .await
        .expect("the database");
    let sql = "SELECT disease, certainty, severity FROM signs WHERE certainty <> 3 ORDER BY source";
    let rows = db
        .read()
        .query_all_raw(kit::db::statement(db.read(), sql, []));
    let rows = rows.await.expect("signs");
    let signs = rows.iter().map(|row| {
        let at = |place| row.try_get_by_index(place).expect("a number");
        (at(0), at(1), at(2))
    });
    let signs = signs.collect();
    db.close().await;
    signs
}

pub(crate) fn rule_out(name: &str) -> RuleOutCaseRequest {
    RuleOutCaseRequest {
        name: name.to_owned(),
        reason: "两次复核均为阴性".to_owned(),
        ..Default::default()
    }
}

pub(crate) fn close(name: &str) -> CloseCaseRequest {
    CloseCaseRequest {
        name: name.to_owned(),
        outcome: Outcome::Recovered.into(),
        ..Default::default()
    }
}

async fn a_case_goes_from_suspicion_to_its_end(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let request = OpenCaseRequest {
        request_id: uuid::Uuid::new_v4().to_string(),
        onset_date: Some(site.0.date()),
        ..of_person(1, Disease::Varicella)
    };
    let opened = open(&site, request.clone()).await;
    assert_eq!(
        open(&site, request).await,
        opened,
        "a repeat has one effect"
    );
    assert_eq!(
        (opened.state(), opened.certainty(), opened.severity()),
        (State::Open, Certainty::Suspected, Severity::Mild)
    );
    assert_eq!(opened.person, student(1));
    let class_group = format!("organizations/{SCHOOL}/classGroups/{CLASS}");
    assert_eq!(opened.class_group, class_group);
    let varicella = i16::try_from(i32::from(Disease::Varicella)).expect("small");
    assert_eq!(signs(&site).await, [(varicella, 1, 1)]);
    let again = doctor(&site)
        .open_case(of_person(1, Disease::Varicella))
        .await;
    let again = again.expect_err("open already");
    assert_eq!(again.code(), Code::AlreadyExists);

    let name = opened.name.clone();
    let confirm = ConfirmCaseRequest {
        name: name.clone(),
        reason: "县疾控实验室确诊".to_owned(),
        ..Default::default()
    };
    let confirmed = disease_control(&site).confirm_case(confirm.clone()).await;
    assert_eq!(
        confirmed.expect("confirmed").into_inner().certainty(),
        Certainty::Confirmed
    );
    let twice = disease_control(&site).confirm_case(confirm).await;
    assert_eq!(reason(&twice.expect_err("once")), refused("CASE_STATE"));
    let grave = UpdateSeverityRequest {
        name: name.clone(),
        severity: Severity::Hospitalised.into(),
        ..Default::default()
    };
    doctor(&site)
        .update_severity(grave)
        .await
        .expect("in hospital");
    assert_eq!(signs(&site).await, [(varicella, 2, 2)]);
    let closed = doctor(&site)
        .close_case(close(&name))
        .await
        .expect("closed");
    let closed = closed.into_inner();
    assert_eq!(
        (closed.state(), closed.outcome()),
        (State::Closed, Outcome::Recovered)
    );
    assert_eq!(signs(&site).await, [(varicella, 2, 2)], "it was an illness");
    let late = doctor(&site).rule_out_case(rule_out(&name)).await;
    assert_eq!(reason(&late.expect_err("closed")), refused("CASE_STATE"));

    let kinds: Vec<_> = events(&site, &name)
        .await
        .iter()
        .map(CaseEvent::kind)
        .collect();
    use case_event::Kind as K;
    assert_eq!(kinds, [K::Opened, K::Confirmed, K::Severity, K::Closed]);

    let other = open(&site, of_person(2, Disease::Hfmd)).await;
    assert_eq!(signs(&site).await.len(), 2);
    let excluded = doctor(&site).rule_out_case(rule_out(&other.name)).await;
    let excluded = excluded.expect("ruled out").into_inner();
    assert_eq!(
        (excluded.certainty(), excluded.state()),
        (Certainty::Excluded, State::Closed)
    );
    assert_eq!(
        signs(&site).await.len(),
        1,
        "nothing is said of what was none"
    );
}

async fn only_who_works_there_opens_a_case(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let case = open(&site, of_person(1, Disease::Mumps)).await;
    let elsewhere = school_path(OTHER_SCHOOL);
    let denied = (Code::PermissionDenied, "SCOPE_DENIED".to_owned());
    let as_role = |role, scope: &str| CaseServiceClient::new(site.0.authorised(&[role], scope));
    let open = as_role(Role::SchoolDoctor, &elsewhere)
        .open_case(of_person(2, Disease::Mumps))
        .await;
    assert_eq!(reason(&open.expect_err("another school")), denied);
    let unknown = as_role(Role::SchoolDoctor, &elsewhere)
        .open_case(of_person(9_999, Disease::Mumps))
        .await;
    assert_eq!(
        reason(&unknown.expect_err("nobody")),
        denied,
        "the same for nobody"
    );
    for (role, scope) in [
        (Role::SchoolDoctor, elsewhere.as_str()),
        (Role::ClassReporter, &school_path(SCHOOL)),
        (Role::Laboratory, CITY),
        (Role::Guard, CITY),
    ] {
        let request = GetCaseRequest {
            name: case.name.clone(),
        };
        let read = as_role(role, scope).get_case(request).await;
        assert_eq!(reason(&read.expect_err("not theirs")), denied, "{role:?}");
    }
    let written = as_role(Role::DistrictOfficer, CITY)
        .open_case(of_person(3, Disease::Mumps))
        .await;
    assert_eq!(reason(&written.expect_err("reads only")), denied);
    let named = RuleOutCaseRequest {
        reason: "家长电话 13800000000".to_owned(),
        ..rule_out(&case.name)
    };
    let named = doctor(&site)
        .rule_out_case(named)
        .await
        .expect_err("a number");
    assert_eq!(named.code(), Code::InvalidArgument);
}

async fn an_event_names_nobody(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let request = OpenCaseRequest {
        organization: format!("organizations/{SCHOOL}"),
        detection: Detection::Cluster.into(),
        basis: "clusters/c0ffee".to_owned(),
        event_kind: EventKind::UnexplainedIllness.into(),
        person_count: 12,
        ..Default::default()
    };
    let event = open(&site, request).await;
    assert_eq!((event.subject(), event.person_count), (Subject::Event, 12));
    assert!(event.person.is_empty() && event.class_group.is_empty() && event.urgent);
    assert_eq!(event.hops.len(), 5);
    assert_eq!(signs(&site).await, []);
    let grave = UpdateSeverityRequest {
        name: event.name.clone(),
        severity: Severity::Dead.into(),
        ..Default::default()
    };
    let grave = doctor(&site).update_severity(grave).await;
    assert_eq!(reason(&grave.expect_err("of whom?")), refused("CASE_STATE"));
}

/// Opens a hold of three people whose second one is positive alone.
pub(crate) async fn positive_single(site: &Site) {
    site.filled("FZ-0001", 0..3).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Positive).await.0);
    for number in 0..3 {
        let code = format!("SG-{number:04}");
        site.single(&code, "holds/FZ-0001", number).await;
    }
    for (code, value) in [
        ("SG-0001", ResultValue::Suspect),
        ("SG-0000", ResultValue::Negative),
        ("SG-0002", ResultValue::Negative),
    ] {
        assert!(site.report(code, 1, value).await.0);
    }
}

async fn a_positive_single_opens_one_case_and_a_correction_rules_it_out(
    database: kit::scratch::Scratch,
) {
    let site = Site::open(database).await;
    positive_single(&site).await;
    let found = all(&site).await;
    let [case] = found.as_slice() else {
        panic!("one case, not {}", found.len());
    };
    assert_eq!(
        (case.person.as_str(), case.disease()),
        (&*student(1), Disease::Covid19)
    );
    assert_eq!(
        case.certainty(),
        Certainty::Suspected,
        "until disease control confirms"
    );
    assert_eq!(
        (case.detection(), &*case.basis),
        (Detection::Laboratory, "holds/FZ-0001")
    );
    assert!(case.urgent);
    assert!(
        site.report("SG-0001", 1, ResultValue::Suspect).await.0,
        "a repeat"
    );
    assert_eq!(all(&site).await, found);

    assert!(site.report("SG-0001", 2, ResultValue::Negative).await.0);
    let gone = get(&site, &case.name).await;
    assert_eq!(
        (gone.certainty(), gone.outcome()),
        (Certainty::Excluded, Outcome::ResultCorrected)
    );
    assert_eq!((signs(&site).await.len(), site.not_clear().await), (0, 0));
    assert!(site.report("SG-0001", 3, ResultValue::Positive).await.0);
    let back = get(&site, &case.name).await;
    assert_eq!(
        (back.certainty(), back.state()),
        (Certainty::Suspected, State::Open)
    );
    assert_eq!((signs(&site).await.len(), site.not_clear().await), (1, 3));
    assert_eq!(all(&site).await.len(), 1);
}

async fn closing_a_case_ends_what_its_hold_put_on_people(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    positive_single(&site).await;
    assert_eq!(site.not_clear().await, 3);
    let case = all(&site).await.remove(0);
    let ruled_out = disease_control(&site)
        .rule_out_case(rule_out(&case.name))
        .await;
    ruled_out.expect("ruled out");
    assert_eq!(site.not_clear().await, 0);
    assert!(
        site.report("SG-0001", 1, ResultValue::Suspect).await.0,
        "a repeat"
    );
    assert!(
        site.report("FZ-0001", 2, ResultValue::Suspect).await.0,
        "the pool again"
    );
    assert_eq!(site.not_clear().await, 0, "the hold does not come back");
    // What a human ruled out, a later positive version finds again.
    assert!(site.report("SG-0001", 2, ResultValue::Positive).await.0);
    assert_eq!(get(&site, &case.name).await.state(), State::Open);
    assert_eq!(site.not_clear().await, 3);
    doctor(&site)
        .close_case(close(&case.name))
        .await
        .expect("closed");
    assert_eq!(site.not_clear().await, 0);
}

/// Rules 1.16, 1.17: what disease control confirmed, a laboratory found, is urgent or was reported is
/// not undone by the school.
async fn what_weighs_is_ruled_out_above_the_school(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    positive_single(&site).await;
    let laboratory = all(&site).await.remove(0).name;
    let confirmed = OpenCaseRequest {
        certainty: Certainty::Confirmed.into(),
        ..of_person(10, Disease::Mumps)
    };
    let confirmed = open(&site, confirmed).await.name;
    let urgent = open(&site, of_person(11, Disease::Cholera)).await.name;
    let reported = open(&site, of_person(12, Disease::Mumps)).await.name;
    let first = super::reports::write(&site, &reported, case_report::Kind::First).await;
    first.expect("first");
    let denied = (Code::PermissionDenied, "CASE_DECIDED_ABOVE".to_owned());
    for name in [&laboratory, &confirmed, &urgent, &reported] {
        let school = doctor(&site).rule_out_case(rule_out(name)).await;
        assert_eq!(reason(&school.expect_err("not at the school")), denied);
        assert_eq!(get(&site, name).await.state(), State::Open);
        let free = CloseCaseRequest {
            release_contacts: true,
            ..close(name)
        };
        let free = doctor(&site).close_case(free).await;
        assert_eq!(reason(&free.expect_err("not at the school")), denied);
        let above = disease_control(&site).rule_out_case(rule_out(name)).await;
        let above = above.expect("ruled out").into_inner();
        assert_eq!(above.certainty(), Certainty::Excluded);
    }
    // All else stays with the school.
    let own = open(&site, of_person(13, Disease::Mumps)).await.name;
    let own = doctor(&site).rule_out_case(rule_out(&own)).await;
    own.expect("the school's own suspicion");
}

async fn an_export_is_logged_before_it_leaves(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let case = open(&site, of_person(1, Disease::Influenza)).await;
    let request = |format: ExportFormat| ExportCaseRequest {
        name: case.name.clone(),
        format: format.into(),
        purpose: "县疾控流行病学调查".to_owned(),
    };
    let denied = doctor(&site).export_case(request(ExportFormat::Csv)).await;
    assert_eq!(
        denied.expect_err("not a doctor's").code(),
        Code::PermissionDenied
    );
    let mut documents = Vec::new();
    for format in [
        ExportFormat::Csv,
        ExportFormat::Json,
        ExportFormat::CsvReports,
        ExportFormat::CsvContacts,
    ] {
        let chunks = disease_control(&site).export_case(request(format)).await;
        let chunks: Vec<_> = chunks
            .expect("a file")
            .into_inner()
            .try_collect()
            .await
            .expect("all");
        let bytes = chunks.into_iter().flat_map(|chunk| chunk.content).collect();
        documents.push(String::from_utf8(bytes).expect("UTF-8"));
    }
    assert!(documents[0].starts_with("\u{feff}card_number,card_kind,"));
    assert!(documents[0].contains(&format!("\r\n{},INITIAL,PERSON,", case.name)));
    assert!(documents[1].contains(&format!("\"patient\":\"{}\"", student(1))));
    let named = format!("\"school_display_name\":\"学校 {SCHOOL}\"");
    assert!(documents[1].contains(&named), "{}", documents[1]);
    assert!(documents[1].contains("\"disease_class\":\"丙类\",\"occupation\":\"学生\""));
    assert!(documents[2].starts_with("\u{feff}sequence,kind,"));
    assert!(documents[3].starts_with("\u{feff}person,kind,"));
    let nothing = ExportCaseRequest {
        purpose: String::new(),
        ..request(ExportFormat::Csv)
    };
    let nothing = disease_control(&site).export_case(nothing).await;
    assert_eq!(nothing.expect_err("why?").code(), Code::InvalidArgument);
    let request = ListCaseExportsRequest {
        case: case.name.clone(),
        ..Default::default()
    };
    let log = doctor(&site)
        .list_case_exports(request)
        .await
        .expect("a log");
    let log = log.into_inner().case_exports;
    let hashes: Vec<&str> = log.iter().map(|line| line.sha256.as_str()).collect();
    let hash = |text: &String| {
        use sha2::Digest;
        hex::encode(sha2::Sha256::digest(text.as_bytes()))
    };
    assert_eq!(hashes, documents.iter().map(hash).collect::<Vec<_>>());
    assert!(log.iter().all(|line| line.purpose == "县疾控流行病学调查"));
}
