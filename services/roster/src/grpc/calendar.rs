//! CalendarService.

use chrono::{Datelike, NaiveDate};
use kit::auth::caller;
use kit::field::Fields;
use kit::page;
use proto::roster::calendar_service_server::CalendarService;
use proto::roster::{
    CalendarYear, GetCalendarYearRequest, ListCalendarYearsRequest, ListCalendarYearsResponse,
    ListSchoolDaysRequest, ListSchoolDaysResponse, SetCalendarYearRequest,
};
use tonic::{Request, Response, Status};

use super::calendar_convert::{self, school_day};
use super::organization::act;
use crate::app::App;

/// The last civil day of a span lies at most as many days after the first.
const MOST_DAYS: i64 = 366;

/// Serves the school calendar.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

#[tonic::async_trait]
impl CalendarService for Api {
    async fn get_calendar_year(
        &self,
        request: Request<GetCalendarYearRequest>,
    ) -> Result<Response<CalendarYear>, Status> {
        let caller = caller(&request)?;
        let year = calendar_convert::year("name", &request.get_ref().name)?;
        Ok(Response::new(self.0.get_calendar(&caller, year).await?))
    }

    async fn list_calendar_years(
        &self,
        request: Request<ListCalendarYearsRequest>,
    ) -> Result<Response<ListCalendarYearsResponse>, Status> {
        let caller = caller(&request)?;
        let ListCalendarYearsRequest {
            page_size,
            page_token,
        } = request.into_inner();
        let size = page::size(page_size)?;
        let after = page::after(&page_token, &[])?.unwrap_or_default();
        let mut found = self.0.list_calendars(&caller, after, size + 1).await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&last.year, &[]),
            _ => String::new(),
        };
        Ok(Response::new(ListCalendarYearsResponse {
            calendar_years: found.into_iter().map(calendar_convert::message).collect(),
            next_page_token,
        }))
    }

    async fn set_calendar_year(
        &self,
        request: Request<SetCalendarYearRequest>,
    ) -> Result<Response<CalendarYear>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let sent = request.calendar_year.clone().unwrap_or_default();
        let year = calendar_convert::year("calendar_year.name", &sent.name)?;
        let act = act("SetCalendarYear", &request.request_id, &request);
        Ok(Response::new(
            self.0.set_calendar(&caller, year, &sent, act).await?,
        ))
    }

    async fn list_school_days(
        &self,
        request: Request<ListSchoolDaysRequest>,
    ) -> Result<Response<ListSchoolDaysResponse>, Status> {
        let caller = caller(&request)?;
        let ListSchoolDaysRequest {
            start_date,
            end_date,
            page_size,
            page_token,
        } = request.into_inner();
        let mut fields = Fields::new();
        let start = fields.date("start_date", start_date);
        let end = fields.date("end_date", end_date);
        if let (Some(start), Some(end)) = (start, end) {
            let days = (end - start).num_days();
            if !(0..=MOST_DAYS).contains(&days) {
                fields.violation(
                    "end_date",
                    format!("应在开始日期之后 {MOST_DAYS} 天以内，且不早于开始日期"),
                    format!("must lie 0 to {MOST_DAYS} days after the start"),
                );
            }
        }
        fields.finish()?;
        let (start, end) = (start.unwrap_or_default(), end.unwrap_or_default());
        let size = usize::try_from(page::size(page_size)?).unwrap_or(usize::MAX);
        let binding = [&*start.to_string(), &*end.to_string()];
        let after: Option<NaiveDate> = page::after(&page_token, &binding)?;
        let first = after
            .and_then(|after| after.succ_opt())
            .map_or(start, |next| next.max(start));
        let calendars = self.0.calendars_of(&caller, first, end).await?;
        let answer = |date: NaiveDate| {
            let calendar = calendars.iter().find(|year| year.year() == date.year())?;
            Some(school_day(date, calendar.school_day(date)?))
        };
        let span = first.iter_days().take_while(|date| *date <= end);
        let page: Vec<NaiveDate> = span.take(size).collect();
        let next_page_token = match page.last() {
            Some(last) if *last < end => page::next(last, &binding),
            _ => String::new(),
        };
        Ok(Response::new(ListSchoolDaysResponse {
            days: page.into_iter().filter_map(answer).collect(),
            next_page_token,
        }))
    }
}
