use super::*;

fn row(scope: Reach) -> SuspensionRow {
    SuspensionRow {
        id: "01".to_owned(),
        school: "fz/d/s".to_owned(),
        scope: scope.code(),
        group_path: "fz/d/s/c1".to_owned(),
        grade: 3,
        decided_by: "王主任".to_owned(),
        ..SuspensionRow::default()
    }
}

fn class(number: u32, away: bool, round: i32, told: i16) -> ClassRow {
    ClassRow {
        suspension: "01".to_owned(),
        group_path: format!("fz/d/s/c{number}"),
        grade: 3,
        away,
        round,
        told,
    }
}

fn whole(scope: Reach, classes: Vec<ClassRow>) -> Whole {
    Whole {
        row: row(scope),
        classes,
        ..Whole::default()
    }
}

#[test]
fn each_step_has_one_request() {
    let told = |scope, ends| {
        let mut steps = steps(&whole(scope, Vec::new()), &[], ends);
        assert_eq!(steps.len(), 1);
        steps.remove(0).request
    };
    let class = told(Reach::ClassGroup, false);
    assert_eq!(class.name, "organizations/s/classGroups/c1");
    assert_eq!(class, told(Reach::ClassGroup, false));
    let grade = told(Reach::Grade, true);
    assert_eq!(
        (grade.name.as_str(), &grade.grades),
        ("organizations/s", &vec![3])
    );
    assert_ne!(class.request_id, grade.request_id);
    assert!(uuid::Uuid::parse_str(&grade.request_id).is_ok());
}

/// Whom a suspension tells the roster of, and whether they are back.
fn said(whole: &Whole, others: &[Away], ends: bool) -> Vec<(String, bool)> {
    let steps = steps(whole, others, ends).into_iter();
    steps
        .map(|step| (last(&step.request.name).to_owned(), step.back))
        .collect()
}

#[test]
fn of_class_groups_the_roster_hears_what_it_does_not_know() {
    let named = whole(
        Reach::ClassGroup,
        vec![
            class(1, true, 0, SUSPENDED),
            class(2, true, 1, 0),
            class(3, false, 1, SUSPENDED),
            class(4, false, 1, IN_PERSON),
        ],
    );
    let c = |number: u32, back| (format!("c{number}"), back);
    assert_eq!(said(&named, &[], false), [c(2, false), c(3, true)]);
    assert_eq!(
        said(&named, &[], true),
        [c(1, true), c(2, true), c(3, true)]
    );
    let others = [Away::one("fz/d/s/c3", 3)];
    assert_eq!(said(&named, &others, false), [c(2, false)]);
    assert_eq!(said(&named, &others, true), [c(1, true), c(2, true)]);
    assert_eq!(said(&named, &[Away::School], true), []);
    // A wider scope speaks for itself, and who was let go before is still told.
    let elsewhere = ClassRow {
        grade: 4,
        ..class(3, false, 1, SUSPENDED)
    };
    let wider = whole(Reach::Grade, vec![elsewhere]);
    let school = ("s".to_owned(), false);
    assert_eq!(said(&wider, &[], false), [school, c(3, true)]);
}

#[test]
fn a_class_group_has_a_request_of_its_own_each_time_it_changes() {
    let id = |class: ClassRow, ends| {
        let steps = steps(&whole(Reach::ClassGroup, vec![class]), &[], ends);
        steps[0].request.request_id.clone()
    };
    let first = id(class(2, true, 0, 0), false);
    assert_eq!(first, id(class(2, true, 0, 0), false));
    let later = [
        id(class(2, true, 1, 0), false),
        id(class(3, true, 0, 0), false),
        id(class(2, true, 0, SUSPENDED), true),
    ];
    assert!(later.iter().all(|one| *one != first));
}
