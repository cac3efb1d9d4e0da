//! Levels by harm (rule 5.32): the worst of deaths, serious injuries and loss, by a table that ships as
//! data.

use chrono::NaiveDate;
use serde::Deserialize;

use crate::domain::numbered::numbered;

numbered! {
    /// A level; I is the gravest. The numbers are those of the contract.
    Level {
        /// 特别重大.
        I = 1,
        /// 重大.
        II = 2,
        /// 较大.
        III = 3,
        /// 一般.
        IV = 4,
    }
}

impl Level {
    /// Whether this is graver than `other`.
    pub fn is_graver_than(self, other: Self) -> bool {
        self < other
    }

    /// The graver of the two.
    pub fn graver(self, other: Self) -> Self {
        self.min(other)
    }

    /// As it stands in data and errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::I => "I",
            Self::II => "II",
            Self::III => "III",
            Self::IV => "IV",
        }
    }
}

numbered! {
    /// By which table the level is told; the numbers are those of the contract.
    TableName {
        /// 生产安全事故报告和调查处理条例 art. 3.
        Regulation = 1,
        /// The one of education plans.
        Education = 2,
    }
}

impl TableName {
    fn name(self) -> &'static str {
        match self {
            Self::Regulation => "REGULATION",
            Self::Education => "EDUCATION",
        }
    }
}

/// What came to harm, as counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Casualties {
    /// Deaths.
    pub deaths: u32,
    /// Missing people.
    pub missing: u32,
    /// Serious injuries.
    pub serious: u32,
    /// Other injuries.
    pub minor: u32,
    /// Direct economic loss in yuan.
    pub loss_yuan: u64,
}

impl Casualties {
    /// Nobody and nothing came to harm.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// The tables that ship.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    tables: Vec<Table>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Table {
    name: String,
    effective_date: NaiveDate,
    source: String,
    rows: Vec<Threshold>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Threshold {
    level: String,
    deaths: Option<u32>,
    serious_injuries: Option<u32>,
    loss_yuan: Option<u64>,
    source: String,
}

impl Threshold {
    /// 以上 includes the number (art. 43 of the regulation).
    fn reached(&self, harm: &Casualties) -> bool {
        self.deaths.is_some_and(|least| harm.deaths >= least)
            || self
                .serious_injuries
                .is_some_and(|least| harm.serious >= least)
            || self.loss_yuan.is_some_and(|least| harm.loss_yuan >= least)
    }
}

impl Tables {
    /// The tables of this release.
    ///
    /// # Errors
    /// When they are malformed, or one lacks its source, or its rows do not go from I to III.
    pub fn shipped() -> Result<Self, String> {
        Self::read(include_str!("../../../data/incident_levels.toml"))
    }

    fn read(text: &str) -> Result<Self, String> {
        let tables: Self = toml::from_str(text).map_err(|err| err.message().to_owned())?;
        for name in TableName::ALL {
            let Some(table) = tables.named(*name) else {
                return Err(format!("table {} is missing", name.name()));
            };
            let levels: Vec<&str> = table.rows.iter().map(|row| &*row.level).collect();
            let sourced = table.rows.iter().all(|row| !row.source.is_empty());
            if levels != ["I", "II", "III"] || table.source.is_empty() || !sourced {
                return Err(format!(
                    "table {} wants a source and the rows I, II, III, each with its source",
                    name.name()
                ));
            }
        }
        Ok(tables)
    }

