//! SuspensionService.

use kit::auth::{Caller, Permission, caller};
use kit::field::{Fields, read_or_denied};
use proto::sampling::decide_suspension_request::Decision as Told;
use proto::sampling::suspension::Scope;
use proto::sampling::suspension_service_server::SuspensionService;
use proto::sampling::{
    AmendSuspensionRequest, DecideSuspensionRequest, GetSuspensionRequest, ListSuspensionsRequest,
    ListSuspensionsResponse, Suspension,
};
use tonic::{Request, Response, Status};

use super::listing::Listed;
use crate::app::App;
use crate::app::health::{Amendment, Asked, Decision};
use crate::domain::health::suspension::{MOST_CLASSES, MOST_DAYS, Reach, SuspensionState};
use crate::error::Error;
use crate::grpc::convert::{self, opaque};

/// Serves suspensions.
#[derive(Clone, Debug)]
pub(crate) struct Api(pub(crate) App);

impl Api {
    /// Whether the caller may decide of the suspension of this identifier. That there is none is found
    /// wrong with the request.
    async fn may_decide(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        if id.is_empty() {
            return Ok(());
        }
        let decide = Permission::SuspensionDecide;
        let row = self.0.readable_suspension(caller, decide, id).await;
        row.map(drop)
    }
}

#[tonic::async_trait]
impl SuspensionService for Api {
    async fn get_suspension(
        &self,
        request: Request<GetSuspensionRequest>,
    ) -> Result<Response<Suspension>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ClusterRead)?;
        let mut fields = Fields::new();
        let id = opaque(&mut fields, "name", &request.get_ref().name, "suspensions");
        fields.finish()?;
        Ok(Response::new(self.0.get_suspension(&caller, &id).await?))
    }

    async fn list_suspensions(
        &self,
        request: Request<ListSuspensionsRequest>,
    ) -> Result<Response<ListSuspensionsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ClusterRead)?;
        let ListSuspensionsRequest {
            organization,
            state,
            page_size,
            page_token,
        } = request.into_inner();
        let is_known = |state| SuspensionState::from_code(state).is_some();
        let page = (page_size, page_token.as_str());
        let listed = Listed::read(&organization, state, is_known, &[], page)?;
        let wanted = listed.wanted();
        let mut rows = self
            .0
            .list_suspensions(
                &caller,
                listed.organization,
                listed.state,
                &listed.after,
                wanted,
            )
            .await?;
        let next_page_token = listed.cut(&mut rows, |row| &row.id);
        Ok(Response::new(ListSuspensionsResponse {
            suspensions: self.0.tell_suspensions(rows).await?,
            next_page_token,
        }))
    }

    async fn decide_suspension(
        &self,
        request: Request<DecideSuspensionRequest>,
    ) -> Result<Response<Suspension>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::SuspensionDecide)?;
        let request = request.into_inner();
        let words = [
            ("decided_by", &request.decided_by, 64),
            ("reason", &request.reason, 200),
            ("advice", &request.advice, 200),
        ];
        let (mut fields, id) = opening(&request.name, &words);
        let decision = decision(&mut fields, &request);
        read_or_denied(fields.finish(), self.may_decide(&caller, &id)).await?;
        let answer = self
            .0
            .decide_suspension(&caller, &id, decision, &request)
            .await?;
        Ok(Response::new(answer))
    }

    async fn amend_suspension(
        &self,
        request: Request<AmendSuspensionRequest>,
    ) -> Result<Response<Suspension>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::SuspensionDecide)?;
        let request = request.into_inner();
        let words = [
            ("amended_by", &request.amended_by, 64),
            ("reason", &request.reason, 200),
        ];
        let (mut fields, id) = opening(&request.name, &words);
        let amendment = Amendment {
            who: asked(&mut fields, request.scope, &request.class_groups),
            back: convert::optional_date(&mut fields, "return_date", request.return_date),
        };
        read_or_denied(fields.finish(), self.may_decide(&caller, &id)).await?;
        let answer = self
            .0
            .amend_suspension(&caller, &id, amendment, &request)
            .await?;
        Ok(Response::new(answer))
    }
}

