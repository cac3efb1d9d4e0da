//! The deadline of a call, as the `grpc-timeout` header says it.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

/// The header by which gRPC says a deadline.
pub(crate) const HEADER: &str = "grpc-timeout";
/// The header by which the other dialects may say it: seconds, such as `2.5`.
const SECONDS: &str = "x-request-timeout";
/// A service that was given less than this and has not answered says nothing about itself: otherwise
/// callers in a hurry could make the gateway believe that it is ill.
pub(crate) const FAIR: Duration = Duration::from_secs(5);
/// Nobody waits longer than a day.
const DAY: f64 = 86_400.0;

/// How long the caller is willing to wait; none when it did not say, or not in the form of gRPC
/// (at most eight digits and a unit).
pub(crate) fn read(headers: &HeaderMap) -> Option<Duration> {
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

/// How long a caller is willing to wait who says it in seconds; none when it did not, or says
/// something else.
pub(crate) fn read_seconds(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(SECONDS)?.to_str().ok()?;
    let seconds: f64 = text.parse().ok()?;
    let meant = (0.001..=DAY).contains(&seconds);
    meant.then(|| Duration::from_secs_f64(seconds))
}

/// Says how long the service may take.
pub(crate) fn write(headers: &mut HeaderMap, deadline: Duration) {
    let millis = deadline.as_millis().clamp(1, 99_999_999);
    if let Ok(value) = HeaderValue::try_from(format!("{millis}m")) {
        headers.insert(HEADER, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, text.parse().unwrap());
        read(&headers)
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
            let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, value);
            assert_eq!(read(&headers), None, "{text}");
        }
    }

    #[test]
    fn seconds_are_read_in_the_header_of_the_other_dialects() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(SECONDS, text.parse().unwrap());
            read_seconds(&headers)
        };
        assert_eq!(read("2.5"), Some(Duration::from_millis(2500)));
        for text in ["", "0", "-1", "NaN", "inf", "1e300", "soon"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut headers = HeaderMap::new();
        write(&mut headers, Duration::from_secs(60));
        assert_eq!(read(&headers), Some(Duration::from_secs(60)));
    }
}
