//! Between the domain's values and the records of the file.

use prost::Message;
use proto::sampling::publication_record::Record;
use proto::sampling::{
    PublicationRecord, PublishedClassGroup, PublishedClosing, PublishedDraw, PublishedReplacement,
};

use crate::domain::commitment::{Frozen, Hash, Hashes, Replaced, SignatureBytes};
use crate::domain::cycle::DaySeed;
use crate::domain::day::Day;
use crate::domain::draw::{Candidate, Picks, Standing};
use crate::domain::quota::Ratio;
use crate::domain::roll::{PersonId, person};

/// A record that cannot have been written by this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed record")]
pub(crate) struct Malformed;

/// The class group's record.
pub(crate) fn from_group(
    id: &str,
    roll_version: u64,
    candidates: &[Candidate],
    picks: &Picks,
) -> PublishedClassGroup {
    let mut people = Vec::with_capacity(candidates.len() * 16);
    let mut standings = Vec::with_capacity(candidates.len());
    let mut frequencies = Vec::with_capacity(candidates.len());
    let mut group = PublishedClassGroup {
        id: id.to_owned(),
        roll_version,
        last_sampled: Vec::with_capacity(candidates.len()),
        waiting_since: Vec::with_capacity(candidates.len()),
        quota: number(picks.quota),
        picks: picks.places.clone(),
        ..Default::default()
    };
    for (place, candidate) in (0..).zip(candidates) {
        let Candidate {
            person,
            standing,
            last,
            waiting_since,
            missed,
            every_days,
        } = candidate;
        people.extend(person.0);
        standings.push(standing.code());
        frequencies.push(*every_days);
        group.last_sampled.push(u32::from(last.number()));
        group.waiting_since.push(u32::from(waiting_since.number()));
        if *missed {
            group.missed.push(place);
        }
    }
    if frequencies.iter().any(|days| *days != 0) {
        group.frequencies = frequencies.into();
    }
    group.people = people.into();
    group.standings = standings.into();
    group
}

/// What the class group's record says.
pub(crate) fn to_group(group: &PublishedClassGroup) -> Result<(Vec<Candidate>, Picks), Malformed> {
    let count = group.standings.len();
    let lengths = [
        group.people.len() / 16,
        group.last_sampled.len(),
        group.waiting_since.len(),
    ];
    let frequent = group.frequencies.len();
    if !group.people.len().is_multiple_of(16)
        || lengths.iter().any(|length| *length != count)
        || (frequent != 0 && (frequent != count || group.frequencies.iter().all(|days| *days == 0)))
        || !ascending_below(&group.missed, count)
        || !ascending_below(&group.picks, count)
    {
        return Err(Malformed);
    }
    let mut candidates = Vec::with_capacity(count);
    for (place, id) in group.people.chunks_exact(16).enumerate() {
        candidates.push(Candidate {
            person: person(id),
            standing: Standing::from_code(group.standings[place]).ok_or(Malformed)?,
            last: day(group.last_sampled[place])?,
            waiting_since: day(group.waiting_since[place])?,
            missed: false,
            every_days: group.frequencies.get(place).copied().unwrap_or(0),
        });
    }
    for place in &group.missed {
        candidates[*place as usize].missed = true;
    }
    if !candidates.is_sorted_by(|one, other| one.person < other.person) {
        return Err(Malformed);
    }
    let eligible = candidates
        .iter()
        .filter(|one| one.standing == Standing::Eligible)
        .count();
    let picks = Picks {
        eligible,
        quota: group.quota as usize,
        places: group.picks.clone(),
    };
    Ok((candidates, picks))
}

fn ascending_below(places: &[u32], count: usize) -> bool {
    places.is_sorted_by(|one, other| one < other)
        && places.last().is_none_or(|last| (*last as usize) < count)
}

/// The record of a draw.
pub(crate) fn from_frozen(frozen: &Frozen, signature: &SignatureBytes) -> PublishedDraw {
    let Frozen {
        plan,
        day,
        org_path,
        policy_version,
        ratio,
        cycle_days,
        earlier_days,
        group_count,
        seed_commitment,
        hashes,
    } = frozen;
    PublishedDraw {
        plan: plan.clone(),
        day: u32::from(day.number()),
        org_path: org_path.clone(),
        policy_version: policy_version.clone(),
        ratio_basis_points: ratio.basis_points(),
        cycle_days: u32::from(*cycle_days),
        earlier_days: earlier_days
            .iter()
            .map(|day| u32::from(day.number()))
            .collect(),
        class_group_count: *group_count,
        roster_hash: hashes.roster.to_vec().into(),
        seed_commitment: seed_commitment.to_vec().into(),
        candidates_hash: hashes.candidates.to_vec().into(),
        picks_hash: hashes.picks.to_vec().into(),
        signature: signature.to_vec().into(),
    }
}

