//! What of a line may stand in the list of faults: enough to find the line and to see what is
//! wrong, and no identity number, phone, address or birth date in full.

use super::table::Table;

/// Columns that name a line or say where it belongs; every other cell is shown as filled or not.
const SHOWN: &[&str] = &[
    "name",
    "givenname",
    "familyname",
    "title",
    "school",
    "school_code",
    "grade",
    "grades",
    "class",
    "class_code",
    "class_group",
    "classcode",
    "classtype",
    "entry",
    "staff_code",
    "post",
    "metadata.post",
    "metadata.division",
    "organization",
    "kind",
    "type",
    "parent",
    "division",
    "number",
    "sourcedid",
    "status",
    "role",
    "roletype",
    "primary",
    "begindate",
    "enddate",
    "datelastmodified",
    "enableduser",
    "orgsourcedid",
    "orgsourcedids",
    "primaryorgsourcedid",
    "parentsourcedid",
    "schoolsourcedid",
    "classsourcedid",
    "coursesourcedid",
    "termsourcedids",
    "usersourcedid",
    "agentsourcedids",
];

/// Stands for a cell that is filled and not shown.
const HIDDEN: &str = "＊＊＊";
/// Longer runs of digits lose their middle: phones have 11, identity numbers 18.
const LONGEST_RUN: usize = 10;
/// The same in the cell that is wrong.
const LONGEST_WRONG_RUN: usize = 8;

/// The cell at `place` as it may be shown; `wrong` is the one that something is said about.
pub(super) fn cell(table: &Table, place: usize, cell: &str, wrong: bool) -> String {
    if cell.trim().is_empty() {
        return String::new();
    }
    if SHOWN.contains(&table.meaning(place)) {
        return digits(cell, LONGEST_RUN);
    }
    if wrong {
        return digits(cell, LONGEST_WRONG_RUN);
    }
    HIDDEN.to_owned()
}

/// Long runs of digits with stars in the middle: a person who has the document sees which it is.
fn digits(cell: &str, longest: usize) -> String {
    let mut out = String::with_capacity(cell.len());
    let mut run = String::new();
    for c in cell.chars().chain(['\0']) {
        if c.is_numeric() || (matches!(c, 'x' | 'X') && !run.is_empty()) {
            run.push(c);
            continue;
        }
        let length = run.chars().count();
        if length > longest {
            out.extend(run.chars().enumerate().map(|(place, c)| {
                let middle = place >= 3 && place + 4 < length;
                if middle { '*' } else { c }
            }));
        } else {
            out.push_str(&run);
        }
        run.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_of_persons_lose_their_middle_and_dates_stay() {
        let long = |cell: &str| digits(cell, LONGEST_WRONG_RUN);
        assert_eq!(long("440524188001010014"), "440***********0014");
        assert_eq!(long("11010519491231002X"), "110***********002X");
        assert_eq!(long("１３８００１３８０００"), "１３８****８０００");
        assert_eq!(long("2012-13-01"), "2012-13-01");
        assert_eq!(long("20121301"), "20121301");
        assert_eq!(
            long("{residentId:440524188001010014}"),
            "{residentId:440***********0014}"
        );
        assert_eq!(digits("2135010001", LONGEST_RUN), "2135010001");
    }

    proptest! {
        #[test]
        fn no_long_number_comes_through(before in "\\PC{0,8}", number in "[0-9]{17}[0-9X]", after in "\\PC{0,8}") {
            let cell = format!("{before}{number}{after}");
            prop_assert!(!digits(&cell, LONGEST_RUN).contains(&number));
        }
    }
}
