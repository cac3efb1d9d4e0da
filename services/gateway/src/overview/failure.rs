//! What it means that a service, or all of them, did not tell their figures.

use std::time::Duration;

use kit::auth::Permission;
use kit::status::Problem;
use proto::error::ErrorReason;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::assemble::Part;

/// A reason of the contracts is not longer than this.
const LONGEST_REASON: usize = 63;

/// Where the register said nothing, some service must have told something: then the caller may see it.
/// Given is why each of them did not.
pub(crate) fn vouched<'a>(
    mut failures: impl Iterator<Item = Option<&'a Part>>,
) -> Result<(), Problem> {
    let mut down = false;
    let told = failures.any(|failure| {
        down |= matches!(failure, Some(Part::Unavailable(_) | Part::Unknown(_)));
        failure.is_none()
    });
    if told {
        return Ok(());
    }
    if down {
        return Err(unavailable());
    }
    Err(Problem::new(ErrorReason::ScopeDenied).meta("permission", Permission::OverviewRead))
}

/// What the answer depends on cannot be reached.
pub(crate) fn unavailable() -> Problem {
    Problem::new(ErrorReason::Unavailable).retry_after(Duration::from_secs(1))
}

/// What it means that a service answered with an error.
pub(crate) fn refused(status: &Status) -> Part {
    match status.code() {
        Code::PermissionDenied => Part::NotPermitted,
        Code::Unauthenticated => Part::TokenRefused,
        code if is_down(code) => Part::Unavailable(None),
        _ => {
            let reason = status
                .get_details_error_info()
                .map(|info| info.reason)
                .unwrap_or_default();
            let reads_well = reason.len() <= LONGEST_REASON
                && reason
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
            Part::Unknown(if reads_well { reason } else { String::new() })
        }
    }
}

/// Whether a service that answers so may answer otherwise soon.
pub(crate) fn is_down(code: Code) -> bool {
    !matches!(
        code,
        Code::PermissionDenied
            | Code::Unauthenticated
            | Code::NotFound
            | Code::FailedPrecondition
            | Code::InvalidArgument
            | Code::OutOfRange
            | Code::AlreadyExists
    )
}
