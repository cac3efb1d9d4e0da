//! The deadline of a call, as the `grpc-timeout` header says it.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
pub(crate) use kit::deadline::{HEADER, read};

/// The header by which the other dialects may say it: seconds, such as `2.5`.
const SECONDS: &str = "x-request-timeout";
/// A service that was given less than this and has not answered says nothing about itself: otherwise
/// callers in a hurry could make the gateway believe that it is ill.
pub(crate) const FAIR: Duration = Duration::from_secs(5);
/// Nobody waits longer than a day.
const DAY: f64 = 86_400.0;

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
