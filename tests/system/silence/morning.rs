//! A morning on which much becomes known of people: who they are, what ails them, what they say, whom they visit.

use chrono::Duration;
use kit::auth::{BREAK_GLASS, Caller, Role};
use kit::clock::{Clock, SystemClock, start_of};
use kit::field::{to_date, to_timestamp};
use proto::notification::channel_service_client::ChannelServiceClient;
use proto::notification::concern::{Category, Submitter};
use proto::notification::concern_service_client::ConcernServiceClient;
use proto::notification::delivery_service_client::DeliveryServiceClient;
use proto::notification::recipients::Group;
use proto::notification::support_case::Grade;
use proto::notification::support_service_client::SupportServiceClient;
use proto::notification::{
    Audience, Concern, GetMessageRequest, Message, OpenSupportCaseRequest, Recipients,
    SendMessageRequest, SetContactPointRequest, SubmitConcernRequest, SupportCase, message,
};
use proto::roster::check_policy::Slot;
use proto::roster::guardian_service_client::GuardianServiceClient;
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::{
    Disease, GetStudentRequest, ListGuardiansRequest, LookUpStudentRequest,
    RevealGuardianPhoneRequest, Symptom,
};
use proto::safety::check_entry_request::Identity;
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::visitor::DocumentKind;
use proto::safety::visitor_service_client::VisitorServiceClient;
use proto::safety::{BindCardRequest, CreateVisitRequest, IssuePersonCodeRequest, Visit, Visitor};
use proto::sampling::absence_service_client::AbsenceServiceClient;
use proto::sampling::case_service_client::CaseServiceClient;
use proto::sampling::health_service_client::HealthServiceClient;
use proto::sampling::{
    AbsenceReason, CheckAbsence, CheckSubmission, ConfirmUploadRequest, Illness,
    ListAbsencesRequest, ObservePersonRequest, OpenCaseRequest, TraceAbsenceRequest, case, trace,
};
use tests::city::{City, Door, caller};
use tests::town::{CITY, DISTRICT, resident_id, school, school_path};
use tests::until;
use tonic::Request;

use super::encoded;
use crate::checks::{reporter, submit, three_fevers};
use crate::verbs::{check_entry, request_id};

/// Why a number was looked up, a telephone revealed and the glass broken.
const WHY: &str = "核酸异常，核实这名学生的身份";
/// What the family said on the telephone, and what was found in the sick bay.
const CALL: &str = "家长称夜间咳嗽，已去医院";
const NOTE: &str = "体温反复，家长稍后来接";
/// What somebody has to say, and what a counsellor keeps.
const CONCERN: &str = "食堂排队太久，孩子来不及吃完午饭";
const SUPPORT: &str = "近两周情绪低落，不愿与人交谈";
/// A message, and where a family is reached.
const TITLE: &str = "请家长立即到校";
const BODY: &str = "您的孩子身体不适，请带好病历";
const ADDRESS: &str = "13977770001";
/// A visitor, with a document that nobody has.
const VISITOR: [&str; 5] = [
    "林来访",
    "19900007777",
    "榕城电梯有限公司",
    "闽A7Z7Z7",
    "检修三号电梯",
];
const DOCUMENT: u32 = 7777;
/// A card that is shown at the gate.
const CARD: &str = "04A1B2C3D4E5F6";

/// Who is ill, who is away, and who shows a card.
const ILL: u32 = 1;
const AWAY: u32 = 6;
const WITH_CARD: u32 = 4;

fn organization() -> String {
    format!("organizations/{}", school(1))
}

fn class(city: &City) -> String {
    format!("{}/{}", school_path(1), city.town.class_id(1))
}

fn clerk(city: &City) -> Door {
    city.door(Role::SchoolClerk, &school_path(1))
}

fn doctor(city: &City) -> Door {
    city.door(Role::SchoolDoctor, &school_path(1))
}

/// Somebody who is a person of the register.
fn person(city: &City, role: Role, scope: &str, person: &str) -> Door {
    city.door_of(Caller {
        subject: format!("test-{role}-person"),
        person: Some(person.to_owned()),
        ..caller(role, scope)
    })
}

/// What of the morning no database may hold as it was said.
pub(super) fn sealed() -> Vec<String> {
    let [name, phone, _, plate, _] = VISITOR;
    let texts = [CONCERN, SUPPORT, ADDRESS, CARD, name, phone, plate];
    let texts = texts.map(ToOwned::to_owned).into_iter();
    texts.chain([resident_id(DOCUMENT)]).collect()
}

