//! ControlService.

use kit::auth::{Caller, Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::status::Problem;
use proto::sampling::clearance::Control as Told;
use proto::sampling::control_measure::Setting;
use proto::sampling::control_service_server::ControlService;
use proto::sampling::{
    ControlMeasure, GetControlMeasureRequest, LiftControlRequest, ListControlMeasuresRequest,
    ListControlMeasuresResponse, PlaceControlsRequest, PlaceControlsResponse,
};
use tonic::{Request, Response, Status};

use super::case_requests::{finish, person, small, text};
use super::control_convert::measure;
use super::listing::Listed;
use crate::app::App;
use crate::app::health::measures::Placing;
use crate::domain::control::Control;
use crate::domain::day::Day;
use crate::domain::measure::{MeasureState, Terms, Unfit};
use crate::domain::roll::{GroupKind, PersonId};
use crate::error::Error;
use crate::grpc::convert::{opaque, optional_date};

/// Serves controls from outside.
#[derive(Clone, Debug)]
pub(super) struct Api(pub(super) App);

/// People of one request.
const MOST_PEOPLE: usize = 1000;

fn measure_id(fields: &mut Fields, name: &str) -> String {
    opaque(fields, "name", name, "controlMeasures")
}

impl Api {
    /// Whether the caller may lift the control of this identifier. That there is none is found wrong with
    /// the request.
    async fn may_write(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        if id.is_empty() {
            return Ok(());
        }
        let write = Permission::ControlWrite;
        self.0.readable_measure(caller, write, id).await.map(drop)
    }
}

#[tonic::async_trait]
impl ControlService for Api {
    async fn place_controls(
        &self,
        request: Request<PlaceControlsRequest>,
    ) -> Result<Response<PlaceControlsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ControlWrite)?;
        let request = request.into_inner();
        let placing = placing(&request, self.0.today())?;
        let placed = self.0.place_controls(&caller, placing, &request).await?;
        Ok(Response::new(placed))
    }

    async fn lift_control(
        &self,
        request: Request<LiftControlRequest>,
    ) -> Result<Response<ControlMeasure>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ControlWrite)?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let id = measure_id(&mut fields, &request.name);
        fields.required("reason", &request.reason);
        text(&mut fields, "reason", &request.reason, 200);
        let may = self.may_write(&caller, &id);
        read_or_denied(fields.finish(), may).await?;
        Ok(Response::new(
            self.0.lift_control(&caller, &id, &request).await?,
        ))
    }

    async fn get_control_measure(
        &self,
        request: Request<GetControlMeasureRequest>,
    ) -> Result<Response<ControlMeasure>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseRead)?;
        let mut fields = Fields::new();
        let id = measure_id(&mut fields, &request.get_ref().name);
        fields.finish()?;
        Ok(Response::new(self.0.get_measure(&caller, &id).await?))
    }

    async fn list_control_measures(
        &self,
        request: Request<ListControlMeasuresRequest>,
    ) -> Result<Response<ListControlMeasuresResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseRead)?;
        let ListControlMeasuresRequest {
            organization,
            state,
            page_size,
            page_token,
        } = request.into_inner();
        let is_known = |state| MeasureState::from_code(state).is_some();
        let page = (page_size, page_token.as_str());
        let listed = Listed::read(&organization, state, is_known, &[], page)?;
        let wanted = listed.wanted();
        let mut rows = self
            .0
            .list_measures(
                &caller,
                listed.organization,
                listed.state,
                &listed.after,
                wanted,
            )
            .await?;
        let next_page_token = listed.cut(&mut rows, |row| &row.id);
        Ok(Response::new(ListControlMeasuresResponse {
            control_measures: rows.iter().map(measure).collect(),
            next_page_token,
        }))
    }
}

/// What a request places on whom.
fn placing(request: &PlaceControlsRequest, today: Day) -> Result<Placing, Problem> {
    let mut fields = Fields::new();
    fields.within("people", request.people.len(), 1..=MOST_PEOPLE);
    let mut people: Vec<(PersonId, GroupKind)> = Vec::new();
    for (place, name) in request.people.iter().take(MOST_PEOPLE).enumerate() {
        people.extend(person(&mut fields, &format!("people[{place}]"), name));
    }
    let mut named: Vec<PersonId> = people.iter().map(|(person, _)| *person).collect();
    named.sort_unstable();
    if named.windows(2).any(|pair| pair[0] == pair[1]) {
        fields.violation("people", "同一人重复", "names somebody twice");
    }
    for (field, value, most) in [
        ("basis_document", &request.basis_document, 120),
        ("reason", &request.reason, 200),
    ] {
        fields.required(field, value);
        text(&mut fields, field, value, most);
    }
    let terms = terms(&mut fields, request, today);
    let placing = terms.map(|terms| Placing {
        people,
        terms,
        document: request.basis_document.clone(),
        reason: request.reason.clone(),
    });
    finish(fields, placing)
}

/// What is placed; what is wrong with it is noted.
fn terms(fields: &mut Fields, request: &PlaceControlsRequest, today: Day) -> Option<Terms> {
    let control: Option<Told> = fields.enumeration("control", request.control);
    let known = control.and_then(|control| Control::from_code(small(control.into())));
    if control.is_some() && known.is_none() {
        let (chinese, english) = ("解除管控请用解除操作", "is no control: lift it instead");
        fields.violation("control", chinese, english);
    }
    let setting = match request.setting {
        0 => 0,
        setting => fields
            .enumeration::<Setting>("setting", setting)
            .map_or(0, |setting| small(setting.into())),
    };
    let first = optional_date(fields, "start_date", request.start_date);
    let last = optional_date(fields, "end_date", request.end_date);
    let terms = Terms {
        control: known?,
        setting,
        first: first.map_or(today, Day::from),
        last: last.map_or(Day::NEVER, Day::from),
    };
    if let Err(unfit) = terms.check(today) {
        let (field, chinese, english) = match unfit {
            Unfit::Control => (
                "control",
                "混检管控只由采样管产生",
                "is given by tubes only",
            ),
            Unfit::Setting => (
                "setting",
                "隔离须写明地点类型",
                "must be given for somebody who is isolated",
            ),
            Unfit::First => (
                "start_date",
                "不能晚于今天，也不能早于 60 天前",
                "must not be in the future, nor more than 60 days back",
            ),
            Unfit::Last => (
                "end_date",
                "必填，不能早于今天，且距开始不超过 60 天；仅区域管控可不填",
                "must be given, not before today and at most 60 days after the first, but for a region",
            ),
        };
        fields.violation(field, chinese, english);
    }
    Some(terms)
}
