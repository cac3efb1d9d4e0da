//! How large a message may be at the door, in each dialect: what its contract says and no more, and nothing
//! of a larger one reaches a service.

mod door;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use door::http::{Reply, Town, framed, request, send};
use futures_util::future::join_all;
use futures_util::stream;
use http::Request;
use kit::server::ServerConfig;
use proto::roster::CreateStudentRequest;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_prost::prost::Message;

use door::{BOTH, Behaviour, Codec, UNARY, UP, call, door, door_set, reason, signed, upstream};

const IN_TIME: Duration = Duration::from_secs(30);
/// Methods that take different sizes.
const METHODS: [&str; 3] = [
    "/campus.roster.v1.StudentService/CreateStudent",
    "/campus.safety.v1.GateService/RecordBatch",
    "/campus.notification.v1.DirectiveService/DraftDirective",
];

/// A text that is a message of so many bytes.
fn text(bytes: usize) -> String {
    let text = "x".repeat(bytes - 4);
    assert_eq!(text.encoded_len(), bytes);
    text
}

fn too_large(refused: &Status) {
    let told = (refused.code(), &*reason(refused));
    assert_eq!(told, (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"));
}

async fn client(channel: &Channel) -> Grpc<Channel> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.expect("the door is open");
    client
}

/// What a service that counts texts says of these.
async fn count(channel: &Channel, texts: Vec<String>) -> Result<String, Status> {
    let path = PathAndQuery::from_static(UP);
    let mut client = client(channel).await;
    let texts = signed(stream::iter(texts));
    let answer = client.client_streaming(texts, path, Codec::default());
    Ok(answer.await?.into_inner())
}

#[tokio::test]
async fn a_message_of_grpc_that_is_too_large_reaches_no_service() {
    let largest = proto::max_request_bytes(UNARY);
    let service = upstream(ServerConfig::loopback(), Behaviour::Real).await;
    let (_door, channel) = door(service.addr).await;
    let answer = call(&channel, signed(text(largest))).await;
    assert_eq!(answer.expect("it fits").len(), largest - 4);
    let (tell, mut told) = mpsc::unbounded_channel();
    let service = upstream(ServerConfig::loopback(), Behaviour::Stall(tell)).await;
    let (_door, channel) = door(service.addr).await;
    for more in [1, 100 << 10] {
        let answer = call(&channel, signed(text(largest + more))).await;
        too_large(&answer.expect_err("too large"));
    }
    assert!(told.try_recv().is_err(), "none was passed on");
}

#[tokio::test]
async fn a_stream_ends_at_the_first_message_that_is_too_large() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Real).await;
    let (_door, channel) = door(service.addr).await;
    let largest = proto::max_request_bytes(UP);
    let texts = ["a".to_owned(), text(largest), "b".to_owned()];
    let counted = count(&channel, texts.into()).await;
    assert_eq!(counted.expect("they fit"), "3 texts");
    let texts = ["a".to_owned(), text(largest + 1), "b".to_owned()];
    let refused = count(&channel, texts.into()).await;
    too_large(&refused.expect_err("too large"));

    let (sender, receiver) = mpsc::channel(1);
    let path = PathAndQuery::from_static(BOTH);
    let texts = signed(ReceiverStream::new(receiver));
    let mut client = client(&channel).await;
    sender.send("a".to_owned()).await.expect("is taken");
    let echoes = client.streaming(texts, path, Codec::default()).await;
    let mut echoes: Streaming<String> = echoes.expect("answered").into_inner();
    let echo = timeout(IN_TIME, echoes.message()).await.expect("in time");
    assert_eq!(echo.expect("a text").as_deref(), Some("a"));
    let large = text(proto::max_request_bytes(BOTH) + 1);
    sender.send(large).await.expect("is taken");
    let end = timeout(IN_TIME, echoes.message()).await.expect("in time");
    too_large(&end.expect_err("too large"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_whose_messages_are_too_large_break_no_call_of_others() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Real).await;
    let set = |config: &mut gateway::Config| config.connections_per_upstream = 1;
    let (door, channel) = door_set(service.addr, set).await;
    let ill = kit::channel::connect_lazy(&format!("http://{}", door.addr)).expect("a URI");
    let large = text(proto::max_request_bytes(UP) + 1);
    let mut refused = 0;
    for _ in 0..10 {
        let uploads = (0..32).map(|_| count(&ill, vec![large.clone()]));
        let calls = (0..8).map(|number| call(&channel, signed(number.to_string())));
        let (uploads, calls) = tokio::join!(join_all(uploads), join_all(calls));
        // Whoever sends much that nobody wants may lose a connection.
        let told = |upload: &Result<_, Status>| upload.as_ref().err().map(reason);
        let large = uploads.iter().filter_map(told);
        refused += large.filter(|told| told == "MESSAGE_TOO_LARGE").count();
        for (number, answer) in calls.into_iter().enumerate() {
            assert_eq!(answer.expect("answered"), number.to_string());
        }
    }
    assert!(refused > 32, "{refused} were told why");
}

