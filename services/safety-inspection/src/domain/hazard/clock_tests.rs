use proptest::prelude::*;

use super::accountability::{Act, Recipient, Telling};
use super::clock::Passed;
use super::entry::Hazard;
use super::samples::*;
use super::state::{Bureau, Grade, State};
use super::terms::{Setting, Terms};
use super::verb::Verb;
use crate::domain::organization::Level;

fn apply(hazard: Hazard, verb: Verb, who: &str, offset: i64) -> Hazard {
    hazard
        .apply(verb, &actor(who), on(offset), &setting())
        .unwrap()
}

#[test]
fn overdue_goes_to_the_district_and_a_week_later_to_the_city() {
    let hazard = hazard(Grade::General, State::Rectifying);
    assert_eq!(hazard.wait_on(&Terms::default()), Some(day(11)));
    let (hazard, passed) = hazard.pass(day(10), &setting());
    assert_eq!((passed.len(), hazard.is_overdue(day(10))), (0, false));
    let (hazard, passed) = hazard.pass(day(11), &setting());
    assert_eq!(
        passed,
        [Passed::Overdue, Passed::Escalated(Bureau::District)]
    );
    assert!(hazard.is_overdue(day(11)));
    assert_eq!(hazard.wait_on(&Terms::default()), Some(day(18)));
    let (hazard, passed) = hazard.pass(day(17), &setting());
    assert_eq!(passed, []);
    let (hazard, passed) = hazard.pass(day(18), &setting());
    assert_eq!(passed, [Passed::Escalated(Bureau::City)]);
    assert_eq!(hazard.wait_on(&Terms::default()), None);
}

#[test]
fn without_a_district_the_city_is_told_at_once() {
    let hazard = hazard(Grade::General, State::Rectifying);
    let municipal = Setting {
        district: false,
        ..setting()
    };
    let (_, passed) = hazard.clone().pass(day(11), &municipal);
    assert_eq!(passed, [Passed::Overdue, Passed::Escalated(Bureau::City)]);
    let bureau = Setting {
        home: Level::District,
        ..setting()
    };
    let (_, passed) = hazard.pass(day(11), &bureau);
    assert_eq!(passed, [Passed::Overdue, Passed::Escalated(Bureau::City)]);
}

#[test]
fn progress_on_a_major_hazard_is_due_each_week_and_told_once_when_late() {
    let hazard = hazard(Grade::Major, State::Rectifying);
    assert_eq!(hazard.wait_on(&Terms::default()), Some(day(8)));
    assert!(!hazard.is_progress_overdue(day(7)));
    let (hazard, passed) = hazard.pass(day(8), &setting());
    assert_eq!(passed, [Passed::ProgressOverdue]);
    assert!(hazard.is_progress_overdue(day(8)));
    let (hazard, passed) = hazard.pass(day(9), &setting());
    assert_eq!(passed, []);
    let hazard = apply(hazard, Verb::Progress(40, "过半".to_owned()), OWNER, 9);
    assert_eq!(
        (hazard.course.percent, hazard.course.progress_reports),
        (40, 1)
    );
    assert!(!hazard.is_progress_overdue(day(16)) && hazard.is_progress_overdue(day(17)));
    let hazard = apply(hazard, submit(vec![photo(2, 9)]), OWNER, 9);
    assert!(!hazard.is_progress_overdue(day(40)));
    let general = super::samples::hazard(Grade::General, State::Rectifying);
    assert_eq!(general.course.progress_due, None);
}

