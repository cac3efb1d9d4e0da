//! HTTP with JSON as a program sees it.

mod door;

use std::time::Duration;

use bytes::Bytes;
use door::http::{Town, request, send_http2};
use door::{Behaviour, Stalled, door_set, upstream};
use http::{Request, StatusCode};
use kit::server::ServerConfig;
use kit::status::Problem;
use proto::Date;
use proto::error::ErrorReason;
use proto::notification::{WatchAlertsRequest, WatchAlertsResponse};
use proto::roster as pb;
use proto::sampling::SubmitCheckRequest;
use serde_json::json;
use tokio::sync::mpsc;
use tonic::Status;
use tonic_prost::prost::Message;

fn student() -> pb::Student {
    pb::Student {
        name: "students/7".to_owned(),
        display_name: "甲".to_owned(),
        state: pb::student::State::Enrolled.into(),
        start_date: Some(Date {
            year: 2022,
            month: 4,
            day: 7,
        }),
        ..pb::Student::default()
    }
}

async fn town() -> Town {
    Town::new(vec![student().encode_to_vec()], Status::ok("")).await
}

#[tokio::test]
async fn a_name_in_the_path_is_a_field_and_the_answer_is_json() {
    let mut town = town().await;
    let reply = town.send(request("GET", "/v1/students/7", "")).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("content-type"), "application/json");
    let expected = json!({
        "name": "students/7",
        "displayName": "甲",
        "startDate": {"year": 2022, "month": 4, "day": 7},
        "state": "STATE_ENROLLED",
    });
    assert_eq!(reply.json(), expected);
    let asked = town.asked().await;
    assert_eq!(asked.path, "/campus.roster.v1.StudentService/GetStudent");
    assert_eq!(asked.message::<pb::GetStudentRequest>().name, "students/7");
    assert_eq!(asked.headers["content-type"], "application/grpc");
}

#[tokio::test]
async fn it_is_the_same_over_http2() {
    let town = town().await;
    let get = request("GET", "/v1/students/7", "").map(Bytes::from);
    let reply = send_http2(town.addr, get).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json()["name"], "students/7");
}

#[tokio::test]
async fn a_query_names_fields_in_either_spelling() {
    let answer = pb::ListStudentsResponse {
        next_page_token: "next".to_owned(),
        ..pb::ListStudentsResponse::default()
    };
    let mut town = Town::new(vec![answer.encode_to_vec()], Status::ok("")).await;
    let path =
        "/v1/students?parent=organizations%2F1%2FclassGroups%2F2&pageSize=5&show_withdrawn=true";
    let reply = town.send(request("GET", path, "")).await;
    assert_eq!(reply.json(), json!({"nextPageToken": "next"}));
    let expected = pb::ListStudentsRequest {
        parent: "organizations/1/classGroups/2".to_owned(),
        page_size: 5,
        show_withdrawn: true,
        page_token: String::new(),
    };
    assert_eq!(
        town.asked().await.message::<pb::ListStudentsRequest>(),
        expected
    );
}

#[tokio::test]
async fn nested_fields_and_enums_stand_in_a_query() {
    let mut town = Town::new(vec![Vec::new()], Status::ok("")).await;
    let path = "/v1/draws:export?plan=plans/1&organization=organizations/1\
                &drawDate.year=2022&draw_date.month=4&drawDate.day=7";
    town.send(request("GET", path, "")).await;
    let asked = town
        .asked()
        .await
        .message::<proto::sampling::ExportDrawRequest>();
    assert_eq!(
        asked.draw_date,
        Some(Date {
            year: 2022,
            month: 4,
            day: 7
        })
    );
}

#[tokio::test]
async fn a_verb_takes_its_name_from_the_path_and_the_rest_from_the_body() {
    let mut town = town().await;
    let body = json!({
        "name": "students/other",
        "destinationClassGroup": "organizations/1/classGroups/2",
        "effective_date": {"year": 2022, "month": 4, "day": 8},
        "requestId": "a",
    });
    let call = request("POST", "/v1/students/7:transfer", &body.to_string());
    assert_eq!(town.send(call).await.status, StatusCode::OK);
    let expected = pb::TransferStudentRequest {
        name: "students/7".to_owned(),
        destination_class_group: "organizations/1/classGroups/2".to_owned(),
        effective_date: Some(Date {
            year: 2022,
            month: 4,
            day: 8,
        }),
        request_id: "a".to_owned(),
    };
    assert_eq!(
        town.asked().await.message::<pb::TransferStudentRequest>(),
        expected
    );
}

