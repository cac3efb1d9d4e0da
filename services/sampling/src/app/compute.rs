//! Draws schools in memory: rows in, rows out.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use prost::Message;
use sea_orm::DbErr;

use crate::domain::commitment::{Frozen, Hasher, Signer};
use crate::domain::cycle::CycleSeed;
use crate::domain::day::Day;
use crate::domain::draw::{Candidate, Standing, Terms, draw};
use crate::domain::plan::{DrawId, Plan};
use crate::domain::policy::Policy;
use crate::domain::roll::PersonId;
use crate::publication::records;
use crate::store::draws::{DrawRow, NewDraw};
use crate::store::people;
use crate::store::policy::Facts;
use crate::store::rolls::GroupRow;

/// Days that a school keeps: more than any cycle has.
const DAYS_KEPT: usize = 64;

/// What every school of one draw shares.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'a> {
    pub(super) plan: &'a Plan,
    pub(super) day: Day,
    pub(super) cycle: (Day, &'a CycleSeed),
    pub(super) facts: &'a Facts,
    /// Who may not come to school.
    pub(super) held: &'a HashSet<PersonId>,
    /// When each school was drawn before, by its identifier.
    pub(super) earlier: &'a HashMap<String, Vec<Day>>,
    pub(super) signer: &'a Signer,
    pub(super) now: DateTime<Utc>,
}

/// Draws schools whose groups stand together.
pub(super) fn draw_schools(
    setting: &Setting<'_>,
    groups: &[GroupRow],
) -> Result<Vec<NewDraw>, DbErr> {
    groups
        .chunk_by(|one, other| one.school_path() == other.school_path())
        .map(|school| draw_school(setting, school))
        .collect()
}

fn draw_school(setting: &Setting<'_>, groups: &[GroupRow]) -> Result<NewDraw, DbErr> {
    let Setting {
        plan,
        day,
        cycle,
        facts,
        earlier,
        signer,
        ..
    } = *setting;
    let organization = groups[0].organization.clone();
    let org_path = groups[0].school_path().to_owned();
    let policy = facts.policy(&org_path, day);
    let no_days = Vec::new();
    let earlier_days = earlier.get(&organization).unwrap_or(&no_days);
    let seed = cycle.1.of_day(plan.id.as_str(), day, &organization);
    let terms = Terms {
        day,
        ratio: plan.ratio,
        cycle_days: plan.cycle_days,
        earlier_days,
    };

    let mut hasher = Hasher::default();
    let (mut eligible, mut quota, mut picked) = (0, 0, 0);
    let mut records = Vec::with_capacity(groups.len());
    for group in groups {
        let candidates = candidates(setting, group, policy)?;
        let picks = draw(&terms, &seed, &candidates);
        let version = group.version.cast_unsigned();
        hasher.group(&group.id, version, &candidates, &picks);
        eligible += picks.eligible;
        quota += picks.quota;
        picked += picks.places.len();
        let record = records::from_group(&group.id, version, &candidates, &picks);
        records.push((group.id.clone(), record.encode_to_vec()));
    }

    let frozen = Frozen {
        plan: plan.id.as_str().to_owned(),
        day,
        org_path: org_path.clone(),
        policy_version: policy
            .map(|policy| policy.version.clone())
            .unwrap_or_default(),
        ratio: plan.ratio,
        cycle_days: plan.cycle_days,
        earlier_days: earlier_days.clone(),
        group_count: u32::try_from(groups.len()).unwrap_or(u32::MAX),
        seed_commitment: seed.commitment(),
        hashes: hasher.finish(),
    };
    let signature = signer.sign(&frozen.canonical());
    let mut days = earlier_days.clone();
    days.push(day);
    days.drain(..days.len().saturating_sub(DAYS_KEPT));
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let row = DrawRow {
        id: DrawId {
            plan: plan.id.clone(),
            day,
            organization,
        },
        org_path,
        cycle: cycle.0,
        eligible: count(eligible),
        quota: count(quota),
        picks: count(picked),
        replacements: 0,
        record: records::from_frozen(&frozen, &signature),
        key_id: signer.public_key().id(),
        closing: None,
        create_time: setting.now,
        version: 1,
    };
    Ok(NewDraw {
        row,
        groups: records,
        days,
    })
}

/// Everybody on a roll as the draw sees them, ordered by person.
fn candidates(
    setting: &Setting<'_>,
    group: &GroupRow,
    policy: Option<&Policy>,
) -> Result<Vec<Candidate>, DbErr> {
    let Setting {
        plan, day, held, ..
    } = *setting;
    let (roll, rotation) = (group.roll()?, group.rotation()?);
    let candidate = |member: &crate::domain::roll::Member| {
        let last = rotation.last(member.person);
        let standing = match people::standing(member, group.taught) {
            Standing::Eligible if last == day => Standing::SampledToday,
            Standing::Eligible if held.contains(&member.person) => Standing::Held,
            by_roll => by_roll,
        };
        Candidate {
            person: member.person,
            standing,
            last,
            waiting_since: plan.waiting_since(last, member.since),
            missed: !rotation.missed(member.person).is_never(),
            every_days: policy.map_or(0, |policy| policy.every_days(member.posts)),
        }
    };
    Ok(roll.members().iter().map(candidate).collect())
}
