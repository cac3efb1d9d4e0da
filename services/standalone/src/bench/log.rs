//! An exported audit log of a million records, verified from its file and a public key alone.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kit::audit::{Checkpoint, CheckpointKind, GENESIS, Kind, Record, SigningKey, to_pb};
use proto::audit::{AuditCheckpoint, AuditRecord, ExportRecordsResponse};
use sha2::{Digest as _, Sha256};

use crate::audit::{GatewayArgs, VerifyArgs, Writer, verify};
use crate::house::AuthorityArgs;

const SERVICE: &str = "roster";
const RECORDS: i64 = 1_000_000;
/// How many records a piece of the file has.
const PIECE: usize = 1_000;

/// How long the bytes of the file take to be hashed once, and the log to be verified.
pub(super) fn verified_alone() -> anyhow::Result<(Duration, Duration)> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("roster.audit");
    let key = SigningKey::from_bytes(&[7; 32]);
    write(&file, &key)?;
    let bytes = std::fs::read(&file)?;
    let begun = Instant::now();
    black_box(Sha256::digest(&bytes));
    let hashed = begun.elapsed();
    drop(bytes);
    let args = VerifyArgs {
        file: Some(file),
        checkpoints: None,
        key: vec![STANDARD.encode(key.verifying_key().as_bytes())],
        gateway: GatewayArgs {
            gateway: String::new(),
            authority: AuthorityArgs::default(),
            token: None,
        },
    };
    let begun = Instant::now();
    let log = verify(&args)?;
    let verified = begun.elapsed();
    ensure!(
        log.records == RECORDS,
        "{} records were verified",
        log.records
    );
    ensure!(log.checkpoints == 1, "{} checkpoints", log.checkpoints);
    Ok((hashed, verified))
}

/// Writes the log as an export does: the checkpoint of its end first. Its hash is known only then, so the
/// chain is made twice rather than kept.
fn write(file: &Path, key: &SigningKey) -> anyhow::Result<()> {
    let end = chain().last().map(|record| record.hash).unwrap_or_default();
    let checkpoint = Checkpoint {
        sequence: RECORDS,
        kind: CheckpointKind::Head as i32,
        hash: end,
        ..Checkpoint::default()
    };
    let mut out = Writer::create(file)?;
    out.add(&ExportRecordsResponse {
        checkpoints: vec![told(checkpoint.sign(SERVICE, key))],
        ..ExportRecordsResponse::default()
    })?;
    let mut records = chain().map(|record| to_pb(SERVICE, record));
    loop {
        let records: Vec<AuditRecord> = records.by_ref().take(PIECE).collect();
        if records.is_empty() {
            return out.finish();
        }
        out.add(&ExportRecordsResponse {
            records,
            ..ExportRecordsResponse::default()
        })?;
    }
}

/// Reads of a school's people, one after the other.
fn chain() -> impl Iterator<Item = Record> {
    let mut previous = GENESIS.to_vec();
    (1..=RECORDS).map(move |sequence| {
        let mut record = Record {
            sequence,
            time: 1_649_203_200_000 + sequence,
            subject: format!("person-{}", sequence % 3_000),
            roles: "class-reporter".to_owned(),
            scope: "fz/350102/2135010001".to_owned(),
            purpose: "daily".to_owned(),
            method: "/campus.roster.v1.StudentService/GetStudent".to_owned(),
            kind: Kind::Read as i32,
            resources: format!("students/{sequence:032x}"),
            resource_count: 1,
            place: "fz/350102/2135010001".to_owned(),
            trace_id: format!("{sequence:032x}"),
            call_count: 1,
            previous_hash: std::mem::take(&mut previous),
            ..Record::default()
        };
        record.hash = record.digest(SERVICE).to_vec();
        previous.clone_from(&record.hash);
        record
    })
}

fn told(checkpoint: Checkpoint) -> AuditCheckpoint {
    AuditCheckpoint {
        service: SERVICE.to_owned(),
        kind: checkpoint.kind,
        sequence: checkpoint.sequence,
        hash: checkpoint.hash.into(),
        time: Some(kit::field::to_timestamp(chrono::DateTime::UNIX_EPOCH)),
        public_key: checkpoint.public_key.into(),
        signature: checkpoint.signature.into(),
        ..AuditCheckpoint::default()
    }
}
