//! Numbers that are well formed and were given to nobody.

use std::fmt::Write as _;

use chrono::NaiveDate;

use super::people::Sex;

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
/// How many days the births of one school year are spread over.
const BIRTHDAYS: u32 = 365;
/// Has no divisor in common with [`BIRTHDAYS`], so neighbours are not born on the same day.
const STRIDE: u32 = 167;
/// Staff were born within this many days after 1966-01-01.
const STAFF_BIRTHDAYS: u32 = 11_000;
const STAFF_STRIDE: u32 = 7919;

/// A resident id (GB 11643-1999) with a valid check character.
pub fn resident_id(division: &str, birth: NaiveDate, serial: u32) -> String {
    let mut id = String::with_capacity(18);
    let _ = write!(id, "{division}{}{serial:03}", birth.format("%Y%m%d"));
    let sum: u32 = id
        .bytes()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    id.push(CHECKS[(sum % 11) as usize]);
    id
}

/// The birth date of the `index`-th child of a district who turns `age` in the year before
/// 1 September of `year`, and the round in which that day comes up.
pub(super) fn child_birth(index: u32, age: i32, year: i32) -> (NaiveDate, u32) {
    let first = NaiveDate::from_ymd_opt(year - age - 1, 9, 1).expect("a first of September exists");
    let day = (u64::from(index) * u64::from(STRIDE) % u64::from(BIRTHDAYS)) as u32;
    (first + chrono::Days::new(u64::from(day)), index / BIRTHDAYS)
}

/// The same for the `index`-th member of the staff of a district.
pub(super) fn staff_birth(index: u32) -> (NaiveDate, u32) {
    let first = NaiveDate::from_ymd_opt(1966, 1, 1).expect("a first of January exists");
    let day = (u64::from(index) * u64::from(STAFF_STRIDE) % u64::from(STAFF_BIRTHDAYS)) as u32;
    (
        first + chrono::Days::new(u64::from(day)),
        index / STAFF_BIRTHDAYS,
    )
}

/// Serials count down from 999, odd for male and even for female, one pair a round: registrars
/// count up from 001.
pub(super) fn serial(round: u32, sex: Sex) -> u32 {
    match sex {
        Sex::Male => 999 - 2 * round,
        Sex::Female => 998 - 2 * round,
    }
}

/// A phone number in the 154 range, which no operator uses.
pub(super) fn phone(number: u32) -> String {
    format!("154{number:08}")
}
