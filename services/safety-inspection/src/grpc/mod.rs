//! The wire: request to domain, result to reply.

mod accountability;
mod acting;
pub(crate) mod announced;
mod checklist;
mod convert;
mod drills;
mod duty;
mod feed;
mod figures;
mod gate;
mod hazard;
mod incident;
mod inspection;
mod inspection_plan;
mod protection;
mod resumption;
mod shelter;
mod status;
mod supply;
mod visitor;
mod weather;

pub(crate) use accountability::AccountabilityGrpc;
pub(crate) use checklist::Checklists;
pub(crate) use drills::DrillGrpc;
pub(crate) use duty::DutyGrpc;
pub(crate) use feed::FeedGrpc;
pub(crate) use figures::FiguresGrpc;
pub(crate) use gate::Gate;
pub(crate) use hazard::HazardGrpc;
pub(crate) use incident::Incident;
pub(crate) use inspection::InspectionGrpc;
pub(crate) use inspection_plan::InspectionPlanGrpc;
pub(crate) use protection::ProtectionGrpc;
pub(crate) use resumption::ResumptionGrpc;
pub(crate) use shelter::ShelterGrpc;
pub(crate) use supply::SupplyGrpc;
pub(crate) use visitor::Visiting;
pub(crate) use weather::WeatherGrpc;

/// Each method of a contract and the function that answers it: of the use cases, the caller and the
/// request.
macro_rules! answered {
    ($service:ident for $served:ty:
        $($method:ident($request:ident) -> $answer:ty = $function:path;)+) => {
        #[tonic::async_trait]
        impl $service for $served {
            $(async fn $method(
                &self,
                request: tonic::Request<pb::$request>,
            ) -> Result<tonic::Response<$answer>, tonic::Status> {
                let caller: kit::auth::Caller = kit::auth::caller(&request)?;
                let answer: Result<$answer, crate::error::Error> =
                    $function(&self.app, &caller, request.into_inner()).await;
                Ok(tonic::Response::new(answer?))
            })+
        }
    };
}
use answered;

/// Every field of a request but its page, to which a page token is bound.
fn asked<M: prost::Message + Clone>(request: &M, without_page: impl FnOnce(&mut M)) -> String {
    let mut request = request.clone();
    without_page(&mut request);
    hex::encode(request.encode_to_vec())
}

/// Cuts what was found, one more than a page holds, to a page, and makes the token of the next
/// one; empty on the last.
fn cut<T, K: serde::Serialize>(
    found: &mut Vec<T>,
    size: u64,
    binding: &[&str],
    key: impl Fn(&T) -> K,
) -> String {
    let more = found.len() as u64 > size;
    found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    match found.last() {
        Some(last) if more => kit::page::next(&key(last), binding),
        _ => String::new(),
    }
}
