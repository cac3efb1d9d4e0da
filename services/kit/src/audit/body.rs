//! A request that is listened to while the service reads it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

use super::call::Call;

/// The body of a request whose first bytes are kept with its call. Nothing is held back.
#[derive(Debug)]
pub(crate) struct Overheard {
    body: Body,
    call: Arc<Call>,
}

impl Overheard {
    /// Listens to `body` when the call's names are recorded.
    pub(crate) fn listen(body: Body, call: &Arc<Call>) -> Body {
        if !call.listens() {
            return body;
        }
        Body::new(Self {
            body,
            call: call.clone(),
        })
    }
}

impl HttpBody for Overheard {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.call.overhear(data);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
