//! The forms of single values.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, TimeZone};

use crate::message::Reference;

/// What an identifier and a sender have at most, in characters.
const TOKEN: usize = 256;

/// A value is not of its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not of its form")]
pub struct Invalid;

/// Whether a text may be an identifier or a sender: 1 to 256 characters, no white space, comma, `<`
/// or `&`.
pub fn is_token(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '<' | '&');
    !text.is_empty() && text.chars().count() <= TOKEN && !text.contains(odd)
}

/// `YYYY-MM-DDThh:mm:ss+hh:mm`: the standard allows neither `Z` nor parts of seconds.
pub(crate) fn instant(text: &str) -> Option<DateTime<FixedOffset>> {
    const FORM: &[u8] = b"dddd-dd-ddTdd:dd:ddsdd:dd";
    let fits = |(byte, form): (u8, &u8)| match form {
        b'd' => byte.is_ascii_digit(),
        b's' => matches!(byte, b'+' | b'-'),
        other => byte == *other,
    };
    if text.len() != FORM.len() || !text.bytes().zip(FORM).all(fits) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let year = i32::try_from(number(0, 4)?).ok()?;
    let time = NaiveDate::from_ymd_opt(year, number(5, 7)?, number(8, 10)?)?.and_hms_opt(
        number(11, 13)?,
        number(14, 16)?,
        number(17, 19)?,
    )?;
    let (hours, minutes) = (number(20, 22)?, number(23, 25)?);
    if minutes > 59 || hours * 60 + minutes > 14 * 60 || time.year() < 1 {
        return None;
    }
    let seconds = i32::try_from((hours * 60 + minutes) * 60).ok()?;
    let east = if text.as_bytes().get(19) == Some(&b'-') {
        -seconds
    } else {
        seconds
    };
    FixedOffset::east_opt(east)?
        .from_local_datetime(&time)
        .single()
}

/// As documents have it; `-00:00` for UTC.
pub(crate) fn instant_text(instant: &DateTime<FixedOffset>) -> String {
    let text = instant.format("%Y-%m-%dT%H:%M:%S%:z").to_string();
    match text.strip_suffix("+00:00") {
        Some(rest) => format!("{rest}-00:00"),
        None => text,
    }
}

/// A number without an exponent.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
    if !text.chars().all(plain) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A language tag such as `zh-CN`.
pub(crate) fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let short = |part: &str| (1..=8).contains(&part.len());
    let first = |part: &str| short(part) && part.bytes().all(|b| b.is_ascii_alphabetic());
    let later = |part: &str| short(part) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    parts.next().is_some_and(first) && parts.all(later)
}

/// `latitude,longitude` in degrees of WGS 84.
fn point(text: &str) -> Option<(f64, f64)> {
    let (latitude, longitude) = text.split_once(',')?;
    let (latitude, longitude) = (decimal(latitude)?, decimal(longitude)?);
    let on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    on_earth.then_some((latitude, longitude))
}

fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A closed line of at least four points, `latitude,longitude` each, the last the first again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Polygon(String);

/// A point and a radius in kilometres: `latitude,longitude radius`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Circle(String);

impl FromStr for Polygon {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let points: Option<Vec<_>> = text.split_whitespace().map(point).collect();
        let points = points.ok_or(Invalid)?;
        if points.len() < 4 || points.first() != points.last() {
            return Err(Invalid);
        }
        Ok(Self(joined(text)))
    }
}

impl FromStr for Circle {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let parts: Vec<_> = text.split_whitespace().collect();
        let [centre, radius] = parts[..] else {
            return Err(Invalid);
        };
        let radius = decimal(radius).filter(|radius| *radius >= 0.0);
        match (point(centre), radius) {
            (Some(_), Some(_)) => Ok(Self(joined(text))),
            _ => Err(Invalid),
        }
    }
}

