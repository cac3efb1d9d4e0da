//! Stands before a service and sees what the door tells it of calls that it refuses.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use http_body::Body as _;
use kit::server::{Behind, Front, REFUSED};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::body::Body;
use tower::ServiceExt as _;

/// Nothing takes longer; a loaded machine has its share in this.
const IN_TIME: Duration = Duration::from_secs(30);

/// A call of which the door says that it refuses it.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// Nothing of what was asked came along.
    pub(crate) is_empty: bool,
}

/// What one service is told.
#[derive(Debug)]
pub(crate) struct Ear(mpsc::UnboundedReceiver<Told>);

impl Ear {
    /// What the service is told next.
    pub(crate) async fn next(&mut self) -> Told {
        let told = timeout(IN_TIME, self.0.recv()).await;
        told.expect("in time").expect("the service lives")
    }

    /// Whether the service was told nothing more as yet.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.0.try_recv().is_err()
    }
}

#[derive(Debug)]
pub(crate) struct Spy(mpsc::UnboundedSender<Told>);

impl Spy {
    /// One to stand before a service, and what it hears.
    pub(crate) fn new() -> (Arc<Self>, Ear) {
        let (tell, told) = mpsc::unbounded_channel();
        (Arc::new(Self(tell)), Ear(told))
    }
}

impl Front for Spy {
    /// Takes nothing: everything goes on to the service.
    fn takes(&self, request: &Request<Body>) -> bool {
        if request.headers().contains_key(REFUSED) {
            // The test may not care.
            let _ = self.0.send(Told {
                path: request.uri().path().to_owned(),
                headers: request.headers().clone(),
                is_empty: request.body().is_end_stream(),
            });
        }
        false
    }

    fn answer(&self, request: Request<Body>, behind: Behind) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async move {
            match behind.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        })
    }
}
