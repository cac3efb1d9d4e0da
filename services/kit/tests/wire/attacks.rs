//! Attacks on a port, each of which is refused with bounded memory while others are served.

use std::pin::pin;
use std::time::Instant;

use super::*;

/// No attack makes the process, in which attackers, servers and good callers are, grow by more.
const MOST_MEMORY: usize = 96 << 20;
/// How long others may have to wait beside an attack, on a machine whose two processors attackers share.
const SERVED_WITHIN: Duration = Duration::from_secs(10);
/// How many streams a flood opens.
const FLOOD: u32 = 20_000;

/// Somebody who calls as they should.
pub(crate) trait Good {
    /// The server under attack.
    fn target(&self) -> &Target;

    /// Calls, and is answered.
    async fn call(&self);
}

/// What becomes of `attack` while somebody else calls and is served.
async fn beside<T>(good: &impl Good, attack: impl Future<Output = T>) -> T {
    good.call().await;
    let before = memory();
    let mut attack = pin!(attack);
    let outcome = loop {
        let begun = Instant::now();
        tokio::select! {
            outcome = &mut attack => break outcome,
            () = good.call() => assert!(begun.elapsed() < SERVED_WITHIN, "{:?}", begun.elapsed()),
        }
        let grown = memory().saturating_sub(before);
        assert!(grown < MOST_MEMORY, "{} MiB more", grown >> 20);
    };
    let served = timeout(SERVED_WITHIN, good.call()).await;
    served.expect("others are served afterwards");
    outcome
}

fn streams() -> impl Iterator<Item = u32> {
    (0..FLOOD).map(|number| 2 * number + 1)
}

/// CVE-2023-44487.
pub(crate) async fn rapid_reset(good: &impl Good) {
    let target = good.target();
    let mut bytes = Vec::new();
    for stream in streams() {
        bytes.extend(frame(HEADERS, END_HEADERS, stream, &target.head()));
        bytes.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    let closed = beside(good, target.attack(bytes)).await;
    assert!(closed.in_anger(), "{closed:?}");
}

/// CVE-2025-8671: the client makes the server reset its streams, in each way that there is.
pub(crate) async fn made_resets(good: &impl Good) {
    let target = good.target();
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
        let closed = beside(good, target.attack(bytes)).await;
        assert!(closed.in_anger(), "way {number}: {closed:?}");
        assert!(closed.resets <= 300, "way {number}: {closed:?}");
    }
}

/// Streams that are opened and left.
pub(crate) async fn stream_flood(good: &impl Good) {
    let target = good.target();
    let head = target.known_head();
    let heads = streams().flat_map(|stream| frame(HEADERS, END_HEADERS, stream, &head));
    beside(good, target.flood(heads.collect())).await;
}

/// RUSTSEC-2024-0332.
pub(crate) async fn continuations(good: &impl Good) {
    let target = good.target();
    let more = header("x-more", &"x".repeat(100));
    let mut bytes = frame(HEADERS, 0, 1, &target.head());
    for _ in 0..FLOOD {
        bytes.extend(frame(CONTINUATION, 0, 1, &more));
    }
    let closed = beside(good, target.attack(bytes)).await;
    assert!(closed.in_anger(), "{closed:?}");
}

/// A few bytes of headers that mean many: one is remembered, and then only referred to.
pub(crate) async fn header_bomb(good: &impl Good) {
    let target = good.target();
    let large = remembered("x-bomb", &"x".repeat(3_900));
    let mut bomb = [target.known_head(), large].concat();
    bomb.resize(16 << 10, LAST_REMEMBERED);
    let bombs = streams().take(400);
    let bytes = bombs.flat_map(|stream| frame(HEADERS, END_HEADERS | END_STREAM, stream, &bomb));
    beside(good, target.flood(bytes.collect())).await;
}

