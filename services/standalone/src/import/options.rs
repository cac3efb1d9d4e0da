//! How to understand files that leave something open.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};

use super::cohort::Grade;

/// How to understand files that leave something open.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// The day that the rows are about.
    pub day: NaiveDate,
    /// The calendar year in which the school year of the day began.
    pub school_year: i32,
    /// The grade of classes that have none.
    pub assume_grade: Option<Grade>,
    /// Students without a home class go to a class group of their grade.
    pub unassigned: bool,
    /// The id of the organisation on top, where the register has none yet.
    pub root: Option<String>,
    /// The schools that the register knows, by id and by code, where unknown ones are to be added.
    pub known_schools: Option<Arc<HashSet<String>>>,
}

impl ReadOptions {
    /// The options for the school year of a day.
    pub fn on(day: NaiveDate) -> Self {
        let school_year = if day.month() >= 9 {
            day.year()
        } else {
            day.year() - 1
        };
        Self {
            day,
            school_year,
            assume_grade: None,
            unassigned: false,
            root: None,
            known_schools: None,
        }
    }
}