/// Lets the morning pass; gives everything that nobody may be told of it.
pub(super) async fn passes(city: &City) -> Vec<String> {
    the_register_is_asked(city).await;
    class_groups_report(city).await;
    a_case_is_opened(city).await;
    voices_are_heard(city).await;
    families_are_called(city).await;
    let code = people_come_to_the_gate(city).await;
    a_visitor_is_announced(city).await;
    let ill = city.student(1, 1, ILL);
    let (_, id) = ill.split_once('/').expect("a resource name");
    let texts = [
        WHY, CALL, NOTE, CONCERN, SUPPORT, TITLE, BODY, ADDRESS, CARD,
    ];
    let texts = texts.into_iter().chain(VISITOR);
    let texts = texts.map(ToOwned::to_owned);
    let others = [encoded(WHY), resident_id(DOCUMENT), code, id.to_owned()];
    texts.chain(others).collect()
}

/// A number is looked up, a telephone revealed, and the glass broken.
async fn the_register_is_asked(city: &City) {
    let mut students = StudentServiceClient::new(clerk(city));
    let request = LookUpStudentRequest {
        id_number: resident_id(city.town.number(1, 1, ILL)),
        reason: WHY.to_owned(),
        ..LookUpStudentRequest::default()
    };
    let found = students.look_up_student(request).await.expect("is found");
    let student = found.into_inner().name;
    assert_eq!(student, city.student(1, 1, ILL));

    let mut guardians = GuardianServiceClient::new(clerk(city));
    let request = ListGuardiansRequest {
        parent: student.clone(),
        ..ListGuardiansRequest::default()
    };
    let listed = guardians.list_guardians(request).await.expect("are listed");
    let guardian = listed.into_inner().guardians.remove(0);
    let request = RevealGuardianPhoneRequest {
        name: guardian.name,
        reason: WHY.to_owned(),
    };
    let shown = guardians.reveal_guardian_phone(request).await;
    let number = city.town.number(1, 1, ILL);
    let phone = shown.expect("is shown").into_inner().phone;
    assert_eq!(phone, format!("199{number:08}"));

    let mut read = Request::new(GetStudentRequest { name: student });
    let why = encoded(WHY).parse().expect("a header");
    read.metadata_mut().insert(BREAK_GLASS, why);
    let principal = city.door(Role::Principal, &school_path(1));
    let read = StudentServiceClient::new(principal).get_student(read).await;
    read.expect("is read");
}

/// Fevers, somebody away whose family is called, and somebody in the sick bay.
async fn class_groups_report(city: &City) {
    let fevers = three_fevers(city, 1, 1, Slot::Morning);
    let check = CheckSubmission {
        present_count: fevers.roll_count - 1,
        absent_count: 1,
        absences: vec![CheckAbsence {
            person: city.student(1, 1, AWAY).to_owned(),
            reason: AbsenceReason::Unknown.into(),
        }],
        ..fevers
    };
    let own = reporter(city, 1, 1);
    submit(&own, &check).await.expect("is submitted");

    let mut absences = AbsenceServiceClient::new(own);
    let request = ListAbsencesRequest {
        scope: city.town.class_group(1, 1),
        ..ListAbsencesRequest::default()
    };
    let listed = absences.list_absences(request).await.expect("absences");
    let away = listed.into_inner().absences.remove(0).name;
    let request = TraceAbsenceRequest {
        name: away.clone(),
        outcome: trace::Outcome::Reached.into(),
        reason: AbsenceReason::Illness.into(),
        illness: Some(Illness {
            symptoms: vec![Symptom::Cough.into()],
            ..Illness::default()
        }),
        note: CALL.to_owned(),
        request_id: request_id(),
    };
    absences.trace_absence(request).await.expect("is traced");
    let request = ConfirmUploadRequest {
        name: away,
        request_id: request_id(),
    };
    let mut doctors = AbsenceServiceClient::new(doctor(city));
    doctors.confirm_upload(request).await.expect("is uploaded");

    let request = ObservePersonRequest {
        name: format!("{}/health", city.student(1, 1, ILL)),
        room: "观察室".to_owned(),
        guardian_notified: true,
        note: NOTE.to_owned(),
        request_id: request_id(),
    };
    let mut health = HealthServiceClient::new(doctor(city));
    health.observe_person(request).await.expect("is observed");
}

async fn a_case_is_opened(city: &City) {
    let request = OpenCaseRequest {
        person: city.student(1, 2, ILL).to_owned(),
        disease: Disease::Covid19.into(),
        detection: case::Detection::Hospital.into(),
        request_id: request_id(),
        ..OpenCaseRequest::default()
    };
    let control = city.door(Role::DiseaseControl, &format!("{CITY}/{DISTRICT}"));
    let opened = CaseServiceClient::new(control).open_case(request).await;
    opened.expect("is opened");
}

