use std::collections::BTreeMap;

use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn context() -> Context {
    Context {
        today: day("2022-04-07"),
        division: |code, _| match code {
            "350112" => Division::Current,
            "350182" => Division::Retired("350112"),
            _ => Division::Unknown,
        },
    }
}

fn pupil(change: impl FnOnce(&mut StudentCells)) -> Judged {
    let mut cells = StudentCells {
        organization: "2135010001".into(),
        class_group: "p2019-01".into(),
        display_name: "林小雨".into(),
        id_number: "11010519491231002X".into(),
        ..StudentCells::default()
    };
    change(&mut cells);
    let cells = RowCells::Student(cells);
    judge(
        &Record {
            external_id: "s1".into(),
            removal: false,
            cells,
        },
        &context(),
    )
}

fn says(judged: &Judged) -> Vec<(&'static str, &'static str)> {
    judged
        .findings
        .iter()
        .map(|finding| (finding.column, finding.reason.code()))
        .collect()
}

#[test]
fn a_good_row_is_taken_silently_and_its_id_tells_birth_and_sex() {
    let judged = pupil(|_| {});
    assert_eq!(says(&judged), []);
    let Some(Clean::Student(student)) = judged.clean else {
        panic!("refused")
    };
    assert_eq!(
        (student.birth_date, student.sex),
        (Some(day("1949-12-31")), Some(Sex::Female))
    );
}

#[test]
fn each_fault_of_a_student_is_named_in_its_column() {
    type Change = fn(&mut StudentCells);
    let faults: [(Change, (&str, &str), bool); 17] = [
        (
            |c| c.id_number = "110105194912310021".into(),
            ("id_number", "ID_CHECKSUM"),
            true,
        ),
        (
            |c| c.id_number = "1101051949123100".into(),
            ("id_number", "ID_FORMAT"),
            true,
        ),
        (
            |c| c.id_number = "1.10105194912310E+17".into(),
            ("id_number", "ID_PRECISION"),
            true,
        ),
        (
            |c| c.id_number = "110105194912310000".into(),
            ("id_number", "ID_PRECISION"),
            true,
        ),
        (
            |c| c.display_name = " 　".into(),
            ("display_name", "MISSING"),
            true,
        ),
        (
            |c| c.display_name = "林".repeat(64),
            ("display_name", "TOO_LONG"),
            true,
        ),
        (
            |c| c.display_name = "林\u{fffd}".into(),
            ("display_name", "BAD_CHARACTERS"),
            true,
        ),
        (
            |c| c.birth_date = "2012-13-01".into(),
            ("birth_date", "DATE_FORMAT"),
            true,
        ),
        (
            |c| c.birth_date = "20120901".into(),
            ("birth_date", "BIRTH_DATE_DIFFERS"),
            true,
        ),
        (
            |c| c.birth_date = "2099-01-01".into(),
            ("birth_date", "BIRTH_DATE"),
            true,
        ),
        (
            |c| c.class_group = "一年级1班".into(),
            ("class_group", "CLASS_GROUP_ID"),
            true,
        ),
        (
            |c| c.organization = "某小学".into(),
            ("organization", "ORGANIZATION_ID"),
            true,
        ),
        (
            |c| c.id_type = "会员卡".into(),
            ("id_type", "ID_TYPE"),
            true,
        ),
        (
            |c| c.student_number = "X1".into(),
            ("student_number", "STUDENT_NUMBER"),
            true,
        ),
        (|c| c.phone = "6031234567".into(), ("phone", "PHONE"), false),
        (|c| c.sex = "男".into(), ("sex", "SEX_DIFFERS"), false),
        (
            |c| c.modified_date = "15/06/2023".into(),
            ("modified_date", "MODIFIED_DATE"),
            false,
        ),
    ];
    for (change, expected, refused) in faults {
        let judged = pupil(change);
        assert_eq!(says(&judged), [expected]);
        assert_eq!(judged.clean.is_none(), refused, "{expected:?}");
    }
}

#[test]
fn a_retired_division_is_replaced_and_an_unknown_one_refused() {
    let with = |code: &str| {
        let cells = RowCells::Organization(OrganizationCells {
            organization: "350182".into(),
            kind: "district".into(),
            display_name: "长乐".into(),
            division_code: code.into(),
            ..OrganizationCells::default()
        });
        judge(
            &Record {
                external_id: "o".into(),
                removal: false,
                cells,
            },
            &context(),
        )
    };
    let retired = with("350182");
    assert_eq!(says(&retired), [("division_code", "DIVISION_RETIRED")]);
    let Some(Clean::Organization(taken)) = retired.clean else {
        panic!("refused")
    };
    assert_eq!(taken.division.as_deref(), Some("350112"));
    assert_eq!(says(&with("999999")), [("division_code", "DIVISION")]);
}

#[test]
fn a_grade_must_follow_from_the_cohort() {
    let with = |grade: &str| {
        let cells = RowCells::ClassGroup(ClassGroupCells {
            organization: "a".into(),
            class_group: "p2019-01".into(),
            grade: grade.into(),
            ..ClassGroupCells::default()
        });
        says(&judge(
            &Record {
                external_id: "c".into(),
                removal: false,
                cells,
            },
            &context(),
        ))
    };
    assert_eq!(with("3"), []);
    assert_eq!(with("0"), []);
    assert_eq!(with("5"), [("grade", "GRADE_COHORT")]);
}

