//! What is kept of many people in one row: of each the part that is about one of them.

use chrono::NaiveDate;
use kit::db::statement;
use kit::org::OrgPath;
use kit::subject::{Asked, Group, Held, Record};
use prost::Message;
use proto::sampling::{PublishedClassGroup, PublishedReplacement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::words::{said_day, said_degrees, said_symptoms};
use crate::domain::day::Day;
use crate::domain::health::check::Content;
use crate::domain::health::rules::Slot;
use crate::domain::health::symptom::Symptoms;
use crate::domain::roll::{Malformed, PersonId};
use crate::store::health::dormitories;
use crate::store::people::{self, Located};
use crate::store::rolls::corrupt;

/// How many days are looked back: longer than a school year.
const DAYS: u64 = 400;
/// How many replacements of a school are looked through at most.
const REPLACEMENTS: u64 = 20_000;
/// The standings of candidates, by their number in what is published.
const STANDINGS: [&str; 6] = [
    "ELIGIBLE",
    "ON_LEAVE",
    "NOT_IN_PERSON",
    "EXEMPT",
    "HELD",
    "SWABBED_TODAY",
];

fn person(asked: &Asked) -> PersonId {
    PersonId(*asked.person.as_bytes())
}

/// The first of the days that are looked back.
fn first(today: NaiveDate) -> Day {
    let first = today.checked_sub_days(chrono::Days::new(DAYS));
    first.map(Day::from).unwrap_or_default()
}

/// Where the roll says that the person is.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn roll<C: ConnectionTrait + Sync>(db: &C, asked: &Asked) -> Result<Held, DbErr> {
    let Some(Located { group, member }) = people::locate(db, person(asked)).await? else {
        return Ok(Held::default());
    };
    let rooms = dormitories::rooms_of(db, vec![group.path.as_str().into()]).await?;
    let room = rooms.get(&member.person).cloned();
    let yes = |it: bool| if it { "是" } else { "否" };
    let record = Record::new()
        .with("class_group", group.name())
        .with("on_leave", yes(member.on_leave))
        .with("exempt", yes(member.exempt))
        .with("waiting_since", said_day(member.since))
        .with("dormitory", room.unwrap_or_default());
    Ok(Held::all(vec![record]))
}

/// When the person was swabbed last, as the queue has it.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn turns<C: ConnectionTrait + Sync>(db: &C, asked: &Asked) -> Result<Held, DbErr> {
    let Some(Located { group, member }) = people::locate(db, person(asked)).await? else {
        return Ok(Held::default());
    };
    let rotation = group.rotation()?;
    let last = rotation.last(member.person);
    let missed = rotation.missed(member.person);
    if last.is_never() && missed.is_never() {
        return Ok(Held::default());
    }
    let record = Record::new()
        .with("last_sample_date", said_day(last))
        .with("missed_date", said_day(missed));
    Ok(Held::all(vec![record]))
}

/// The place of the group that the person is swabbed and checked with: the class group of a student, and of staff
/// their group on the roll, or the organisation where they are on none.
async fn group_of(db: &impl ConnectionTrait, asked: &Asked) -> Result<OrgPath, DbErr> {
    match asked.group {
        Group::Students => Ok(asked.place.clone()),
        Group::Staff => {
            let found = people::locate(db, person(asked)).await?;
            let path = found.and_then(|found| found.group.path.parse().ok());
            Ok(path.unwrap_or_else(|| asked.place.clone()))
        }
    }
}

/// The draws of the person's group that they were a candidate of, and the replacements that name them, of the
/// last 400 days.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn draws<C: ConnectionTrait + Sync>(
    db: &C,
    asked: &Asked,
    today: NaiveDate,
) -> Result<Held, DbErr> {
    let (who, since) = (person(asked), i32::from(first(today).number()));
    let group = group_of(db, asked).await?;
    let sql = format!(
        "SELECT d.day, d.id, g.record FROM draws d JOIN draw_groups g ON g.draw = d.id \
         WHERE d.organization = $1 AND g.id = $2 AND d.day >= $3 ORDER BY d.day DESC LIMIT {DAYS}"
    );
    let values: [Value; 3] = [
        asked.organization.as_str().into(),
        group.leaf().into(),
        since.into(),
    ];
    let mut records = Vec::new();
    for row in db.query_all_raw(statement(db, &sql, values)).await? {
        let day = stored_day(row.try_get_by_index(0)?)?;
        let draw: String = row.try_get_by_index(1)?;
        let bytes: Vec<u8> = row.try_get_by_index(2)?;
        let group = PublishedClassGroup::decode(bytes.as_slice()).map_err(unreadable)?;
        let record = Record::new().with("date", said_day(day)).with("draw", draw);
        records.extend(candidate(record, &group, who));
    }
    let sql = format!(
        "SELECT d.day, d.id, r.record FROM draws d JOIN draw_replacements r ON r.draw = d.id \
         WHERE d.organization = $1 AND d.day >= $2 ORDER BY d.day DESC LIMIT {REPLACEMENTS}"
    );
    let values: [Value; 2] = [asked.organization.as_str().into(), since.into()];
    for row in db.query_all_raw(statement(db, &sql, values)).await? {
        let day = stored_day(row.try_get_by_index(0)?)?;
        let draw: String = row.try_get_by_index(1)?;
        let bytes: Vec<u8> = row.try_get_by_index(2)?;
        let replacement = PublishedReplacement::decode(bytes.as_slice()).map_err(unreadable)?;
        let part = match &who.0[..] {
            it if it == &replacement.absent[..] => "ABSENT",
            it if it == &replacement.replacement[..] => "TOOK_THE_PLACE",
            it if replacement.passed_over.chunks(16).any(|one| one == it) => "PASSED_OVER",
            _ => continue,
        };
        let record = Record::new().with("date", said_day(day)).with("draw", draw);
        records.push(record.with("replacement", part));
    }
    Ok(Held::all(records))
}

