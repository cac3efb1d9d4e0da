//! An exported log, verified from files and public keys alone.

use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kit::audit::{Checkpoint, Fault, PublicKey, Verdict};
use proto::audit::audit_fault;

use super::VerifyArgs;
use super::reading::{Source, read};

/// A log that is what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offline {
    /// Whose log it is.
    pub service: String,
    /// Of a part of a log, the record after which it begins; none of one from the beginning.
    pub after: Option<i64>,
    /// How many records were recomputed.
    pub records: i64,
    /// With how many checkpoints they were compared.
    pub checkpoints: i64,
    /// The last record.
    pub last: i64,
}

/// Recomputes an exported log.
///
/// # Errors
/// When anything in it is not what was written, or a file cannot be read.
pub fn verify(args: &VerifyArgs) -> anyhow::Result<Offline> {
    let source = Source {
        file: args.file.as_deref().context("FILE")?,
        elsewhere: args.checkpoints.as_deref(),
        may_be_empty: false,
    };
    let found = read(source, |checkpoints| keys(args, checkpoints), |_| {})?;
    if let Some(fault) = found.fault {
        bail!(wrong(fault));
    }
    let Verdict {
        records,
        checkpoints,
        last,
    } = found.verdict;
    Ok(Offline {
        service: found.service,
        after: found.begins_after.map(|checkpoint| checkpoint.sequence),
        records,
        checkpoints,
        last,
    })
}

/// What is wrong with a log, and where.
pub(super) fn wrong(fault: Fault) -> String {
    let kind = audit_fault::Kind::try_from(fault.kind as i32).unwrap_or_default();
    let why = super::fault(kind);
    format!("第 {0} 条 record {0}: {why}", fault.sequence)
}

/// The keys that are trusted: those that were given.
pub(super) fn keys(
    args: &VerifyArgs,
    checkpoints: &[Checkpoint],
) -> anyhow::Result<Vec<PublicKey>> {
    if args.key.is_empty() {
        let mut found: Vec<String> = checkpoints
            .iter()
            .map(|checkpoint| STANDARD.encode(&checkpoint.public_key))
            .collect();
        found.sort();
        found.dedup();
        bail!(
            "缺少公钥：核对后用 --key 给出 (compare with the key that you were told, and give it with --key): {}",
            found.join(" ")
        );
    }
    args.key.iter().map(|key| read_key(key)).collect()
}

