//! The weather, field by field, both ways.

mod ask;
mod evidence;
mod groups;
mod names;
mod rules;
mod show;
pub(in crate::grpc) mod words;

pub(in crate::grpc) use super::{child, singleton};
pub(in crate::grpc) use ask::{
    basis, completion, decision, declaration, document, new_level, optional, reason, record,
};
pub(in crate::grpc) use groups::{change, new_group};
pub(in crate::grpc) use names::{signal_name, task_name};
pub(in crate::grpc) use rules::rules;
pub(in crate::grpc) use show::{check, group, response, signal, state, suspension, task};