/// A parent complains, and a counsellor cares for a pupil.
async fn voices_are_heard(city: &City) {
    let parent = person(city, Role::Guardian, &class(city), city.student(1, 1, ILL));
    let request = SubmitConcernRequest {
        parent: organization(),
        concern: Some(Concern {
            submitter: Submitter::Guardian.into(),
            category: Category::Living.into(),
            text: CONCERN.to_owned(),
            ..Concern::default()
        }),
        request_id: request_id(),
    };
    let mut concerns = ConcernServiceClient::new(parent);
    concerns.submit_concern(request).await.expect("is heard");
    let request = OpenSupportCaseRequest {
        parent: organization(),
        support_case: Some(SupportCase {
            person: city.student(1, 1, 2).to_owned(),
            grade: Grade::Orange.into(),
            note: SUPPORT.to_owned(),
            ..SupportCase::default()
        }),
        request_id: request_id(),
    };
    let counsellor = city.door(Role::Counsellor, &school_path(1));
    let mut support = SupportServiceClient::new(counsellor);
    support.open_support_case(request).await.expect("is opened");
}

/// Families have a telephone, by which the provider is tried in vain.
async fn families_are_called(city: &City) {
    let officer = city.door(Role::CityOfficer, CITY);
    let request = SetContactPointRequest {
        party: City::guardians_of(city.student(1, 1, ILL)),
        channel: "channels/sms".to_owned(),
        address: ADDRESS.to_owned(),
        request_id: request_id(),
    };
    let mut channels = ChannelServiceClient::new(officer.clone());
    channels.set_contact_point(request).await.expect("is set");
    let message = Message {
        category: message::Category::Notice.into(),
        urgency: message::Urgency::Emergency.into(),
        template: "templates/notice".to_owned(),
        values: [("title", TITLE), ("body", BODY)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        recipients: Some(Recipients {
            audience: Some(Audience {
                organizations: vec![format!("organizations/{CITY}")],
                ..Audience::default()
            }),
            groups: vec![Group::Families.into()],
            ..Recipients::default()
        }),
        channels: vec!["channels/sms".to_owned()],
        ..Message::default()
    };
    let request = SendMessageRequest {
        parent: format!("organizations/{CITY}"),
        message: Some(message),
        request_id: request_id(),
    };
    let mut deliveries = DeliveryServiceClient::new(officer);
    let sent = deliveries.send_message(request).await.expect("is sent");
    let name = sent.into_inner().name;
    until("there is a row for everybody", || async {
        let request = GetMessageRequest { name: name.clone() };
        let read = deliveries.clone().get_message(request).await;
        let read = read.expect("the message").into_inner();
        (read.state() == message::State::Expanded).then_some(())
    })
    .await;
}

/// A pupil shows a code, another one a card, and both are hot. Gives the code.
async fn people_come_to_the_gate(city: &City) -> String {
    let mut clerks = GateServiceClient::new(clerk(city));
    let request = IssuePersonCodeRequest {
        person: city.student(1, 1, ILL).to_owned(),
    };
    let code = clerks.issue_person_code(request).await.expect("is issued");
    let code = code.into_inner().person_code;
    let request = BindCardRequest {
        person: city.student(1, 1, WITH_CARD).to_owned(),
        card: CARD.to_owned(),
        request_id: request_id(),
    };
    clerks.bind_card(request).await.expect("is bound");
    let guard = city.door(Role::Guard, &school_path(1));
    let mut gate = GateServiceClient::new(guard);
    for shown in [
        Identity::PersonCode(code.clone()),
        Identity::Card(CARD.to_owned()),
    ] {
        let mut request = check_entry(1, "", &request_id());
        request.identity = Some(shown);
        if let Some(seen) = &mut request.observation {
            seen.temperature_decidegrees = Some(397);
        }
        gate.check_entry(request).await.expect("is decided");
    }
    code
}

async fn a_visitor_is_announced(city: &City) {
    let tomorrow = SystemClock.today().succ_opt().expect("a day");
    let [name, phone, affiliation, plate, purpose] = VISITOR.map(ToOwned::to_owned);
    let request = CreateVisitRequest {
        parent: organization(),
        visit: Some(Visit {
            visitor: Some(Visitor {
                full_name: name,
                document_kind: DocumentKind::ResidentCard.into(),
                document_number: resident_id(DOCUMENT),
                phone,
                affiliation,
                plate,
                ..Visitor::default()
            }),
            purpose,
            host: city.staff(1, "校长").to_owned(),
            visit_date: Some(to_date(tomorrow)),
            expected_leave_time: Some(to_timestamp(start_of(tomorrow) + Duration::hours(12))),
            ..Visit::default()
        }),
        request_id: request_id(),
    };
    let guard = person(city, Role::Guard, &school_path(1), city.staff(1, "保安"));
    let asked = VisitorServiceClient::new(guard).create_visit(request).await;
    asked.expect("is asked for");
}
