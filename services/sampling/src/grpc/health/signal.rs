//! ReportingSignalService.

use kit::auth::{Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::page;
use proto::sampling::reporting_signal::{Kind as WireKind, State as WireState};
use proto::sampling::reporting_signal_service_server::ReportingSignalService;
use proto::sampling::{
    ExplainReportingSignalRequest, GetReportingSignalRequest, JudgeReportingSignalRequest,
    ListReportingSignalsRequest, ListReportingSignalsResponse, ReportingSignal,
};
use tonic::{Request, Response, Status};

use super::{signal_convert, whole};
use crate::app::App;
use crate::app::health::signals::Wanted;
use crate::domain::day::Day;
use crate::domain::health::regularity::Kind;
use crate::domain::health::signal::{SignalState, SignalVerb};
use crate::grpc::convert::{cut, optional_date, organization};

/// Serves signals about the honesty of checks.
#[derive(Clone, Debug)]
pub(in crate::grpc) struct Api(pub(in crate::grpc) App);

/// The longest explanation or reason, in characters.
const TEXT: usize = 500;
/// The longest identifier of a signal.
const ID: usize = 32;

/// The identifier in `reportingSignals/{reporting_signal}`.
fn id<'a>(fields: &mut Fields, name: &'a str) -> Option<&'a str> {
    let is_plain = |id: &&str| {
        let plain = |letter: u8| letter.is_ascii_hexdigit() || letter == b'-';
        (1..=ID).contains(&id.len()) && id.bytes().all(plain)
    };
    let id = name.strip_prefix("reportingSignals/").filter(is_plain);
    if id.is_none() {
        let chinese = "应为 reportingSignals/{提示编号}";
        fields.violation(
            "name",
            chinese,
            "must be reportingSignals/{reporting_signal}",
        );
    }
    id
}

/// An enum value that may be left out, as a number of the domain.
fn optional<W: TryFrom<i32>, D>(
    fields: &mut Fields,
    field: &str,
    value: i32,
    known: impl Fn(i16) -> Option<D>,
) -> Option<D> {
    if value == 0 {
        return None;
    }
    fields.enumeration::<W>(field, value)?;
    known(i16::try_from(value).ok()?)
}

#[tonic::async_trait]
impl ReportingSignalService for Api {
    async fn list_reporting_signals(
        &self,
        request: Request<ListReportingSignalsRequest>,
    ) -> Result<Response<ListReportingSignalsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::HealthCoverageRead)?;
        let ListReportingSignalsRequest {
            organization: name,
            state,
            kind,
            since_date,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let mut fields = Fields::new();
        let organization = organization(&mut fields, "organization", &name);
        let states = SignalState::from_code;
        let since = optional_date(&mut fields, "since_date", since_date);
        let wanted = Wanted {
            state: optional::<WireState, _>(&mut fields, "state", state, states),
            kind: optional::<WireKind, _>(&mut fields, "kind", kind, Kind::from_code),
            since: since.map_or(Day::NEVER, Day::from),
        };
        fields.finish()?;
        let (state, kind) = (state.to_string(), kind.to_string());
        let since = wanted.since.to_string();
        let binding = [name.as_str(), &state, &kind, &since];
        let after: Option<String> = page::after(&page_token, &binding)?;
        let after = after.unwrap_or_default();
        let mut rows = self
            .0
            .list_signals(&caller, organization, wanted, &after, limit + 1)
            .await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.id, &binding));
        Ok(Response::new(ListReportingSignalsResponse {
            reporting_signals: rows.iter().map(signal_convert::signal).collect(),
            next_page_token,
        }))
    }

    async fn get_reporting_signal(
        &self,
        request: Request<GetReportingSignalRequest>,
    ) -> Result<Response<ReportingSignal>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::HealthCoverageRead)?;
        let mut fields = Fields::new();
        let id = id(&mut fields, &request.get_ref().name);
        let id = whole(fields, id)?;
        let permission = Permission::HealthCoverageRead;
        let row = self.0.readable_signal(&caller, permission, id).await?;
        Ok(Response::new(signal_convert::signal(&row)))
    }

    async fn explain_reporting_signal(
        &self,
        request: Request<ExplainReportingSignalRequest>,
    ) -> Result<Response<ReportingSignal>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::SignalExplain)?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let id = id(&mut fields, &request.name);
        fields.required("explanation", &request.explanation);
        fields.text("explanation", &request.explanation, TEXT);
        let may = async {
            match id {
                Some(id) => self.0.may_explain(&caller, id).await,
                // That it is none is found wrong with the request.
                None => Ok(()),
            }
        };
        let id = read_or_denied(whole(fields, id), may).await?;
        let answer = self.0.explain_signal(&caller, id, &request).await?;
        Ok(Response::new(answer))
    }

    async fn judge_reporting_signal(
        &self,
        request: Request<JudgeReportingSignalRequest>,
    ) -> Result<Response<ReportingSignal>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::SignalJudge)?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let id = id(&mut fields, &request.name);
        let verb = match request.state() {
            WireState::Dismissed => Some(SignalVerb::Dismiss),
            WireState::Confirmed => Some(SignalVerb::Confirm),
            WireState::Unspecified | WireState::Shown | WireState::Explained => {
                let (chinese, english) = (
                    "只能为 DISMISSED 或 CONFIRMED",
                    "must be DISMISSED or CONFIRMED",
                );
                fields.violation("state", chinese, english);
                None
            }
        };
        fields.required("reason", &request.reason);
        fields.text("reason", &request.reason, TEXT);
        let may = async {
            match id {
                Some(id) => {
                    let signal = self.0.readable_signal(&caller, Permission::SignalJudge, id);
                    signal.await.map(drop)
                }
                // That it is none is found wrong with the request.
                None => Ok(()),
            }
        };
        let (id, verb) = read_or_denied(whole(fields, id.zip(verb)), may).await?;
        let answer = self.0.judge_signal(&caller, id, verb, &request).await?;
        Ok(Response::new(answer))
    }
}
