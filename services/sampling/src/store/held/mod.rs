//! What is held about one student or member of staff (rules 6.2 and 6.14), and every table that is not told of, with
//! why.
//!
//! Other people are left out: who swabbed, traced, reported, placed or decided; of a contact the case that it
//! is a contact of, and of a case who its contacts are. So are the notes of those who write about somebody, as
//! they speak of others too.

mod health;
mod left_out;
mod packed;
mod swabs;
mod words;

use kit::subject::Section;

pub use left_out::LEFT_OUT;
pub use packed::{checks, draws, roll, turns};

/// Where the register says that somebody is.
pub const ROLL: &str = "roll";
/// When somebody's turn is.
pub const TURNS: &str = "turns";
/// On which days somebody was among those drawn from.
pub const DRAWS: &str = "draws";
/// What checks say of somebody.
pub const CHECKS: &str = "checks";

/// Every section, in the order in which they are told.
pub static SECTIONS: [Section; 23] = [
    swabs::ROLL,
    swabs::TURNS,
    swabs::DRAWS,
    swabs::SWABS,
    swabs::UNCOUNTED,
    swabs::RESULTS,
    swabs::MAKE_UPS,
    swabs::HOLDS,
    swabs::RECHECKS,
    swabs::CLEARANCE,
    swabs::CONTROLS,
    health::CHECKS,
    health::SIGNS,
    health::ABSENCES,
    health::TRACES,
    health::STATES,
    health::EVENTS,
    health::ILLNESSES,
    health::CASES,
    health::CASE_EXPORTS,
    health::CONTACTS,
    health::MEASURES,
    health::SHARED,
];

#[cfg(test)]
mod tests {
    use kit::db::Database;
    use kit::subject::{miswritten, untold};

    use super::*;
    use crate::Migrator;

    kit::store_suite!(Migrator; every_table_is_told_or_left_out_with_a_reason);

    async fn every_table_is_told_or_left_out_with_a_reason(db: Database) {
        let wrong = untold(&db, &SECTIONS, LEFT_OUT).await.unwrap();
        assert_eq!(wrong, Vec::<String>::new());
    }

    #[test]
    fn every_section_has_a_name_of_its_own_and_its_law() {
        let gathered = [ROLL, TURNS, DRAWS, CHECKS];
        assert_eq!(miswritten(&SECTIONS, &gathered), Vec::<String>::new());
    }
}
