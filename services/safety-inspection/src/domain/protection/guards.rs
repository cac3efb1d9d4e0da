//! How many guards a campus needs (rules 5.11, 5.12), by the day.

use chrono::NaiveDate;

/// A formula over the number of people; the numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formula {
    /// 公治〔2015〕168号, over all persons (rule 5.11).
    Of2015 = 1,
    /// GB/T 29315-2022, over pupils (rule 5.12).
    Of2022 = 2,
}

impl Formula {
    /// The guards for so many people.
    pub fn guards(self, people: u32) -> u32 {
        match (self, people) {
            (_, 0..=99) => 1,
            (Self::Of2015, 100..=1000) | (Self::Of2022, 100..=999) => 2,
            (Self::Of2015, _) => 2 + (people - 1000) / 500,
            (Self::Of2022, _) => 3 + (people - 1000) / 500,
        }
    }
}

/// The formulas by their first days, oldest first, and the extra for boarders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardRules {
    /// Formulas; none is before the first.
    pub formulas: Vec<(Option<NaiveDate>, Formula)>,
    /// One more guard per as many boarders; 0 for none (rule 5.12).
    pub boarders_per_guard: u32,
}

/// The formula of 2022 from 1 June of that year, and that of 2015 before (rules 5.11, 5.12).
impl Default for GuardRules {
    fn default() -> Self {
        Self {
            formulas: vec![
                (None, Formula::Of2015),
                (NaiveDate::from_ymd_opt(2022, 6, 1), Formula::Of2022),
            ],
            boarders_per_guard: 300,
        }
    }
}

/// The people of a campus as far as guards are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Pupils, boarders included.
    pub pupils: u32,
    /// Pupils who board.
    pub boarders: u32,
    /// Staff.
    pub staff: u32,
    /// Staff who hold the post of a guard.
    pub guards: u32,
}

/// How many guards are needed, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The formula in force.
    pub formula: Formula,
    /// The people that it counts.
    pub people: u32,
    /// Guards, those for boarders included.
    pub required: u32,
}

impl GuardRules {
    /// The formula in force on a civil day: that of 2015 before all others.
    pub fn formula(&self, day: NaiveDate) -> Formula {
        let begun = |from: &Option<NaiveDate>| from.is_none_or(|from| from <= day);
        let newest = self.formulas.iter().rev().find(|(from, _)| begun(from));
        newest.map_or(Formula::Of2015, |(_, formula)| *formula)
    }

    /// The guards that a campus needs on a civil day.
    pub fn requirement(&self, people: People, day: NaiveDate) -> Requirement {
        let formula = self.formula(day);
        let counted = match formula {
            Formula::Of2015 => people.pupils.saturating_add(people.staff),
            Formula::Of2022 => people.pupils,
        };
        // Rule 5.11 says nothing of boarders.
        let extra = match formula {
            Formula::Of2015 => None,
            Formula::Of2022 => people.boarders.checked_div(self.boarders_per_guard),
        };
        let extra = extra.unwrap_or_default();
        Requirement {
            formula,
            people: counted,
            required: formula.guards(counted).saturating_add(extra),
        }
    }
}
