//! The memory in which bodies of other dialects than gRPC are kept until they are understood and sent.

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Code, Status};
use tower::BoxError;

/// Memory is counted in such pieces, in bytes.
const PIECE: usize = 1 << 10;
/// Whoever finds no room may try again after this.
const RETRY: Duration = Duration::from_secs(1);

/// How much one body may have, and what is left for all together. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Buffers {
    most: usize,
    room: Arc<Semaphore>,
}

/// A body, and the room that it takes up.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) bytes: Bytes,
    room: Option<OwnedSemaphorePermit>,
}

impl Buffers {
    /// One body may have `most` bytes, all together `all`.
    pub(crate) fn new(most: usize, all: usize) -> Self {
        let pieces = (all / PIECE).clamp(1, Semaphore::MAX_PERMITS);
        Self {
            most,
            room: Arc::new(Semaphore::new(pieces)),
        }
    }

    /// Reads `body` to its end, which has `longest` bytes at most. It takes up room as it comes.
    ///
    /// # Errors
    /// MESSAGE_TOO_LARGE, OVERLOADED when there is no room, DEADLINE_EXCEEDED when it does not come in
    /// time, or MESSAGE_MALFORMED when it breaks off.
    pub(crate) async fn read<B>(&self, body: B, longest: usize) -> Result<Kept, Problem>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let mut body = pin!(body);
        let too_large = || Problem::new(ErrorReason::MessageTooLarge);
        let most = self.most.min(longest);
        if body.size_hint().lower() > most as u64 {
            return Err(too_large());
        }
        let (mut read, mut room) = (BytesMut::new(), None);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|err| broken(err.into()))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if read.len() + data.len() > most {
                return Err(too_large());
            }
            read.extend_from_slice(&data);
            self.grow(&mut room, read.len())?;
        }
        Ok(Kept {
            bytes: read.freeze(),
            room,
        })
    }

    fn grow(&self, room: &mut Option<OwnedSemaphorePermit>, length: usize) -> Result<(), Problem> {
        let held = room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = length.div_ceil(PIECE).saturating_sub(held);
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        let overloaded = |_| Problem::new(ErrorReason::Overloaded).retry_after(RETRY);
        let more = self.room.clone().try_acquire_many_owned(missing);
        let more = more.map_err(overloaded)?;
        match room {
            Some(room) => room.merge(more),
            None => *room = Some(more),
        }
        Ok(())
    }
}

impl Kept {
    /// What was made of the body: it takes up the same room until the last of it is sent.
    pub(crate) fn becomes(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Kept {
            bytes,
            room: self.room,
        })
    }
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why a body ended before its end.
fn broken(err: BoxError) -> Problem {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&*err);
    while let Some(this) = cause {
        let status = this.downcast_ref::<Status>();
        if status.is_some_and(|status| status.code() == Code::DeadlineExceeded) {
            return Problem::new(ErrorReason::DeadlineExceeded);
        }
        cause = this.source();
    }
    Problem::new(ErrorReason::MessageMalformed).source(err)
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    fn body(length: usize) -> Full<Bytes> {
        Full::new(vec![b'x'; length].into())
    }

    fn reason(refused: Result<Kept, Problem>) -> ErrorReason {
        refused.expect_err("refused").reason()
    }

    #[tokio::test]
    async fn one_body_has_its_bound() {
        let buffers = Buffers::new(2 * PIECE, 1 << 20);
        assert_eq!(
            buffers
                .read(body(2 * PIECE), usize::MAX)
                .await
                .unwrap()
                .bytes
                .len(),
            2 * PIECE
        );
        let refused = buffers.read(body(2 * PIECE + 1), usize::MAX).await;
        assert_eq!(reason(refused), ErrorReason::MessageTooLarge);
        let refused = buffers.read(body(9), 8).await;
        assert_eq!(reason(refused), ErrorReason::MessageTooLarge);
    }

    #[tokio::test]
    async fn all_bodies_together_have_theirs_until_they_are_sent() {
        let buffers = Buffers::new(PIECE, 2 * PIECE);
        let first = buffers.read(body(PIECE), usize::MAX).await.unwrap();
        let second = buffers.read(body(1), usize::MAX).await.unwrap();
        assert_eq!(
            reason(buffers.read(body(1), usize::MAX).await),
            ErrorReason::Overloaded
        );
        let sent = first.becomes(Bytes::from_static(b"short"));
        assert_eq!(
            reason(buffers.read(body(1), usize::MAX).await),
            ErrorReason::Overloaded
        );
        let part = sent.slice(1..);
        drop(sent);
        assert_eq!(
            reason(buffers.read(body(1), usize::MAX).await),
            ErrorReason::Overloaded
        );
        drop(part);
        assert!(buffers.read(body(PIECE), usize::MAX).await.is_ok());
        drop(second);
    }
}
