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
use crate::frames::{self, HEAD};
use crate::json::Binding;
use crate::web::{self, Coding};

/// A message takes up so many times its bytes in JSON at most: names of fields, digits, escaped letters.
const JSON: usize = 8;

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

/// How much the callers of one method may say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// The largest message, in bytes.
    message: usize,
    /// They may send several.
    many: bool,
}

impl Bound {
    /// That of the method at `path`.
    pub(crate) fn of(path: &str, many: bool) -> Self {
        Self {
            message: proto::max_request_bytes(path),
            many,
        }
    }
}

impl Draft {
    /// Reads `body` and frames what it says.
    ///
    /// # Errors
    /// When it is too large, finds no room, breaks off, or does not say a message of the method.
    pub(crate) async fn frame<B>(self, body: B, bound: Bound) -> Result<Bytes, Problem>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let read = self.buffers.read(body, self.dialect.longest(bound)).await?;
        let framed = match self.dialect {
            Dialect::Web(coding) => web::checked(coding, read.bytes.clone(), bound.message)?,
            Dialect::Json(message, binding) => {
                let message = binding.complete(*message, &read.bytes)?;
                frames::frame(&message, bound.message)?
            }
        };
        Ok(read.becomes(framed))
    }
}

impl Dialect {
    /// How many bytes a body has at most that is worth reading.
    fn longest(&self, bound: Bound) -> usize {
        match self {
            Self::Web(_) if bound.many => usize::MAX,
            Self::Web(coding) => coding.length_of(HEAD.saturating_add(bound.message)),
            Self::Json(..) => bound.message.saturating_mul(JSON),
        }
    }
}
