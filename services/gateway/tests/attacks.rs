//! What an exposed port meets: floods of streams, resets and headers, and silence.

mod door;

use std::net::SocketAddr;
use std::time::Duration;

use kit::server::{Running, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::transport::Channel;

use door::{Behaviour, call, door, signed, upstream};

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
/// The setting that bounds the streams of a connection.
const MAX_CONCURRENT_STREAMS: u16 = 3;
/// The code of a farewell to somebody who asks for too much.
const ENHANCE_YOUR_CALM: u32 = 11;

struct Frame {
    kind: u8,
    payload: Vec<u8>,
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The next frame; none when the door has closed the connection.
async fn next(reader: &mut (impl AsyncRead + Unpin)) -> Option<Frame> {
    let mut head = [0; 9];
    reader.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(length).expect("fits")];
    reader.read_exact(&mut payload).await.ok()?;
    Some(Frame {
        kind: head[3],
        payload,
    })
}

/// A header, uncompressed.
fn header(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        bytes.push(u8::try_from(text.len()).expect("short"));
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// The head of a call.
fn head() -> Vec<u8> {
    let headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "campus"),
        (":path", door::UNARY),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    headers
        .into_iter()
        .flat_map(|(name, value)| header(name, value))
        .collect()
}

async fn connect(addr: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.expect("connects");
    let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    hello.extend(frame(SETTINGS, 0, 0, &[]));
    stream.write_all(&hello).await.expect("sent");
    stream
}

/// Sends `bytes` while it reads: how many streams the door has reset, and the code of its farewell,
/// when the connection is over.
async fn attack(addr: SocketAddr, bytes: Vec<u8>) -> (usize, Option<u32>) {
    let (mut reader, mut writer) = connect(addr).await.into_split();
    let sending = tokio::spawn(async move {
        // The door may close before everything is sent.
        let _ = writer.write_all(&bytes).await;
        std::future::pending::<()>().await;
    });
    let (mut resets, mut farewell) = (0, None);
    let over = async {
        while let Some(frame) = next(&mut reader).await {
            match (frame.kind, frame.payload.get(4..8)) {
                (RST_STREAM, _) => resets += 1,
                (GOAWAY, Some(code)) => {
                    farewell = code.try_into().ok().map(u32::from_be_bytes);
                }
                _ => {}
            }
        }
    };
    let over = timeout(Duration::from_secs(30), over).await;
    sending.abort();
    over.expect("the door closes");
    (resets, farewell)
}

async fn exposed() -> (Running, Running, Channel) {
    let service = upstream(ServerConfig::loopback(), Behaviour::Echo).await;
    let (door, channel) = door(service.addr).await;
    (service, door, channel)
}

async fn still_answers(channel: &Channel) {
    let answer = call(channel, signed("still".to_owned())).await;
    assert_eq!(answer.expect("answered"), "still");
}

fn streams() -> impl Iterator<Item = u32> {
    (0..20_000).map(|number| 2 * number + 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_streams_of_a_connection_are_bounded() {
    let (_service, door, _channel) = exposed().await;
    let mut stream = connect(door.addr).await;
    let settings = loop {
        let frame = next(&mut stream).await.expect("a greeting");
        if frame.kind == SETTINGS && !frame.payload.is_empty() {
            break frame.payload;
        }
    };
    let bound = settings.chunks(6).find_map(|setting| {
        let id = u16::from_be_bytes([setting[0], setting[1]]);
        let value = [setting[2], setting[3], setting[4], setting[5]];
        (id == MAX_CONCURRENT_STREAMS).then(|| u32::from_be_bytes(value))
    });
    assert_eq!(bound, Some(1024));
}

/// CVE-2023-44487.
#[tokio::test(flavor = "multi_thread")]
async fn streams_that_are_opened_and_reset_end_the_connection() {
    let (_service, door, channel) = exposed().await;
    let mut bytes = Vec::new();
    for stream in streams() {
        bytes.extend(frame(HEADERS, END_HEADERS, stream, &head()));
        bytes.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    let (_, farewell) = attack(door.addr, bytes).await;
    assert_eq!(farewell, Some(ENHANCE_YOUR_CALM));
    still_answers(&channel).await;
}

/// CVE-2025-8671: the client makes the door reset its streams.
#[tokio::test(flavor = "multi_thread")]
async fn streams_that_the_door_is_made_to_reset_end_the_connection() {
    let (_service, door, channel) = exposed().await;
    let mut bytes = Vec::new();
    for stream in streams() {
        bytes.extend(frame(HEADERS, END_HEADERS, stream, &head()));
        let overflow = 0x7fff_ffff_u32.to_be_bytes();
        bytes.extend(frame(WINDOW_UPDATE, 0, stream, &overflow));
    }
    let (resets, farewell) = attack(door.addr, bytes).await;
    assert_eq!(farewell, Some(ENHANCE_YOUR_CALM));
    assert!(resets <= 300, "{resets} streams were reset");
    still_answers(&channel).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_without_an_end_end_the_connection() {
    let (_service, door, channel) = exposed().await;
    let mut bytes = frame(HEADERS, 0, 1, &head());
    for _ in 0..20_000 {
        bytes.extend(frame(
            CONTINUATION,
            0,
            1,
            &header("x-more", &"x".repeat(100)),
        ));
    }
    let (_, farewell) = attack(door.addr, bytes).await;
    assert!(farewell.is_some_and(|code| code != 0), "{farewell:?}");
    still_answers(&channel).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_is_closed() {
    let (_service, door, channel) = exposed().await;
    let mut stream = TcpStream::connect(door.addr).await.expect("connects");
    let mut rest = Vec::new();
    let closed = timeout(Duration::from_secs(8), stream.read_to_end(&mut rest)).await;
    closed.expect("the door does not wait for ever").ok();
    still_answers(&channel).await;
}