impl fmt::Display for Polygon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `sender,identifier,sent`, as the element `references` has it.
impl FromStr for Reference {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let parts: Vec<_> = text.split(',').collect();
        let [sender, identifier, sent] = parts[..] else {
            return Err(Invalid);
        };
        match instant(sent) {
            Some(sent) if is_token(sender) && is_token(identifier) => Ok(Self {
                sender: sender.to_owned(),
                identifier: identifier.to_owned(),
                sent,
            }),
            _ => Err(Invalid),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            sender,
            identifier,
            sent,
        } = self;
        write!(f, "{sender},{identifier},{}", instant_text(sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_an_offset_and_whole_seconds() {
        for text in ["2022-06-02T08:30:11+08:00", "2022-06-02T08:30:11-00:00"] {
            let read = instant(text).unwrap();
            assert_eq!(instant_text(&read), text);
        }
        for text in [
            "2022-06-02T08:30:11Z",
            "2022-06-02T08:30:11",
            "2022-06-02T08:30:11.5+08:00",
            "2022-06-02 08:30:11+08:00",
            "2022-02-30T08:30:11+08:00",
            "2022-06-02T24:30:11+08:00",
            "2022-06-02T08:30:60+08:00",
            "2022-06-02T08:30:11+14:01",
            "2022-06-02T08:30:11+08:60",
            "0000-06-02T08:30:11+08:00",
            "２022-06-02T08:30:11+08:00",
            "",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn shapes_are_closed_and_on_earth() {
        let square = "26.0,119.2  26.1,119.2\n26.1,119.3 26.0,119.2";
        let polygon: Polygon = square.parse().unwrap();
        assert_eq!(
            polygon.to_string(),
            "26.0,119.2 26.1,119.2 26.1,119.3 26.0,119.2"
        );
        for text in [
            "",
            "26,119 26,119 26,119",
            "26,119 27,119 27,120 26,120",
            "26,119 27,119 27,181 26,119",
            "26,119 27,119 27 26,119",
            "2e1,119 27,119 27,120 2e1,119",
            "NaN,119 27,119 27,120 NaN,119",
        ] {
            assert_eq!(text.parse::<Polygon>(), Err(Invalid), "{text}");
        }
        assert!("26.08,119.3 12.5".parse::<Circle>().is_ok());
        assert!("26.08,119.3 0".parse::<Circle>().is_ok());
        for text in [
            "26.08,119.3",
            "26.08 119.3 1",
            "26.08,119.3 -1",
            "91,0 1",
            "inf,0 1",
        ] {
            assert_eq!(text.parse::<Circle>(), Err(Invalid), "{text}");
        }
    }

    #[test]
    fn a_reference_is_three_parts() {
        let text = "cma@example.cn,35010041600000_1,2022-06-02T08:30:11+08:00";
        let read: Reference = text.parse().unwrap();
        assert_eq!(read.to_string(), text);
        let utc = "cma@example.cn,35010041600000_1,2022-06-02T00:30:11-00:00";
        assert_eq!(utc.parse(), Ok(read), "the same instant");
        for text in [
            "a,b",
            "a,b,2022-06-02T08:30:11Z",
            ",b,2022-06-02T08:30:11+08:00",
            "a,b,c,d",
        ] {
            assert_eq!(text.parse::<Reference>(), Err(Invalid), "{text}");
        }
    }

    #[test]
    fn tokens_and_languages_have_their_forms() {
        assert!(is_token("2.49.0.1.156.x") && is_token("气象台"));
        for text in ["", "a b", "a,b", "a<b", "a&b", "a\tb", &"x".repeat(257)] {
            assert!(!is_token(text), "{text}");
        }
        assert!(is_language("zh-CN") && is_language("en") && is_language("zh-Hans-CN"));
        for text in ["", "zh_CN", "1zh", "zh-", "toolonglanguage"] {
            assert!(!is_language(text), "{text}");
        }
    }
}
