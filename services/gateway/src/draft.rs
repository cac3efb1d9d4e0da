//! The body of a request in another dialect than gRPC, until it is known who calls.
//!
//! Nothing of a body is read before its caller has been let in: the draft travels beside the
//! request and is made a message of gRPC just before the call is passed on.

use std::sync::Arc;

use bytes::Bytes;
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kit::status::Problem;
use prost_reflect::DynamicMessage;
use proto::error::ErrorReason;
use tower::BoxError;

use crate::frames;
use crate::json::Binding;
use crate::web::{self, Coding};

/// How the body becomes a message.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) dialect: Dialect,
    /// The body may have this many bytes.
    pub(crate) most: usize,
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
    /// When it is too large, breaks off, or does not say a message of the method.
    pub(crate) async fn frame<B>(self, body: B) -> Result<Bytes, Problem>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let read = collect(body, self.most).await?;
        match self.dialect {
            Dialect::Web(coding) => web::checked(coding, read),
            Dialect::Json(message, binding) => frames::frame(&binding.complete(*message, &read)?),
        }
    }
}

async fn collect<B>(body: B, most: usize) -> Result<Bytes, Problem>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    match Limited::new(body, most).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(err) if err.is::<LengthLimitError>() => Err(Problem::new(ErrorReason::MessageTooLarge)),
        Err(err) => Err(Problem::new(ErrorReason::MessageMalformed).source(err)),
    }
}
