//! Calls whose messages are bytes that nobody looked at.

use std::time::Duration;

use futures_util::stream;
use prost::bytes::{Buf, BufMut};
use tests::city::Door;
use tests::within;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Status};

/// So many messages of an answer are read.
const READ: usize = 3;
/// Whoever watches waits so long for the next one.
const WATCHED: Duration = Duration::from_millis(500);

/// Passes bytes on.
#[derive(Clone, Copy, Debug)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut bytes = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut bytes);
        Ok(Some(bytes))
    }
}

/// Sends `messages` to the method at `path` and reads the beginning of the answer.
///
/// # Errors
/// As the service says.
pub(super) async fn ask(door: Door, path: &str, messages: Vec<Vec<u8>>) -> Result<(), Status> {
    let mut client = Grpc::new(door).max_decoding_message_size(64 << 20);
    within("a connection", client.ready())
        .await
        .expect("the process takes connections");
    let target: PathAndQuery = path.parse().expect("a path");
    let messages = Request::new(stream::iter(messages));
    let answer = within(path, client.streaming(messages, target, Raw)).await?;
    let mut answer = answer.into_inner();
    for _ in 0..READ {
        // Whoever watches may have nothing to be told.
        let Ok(read) = tokio::time::timeout(WATCHED, answer.message()).await else {
            break;
        };
        if read?.is_none() {
            break;
        }
    }
    Ok(())
}
