//! DivisionService.

use kit::auth::caller;
use kit::field::Fields;
use kit::page;
use kit::status::Problem;
use proto::roster as pb;
use proto::roster::division_service_server::DivisionService;
use proto::roster::{
    GetDivisionRequest, ListDivisionsRequest, ListDivisionsResponse, ResolveDivisionRequest,
};
use tonic::{Request, Response, Status};

use super::convert;
use crate::app::App;
use crate::domain::division::Division;

/// Serves the administrative divisions.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

/// The code in the name of a division.
fn code<'a>(field: &str, name: &'a str) -> Result<&'a str, Problem> {
    let digits = |code: &&str| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit());
    name.strip_prefix("divisions/")
        .filter(digits)
        .ok_or_else(|| convert::malformed(field, name, "divisions"))
}

fn message(division: &Division) -> pb::Division {
    let Division {
        code,
        name,
        parent,
        valid_from,
        valid_to,
        replaced_by,
    } = division;
    let named =
        |code: &Option<&str>| code.map_or_else(String::new, |code| format!("divisions/{code}"));
    pb::Division {
        name: format!("divisions/{code}"),
        display_name: (*name).to_owned(),
        parent: named(parent),
        valid_from_date: convert::day(*valid_from),
        valid_to_date: convert::day(*valid_to),
        replaced_by: named(replaced_by),
    }
}

#[tonic::async_trait]
impl DivisionService for Api {
    async fn get_division(
        &self,
        request: Request<GetDivisionRequest>,
    ) -> Result<Response<pb::Division>, Status> {
        let caller = caller(&request)?;
        let code = code("name", &request.get_ref().name)?;
        Ok(Response::new(message(self.0.get_division(&caller, code)?)))
    }

    async fn list_divisions(
        &self,
        request: Request<ListDivisionsRequest>,
    ) -> Result<Response<ListDivisionsResponse>, Status> {
        let caller = caller(&request)?;
        let ListDivisionsRequest {
            show_retired,
            page_size,
            page_token,
        } = request.into_inner();
        let size = usize::try_from(page::size(page_size)?).unwrap_or(usize::MAX);
        let binding = [&*show_retired.to_string()];
        let after: String = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut rest = self.0.list_divisions(&caller, show_retired, &after)?;
        let page: Vec<&Division> = rest.by_ref().take(size).collect();
        let next_page_token = match page.last() {
            Some(last) if rest.next().is_some() => page::next(&last.code, &binding),
            _ => String::new(),
        };
        Ok(Response::new(ListDivisionsResponse {
            divisions: page.into_iter().map(message).collect(),
            next_page_token,
        }))
    }

    async fn resolve_division(
        &self,
        request: Request<ResolveDivisionRequest>,
    ) -> Result<Response<pb::Division>, Status> {
        let caller = caller(&request)?;
        let ResolveDivisionRequest { name, date } = request.into_inner();
        let code = code("name", &name)?;
        let mut fields = Fields::new();
        let day = date.and_then(|date| fields.date("date", Some(date)));
        fields.finish()?;
        let day = day.unwrap_or_else(|| self.0.clock.today());
        Ok(Response::new(message(
            self.0.resolve_division(&caller, code, day)?,
        )))
    }
}
