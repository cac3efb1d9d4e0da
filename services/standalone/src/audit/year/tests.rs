//! A folder is what its logs say, and whatever is changed in it is found.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kit::audit::{CheckpointKind, GENESIS, SigningKey, from_pb, to_pb};
use proto::audit::audit_record::Kind;
use proto::audit::{AuditCheckpoint, AuditRecord, ExportRecordsResponse};

use super::samples::record;
use super::*;
use crate::audit::GatewayArgs;
use crate::audit::file::Writer;
use crate::house::AuthorityArgs;

const SERVICE: &str = "roster";
const YEAR: i32 = 2026;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// Records chained after one another, and the signed head after each.
fn chained(records: Vec<AuditRecord>) -> (Vec<AuditRecord>, Vec<Checkpoint>) {
    let (mut all, mut heads, mut previous) = (Vec::new(), Vec::new(), GENESIS.to_vec());
    for (sequence, told) in (1..).zip(records) {
        let mut record = from_pb(told).expect("a record");
        record.sequence = sequence;
        record.previous_hash = previous;
        record.hash = record.digest(SERVICE).to_vec();
        previous = record.hash.clone();
        let head = Checkpoint {
            sequence,
            kind: CheckpointKind::Head as i32,
            hash: previous.clone(),
            time: record.time,
            ..Checkpoint::default()
        };
        heads.push(head.sign(SERVICE, &key()));
        all.push(to_pb(SERVICE, record));
    }
    (all, heads)
}

fn told(head: &Checkpoint) -> AuditCheckpoint {
    let time = chrono::DateTime::from_timestamp_millis(head.time).expect("an instant");
    AuditCheckpoint {
        service: SERVICE.to_owned(),
        kind: head.kind,
        sequence: head.sequence,
        hash: head.hash.clone().into(),
        time: Some(kit::field::to_timestamp(time)),
        public_key: head.public_key.clone().into(),
        signature: head.signature.clone().into(),
        ..AuditCheckpoint::default()
    }
}

/// The folder of a year whose log begins after a head of the year before.
fn made(out: &Path) {
    folder::prepare(out).expect("empty");
    let (records, heads) = chained(vec![
        record("2025-12-30T08:00:00+08:00", Kind::Read, ""),
        record("2026-03-01T08:00:00+08:00", Kind::Read, "health-commission"),
        record("2026-06-01T08:00:00+08:00", Kind::BreakGlass, ""),
        record("2026-09-01T08:00:00+08:00", Kind::Refused, ""),
    ]);
    let mut log = Writer::create(&out.join("roster.audit")).expect("a file");
    log.add(&ExportRecordsResponse {
        checkpoints: heads.iter().map(told).collect(),
        ..ExportRecordsResponse::default()
    })
    .expect("written");
    log.add(&ExportRecordsResponse {
        records: records[1..].to_vec(),
        ..ExportRecordsResponse::default()
    })
    .expect("written");
    log.finish().expect("written");
    access::write(&out.join(ACCESS), &[]).expect("written");
    let retention = vec![Retention {
        service: SERVICE.to_owned(),
        days: 400,
        partner_days: 1096,
    }];
    let made = (YEAR, "2027-01-04T09:00:00+08:00".to_owned());
    assert!(complete(out, made, retention).expect("complete"));
}

fn verified(out: &Path, key: &SigningKey) -> anyhow::Result<ExitCode> {
    let args = VerifyArgs {
        file: Some(out.to_owned()),
        checkpoints: None,
        key: vec![STANDARD.encode(key.verifying_key().as_bytes())],
        gateway: GatewayArgs {
            gateway: String::new(),
            authority: AuthorityArgs::default(),
            token: None,
        },
    };
    verify(&args, out)
}

fn read_text(out: &Path, name: &str) -> String {
    fs::read_to_string(out.join(name)).expect("text")
}

/// Puts what stands in a file into the manifest, as whoever forges a folder would.
fn relist(out: &Path, name: &str) {
    let text = read_text(out, MANIFEST);
    let mut manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let now = folder::listed(out, name).expect("listed");
    for file in manifest["files"].as_array_mut().expect("files") {
        if file["name"] == name {
            *file = serde_json::to_value(&now).expect("JSON");
        }
    }
    fs::write(out.join(MANIFEST), manifest.to_string()).expect("written");
}

