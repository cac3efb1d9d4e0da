//! The wire: request to domain, result to reply.

mod alert;
pub(crate) mod announced;
pub(crate) mod announced_warnings;
mod channel;
mod concern;
mod convert;
mod delivery;
mod directive;
mod directive_figures;
mod directive_lists;
mod feed;
mod meeting;
mod status;
mod support;
mod template;
mod warning;

pub(crate) use alert::AlertGrpc;
pub(crate) use channel::ChannelGrpc;
pub(crate) use concern::ConcernGrpc;
pub(crate) use delivery::DeliveryGrpc;
pub(crate) use directive::DirectiveGrpc;
pub(crate) use feed::FeedGrpc;
pub(crate) use meeting::MeetingGrpc;
pub(crate) use support::SupportGrpc;
pub(crate) use template::TemplateGrpc;
pub(crate) use warning::WarningGrpc;

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
