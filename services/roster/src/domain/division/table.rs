//! The table: Fujian, Fuzhou and its divisions, as in the tables of GB/T 2260 of 2016-08 and
//! 2018-10 (rule 7.1).

use chrono::NaiveDate;

use super::Division;

const FUJIAN: &str = "350000";
const FUZHOU: &str = "350100";

/// The last day of Changle as a city and its first as a district.
const CHANGLE_LAST: Option<NaiveDate> = NaiveDate::from_ymd_opt(2017, 11, 5);
const CHANGLE_FIRST: Option<NaiveDate> = NaiveDate::from_ymd_opt(2017, 11, 6);

/// Every division known, ordered by code.
pub(super) const DIVISIONS: [Division; 16] = [
    Division {
        parent: None,
        ..current(FUJIAN, "福建省")
    },
    Division {
        parent: Some(FUJIAN),
        ..current(FUZHOU, "福州市")
    },
    current("350102", "鼓楼区"),
    current("350103", "台江区"),
    current("350104", "仓山区"),
    current("350105", "马尾区"),
    current("350111", "晋安区"),
    Division {
        valid_from: CHANGLE_FIRST,
        ..current("350112", "长乐区")
    },
    current("350121", "闽侯县"),
    current("350122", "连江县"),
    current("350123", "罗源县"),
    current("350124", "闽清县"),
    current("350125", "永泰县"),
    current("350128", "平潭县"),
    current("350181", "福清市"),
    Division {
        valid_to: CHANGLE_LAST,
        replaced_by: Some("350112"),
        ..current("350182", "长乐市")
    },
];

/// A division of Fuzhou, in use for as long as the table reaches.
const fn current(code: &'static str, name: &'static str) -> Division {
    Division {
        code,
        name,
        parent: Some(FUZHOU),
        valid_from: None,
        valid_to: None,
        replaced_by: None,
    }
}