/// The reason of a refusal in gRPC-Web.
fn web_reason(reply: &Reply) -> String {
    let header = reply.header("grpc-status-details-bin");
    let details = base64::engine::general_purpose::STANDARD_NO_PAD.decode(header);
    let details = Bytes::from(details.expect("details"));
    let code = Code::from_bytes(reply.header("grpc-status").as_bytes());
    reason(&Status::with_details(code, "", details))
}

#[tokio::test]
async fn each_method_takes_its_size_in_grpc_web() {
    let mut town = Town::new(vec![Vec::new()], Status::ok("")).await;
    for path in METHODS {
        let largest = proto::max_request_bytes(path);
        for kind in ["application/grpc-web", "application/grpc-web-text"] {
            for (length, fits) in [(largest, true), (largest + 1, false)] {
                let message = vec![7; length];
                let frame = framed(&message);
                let body = match kind.ends_with("-text") {
                    true => STANDARD.encode(&frame).into(),
                    false => Bytes::from(frame.clone()),
                };
                let mut call = request("POST", path, "").map(|_| body);
                let kind = kind.parse().expect("a header");
                call.headers_mut().insert("content-type", kind);
                let reply = send(town.addr, call).await;
                if fits {
                    assert!(town.asked().await.body == frame, "{path}: as it came");
                } else {
                    assert_eq!(web_reason(&reply), "MESSAGE_TOO_LARGE", "{path}");
                    assert!(town.seen.try_recv().is_err(), "{path}: not passed on");
                }
            }
        }
    }
}

/// A student who is to be made, with so much white space around it.
fn json(body: &str, blanks: usize) -> Request<Bytes> {
    let body = format!("{body}{}", " ".repeat(blanks));
    let mut call = request("POST", "/v1/students", &body);
    let kind = "application/json".parse().expect("a header");
    call.headers_mut().insert("content-type", kind);
    call.map(Bytes::from)
}

#[tokio::test]
async fn json_is_bounded_by_what_it_says_and_by_how_long_it_says_it() {
    let mut town = Town::new(vec![Vec::new()], Status::ok("")).await;
    let largest = proto::max_request_bytes(METHODS[0]);
    let saying = |bytes: usize| {
        let request_id = text(bytes);
        let said = CreateStudentRequest {
            request_id: request_id.clone(),
            ..CreateStudentRequest::default()
        };
        assert_eq!(said.encoded_len(), bytes);
        format!("{{\"requestId\":\"{request_id}\"}}")
    };
    let (fits, over) = (saying(largest), saying(largest + 1));
    let blanks = 8 * largest - fits.len();
    for (call, taken) in [
        (json(&fits, 0), true),
        (json(&over, 0), false),
        (json(&fits, blanks), true),
        (json(&fits, blanks + 1), false),
    ] {
        let reply = send(town.addr, call).await;
        if taken {
            assert_eq!(reply.status, 200);
            let asked: CreateStudentRequest = town.asked().await.message();
            assert_eq!(asked.encoded_len(), largest);
        } else {
            assert_eq!(reply.status, 413);
            let details = reply.json()["details"].to_string();
            assert!(details.contains("MESSAGE_TOO_LARGE"), "{details}");
            assert!(town.seen.try_recv().is_err(), "not passed on");
        }
    }
}
