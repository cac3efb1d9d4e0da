//! What must be known to decide about checks, and whether each may be submitted at all.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use kit::auth::Permission;
use kit::field::Fields;
use kit::org::OrgPath;
use sea_orm::{DbErr, Value};

use super::super::App;
use super::exams::is_only_class_reporter;
use super::overdue::{TAKEN_DAYS, due_time};
use super::screening::Submission;
use super::units::place_of;
use crate::domain::day::Day;
use crate::domain::health::check::{Unit, Whereabouts};
use crate::domain::health::rules::HealthRules;
use crate::domain::policy::Policy;
use crate::domain::roll::{PersonId, Roll};
use crate::error::Error;
use crate::store::health::dormitories::{self, DormitoryRow};
use crate::store::health::{exams, units};
use crate::store::policy::Facts;
use crate::store::rolls::groups_at;

/// What is known before a batch and does not change with it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) facts: Arc<Facts>,
    today: Day,
    /// The places of schools.
    schools: HashMap<String, String>,
    /// Which groups there are, and how many are expected.
    groups: HashMap<String, (Unit, i32)>,
    /// The rolls of groups of whom people are named.
    rolls: HashMap<String, Roll>,
    /// The rooms.
    rooms: HashMap<String, Vec<DormitoryRow>>,
    /// The rooms of people in groups with findings.
    homes: HashMap<PersonId, String>,
    /// Where class reporters are examined.
    exams: HashMap<String, Vec<String>>,
}

/// A check that may be submitted.
#[derive(Clone, Debug)]
pub(super) struct Vetted {
    /// The place of the unit.
    pub(super) place: String,
    pub(super) unit: Unit,
    /// Whether it is expected.
    pub(super) expected: bool,
    /// When it is due, in milliseconds since 1970.
    pub(super) due: i64,
    /// The policy and its version.
    pub(super) policy: String,
    /// Where everybody whom it names belongs.
    pub(super) people: BTreeMap<PersonId, Whereabouts>,
}

impl App {
    /// Reads what these submissions need.
    pub(super) async fn known(
        &self,
        submissions: &[Submission],
        now: DateTime<Utc>,
    ) -> Result<Known, Error> {
        let read = self.db.read();
        let facts = self.facts.get(read).await?;
        let organizations = submissions
            .iter()
            .map(|submission| submission.unit.organization.as_str());
        let schools = units::organizations(read, distinct(organizations)).await?;
        let (mut groups, mut rooms) = (BTreeSet::new(), BTreeSet::new());
        let (mut named, mut ill) = (BTreeSet::new(), BTreeSet::new());
        for submission in submissions {
            let Some(school) = schools.get(&submission.unit.organization) else {
                continue;
            };
            let place = submission.unit.below(school);
            if submission.unit.is_room {
                rooms.insert(place);
                continue;
            }
            if submission.content.people().next().is_some() {
                named.insert(place.clone());
            }
            if !submission.content.is_zero() {
                ill.insert(place.clone());
            }
            groups.insert(place);
        }
        let strict = facts
            .policies
            .iter()
            .any(|policy| policy.health.reporter_exam);
        let examined = submissions
            .iter()
            .filter(|submission| strict && is_only_class_reporter(&submission.caller))
            .map(|submission| submission.caller.subject.as_str());
        let today = kit::clock::civil_date(now).into();
        let mut known = Known {
            today,
            schools,
            groups: units::groups(read, distinct(groups.iter().map(String::as_str))).await?,
            rolls: HashMap::new(),
            rooms: HashMap::new(),
            homes: HashMap::new(),
            exams: exams::valid(read, distinct(examined), today).await?,
            facts,
        };
        let named: Vec<String> = named.into_iter().collect();
        for group in groups_at(read, &named).await? {
            known.rolls.insert(group.path.clone(), group.roll()?);
        }
        for row in dormitories::at(read, distinct(rooms.iter().map(String::as_str))).await? {
            known.rooms.entry(row.place.clone()).or_default().push(row);
        }
        let ill = distinct(ill.iter().map(String::as_str));
        for row in dormitories::of_groups(read, ill).await? {
            for resident in row.residents()? {
                known.homes.insert(resident.person, row.id().to_owned());
            }
        }
        Ok(known)
    }
}

/// Each value once.
fn distinct<'a>(values: impl Iterator<Item = &'a str>) -> Vec<Value> {
    let values: BTreeSet<&str> = values.collect();
    values.into_iter().map(Value::from).collect()
}

impl Known {
    /// The policy at a place on a day.
    pub(super) fn policy(&self, place: &str, day: Day) -> Result<&Policy, Error> {
        let policy = self.facts.policy(place, day);
        policy.ok_or_else(|| Error::NoPolicy(place.to_owned()))
    }

