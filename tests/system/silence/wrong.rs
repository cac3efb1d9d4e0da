//! Requests that cannot be right, with names and numbers where they do not belong.

use std::time::Duration;

use kit::auth::{Issuer, Role};
use kit::clock::{Clock, SystemClock};
use proto::notification::channel_service_client::ChannelServiceClient;
use proto::notification::concern_service_client::ConcernServiceClient;
use proto::notification::{Concern, SetContactPointRequest, SubmitConcernRequest};
use proto::roster::check_policy::Slot;
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::{GetStudentRequest, LookUpStudentRequest, Symptom};
use proto::safety::gate_service_client::GateServiceClient;
use proto::sampling::case_service_client::CaseServiceClient;
use proto::sampling::{CheckSubmission, OpenCaseRequest};
use tests::city::{City, Door, caller};
use tests::town::{CITY, school, school_path};
use tests::within;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::client::Grpc;
use tonic::{Request, Status};

use super::encoded;
use crate::bad_input::send;
use crate::checks::{finding, reporter, submit, zero};
use crate::verbs::{check_entry, request_id};

/// Somebody who is nobody, and their numbers.
const NAME: &str = "林张三丰";
const NUMBER: &str = "350102201609019998";
const PHONE: &str = "13977770002";

/// Asks in every way; gives what nobody may be told of it.
pub(super) async fn requests(city: &City) -> Vec<String> {
    by_grpc(city).await;
    by_bytes(city).await;
    by_http(city).await;
    let planted = [NAME, NUMBER, PHONE].map(ToOwned::to_owned);
    let planted = planted.into_iter();
    planted.chain([encoded(NAME), encoded(NUMBER)]).collect()
}

async fn by_grpc(city: &City) {
    let clerk = city.door(Role::SchoolClerk, &school_path(1));
    let mut students = StudentServiceClient::new(clerk);
    let request = GetStudentRequest {
        name: format!("students/{NAME}"),
    };
    students.get_student(request).await.expect_err("no name");
    let request = LookUpStudentRequest {
        id_number: NUMBER.to_owned(),
        reason: format!("{NAME} {NUMBER}"),
        ..LookUpStudentRequest::default()
    };
    let answer = students.look_up_student(request).await;
    answer.expect_err("no reason has a number");

    let guard = city.door(Role::Guard, &school_path(1));
    let request = check_entry(1, &format!("students/{NUMBER}"), PHONE);
    let answer = GateServiceClient::new(guard).check_entry(request).await;
    answer.expect_err("no person");

    let nobody = format!("students/{NAME}");
    let check = CheckSubmission {
        findings: vec![finding(&nobody, Symptom::Cough, 0)],
        client_id: PHONE.to_owned(),
        ..zero(&city.town, 1, 2, Slot::Noon)
    };
    let answer = submit(&reporter(city, 1, 2), &check).await;
    answer.expect_err("no person");

    let control = city.door(Role::DiseaseControl, CITY);
    let request = OpenCaseRequest {
        person: NAME.to_owned(),
        request_id: request_id(),
        ..OpenCaseRequest::default()
    };
    let answer = CaseServiceClient::new(control).open_case(request).await;
    answer.expect_err("no person");

    let officer = city.door(Role::CityOfficer, CITY);
    let request = SetContactPointRequest {
        party: format!("students/{NAME}/guardians/-"),
        channel: format!("channels/{PHONE}"),
        address: PHONE.to_owned(),
        request_id: request_id(),
    };
    let mut channels = ChannelServiceClient::new(officer.clone());
    let answer = channels.set_contact_point(request).await;
    answer.expect_err("no party");
    let request = SubmitConcernRequest {
        parent: format!("organizations/{NUMBER}"),
        concern: Some(Concern {
            text: NAME.to_owned(),
            ..Concern::default()
        }),
        request_id: PHONE.to_owned(),
    };
    let mut concerns = ConcernServiceClient::new(officer);
    let answer = concerns.submit_concern(request).await;
    answer.expect_err("nowhere");
}

/// What is no message, and a method that is none.
async fn by_bytes(city: &City) {
    let officer = city.door(Role::CityOfficer, CITY);
    for path in [
        "/campus.roster.v1.StudentService/CreateStudent",
        "/campus.sampling.v1.ScreeningService/SubmitCheck",
        "/campus.safety.v1.VisitorService/CreateVisit",
        "/campus.notification.v1.SupportService/OpenSupportCase",
    ] {
        let text = format!("\u{7}\u{7}{NAME} {NUMBER} {PHONE}");
        let answer = send(officer.clone(), path, text).await;
        answer.expect_err("no message");
    }
    let path = format!("/campus.roster.v1.StudentService/{PHONE}");
    unknown(officer, path).await.expect_err("no method");
}

async fn unknown(door: Door, path: String) -> Result<(), Status> {
    let mut client = Grpc::new(door);
    let ready = client.ready().await;
    ready.map_err(|_| Status::unavailable("the gateway is closed"))?;
    let codec = tonic_prost::ProstCodec::<String, ()>::default();
    let path = path.parse().expect("a path");
    let answer = client.unary(Request::new(NAME.to_owned()), path, codec);
    answer.await.map(drop)
}

async fn by_http(city: &City) {
    let (name, number) = (encoded(NAME), encoded(NUMBER));
    let school = school(1);
    let broken = format!("{{\"idNumber\": \"{NUMBER}\", \"{NAME}\": ");
    let odd = format!("{{\"idNumber\": {NUMBER}, \"reason\": [\"{PHONE}\"], \"{NAME}\": 1}}");
    for (method, path, body) in [
        ("GET", format!("/v1/students/{number}?{name}={PHONE}"), ""),
        (
            "GET",
            format!("/v1/absences?scope={name}&page_size={NUMBER}"),
            "",
        ),
        ("GET", format!("/v1/absences?{PHONE}=1&%FF={name}"), ""),
        ("GET", format!("/v1/{name}/{PHONE}"), ""),
        ("DELETE", format!("/v1/students/{number}"), ""),
        ("POST", "/v1/students:lookUp".to_owned(), &*broken),
        ("POST", "/v1/students:lookUp".to_owned(), &*odd),
        ("POST", format!("/v1/organizations/{school}/visits"), &*odd),
        ("POST", format!("/v1/organizations/{name}/concerns"), &*odd),
    ] {
        let answer = ask(city, method, &path, body).await;
        assert!(
            answer.starts_with("HTTP/1.1 4"),
            "{method} {path}: {answer}"
        );
    }
}

/// What the gateway answers to a request of HTTP by a clerk, who keeps more beside the trace than belongs there.
async fn ask(city: &City, method: &str, path: &str, body: &str) -> String {
    let (now, ttl) = (SystemClock.now(), Duration::from_secs(3600));
    let clerk = caller(Role::SchoolClerk, &school_path(1));
    let token = Issuer::development().issue(clerk, now, ttl);
    let address = city.address("gateway").await;
    let place = address.trim_start_matches("http://");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {place}\r\nauthorization: Bearer {token}\r\n\
         traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\
         tracestate: vendor={PHONE}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    let asking = async {
        let mut stream = TcpStream::connect(place).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = within(&format!("{method} is answered"), asking).await;
    answer.expect("an answer")
}
