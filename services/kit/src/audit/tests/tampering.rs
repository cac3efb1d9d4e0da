//! Laws of the chain: what it is of, and that whatever is changed is found.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// A log of `length` records with a checkpoint every ten records and at the end.
fn log(length: usize) -> (Vec<Record>, Vec<Checkpoint>) {
    let (mut records, mut checkpoints, mut previous) = (Vec::new(), Vec::new(), GENESIS);
    for (sequence, one) in (1..).zip(0..length) {
        let mut record = call(READ, &format!("subject-{}", one % 4), now()).record(Kind::Read);
        record.resources = "students/1\nstudents/2".to_owned();
        previous = record.follow(SERVICE, sequence, &previous);
        if sequence % 10 == 0 || one + 1 == length {
            let checkpoint = Checkpoint {
                sequence,
                kind: CheckpointKind::Head as i32,
                hash: previous.to_vec(),
                time: now().timestamp_millis(),
                ..Checkpoint::default()
            };
            checkpoints.push(checkpoint.sign(SERVICE, &key()));
        }
        records.push(record);
    }
    (records, checkpoints)
}

fn verify(records: &[Record], checkpoints: Vec<Checkpoint>) -> Result<Verdict, Fault> {
    let trusted = [key().verifying_key()];
    let mut verification = Verification::new(SERVICE, checkpoints, &trusted)?;
    for record in records {
        verification.push(record)?;
    }
    verification.finish()
}

/// What somebody with the database in their hands can do.
#[derive(Clone, Debug)]
enum Tampering {
    Text(usize, u8, String),
    Number(usize, u8, i64),
    Hash(usize, bool, usize, u8),
    Delete(usize),
    Swap(usize, usize),
    Insert(usize),
    Truncate(usize),
    /// Edits a record and makes its hash and all that follow fit again.
    Forge(usize, String),
}

fn tampering(length: usize) -> impl Strategy<Value = Tampering> {
    let place = 0..length;
    prop_oneof![
        (place.clone(), 0_u8..11, ".{0,12}")
            .prop_map(|(at, field, text)| Tampering::Text(at, field, text)),
        (place.clone(), 0_u8..7, any::<i64>())
            .prop_map(|(at, field, number)| Tampering::Number(at, field, number)),
        (place.clone(), any::<bool>(), 0_usize..32, 1_u8..)
            .prop_map(|(at, own, byte, with)| Tampering::Hash(at, own, byte, with)),
        place.clone().prop_map(Tampering::Delete),
        (place.clone(), place.clone()).prop_map(|(one, other)| Tampering::Swap(one, other)),
        place.clone().prop_map(Tampering::Insert),
        place.clone().prop_map(Tampering::Truncate),
        (place, "[a-z]{1,8}").prop_map(|(at, text)| Tampering::Forge(at, text)),
    ]
}

fn tamper(records: &mut Vec<Record>, tampering: Tampering) {
    match tampering {
        Tampering::Text(at, field, text) => {
            let record = &mut records[at];
            let field = match field {
                0 => &mut record.subject,
                1 => &mut record.roles,
                2 => &mut record.scope,
                3 => &mut record.partner,
                4 => &mut record.purpose,
                5 => &mut record.method,
                6 => &mut record.resources,
                7 => &mut record.place,
                8 => &mut record.error_reason,
                9 => &mut record.request_id,
                _ => &mut record.reason,
            };
            *field = text;
        }
        Tampering::Number(at, field, number) => {
            let record = &mut records[at];
            match field {
                0 => record.sequence = number,
                1 => record.time = number,
                2 => record.kind = number as i32,
                3 => record.resource_count = number,
                4 => record.code = number as i32,
                5 => record.call_count = number,
                _ => record.beside = number % 2 == 0,
            }
        }
        Tampering::Hash(at, own, byte, with) => {
            let record = &mut records[at];
            let hash = if own {
                &mut record.hash
            } else {
                &mut record.previous_hash
            };
            hash[byte] ^= with;
        }
        Tampering::Delete(at) => drop(records.remove(at)),
        Tampering::Swap(one, other) => records.swap(one, other),
        Tampering::Insert(at) => records.insert(at, records[at].clone()),
        Tampering::Truncate(at) => records.truncate(at),
        Tampering::Forge(at, text) => {
            records[at].subject = text;
            let mut previous: [u8; 32] = records[at].previous_hash.clone().try_into().unwrap();
            for record in &mut records[at..] {
                previous = record.follow(SERVICE, record.sequence, &previous);
            }
        }
    }
}

static LOG: LazyLock<(Vec<Record>, Vec<Checkpoint>)> = LazyLock::new(|| log(23));

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_changed_is_found(tampering in tampering(23)) {
        let (before, checkpoints) = &*LOG;
        let mut after = before.clone();
        tamper(&mut after, tampering);
        prop_assume!(after != *before);
        prop_assert!(verify(&after, checkpoints.clone()).is_err());
    }
}

#[test]
fn an_untouched_log_verifies() {
    let (records, checkpoints) = log(23);
    let verdict = verify(&records, checkpoints).unwrap();
    let expected = Verdict {
        records: 23,
        checkpoints: 3,
        last: 23,
    };
    assert_eq!(verdict, expected);
}

#[test]
fn a_checkpoint_of_another_key_or_service_is_not_trusted() {
    let (records, checkpoints) = log(23);
    let mut forged = checkpoints.clone();
    forged[1] = forged[1]
        .clone()
        .sign(SERVICE, &SigningKey::from_bytes(&[8; 32]));
    let fault = verify(&records, forged).unwrap_err();
    assert_eq!(
        (fault.kind, fault.sequence),
        (FaultKind::SignatureInvalid, 20)
    );
    let mut other = checkpoints;
    other[1] = other[1].clone().sign("sampling", &key());
    assert!(verify(&records, other).is_err());
}

#[test]
fn a_record_is_told_and_read_back_whole() {
    let (records, _) = log(3);
    for record in records {
        assert_eq!(from_pb(to_pb(SERVICE, record.clone())), Some(record));
    }
}

#[test]
fn the_canonical_bytes_are_those_of_the_contract() {
    // Computed once from the contract's words alone, with another language.
    let mut record = Record {
        time: 1_649_203_200_000,
        subject: "principal-1".to_owned(),
        roles: "principal".to_owned(),
        scope: "fz".to_owned(),
        method: READ.to_owned(),
        kind: Kind::Read as i32,
        resources: "students/1\nstudents/2".to_owned(),
        resource_count: 2,
        place: "fz/350102".to_owned(),
        call_count: 1,
        ..Record::default()
    };
    let hash = record.follow(SERVICE, 1, &GENESIS);
    assert_eq!(hex::encode(hash), CANONICAL);
}

const CANONICAL: &str = "02e485621c0edce542bdb47c5409f5f28d006824584f99fb6ef6e929bb673765";