    fn named(&self, name: TableName) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name.name())
    }

    /// The table that holds on `day`: `wanted`, or the regulation's before `wanted` took effect.
    pub fn in_force(&self, wanted: TableName, day: NaiveDate) -> TableName {
        let holds = self
            .named(wanted)
            .is_some_and(|table| table.effective_date <= day);
        if holds { wanted } else { TableName::Regulation }
    }

    /// The level of this harm: of the gravest row of which any number is reached, else IV.
    pub fn level(&self, table: TableName, harm: &Casualties) -> Level {
        let rows = self.named(table).map_or(&[][..], |table| &table.rows);
        rows.iter()
            .zip(Level::ALL)
            .find(|(row, _)| row.reached(harm))
            .map_or(Level::IV, |(_, level)| *level)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn level(table: TableName, deaths: u32, serious: u32, loss_yuan: u64) -> Level {
        let harm = Casualties {
            deaths,
            serious,
            loss_yuan,
            ..Casualties::default()
        };
        Tables::shipped().unwrap().level(table, &harm)
    }

    /// The golden test of rule 5.32: each number and the one below it.
    #[test]
    fn the_regulation_grades_at_its_numbers() {
        let regulation =
            |deaths, serious, loss| level(TableName::Regulation, deaths, serious, loss);
        for (number, at, below) in [
            (30, Level::I, Level::II),
            (10, Level::II, Level::III),
            (3, Level::III, Level::IV),
        ] {
            assert_eq!(regulation(number, 0, 0), at);
            assert_eq!(regulation(number - 1, 0, 0), below);
        }
        for (number, at, below) in [
            (100, Level::I, Level::II),
            (50, Level::II, Level::III),
            (10, Level::III, Level::IV),
        ] {
            assert_eq!(regulation(0, number, 0), at);
            assert_eq!(regulation(0, number - 1, 0), below);
        }
        for (number, at, below) in [
            (100_000_000, Level::I, Level::II),
            (50_000_000, Level::II, Level::III),
            (10_000_000, Level::III, Level::IV),
        ] {
            assert_eq!(regulation(0, 0, number), at);
            assert_eq!(regulation(0, 0, number - 1), below);
        }
        assert_eq!(regulation(2, 60, 0), Level::II, "the worst decides");
    }

    #[test]
    fn education_plans_grade_lower_numbers_graver() {
        let education = |deaths, serious, loss| level(TableName::Education, deaths, serious, loss);
        assert_eq!(education(3, 0, 0), Level::I);
        assert_eq!(education(1, 0, 0), Level::II);
        assert_eq!(education(0, 10, 0), Level::II);
        assert_eq!(education(0, 9, 500_000), Level::II);
        assert_eq!(education(0, 9, 499_999), Level::III);
        assert_eq!(education(0, 0, 499_999), Level::IV);
    }

    #[test]
    fn before_the_plan_took_effect_the_regulation_holds() {
        let tables = Tables::shipped().unwrap();
        let on = |text: &str| tables.in_force(TableName::Education, text.parse().unwrap());
        assert_eq!(on("2020-12-31"), TableName::Regulation);
        assert_eq!(on("2021-01-01"), TableName::Education);
    }

    #[test]
    fn tables_without_source_or_rows_are_refused() {
        let shipped = include_str!("../../../data/incident_levels.toml");
        assert!(Tables::read(&shipped.replace("第三条（一）特别重大事故", "")).is_err());
        assert!(Tables::read(&shipped.replacen("level = \"II\"", "level = \"IV\"", 1)).is_err());
        assert!(Tables::read(&shipped.replace("REGULATION", "OTHER")).is_err());
        assert!(Tables::read("tables = 1").is_err());
    }

    proptest! {
        #[test]
        fn more_harm_is_never_milder_and_plans_are_never_milder_than_the_law(
            harm in (0_u32..200, 0_u32..200, 0_u64..200_000_000),
            more in (0_u32..50, 0_u32..50, 0_u64..50_000_000),
        ) {
            let sum = (harm.0 + more.0, harm.1 + more.1, harm.2 + more.2);
            for table in TableName::ALL {
                let (less, much) = (
                    level(*table, harm.0, harm.1, harm.2),
                    level(*table, sum.0, sum.1, sum.2),
                );
                prop_assert!(!less.is_graver_than(much));
            }
            let law = level(TableName::Regulation, harm.0, harm.1, harm.2);
            prop_assert!(!law.is_graver_than(level(TableName::Education, harm.0, harm.1, harm.2)));
        }
    }
}
