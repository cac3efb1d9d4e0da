//! One record, its canonical bytes and its hash.

use sha2::{Digest, Sha256};

use crate::rows::{Row, row};

/// The version of the canonical encoding, its first byte.
const VERSION: u8 = 1;

/// What the first record of a log follows.
pub const GENESIS: [u8; 32] = [0; 32];

/// What is recorded. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Personal data was read.
    Read = 1,
    /// Something was done.
    Act = 2,
    /// Somebody was refused.
    Refused = 3,
    /// Somebody broke the glass.
    BreakGlass = 4,
}

row! {
    /// One record of the log. `campus.audit.v1.AuditRecord` says what each field means and how the hash is
    /// made. A record that is not chained yet has no hashes, and in place of its sequence the order in which
    /// it was written.
    Record in "audit_records" by ["sequence"] {
        /// Its place in the log, from 1.
        sequence: i64,
        /// When the call arrived, in milliseconds of Unix time.
        time: i64,
        /// Who called.
        subject: String,
        /// Their roles, one a line.
        roles: String,
        /// Where they hold them.
        scope: String,
        /// Which partner's system or laboratory it is; else empty.
        partner: String,
        /// What the call was for.
        purpose: String,
        /// The path of the method.
        method: String,
        /// A number of [`Kind`].
        kind: i32,
        /// Resource names, one a line, at most 8.
        resources: String,
        /// How many there were.
        resource_count: i64,
        /// Where it was.
        place: String,
        /// The gRPC code.
        code: i32,
        /// Why it was refused; else empty.
        error_reason: String,
        /// The request id; else empty.
        request_id: String,
        /// The trace; else empty.
        trace_id: String,
        /// Why the glass was broken; else empty.
        reason: String,
        /// How many calls it stands for.
        call_count: i64,
        /// Recorded beside the transaction of the act.
        beside: bool,
        /// The hash of the record before.
        previous_hash: Vec<u8>,
        /// Its own hash.
        hash: Vec<u8>,
    }
}

/// The columns that a record gets when it is chained.
const CHAINED: [&str; 3] = ["sequence", "previous_hash", "hash"];

impl Record {
    /// The columns of records that are not chained yet.
    pub(super) fn pending(records: &[Self]) -> Vec<(&'static str, crate::bulk::Column)> {
        let mut columns = Self::columns(records);
        columns.retain(|(name, _)| !CHAINED.contains(name));
        columns
    }

    /// What to select of records that are not chained yet, to read them as records. `empty` is how the
    /// database writes no bytes.
    pub(super) fn selection(empty: &str) -> String {
        let columns = Self::COLUMNS.iter().map(|column| match *column {
            "sequence" => "id",
            "previous_hash" | "hash" => empty,
            column => column,
        });
        columns.collect::<Vec<_>>().join(", ")
    }

    /// Takes its place in the log of `service`.
    pub(super) fn follow(&mut self, service: &str, sequence: i64, previous: &[u8; 32]) -> [u8; 32] {
        self.sequence = sequence;
        self.previous_hash = previous.to_vec();
        let hash = self.digest(service);
        self.hash = hash.to_vec();
        hash
    }

    /// The hash that it should have, by its other fields.
    pub fn digest(&self, service: &str) -> [u8; 32] {
        let mut bytes = Canonical(Sha256::new());
        bytes.0.update(&self.previous_hash);
        bytes.0.update([VERSION]);
        bytes.text(service);
        bytes.number(self.sequence);
        bytes.number(self.time);
        bytes.text(&self.subject);
        bytes.list(&self.roles);
        bytes.text(&self.scope);
        bytes.text(&self.partner);
        bytes.text(&self.purpose);
        bytes.text(&self.method);
        bytes.number(self.kind.into());
        bytes.list(&self.resources);
        bytes.number(self.resource_count);
        bytes.text(&self.place);
        bytes.number(self.code.into());
        bytes.text(&self.error_reason);
        bytes.text(&self.request_id);
        bytes.text(&self.trace_id);
        bytes.text(&self.reason);
        bytes.number(self.call_count);
        bytes.number(self.beside.into());
        bytes.0.finalize().into()
    }
}

/// The elements of a list that stands one a line.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').filter(|_| !text.is_empty())
}

/// Bytes in the canonical encoding, hashed as they come.
pub(super) struct Canonical(pub(super) Sha256);

impl Canonical {
    pub(super) fn number(&mut self, number: i64) {
        self.0.update(number.to_be_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(i64::try_from(text.len()).unwrap_or(i64::MAX));
        self.0.update(text);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        self.0.update(bytes);
    }

    fn list(&mut self, text: &str) {
        self.number(i64::try_from(lines(text).count()).unwrap_or(i64::MAX));
        for line in lines(text) {
            self.text(line);
        }
    }
}
