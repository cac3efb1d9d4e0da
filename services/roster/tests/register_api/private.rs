//! Identity and phone numbers: found by whoever may look, and never left lying about.
#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use crate::desk;
use crate::desk::desk_suite;
use std::fs;

use crate::desk::{Desk, GULOU_PRIMARY};
use crate::people::{
    FUQING_THIRD, Follower, REQUEST, THIRD, enrol, enrolment, invalid, number, plant, refusal,
    refused, resident, today,
};
use kit::auth::Role;
use prost::Message;
use proto::roster::guardian_service_client::GuardianServiceClient;
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::{
    CreateGuardianRequest, Guardian, IdType, LookUpStudentRequest, RevealGuardianPhoneRequest,
    Student, TransferStudentRequest, UpdateStudentRequest, WithdrawStudentRequest,
};
use sea_orm::ConnectionTrait;
use sha2::{Digest, Sha256};
use tonic::Code;

type Client = StudentServiceClient<desk::Door>;

fn look_up(id_number: &str) -> LookUpStudentRequest {
    LookUpStudentRequest {
        id_type: 0,
        id_number: id_number.to_owned(),
        reason: "核酸异常，核实身份".to_owned(),
    }
}

fn clerk(desk: &Desk) -> Client {
    let school = format!("fz/350102/{GULOU_PRIMARY}");
    StudentServiceClient::new(desk.caller(Role::SchoolClerk, &school))
}

/// A resident number that ends in X.
fn ending_in_x() -> String {
    let mut serials = 1..999;
    let number = serials.find_map(|serial| {
        let number = resident("20120901", serial);
        number.ends_with('X').then_some(number)
    });
    number.expect("one in eleven ends so")
}

fn full_width(text: &str) -> String {
    let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c);
    text.chars().map(wide).collect()
}

async fn a_number_is_understood_as_people_write_it(desk: Desk) {
    plant(&desk).await;
    let id_number = ending_in_x();
    let student = enrol(&desk, THIRD, &id_number).await;
    let mut client = clerk(&desk);
    let lower = id_number.to_lowercase();
    let (head, tail) = lower.split_at(6);
    for written in [
        &*id_number,
        &lower,
        &full_width(&lower),
        &format!(" {head} {tail}\u{3000}"),
    ] {
        let found = client.look_up_student(look_up(written)).await;
        assert_eq!(found.unwrap().into_inner(), student, "{written}");
    }
    let kept = "SELECT COUNT(*) FROM disclosures WHERE act = 'LookUpStudent' \
        AND reason = '核酸异常，核实身份' AND principal = 'test-school-clerk' \
        AND subject = (SELECT id FROM students)";
    assert_eq!(number(&desk, kept).await, 4);
}

async fn a_passport_is_found_as_a_passport_only(desk: Desk) {
    plant(&desk).await;
    let mut request = enrolment(THIRD, "John Smith");
    if let Some(student) = &mut request.student {
        student.id_type = IdType::Passport.into();
        student.id_number = "e 1234 5678".to_owned();
    }
    let mut client = clerk(&desk);
    let student = client.create_student(request).await.unwrap().into_inner();
    let with = |id_type: IdType| LookUpStudentRequest {
        id_type: id_type.into(),
        ..look_up("Ｅ12345678")
    };
    let found = client.look_up_student(with(IdType::Passport)).await;
    assert_eq!(found.unwrap().into_inner(), student);
    let other = client.look_up_student(with(IdType::TaiwanPermit)).await;
    let expected = refused(Code::NotFound, "NOT_FOUND");
    assert_eq!(refusal(other.unwrap_err()), expected);
}

