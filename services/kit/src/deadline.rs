//! Until when a call is answered, and what is left of that for the calls that are made while it is served.

use std::time::Duration;

use http::HeaderMap;
use proto::error::ErrorReason;
use tokio::task::futures::TaskLocalFuture;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Request, Status};

use crate::status::Problem;

/// The header by which gRPC says a deadline.
pub const HEADER: &str = "grpc-timeout";
/// Nobody waits longer than a day.
const LONGEST: Duration = Duration::from_secs(86_400);
/// No service is asked for an answer sooner.
const SHORTEST: Duration = Duration::from_millis(1);

tokio::task_local! {
    /// Until when the call that is served here is answered.
    static UNTIL: Instant;
}

/// How long the caller is willing to wait; none when it did not say, or not in the form of gRPC
/// (at most eight digits and a unit).
pub fn read(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// Until when a call with these headers is answered that came now and may take `most`.
pub(crate) fn until(headers: &HeaderMap, most: Duration) -> Instant {
    let asked = read(headers).unwrap_or(most);
    Instant::now() + asked.min(most).min(LONGEST)
}

/// Serves a call that is answered until then: what it asks of other services takes no longer.
pub(crate) fn serve<F: Future>(until: Instant, work: F) -> TaskLocalFuture<Instant, F> {
    UNTIL.scope(until, work)
}

/// How long another service is waited for: no longer than the call that is served here may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    until: Instant,
    hurried: bool,
}

impl Patience {
    /// `most` from now on, or less where the call that is served here is to be answered sooner.
    pub fn of(most: Duration) -> Self {
        let own = Instant::now() + most.min(LONGEST);
        match UNTIL.try_with(|until| *until) {
            Ok(until) if until < own => Self {
                until,
                hurried: true,
            },
            Ok(_) | Err(_) => Self {
                until: own,
                hurried: false,
            },
        }
    }

    /// Whether it is the caller who waits no longer: then silence says nothing about the other service.
    pub fn is_hurried(self) -> bool {
        self.hurried
    }

    /// Tells the other service how long it has left.
    pub fn tell<T>(self, request: &mut Request<T>) {
        let left = self.until.saturating_duration_since(Instant::now());
        request.set_timeout(left.max(SHORTEST));
    }

    /// What comes of `work` in time.
    ///
    /// # Errors
    /// When nothing does.
    pub async fn wait<F: Future>(self, work: F) -> Result<F::Output, Elapsed> {
        timeout_at(self.until, work).await
    }

    /// Why a caller is not answered for whom another service said `status`: they may try again after `retry`,
    /// unless it was they who waited no longer.
    pub(crate) fn unanswered(self, status: Status, retry: Duration) -> Problem {
        let late = matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled);
        let problem = if late && self.hurried {
            Problem::new(ErrorReason::DeadlineExceeded)
        } else {
            Problem::new(ErrorReason::Unavailable).retry_after(retry)
        };
        problem.source(status)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use http::HeaderValue;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3600);

    fn parsed(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_bytes(text.as_bytes()).unwrap());
        read(&headers)
    }

    /// What a service is told of it.
    fn told(patience: Patience) -> Duration {
        let mut request = Request::new(());
        patience.tell(&mut request);
        read(&request.metadata().clone().into_headers()).unwrap()
    }

    fn reason(patience: Patience, code: Code) -> ErrorReason {
        patience.unanswered(Status::new(code, ""), SECOND).reason()
    }

    #[test]
    fn every_unit_is_read() {
        assert_eq!(parsed("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(parsed("3M"), Some(Duration::from_secs(180)));
        assert_eq!(parsed("4S"), Some(Duration::from_secs(4)));
        assert_eq!(parsed("5m"), Some(Duration::from_millis(5)));
        assert_eq!(parsed("6u"), Some(Duration::from_micros(6)));
        assert_eq!(parsed("99999999n"), Some(Duration::from_nanos(99_999_999)));
    }

    #[test]
    fn what_is_not_a_deadline_is_none() {
        for text in ["", "S", "1", "1X", "-1S", "123456789S", "1 S", "1Sé"] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn a_call_takes_no_longer_than_it_may_and_its_caller_waits() {
        let mut headers = HeaderMap::new();
        let within = |headers: &HeaderMap, most| {
            let before = Instant::now();
            until(headers, most).saturating_duration_since(before)
        };
        assert!((MINUTE..HOUR).contains(&within(&headers, MINUTE)));
        headers.insert(HEADER, HeaderValue::from_static("99999999H"));
        assert!((MINUTE..HOUR).contains(&within(&headers, MINUTE)));
        assert!(within(&headers, Duration::MAX) >= LONGEST);
        headers.insert(HEADER, HeaderValue::from_static("1M"));
        assert!((MINUTE..HOUR).contains(&within(&headers, HOUR)));
    }

    #[test]
    fn who_serves_no_call_waits_as_long_as_they_want() {
        let patience = Patience::of(HOUR);
        assert!(!patience.is_hurried());
        assert!((MINUTE..=HOUR).contains(&told(patience)));
        assert_eq!(
            reason(patience, Code::DeadlineExceeded),
            ErrorReason::Unavailable
        );
    }

    #[tokio::test]
    async fn what_is_asked_while_a_call_is_served_takes_what_is_left_of_it() {
        serve(Instant::now() + MINUTE, async {
            let patience = Patience::of(HOUR);
            assert!(patience.is_hurried());
            assert!(told(patience) <= MINUTE);
            let patience = Patience::of(SECOND);
            assert!(!patience.is_hurried(), "less than what is left");
            assert!(told(patience) <= SECOND);
        })
        .await;
    }

    #[tokio::test]
    async fn whoever_waits_no_longer_is_told_so_and_nothing_is_said_of_the_service() {
        serve(Instant::now(), async {
            let patience = Patience::of(HOUR);
            assert!(patience.wait(pending::<()>()).await.is_err());
            assert_eq!(told(patience), SHORTEST);
            for (code, expected) in [
                (Code::DeadlineExceeded, ErrorReason::DeadlineExceeded),
                (Code::Cancelled, ErrorReason::DeadlineExceeded),
                (Code::Unavailable, ErrorReason::Unavailable),
            ] {
                assert_eq!(reason(patience, code), expected, "{code:?}");
            }
        })
        .await;
    }
}