/// What a draw says of one candidate; nothing where they are none.
fn candidate(record: Record, group: &PublishedClassGroup, who: PersonId) -> Option<Record> {
    let at = group.people.chunks(16).position(|one| one == &who.0[..])?;
    let place = u32::try_from(at).ok()?;
    let day = |days: &[u32]| {
        let number = days.get(at).and_then(|number| u16::try_from(*number).ok());
        number
            .map(Day::from_number)
            .map(said_day)
            .unwrap_or_default()
    };
    let standing = group.standings.get(at).copied().unwrap_or_default();
    let standing = STANDINGS.get(usize::from(standing)).copied();
    let picked = if group.picks.contains(&place) {
        "是"
    } else {
        "否"
    };
    Some(
        record
            .with("standing", standing.unwrap_or_default())
            .with("last_sample_date", day(&group.last_sampled))
            .with("waiting_since", day(&group.waiting_since))
            .with("picked", picked),
    )
}

/// What checks of the person's group and room say of them, what does not stand any more
/// included, of the last 400 days.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn checks<C: ConnectionTrait + Sync>(
    db: &C,
    asked: &Asked,
    today: NaiveDate,
) -> Result<Held, DbErr> {
    let who = person(asked);
    let group = group_of(db, asked).await?;
    let rooms = dormitories::rooms_of(db, vec![group.as_str().into()]).await?;
    let mut places = vec![group.as_str().to_owned()];
    places.extend(
        rooms
            .get(&who)
            .map(|room| format!("{}/{room}", asked.school())),
    );
    let (from, to) = (first(today).number(), Day::from(today).number());
    // Each day, check and place is one look into the key.
    let days = (from..=to).map(|day| day.to_string());
    let days = days.collect::<Vec<_>>().join(", ");
    let slots = Slot::ALL.map(|slot| slot.code().to_string()).join(", ");
    let mut records = Vec::new();
    for place in places {
        for (table, stands) in [("checks", "是"), ("check_submissions", "否")] {
            let sql = format!(
                "SELECT day, slot, content, submit_time FROM {table} \
                 WHERE day IN ({days}) AND slot IN ({slots}) AND place = $1 ORDER BY day DESC, slot DESC"
            );
            let values: [Value; 1] = [place.as_str().into()];
            for row in db.query_all_raw(statement(db, &sql, values)).await? {
                let day = stored_day(row.try_get_by_index(0)?)?;
                let slot = Slot::from_code(row.try_get_by_index(1)?);
                let content: Vec<u8> = row.try_get_by_index(2)?;
                let content = Content::unpack(&content).map_err(corrupt)?;
                let record = Record::new()
                    .with("date", said_day(day))
                    .with("slot", slot.map_or("", slot_name))
                    .with("stands", stands)
                    .with(
                        "submit_time",
                        kit::subject::day_time(row.try_get_by_index(3)?),
                    );
                records.extend(finding(record, &content, who));
            }
        }
    }
    Ok(Held::all(records))
}

/// What a check says of one person; nothing where it does not name them.
fn finding(record: Record, content: &Content, who: PersonId) -> Option<Record> {
    let finding = content.findings.iter().find(|one| one.person == who);
    let of = |pairs: &[(PersonId, i16)]| {
        let found = pairs.iter().find(|(person, _)| *person == who);
        found.map_or(0, |(_, value)| *value)
    };
    let (reading, absence) = (of(&content.readings), of(&content.absences));
    if finding.is_none() && reading == 0 && absence == 0 {
        return None;
    }
    let symptoms = finding.map_or(Symptoms::NONE, |one| one.symptoms);
    let temperature = finding.map_or(reading, |one| one.temperature.max(reading));
    let absent = proto::sampling::AbsenceReason::try_from(i32::from(absence));
    let absent = absent.ok().filter(|_| absence != 0);
    let other = finding.map(|one| one.other.clone());
    let onset = finding.map(|one| said_day(one.onset));
    let doctor = finding.filter(|one| one.seen_doctor).map(|_| "是");
    let disease = finding.map_or(0, |one| i32::from(one.disease));
    let disease = proto::roster::Disease::try_from(disease).ok();
    let disease = disease.filter(|disease| *disease != proto::roster::Disease::Unspecified);
    Some(
        record
            .with("temperature", said_degrees(temperature.into()))
            .with("symptoms", said_symptoms(symptoms))
            .with("other_symptom", other.unwrap_or_default())
            .with("onset_date", onset.unwrap_or_default())
            .with("seen_doctor", doctor.unwrap_or_default())
            .with(
                "disease",
                disease.map_or("", |disease| disease.as_str_name()),
            )
            .with("absence", absent.map_or("", |reason| reason.as_str_name())),
    )
}

fn slot_name(slot: Slot) -> &'static str {
    match slot {
        Slot::Morning => "MORNING",
        Slot::Noon => "NOON",
        Slot::Evening => "EVENING",
    }
}

fn stored_day(number: i32) -> Result<Day, DbErr> {
    let number = u16::try_from(number).map_err(|_| corrupt(Malformed))?;
    Ok(Day::from_number(number))
}

fn unreadable(_: prost::DecodeError) -> DbErr {
    corrupt(Malformed)
}