async fn nobody_and_somebody_elsewhere_are_answered_alike(desk: Desk) {
    plant(&desk).await;
    let elsewhere = resident("20120901", 1);
    enrol(&desk, FUQING_THIRD, &elsewhere).await;
    let mut client = clerk(&desk);
    let mut answers = Vec::new();
    for written in [elsewhere, resident("20120901", 3)] {
        let status = client.look_up_student(look_up(&written)).await;
        let status = status.unwrap_err();
        answers.push((status.message().to_owned(), status.details().to_vec()));
        assert_eq!(refusal(status), refused(Code::NotFound, "NOT_FOUND"));
    }
    assert_eq!(answers[0], answers[1]);
    let kept = "SELECT COUNT(*) FROM disclosures WHERE subject IS NULL";
    assert_eq!(number(&desk, kept).await, 2);
}

async fn whoever_left_is_found_after_whoever_is_on_a_roll(desk: Desk) {
    plant(&desk).await;
    let id_number = resident("20120901", 1);
    let first = enrol(&desk, THIRD, &id_number).await;
    let mut client = StudentServiceClient::new(desk.officer());
    let left = WithdrawStudentRequest {
        name: first.name.clone(),
        end_date: today(),
        request_id: String::new(),
    };
    let first = client.withdraw_student(left).await.unwrap().into_inner();
    let found = client.look_up_student(look_up(&id_number)).await.unwrap();
    assert_eq!(found.into_inner(), first);
    let second = enrol(&desk, FUQING_THIRD, &id_number).await;
    let found = client.look_up_student(look_up(&id_number)).await.unwrap();
    assert_eq!(found.into_inner(), second);
    // The school that was left still finds whom it knew.
    let found = clerk(&desk).look_up_student(look_up(&id_number)).await;
    assert_eq!(found.unwrap().into_inner(), first);
}

async fn looking_up_needs_a_permission_a_number_and_a_reason(desk: Desk) {
    plant(&desk).await;
    let id_number = resident("20120901", 1);
    enrol(&desk, THIRD, &id_number).await;
    let school = format!("fz/350102/{GULOU_PRIMARY}");
    for role in [Role::Principal, Role::ClassReporter, Role::Laboratory] {
        let mut client = StudentServiceClient::new(desk.caller(role, &school));
        let denied = client.look_up_student(look_up(&id_number)).await;
        let expected = refused(Code::PermissionDenied, "SCOPE_DENIED");
        assert_eq!(refusal(denied.unwrap_err()), expected, "{role}");
    }
    let mut client = clerk(&desk);
    let wrong = LookUpStudentRequest {
        id_number: "12345".to_owned(),
        ..LookUpStudentRequest::default()
    };
    let wrong = client.look_up_student(wrong).await.unwrap_err();
    assert_eq!(refusal(wrong), invalid(&["id_number", "reason"]));
    let none = LookUpStudentRequest {
        id_type: IdType::None.into(),
        ..look_up(&id_number)
    };
    let none = client.look_up_student(none).await.unwrap_err();
    assert_eq!(refusal(none), invalid(&["id_type"]));
    let telling = LookUpStudentRequest {
        reason: format!("核实{}", full_width(&id_number)),
        ..look_up(&id_number)
    };
    let telling = client.look_up_student(telling).await.unwrap_err();
    assert_eq!(refusal(telling), invalid(&["reason"]));
    assert_eq!(number(&desk, "SELECT COUNT(*) FROM disclosures").await, 0);
}

/// Everything that the database holds, as bytes; on PostgreSQL every row of every table as text, in
/// which bytes stand in hexadecimal.
async fn dump(desk: &Desk) -> Vec<u8> {
    if let Some(file) = desk.url().strip_prefix("sqlite:") {
        let mut bytes = fs::read(file).expect("the database");
        bytes.extend(fs::read(format!("{file}-wal")).unwrap_or_default());
        return bytes;
    }
    let db = desk.database().await;
    let read = async |sql: String| {
        let statement = kit::db::statement(db.read(), &sql, []);
        let rows = db.read().query_all_raw(statement).await.expect("rows");
        let texts = rows.iter().map(|row| row.try_get_by_index::<String>(0));
        texts.collect::<Result<Vec<_>, _>>().expect("texts")
    };
    let tables = "SELECT table_name::text FROM information_schema.tables \
        WHERE table_schema = 'public'";
    let mut bytes = Vec::new();
    for table in read(tables.to_owned()).await {
        for row in read(format!("SELECT t::text FROM {table} t")).await {
            bytes.extend(row.into_bytes());
            bytes.push(b'\n');
        }
    }
    bytes
}

