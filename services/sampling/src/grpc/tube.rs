//! TubeService.

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kit::auth::{Permission, Role, caller};
use kit::field::{Fields, from_timestamp};
use kit::page;
use kit::status::Problem;
use proto::sampling::tube_service_server::TubeService;
use proto::sampling::{
    AddSwabRequest, AddSwabResponse, AddSwabsRequest, AddSwabsResponse, CloseTubeRequest,
    CustodyEvent, GetTubeRequest, HandOverTubeRequest, IssueTubesRequest, IssueTubesResponse,
    ListCustodyEventsRequest, ListCustodyEventsResponse, ListMakeUpTasksRequest,
    ListMakeUpTasksResponse, ListSwabsRequest, ListSwabsResponse, ListTubesRequest,
    ListTubesResponse, MakeUpTask, OpenTubeRequest, PoolType, ReceiveTubeRequest, RejectCause,
    RejectTubeRequest, RemoveSwabRequest, ReportTubeLostRequest, SealTubeRequest, SingleReason,
    StartTestingRequest, Swab, Tube, VoidTubeRequest, add_swab_response,
};
use tonic::{Request, Response, Status, Streaming};

use super::{convert, tube_convert};
use crate::app::App;
use crate::app::swabs::{Scan, Scanned, Scans};
use crate::app::tubes::{Act, Purpose};
use crate::domain::policy::Policy;
use crate::domain::roll::GroupKind;
use crate::domain::swab::Verdict;
use crate::domain::tube::{Verb, is_code};
use crate::error::Error;
use crate::store::tubes::{CustodyRow, Lock, MakeUpRow, SwabRow, TubeRow};

/// Serves tubes.
#[derive(Clone, Debug)]
pub(super) struct Api {
    pub(super) app: App,
    pub(super) scans: Scans,
}

/// How many scans of one stream are under way at once.
const UNDER_WAY: usize = 256;

/// The code in `tubes/{code}`.
pub(super) fn code(fields: &mut Fields, field: &str, name: &str) -> String {
    match name.strip_prefix("tubes/") {
        Some(code) if is_code(code) => code.to_owned(),
        _ => {
            fields.violation(
                field,
                "应为 tubes/{采样管编码}",
                "must be tubes/{tube code}",
            );
            String::new()
        }
    }
}

fn millis(span: std::time::Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 2)
}

fn after(now: DateTime<Utc>, span: std::time::Duration) -> i64 {
    now.timestamp_millis() + millis(span)
}

impl Api {
    fn scan(caller: kit::auth::Caller, request: AddSwabRequest) -> Result<Scan, Problem> {
        let AddSwabRequest {
            tube,
            person,
            scan_time,
            single_reason,
        } = request;
        let mut fields = Fields::new();
        let tube = code(&mut fields, "tube", &tube);
        let kind = if person.starts_with("staff/") {
            GroupKind::Staff
        } else {
            GroupKind::Students
        };
        let person = convert::person(&mut fields, "person", &person);
        let reason = SingleReason::try_from(single_reason);
        if reason.is_err() {
            fields.violation("single_reason", "请选择有效的选项", "not a known value");
        }
        fields.finish()?;
        let Some(person) = person else {
            return Err(Problem::invalid("person", "必填", "required"));
        };
        Ok(Scan {
            caller,
            tube,
            person,
            kind,
            time: scan_time.and_then(from_timestamp),
            single: reason != Ok(SingleReason::Unspecified),
        })
    }

    async fn add(&self, scan: Scan) -> Result<AddSwabResponse, Problem> {
        let Scanned {
            verdict,
            count,
            capacity,
        } = self.scans.submit(scan).await?.map_err(Problem::from)?;
        let (outcome, other) = match verdict {
            Verdict::Add => (add_swab_response::Outcome::Added, String::new()),
            Verdict::Repeat => (add_swab_response::Outcome::Repeated, String::new()),
            Verdict::Move(other) => (add_swab_response::Outcome::Moved, format!("tubes/{other}")),
        };
        Ok(AddSwabResponse {
            outcome: outcome.into(),
            swab_count: count,
            capacity,
            other_tube: other,
        })
    }