    /// Whether a check may be submitted: by this caller, of this unit, on this day, with this
    /// content.
    pub(super) fn vet(&self, submission: &Submission) -> Result<Vetted, Error> {
        let Submission {
            caller, unit, day, ..
        } = submission;
        let school = self.schools.get(&unit.organization);
        let place = place_of(caller, Permission::CheckSubmit, unit, school)?;
        let there = if unit.is_room {
            self.room(&place)
        } else {
            self.groups.get(&place).copied()
        };
        let (kind, expected) = there.ok_or_else(|| Error::NotFound(unit.name()))?;
        let first = Day::from_number(self.today.number().saturating_sub(TAKEN_DAYS));
        if *day > self.today || *day < first {
            return Err(Error::CheckDay(day.date().unwrap_or_default()));
        }
        if !self.facts.calendar.is_school_day(*day) {
            return Err(Error::NoSchoolDay(day.date().unwrap_or_default()));
        }
        let policy = self.policy(&place, *day)?;
        if policy.health.reporter_exam && is_only_class_reporter(caller) {
            self.examined(&caller.subject, &place)?;
        }
        let rule = policy.health.slot(submission.slot);
        let rule = rule.filter(|rule| kind.is_checked(rule));
        let rule = rule.ok_or(Error::CheckSlot(submission.slot))?;
        let people = self.people(&place, kind)?;
        let mut fields = Fields::new();
        vet_content(&mut fields, submission, kind, &policy.health, &people);
        fields.finish()?;
        let named: BTreeSet<PersonId> = submission.content.people().collect();
        Ok(Vetted {
            unit: kind,
            expected: expected > 0,
            due: due_time(*day, rule.deadline_minute),
            policy: policy.version.clone(),
            people: named
                .into_iter()
                .filter_map(|person| {
                    let whereabouts = Whereabouts {
                        group: people.get(&person)?.clone(),
                        dormitory: self.home(person, unit.is_room.then_some(&unit.id)),
                    };
                    Some((person, whereabouts))
                })
                .collect(),
            place,
        })
    }

    /// The room where somebody lives: this one, or the one that is known.
    fn home(&self, person: PersonId, room: Option<&String>) -> String {
        let home = room.or_else(|| self.homes.get(&person));
        home.cloned().unwrap_or_default()
    }

    fn room(&self, place: &str) -> Option<(Unit, i32)> {
        let rows = self.rooms.get(place)?;
        Some((Unit::Room, rows.iter().map(|row| row.expected).sum()))
    }

    fn examined(&self, account: &str, place: &str) -> Result<(), Error> {
        let at: OrgPath = place.parse().unwrap_or_default();
        let examined = self.exams.get(account).is_some_and(|places| {
            let mut places = places.iter().filter_map(|place| place.parse().ok());
            places.any(|above: OrgPath| above.contains(&at))
        });
        if examined {
            return Ok(());
        }
        let school = at.parent().unwrap_or_default();
        Err(Error::NotExamined(format!(
            "organizations/{}",
            school.leaf()
        )))
    }

    /// Everybody of a unit, with the place of their group; only when somebody is named.
    fn people(&self, place: &str, unit: Unit) -> Result<BTreeMap<PersonId, String>, DbErr> {
        let mut people = BTreeMap::new();
        if unit == Unit::Room {
            for row in self.rooms.get(place).into_iter().flatten() {
                let residents = row.residents()?.into_iter();
                people.extend(residents.map(|one| (one.person, row.group_path.clone())));
            }
        } else if let Some(roll) = self.rolls.get(place) {
            let members = roll.members().iter();
            people.extend(members.map(|member| (member.person, place.to_owned())));
        }
        Ok(people)
    }
}

/// What is wrong with a content: people of other units, temperatures that nobody believes, findings
/// that say nothing, and fever that is not among the findings.
fn vet_content(
    fields: &mut Fields,
    submission: &Submission,
    unit: Unit,
    rules: &HealthRules,
    people: &BTreeMap<PersonId, String>,
) {
    let content = &submission.content;
    let right_kind = submission.kind.is_none_or(|kind| kind == unit.people());
    let mut member = |field: String, person: PersonId| {
        if !right_kind || !people.contains_key(&person) {
            fields.violation(field, "不在本班或本宿舍", "of another group or room");
        }
    };
    for (place, finding) in content.findings.iter().enumerate() {
        member(format!("check.findings[{place}].person"), finding.person);
    }
    for (place, (person, _)) in content.readings.iter().enumerate() {
        member(format!("check.readings[{place}].person"), *person);
    }
    for (place, (person, _)) in content.absences.iter().enumerate() {
        member(format!("check.absences[{place}].person"), *person);
    }
    let (low, high) = rules.plausible;
    let ill: BTreeSet<PersonId> = content.findings.iter().map(|one| one.person).collect();
    for (place, finding) in content.findings.iter().enumerate() {
        let field = format!("check.findings[{place}]");
        if finding.temperature != 0 {
            let field = format!("{field}.temperature_tenths");
            fields.within(&field, finding.temperature, low..=high);
        }
        let reading = content
            .readings
            .iter()
            .any(|(person, temperature)| *person == finding.person && *temperature >= rules.fever);
        if !reading && !finding.says_something(rules.fever) {
            fields.violation(
                field,
                "没有任何症状，不应列出",
                "says nothing of an illness",
            );
        }
    }
    for (place, (person, temperature)) in content.readings.iter().enumerate() {
        let field = format!("check.readings[{place}].temperature_tenths");
        fields.within(&field, *temperature, low..=high);
        if *temperature >= rules.fever && !ill.contains(person) {
            fields.violation(
                field,
                "发热者应列入症状名单",
                "is fever: list the person among findings",
            );
        }
    }
}
