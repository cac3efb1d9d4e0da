//! What a gate takes along.

use kit::field::to_timestamp;
use kit::status::Problem;
use proto::safety as pb;

use super::super::count;
use super::decision::reason;
use super::malformed;
use crate::domain::gate::snapshot::{Snapshot, SnapshotKey};

/// The school in `organizations/{organization}/gateSnapshot`.
pub(in crate::grpc) fn snapshot_name(name: &str) -> Result<String, Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", id, "gateSnapshot"] if kit::org::is_id(id) => Ok(id.to_owned()),
        _ => Err(malformed("name")),
    }
}

/// The snapshot, signed.
pub(in crate::grpc) fn snapshot(snapshot: Snapshot, key: &SnapshotKey) -> pb::GateSnapshot {
    let (digest, expire_time) = (snapshot.digest(), snapshot.expire_time());
    let Snapshot {
        name,
        members,
        blocked,
        policy,
        create_time,
        facts_time,
        credentials,
    } = snapshot;
    let blocked = blocked
        .into_iter()
        .map(|(person, finding)| pb::BlockedPerson {
            person: person.to_string(),
            reason: Some(reason(finding)),
        });
    let wait = i32::try_from(policy.recheck_wait_minutes()).unwrap_or(i32::MAX);
    pb::GateSnapshot {
        name,
        members: members.iter().map(ToString::to_string).collect(),
        blocked: blocked.collect(),
        policy_version: policy.version,
        temperature_limit_decidegrees: i32::from(policy.temperature_max),
        denied_colours: policy
            .deny_colours
            .iter()
            .map(|c| i32::from(c.number()))
            .collect(),
        travel_window_days: policy.travel_window_days,
        create_time: Some(to_timestamp(create_time)),
        facts_time: facts_time.map(to_timestamp),
        expire_time: Some(to_timestamp(expire_time)),
        digest: digest.to_vec().into(),
        signature: key.sign(&digest).to_vec().into(),
        public_key: key.public_key().to_vec().into(),
        recheck_wait_minutes: wait,
        recheck_reading_count: count(policy.recheck_readings),
        temperature_plausible_min_decidegrees: i32::from(policy.temperature_plausible.0),
        temperature_plausible_max_decidegrees: i32::from(policy.temperature_plausible.1),
        admit_travel_unknown: policy.admit_travel_unknown,
        credential_key: credentials.key.to_vec().into(),
        credential_salt: credentials.salt.to_vec().into(),
        credentials: credentials
            .hashes
            .into_iter()
            .map(|(hash, place)| pb::GateCredential {
                hash: hash.to_vec().into(),
                member_index: count(place),
            })
            .collect(),
    }
}
