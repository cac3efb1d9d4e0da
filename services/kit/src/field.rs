//! Reads the fields of a request and answers once for all that are wrong.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use proto::error::ErrorReason;
use tonic::Status;

use crate::privacy::Seen;
use crate::status::Problem;

/// The longest span that the wire knows, in seconds: about ten thousand years.
const LONGEST: u64 = 315_576_000_000;

/// Collects what is wrong with a request.
#[derive(Debug, Default)]
pub struct Fields(Option<Problem>);

impl Fields {
    /// Nothing wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that `field` is wrong.
    pub fn violation(
        &mut self,
        field: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) {
        let problem = self
            .0
            .take()
            .unwrap_or_else(|| Problem::new(ErrorReason::InvalidField));
        self.0 = Some(problem.field(field, zh, en));
    }

    /// A text that must not be empty.
    pub fn required<'a>(&mut self, field: &str, value: &'a str) -> &'a str {
        if value.is_empty() {
            self.violation(field, "必填", "required");
        }
        value
    }

    /// A text that must not be empty and has a form of its own, such as a resource name.
    pub fn parse<T: FromStr>(&mut self, field: &str, value: &str) -> Option<T> {
        if value.is_empty() {
            self.violation(field, "必填", "required");
            return None;
        }
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.violation(field, "格式不正确", "malformed");
        }
        parsed
    }

    /// Like [`Fields::parse`], but may be left out.
    pub fn optional<T: FromStr>(&mut self, field: &str, value: &str) -> Option<T> {
        if value.is_empty() {
            None
        } else {
            self.parse(field, value)
        }
    }

    /// A civil day that must be there.
    pub fn date(&mut self, field: &str, value: Option<proto::Date>) -> Option<NaiveDate> {
        let Some(value) = value else {
            self.violation(field, "必填", "required");
            return None;
        };
        let date = from_date(value);
        if date.is_none() {
            self.violation(field, "不是有效的日期", "not a day of the calendar");
        }
        date
    }

    /// An instant that must be there.
    pub fn instant(
        &mut self,
        field: &str,
        value: Option<prost_types::Timestamp>,
    ) -> Option<DateTime<Utc>> {
        let instant = value.and_then(from_timestamp);
        if instant.is_none() {
            self.violation(field, "不是有效的时间", "not an instant");
        }
        instant
    }

    /// A span of time, which is never negative.
    pub fn span(&mut self, field: &str, value: prost_types::Duration) -> Option<Duration> {
        let span = from_duration(value);
        if span.is_none() {
            self.violation(field, "不是有效的时长", "not a span of time");
        }
        span
    }

    /// An enum value other than the unspecified one.
    pub fn enumeration<E: TryFrom<i32>>(&mut self, field: &str, value: i32) -> Option<E> {
        let known = if value == 0 {
            None
        } else {
            E::try_from(value).ok()
        };
        if known.is_none() {
            self.violation(field, "请选择有效的选项", "not a known value");
        }
        known
    }

    /// A number within `range`.
    pub fn within<N: PartialOrd + std::fmt::Display + Copy>(
        &mut self,
        field: &str,
        value: N,
        range: std::ops::RangeInclusive<N>,
    ) -> N {
        if !range.contains(&value) {
            let (low, high) = (range.start(), range.end());
            self.violation(
                field,
                format!("应在 {low} 到 {high} 之间"),
                format!("must be between {low} and {high}"),
            );
        }
        value
    }

    /// A text of at most `most` characters without control characters.
    pub fn text<'a>(&mut self, field: &str, value: &'a str, most: usize) -> &'a str {
        if value.chars().count() > most || value.chars().any(char::is_control) {
            self.violation(
                field,
                format!("不能超过 {most} 个字，且不能含控制字符"),
                format!("at most {most} characters, none of them control characters"),
            );
        }
        value
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// INVALID_FIELD with every field that is wrong.
    pub fn finish(self) -> Result<(), Problem> {
        self.0.map_or(Ok(()), Err)
    }
}

