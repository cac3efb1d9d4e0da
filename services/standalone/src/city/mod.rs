//! An invented city: real districts and real proportions, invented schools and people.
//!
//! Everything follows from the number of students, a seed and a day. A school is made when it is
//! asked for, from a random stream of its own, so a city of any size takes the memory of its plan
//! and of one school.

mod district;
mod names;
mod number;
mod people;
mod plan;
mod rows;
mod school;
pub mod write;

#[cfg(test)]
mod tests;

pub use district::{DISTRICTS, District};
pub use number::resident_id;
pub use people::{Guardian, Post, Relation, Sex, StaffMember, Student};
pub use plan::{ClassPlan, Plan, SchoolPlan, Stage};
pub use school::{Class, Duty, School};

use chrono::{Datelike, NaiveDate};

/// The id of the city bureau in the organisation tree.
pub const CITY_ID: &str = "fz";
/// The name of the city bureau.
pub const CITY_NAME: &str = "福州市教育局";
/// The city's division (GB/T 2260).
pub const CITY_DIVISION: &str = "350100";

/// From what a city follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many students, kindergarten children included.
    pub students: u64,
    /// Another seed gives other people.
    pub seed: u64,
    /// The day whose school year is generated.
    pub date: NaiveDate,
}

/// A city that can be walked school by school.
#[derive(Clone, Debug)]
pub struct City {
    options: Options,
    plan: Plan,
}

impl City {
    /// Plans the city; makes nobody yet.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            plan: Plan::new(options.students, options.seed),
        }
    }

    /// How students, classes and schools spread over the districts.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// From what it follows.
    pub fn options(&self) -> Options {
        self.options
    }

    /// The calendar year in which the school year began.
    pub fn school_year(&self) -> i32 {
        school_year(self.options.date)
    }

    /// The schools, one after the other, with everybody in them.
    pub fn schools(&self) -> impl Iterator<Item = School<'_>> {
        let year = self.school_year();
        let seed = self.options.seed;
        self.plan
            .schools()
            .iter()
            .map(move |plan| School::make(plan, seed, year))
    }
}

/// The calendar year in which the school year of `date` began: it begins on 1 September.
pub fn school_year(date: NaiveDate) -> i32 {
    if date.month() >= 9 {
        date.year()
    } else {
        date.year() - 1
    }
}
