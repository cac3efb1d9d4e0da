//! Errors as JSON: `google.rpc.Status` with its details, under the matching status of HTTP.

use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::json;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::{ErrorDetail, StatusExt};

/// An error as the body of an answer.
pub(crate) fn body(pool: &DescriptorPool, status: &Status) -> String {
    rendered(pool, status).unwrap_or_else(|| {
        let code = i32::from(status.code());
        json!({"code": code, "message": status.message()}).to_string()
    })
}

fn rendered(pool: &DescriptorPool, status: &Status) -> Option<String> {
    let sent = tonic_types::pb::Status::decode(status.details()).ok()?;
    let known = sent.details.into_iter().filter(|detail| {
        let name = detail.type_url.rsplit('/').next().unwrap_or_default();
        pool.get_message_by_name(name)
            .is_some_and(|message| DynamicMessage::decode(message, &*detail.value).is_ok())
    });
    let whole = tonic_types::pb::Status {
        code: status.code().into(),
        message: status.message().to_owned(),
        details: known.collect(),
    };
    let message = pool.get_message_by_name("google.rpc.Status")?;
    let mut dynamic = DynamicMessage::new(message);
    dynamic.transcode_from(&whole).ok()?;
    serde_json::to_string(&dynamic).ok()
}

/// An error as a whole answer.
pub(crate) fn answer(pool: &DescriptorPool, status: &Status) -> Response<Body> {
    answer_as(pool, status, http_status(status))
}

/// An error as a whole answer under a status of HTTP of its own.
pub(crate) fn answer_as(
    pool: &DescriptorPool,
    status: &Status,
    http: StatusCode,
) -> Response<Body> {
    let mut response = super::json(http, body(pool, status));
    let headers = response.headers_mut();
    if http == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    let delay = status
        .get_details_retry_info()
        .and_then(|retry| retry.retry_delay);
    if let Some(delay) = delay {
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        headers.insert(RETRY_AFTER, seconds.into());
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The status of HTTP of an error.
pub(crate) fn http_status(status: &Status) -> StatusCode {
    match reason(status).as_deref() {
        Some("MESSAGE_TOO_LARGE") => return StatusCode::PAYLOAD_TOO_LARGE,
        Some("UNKNOWN_METHOD") => return StatusCode::NOT_FOUND,
        Some("STORAGE_FULL") => return StatusCode::INSUFFICIENT_STORAGE,
        _ => {}
    }
    match status.code() {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => {
            StatusCode::BAD_REQUEST
        }
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn reason(status: &Status) -> Option<String> {
    let details = status.get_error_details_vec();
    details.into_iter().find_map(|detail| match detail {
        ErrorDetail::ErrorInfo(info) => Some(info.reason),
        _ => None,
    })
}
