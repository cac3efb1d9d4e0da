//! The checklists and schedules that ship, as data (rules 4.3, 5.5 and 5.10 to 5.17).

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Deserialize;

use super::item::{Clause, Evidence, Item, Kind, PlaceKind};
use super::template::{Content, State, Template, TemplateId};
use crate::domain::hazard::report::Category;
use crate::domain::inspection::schedule::{Cadence, Level, Schedule};

const CHECKLISTS: [(&str, &str); 14] = [
    ("bus", include_str!("../../../data/checklists/bus.toml")),
    (
        "canteen",
        include_str!("../../../data/checklists/canteen.toml"),
    ),
    (
        "disinfection",
        include_str!("../../../data/checklists/disinfection.toml"),
    ),
    (
        "dormitory",
        include_str!("../../../data/checklists/dormitory.toml"),
    ),
    ("fire", include_str!("../../../data/checklists/fire.toml")),
    ("flood", include_str!("../../../data/checklists/flood.toml")),
    ("gate", include_str!("../../../data/checklists/gate.toml")),
    (
        "gatherings",
        include_str!("../../../data/checklists/gatherings.toml"),
    ),
    (
        "laboratory",
        include_str!("../../../data/checklists/laboratory.toml"),
    ),
    (
        "protection",
        include_str!("../../../data/checklists/protection.toml"),
    ),
    (
        "resumption",
        include_str!("../../../data/checklists/resumption.toml"),
    ),
    (
        "stampede",
        include_str!("../../../data/checklists/stampede.toml"),
    ),
    (
        "surroundings",
        include_str!("../../../data/checklists/surroundings.toml"),
    ),
    (
        "training",
        include_str!("../../../data/checklists/training.toml"),
    ),
];
const SCHEDULES: &str = include_str!("../../../data/schedules.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChecklistFile {
    code: String,
    version: u32,
    display_name: String,
    place_kinds: Vec<String>,
    hazard_category: String,
    laws: BTreeMap<String, (String, String)>,
    items: Vec<ItemEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemEntry {
    code: String,
    #[serde(default)]
    section: String,
    text: String,
    kind: Option<String>,
    evidence: Option<String>,
    #[serde(default)]
    mandatory: bool,
    #[serde(default)]
    unit: String,
    minimum: Option<i64>,
    maximum: Option<i64>,
    law: String,
    #[serde(default)]
    article: String,
    hazard_category: Option<String>,
    #[serde(default)]
    grade: String,
    #[serde(default)]
    major_rule: String,
    weight: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleFile {
    schedules: Vec<ScheduleEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleEntry {
    id: String,
    display_name: String,
    checklist: String,
    place_kind: String,
    level: String,
    cadence: String,
    source: String,
    effective: NaiveDate,
}

/// Every checklist that ships, published, in the order of the codes.
///
/// # Errors
/// What is wrong with the data, with the name of the list.
pub fn checklists() -> Result<Vec<Template>, String> {
    let read = |(name, text): &(&str, &str)| {
        let read = toml::from_str::<ChecklistFile>(text).map_err(|err| err.to_string());
        let template = read
            .and_then(template)
            .map_err(|err| format!("{name}: {err}"))?;
        if template.id.code == *name {
            Ok(template)
        } else {
            Err(format!("{name}: has the code {}", template.id.code))
        }
    };
    CHECKLISTS.iter().map(read).collect()
}

/// Every schedule that ships, for the whole tree.
///
/// # Errors
/// What is wrong with the data, with the id of the schedule.
pub fn schedules() -> Result<Vec<Schedule>, String> {
    let lists = checklists()?;
    let file: ScheduleFile = toml::from_str(SCHEDULES).map_err(|err| err.to_string())?;
    let schedules = file.schedules.into_iter().map(|entry| {
        let id = entry.id.clone();
        schedule(entry, &lists).map_err(|err| format!("{id}: {err}"))
    });
    schedules.collect()
}

fn schedule(entry: ScheduleEntry, lists: &[Template]) -> Result<Schedule, String> {
    let template: TemplateId = entry.checklist.parse().map_err(|()| "no such checklist")?;
    let place_kind: PlaceKind = entry.place_kind.parse()?;
    let list = lists.iter().find(|list| list.id == template);
    let fits = list.is_some_and(|list| list.content.place_kinds.contains(&place_kind));
    if !fits || entry.source.is_empty() || !kit::org::is_id(&entry.id) {
        return Err("no such checklist for this kind of place, or no source".to_owned());
    }
    Ok(Schedule {
        id: entry.id,
        organization: String::new(),
        org_path: String::new(),
        display_name: entry.display_name,
        template,
        place_kind,
        level: entry.level.parse::<Level>()?,
        cadence: entry.cadence.parse::<Cadence>()?,
        start: entry.effective,
        end: None,
    })
}

fn template(file: ChecklistFile) -> Result<Template, String> {
    let field = category(&file.hazard_category)?;
    let kinds: Result<BTreeSet<PlaceKind>, String> =
        file.place_kinds.iter().map(|kind| kind.parse()).collect();
    let mut codes = BTreeSet::new();
    let mut items = Vec::with_capacity(file.items.len());
    for entry in file.items {
        let code = entry.code.clone();
        let item = item(entry, field, &file.laws).map_err(|err| format!("{code}: {err}"))?;
        if !codes.insert(code.clone()) {
            return Err(format!("{code} stands there twice"));
        }
        items.push(item);
    }
    let id = format!("{}~{}", file.code, file.version);
    Ok(Template {
        id: id.parse().map_err(|()| "malformed code or version")?,
        org_path: String::new(),
        state: State::Published,
        extended: None,
        content: Content {
            display_name: file.display_name,
            place_kinds: kinds?,
            category: field,
            items,
        },
    })
}

fn item(
    entry: ItemEntry,
    field: Category,
    laws: &BTreeMap<String, (String, String)>,
) -> Result<Item, String> {
    let (law, effective) = laws.get(&entry.law).ok_or("names no law")?;
    let effective = effective.parse().map_err(|_| "has a law without a day")?;
    let kind = entry.kind.map_or(Ok(Kind::YesNo), |kind| kind.parse())?;
    let numeric = matches!(kind, Kind::Number | Kind::Days);
    if numeric != (entry.minimum.is_some() || entry.maximum.is_some()) {
        return Err("numbers, and only numbers, have limits".to_owned());
    }
    if (entry.grade == "MAJOR") == entry.major_rule.is_empty() {
        return Err("what is major, and only that, has a rule".to_owned());
    }
    if !kit::org::is_id(&entry.code) || entry.text.is_empty() || !(1..=100).contains(&entry.weight)
    {
        return Err("has a malformed code, no text, or a weight out of range".to_owned());
    }
    Ok(Item {
        code: entry.code,
        section: entry.section,
        text: entry.text,
        kind,
        evidence: entry
            .evidence
            .map_or(Ok(Evidence::Observation), |evidence| evidence.parse())?,
        mandatory: entry.mandatory,
        unit: entry.unit,
        minimum: entry.minimum.map(|number| number * 1000),
        maximum: entry.maximum.map(|number| number * 1000),
        clause: Clause {
            law: law.clone(),
            article: entry.article,
            effective,
        },
        category: entry
            .hazard_category
            .map_or(Ok(field), |name| category(&name))?,
        major_rule: entry.major_rule,
        weight: entry.weight,
    })
}

fn category(name: &str) -> Result<Category, String> {
    Ok(match name {
        "FIRE" => Category::Fire,
        "BUILDING" => Category::Building,
        "FOOD" => Category::Food,
        "LABORATORY" => Category::Laboratory,
        "TRAFFIC" => Category::Traffic,
        "CROWD" => Category::Crowd,
        "UTILITIES" => Category::Utilities,
        "PERIMETER" => Category::Perimeter,
        "GEOLOGY_FLOOD" => Category::GeologyFlood,
        "DROWNING" => Category::Drowning,
        "VIOLENCE" => Category::Violence,
        "TRAINING" => Category::Training,
        "EPIDEMIC" => Category::Epidemic,
        _ => return Err(format!("{name} is no field of hazards that ships")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_can_be_read_and_every_kind_of_place_has_a_list() {
        let lists = checklists().unwrap();
        for kind in PlaceKind::ALL {
            let any = lists
                .iter()
                .any(|list| list.content.place_kinds.contains(kind));
            assert!(any, "{kind:?}");
        }
        let items = |code: &str| {
            let list = lists.iter().find(|list| list.id.code == code).unwrap();
            list.content.items.clone()
        };
        let resumption = items("resumption");
        assert!(
            (46..=60).contains(&resumption.len()),
            "{}",
            resumption.len()
        );
        let sections: BTreeSet<_> = resumption.iter().map(|item| item.section.clone()).collect();
        assert_eq!(sections.len(), 13, "{sections:?}");
        let rules = resumption.iter().filter(|item| item.section == "3 规章");
        assert_eq!(rules.count(), 9, "the nine documents of rule 4.4");
        let floor = items("fire")
            .into_iter()
            .find(|item| item.code == "child-floor");
        let floor = floor.unwrap();
        let fourth = floor.judge(&super::super::item::Value::Number(4000), 0);
        assert_eq!(fourth, Ok(super::super::item::Outcome::Failed));
        assert_eq!(floor.major_rule, "fire-kindergarten-floor");
    }

    #[test]
    fn schedules_name_lists_that_ship_for_the_kind_of_place() {
        let schedules = schedules().unwrap();
        let ids: BTreeSet<_> = schedules.iter().map(|one| one.id.clone()).collect();
        assert_eq!(ids.len(), schedules.len());
        let any = |kind, cadence, list: &str| {
            let of = |one: &&Schedule| one.place_kind == kind && one.cadence == cadence;
            let mut of = schedules.iter().filter(of);
            of.any(|one| one.template.code == list)
        };
        // Rules 5.5, 5.16 and 5.30, for every kind of organisation by the list that fits it.
        use PlaceKind::{Kindergarten, OffCampusBase, School, TrainingInstitution};
        for (kind, fire) in [
            (School, "fire"),
            (Kindergarten, "fire"),
            (TrainingInstitution, "training"),
            (OffCampusBase, "training"),
        ] {
            for (cadence, list) in [
                (Cadence::Week, "disinfection"),
                (Cadence::Week, "gatherings"),
                (Cadence::Month, fire),
                (Cadence::BeforeTerm, fire),
                (Cadence::FloodSeason, "flood"),
            ] {
                assert!(any(kind, cadence, list), "{kind:?} {cadence:?} {list}");
            }
            let mut holidays = schedules.iter().filter(|one| one.place_kind == kind);
            assert!(
                holidays.any(|one| one.cadence == Cadence::BeforeHoliday),
                "{kind:?}"
            );
        }
        for kind in [School, Kindergarten] {
            assert!(any(kind, Cadence::Term, "protection"), "{kind:?}");
        }
        for (kind, list) in [
            (PlaceKind::Gate, "gate"),
            (PlaceKind::Canteen, "canteen"),
            (PlaceKind::Dormitory, "dormitory"),
        ] {
            assert!(any(kind, Cadence::SchoolDay, list), "{kind:?}");
        }
        for kind in [PlaceKind::Canteen, PlaceKind::Dormitory] {
            assert!(any(kind, Cadence::Week, "disinfection"), "{kind:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_data_is_named() {
        let broken = |from: &str, to: &str| {
            let text = CHECKLISTS[4].1.replacen(from, to, 1);
            let read = toml::from_str::<ChecklistFile>(&text).map_err(|err| err.to_string());
            read.and_then(template).unwrap_err()
        };
        assert!(broken("law = \"moe\"", "law = \"none\"").contains("names no law"));
        assert!(broken("code = \"patrol\"", "code = \"system\"").contains("twice"));
        assert!(broken("grade = \"MAJOR\"", "grade = \"\"").contains("has a rule"));
        assert!(broken("kind = \"NUMBER\"", "kind = \"YES_NO\"").contains("limits"));
        assert!(broken("\"FIRE\"", "\"SPACE\"").contains("no field"));
    }
}