/// What was read of a request. Where something is wrong with it, whoever may not do it there at all is
/// told so instead: `may` asks.
///
/// # Errors
/// What `may` failed with, else what is wrong with the request.
pub async fn read_or_denied<T, A, E: Into<Status>>(
    read: Result<T, Problem>,
    may: impl Future<Output = Result<A, E>>,
) -> Result<T, Status> {
    match read {
        Ok(read) => Ok(read),
        Err(wrong) => match may.await {
            Ok(_) => Err(wrong.into()),
            Err(denied) => Err(denied.into()),
        },
    }
}

/// A civil day for the wire.
pub fn to_date(date: NaiveDate) -> proto::Date {
    proto::Date {
        year: date.year(),
        month: i32::try_from(date.month()).unwrap_or_default(),
        day: i32::try_from(date.day()).unwrap_or_default(),
    }
}

/// A civil day from the wire; none when it is not in the calendar.
pub fn from_date(date: proto::Date) -> Option<NaiveDate> {
    let (month, day) = (
        u32::try_from(date.month).ok()?,
        u32::try_from(date.day).ok()?,
    );
    NaiveDate::from_ymd_opt(date.year, month, day)
        .filter(|date| (1900..=9999).contains(&date.year()))
}

/// An instant for the wire.
pub fn to_timestamp(instant: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: instant.timestamp(),
        nanos: i32::try_from(instant.timestamp_subsec_nanos().min(999_999_999)).unwrap_or_default(),
    }
}

/// An instant from the wire; none when it is out of range.
pub fn from_timestamp(timestamp: prost_types::Timestamp) -> Option<DateTime<Utc>> {
    let nanos = u32::try_from(timestamp.nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    DateTime::from_timestamp(timestamp.seconds, nanos)
        .filter(|instant| (1900..=9999).contains(&instant.year()))
}

/// A span from the wire; none when it is negative or out of range. What `prost_types` has for this panics at
/// some.
pub fn from_duration(duration: prost_types::Duration) -> Option<Duration> {
    let seconds = u64::try_from(duration.seconds)
        .ok()
        .filter(|seconds| *seconds <= LONGEST)?;
    let nanos = u32::try_from(duration.nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos))
}

/// The same as what is added to an instant.
pub fn delta_of(duration: prost_types::Duration) -> Option<TimeDelta> {
    TimeDelta::from_std(from_duration(duration)?).ok()
}

/// What a calendar of the register says of its year; dates that are none are passed over.
pub fn year_of(told: &proto::roster::CalendarYear) -> crate::calendar::Year {
    let days = |days: &[proto::roster::calendar_year::NamedDay]| {
        let days = days.iter().filter_map(|day| from_date(day.date?));
        days.collect()
    };
    let terms = told.terms.iter().filter_map(|term| {
        let first = from_date(term.start_date?)?;
        Some((first, from_date(term.end_date?)?))
    });
    crate::calendar::Year {
        days_off: days(&told.days_off),
        makeup_days: days(&told.makeup_days),
        terms: terms.collect(),
    }
}

/// Whether a text could hold a phone or identity number: seven digits running.
pub fn holds_number(text: &str) -> bool {
    let mut run = 0;
    text.chars().any(|one| {
        run = if one.is_numeric() { run + 1 } else { 0 };
        run >= 7
    })
}