#[tokio::test]
async fn a_body_may_be_one_field_beside_a_mask_in_the_query() {
    let mut town = town().await;
    let path = "/v1/students/7?updateMask=displayName,boarder&requestId=b";
    let call = request("PATCH", path, r#"{"displayName": "乙", "boarder": true}"#);
    assert_eq!(town.send(call).await.status, StatusCode::OK);
    let asked = town.asked().await.message::<pb::UpdateStudentRequest>();
    let student = asked.student.expect("a student");
    assert_eq!(
        (&*student.name, &*student.display_name),
        ("students/7", "乙")
    );
    let paths = asked.update_mask.expect("a mask").paths;
    assert_eq!(paths, ["display_name", "boarder"]);
    assert_eq!(asked.request_id, "b");
}

#[tokio::test]
async fn additional_paths_and_long_names_lead_there_too() {
    let mut town = Town::new(vec![Vec::new()], Status::ok("")).await;
    let path = "/v1/organizations/1/dormitories/3/checks";
    let reply = town.send(request("POST", path, "{}")).await;
    assert_eq!(reply.status, StatusCode::OK);
    let asked = town.asked().await;
    let check = asked
        .message::<SubmitCheckRequest>()
        .check
        .expect("a check");
    assert_eq!(check.scope, "organizations/1/dormitories/3");
    let path = "/v1/organizations/1/classGroups/2:setTeachingMode";
    town.send(request("POST", path, "{}")).await;
    let asked = town.asked().await.message::<pb::SetTeachingModeRequest>();
    assert_eq!(asked.name, "organizations/1/classGroups/2");
}

#[tokio::test]
async fn headers_of_calls_are_passed_on_and_those_of_hops_are_not() {
    let mut town = town().await;
    let mut call = request("GET", "/v1/students/7", "");
    for (name, value) in [
        ("x-request-timeout", "2.5"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ("tracestate", "vendor=theirs"),
        ("x-campus-purpose", "audit"),
        ("cookie", "a=b"),
        ("te", "trailers"),
    ] {
        call.headers_mut()
            .insert(name, value.parse().expect("a header"));
    }
    let reply = town.send(call).await;
    assert!(reply.headers.get("connection").is_none());
    let asked = town.asked().await;
    let left = asked.headers["grpc-timeout"].to_str().expect("a text");
    let left = left.strip_suffix('m').expect("milliseconds");
    let left: u32 = left.parse().expect("a number");
    assert!((1..=2500).contains(&left), "{left}");
    assert_eq!(asked.headers["x-campus-purpose"], "audit");
    for theirs in ["cookie", "traceparent", "tracestate"] {
        assert!(!asked.headers.contains_key(theirs), "{theirs}");
    }
}

#[tokio::test]
async fn an_error_is_a_status_with_its_details() {
    let problem = Problem::new(ErrorReason::InvalidField)
        .field("id_number", "证件号校验位不正确", "wrong check digit")
        .retry_after(Duration::from_millis(1500));
    let town = Town::new(Vec::new(), problem.into()).await;
    let reply = town.send(request("GET", "/v1/students/7", "")).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(reply.header("retry-after"), "2");
    let expected = json!({
        "code": 3,
        "message": "invalid fields; id_number: wrong check digit",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "INVALID_FIELD",
                "domain": "campus",
            },
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [
                    {"field": "id_number", "description": "证件号校验位不正确"},
                ],
            },
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.500s"},
            {
                "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
                "locale": "zh-CN",
                "message": "填写的内容有误，请按提示修改",
            },
            {
                "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
                "locale": "en",
                "message": "invalid fields",
            },
        ],
    });
    assert_eq!(reply.json(), expected);
}

