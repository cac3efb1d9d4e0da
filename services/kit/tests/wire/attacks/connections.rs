//! Attacks by connections: many, silent, or of somebody who is gone.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::super::good::Way;
use super::super::stand::Stand;
use super::super::*;
use super::{FLAT, STREAMS, beside, beside_calls};

/// Whoever says nothing is sent away by then: the server waits five seconds.
const SILENT: Duration = Duration::from_secs(8);
/// What a busy machine may take besides.
const SLACK: Duration = Duration::from_secs(4);
/// Where attackers are who have an address of their own.
const ELSEWHERE: [u8; 4] = [127, 0, 0, 2];
/// How many connections are opened at once by one who wants to take them all.
const CONNECTIONS: usize = 300;
/// A method that everybody may call, and whose stream is silent as long as nothing changes.
const WATCH: &str = "/grpc.health.v1.Health/Watch";
/// The code by which somebody says that they want no more of a stream.
const CANCEL: [u8; 4] = [0, 0, 0, 8];

/// Reads until the server closes. A reset closes as well as an end does.
async fn closed(stream: &mut (impl AsyncReadExt + Unpin)) {
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

/// Connections on which nothing is said, or too little.
pub(crate) async fn silent(stand: &Stand) {
    let target = &stand.target;
    let here = IpAddr::from([127, 0, 0, 1]);
    let silent = async || {
        let quiet = [&b""[..], b"P", b"PRI * HTTP/2.0\r\n"].map(async |said| {
            let mut stream = target.open().await;
            stream.write_all(said).await.expect("sent");
            stream.flush().await.expect("sent");
            closed(&mut stream).await;
        });
        // Where encryption is to be agreed on first, this says too little of that.
        let bare = [&b""[..], &[0x16], &[0x16, 3, 1, 2, 0, 1]].map(async |said| {
            let mut stream = target.touch(here).await.expect("connects");
            stream.write_all(said).await.expect("sent");
            closed(&mut stream).await;
        });
        let all = async { tokio::join!(join_all(quiet), join_all(bare)) };
        let all = timeout(SILENT, all).await;
        all.expect("the server does not wait for ever");
    };
    beside(stand, FLAT, silent).await;
}

/// How long the server of this stand waits for a sign of life, with the time that it takes to ask for one.
fn patience(stand: &Stand) -> Duration {
    2 * stand.how.ping.expect("a stand that is impatient")
}

/// A head that is begun and never ended.
pub(crate) async fn silent_head(stand: &Stand) {
    let patience = patience(stand) + SLACK;
    beside(stand, FLAT, async || {
        let mut stream = stand.target.connect().await;
        let begun = frame(HEADERS, 0, 1, &stand.target.head());
        stream.write_all(&begun).await.expect("sent");
        let closed = timeout(patience, closed(&mut stream)).await;
        closed.expect("the server does not wait for ever");
    })
    .await;
}

/// Somebody who says this and is gone without a farewell.
async fn gone(stand: &Stand, said: &[u8]) {
    let (patience, begun) = (patience(stand), Instant::now());
    let mut stream = stand.target.connect().await;
    stream.write_all(said).await.expect("sent");
    stream.flush().await.expect("sent");
    let closed = timeout(patience + SLACK, closed(&mut stream)).await;
    closed.expect("nobody is taken for alive who is not");
    assert!(begun.elapsed() >= patience / 2, "before it was asked");
}

/// Somebody who says nothing but gives a sign of life whenever it is asked for.
async fn alive(stand: &Stand) {
    let patience = patience(stand);
    let mut stream = stand.target.connect().await;
    let mut signs = 0;
    while signs < 3 {
        let asked = timeout(patience + SLACK, next(&mut stream)).await;
        let asked = asked.expect("asked").expect("whoever lives stays");
        if wants_sign(&asked) {
            let sign = frame(PING, ACK, 0, &asked.payload);
            stream.write_all(&sign).await.expect("sent");
            stream.flush().await.expect("sent");
            signs += 1;
        }
    }
}

/// Whether a frame asks for a sign of life.
fn wants_sign(asked: &Frame) -> bool {
    (asked.kind, asked.flags & ACK) == (PING, 0)
}

/// Somebody who gives each sign of life that is asked for and that they `hear`, until the server closes.
async fn lives(stream: &mut Connection, mut hear: impl FnMut(&Frame) -> bool) -> Closed {
    let mut closed = Closed::default();
    while let Some(asked) = next(stream).await {
        closed.note(&asked);
        if wants_sign(&asked) && hear(&asked) {
            let sign = frame(PING, ACK, 0, &asked.payload);
            // The server may be gone by now.
            let _ = stream.write_all(&sign).await;
            let _ = stream.flush().await;
        }
    }
    closed
}

/// Somebody who gives signs of life and never asks for anything. The farewell wants one of its own, which not
/// everybody `hears`.
async fn asks_for_nothing(stand: &Stand, hears: bool) {
    let idle = stand.how.idle.expect("a stand that has no time for that");
    let (begun, mut stream) = (Instant::now(), stand.target.connect().await);
    let mut usual = None;
    let hear =
        |asked: &Frame| hears || asked.payload == *usual.get_or_insert(asked.payload.clone());
    let within = idle + patience(stand) + SLACK;
    let closed = timeout(within, lives(&mut stream, hear)).await;
    let closed = closed.expect("nobody keeps a place for nothing");
    assert_eq!(closed.farewell, Some((0, String::new())));
    assert!(begun.elapsed() >= idle, "before it was time");
}

/// Somebody who waits for what happens, longer than a connection may be idle, and then does not any more.
async fn waits(stand: &Stand) {
    let idle = stand.how.idle.expect("a stand that has no time for that");
    let watch = Target {
        path: WATCH,
        ..stand.target.clone()
    };
    let head = frame(HEADERS, END_HEADERS, 1, &watch.head());
    let call = [head, frame(DATA, END_STREAM, 1, &[0; 5])].concat();
    let mut stream = watch.connect().await;
    stream.write_all(&call).await.expect("sent");
    stream.flush().await.expect("sent");
    let closed = timeout(2 * idle, lives(&mut stream, |_| true)).await;
    assert!(closed.is_err(), "whoever waits stays: {closed:?}");
    let begun = Instant::now();
    let enough = frame(RST_STREAM, 0, 1, &CANCEL);
    stream.write_all(&enough).await.expect("sent");
    stream.flush().await.expect("sent");
    let closed = timeout(idle + SLACK, lives(&mut stream, |_| true)).await;
    let closed = closed.expect("nobody keeps a place for nothing");
    assert_eq!(closed.farewell, Some((0, String::new())));
    assert!(begun.elapsed() >= idle, "before it was time");
}

/// Connections on which nothing is asked for, whatever signs of life come on them, are closed; one with an open
/// call stays until that has ended.
pub(crate) async fn idle(stand: &Stand) {
    beside(stand, FLAT, async || {
        tokio::join!(
            asks_for_nothing(stand, true),
            asks_for_nothing(stand, false),
            waits(stand),
        );
    })
    .await;
}

/// Somebody who is gone without a farewell, with and without a call under way; whoever gives signs of life
/// stays.
pub(crate) async fn dead_peer(stand: &Stand) {
    let call = frame(HEADERS, END_HEADERS, 1, &stand.target.known_head());
    beside(stand, FLAT, async || {
        tokio::join!(gone(stand, b""), gone(stand, &call));
    })
    .await;
    alive(stand).await;
}

/// Connections until the server has no file descriptor left: those that there are go on, and new ones are
/// taken as soon as there is room.
pub(crate) async fn exhausted(stand: &Stand) {
    let files = stand.how.files.expect("a stand that is poor");
    let files = usize::try_from(files).expect("few");
    let here = IpAddr::from([127, 0, 0, 1]);
    let greedy = join_all((0..200).map(|_| stand.target.touch(here))).await;
    let greedy: Vec<TcpStream> = greedy.into_iter().flatten().collect();
    let taken = async {
        while stand.server.files() + 1 < files {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SLACK, taken).await.expect("it has none left");
    stand.good.calls(20, Way::One).await;
    drop(greedy);
    let served = timeout(SILENT, stand.good.call_anew()).await;
    served.expect("new connections are taken again");
}

/// Connections from one address that never agree on encryption, or do so again and again: others, each with a
/// new connection, are served.
pub(crate) async fn handshakes(stand: &Stand) {
    let (target, there) = (&stand.target, IpAddr::from(ELSEWHERE));
    beside_calls(stand, STREAMS, Way::Each, async || {
        let opened = join_all((0..CONNECTIONS).map(|_| target.touch(there))).await;
        let waits = opened.into_iter().flatten().map(async |mut stream| {
            closed(&mut stream).await;
        });
        let all = timeout(SILENT, join_all(waits)).await;
        all.expect("the server does not wait for ever");
    })
    .await;
    beside_calls(stand, STREAMS, Way::Each, async || {
        let agreed = (0..8).map(async |_| {
            for _ in 0..10 {
                drop(target.open_from(there).await.expect("agreed on"));
            }
        });
        join_all(agreed).await;
    })
    .await;
}
