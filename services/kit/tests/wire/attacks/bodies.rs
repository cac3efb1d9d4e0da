//! Attacks by what is sent as messages.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::join_all;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::super::stand::{LISTS, Stand};
use super::super::*;
use super::streams::streams;
use super::{FLAT, MANY, STREAMS, beside};

/// Codes of gRPC.
const OK: &str = "0";
const INVALID: &str = "3";
const EXHAUSTED: &str = "8";
const LATE: &str = "4";
const UNIMPLEMENTED: &str = "12";
/// How much comes out of the bomb, in bytes.
const BOMB: usize = 200 << 20;
/// How many bytes the words of a refusal have at most.
const WORDS: usize = 200;
/// What was announced and never comes is forgotten by then.
const FREED: Duration = Duration::from_secs(15);

/// Headers of a call beside those that each has.
type Headers<'a> = &'a [(&'a str, &'a str)];

/// A message as it is sent, with this flag, said to be so long.
fn said(flag: u8, length: usize, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(length).expect("short").to_be_bytes();
    [&[flag][..], &length, bytes].concat()
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    said(0, bytes.len(), bytes)
}

/// Bodies that are no message of gRPC are refused with a status, and nothing waits for what they promise.
pub(crate) async fn malformed(stand: &Stand) {
    let gzip = [("grpc-encoding", "gzip")];
    let empty = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let bodies: [(Headers<'_>, Vec<u8>); 9] = [
        (&[], Vec::new()),
        (&[], vec![0]),
        (&[], said(0, 9, b"too few")),
        (&[], said(0, 0xffff_ffff, b"")),
        (&[], said(1, 3, b"abc")),
        (&[], said(7, 0, b"")),
        (&[], framed(&[0xff, 0xfe])),
        (&[], [framed(b""), framed(&[0xff, 0xfe])].concat()),
        (&gzip, said(1, 20, &empty)),
    ];
    let send = async || {
        let calls = bodies
            .iter()
            .map(|(headers, body)| stand.target.answer(headers, body.clone()));
        join_all(calls).await
    };
    for told in beside(stand, FLAT, send).await {
        for (number, code) in told.into_iter().enumerate() {
            assert!(code.is_some_and(|code| code != OK), "body {number}");
        }
    }
}

/// What is compressed is not taken, said to be so or not; who passes it on finds it too large before.
pub(crate) async fn compressed(stand: &Stand) {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::default());
    let zeros = vec![0; 1 << 20];
    for _ in 0..BOMB >> 20 {
        bomb.write_all(&zeros).expect("memory");
    }
    let bomb = bomb.finish().expect("memory");
    assert!(bomb.len() < 256 << 10, "it is small: {}", bomb.len());
    let (body, gzip) = (said(1, bomb.len(), &bomb), [("grpc-encoding", "gzip")]);
    let ways = [(&gzip[..], UNIMPLEMENTED), (&gzip[..0], INVALID)];
    for (headers, code) in ways {
        let send = async || stand.target.answer(headers, body.clone()).await;
        for told in beside(stand, FLAT, send).await {
            let told = told.expect("an answer");
            assert!([code, EXHAUSTED].contains(&&*told), "{told}");
        }
    }
}

/// Two bytes on the wire are an element of a list, which has hundreds in memory.
pub(crate) async fn amplifying(stand: &Stand) {
    let target = Target {
        path: LISTS,
        ..stand.target.clone()
    };
    // The third field of the message is the list.
    for elements in [5_000, 20_000, 120_000] {
        let body = framed(&[0x1a, 0].repeat(elements));
        let send = async || {
            let calls = (0..100).map(|_| target.answer(&[], body.clone()));
            join_all(calls).await
        };
        let told = beside(stand, MANY, send).await.into_iter().flatten();
        let told: BTreeSet<Option<String>> = told.collect();
        // On a busy machine the rest of a body comes too late.
        let expected = [OK, EXHAUSTED, LATE].map(|code| Some(code.to_owned()));
        assert!(told.is_subset(&expected.into()), "{elements}: {told:?}");
    }
}

/// Fields that nobody knows, each within another, as many as a message may have: reading them must not go as deep.
pub(crate) async fn nested(stand: &Stand) {
    let groups = [vec![0x1b; 30_000], vec![0x1c; 30_000]].concat();
    let open = vec![0x1b; 60_000];
    for body in [framed(&groups), framed(&open)] {
        let send = async || stand.target.ask(&[], body.clone()).await;
        for told in beside(stand, FLAT, send).await {
            let told = told.expect("an answer");
            assert_eq!(told.code.as_deref(), Some(INVALID));
            assert!(told.words.len() < WORDS, "{}", told.words);
        }
    }
}

/// Opens so many streams of which each announces a message of `length` bytes that never comes; ends when each
/// has ended.
async fn announce(target: &Target, count: usize, length: usize) {
    let announced = said(0, length, b"and then nothing");
    let head = target.known_head();
    let heads = streams().take(count).flat_map(|stream| {
        let head = frame(HEADERS, END_HEADERS, stream, &head);
        [head, frame(DATA, 0, stream, &announced)].concat()
    });
    let bytes: Vec<u8> = heads.collect();
    let (mut reader, mut writer) = tokio::io::split(target.connect().await);
    let sending = tokio::spawn(async move {
        // The server may close before everything is sent.
        let _ = writer.write_all(&bytes).await;
        let _ = writer.flush().await;
        writer
    });
    let freed = async {
        let mut ended = BTreeSet::new();
        while ended.len() < count {
            // Whoever is sent away holds nothing any more.
            let Some(frame) = next(&mut reader).await else {
                return;
            };
            // What there is no room for is reset, and never answered.
            let answered = frame.kind == HEADERS && frame.flags & END_STREAM != 0;
            if answered || frame.kind == RST_STREAM {
                ended.insert(frame.stream);
            }
        }
    };
    let freed = timeout(FREED, freed).await;
    freed.expect("each is given up though its body never ends");
    sending.abort();
}

/// Bodies that are never sent as they were announced.
pub(crate) async fn silent(stand: &Stand) {
    let send = async || announce(&stand.target, 200, 60 << 10).await;
    beside(stand, STREAMS, send).await;
}

/// As many of them as two connections have room for, and more than one has, of the largest that there is.
pub(crate) async fn announced(stand: &Stand) {
    let target = &stand.target;
    let together = async || {
        join_all([1_000, 1_000].map(|count| announce(target, count, 4 << 20))).await;
    };
    beside(stand, MANY, together).await;
    let at_once = async || announce(target, 2_000, 4 << 20).await;
    beside(stand, STREAMS, at_once).await;
}
