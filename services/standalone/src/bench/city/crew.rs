//! Everybody who acts in the city, each with a token of their own.

use std::collections::BTreeMap;

use anyhow::ensure;
use kit::auth::Role;
use proto::notification::directive_service_client::DirectiveServiceClient;
use sampling::domain::health::dormitory;

use super::super::gate::{self, Gate};
use super::super::hazards;
use super::super::reporters::Reporters;
use super::super::signing;
use super::super::stand::{Doors, Stand};
use super::duty::Watch;
use super::families::Families;
use super::town::Town;
use super::visits::Reception;
use crate::city::{CITY_ID, DISTRICTS};
use crate::house::Door;

/// A dormitory room.
pub(super) struct Room {
    /// Its resource name.
    pub(super) scope: String,
    pub(super) boarders: usize,
    /// Whoever reports for the school.
    pub(super) reporter: Door,
}

/// A desk at a bureau.
pub(super) struct Desk {
    /// The id of the bureau.
    pub(super) bureau: &'static str,
    pub(super) door: Door,
}

/// Everybody who acts, for as many days as are measured.
pub(super) struct Crew {
    pub(super) reporters: Reporters,
    /// By school.
    pub(super) gates: Vec<Gate>,
    pub(super) rooms: Vec<Room>,
    /// The id of each school with its principal.
    pub(super) principals: Vec<(String, DirectiveServiceClient<Door>)>,
    /// By school.
    pub(super) receptions: Vec<Reception>,
    pub(super) families: Families,
    /// Who is on duty, by school.
    pub(super) watches: Vec<Watch>,
    /// Who sees to hazards, by school.
    pub(super) safety: Vec<hazards::Desk>,
    /// The city's first.
    pub(super) desks: Vec<Desk>,
}

impl Crew {
    /// Those of a house, and the town that they are in.
    pub(super) fn of(stand: &Stand) -> anyhow::Result<(Self, Town)> {
        let gateway = stand.house.gateway();
        let doors = Doors::new(&stand.house, &gateway)?;
        let (mut rooms, mut counts) = (Vec::new(), Vec::new());
        let (mut receptions, mut safety) = (Vec::new(), Vec::new());
        let (mut families, mut watches) = (Families::behind(&gateway)?, Vec::new());
        for school in stand.city.schools() {
            families.add(school.plan)?;
            watches.push(Watch::of(&doors, &school)?);
            receptions.push(Reception::of(&doors, &school)?);
            safety.push(hazards::Desk::of(&doors, school.plan)?);
            let pupils = school.classes.iter().flat_map(|class| &class.students);
            let mut boarders = BTreeMap::<&str, usize>::new();
            for pupil in pupils.filter(|pupil| !pupil.dormitory.is_empty()) {
                *boarders.entry(&pupil.dormitory).or_default() += 1;
            }
            counts.push(u32::try_from(boarders.len())?);
            if boarders.is_empty() {
                continue;
            }
            let code = &school.plan.code;
            let place = school.plan.org_path();
            let reporter = doors.open(Role::EpidemicReporter, code, &place)?;
            rooms.extend(boarders.into_iter().map(|(room, boarders)| Room {
                scope: format!(
                    "organizations/{code}/dormitories/{}",
                    dormitory::id(&place, room)
                ),
                boarders,
                reporter: reporter.clone(),
            }));
        }
        let mut desks = vec![Desk {
            bureau: CITY_ID,
            door: doors.open(Role::CityOfficer, "desk", CITY_ID)?,
        }];
        for district in &DISTRICTS {
            let bureau = district.division;
            let place = format!("{CITY_ID}/{bureau}");
            let door = doors.open(Role::DistrictOfficer, bureau, &place)?;
            desks.push(Desk { bureau, door });
        }
        let crew = Self {
            reporters: Reporters::of(stand)?,
            gates: gate::gates(stand, &gateway, usize::MAX)?,
            rooms,
            principals: signing::principals(stand)?,
            receptions,
            families,
            watches,
            safety,
            desks,
        };
        let town = Town::of(stand.city.plan(), &counts);
        ensure!(
            crew.reporters.count() == town.groups.len() && crew.gates.len() == town.schools.len(),
            "not every class group or school has somebody who acts for it"
        );
        Ok((crew, town))
    }
}
