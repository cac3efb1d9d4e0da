//! A body without empty frames.
//!
//! A peer counts empty DATA frames that do not end a stream and gives up the connection after a
//! hundred. A body that is read from one connection and written to another would make one of them
//! for each call that ends with an empty frame.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};

/// Passes frames on, except empty ones.
#[derive(Debug)]
pub(crate) struct Dense<B>(pub(crate) B);

impl<B> Body for Dense<B>
where
    B: Body<Data = bytes::Bytes> + Unpin,
{
    type Data = bytes::Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<bytes::Bytes>, B::Error>>> {
        let body = &mut self.get_mut().0;
        loop {
            let frame = ready!(Pin::new(&mut *body).poll_frame(context));
            match &frame {
                Some(Ok(frame)) if frame.data_ref().is_some_and(|data| data.is_empty()) => {}
                _ => return Poll::Ready(frame),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
