//! Attacks by streams, their heads, and frames that ask for answers.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::super::stand::Stand;
use super::super::*;
use super::{CALM, FLAT, STREAMS, beside, sent_away};

/// How many streams a flood opens.
const FLOOD: u32 = 20_000;
/// How many streams a server resets for faults of theirs before it ends a connection.
const RESETS: usize = 256;
/// The settings that bound the streams of a connection, and the headers of a call in bytes.
const BOUNDS: [(u16, u32); 2] = [(3, 1024), (6, 16 << 10)];
/// The status of HTTP of a head that is too large.
const TOO_LARGE: u16 = 431;

pub(super) fn streams() -> impl Iterator<Item = u32> {
    (0..FLOOD).map(|number| 2 * number + 1)
}

/// Whoever knows what is bounded need not find it out.
pub(crate) async fn settings(stand: &Stand) {
    let settings = stand.target.settings().await;
    for (id, most) in BOUNDS {
        let told = settings.iter().find(|(known, _)| *known == id);
        assert_eq!(told, Some(&(id, most)));
    }
}

/// CVE-2023-44487.
pub(crate) async fn rapid_reset(stand: &Stand) {
    let mut bytes = Vec::new();
    for stream in streams() {
        bytes.extend(frame(HEADERS, END_HEADERS, stream, &stand.target.head()));
        bytes.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    sent_away(stand, FLAT, "too_many_resets", bytes).await;
}

/// CVE-2025-8671: the client makes the server reset its streams, in each way that there is.
pub(crate) async fn made_resets(stand: &Stand) {
    let target = &stand.target;
    let overflow = |stream| {
        let window = 0x7fff_ffff_u32.to_be_bytes();
        let head = frame(HEADERS, END_HEADERS, stream, &target.head());
        [head, frame(WINDOW_UPDATE, 0, stream, &window)].concat()
    };
    let late_field = |stream| {
        let head = [target.head(), header(":path", "/")].concat();
        frame(HEADERS, END_HEADERS | END_STREAM, stream, &head)
    };
    let own_child = |stream: u32| {
        let priority = [&stream.to_be_bytes()[..], &[15]].concat();
        let head = [priority, target.head()].concat();
        frame(HEADERS, END_HEADERS | END_STREAM | PRIORITY, stream, &head)
    };
    let wrong_length = |stream| {
        let head = [target.known_head(), header("content-length", "1")].concat();
        let head = frame(HEADERS, END_HEADERS, stream, &head);
        [head, frame(DATA, END_STREAM, stream, b"more")].concat()
    };
    let ways: [&dyn Fn(u32) -> Vec<u8>; 4] = [&overflow, &late_field, &own_child, &wrong_length];
    for (number, way) in ways.iter().enumerate() {
        let bytes = streams().flat_map(way).collect();
        for closed in sent_away(stand, FLAT, "too_many_internal_resets", bytes).await {
            assert!(closed.resets <= RESETS, "way {number}: {closed:?}");
        }
    }
}

/// Streams that are opened and left, again once the server has let go of those before: what all streams of one
/// connection cost is not what those of several do.
pub(crate) async fn stream_flood(stand: &Stand) {
    let head = stand.target.known_head();
    let heads = streams().flat_map(|stream| frame(HEADERS, END_HEADERS, stream, &head));
    let bytes: Vec<u8> = heads.collect();
    let quiet = stand.server.tasks().await;
    let attack = async || {
        let closed = stand.target.attack(bytes.clone()).await;
        stand.server.lets_go(quiet).await;
        closed
    };
    for closed in beside(stand, STREAMS, attack).await {
        let expected = Some((CALM, "too_many_internal_resets".to_owned()));
        assert_eq!(closed.farewell, expected);
    }
}

/// RUSTSEC-2024-0332.
pub(crate) async fn continuations(stand: &Stand) {
    let more = header("x-more", &"x".repeat(100));
    let mut bytes = frame(HEADERS, 0, 1, &stand.target.head());
    for _ in 0..FLOOD {
        bytes.extend(frame(CONTINUATION, 0, 1, &more));
    }
    sent_away(stand, FLAT, "too_many_continuations", bytes).await;
}

/// A few bytes of headers that mean many: one is remembered, and then only referred to.
pub(crate) async fn header_bomb(stand: &Stand) {
    let large = remembered("x-bomb", &"x".repeat(3_900));
    let mut bomb = [stand.target.known_head(), large].concat();
    bomb.resize(16 << 10, LAST_REMEMBERED);
    let bombs = streams().take(400);
    let bytes = bombs.flat_map(|stream| frame(HEADERS, END_HEADERS | END_STREAM, stream, &bomb));
    sent_away(stand, FLAT, "header_list_way_too_large", bytes.collect()).await;
}

/// Headers that are a little too many are refused; whoever sends far too many is sent away.
pub(crate) async fn huge_metadata(stand: &Stand) {
    let more = "x".repeat(5_000);
    let some = [
        ("x-a", &*more),
        ("x-b", &*more),
        ("x-c", &*more),
        ("x-d", &*more),
    ];
    let ask = async || stand.target.ask(&some, Vec::new()).await;
    for told in beside(stand, FLAT, ask).await {
        assert_eq!(told.expect("an answer").http, TOO_LARGE);
    }
    let part = header("x-more", &"x".repeat(4_000)).repeat(4);
    let mut bytes = frame(
        HEADERS,
        0,
        1,
        &[stand.target.head(), part[..8_000].to_vec()].concat(),
    );
    // The first frame ends in the midst of a header, and so does each other.
    let rest = [&part[8_000..], &part[..8_000]].concat();
    for _ in 0..100 {
        bytes.extend(frame(CONTINUATION, 0, 1, &rest));
    }
    let attack = async || stand.target.attack(bytes.clone()).await;
    for closed in beside(stand, FLAT, attack).await {
        assert!(closed.farewell.is_some_and(|(code, _)| code != 0));
    }
}

/// Frames that the server must answer, from somebody who reads the answers or does not: nothing piles up.
pub(crate) async fn asks_for_answers(stand: &Stand) {
    let settings = frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]);
    let ping = frame(PING, 0, 0, b"a flood!");
    for (asked, reads) in [
        (&settings, false),
        (&settings, true),
        (&ping, false),
        (&ping, true),
    ] {
        let flood = asked.repeat(1_000);
        beside(stand, FLAT, async || {
            let (mut reader, mut writer) = tokio::io::split(stand.target.connect().await);
            let reading = tokio::spawn(async move {
                while reads && next(&mut reader).await.is_some() {}
                std::future::pending::<()>().await;
            });
            // Whoever does not read cannot go on writing; the server may also close.
            let writing = async { while writer.write_all(&flood).await.is_ok() {} };
            let _ = timeout(Duration::from_secs(2), writing).await;
            reading.abort();
        })
        .await;
    }
}

/// RUSTSEC-2026-0258.
pub(crate) async fn empty_frames(stand: &Stand) {
    let mut bytes = frame(HEADERS, END_HEADERS, 1, &stand.target.known_head());
    bytes.extend(frame(DATA, 0, 1, &[]).repeat(FLOOD as usize));
    sent_away(stand, FLAT, "too_many_data_frames", bytes).await;
}