#[test]
fn a_folder_verifies_without_any_service_and_says_what_the_log_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path();
    made(out);
    let verdict = verified(out, &key()).expect("valid");
    assert_eq!(format!("{verdict:?}"), format!("{:?}", ExitCode::SUCCESS));
    let reads = read_text(out, "reads.jsonl");
    let line: serde_json::Value = serde_json::from_str(reads.trim_end()).expect("one line");
    assert_eq!(line["roles"], serde_json::json!(["principal"]));
    assert_eq!(line["level"], serde_json::json!("school"));
    assert_eq!(line["records"], serde_json::json!(1));
    for (file, word) in [
        ("disclosures.jsonl", "health-commission"),
        ("break-glass.jsonl", "\"sequence\":3"),
        ("refusals.jsonl", "\"calls\":1"),
        ("chains.jsonl", "\"fault\":null"),
        ("report.md", "2026 年度个人信息合规审计报告"),
        ("report.md", "记录 1 之后"),
        ("report.md", "1096"),
    ] {
        assert!(read_text(out, file).contains(word), "{file}: {word}");
    }
}

#[test]
fn a_folder_that_holds_something_is_not_written_to() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("x"), "x").expect("written");
    folder::prepare(folder.path()).expect_err("not empty");
}

#[test]
fn the_key_of_somebody_else_verifies_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    made(folder.path());
    let other = SigningKey::from_bytes(&[8; 32]);
    verified(folder.path(), &other).expect_err("another key");
}

#[test]
fn whatever_is_changed_in_a_folder_is_found() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 6] = [
        ("a file is changed", |out| {
            fs::write(out.join("report.md"), "一切正常").expect("written");
        }),
        ("a file and the manifest are changed", |out| {
            fs::write(out.join("refusals.jsonl"), "").expect("written");
            relist(out, "refusals.jsonl");
        }),
        ("the report and the manifest are changed", |out| {
            let text = read_text(out, "report.md").replace("health-commission", "nobody");
            fs::write(out.join("report.md"), text).expect("written");
            relist(out, "report.md");
        }),
        ("a file is gone", |out| {
            fs::remove_file(out.join("access.jsonl")).expect("removed");
        }),
        ("a file is added", |out| {
            fs::write(out.join("more.jsonl"), "").expect("written");
        }),
        ("the log and the manifest are changed", |out| {
            let mut log = fs::read(out.join("roster.audit")).expect("bytes");
            let last = log.len() - 1;
            log[last] ^= 1;
            fs::write(out.join("roster.audit"), log).expect("written");
            relist(out, "roster.audit");
        }),
    ];
    for (what, change) in changes {
        let folder = tempfile::tempdir().expect("a folder");
        made(folder.path());
        change(folder.path());
        let verdict = verified(folder.path(), &key());
        let found = verdict.map_or(true, |code| {
            format!("{code:?}") == format!("{:?}", ExitCode::FAILURE)
        });
        assert!(found, "{what}");
    }
}

#[test]
fn a_log_that_begins_within_the_year_is_no_log_of_the_year() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path();
    let (records, heads) = chained(vec![
        record("2026-03-01T08:00:00+08:00", Kind::Read, ""),
        record("2026-06-01T08:00:00+08:00", Kind::Read, ""),
    ]);
    let mut log = Writer::create(&out.join("roster.audit")).expect("a file");
    for piece in [
        ExportRecordsResponse {
            checkpoints: heads.iter().map(told).collect(),
            ..ExportRecordsResponse::default()
        },
        ExportRecordsResponse {
            records: records[1..].to_vec(),
            ..ExportRecordsResponse::default()
        },
    ] {
        log.add(&piece).expect("written");
    }
    log.finish().expect("written");
    let logs = ["roster.audit".to_owned()];
    let all = |checkpoints: &[Checkpoint]| Ok(named(checkpoints));
    recomputed(out, YEAR, &logs, all).expect_err("the first record is missing");
}