    /// A tube that the caller may read.
    async fn readable(
        &self,
        caller: &kit::auth::Caller,
        permission: Permission,
        code: &str,
    ) -> Result<TubeRow, Error> {
        let read = self.app.db.read();
        let tube = TubeRow::find(read, "code", vec![code.into()], Lock::No)
            .await?
            .pop();
        App::check_tube(caller, permission, tube.as_ref(), code)?;
        tube.ok_or_else(|| Error::NotFound(format!("tubes/{code}")))
    }
}

#[tonic::async_trait]
impl TubeService for Api {
    type AddSwabsStream = BoxStream<'static, Result<AddSwabsResponse, Status>>;

    async fn issue_tubes(
        &self,
        request: Request<IssueTubesRequest>,
    ) -> Result<Response<IssueTubesResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeIssue)?;
        let IssueTubesRequest {
            laboratory,
            lot,
            pool_type,
            organization,
            tube_codes,
        } = request.into_inner();
        let mut fields = Fields::new();
        if caller.laboratory.is_none() {
            fields.required("laboratory", &laboratory);
        }
        fields.text("laboratory", &laboratory, 64);
        fields.required("lot", &lot);
        fields.text("lot", &lot, 64);
        let pool: Option<PoolType> = fields.enumeration("pool_type", pool_type);
        let organization =
            convert::organization(&mut fields, "organization", &organization).to_owned();
        fields.within("tube_codes", tube_codes.len(), 1..=10_000);
        for (place, code) in tube_codes
            .iter()
            .enumerate()
            .filter(|(_, code)| !is_code(code))
            .take(20)
        {
            let _ = code;
            fields.violation(
                format!("tube_codes[{place}]"),
                "应为 4 到 32 位字母、数字或连字符",
                "must be 4 to 32 letters, digits or hyphens",
            );
        }
        fields.finish()?;
        let capacity = match pool.unwrap_or_default() {
            PoolType::Unspecified | PoolType::Single => 1,
            PoolType::P5 => 5,
            PoolType::P10 => 10,
            PoolType::P20 => 20,
        };
        let template = TubeRow {
            lot,
            capacity,
            subject: 1,
            ..TubeRow::default()
        };
        let issued = self
            .app
            .issue_tubes(&caller, &laboratory, &organization, &template, &tube_codes)
            .await?;
        Ok(Response::new(IssueTubesResponse {
            issued_count: i32::try_from(issued).unwrap_or(i32::MAX),
        }))
    }

    async fn open_tube(&self, request: Request<OpenTubeRequest>) -> Result<Response<Tube>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeHandle)?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let code = code(&mut fields, "name", &request.name);
        let purpose = if request.hold.is_empty() {
            convert::class_group(&mut fields, "class_group", &request.class_group)
                .map(|(school, group)| Purpose::Group(school.to_owned(), group.to_owned()))
        } else {
            let hold = request
                .hold
                .strip_prefix("holds/")
                .filter(|code| is_code(code));
            if hold.is_none() || !request.class_group.is_empty() {
                fields.violation(
                    "hold",
                    "应为 holds/{编号}，且不与班级同时填写",
                    "must be holds/{hold}, without a class group",
                );
            }
            hold.map(|hold| Purpose::Hold(hold.to_owned()))
        };
        if !request.point.is_empty() {
            fields.violation("point", "没有此采样点", "no such sampling point");
        }
        fields.finish()?;
        let Some(purpose) = purpose else {
            return Err(Problem::invalid("class_group", "必填", "required").into());
        };
        let (draw, id) = (&request.draw, &request.request_id);
        let tube = self
            .app
            .open_tube(&caller, &code, purpose, draw, id, &request)
            .await?;
        Ok(Response::new(tube))
    }

    async fn add_swab(
        &self,
        request: Request<AddSwabRequest>,
    ) -> Result<Response<AddSwabResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeHandle)?;
        let scan = Self::scan(caller, request.into_inner())?;
        Ok(Response::new(self.add(scan).await?))
    }

    async fn add_swabs(
        &self,
        request: Request<Streaming<AddSwabsRequest>>,
    ) -> Result<Response<Self::AddSwabsStream>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeHandle)?;
        let api = self.clone();
        let answers = request.into_inner().enumerate().map(move |(index, swab)| {
            let (api, caller) = (api.clone(), caller.clone());
            async move {
                let scan = Self::scan(caller, swab?.swab.unwrap_or_default());
                let answer = match scan {
                    Ok(scan) => api.add(scan).await,
                    Err(problem) => Err(problem),
                };
                let index = i64::try_from(index).unwrap_or(i64::MAX);
                Ok(match answer {
                    Ok(answer) => AddSwabsResponse {
                        index,
                        answer: Some(answer),
                        ..Default::default()
                    },
                    Err(problem) => AddSwabsResponse {
                        index,
                        answer: None,
                        error_reason: reason_name(&problem),
                        error_message: problem.chinese(),
                    },
                })
            }
        });
        Ok(Response::new(answers.buffered(UNDER_WAY).boxed()))
    }

    async fn remove_swab(
        &self,
        request: Request<RemoveSwabRequest>,
    ) -> Result<Response<Tube>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeHandle)?;
        // Taking back twice has one effect, so the request id has nothing to add.
        let RemoveSwabRequest {
            tube,
            person,
            reason,
            request_id: _,
        } = request.into_inner();
        let mut fields = Fields::new();
        let code = code(&mut fields, "tube", &tube);
        let id = convert::person(&mut fields, "person", &person);
        fields.required("reason", &reason);
        fields.text("reason", &reason, 200);
        fields.finish()?;
        let Some(id) = id else {
            return Err(Problem::invalid("person", "必填", "required").into());
        };
        Ok(Response::new(
            self.app
                .remove_swab(&caller, &code, id, &person, &reason)
                .await?,
        ))
    }

    async fn seal_tube(&self, request: Request<SealTubeRequest>) -> Result<Response<Tube>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeHandle)?;
        let request = request.into_inner();
        let SealTubeRequest {
            name,
            request_id: _,
        } = request.clone();
        let mut checks = Fields::new();
        let code = code(&mut checks, "name", &name);
        checks.finish().map_err(Status::from)?;
        let act = Act {
            verb: Verb::Seal,
            name: "SealTube",
            permission: Permission::TubeHandle,
            note: String::new(),
        };
        let subject = caller.subject.clone();
        let change = |tube: &mut TubeRow, policy: &Policy, now: DateTime<Utc>| {
            let _ = (&subject, policy, now);
            if tube.swab_count == 0 {
                return Err(Error::TubeEmpty);
            }
            tube.seal_time = now.timestamp_millis();
            tube.due_time = after(now, policy.result_sla);
            tube.sealed_by.clone_from(&subject);
            Ok(())
        };
        let tube = self
            .app
            .act(&caller, &code, act, &request.request_id, &request, change)
            .await?;
        Ok(Response::new(tube))
    }

    async fn hand_over_tube(
        &self,
        request: Request<HandOverTubeRequest>,
    ) -> Result<Response<Tube>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeHandle)?;
        let request = request.into_inner();
        let HandOverTubeRequest {
            name,
            courier,
            request_id: _,
        } = request.clone();
        let mut checks = Fields::new();
        let code = code(&mut checks, "name", &name);
        checks.required("courier", &courier);
        checks.text("courier", &courier, 64);
        checks.finish().map_err(Status::from)?;
        let act = Act {
            verb: Verb::HandOver,
            name: "HandOverTube",
            permission: Permission::TubeHandle,
            note: courier.clone(),
        };
        let subject = caller.subject.clone();
        let change = |tube: &mut TubeRow, policy: &Policy, now: DateTime<Utc>| {
            let _ = (&subject, policy, now);
            tube.courier.clone_from(&courier);
            Ok(())
        };
        let tube = self
            .app
            .act(&caller, &code, act, &request.request_id, &request, change)
            .await?;
        Ok(Response::new(tube))
    }

    async fn receive_tube(
        &self,
        request: Request<ReceiveTubeRequest>,
    ) -> Result<Response<Tube>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeReceive)?;
        let request = request.into_inner();
        let ReceiveTubeRequest {
            name,
            courier,
            receiver,
            request_id: _,
        } = request.clone();
        let mut checks = Fields::new();
        let code = code(&mut checks, "name", &name);
        checks.required("courier", &courier);
        checks.required("receiver", &receiver);
        checks.text("receiver", &receiver, 64);
        checks.finish().map_err(Status::from)?;
        let act = Act {
            verb: Verb::Receive,
            name: "ReceiveTube",
            permission: Permission::TubeReceive,
            note: format!("courier {courier}, receiver {receiver}"),
        };
        let subject = caller.subject.clone();
        let change = |tube: &mut TubeRow, policy: &Policy, now: DateTime<Utc>| {
            let _ = (&subject, policy, now);
            if courier != tube.courier || courier == receiver {
                return Err(Error::Signatures);
            }
            tube.receive_time = now.timestamp_millis();
            tube.late = now.timestamp_millis() - tube.seal_time > millis(policy.max_to_laboratory);
            Ok(())
        };
        let tube = self
            .app
            .act(&caller, &code, act, &request.request_id, &request, change)
            .await?;
        Ok(Response::new(tube))
    }

    async fn start_testing(
        &self,
        request: Request<StartTestingRequest>,
    ) -> Result<Response<Tube>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeReceive)?;
        let request = request.into_inner();
        let StartTestingRequest {
            name,
            request_id: _,
        } = request.clone();
        let mut checks = Fields::new();
        let code = code(&mut checks, "name", &name);
        checks.finish().map_err(Status::from)?;
        let act = Act {
            verb: Verb::StartTesting,
            name: "StartTesting",
            permission: Permission::TubeReceive,
            note: String::new(),
        };
        let subject = caller.subject.clone();
        let change = |tube: &mut TubeRow, policy: &Policy, now: DateTime<Utc>| {
            let _ = (&subject, policy, now);
            let _ = tube;
            Ok(())
        };
        let tube = self
            .app
            .act(&caller, &code, act, &request.request_id, &request, change)
            .await?;
        Ok(Response::new(tube))
    }

    async fn void_tube(&self, request: Request<VoidTubeRequest>) -> Result<Response<Tube>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeHandle)?;
        let request = request.into_inner();
        let VoidTubeRequest {
            name,
            reason,
            request_id: _,
        } = request.clone();
        let mut checks = Fields::new();
        let code = code(&mut checks, "name", &name);
        checks.required("reason", &reason);
        checks.text("reason", &reason, 200);
        checks.finish().map_err(Status::from)?;
        let act = Act {
            verb: Verb::Void,
            name: "VoidTube",
            permission: Permission::TubeHandle,
            note: reason.clone(),
        };
        let subject = caller.subject.clone();
        let change = |tube: &mut TubeRow, policy: &Policy, now: DateTime<Utc>| {
            let _ = (&subject, policy, now);
            tube.reason.clone_from(&reason);
            Ok(())
        };
        let tube = self
            .app
            .act(&caller, &code, act, &request.request_id, &request, change)
            .await?;
        Ok(Response::new(tube))
    }

    async fn report_tube_lost(
        &self,
        request: Request<ReportTubeLostRequest>,
    ) -> Result<Response<Tube>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeHandle)?;
        let request = request.into_inner();
        let ReportTubeLostRequest {
            name,
            reason,
            request_id: _,
        } = request.clone();
        let mut checks = Fields::new();
        let code = code(&mut checks, "name", &name);
        checks.required("reason", &reason);
        checks.text("reason", &reason, 200);
        checks.finish().map_err(Status::from)?;
        let act = Act {
            verb: Verb::ReportLost,
            name: "ReportTubeLost",
            permission: Permission::TubeHandle,
            note: reason.clone(),
        };
        let subject = caller.subject.clone();
        let change = |tube: &mut TubeRow, policy: &Policy, now: DateTime<Utc>| {
            let _ = (&subject, policy, now);
            tube.reason.clone_from(&reason);
            Ok(())
        };
        let tube = self
            .app
            .act(&caller, &code, act, &request.request_id, &request, change)
            .await?;
        Ok(Response::new(tube))
    }

    async fn reject_tube(
        &self,
        request: Request<RejectTubeRequest>,
    ) -> Result<Response<Tube>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeReceive)?;
        let request = request.into_inner();
        let RejectTubeRequest {
            name,
            cause,
            request_id: _,
        } = request.clone();
        let mut checks = Fields::new();
        let code = code(&mut checks, "name", &name);
        let cause: Option<RejectCause> = checks.enumeration("cause", cause);
        let reason = cause
            .unwrap_or_default()
            .as_str_name()
            .trim_start_matches("REJECT_CAUSE_")
            .to_owned();
        checks.finish().map_err(Status::from)?;
        let act = Act {
            verb: Verb::Reject,
            name: "RejectTube",
            permission: Permission::TubeReceive,
            note: reason.clone(),
        };
        let subject = caller.subject.clone();
        let change = |tube: &mut TubeRow, policy: &Policy, now: DateTime<Utc>| {
            let _ = (&subject, policy, now);
            tube.reason.clone_from(&reason);
            Ok(())
        };
        let tube = self
            .app
            .act(&caller, &code, act, &request.request_id, &request, change)
            .await?;
        Ok(Response::new(tube))
    }

    async fn close_tube(
        &self,
        request: Request<CloseTubeRequest>,
    ) -> Result<Response<Tube>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeHandle)?;
        let request = request.into_inner();
        let CloseTubeRequest {
            name,
            request_id: _,
        } = request.clone();
        let mut checks = Fields::new();
        let code = code(&mut checks, "name", &name);
        checks.finish().map_err(Status::from)?;
        let act = Act {
            verb: Verb::Close,
            name: "CloseTube",
            permission: Permission::TubeHandle,
            note: String::new(),
        };
        let subject = caller.subject.clone();
        let change = |tube: &mut TubeRow, policy: &Policy, now: DateTime<Utc>| {
            let _ = (&subject, policy, now);
            let _ = tube;
            Ok(())
        };
        let tube = self
            .app
            .act(&caller, &code, act, &request.request_id, &request, change)
            .await?;
        Ok(Response::new(tube))
    }

    async fn get_tube(&self, request: Request<GetTubeRequest>) -> Result<Response<Tube>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeRead)?;
        let mut fields = Fields::new();
        let code = code(&mut fields, "name", &request.get_ref().name);
        fields.finish()?;
        let tube = self.readable(&caller, Permission::TubeRead, &code).await?;
        let now = self.app.clock.now();
        Ok(Response::new(tube_convert::tube(
            &tube,
            now,
            caller.is(Role::Laboratory),
        )))
    }

    async fn list_tubes(
        &self,
        request: Request<ListTubesRequest>,
    ) -> Result<Response<ListTubesResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeRead)?;
        let ListTubesRequest {
            organization,
            state,
            overdue,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [
            organization.as_str(),
            &state.to_string(),
            &overdue.to_string(),
        ];
        let after: String = page::after(&page_token, &binding)?.unwrap_or_default();
        let now = self.app.clock.now();
        let laboratory = caller.is(Role::Laboratory);
        let mut wheres = "code > $1".to_owned();
        let mut values: Vec<sea_orm::Value> = vec![after.into()];
        if laboratory {
            wheres.push_str(" AND laboratory = $2");
            values.push(caller.laboratory.clone().unwrap_or_default().into());
        } else {
            let mut fields = Fields::new();
            let id = convert::organization(&mut fields, "organization", &organization);
            fields.finish()?;
            let place = self.app.place(&caller, Permission::TubeRead, id).await?;
            wheres.push_str(" AND (org_path = $2 OR (org_path >= $3 AND org_path < $4))");
            values.extend([
                place.as_str().into(),
                format!("{place}/").into(),
                place.below_end().into(),
            ]);
        }
        if state != 0 {
            values.push(state.into());
            wheres.push_str(&format!(" AND state = ${}", values.len()));
        }
        if overdue {
            values.push(now.timestamp_millis().into());
            wheres.push_str(&format!(
                " AND state IN (3, 4, 5, 6) AND due_time > 0 AND due_time < ${}",
                values.len()
            ));
        }
        let mut rows = TubeRow::page(self.app.db.read(), &wheres, values, limit + 1)
            .await
            .map_err(Error::from)?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.code, &binding));
        let tubes = rows
            .iter()
            .map(|row| tube_convert::tube(row, now, laboratory))
            .collect();
        Ok(Response::new(ListTubesResponse {
            tubes,
            next_page_token,
        }))
    }

    async fn list_swabs(
        &self,
        request: Request<ListSwabsRequest>,
    ) -> Result<Response<ListSwabsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeRead)?;
        if caller.is(Role::Laboratory) {
            let denied = Problem::new(proto::error::ErrorReason::ScopeDenied);
            return Err(denied.meta("permission", Permission::TubeRead).into());
        }
        // A tube has at most twenty swabs: one page.
        let ListSwabsRequest {
            tube,
            page_size,
            page_token: _,
        } = request.into_inner();
        page::size(page_size)?;
        let mut fields = Fields::new();
        let code = code(&mut fields, "tube", &tube);
        fields.finish()?;
        self.readable(&caller, Permission::TubeRead, &code).await?;
        let rows = SwabRow::find(self.app.db.read(), "tube", vec![code.into()], Lock::No)
            .await
            .map_err(Error::from)?;
        let swabs = rows.iter().map(|row| Swab {
            person: tube_convert::member(row.kind, &row.person),
            class_group: group_of(&row.org_path),
            scan_time: tube_convert::instant(row.scan_time),
        });
        Ok(Response::new(ListSwabsResponse {
            swabs: swabs.collect(),
            next_page_token: String::new(),
        }))
    }

    async fn list_custody_events(
        &self,
        request: Request<ListCustodyEventsRequest>,
    ) -> Result<Response<ListCustodyEventsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::TubeRead)?;
        let ListCustodyEventsRequest {
            tube,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [tube.as_str()];
        let after: i64 = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let code = code(&mut fields, "tube", &tube);
        fields.finish()?;
        self.readable(&caller, Permission::TubeRead, &code).await?;
        let values = vec![code.into(), after.into()];
        let mut rows = CustodyRow::page(
            self.app.db.read(),
            "tube = $1 AND sequence > $2",
            values,
            limit + 1,
        )
        .await
        .map_err(Error::from)?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.sequence, &binding));
        let hidden = caller.is(Role::Laboratory);
        let custody_events = rows.into_iter().map(|row| CustodyEvent {
            sequence: i32::try_from(row.sequence).unwrap_or(i32::MAX),
            event_time: tube_convert::instant(row.time),
            verb: row.verb,
            actor: row.actor,
            state: i32::from(row.state),
            note: if hidden { String::new() } else { row.note },
        });
        Ok(Response::new(ListCustodyEventsResponse {
            custody_events: custody_events.collect(),
            next_page_token,
        }))
    }

    async fn list_make_up_tasks(
        &self,
        request: Request<ListMakeUpTasksRequest>,
    ) -> Result<Response<ListMakeUpTasksResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::DrawRead)?;
        let ListMakeUpTasksRequest {
            organization,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [organization.as_str()];
        let after: (String, Vec<u8>) = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let id = convert::organization(&mut fields, "organization", &organization);
        fields.finish()?;
        let place = self.app.place(&caller, Permission::DrawRead, id).await?;
        let wheres = "(org_path = $1 OR (org_path >= $2 AND org_path < $3)) AND (tube > $4 OR (tube = $4 AND person > $5))";
        let values = vec![
            place.as_str().into(),
            format!("{place}/").into(),
            place.below_end().into(),
            after.0.into(),
            after.1.into(),
        ];
        let mut rows = MakeUpRow::page(self.app.db.read(), wheres, values, limit + 1)
            .await
            .map_err(Error::from)?;
        let next_page_token = cut(&mut rows, limit, |row| {
            page::next(&(&row.tube, &row.person), &binding)
        });
        let make_up_tasks = rows.into_iter().map(|row| MakeUpTask {
            person: tube_convert::member(row.kind, &row.person),
            class_group: group_of(&row.org_path),
            tube: format!("tubes/{}", row.tube),
            cause: row.cause,
            create_time: tube_convert::instant(row.create_time),
        });
        Ok(Response::new(ListMakeUpTasksResponse {
            make_up_tasks: make_up_tasks.collect(),
            next_page_token,
        }))
    }
}

/// The reason of a refusal as `ErrorInfo` carries it.
pub(super) fn reason_name(problem: &Problem) -> String {
    problem
        .reason()
        .as_str_name()
        .trim_start_matches("ERROR_REASON_")
        .to_owned()
}

/// The class group at a place.
fn group_of(path: &str) -> String {
    let mut ids = path.rsplit('/');
    let (group, school) = (
        ids.next().unwrap_or_default(),
        ids.next().unwrap_or_default(),
    );
    crate::store::rolls::group_name(school, group)
}

/// Cuts a page that was read one item too long, and returns the token of the next.
pub(super) fn cut<R>(rows: &mut Vec<R>, limit: u64, token: impl FnOnce(&R) -> String) -> String {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() <= limit {
        return String::new();
    }
    rows.truncate(limit);
    rows.last().map(token).unwrap_or_default()
}
