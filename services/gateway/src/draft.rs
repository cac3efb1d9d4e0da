//! The body of a request in another dialect than gRPC, until it is known who calls.
//!
//! Nothing of a body is read before its caller has been let in: the draft travels beside the
//! request and is made a message of gRPC just before the call is passed on.

use std::sync::Arc;

use bytes::Bytes;
use http_body::Body;
use kit::status::Problem;
use prost_reflect::DynamicMessage;
use tower::BoxError;

use crate::buffers::Buffers;
use crate::frames;
use crate::json::Binding;
use crate::web::{self, Coding};

/// How the body becomes a message.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) dialect: Dialect,
    /// Where it is read.
    pub(crate) buffers: Buffers,
}

/// Which dialect the body is in.
#[derive(Clone, Debug)]
pub(crate) enum Dialect {
    /// What the path and the query say already, and where the body goes.
    Json(Box<DynamicMessage>, Arc<Binding>),
    /// Messages of gRPC, in base64 or not.
    Web(Coding),
}

impl Draft {
    /// Reads `body` and frames what it says.
    ///
    /// # Errors
    /// When it is too large, finds no room, breaks off, or does not say a message of the method.
    pub(crate) async fn frame<B>(self, body: B) -> Result<Bytes, Problem>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let read = self.buffers.read(body).await?;
        let framed = match self.dialect {
            Dialect::Web(coding) => web::checked(coding, read.bytes.clone())?,
            Dialect::Json(message, binding) => {
                frames::frame(&binding.complete(*message, &read.bytes)?)?
            }
        };
        Ok(read.becomes(framed))
    }
}
