//! What was seen and done (rules 6.8 to 6.10): every act, every read of personal data, every refusal of
//! either, and every broken glass, in a log that nobody changes unnoticed.
//!
//! An act is recorded in the transaction of its effect: [`crate::request`] registers it, and
//! [`crate::db::Tx::commit`] writes it. A read is recorded by the server's layer before the first byte of
//! its answer leaves. What the gateway refuses, which keeps no log, is recorded by the service to which the
//! method belongs. Refusals make nobody wait: those that repeat one another are one record with their number,
//! and those that are too many, or that nobody took, are counted for operators ([`REFUSALS_DROPPED`]).
//!
//! Records wait in `audit_pending` until one replica at a time chains them by SHA-256 ([`chain`]); once a
//! minute the head of the chain is signed ([`Checkpoint`]). What is too old is cut off behind a signed anchor.
//! [`Verification`] finds what was changed.

mod body;
mod call;
mod chain;
mod checkpoint;
mod config;
mod convert;
mod export;
mod figures;
mod floors;
mod log;
mod names;
mod notary;
mod part;
mod record;
mod refusals;
mod retention;
mod search;
mod service;
mod uses;
mod verify;
mod writer;

#[cfg(test)]
mod tests;

pub use call::{Audited, Call};
pub use chain::chain_all;
pub use checkpoint::{Checkpoint, CheckpointKind};
pub use config::{AuditConfig, PARTNER_RETENTION_DAYS, RETENTION_DAYS};
pub use convert::{from_pb, to_pb};
pub use ed25519_dalek::{SigningKey, VerifyingKey as PublicKey};
pub use floors::{Floor, Floors};
pub use log::Audit;
pub use notary::read_lines;
pub use record::{GENESIS, Kind, Record};
pub use refusals::REFUSALS_DROPPED;
pub use uses::{break_glass_uses, last_sequence};
pub use verify::{Fault, FaultKind, Verdict, Verification};

pub(crate) use body::Overheard;
pub(crate) use writer::write;

use crate::auth::Caller;
use crate::db::Tx;

/// Records with `tx` that `caller` acts, for acts without a request id; [`crate::request`] does it for all
/// others. Once in a call is enough: more is harmless. Nothing is recorded of whoever acts without a call,
/// as a service does by itself.
pub fn act(tx: &Tx, caller: &Caller) {
    if let Some(call) = &caller.call
        && call.audited() == Audited::Act
        && !call.is_recorded()
    {
        tx.record(call);
    }
}