/// Frames that the server must answer, from somebody who reads the answers or does not: nothing piles up.
pub(crate) async fn asks_for_answers(good: &impl Good) {
    let target = good.target();
    let settings = frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]);
    let ping = frame(PING, 0, 0, b"a flood!");
    for (asked, reads) in [
        (&settings, false),
        (&settings, true),
        (&ping, false),
        (&ping, true),
    ] {
        let flood = asked.repeat(1_000);
        beside(good, async {
            let (mut reader, mut writer) = target.connect().await.into_split();
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
pub(crate) async fn empty_frames(good: &impl Good) {
    let target = good.target();
    let mut bytes = frame(HEADERS, END_HEADERS, 1, &target.known_head());
    bytes.extend(frame(DATA, 0, 1, &[]).repeat(FLOOD as usize));
    let closed = beside(good, target.attack(bytes)).await;
    assert!(closed.in_anger(), "{closed:?}");
}

/// Headers of a call beside those that each has.
type Headers<'a> = &'a [(&'a str, &'a str)];

/// Bodies that are no message of gRPC are refused with a status, and nothing waits for what they promise.
pub(crate) async fn malformed_bodies(good: &impl Good) {
    let target = good.target();
    let framed =
        |flag: u8, length: u32, bytes: &[u8]| [&[flag][..], &length.to_be_bytes(), bytes].concat();
    let gzip = [("grpc-encoding", "gzip")];
    let bodies: [(Headers<'_>, Vec<u8>); 9] = [
        (&[], Vec::new()),
        (&[], vec![0]),
        (&[], framed(0, 9, b"too few")),
        (&[], framed(0, u32::MAX, b"")),
        (&[], framed(1, 3, b"abc")),
        (&[], framed(7, 0, b"")),
        (&[], framed(0, 2, &[0xff, 0xfe])),
        (&[], framed(0, 0, &framed(0, 2, &[0xff, 0xfe]))),
        (
            &gzip,
            framed(
                1,
                20,
                &[
                    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                ],
            ),
        ),
    ];
    for (number, (headers, body)) in bodies.into_iter().enumerate() {
        let told = beside(good, target.answer(headers, body)).await;
        assert!(told.is_some_and(|code| code != "0"), "body {number}");
    }
}

/// Many bodies that are never sent as they were announced.
pub(crate) async fn silent_bodies(good: &impl Good) {
    let target = good.target();
    let announced = [&[0][..], &(60_u32 << 10).to_be_bytes(), b"and then nothing"].concat();
    let head = target.known_head();
    let heads = streams().take(200).flat_map(|stream| {
        let head = frame(HEADERS, END_HEADERS, stream, &head);
        [head, frame(DATA, 0, stream, &announced)].concat()
    });
    let bytes: Vec<u8> = heads.collect();
    beside(good, async {
        let (mut reader, mut writer) = target.connect().await.into_split();
        writer.write_all(&bytes).await.expect("sent");
        let answered = async {
            let mut ended = 0;
            while ended < 200 {
                let frame = next(&mut reader).await.expect("the connection stays");
                let end = frame.kind == HEADERS && frame.flags & END_STREAM != 0;
                ended += usize::from(end);
            }
        };
        let answered = timeout(PATIENCE, answered).await;
        answered.expect("each is answered though its body never ends");
    })
    .await;
}

/// A head that is begun and never ended.
pub(crate) async fn silent_head(good: &impl Good) {
    let target = good.target();
    beside(good, async {
        let mut stream = target.connect().await;
        let begun = frame(HEADERS, 0, 1, &target.head());
        stream.write_all(&begun).await.expect("sent");
        let closed = async { while next(&mut stream).await.is_some() {} };
        let closed = timeout(Duration::from_secs(45), closed).await;
        closed.expect("the server does not wait for ever");
    })
    .await;
}

/// Makes a test of each attack on what `$stand` starts.
macro_rules! attacks {
    ($stand:path: $($attack:ident => $name:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                wire::attacks::$attack(&$stand().await).await;
            }
        )*
    };
    ($stand:path) => {
        attacks! { $stand:
            rapid_reset => streams_that_are_opened_and_reset_end_the_connection,
            made_resets => streams_that_the_server_is_made_to_reset_end_the_connection,
            stream_flood => streams_that_are_opened_and_left_are_bounded,
            continuations => headers_without_an_end_end_the_connection,
            header_bomb => headers_that_mean_more_than_they_say_are_refused,
            asks_for_answers => answers_to_a_flood_do_not_pile_up,
            empty_frames => frames_without_bytes_end_the_connection,
            malformed_bodies => what_is_no_message_is_refused_with_a_status,
            silent_bodies => a_body_that_never_comes_is_given_up,
            silent_head => a_head_that_never_ends_is_given_up,
        }
    };
}
pub(crate) use attacks;