pub(super) fn read_key(given: &str) -> anyhow::Result<PublicKey> {
    let text = if Path::new(given).exists() {
        std::fs::read_to_string(given).with_context(|| given.to_owned())?
    } else {
        given.to_owned()
    };
    let bytes = STANDARD.decode(text.trim()).ok();
    let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes
        .and_then(|bytes| PublicKey::from_bytes(&bytes).ok())
        .context("公钥应为 base64 的 32 字节 Ed25519 公钥 (not an Ed25519 public key in base64)")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use kit::audit::{CheckpointKind, GENESIS, Record, SigningKey, to_pb};
    use proto::audit::{AuditCheckpoint, AuditRecord, ExportRecordsResponse};

    use crate::house::AuthorityArgs;

    use super::super::GatewayArgs;
    use super::super::file::Writer;
    use super::*;

    const SERVICE: &str = "roster";

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    /// Five records and the checkpoint of the last.
    fn log() -> (Vec<AuditRecord>, Checkpoint) {
        let (mut records, mut previous) = (Vec::new(), GENESIS.to_vec());
        for sequence in 1..=5 {
            let mut record = Record {
                sequence,
                subject: format!("subject-{sequence}"),
                call_count: 1,
                previous_hash: previous,
                ..Record::default()
            };
            record.hash = record.digest(SERVICE).to_vec();
            previous = record.hash.clone();
            records.push(to_pb(SERVICE, record));
        }
        let checkpoint = Checkpoint {
            sequence: 5,
            kind: CheckpointKind::Head as i32,
            hash: previous,
            ..Checkpoint::default()
        };
        (records, checkpoint.sign(SERVICE, &key()))
    }

    /// The checkpoint of the second record.
    fn early(records: &[AuditRecord]) -> Checkpoint {
        let checkpoint = Checkpoint {
            sequence: 2,
            kind: CheckpointKind::Head as i32,
            hash: records[1].hash.to_vec(),
            ..Checkpoint::default()
        };
        checkpoint.sign(SERVICE, &key())
    }

    fn told(checkpoint: &Checkpoint) -> AuditCheckpoint {
        AuditCheckpoint {
            service: SERVICE.to_owned(),
            kind: checkpoint.kind,
            sequence: checkpoint.sequence,
            hash: checkpoint.hash.clone().into(),
            time: Some(kit::field::to_timestamp(chrono::DateTime::UNIX_EPOCH)),
            public_key: checkpoint.public_key.clone().into(),
            signature: checkpoint.signature.clone().into(),
            ..AuditCheckpoint::default()
        }
    }

    fn verified(records: Vec<AuditRecord>, keys: &[String]) -> anyhow::Result<Offline> {
        let (_, checkpoint) = log();
        verified_with(&[checkpoint], records, keys)
    }

    fn verified_with(
        checkpoints: &[Checkpoint],
        records: Vec<AuditRecord>,
        keys: &[String],
    ) -> anyhow::Result<Offline> {
        let folder = tempfile::tempdir()?;
        let file: PathBuf = folder.path().join("roster.audit");
        let mut out = Writer::create(&file)?;
        out.add(&ExportRecordsResponse {
            checkpoints: checkpoints.iter().map(told).collect(),
            ..ExportRecordsResponse::default()
        })?;
        for part in records.chunks(2) {
            out.add(&ExportRecordsResponse {
                records: part.to_vec(),
                ..ExportRecordsResponse::default()
            })?;
        }
        out.finish()?;
        verify(&VerifyArgs {
            file: Some(file),
            checkpoints: None,
            key: keys.to_vec(),
            gateway: GatewayArgs {
                gateway: String::new(),
                authority: AuthorityArgs::default(),
                token: None,
            },
        })
    }

    fn known() -> Vec<String> {
        vec![STANDARD.encode(key().verifying_key().as_bytes())]
    }

    #[test]
    fn an_exported_log_verifies_without_any_service() {
        let expected = Offline {
            service: SERVICE.to_owned(),
            after: None,
            records: 5,
            checkpoints: 1,
            last: 5,
        };
        assert_eq!(verified(log().0, &known()).unwrap(), expected);
    }

    #[test]
    fn a_changed_removed_or_cut_off_record_is_named() {
        let (records, _) = log();
        let mut changed = records.clone();
        changed[2].subject = "nobody".to_owned();
        let mut removed = records.clone();
        removed.remove(2);
        let cut = records[..2].to_vec();
        for wrong in [changed, removed, cut] {
            let why = verified(wrong, &known()).unwrap_err().to_string();
            assert!(why.contains("record 3"), "{why}");
        }
    }

    #[test]
    fn a_part_between_two_checkpoints_verifies_alone_and_says_where_it_begins() {
        let (records, last) = log();
        let checkpoints = [early(&records), last];
        let part = verified_with(&checkpoints, records[2..].to_vec(), &known()).unwrap();
        assert_eq!((part.after, part.records, part.last), (Some(2), 3, 5));
        let whole = verified_with(&checkpoints, records.clone(), &known()).unwrap();
        assert_eq!((whole.after, whole.checkpoints), (None, 2));
        let gap = verified_with(&checkpoints, records[3..].to_vec(), &known());
        assert!(
            gap.is_err(),
            "what follows no checkpoint is missing something"
        );
        let nothing = verified_with(&checkpoints[..1], Vec::new(), &known());
        assert!(nothing.is_err(), "a log without records is cut off");
    }

    #[test]
    fn the_key_is_never_taken_from_the_file_itself() {
        let why = verified(log().0, &[]).unwrap_err().to_string();
        assert!(why.contains(&known()[0]), "{why}");
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
        let other = vec![STANDARD.encode(other.as_bytes())];
        assert!(verified(log().0, &other).is_err());
    }

    #[test]
    fn logs_of_two_services_are_not_mixed() {
        let (mut records, _) = log();
        records[4].service = "sampling".to_owned();
        assert!(verified(records, &known()).is_err());
    }
}
