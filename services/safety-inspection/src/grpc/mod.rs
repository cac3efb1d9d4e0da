//! The wire: request to domain, result to reply.

mod accountability;
mod acting;
mod convert;
mod gate;
mod hazard;
mod status;

pub(crate) use accountability::AccountabilityGrpc;
pub(crate) use gate::Gate;
pub(crate) use hazard::HazardGrpc;

/// Every field of a request but its page, to which a page token is bound.
fn asked<M: prost::Message + Clone>(request: &M, without_page: impl FnOnce(&mut M)) -> String {
    let mut request = request.clone();
    without_page(&mut request);
    hex::encode(request.encode_to_vec())
}

/// Cuts what was found to a page of `size` and says where the next one starts.
fn cut<T, K: serde::Serialize>(
    found: &mut Vec<T>,
    size: u64,
    binding: &str,
    key: impl Fn(&T) -> K,
) -> String {
    let more = found.len() as u64 > size;
    found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    match found.last() {
        Some(last) if more => kit::page::next(&key(last), &[binding]),
        _ => String::new(),
    }
}
