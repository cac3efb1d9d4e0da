//! HealthService.

use kit::auth::{Caller, Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::page;
use prost::Message;
use proto::roster::return_policy::Evidence;
use proto::sampling::appeal::{Party as Speaker, Verdict as Said};
use proto::sampling::health_service_server::HealthService;
use proto::sampling::health_state::State;
use proto::sampling::{
    Appeal, AppealReturnRequest, ConfirmDiseaseRequest, DecideAppealRequest, GetHealthStateRequest,
    HealthState, ListHealthEventsRequest, ListHealthEventsResponse, ListHealthStatesRequest,
    ListHealthStatesResponse, ObservePersonRequest, RecordRecoveryRequest, ReferPersonRequest,
    ReleaseObservationRequest, RequestReturnRequest, ReturnRequest, ReviewReturnRequest,
    RuleOutDiseaseRequest,
};
use tonic::{Request, Response, Status};

use super::{Who, absence_convert, person_convert, whole, whose_health};
use crate::app::App;
use crate::app::health::people::Asked;
use crate::domain::health::person::{Act, Verdict};
use crate::domain::health::return_rule::earliest_onset;
use crate::error::Error;
use crate::grpc::convert::{cut, organization};
use crate::store::health::medical::MedicalRow;

/// Serves the medical axis.
#[derive(Clone, Debug)]
pub(in crate::grpc) struct Api(pub(in crate::grpc) App);

/// A request about one person, with what every one of them has.
struct Parts<'a> {
    method: &'static str,
    permission: Permission,
    name: &'a str,
    note: &'a str,
    request_id: &'a str,
}

impl Api {
    /// Whether the caller may do `permission` to a person. That the name is nobody's is found wrong with the
    /// request.
    async fn may(
        &self,
        caller: &Caller,
        permission: Permission,
        person: Option<Who>,
    ) -> Result<(), Error> {
        match person {
            Some(person) => {
                let place = self.0.health_place(caller, permission, person);
                place.await.map(drop)
            }
            None => Ok(()),
        }
    }

    /// Does an act of which `act` reads the fields.
    async fn act<Q: Message, R: Message + Default>(
        &self,
        caller: Caller,
        parts: Parts<'_>,
        request: &Q,
        act: impl FnOnce(&mut Fields) -> Option<Act>,
        render: fn(&MedicalRow) -> R,
    ) -> Result<Response<R>, Status> {
        let Parts {
            method,
            permission,
            name,
            note,
            request_id,
        } = parts;
        caller.allowed(permission)?;
        let mut fields = Fields::new();
        let person = whose_health(&mut fields, "name", name);
        fields.text("note", note, 500);
        let act = act(&mut fields);
        let may = self.may(&caller, permission, person);
        let (person, act) = read_or_denied(whole(fields, person.zip(act)), may).await?;
        let asked = Asked {
            person,
            permission,
            method,
            act,
            note: note.to_owned(),
        };
        let answer = self
            .0
            .act_on_health(&caller, asked, (request_id, request), render);
        Ok(Response::new(answer.await?))
    }
}

fn parts<'a>(
    method: &'static str,
    permission: Permission,
    (name, note, request_id): (&'a str, &'a str, &'a str),
) -> Parts<'a> {
    Parts {
        method,
        permission,
        name,
        note,
        request_id,
    }
}