#[test]
fn dates_are_read_as_people_write_them() {
    for text in [
        "20120901",
        "2012-09-01",
        "2012/9/1",
        "2012年9月1日",
        "２０１２．９．１",
        "41153",
        "2012-09-01T10:00:00Z",
        "20120901.0",
    ] {
        assert_eq!(date(text), Some(day("2012-09-01")), "{text}");
    }
    for text in ["", "1/05/2023", "2012", "2012-02-30", "九月", "201209011"] {
        assert_eq!(date(text), None, "{text}");
    }
}

#[test]
fn full_width_and_copied_cells_mean_the_same() {
    assert_eq!(normal("　Ｇ１１０ \u{200b}"), "G110");
    assert_eq!(normal("\u{feff}林  小 雨"), "林 小 雨");
    assert_eq!(normal("'0123"), "0123");
    assert_eq!(phone("＋86 138-0013-8000"), Some("13800138000".to_owned()));
}

#[test]
fn posts_are_known_by_their_words_in_every_kind_of_file() {
    let with = |post: &str| {
        let cells = RowCells::StaffMember(StaffMemberCells {
            organization: "2135010001".into(),
            display_name: "王老师".into(),
            post: post.into(),
            ..StaffMemberCells::default()
        });
        let record = Record {
            external_id: "w".into(),
            removal: false,
            cells,
        };
        let judged = judge(&record, &context());
        let said = says(&judged);
        match judged.clean {
            Some(Clean::StaffMember(taken)) => (taken.post, said),
            other => panic!("refused: {other:?}"),
        }
    };
    for (word, post) in [
        ("", "TEACHER"),
        ("aide", "TEACHER"),
        ("班主任", "HEAD_TEACHER"),
        ("党组织书记", "PARTY_SECRETARY"),
        ("siteAdministrator", "ADMINISTRATION"),
        ("districtAdministrator", "ADMINISTRATION"),
        ("systemAdministrator", "ADMINISTRATION"),
    ] {
        assert_eq!(with(word), (post, vec![]), "{word}");
    }
    assert_eq!(with("魔法师"), ("TEACHER", vec![("post", "POST")]));
}

#[test]
fn a_job_moves_only_forward() {
    use State::*;
    assert_eq!(Receiving.after(Verb::Plan), Ok(Planned));
    assert_eq!(Planned.after(Verb::Commit), Ok(Committed));
    assert_eq!(Committed.after(Verb::RollBack), Ok(RolledBack));
    assert_eq!(Receiving.after(Verb::Commit), Err(Illegal(Receiving)));
    assert_eq!(Committed.after(Verb::Receive), Err(Illegal(Committed)));
    assert_eq!(RolledBack.after(Verb::RollBack), Err(Illegal(RolledBack)));
}

#[test]
fn vanishing_is_blocked_above_the_threshold_only() {
    assert!(!too_many_vanish(5, 100, 0.05));
    assert!(too_many_vanish(6, 100, 0.05));
    assert!(!too_many_vanish(0, 0, 0.0));
    assert!(too_many_vanish(1, 100, 0.0));
}

#[test]
fn reasons_have_distinct_words_and_both_languages() {
    let codes: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|r| r.code()).collect();
    assert_eq!(codes.len(), Reason::ALL.len());
    assert!(
        Reason::ALL
            .iter()
            .all(|r| !r.hint().is_ascii() && r.hint_en().is_ascii())
    );
}

proptest! {
    #[test]
    fn no_cell_makes_judging_panic(a in "\\PC{0,40}", b in any::<String>(), c in any::<String>()) {
        let _ = pupil(|cells| {
            cells.display_name = a.clone();
            cells.id_number = b.clone();
            cells.birth_date = c.clone();
            cells.phone = b.clone();
            cells.class_group = a.clone();
            cells.student_number = c.clone();
        });
    }

    #[test]
    fn normalising_twice_is_normalising_once(text in any::<String>()) {
        prop_assert_eq!(normal(&normal(&text)), normal(&text));
    }

    #[test]
    fn any_changed_digit_of_a_resident_id_is_noticed(place in 0usize..17, by in 1u8..10) {
        let mut number = *b"440524188001010014";
        number[place] = b'0' + (number[place] - b'0' + by) % 10;
        let number = String::from_utf8_lossy(&number).into_owned();
        prop_assert!(resident_id(&number, day("2022-04-07")).is_err());
    }

    #[test]
    fn a_rerun_changes_nothing(rows in prop::collection::btree_map(any::<u8>(), any::<u8>(), 0..40)) {
        let key = |k: &u8| vec![*k];
        let register: BTreeMap<_, _> = rows.iter().map(|(k, h)| (key(k), [*h; 32])).collect();
        let again = rows.iter().map(|(k, h)| (key(k), Entry { hash: [*h; 32], removal: false })).collect();
        let difference = compare(&register, &again, true);
        prop_assert_eq!(difference, Difference { unchanged: rows.len() as u64, ..Difference::default() });
    }
}
