//! A service behind the door that answers as none should: its callers are told so soon, in the dialect that they
//! asked in, and the door goes on.

mod door;
#[path = "../../kit/tests/wire/mod.rs"]
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use door::door_set;
use door::http::{Reply, bearer, framed, send, send_http2};
use http::Request;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use wire::grammar::{broken, control, field, messages};
use wire::{
    ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, frame, fuzz,
    header, next,
};

/// How many answers are tried.
const CASES: u32 = 250;
/// How long a caller waits for an answer, and the same as the dialects say it.
const DEADLINE: Duration = Duration::from_millis(60);
/// In gRPC, and in JSON.
const SOON: [(&str, &str); 2] = [("grpc-timeout", "60m"), ("x-request-timeout", "0.06")];
/// No answer takes longer; a loaded machine has its share in this.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// How many bytes a client says before its first frame.
const PREFACE: usize = 24;

/// What a service says to a call.
#[derive(Clone, Debug, Default)]
struct Script {
    parts: Vec<Part>,
    /// Whether it closes the connection then.
    closes: bool,
}

#[derive(Clone, Debug)]
enum Part {
    /// A frame on the stream of the call.
    Own(u8, u8, Vec<u8>),
    /// Whatever these bytes are.
    Other(Vec<u8>),
}

/// A service that speaks by a script to everybody.
struct Hostile {
    addr: SocketAddr,
    script: watch::Sender<Arc<Script>>,
}

impl Hostile {
    async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let (script, told) = watch::channel(Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, told.clone()));
            }
        });
        Self { addr, script }
    }

    fn becomes(&self, script: Script) {
        self.script.send_replace(Arc::new(script));
    }
}

/// Answers every call over one connection by the script of the moment, until either side has had enough.
async fn serve(mut stream: TcpStream, script: watch::Receiver<Arc<Script>>) -> Option<()> {
    stream.read_exact(&mut [0; PREFACE]).await.ok()?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.ok()?;
    while let Some(said) = next(&mut stream).await {
        let answer = match (said.kind, said.flags & ACK) {
            (SETTINGS, 0) => frame(SETTINGS, ACK, 0, &[]),
            (PING, 0) => frame(PING, ACK, 0, &said.payload),
            (HEADERS, _) => {
                let script = script.borrow().clone();
                let parts = script.parts.iter().map(|part| match part {
                    Part::Own(kind, flags, payload) => frame(*kind, *flags, said.stream, payload),
                    Part::Other(bytes) => bytes.clone(),
                });
                stream
                    .write_all(&parts.collect::<Vec<_>>().concat())
                    .await
                    .ok()?;
                if script.closes {
                    return None;
                }
                continue;
            }
            _ => continue,
        };
        stream.write_all(&answer).await.ok()?;
    }
    None
}

/// The head of an answer.
fn head(status: &str, kind: &str, more: &[u8]) -> Vec<u8> {
    let mut head = header(":status", status);
    head.extend(header("content-type", kind));
    head.extend(more);
    head
}

/// An answer as it should be, of one empty message.
fn good() -> Script {
    let head = head("200", "application/grpc", &[]);
    let parts = vec![
        Part::Own(HEADERS, END_HEADERS, head),
        Part::Own(DATA, 0, framed(&[])),
        Part::Own(
            HEADERS,
            END_HEADERS | END_STREAM,
            header("grpc-status", "0"),
        ),
    ];
    Script {
        parts,
        closes: false,
    }
}

/// How a call ended, as it may be said or not.
fn ended() -> impl Strategy<Value = Vec<u8>> {
    let codes = vec!["0", "0", "0", "5", "14", "16", "17", "99", "-1", "", "none"];
    let words = vec!["", "no such student", "%E4%zz%", "%00"];
    let details = vec!["", "CAUSBHdvcmQ", "!!!!", "AAAA", "CAUaBgoEYQ=="];
    let all = (select(codes), select(words), select(details), 0_u8..8);
    all.prop_map(|(code, words, details, which)| {
        let said = [
            ("grpc-status", code),
            ("grpc-message", words),
            ("grpc-status-details-bin", details),
        ];
        let said = said.into_iter().enumerate();
        let said = said.filter(|(number, _)| which == 0 || which >> number & 1 == 1);
        said.flat_map(|(_, (name, value))| header(name, value))
            .collect()
    })
}