#[tonic::async_trait]
impl HealthService for Api {
    async fn get_health_state(
        &self,
        request: Request<GetHealthStateRequest>,
    ) -> Result<Response<HealthState>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::HealthRead)?;
        let mut fields = Fields::new();
        let person = whose_health(&mut fields, "name", &request.get_ref().name);
        let row = self.0.health_state(&caller, whole(fields, person)?).await?;
        Ok(Response::new(person_convert::health_state(&row)))
    }

    async fn list_health_states(
        &self,
        request: Request<ListHealthStatesRequest>,
    ) -> Result<Response<ListHealthStatesResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::HealthRead)?;
        let ListHealthStatesRequest {
            organization: name,
            state,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [name.as_str(), &state.to_string()];
        let after: Vec<u8> = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let id = organization(&mut fields, "organization", &name);
        let state = (state != 0).then(|| fields.enumeration::<State>("state", state));
        fields.finish()?;
        let state = state
            .flatten()
            .and_then(|state| i16::try_from(i32::from(state)).ok());
        let mut rows = self
            .0
            .list_health_states(&caller, id, state, after, limit + 1)
            .await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.person, &binding));
        Ok(Response::new(ListHealthStatesResponse {
            health_states: rows.iter().map(person_convert::health_state).collect(),
            next_page_token,
        }))
    }

    async fn list_health_events(
        &self,
        request: Request<ListHealthEventsRequest>,
    ) -> Result<Response<ListHealthEventsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::HealthRead)?;
        let ListHealthEventsRequest {
            parent,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [parent.as_str()];
        let after: i64 = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let person = whose_health(&mut fields, "parent", &parent);
        let person = whole(fields, person)?;
        let mut rows = self
            .0
            .list_health_events(&caller, person, after, limit + 1)
            .await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.sequence, &binding));
        Ok(Response::new(ListHealthEventsResponse {
            health_events: rows.into_iter().map(person_convert::health_event).collect(),
            next_page_token,
        }))
    }

    async fn observe_person(
        &self,
        request: Request<ObservePersonRequest>,
    ) -> Result<Response<HealthState>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let told = (&*request.name, &*request.note, &*request.request_id);
        let parts = parts("ObservePerson", Permission::HealthDecide, told);
        let act = |fields: &mut Fields| {
            fields.required("room", &request.room);
            fields.text("room", &request.room, 64);
            Some(Act::Observe(
                request.room.clone(),
                request.guardian_notified,
            ))
        };
        let render = person_convert::health_state;
        self.act(caller, parts, &request, act, render).await
    }

    async fn release_observation(
        &self,
        request: Request<ReleaseObservationRequest>,
    ) -> Result<Response<HealthState>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let told = (&*request.name, &*request.note, &*request.request_id);
        let parts = parts("ReleaseObservation", Permission::HealthDecide, told);
        let act = |fields: &mut Fields| {
            let readings = &request.readings_tenths;
            if !(2..=10).contains(&readings.len()) {
                let (chinese, english) = ("应有 2 到 10 次体温", "two to ten readings");
                fields.violation("readings_tenths", chinese, english);
            }
            for reading in readings {
                fields.within("readings_tenths", *reading, 340..=425);
            }
            let readings = readings
                .iter()
                .filter_map(|reading| i16::try_from(*reading).ok());
            Some(Act::Release(readings.collect(), request.no_symptoms))
        };
        let render = person_convert::health_state;
        self.act(caller, parts, &request, act, render).await
    }

    async fn refer_person(
        &self,
        request: Request<ReferPersonRequest>,
    ) -> Result<Response<HealthState>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let told = (&*request.name, &*request.note, &*request.request_id);
        let parts = parts("ReferPerson", Permission::HealthDecide, told);
        let act = |_: &mut Fields| Some(Act::Refer(request.guardian_notified));
        let render = person_convert::health_state;
        self.act(caller, parts, &request, act, render).await
    }

    async fn rule_out_disease(
        &self,
        request: Request<RuleOutDiseaseRequest>,
    ) -> Result<Response<HealthState>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let told = (&*request.name, &*request.note, &*request.request_id);
        let parts = parts("RuleOutDisease", Permission::HealthDecide, told);
        let act = |_: &mut Fields| Some(Act::RuleOut);
        let render = person_convert::health_state;
        self.act(caller, parts, &request, act, render).await
    }

    async fn confirm_disease(
        &self,
        request: Request<ConfirmDiseaseRequest>,
    ) -> Result<Response<HealthState>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let today = self.0.today();
        let told = (&*request.name, &*request.note, &*request.request_id);
        let parts = parts("ConfirmDisease", Permission::HealthDecide, told);
        let act =
            |fields: &mut Fields| person_convert::course(fields, &request, today).map(Act::Confirm);
        let render = person_convert::health_state;
        self.act(caller, parts, &request, act, render).await
    }

    async fn record_recovery(
        &self,
        request: Request<RecordRecoveryRequest>,
    ) -> Result<Response<HealthState>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (now, today) = (self.0.clock.now(), self.0.today());
        let told = (&*request.name, &*request.note, &*request.request_id);
        let parts = parts("RecordRecovery", Permission::HealthDecide, told);
        let act = |fields: &mut Fields| {
            let since = fields.instant("recovery_time", request.recovery_time);
            let past = absence_convert::past(fields, "recovery_time", request.recovery_time, now);
            let first = earliest_onset(today).start_millis();
            if since.is_some() && past < first {
                let (chinese, english) = ("应在今天及此前 60 天内", "within the last 60 days");
                fields.violation("recovery_time", chinese, english);
            }
            since.map(|_| Act::Recover(past))
        };
        let render = person_convert::health_state;
        self.act(caller, parts, &request, act, render).await
    }

    async fn request_return(
        &self,
        request: Request<RequestReturnRequest>,
    ) -> Result<Response<ReturnRequest>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let told = (&*request.name, &*request.note, &*request.request_id);
        let parts = parts("RequestReturn", Permission::ReturnRequest, told);
        let act = |fields: &mut Fields| {
            let named = request.evidence.iter().map(|number| {
                fields.enumeration::<Evidence>("evidence", *number)?;
                i16::try_from(*number).ok()
            });
            let evidence: Option<Vec<i16>> = named.collect();
            let proof = request.hospital_proof_sha256.to_ascii_lowercase();
            if !proof.is_empty() && hex::decode(&proof).map_or(0, |hash| hash.len()) != 32 {
                let (chinese, english) = ("应为 64 位十六进制", "must be 64 hexadecimal digits");
                fields.violation("hospital_proof_sha256", chinese, english);
            }
            evidence.map(|evidence| Act::RequestReturn(evidence, proof))
        };
        let render = person_convert::return_request;
        self.act(caller, parts, &request, act, render).await
    }

    async fn review_return(
        &self,
        request: Request<ReviewReturnRequest>,
    ) -> Result<Response<HealthState>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let told = (&*request.name, &*request.note, &*request.request_id);
        let parts = parts("ReviewReturn", Permission::HealthDecide, told);
        let act = |fields: &mut Fields| {
            fields.required("note", &request.note);
            let until = match request.exclude_end_time {
                Some(_) if request.admit => {
                    let (chinese, english) = ("同意返校时不填", "left out when admitting");
                    fields.violation("exclude_end_time", chinese, english);
                    None
                }
                Some(until) => fields.instant("exclude_end_time", Some(until)),
                None => None,
            };
            let until = until.map_or(0, |until| until.timestamp_millis());
            let verdict = if request.admit {
                Verdict::Admit
            } else {
                Verdict::Refuse
            };
            Some(Act::Review(verdict, until))
        };
        let render = person_convert::health_state;
        self.act(caller, parts, &request, act, render).await
    }

    async fn appeal_return(
        &self,
        request: Request<AppealReturnRequest>,
    ) -> Result<Response<Appeal>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let told = (&*request.name, &*request.note, &*request.request_id);
        let parts = parts("AppealReturn", Permission::ReturnRequest, told);
        let act = |fields: &mut Fields| {
            fields.required("note", &request.note);
            Some(Act::Appeal)
        };
        let render = person_convert::appeal;
        self.act(caller, parts, &request, act, render).await
    }

    async fn decide_appeal(
        &self,
        request: Request<DecideAppealRequest>,
    ) -> Result<Response<Appeal>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        caller.allowed(Permission::AppealDecide)?;
        let mut fields = Fields::new();
        let party: Option<Speaker> = fields.enumeration("party", request.party);
        let verdict: Option<Said> = fields.enumeration("verdict", request.verdict);
        fields.required("note", &request.note);
        fields.required("decided_by", &request.decided_by);
        fields.text("decided_by", &request.decided_by, 64);
        let verdict =
            verdict.and_then(|verdict| Verdict::from_code(i16::try_from(i32::from(verdict)).ok()?));
        let person = whose_health(&mut Fields::new(), "name", &request.name);
        let may = self.may(&caller, Permission::AppealDecide, person);
        let (speaker, verdict) = read_or_denied(whole(fields, party.zip(verdict)), may).await?;
        let party = person_convert::party_of(&caller, speaker)?;
        let note = format!("{}: {}", request.decided_by, request.note);
        let told = (&*request.name, &*note, &*request.request_id);
        let parts = parts("DecideAppeal", Permission::AppealDecide, told);
        let act = |_: &mut Fields| Some(Act::Opine(party, verdict));
        let render = person_convert::appeal;
        self.act(caller, parts, &request, act, render).await
    }
}
