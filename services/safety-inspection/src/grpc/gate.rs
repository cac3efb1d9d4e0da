//! GateService.

use kit::auth::{Permission, caller};
use kit::page;
use proto::safety as pb;
use proto::safety::gate_service_server::GateService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert::gate as convert;
use crate::app::gate::{Gatehouse, Overridable};
use crate::app::visitors::Visitors;

/// Serves GateService.
#[derive(Debug)]
pub(crate) struct Gate {
    gatehouse: Gatehouse,
    visitors: Visitors,
}

impl Gate {
    /// Whoever enters in an emergency is a visitor.
    pub(crate) fn new(gatehouse: Gatehouse, visitors: Visitors) -> Self {
        Self {
            gatehouse,
            visitors,
        }
    }
}

#[tonic::async_trait]
impl GateService for Gate {
    async fn check_entry(
        &self,
        request: Request<pb::CheckEntryRequest>,
    ) -> Result<Response<pb::GateDecision>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let school = convert::organization("parent", &request.parent)?;
        let school = self
            .gatehouse
            .school(&caller, Permission::GateCheck, &school)?;
        let entry = convert::entry(request, &caller.subject)?;
        let decision = match entry.emergency.clone() {
            None => self.gatehouse.check(&school, entry).await?,
            // Boxed: the way of all others stays small.
            Some(crew) => Box::pin(self.visitors.admit_at_gate(&school, entry, crew)).await?,
        };
        Ok(Response::new(convert::decision(decision)))
    }

    async fn record_batch(
        &self,
        request: Request<pb::RecordBatchRequest>,
    ) -> Result<Response<pb::RecordBatchResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let school = convert::organization("parent", &request.parent)?;
        let school = self
            .gatehouse
            .school(&caller, Permission::GateCheck, &school)?;
        convert::check_batch(&request)?;
        let ids: Vec<_> = request
            .decisions
            .iter()
            .map(|d| d.client_id.clone())
            .collect();
        let parsed: Vec<_> = request
            .decisions
            .into_iter()
            .map(|d| convert::offline(d, &request.device))
            .collect();
        let good = parsed
            .iter()
            .filter_map(|entry| entry.as_ref().ok())
            .cloned()
            .collect();
        let by = (&*request.device, &*caller.subject);
        let recorded = self.visitors.record(&school, by, good).await?;
        let mut recorded = recorded.into_iter();
        let verdicts = ids.into_iter().zip(parsed).map(|(id, entry)| match entry {
            Ok(_) => convert::verdict(id, &school.id, recorded.next()),
            Err(why) => convert::refused(id, why),
        });
        Ok(Response::new(pb::RecordBatchResponse {
            verdicts: verdicts.collect(),
        }))
    }

    async fn get_snapshot(
        &self,
        request: Request<pb::GetSnapshotRequest>,
    ) -> Result<Response<pb::GateSnapshot>, Status> {
        let caller = caller(&request)?;
        let school = convert::snapshot_name(&request.into_inner().name)?;
        let school = self
            .gatehouse
            .school(&caller, Permission::GateCheck, &school)?;
        let snapshot = self.gatehouse.snapshot(&school).await?;
        let snapshot = convert::snapshot(snapshot, self.gatehouse.snapshot_key());
        Ok(Response::new(snapshot))
    }

    async fn get_gate_decision(
        &self,
        request: Request<pb::GetGateDecisionRequest>,
    ) -> Result<Response<pb::GateDecision>, Status> {
        let caller = caller(&request)?;
        let (school, id) = convert::decision_name("name", &request.into_inner().name)?;
        let school = self
            .gatehouse
            .school(&caller, Permission::GateRead, &school)?;
        Ok(Response::new(convert::decision(
            self.gatehouse.decision(&school, id).await?,
        )))
    }

    async fn list_gate_decisions(
        &self,
        request: Request<pb::ListGateDecisionsRequest>,
    ) -> Result<Response<pb::ListGateDecisionsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let school = convert::organization("parent", &request.parent)?;
        let school = self
            .gatehouse
            .school(&caller, Permission::GateRead, &school)?;
        let filter = convert::filter(&request)?;
        let size = page::size(request.page_size)?;
        let result = request.result.to_string();
        let (offline, conflict) = (request.offline.to_string(), request.conflict.to_string());
        let binding = [
            &*request.parent,
            &*result,
            &*request.person,
            &*offline,
            &*conflict,
        ];
        let before: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let mut found = self
            .gatehouse
            .decisions(&school, &filter, before, size + 1)
            .await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some((last, _)) if more => page::next(&last.id, &binding),
            _ => String::new(),
        };
        let gate_decisions = found.into_iter().map(convert::decision).collect();
        Ok(Response::new(pb::ListGateDecisionsResponse {
            gate_decisions,
            next_page_token,
        }))
    }

    async fn override_decision(
        &self,
        request: Request<pb::OverrideDecisionRequest>,
    ) -> Result<Response<pb::GateDecision>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (school, id) = convert::decision_name("name", &request.name)?;
        let school = self
            .gatehouse
            .school(&caller, Permission::GateOverride, &school)?;
        let (outcome, reason) = convert::override_words(&request)?;
        let once = (&*request.request_id, &request);
        let render = |decision: Overridable| convert::decision(decision);
        let answer = self
            .gatehouse
            .override_decision(&caller, &school, id, (outcome, reason), once, render)
            .await?;
        Ok(Response::new(answer))
    }

    async fn issue_person_code(
        &self,
        request: Request<pb::IssuePersonCodeRequest>,
    ) -> Result<Response<pb::PersonCode>, Status> {
        let caller = caller(&request)?;
        let person = convert::person("person", &request.into_inner().person)?;
        let at = self
            .gatehouse
            .person(&caller, Permission::RosterRead, person)?;
        let (person_code, ends) = self.gatehouse.issue_code(person, &at);
        let expire_time = Some(kit::field::to_timestamp(kit::clock::start_of(ends)));
        Ok(Response::new(pb::PersonCode {
            person_code,
            expire_time,
        }))
    }

    async fn resolve_person_code(
        &self,
        request: Request<pb::ResolvePersonCodeRequest>,
    ) -> Result<Response<pb::ResolvePersonCodeResponse>, Status> {
        let caller = caller(&request)?;
        let (person, ends) = self
            .gatehouse
            .resolve_code(&caller, &request.into_inner().person_code)?;
        let expire_time = Some(kit::field::to_timestamp(kit::clock::start_of(ends)));
        let person = person.to_string();
        Ok(Response::new(pb::ResolvePersonCodeResponse {
            person,
            expire_time,
        }))
    }

    async fn bind_card(
        &self,
        request: Request<pb::BindCardRequest>,
    ) -> Result<Response<pb::BindCardResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let person = convert::person("person", &request.person)?;
        self.gatehouse
            .person(&caller, Permission::RosterWrite, person)?;
        convert::card("card", &request.card)?;
        let answer = pb::BindCardResponse {
            person: person.to_string(),
        };
        let once = (&*request.request_id, &request);
        let answer = self
            .gatehouse
            .bind_card(&caller, person, &request.card, once, answer)
            .await?;
        Ok(Response::new(answer))
    }
}
