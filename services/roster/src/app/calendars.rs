//! The school calendar.

use chrono::{Datelike, NaiveDate};
use kit::auth::{Caller, Permission};
use kit::request::{Once, once};
use prost::Message;
use proto::roster as pb;

use super::{Act, App, announce};
use crate::domain::calendar::CalendarYear;
use crate::error::Error;
use crate::grpc::{calendar_convert, convert};
use crate::store::calendars::{self as store, Stored};

impl App {
    /// The calendar of one year.
    pub(crate) async fn get_calendar(
        &self,
        caller: &Caller,
        year: i32,
    ) -> Result<pb::CalendarYear, Error> {
        caller.allowed(Permission::RosterRead)?;
        let found = store::get(self.db.read(), year).await?;
        found
            .map(calendar_convert::message)
            .ok_or_else(|| Error::NotFound(calendar_convert::name(year)))
    }

    /// One page of calendars from the year after `after` on, oldest first.
    pub(crate) async fn list_calendars(
        &self,
        caller: &Caller,
        after: i32,
        limit: u64,
    ) -> Result<Vec<Stored>, Error> {
        caller.allowed(Permission::RosterRead)?;
        Ok(store::list(self.db.read(), after, limit).await?)
    }

    /// The calendars of the years from `first` to `last`. Of a year without one nothing is known
    /// but the days of the week.
    pub(crate) async fn calendars_of(
        &self,
        caller: &Caller,
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Vec<CalendarYear>, Error> {
        caller.allowed(Permission::RosterRead)?;
        let mut calendars = Vec::new();
        for year in first.year()..=last.year() {
            let stored = store::get(self.db.read(), year).await?;
            let known = stored.map(|stored| calendar_convert::domain(year, &stored.body));
            let calendar = known
                .transpose()
                .map_err(|_| Error::Database(crate::store::unreadable("the days of a calendar")))?;
            calendars.push(calendar.unwrap_or_else(|| CalendarYear::unknown(year)));
        }
        Ok(calendars)
    }

    /// Creates or replaces the calendar of one year, which is one for the whole city.
    pub(crate) async fn set_calendar(
        &self,
        caller: &Caller,
        year: i32,
        sent: &pb::CalendarYear,
        act: Act<'_, impl Message>,
    ) -> Result<pb::CalendarYear, Error> {
        self.city(caller, Permission::CalendarWrite).await?;
        let calendar = calendar_convert::domain(year, sent)?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let Act {
            method,
            request_id,
            request,
        } = act;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let before = store::lock(&tx, year).await?;
        let current = before.map(|before| convert::etag(before.version));
        if !sent.etag.is_empty() && current.as_ref() != Some(&sent.etag) {
            return Err(Error::EtagMismatch(calendar_convert::name(year)));
        }
        let mut stored = Stored {
            year,
            body: calendar_convert::body(&calendar),
            version: 1,
            update_time: now.timestamp_millis(),
        };
        stored.version = store::set(&tx, &stored).await?;
        announce::tell(&tx, [announce::calendar_year(&stored)]).await?;
        let answer = calendar_convert::message(stored);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }
}
