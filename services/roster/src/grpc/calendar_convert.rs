//! Calendars between the contract and the domain.

use kit::field::{Fields, to_date};
use kit::status::Problem;
use proto::Date;
use proto::roster as pb;

use super::convert;
use crate::domain::calendar::{CalendarYear, Kind, NamedDay, SchoolDay, Term};
use crate::store::calendars::Stored;

/// The resource name of the calendar of a year.
pub(crate) fn name(year: i32) -> String {
    format!("calendarYears/{year}")
}

/// The year in the name of a calendar.
///
/// # Errors
/// INVALID_FIELD when the name is of another form.
pub(super) fn year(field: &str, sent: &str) -> Result<i32, Problem> {
    let year = sent.strip_prefix("calendarYears/");
    let year = year.and_then(|year| year.parse().ok());
    // One spelling only: a name is compared as text elsewhere.
    year.filter(|year| name(*year) == sent && (1000..=9999).contains(year))
        .ok_or_else(|| convert::malformed(field, sent, "calendarYears"))
}

/// The days and terms of a calendar; its head is left empty.
pub(crate) fn body(calendar: &CalendarYear) -> pb::CalendarYear {
    let days = |days: &[NamedDay]| {
        days.iter()
            .map(|day| pb::calendar_year::NamedDay {
                date: Some(to_date(day.date)),
                display_name: day.name.clone(),
            })
            .collect()
    };
    let terms = calendar.terms().iter().map(|term| pb::calendar_year::Term {
        display_name: term.name.clone(),
        start_date: Some(to_date(term.start)),
        end_date: Some(to_date(term.end)),
    });
    pb::CalendarYear {
        days_off: days(calendar.days_off()),
        makeup_days: days(calendar.makeup_days()),
        terms: terms.collect(),
        ..pb::CalendarYear::default()
    }
}

/// A stored calendar for the wire.
pub(crate) fn message(stored: Stored) -> pb::CalendarYear {
    let Stored {
        year,
        body,
        version,
        update_time,
    } = stored;
    pb::CalendarYear {
        name: name(year),
        year,
        version,
        update_time: convert::instant(update_time),
        etag: convert::etag(version),
        ..body
    }
}

/// The calendar of `year` with the days and terms of a message.
///
/// # Errors
/// INVALID_FIELD with everything that is wrong.
pub(crate) fn domain(year: i32, sent: &pb::CalendarYear) -> Result<CalendarYear, Problem> {
    let mut fields = Fields::new();
    // A list of which a date cannot be read is judged no further.
    let days_off = days("days_off", &sent.days_off, &mut fields);
    let makeup_days = days("makeup_days", &sent.makeup_days, &mut fields);
    let terms = terms(&sent.terms, &mut fields);
    let calendar = CalendarYear::new(
        year,
        days_off.unwrap_or_default(),
        makeup_days.unwrap_or_default(),
        terms.unwrap_or_default(),
    );
    let faults = calendar.as_ref().err().map_or(&[][..], Vec::as_slice);
    for fault in faults {
        let path = match &*fault.path {
            "year" => "name",
            path => path,
        };
        fields.violation(format!("calendar_year.{path}"), fault.zh, fault.en);
    }
    fields.finish()?;
    calendar.map_err(|_| Problem::invalid("calendar_year", "日历不一致", "not consistent"))
}

fn days(
    list: &str,
    sent: &[pb::calendar_year::NamedDay],
    fields: &mut Fields,
) -> Option<Vec<NamedDay>> {
    let read = sent.iter().enumerate().map(|(place, day)| {
        let date = date(format!("{list}[{place}].date"), day.date, fields)?;
        let name = day.display_name.clone();
        Some(NamedDay { date, name })
    });
    // Every date is looked at before the list is given up.
    read.collect::<Vec<_>>().into_iter().collect()
}

fn terms(sent: &[pb::calendar_year::Term], fields: &mut Fields) -> Option<Vec<Term>> {
    let read = sent.iter().enumerate().map(|(place, term)| {
        let start = date(
            format!("terms[{place}].start_date"),
            term.start_date,
            fields,
        );
        let end = date(format!("terms[{place}].end_date"), term.end_date, fields);
        let name = term.display_name.clone();
        Some(Term {
            name,
            start: start?,
            end: end?,
        })
    });
    read.collect::<Vec<_>>().into_iter().collect()
}

fn date(path: String, sent: Option<Date>, fields: &mut Fields) -> Option<chrono::NaiveDate> {
    fields.date(&format!("calendar_year.{path}"), sent)
}

/// A civil day and what its calendar says of it, for the wire.
pub(super) fn school_day(date: chrono::NaiveDate, day: SchoolDay<'_>) -> pb::SchoolDay {
    use pb::school_day::Kind as Wire;
    let kind = match day.kind {
        Kind::Regular => Wire::Regular,
        Kind::Makeup => Wire::Makeup,
        Kind::Weekend => Wire::Weekend,
        Kind::DayOff => Wire::DayOff,
        Kind::Vacation => Wire::Vacation,
    };
    pb::SchoolDay {
        date: Some(to_date(date)),
        school_day: day.school_day,
        kind: kind.into(),
        display_name: day.name.to_owned(),
    }
}
