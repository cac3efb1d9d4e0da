//! What the other files say of users, in little memory: a city has three million of them.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::words::{self, Part};
use super::{Cells, Delivery, Known, Pass, key};
use crate::import::piece::Sink;

/// What is known of users, by the key of their id.
#[derive(Default)]
pub(super) struct People {
    /// What each user of users.csv is.
    pub(super) parts: HashMap<u64, Part>,
    /// The home class of each student: its place in the list, and how well it suits.
    pub(super) homes: HashMap<u64, (u32, u8)>,
    /// The class that a member of staff heads.
    pub(super) heads: HashMap<u64, u32>,
    /// Guardian and student whom the line of the guardian links.
    pub(super) linked: HashSet<u64>,
    /// Students of a guardian whom only their own lines link.
    pub(super) wards: HashMap<u64, Vec<String>>,
    roles: HashMap<u64, Role>,
    words: Words,
    births: HashMap<u64, Birth>,
    /// Birth dates that cannot be read, as written.
    odd_births: HashMap<u64, String>,
}

#[derive(Clone, Copy)]
struct Role {
    word: u32,
    organization: u32,
    primary: bool,
    guardian: bool,
}

#[derive(Clone, Copy)]
struct Birth {
    date: Option<NaiveDate>,
    sex: Sex,
}

#[derive(Clone, Copy)]
enum Sex {
    Male,
    Female,
    Unknown,
}

/// Few words that stand in many lines.
#[derive(Default)]
struct Words {
    numbers: HashMap<String, u32>,
    list: Vec<String>,
}

impl Words {
    fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.numbers.insert(word.to_owned(), number);
        self.list.push(word.to_owned());
        number
    }

    fn word(&self, number: u32) -> &str {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        self.list.get(place).map_or("", String::as_str)
    }
}

/// What a user is said to be.
pub(super) struct Roles {
    /// The word for it.
    pub(super) word: String,
    /// The organisation that roles.csv gives; empty when it gives none.
    pub(super) organization: String,
    /// Somebody's guardian beside it.
    pub(super) guardian: bool,
}

impl Roles {
    pub(super) fn part(&self) -> Option<Part> {
        words::part(&self.word)
    }

    pub(super) fn is_guardian(&self) -> bool {
        self.guardian || self.part() == Some(Part::Guardian)
    }
}

impl People {
    /// The role of the user of a line: of roles.csv, else of the line itself.
    pub(super) fn roles(&self, cells: &Cells<'_>) -> Roles {
        match self.roles.get(&key(cells.id())) {
            Some(role) => Roles {
                word: self.words.word(role.word).to_owned(),
                organization: self.words.word(role.organization).to_owned(),
                guardian: role.guardian,
            },
            None => Roles {
                word: cells.owned("role"),
                organization: String::new(),
                guardian: false,
            },
        }
    }

    /// The birth date, as far as it is known, and the sex.
    pub(super) fn birth(&self, user: u64) -> (String, String) {
        let Some(birth) = self.births.get(&user) else {
            return Default::default();
        };
        let date = match birth.date {
            Some(date) => date.to_string(),
            None => self.odd_births.get(&user).cloned().unwrap_or_default(),
        };
        let sex = match birth.sex {
            Sex::Male => "male",
            Sex::Female => "female",
            Sex::Unknown => "",
        };
        (date, sex.to_owned())
    }
}

/// The key of a guardian and a student.
pub(super) fn link(guardian: &str, student: &str) -> u64 {
    key(&format!("{guardian}\0{student}"))
}

/// The ids in a cell that lists some.
pub(super) fn listed(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(',').map(str::trim).filter(|id| !id.is_empty())
}

impl Delivery {
    pub(super) fn demographics(
        &self,
        known: &mut Known,
        sink: &mut Sink<'_>,
    ) -> anyhow::Result<()> {
        let People {
            births, odd_births, ..
        } = &mut known.people;
        self.each("demographics.csv", &[], Pass::Speaks, sink, |cells, _| {
            let user = key(cells.id());
            let written = cells.get("birthdate");
            let date: Option<NaiveDate> = written.parse().ok();
            if date.is_none() && !written.is_empty() {
                odd_births.insert(user, written.to_owned());
            }
            let sex = match cells.get("sex").to_ascii_lowercase().as_str() {
                "male" | "男" | "m" => Sex::Male,
                "female" | "女" | "f" => Sex::Female,
                _ => Sex::Unknown,
            };
            births.insert(user, Birth { date, sex });
            Ok(())
        })
    }

    pub(super) fn roles(&self, known: &mut Known, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        let People { roles, words, .. } = &mut known.people;
        let needed = ["usersourcedid", "role"];
        self.each("roles.csv", &needed, Pass::Speaks, sink, |cells, _| {
            if cells.is_removal() {
                return Ok(());
            }
            let word = cells.get("role");
            let new = Role {
                word: words.number(word),
                organization: words.number(cells.get("orgsourcedid")),
                primary: cells.get("roletype").eq_ignore_ascii_case("primary"),
                guardian: words::part(word) == Some(Part::Guardian),
            };
            let user = key(cells.get("usersourcedid"));
            let role = roles.entry(user).or_insert(new);
            let guardian = role.guardian || new.guardian;
            if new.primary && !role.primary {
                *role = new;
            }
            role.guardian = guardian;
            Ok(())
        })
    }

    /// Who there is, before anybody is sent.
    pub(super) fn survey(&self, known: &mut Known, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        let people = &mut known.people;
        self.each("users.csv", &[], Pass::Speaks, sink, |cells, _| {
            let roles = people.roles(cells);
            // Somebody whose role is unknown is somebody all the same.
            let part = roles.part().unwrap_or(Part::Staff);
            people.parts.entry(key(cells.id())).or_insert(part);
            if roles.is_guardian() {
                let students = listed(cells.get("agentsourcedids"));
                people
                    .linked
                    .extend(students.map(|student| link(cells.id(), student)));
            }
            Ok(())
        })
    }
}