/// A count as the contract tells it; what is hidden has no number.
pub fn private_count(seen: Seen) -> proto::privacy::PrivateCount {
    let count = seen.count();
    proto::privacy::PrivateCount {
        count: count.map(|count| i32::try_from(count).unwrap_or(i32::MAX)),
        hidden: count.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named_in_one_answer() {
        let mut fields = Fields::new();
        fields.required("name", "");
        fields.date(
            "day",
            Some(proto::Date {
                year: 2022,
                month: 2,
                day: 30,
            }),
        );
        fields.within("ratio", 2, 0..=1);
        let status = tonic::Status::from(fields.finish().unwrap_err());
        assert_eq!(
            status.message(),
            "invalid fields; name: required; day: not a day of the calendar; \
             ratio: must be between 0 and 1"
        );
    }

    #[tokio::test]
    async fn whoever_may_not_is_told_so_instead_of_what_is_wrong() {
        let wrong = || Problem::invalid("name", "必填", "required");
        let may = async || Ok::<_, Problem>(());
        let denied = async || Err::<(), _>(Problem::new(ErrorReason::ScopeDenied));
        let told = |read: Result<u32, Status>| read.map_err(|status| status.code());
        let read = read_or_denied(Err(wrong()), denied()).await;
        assert_eq!(told(read), Err(tonic::Code::PermissionDenied));
        let read = read_or_denied(Err(wrong()), may()).await;
        assert_eq!(told(read), Err(tonic::Code::InvalidArgument));
        // What is right is done only where the caller may do it: nobody is asked twice.
        let read = read_or_denied(Ok(7), denied()).await;
        assert_eq!(told(read), Ok(7));
    }

    #[test]
    fn days_and_instants_survive_the_wire() {
        let day = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        assert_eq!(from_date(to_date(day)), Some(day));
        let instant = "2022-04-06T00:00:01.5Z".parse().unwrap();
        assert_eq!(from_timestamp(to_timestamp(instant)), Some(instant));
    }

    #[test]
    fn spans_and_instants_at_every_edge_are_read_or_refused() {
        let edges = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
        let beyond = i64::try_from(LONGEST).unwrap() + 1;
        let parts = [i32::MIN, -1_000_000_000, -999_999_999, -1, 0, 1];
        let more = [999_999_999, 1_000_000_000, i32::MAX];
        for seconds in edges.into_iter().chain([beyond - 1, beyond]) {
            for nanos in parts.into_iter().chain(more) {
                let is_part = (0..=999_999_999).contains(&nanos);
                let span = from_duration(prost_types::Duration { seconds, nanos });
                let is_span = is_part && (0..beyond).contains(&seconds);
                assert_eq!(span.is_some(), is_span, "{seconds} s {nanos} ns");
                let delta = delta_of(prost_types::Duration { seconds, nanos });
                assert_eq!(delta.and_then(|delta| delta.to_std().ok()), span);
                let instant = from_timestamp(prost_types::Timestamp { seconds, nanos });
                let is_instant = is_part && (-1..=1).contains(&seconds);
                assert_eq!(instant.is_some(), is_instant, "{seconds} s {nanos} ns");
            }
        }
    }

    #[test]
    fn a_span_that_is_none_is_refused_by_its_field() {
        let mut fields = Fields::new();
        let (seconds, nanos) = (90, 500_000_000);
        let span = fields.span("wait", prost_types::Duration { seconds, nanos });
        assert_eq!(span, Some(Duration::from_millis(90_500)));
        for (field, seconds, nanos) in [
            ("least", i64::MIN, 0),
            ("most", i64::MAX, 1),
            ("back", 0, -1),
        ] {
            fields.span(field, prost_types::Duration { seconds, nanos });
        }
        let problem = fields.finish().unwrap_err();
        assert_eq!(problem.reason(), ErrorReason::InvalidField);
        let named: Vec<&str> = problem.fields().map(|(field, _)| field).collect();
        assert_eq!(named, ["least", "most", "back"]);
    }

    #[test]
    fn long_numbers_are_seen() {
        assert!(holds_number("电话 5910000000"));
        assert!(holds_number("１２３４５６７"));
        assert!(!holds_number("2022年4月6日 08:30 三年（1）班 123456"));
    }

    #[test]
    fn what_is_hidden_has_no_number_and_nobody_has_one() {
        let told = [Seen::Hidden, Seen::Shown(0)].map(private_count);
        assert_eq!(
            told.map(|one| (one.count, one.hidden)),
            [(None, true), (Some(0), false)]
        );
    }
}
