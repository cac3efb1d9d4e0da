//! Incidents for tests.

use uuid::Uuid;

use super::category::Category;
use super::detection::{Noticed, Scene};
use super::file::{Chain, File};
use super::harm::{Casualties, TableName, Tables};
use super::moves::{Doer, Judge};
use super::step::Receiver;
use super::terms::Terms;

pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;
/// When the incident is noticed.
pub(super) const NOTICED: i64 = 1_649_200_000_000;

/// The tables and numbers that ship.
pub(super) struct Bench {
    tables: Tables,
    terms: Terms,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self {
            tables: Tables::shipped().unwrap(),
            terms: Terms::default(),
        }
    }

    pub(super) fn judge(&self) -> Judge<'_> {
        Judge {
            tables: &self.tables,
            terms: &self.terms,
        }
    }

    /// An accident at a school of a district, noticed by `staff`.
    pub(super) fn noticed(&self, harm: Casualties) -> File {
        let noticed = Noticed {
            category: Category::Accident,
            hazard_category: None,
            confidential: None,
            place: "操场".to_owned(),
            summary: "看台坠落".to_owned(),
            occurred: NOTICED - 5 * MINUTE,
            harm,
            over_level_reason: String::new(),
        };
        let scene = Scene {
            organization: "2135010001".to_owned(),
            org_path: "fz/350102/2135010001".to_owned(),
            chain: Chain {
                begins: Receiver::School,
                has_district: true,
            },
        };
        let told = (self.judge(), TableName::Education);
        File::detect(
            Uuid::from_u128(1),
            noticed,
            scene,
            told,
            by("staff", NOTICED),
        )
        .0
    }
}

pub(super) fn by(actor: &str, time: i64) -> Doer<'_> {
    Doer {
        actor,
        time,
        reason: "",
    }
}

pub(super) fn deaths(deaths: u32) -> Casualties {
    Casualties {
        deaths,
        ..Casualties::default()
    }
}
