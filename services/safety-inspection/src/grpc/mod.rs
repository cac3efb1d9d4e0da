//! The wire: request to domain, result to reply.

mod convert;
mod drills;
mod duty;
mod gate;
mod status;

use kit::page;
use serde::Serialize;

pub(crate) use drills::DrillGrpc;
pub(crate) use duty::DutyGrpc;
pub(crate) use gate::Gate;

/// Cuts what was found, one more than asked for, to `size` and tells the token of the next page.
fn cut<T, K: Serialize>(
    found: &mut Vec<T>,
    size: u64,
    binding: &[&str],
    key: impl Fn(&T) -> K,
) -> String {
    let more = found.len() as u64 > size;
    found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    match found.last() {
        Some(last) if more => page::next(&key(last), binding),
        _ => String::new(),
    }
}