fn holds(bytes: &[u8], text: &str) -> bool {
    contains(bytes, text.as_bytes()) || contains(bytes, hex::encode(text).as_bytes())
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

async fn no_number_stands_in_the_database_or_in_the_feed(desk: Desk) {
    plant(&desk).await;
    let mut follower = Follower::of(&desk).await;
    let (first, second) = (resident("20120901", 1), resident("20120902", 1));
    let student_number = format!("G{first}");
    let (own, mothers) = ("13900001234", "13900005678");
    let mut client = StudentServiceClient::new(desk.officer());
    let mut create = enrolment(THIRD, "林小雨");
    create.request_id = REQUEST.to_owned();
    create.student = create.student.map(|student| Student {
        id_number: first.clone(),
        student_number: student_number.clone(),
        phone: own.to_owned(),
        ..student
    });
    let sent = Sha256::digest(create.encode_to_vec()).to_vec();
    let student = client.create_student(create).await.unwrap().into_inner();
    let changed = Student {
        name: student.name.clone(),
        id_number: second.clone(),
        ..Student::default()
    };
    let update = UpdateStudentRequest {
        student: Some(changed),
        update_mask: None,
        request_id: "5f1e2c1a-6d1f-4a3b-9a58-0d2f5a1b7c12".to_owned(),
    };
    client.update_student(update).await.unwrap();
    for id_number in [&first, &second] {
        // One of them is nobody's any more.
        let _ = client.look_up_student(look_up(id_number)).await;
    }
    let mut guardians = GuardianServiceClient::new(desk.officer());
    let mother = Guardian {
        display_name: "林妈妈".to_owned(),
        relation: 2,
        phone: mothers.to_owned(),
        ..Guardian::default()
    };
    let mother = CreateGuardianRequest {
        parent: student.name.clone(),
        guardian: Some(mother),
        request_id: "5f1e2c1a-6d1f-4a3b-9a58-0d2f5a1b7c13".to_owned(),
    };
    let mother = guardians
        .create_guardian(mother)
        .await
        .unwrap()
        .into_inner();
    let reveal = RevealGuardianPhoneRequest {
        name: mother.name,
        reason: "发热，需接回".to_owned(),
    };
    let told = guardians.reveal_guardian_phone(reveal).await.unwrap();
    assert_eq!(told.into_inner().phone, mothers);
    let moved = TransferStudentRequest {
        name: student.name.clone(),
        destination_class_group: FUQING_THIRD.to_owned(),
        effective_date: today(),
        request_id: String::new(),
    };
    client.transfer_student(moved).await.unwrap();
    let mut payloads = Vec::new();
    for _ in 0..4 {
        payloads.extend(follower.event().await.encode_to_vec());
    }
    let everything = dump(&desk).await;
    assert!(holds(&everything, "林妈妈") && holds(&everything, "核酸异常"));
    assert!(holds(&payloads, &student.name) && !holds(&payloads, "林小雨"));
    let (hash, hash_in_words) = (&*sent, hex::encode(&sent).into_bytes());
    for hash in [hash, &hash_in_words] {
        // Whoever knows the rest of a request can try every number against its hash.
        assert!(!contains(&everything, hash), "a hash that tells the number");
    }
    for secret in [&*first, &second, &student_number, own, mothers] {
        assert!(!holds(&everything, secret), "the database holds a number");
        assert!(!holds(&payloads, secret), "the feed holds a number");
    }
}

desk_suite!(
    a_number_is_understood_as_people_write_it,
    a_passport_is_found_as_a_passport_only,
    nobody_and_somebody_elsewhere_are_answered_alike,
    whoever_left_is_found_after_whoever_is_on_a_roll,
    looking_up_needs_a_permission_a_number_and_a_reason,
    no_number_stands_in_the_database_or_in_the_feed,
);