/// The identifier of the suspension that a human changes, and what is wrong with it and with the words
/// that must be said, each with its most characters.
fn opening(name: &str, words: &[(&str, &String, usize)]) -> (Fields, String) {
    let mut fields = Fields::new();
    let id = opaque(&mut fields, "name", name, "suspensions");
    for (field, text, most) in words {
        fields.required(field, text);
        fields.text(field, text, *most);
    }
    (fields, id)
}

/// Who is to stay away; what is wrong with it is noted.
fn asked(fields: &mut Fields, scope: i32, class_groups: &[String]) -> Asked {
    let reach = match scope {
        0 => None,
        scope => fields
            .enumeration::<Scope>("scope", scope)
            .and_then(|scope| Reach::from_code(i16::try_from(i32::from(scope)).ok()?)),
    };
    if class_groups.is_empty() {
        return reach.map_or(Asked::Same, Asked::Reach);
    }
    if reach.is_some_and(|reach| reach != Reach::ClassGroup) {
        let (zh, en) = ("仅用于班级范围", "only with the scope of class groups");
        fields.violation("class_groups", zh, en);
    }
    fields.within("class_groups", class_groups.len(), 1..=MOST_CLASSES);
    for (place, name) in class_groups.iter().take(MOST_CLASSES).enumerate() {
        convert::class_group(fields, &format!("class_groups[{place}]"), name);
    }
    Asked::Classes(class_groups.to_vec())
}

/// What is decided; what is wrong with it is noted.
fn decision(fields: &mut Fields, request: &DecideSuspensionRequest) -> Decision {
    let who = asked(fields, request.scope, &request.class_groups);
    let days = fields.within(
        "suspend_days",
        request.suspend_days,
        0..=i32::from(MOST_DAYS),
    );
    let start = convert::optional_date(fields, "start_date", request.start_date);
    match fields.enumeration::<Told>("decision", request.decision) {
        Some(Told::Approve) => Decision::Approve {
            who,
            days: u16::try_from(days).unwrap_or_default(),
            start,
        },
        Some(Told::Reject | Told::Unspecified) | None => {
            if who != Asked::Same || days != 0 || request.start_date.is_some() {
                let (zh, en) = ("仅用于批准", "only with an approval");
                fields.violation("decision", zh, en);
            }
            Decision::Reject
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided() -> DecideSuspensionRequest {
        let named = |number: u8| format!("organizations/2135010001/classGroups/p2019-{number:02}");
        DecideSuspensionRequest {
            decision: Told::Approve.into(),
            class_groups: vec![named(1), named(2)],
            ..DecideSuspensionRequest::default()
        }
    }

    /// The fields that are wrong with a decision after a change.
    fn wrong(change: impl FnOnce(&mut DecideSuspensionRequest)) -> Vec<String> {
        let mut request = decided();
        change(&mut request);
        let mut fields = Fields::new();
        decision(&mut fields, &request);
        match fields.finish() {
            Ok(()) => Vec::new(),
            Err(problem) => {
                let named = problem.fields().map(|(field, _)| field.to_owned());
                named.collect()
            }
        }
    }

    #[test]
    fn who_is_to_stay_away_is_said_once_and_only_with_an_approval() {
        assert_eq!(wrong(|_| {}), [] as [String; 0]);
        let many = wrong(|request| {
            let class = request.class_groups[0].clone();
            request.class_groups = vec![class; MOST_CLASSES + 1];
        });
        assert_eq!(many, ["class_groups"]);
        let grade = wrong(|request| request.scope = Scope::Grade.into());
        assert_eq!(grade, ["class_groups"]);
        let rejected = wrong(|request| request.decision = Told::Reject.into());
        assert_eq!(rejected, ["decision"]);
        let nameless = wrong(|request| request.class_groups.push("classGroups/p2019-03".into()));
        assert_eq!(nameless, ["class_groups[2]"]);
        let long = wrong(|request| request.suspend_days = i32::from(MOST_DAYS) + 1);
        assert_eq!(long, ["suspend_days"]);
    }

    #[test]
    fn whoever_changes_a_suspension_says_why() {
        let name = format!("suspensions/{}", uuid::Uuid::nil());
        let (fields, _) = opening(&name, &[("reason", &String::new(), 200)]);
        let problem = fields.finish().unwrap_err();
        assert_eq!(problem.fields().next(), Some(("reason", "必填")));
    }
}