#[tokio::test]
async fn each_reason_has_its_status_of_http() {
    for (reason, status) in [
        (ErrorReason::NotFound, 404),
        (ErrorReason::ScopeDenied, 403),
        (ErrorReason::AlreadyExists, 409),
        (ErrorReason::EtagMismatch, 409),
        (ErrorReason::StudentNotEnrolled, 400),
        (ErrorReason::Overloaded, 429),
        (ErrorReason::MessageTooLarge, 413),
        (ErrorReason::StorageFull, 507),
        (ErrorReason::Unavailable, 503),
        (ErrorReason::DeadlineExceeded, 504),
        (ErrorReason::Internal, 500),
    ] {
        let town = Town::new(Vec::new(), Problem::new(reason).into()).await;
        let reply = town.send(request("GET", "/v1/students/7", "")).await;
        assert_eq!(reply.status, status, "{reason:?}");
        assert!(reply.json()["details"].is_array(), "{reason:?}");
    }
}

/// The reason and the first field that an error names.
fn told(reply: &door::http::Reply) -> (u16, String, String) {
    let json = reply.json();
    let details = json["details"].as_array().expect("details");
    let text = |name: &str, pointer: &str| {
        let found = details.iter().find(|detail| {
            let kind = detail["@type"].as_str().unwrap_or_default();
            kind.ends_with(name)
        });
        let found = found.and_then(|detail| detail.pointer(pointer));
        found
            .and_then(|text| text.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let field = text("BadRequest", "/fieldViolations/0/field");
    (reply.status.as_u16(), text("ErrorInfo", "/reason"), field)
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told() {
    let large = format!("{{\"requestId\": \"{}\"}}", "x".repeat(5 << 20));
    let long = format!("/v1/students/{}", "7".repeat(9000));
    let town = town().await;
    for (method, path, body, expected) in [
        (
            "GET",
            "/v1/students/7?nam=a",
            "",
            (400, "INVALID_FIELD", "nam"),
        ),
        (
            "GET",
            "/v1/students/7?name=students/8",
            "",
            (400, "INVALID_FIELD", "name"),
        ),
        (
            "GET",
            "/v1/students?pageSize=many",
            "",
            (400, "INVALID_FIELD", "pageSize"),
        ),
        (
            "GET",
            "/v1/students?pageSize=1&pageSize=2",
            "",
            (400, "INVALID_FIELD", "pageSize"),
        ),
        (
            "GET",
            "/v1/students?parent=%ff",
            "",
            (400, "MESSAGE_MALFORMED", "query"),
        ),
        (
            "POST",
            "/v1/students",
            "{",
            (400, "MESSAGE_MALFORMED", "body"),
        ),
        (
            "POST",
            "/v1/students",
            r#"{"student": {"nam": 1}}"#,
            (400, "INVALID_FIELD", "student.nam"),
        ),
        (
            "POST",
            "/v1/students?requestId=a",
            "{}",
            (400, "INVALID_FIELD", "requestId"),
        ),
        (
            "POST",
            "/v1/students",
            &large,
            (413, "MESSAGE_TOO_LARGE", ""),
        ),
        ("GET", &long, "", (414, "MESSAGE_TOO_LARGE", "")),
        ("GET", "/v1/nothing", "", (404, "UNKNOWN_METHOD", "")),
        ("GET", "/", "", (404, "UNKNOWN_METHOD", "")),
        ("DELETE", "/v1/students/7", "", (405, "UNKNOWN_METHOD", "")),
    ] {
        let reply = town.send(request(method, path, body)).await;
        let (status, reason, field) = told(&reply);
        let place = &path[..path.len().min(60)];
        assert_eq!((status, &*reason, &*field), expected, "{method} {place}");
    }
    let reply = town.send(request("DELETE", "/v1/students/7", "")).await;
    assert_eq!(reply.header("allow"), "GET, PATCH");
    let mut call = request("POST", "/v1/students", "a: b");
    call.headers_mut()
        .insert("content-type", "text/yaml".parse().expect("a header"));
    assert_eq!(told(&town.send(call).await).0, 415);
}

#[tokio::test]
async fn nobody_is_heard_without_a_token() {
    let town = town().await;
    let call = Request::post("/v1/students").header("host", "campus");
    let reply = town
        .send(call.body("{ not read".to_owned()).expect("a request"))
        .await;
    assert_eq!(
        told(&reply),
        (401, "TOKEN_INVALID".to_owned(), String::new())
    );
    assert_eq!(reply.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn a_stream_is_a_line_for_each_message() {
    let first = WatchAlertsResponse {
        resume_token: "1".to_owned(),
        ..WatchAlertsResponse::default()
    };
    let messages = vec![first.encode_to_vec(), Vec::new()];
    let mut town = Town::new(messages.clone(), Status::ok("")).await;
    let path = "/v1/organizations/1/alerts:watch?resumeToken=0";
    let reply = town.send(request("GET", path, "")).await;
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    assert_eq!(
        reply.text(),
        "{\"result\":{\"resumeToken\":\"1\"}}\n{\"result\":{}}\n"
    );
    let asked = town.asked().await.message::<WatchAlertsRequest>();
    assert_eq!(
        (&*asked.parent, &*asked.resume_token),
        ("organizations/1", "0")
    );

    let broken = Problem::new(ErrorReason::ResumeTokenExpired);
    let town = Town::new(messages, broken.into()).await;
    let reply = town.send(request("GET", path, "")).await;
    let last = reply.text().lines().last().expect("a line");
    let last: serde_json::Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(last["error"]["code"], 9);
    assert_eq!(
        last["error"]["details"][0]["reason"],
        "RESUME_TOKEN_EXPIRED"
    );
}

#[tokio::test]
async fn a_stream_is_events_for_whoever_accepts_them() {
    let broken = Problem::new(ErrorReason::ResumeTokenExpired);
    let town = Town::new(vec![Vec::new()], broken.into()).await;
    let mut call = request("GET", "/v1/organizations/1/alerts:watch", "");
    let events = "text/event-stream".parse().expect("a header");
    call.headers_mut().insert("accept", events);
    let reply = town.send(call).await;
    assert_eq!(reply.header("content-type"), "text/event-stream");
    let (message, error) = reply.text().split_once("\n\n").expect("two events");
    assert_eq!(message, "data: {}");
    assert!(
        error.starts_with("event: error\ndata: {\"code\":9,"),
        "{error}"
    );
}

#[tokio::test]
async fn a_stream_that_is_refused_is_an_error_and_no_stream() {
    let refused = Problem::new(ErrorReason::ScopeDenied).meta("permission", "alerts.read");
    let town = Town::new(Vec::new(), refused.into()).await;
    let reply = town
        .send(request("GET", "/v1/organizations/1/alerts:watch", ""))
        .await;
    assert_eq!(told(&reply).0, 403);
}

#[tokio::test]
async fn a_deadline_in_seconds_ends_the_call_here_and_there() {
    let (gone, mut given_up) = mpsc::unbounded_channel();
    let service = upstream(ServerConfig::loopback(), Behaviour::Stall(gone)).await;
    let (door, _) = door_set(service.addr, |_| {}).await;
    let mut call = request("GET", "/v1/students/7", "").map(Bytes::from);
    let seconds = "2".parse().expect("a header");
    call.headers_mut().insert("x-request-timeout", seconds);
    let reply = door::http::send(door.addr, call).await;
    assert_eq!(told(&reply).1, "DEADLINE_EXCEEDED");
    for expected in [Stalled::Came, Stalled::GivenUp] {
        let told = tokio::time::timeout(Duration::from_secs(10), given_up.recv()).await;
        assert_eq!(told.expect("the service gives up too"), Some(expected));
    }
}

#[tokio::test]
async fn a_caller_with_too_many_calls_is_told_to_wait() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Half).await;
    let set = |config: &mut gateway::Config| config.max_in_flight_per_caller = 1;
    let (door, channel) = door_set(service.addr, set).await;
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.expect("ready");
    let path = http::uri::PathAndQuery::from_static(door::DOWN);
    let watch = door::signed(String::new());
    let watch = client
        .server_streaming::<_, String, _>(watch, path, door::Codec::default())
        .await;
    let _watch = watch.expect("answered").into_inner();
    let call = request("GET", "/v1/students/7", "").map(Bytes::from);
    let reply = door::http::send(door.addr, call).await;
    assert_eq!(told(&reply), (429, "OVERLOADED".to_owned(), String::new()));
    assert_eq!(reply.header("retry-after"), "1");
}

#[tokio::test]
async fn the_document_is_told_without_a_token() {
    let town = town().await;
    let call = Request::get("/openapi.json").header("host", "campus");
    let reply = town
        .send(call.body(String::new()).expect("a request"))
        .await;
    assert_eq!(reply.status, StatusCode::OK);
    let document = reply.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(
        document["paths"]["/v1/students"]["get"]["summary"],
        "列出学生"
    );
}
