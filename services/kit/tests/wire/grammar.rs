//! What clients may say: calls of gRPC in frames of HTTP/2, cut anywhere, with frames of every kind between them,
//! some of them broken.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const PRIORITY_FRAME: u8 = 2;
const PUSH_PROMISE: u8 = 5;
const PADDED: u8 = 8;
/// Fields that mean something to somebody on the way.
const FIELDS: [&str; 14] = [
    ":path",
    ":method",
    ":status",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "grpc-encoding",
    "grpc-timeout",
    "host",
    "te",
    "traceparent",
    "transfer-encoding",
    "X-Upper",
];

/// A stream of a client: they meet often.
fn stream() -> impl Strategy<Value = u32> {
    prop_oneof![
        8 => (0_u32..5).prop_map(|number| 2 * number + 1),
        1 => Just(0_u32),
        1 => any::<u32>(),
    ]
}

/// A field of a head, as it may stand there or not.
pub(crate) fn field() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        4 => select(FIELDS.to_vec()).prop_map(str::to_owned),
        1 => "[a-z-]{0,9}",
    ];
    let one = (name, "[ -~]{0,20}", any::<bool>());
    one.prop_map(|(name, value, stays)| {
        if stays {
            remembered(&name, &value)
        } else {
            header(&name, &value)
        }
    })
}

/// Messages as gRPC frames them, the last of which may lack its end, or say that it is longer than it is.
pub(crate) fn messages() -> impl Strategy<Value = Vec<u8>> {
    let text = "[a-z]{0,20}".prop_map(|text| {
        let length = u8::try_from(text.len()).expect("short");
        [&[0x0a, length][..], text.as_bytes()].concat()
    });
    let message = prop_oneof![2 => text, 1 => vec(any::<u8>(), 0..60)];
    let flag = prop_oneof![6 => Just(0_u8), 1 => any::<u8>()];
    let more = prop_oneof![8 => Just(0_u32), 1 => any::<u32>()];
    let framed = (flag, message, more).prop_map(|(flag, message, more)| {
        let length = u32::try_from(message.len()).expect("short");
        let length = length.wrapping_add(more).to_be_bytes();
        [&[flag][..], &length, &message].concat()
    });
    (vec(framed, 0..4), 0_usize..8).prop_map(|(messages, lacks)| {
        let mut bytes = messages.concat();
        bytes.truncate(bytes.len().saturating_sub(lacks.saturating_sub(5)));
        bytes
    })
}

/// `body` in frames of at most `cut` bytes, the last of which may end the stream.
pub(crate) fn data(stream: u32, body: &[u8], cut: usize, ends: bool, padded: bool) -> Vec<u8> {
    let count = body.chunks(cut).count();
    let frames = body.chunks(cut).enumerate().flat_map(|(number, part)| {
        let last = if ends && number + 1 == count {
            END_STREAM
        } else {
            0
        };
        if padded {
            let part = [&[3][..], part, &[0; 3]].concat();
            frame(DATA, last | PADDED, stream, &part)
        } else {
            frame(DATA, last, stream, part)
        }
    });
    frames.collect()
}

/// A call, whole or not.
fn call(target: &Target) -> impl Strategy<Value = Vec<u8>> + use<> {
    let (unknown, known) = (target.head(), target.known_head());
    let parts = (stream(), any::<bool>(), vec(field(), 0..3), messages());
    let how = (1_usize..40, any::<bool>(), any::<bool>());
    (parts, how).prop_map(
        move |((stream, is_known, fields, body), (cut, ends, padded))| {
            let head = if is_known { &known } else { &unknown };
            let head = [head.clone(), fields.concat()].concat();
            let last = if ends && body.is_empty() {
                END_STREAM
            } else {
                0
            };
            let head = frame(HEADERS, END_HEADERS | last, stream, &head);
            [head, data(stream, &body, cut, ends, padded)].concat()
        },
    )
}

/// A frame that moves no message.
pub(crate) fn control() -> impl Strategy<Value = Vec<u8>> {
    let setting = (0_u16..10, any::<u32>());
    let settings = (vec(setting, 0..6), any::<bool>()).prop_map(|(settings, ack)| {
        let payload = settings.into_iter().flat_map(|(id, value)| {
            let (id, value) = (id.to_be_bytes(), value.to_be_bytes());
            [&id[..], &value].concat()
        });
        frame(SETTINGS, u8::from(ack), 0, &payload.collect::<Vec<_>>())
    });
    let word = (
        select(vec![RST_STREAM, WINDOW_UPDATE]),
        stream(),
        any::<u32>(),
    );
    let word = word.prop_map(|(kind, stream, word)| frame(kind, 0, stream, &word.to_be_bytes()));
    let kinds = [PING, GOAWAY, PRIORITY_FRAME, PUSH_PROMISE, CONTINUATION];
    let other = (
        select(kinds.to_vec()),
        0_u8..16,
        stream(),
        vec(any::<u8>(), 0..20),
    );
    let other =
        other.prop_map(|(kind, flags, stream, payload)| frame(kind, flags, stream, &payload));
    let whatever = (any::<u8>(), any::<u8>(), stream(), vec(any::<u8>(), 0..50));
    let whatever =
        whatever.prop_map(|(kind, flags, stream, payload)| frame(kind, flags, stream, &payload));
    prop_oneof![settings, word, other, whatever]
}

/// The same bytes with one of them changed, or none.
pub(crate) fn broken(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let harm = prop_oneof![
        4 => Just(None),
        1 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(Some),
    ];
    (bytes, harm).prop_map(|(mut bytes, harm)| {
        if let Some((at, byte)) = harm
            && !bytes.is_empty()
        {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

/// Everything that a client says over one connection after its greeting.
pub(crate) fn conversation(target: &Target) -> impl Strategy<Value = Vec<u8>> + use<> {
    let part = prop_oneof![
        3 => broken(call(target)),
        2 => broken(control()),
        1 => vec(any::<u8>(), 0..30),
    ];
    vec(part, 1..12).prop_map(|parts| parts.concat())
}
