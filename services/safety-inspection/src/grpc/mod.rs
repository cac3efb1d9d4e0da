//! The wire: request to domain, result to reply.

mod accountability;
mod acting;
mod checklist;
mod convert;
mod drills;
mod duty;
mod gate;
mod hazard;
mod incident;
mod inspection;
mod inspection_plan;
mod status;
mod visitor;
mod weather;

pub(crate) use accountability::AccountabilityGrpc;
pub(crate) use checklist::Checklists;
pub(crate) use drills::DrillGrpc;
pub(crate) use duty::DutyGrpc;
pub(crate) use gate::Gate;
pub(crate) use hazard::HazardGrpc;
pub(crate) use incident::Incident;
pub(crate) use inspection::InspectionGrpc;
pub(crate) use inspection_plan::InspectionPlanGrpc;
pub(crate) use visitor::Visiting;
pub(crate) use weather::WeatherGrpc;

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