/// Parts of an answer, as they may follow each other or not.
fn part() -> impl Strategy<Value = Vec<Part>> {
    let status = select(vec![
        "200", "200", "200", "200", "404", "502", "204", "100", "", "abc",
    ]);
    let kind = select(vec![
        "application/grpc",
        "application/grpc",
        "text/html",
        "",
    ]);
    let more = prop_oneof![
        4 => Just(Vec::new()),
        1 => field(),
        1 => ended(),
    ];
    let ends = prop_oneof![4 => Just(0_u8), 1 => Just(END_STREAM)];
    let heads = (status, kind, more, ends.clone()).prop_map(|(status, kind, more, end)| {
        let head = head(status, kind, &more);
        vec![Part::Own(HEADERS, END_HEADERS | end, head)]
    });
    let data = (broken(messages()), 1_usize..40, ends).prop_map(|(bytes, cut, end)| {
        let parts = bytes
            .chunks(cut)
            .map(|part| Part::Own(DATA, 0, part.to_vec()));
        let last = (end != 0).then(|| Part::Own(DATA, end, Vec::new()));
        parts.chain(last).collect()
    });
    let trailers = (ended(), any::<bool>()).prop_map(|(said, ends)| {
        let end = if ends { END_STREAM } else { 0 };
        vec![Part::Own(HEADERS, END_HEADERS | end, said)]
    });
    let words = (select(vec![RST_STREAM, GOAWAY]), vec(any::<u8>(), 0..12));
    let words = words.prop_map(|(kind, payload)| vec![Part::Own(kind, 0, payload)]);
    let other = prop_oneof![broken(control()), vec(any::<u8>(), 0..30)];
    let other = other.prop_map(|bytes| vec![Part::Other(bytes)]);
    prop_oneof![4 => heads, 4 => data, 4 => trailers, 1 => words, 1 => other]
}

fn script() -> impl Strategy<Value = Script> {
    // Most begin as an answer does, so that what follows is read at all.
    let begins = prop_oneof![
        3 => Just(good().parts[..1].to_vec()),
        2 => Just(good().parts[..2].to_vec()),
        2 => Just(Vec::new()),
    ];
    let all = (begins, vec(part(), 0..5), any::<bool>());
    all.prop_map(|(begins, parts, closes)| Script {
        parts: [begins, parts.concat()].concat(),
        closes,
    })
}

/// How somebody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Grpc,
    GrpcStream,
    Web,
    WebText,
    Json,
    JsonLines,
    JsonEvents,
}

const DIALECTS: [Dialect; 7] = [
    Dialect::Grpc,
    Dialect::GrpcStream,
    Dialect::Web,
    Dialect::WebText,
    Dialect::Json,
    Dialect::JsonLines,
    Dialect::JsonEvents,
];

async fn ask(door: SocketAddr, bearer: &str, dialect: Dialect) -> Reply {
    let (path, kind, body) = match dialect {
        Dialect::Grpc => (door::UNARY, "application/grpc", framed(&[])),
        Dialect::GrpcStream => (door::DOWN, "application/grpc", framed(&[])),
        Dialect::Web => (door::UNARY, "application/grpc-web+proto", framed(&[])),
        Dialect::WebText => (
            door::UNARY,
            "application/grpc-web-text+proto",
            b"AAAAAAA=".to_vec(),
        ),
        Dialect::Json => ("/v1/students/7", "application/json", Vec::new()),
        Dialect::JsonLines | Dialect::JsonEvents => (
            "/v1/organizations/1/alerts:watch",
            "application/json",
            Vec::new(),
        ),
    };
    let method = if kind == "application/json" {
        "GET"
    } else {
        "POST"
    };
    let mut call = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "campus")
        .header("authorization", bearer)
        .header("content-type", kind);
    let (name, value) = SOON[usize::from(kind == "application/json")];
    call = call.header(name, value);
    if dialect == Dialect::JsonEvents {
        call = call.header("accept", "text/event-stream");
    }
    let call = call.body(Bytes::from(body)).expect("a request");
    let sent = async {
        match dialect {
            Dialect::Grpc | Dialect::GrpcStream => send_http2(door, call).await,
            _ => send(door, call).await,
        }
    };
    timeout(ANSWERS_WITHIN, sent).await.expect("in time")
}