/// What the record of a draw says.
pub(crate) fn to_frozen(draw: &PublishedDraw) -> Result<(Frozen, SignatureBytes), Malformed> {
    let earlier_days: Vec<Day> = draw
        .earlier_days
        .iter()
        .map(|number| day(*number))
        .collect::<Result<_, _>>()?;
    if !earlier_days.is_sorted_by(|one, other| one < other) {
        return Err(Malformed);
    }
    let frozen = Frozen {
        plan: draw.plan.clone(),
        day: day(draw.day)?,
        org_path: draw.org_path.clone(),
        policy_version: draw.policy_version.clone(),
        ratio: Ratio::from_basis_points(draw.ratio_basis_points).map_err(|_| Malformed)?,
        cycle_days: u8::try_from(draw.cycle_days).map_err(|_| Malformed)?,
        earlier_days,
        group_count: draw.class_group_count,
        seed_commitment: hash(&draw.seed_commitment)?,
        hashes: Hashes {
            roster: hash(&draw.roster_hash)?,
            candidates: hash(&draw.candidates_hash)?,
            picks: hash(&draw.picks_hash)?,
        },
    };
    Ok((frozen, signature(&draw.signature)?))
}

/// The record of a replacement.
pub(crate) fn from_replaced(
    replaced: &Replaced,
    signature: &SignatureBytes,
) -> PublishedReplacement {
    let Replaced {
        sequence,
        group,
        absent,
        replacement,
        passed_over,
        time,
    } = replaced;
    PublishedReplacement {
        sequence: *sequence,
        class_group: group.clone(),
        absent: absent.0.to_vec().into(),
        replacement: replacement
            .map(|person| person.0.to_vec())
            .unwrap_or_default()
            .into(),
        passed_over: passed_over
            .iter()
            .flat_map(|person| person.0)
            .collect::<Vec<_>>()
            .into(),
        time: *time,
        signature: signature.to_vec().into(),
    }
}

/// What the record of a replacement says.
pub(crate) fn to_replaced(
    record: &PublishedReplacement,
) -> Result<(Replaced, SignatureBytes), Malformed> {
    let one = |bytes: &[u8]| bytes.try_into().map(PersonId).map_err(|_| Malformed);
    let passed_over = record
        .passed_over
        .chunks(16)
        .map(one)
        .collect::<Result<_, _>>()?;
    let replacement = match record.replacement.len() {
        0 => None,
        _ => Some(one(&record.replacement)?),
    };
    let replaced = Replaced {
        sequence: record.sequence,
        group: record.class_group.clone(),
        absent: one(&record.absent)?,
        replacement,
        passed_over,
        time: record.time,
    };
    Ok((replaced, signature(&record.signature)?))
}

/// What was revealed when a draw was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closing {
    /// The seed.
    pub(crate) seed: DaySeed,
    /// How many replacements there are.
    pub(crate) replacements: u32,
    /// Seconds since 1970 UTC.
    pub(crate) time: i64,
    /// Over all of it and the signature before.
    pub(crate) signature: SignatureBytes,
}

/// The record of a closing.
pub(crate) fn from_closing(closing: &Closing) -> PublishedClosing {
    let Closing {
        seed,
        replacements,
        time,
        signature,
    } = closing;
    PublishedClosing {
        seed: seed.0.to_vec().into(),
        replacement_count: *replacements,
        time: *time,
        signature: signature.to_vec().into(),
    }
}

/// What the record of a closing says.
pub(crate) fn to_closing(record: &PublishedClosing) -> Result<Closing, Malformed> {
    Ok(Closing {
        seed: DaySeed(hash(&record.seed)?),
        replacements: record.replacement_count,
        time: record.time,
        signature: signature(&record.signature)?,
    })
}

/// A record after its length.
pub(crate) fn frame(record: Record) -> Vec<u8> {
    PublicationRecord {
        record: Some(record),
    }
    .encode_length_delimited_to_vec()
}

/// The record of a class group whose encoding is stored, after its length.
pub(crate) fn frame_group(encoded: &[u8]) -> Vec<u8> {
    const FIELD_3_BYTES: u8 = 3 << 3 | 2;
    let mut inner = Vec::with_capacity(encoded.len() + 16);
    inner.push(FIELD_3_BYTES);
    // A vector takes any number of bytes.
    let _ = prost::encode_length_delimiter(encoded.len(), &mut inner);
    inner.extend(encoded);
    let mut framed = Vec::with_capacity(inner.len() + 4);
    let _ = prost::encode_length_delimiter(inner.len(), &mut framed);
    framed.extend(inner);
    framed
}

pub(crate) fn hash(bytes: &[u8]) -> Result<Hash, Malformed> {
    bytes.try_into().map_err(|_| Malformed)
}

pub(crate) fn signature(bytes: &[u8]) -> Result<SignatureBytes, Malformed> {
    bytes.try_into().map_err(|_| Malformed)
}

pub(crate) fn day(number: u32) -> Result<Day, Malformed> {
    u16::try_from(number)
        .map(Day::from_number)
        .map_err(|_| Malformed)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