#[test]
fn a_review_that_does_not_end_goes_up_until_the_removal_is_given_back() {
    let submitted = hazard(Grade::General, State::Submitted);
    assert_eq!(submitted.wait_on(&Terms::default()), Some(day(4)));
    let (submitted, passed) = submitted.pass(day(3), &setting());
    assert_eq!(passed, []);
    let (late, passed) = submitted.pass(day(4), &setting());
    let district = Passed::Escalated(Bureau::District);
    assert_eq!(passed, [Passed::ReviewOverdue, district]);
    assert!(late.is_review_overdue(day(4)) && !late.is_overdue(day(4)));
    assert_eq!(late.wait_on(&Terms::default()), Some(day(11)));
    // To begin the review does not end it.
    let late = apply(late, Verb::Review, DISTRICT, 4);
    assert!(late.is_review_overdue(day(5)));
    let returned = apply(late, Verb::Return("不够".to_owned()), DISTRICT, 5);
    assert_eq!(
        (returned.escalation, returned.course.review_due),
        (None, None)
    );
    assert_eq!(
        (returned.due, returned.wait_on(&Terms::default())),
        (day(15), Some(day(16)))
    );
    // The bureau of the district reviews a major one.
    let (_, passed) = hazard(Grade::Major, State::Reviewing).pass(day(4), &setting());
    let city = Passed::Escalated(Bureau::City);
    assert_eq!(passed, [Passed::ReviewOverdue, city]);
}

#[test]
fn whoever_answers_reviews_unless_they_removed_it() {
    let rectifying = hazard(Grade::General, State::Rectifying);
    let told = Telling::of(&submit(vec![photo(2, 0)]), &rectifying);
    let to = Recipient::Reviewer;
    let act = Act::Submitted;
    assert_eq!(told, [Telling { act, to }]);
    let submitted = hazard(Grade::General, State::Submitted);
    assert!(submitted.is_reviewed_by(OFFICER) && !submitted.is_reviewed_by(OWNER));
    assert!(!hazard(Grade::Major, State::Submitted).is_reviewed_by(OFFICER));
}

#[test]
fn an_extension_lets_the_clock_begin_again() {
    let hazard = hazard(Grade::General, State::Rectifying);
    let ask = Verb::RequestExtension(day(20), "缺材料".to_owned());
    let hazard = apply(hazard, ask, OWNER, 0);
    let (hazard, _) = hazard.pass(day(11), &setting());
    let grant = Verb::DecideExtension(true, "可以".to_owned());
    let hazard = apply(hazard, grant, DISTRICT, 11);
    assert_eq!(
        (hazard.escalation, hazard.is_overdue(day(11))),
        (None, false)
    );
    assert_eq!(hazard.wait_on(&Terms::default()), Some(day(21)));
    let (_, passed) = hazard.pass(day(21), &setting());
    assert_eq!(passed[0], Passed::Overdue);
}

#[test]
fn owners_are_told_and_before_there_is_one_whoever_answers() {
    let telling = |hazard: &Hazard, passed| Telling::of_time(passed, hazard).to;
    let owner = || Recipient::Person(OWNER.to_owned());
    let assigned = hazard(Grade::Major, State::Assigned);
    assert_eq!(telling(&assigned, Passed::Overdue), owner());
    assert_eq!(telling(&reported(), Passed::Overdue), Recipient::Answerable);
    let city = Passed::Escalated(Bureau::City);
    assert_eq!(telling(&assigned, city), Recipient::Bureau(Bureau::City));
    let hand_over = Verb::HandOver {
        owner: "staff/next".to_owned(),
        reason: "调岗".to_owned(),
    };
    let told: Vec<_> = Telling::of(&hand_over, &assigned);
    let next = Recipient::Person("staff/next".to_owned());
    let expected = [(Act::Relieved, owner()), (Act::Assigned, next)];
    assert_eq!(told, expected.map(|(act, to)| Telling { act, to }));
}

proptest! {
    /// After time has passed, nothing waits for today; and it passes the same in one step or many.
    #[test]
    fn time_passes_once(until in 0..80_i64, major in any::<bool>()) {
        let grade = if major { Grade::Major } else { Grade::General };
        let mut daily = hazard(grade, State::Rectifying);
        let mut told = Vec::new();
        for offset in 0..=until {
            let (after, passed) = daily.pass(day(offset), &setting());
            daily = after;
            told.extend(passed);
            prop_assert!(daily.wait_on(&Terms::default()).is_none_or(|next| next > day(offset)));
        }
        let distinct = told.iter().enumerate().all(|(place, one)| !told[..place].contains(one));
        prop_assert!(distinct, "{told:?}");
        let (_, again) = daily.pass(day(until), &setting());
        prop_assert_eq!(again, []);
    }
}