/// Whether an answer says how the call ended, in its dialect.
fn is_told(dialect: Dialect, reply: &Reply) -> bool {
    let told = reply.header("content-type");
    let in_head = reply.headers.contains_key("grpc-status");
    match dialect {
        Dialect::Grpc | Dialect::GrpcStream => {
            in_head || reply.trailers.contains_key("grpc-status")
        }
        Dialect::Web => {
            let mut windows = reply.body.windows(12);
            in_head || windows.any(|bytes| bytes == b"grpc-status:")
        }
        Dialect::WebText => in_head || !reply.body.is_empty(),
        Dialect::Json => told == "application/json" && reply.json().is_object(),
        Dialect::JsonLines | Dialect::JsonEvents if told == "application/json" => {
            reply.json().is_object()
        }
        Dialect::JsonLines => reply.text().lines().all(is_json),
        Dialect::JsonEvents => {
            let mut lines = reply.text().lines();
            lines.all(|line| line.strip_prefix("data: ").is_none_or(is_json))
        }
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}

/// How many tasks of this process ended as none should.
fn panics() -> Arc<AtomicUsize> {
    let count = Arc::<AtomicUsize>::default();
    let (counted, usual) = (count.clone(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        counted.fetch_add(1, Ordering::Relaxed);
        usual(info);
    }));
    count
}

async fn door_before(service: &Hostile) -> kit::server::Running {
    let (door, _) = door_set(service.addr, |config| {
        config.default_deadline = DEADLINE;
        // Whether it serves is asked often, and answered by the same script.
        config.check_interval = Duration::from_millis(20);
    })
    .await;
    door
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_service_answers_its_caller_is_told_and_the_door_goes_on() {
    let panics = panics();
    let service = Hostile::start(good()).await;
    let door = door_before(&service).await;
    let bearer = bearer();
    let all = (script(), select(DIALECTS.to_vec()));
    fuzz::run(CASES, &all, |(script, dialect)| {
        service.becomes(script);
        let reply = fuzz::wait(ask(door.addr, &bearer, dialect));
        prop_assert!(is_told(dialect, &reply), "{dialect:?}: {reply:?}");
        prop_assert_eq!(panics.load(Ordering::Relaxed), 0);
        Ok(())
    });
    service.becomes(good());
    for dialect in DIALECTS {
        let well = async {
            loop {
                let reply = ask(door.addr, &bearer, dialect).await;
                let in_head = reply.headers.get("grpc-status");
                let code = in_head.or_else(|| reply.trailers.get("grpc-status"));
                if reply.status == 200 && code.is_none_or(|code| code == "0") {
                    return reply;
                }
            }
        };
        let reply = timeout(ANSWERS_WITHIN, well).await.expect("in time");
        assert!(is_told(dialect, &reply), "{reply:?}");
    }
}

/// A list that is cut off must not read as a whole one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_an_end_is_no_answer() {
    let [head, message, _] = <[Part; 3]>::try_from(good().parts).expect("three parts");
    let end = Part::Own(DATA, END_STREAM, Vec::new());
    let cut = Script {
        parts: vec![head, message, end],
        closes: false,
    };
    let service = Hostile::start(cut).await;
    let door = door_before(&service).await;
    let bearer = bearer();
    let reply = ask(door.addr, &bearer, Dialect::Grpc).await;
    assert_eq!(reply.trailers["grpc-status"], "14", "{reply:?}");
    let reply = ask(door.addr, &bearer, Dialect::Json).await;
    assert_eq!(reply.status, 503, "{reply:?}");
    let reply = ask(door.addr, &bearer, Dialect::JsonLines).await;
    assert!(reply.text().contains("\"error\""), "{reply:?}");
}
