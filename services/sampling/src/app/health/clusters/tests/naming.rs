//! A human names the class groups that a suspension is for, and the roster hears of each.

use std::sync::atomic::Ordering;

use chrono::Duration;
use kit::db::Database;
use proto::roster::class_group_roll::TeachingMode::{self, InPerson, Suspended};
use proto::sampling::suspension::{Scope, State};
use proto::sampling::{AmendSuspensionRequest, Suspension};

use super::desk::Desk;
use super::suspending::{approve, decide, heard, influenza, officer};
use crate::app::health::{Amendment, Asked, Decision};
use crate::domain::health::suspension::Reach;
use crate::error::Error;

/// The resource names of class groups of the school.
fn named(numbers: &[u32]) -> Vec<String> {
    let name = |number: &u32| format!("organizations/2135010001/classGroups/c{number}");
    numbers.iter().map(name).collect()
}

fn approve_for(names: Vec<String>) -> Decision {
    Decision::Approve {
        who: Asked::Classes(names),
        days: 4,
        start: None,
    }
}

async fn amend(desk: &Desk, name: &str, who: Asked) -> Result<Suspension, Error> {
    let request = AmendSuspensionRequest {
        name: name.to_owned(),
        amended_by: "陈局长".to_owned(),
        reason: "区疾控建议调整班级".to_owned(),
        ..Default::default()
    };
    let amendment = Amendment { who, back: None };
    let id = name.trim_start_matches("suspensions/");
    desk.app
        .amend_suspension(&officer(), id, amendment, &request)
        .await
}

/// What the roster heard of class groups, by the ends of their names.
fn told(calls: &[(&str, TeachingMode)]) -> Vec<(String, Vec<i32>, TeachingMode)> {
    let told = calls
        .iter()
        .map(|(class, mode)| ((*class).to_owned(), Vec::new(), *mode));
    told.collect()
}

/// Waits until the roster heard so many calls.
async fn until_heard(desk: &Desk, calls: usize) {
    for _ in 0..600 {
        if heard(desk).len() >= calls {
            return;
        }
        desk.clock.advance(Duration::seconds(5));
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{:?} is not {calls} calls", heard(desk));
}

pub(super) async fn class_groups_are_named_let_go_and_back(db: Database) {
    let desk = Desk::open(db).await;
    desk.roster.up.store(true, Ordering::SeqCst);
    let cluster = influenza(&desk, 3, 0).await;
    let proposed = desk.suspension(&cluster).await;
    assert_eq!(proposed.class_groups, named(&[3]));
    let name = proposed.name;
    let elsewhere = vec!["organizations/2135010002/classGroups/c3".to_owned()];
    for names in [named(&[3, 4, 3]), named(&[3, 99]), elsewhere] {
        let refused = decide(&desk, &name, approve_for(names.clone())).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{names:?}");
    }
    let others = decide(&desk, &name, approve_for(named(&[4, 12]))).await;
    assert!(matches!(others, Err(Error::SuspensionScope)));

    let three = named(&[12, 3, 4]);
    let decided = decide(&desk, &name, approve_for(named(&[3, 4, 12]))).await;
    let decided = decided.expect("decided");
    assert_eq!(
        (decided.scope(), &decided.class_groups),
        (Scope::ClassGroup, &three)
    );
    let none = Duration::zero();
    desk.until_suspension(&cluster, State::InForce, none).await;
    let mut expected = told(&[("c12", Suspended), ("c3", Suspended), ("c4", Suspended)]);
    assert_eq!(heard(&desk), expected);

    // One is let go, and comes back.
    let two = amend(&desk, &name, Asked::Classes(named(&[12, 3]))).await;
    let two = two.expect("amended");
    assert_eq!(two.class_groups, named(&[12, 3]));
    let kept = &two.amendments[0];
    assert_eq!(
        (&kept.from_class_groups, &kept.to_class_groups),
        (&three, &named(&[12, 3]))
    );
    until_heard(&desk, 4).await;
    expected.extend(told(&[("c4", InPerson)]));
    assert_eq!(heard(&desk), expected);
    let grade = amend(&desk, &name, Asked::Reach(Reach::Grade)).await;
    assert!(
        matches!(grade, Err(Error::SuspensionScope)),
        "c12 is of another"
    );
    let same = amend(&desk, &name, Asked::Classes(named(&[3, 12]))).await;
    assert!(matches!(same, Err(Error::Refused(_))), "nothing changes");
    let again = amend(&desk, &name, Asked::Classes(three.clone())).await;
    assert_eq!(again.expect("amended").class_groups, three);
    until_heard(&desk, 5).await;
    expected.extend(told(&[("c4", Suspended)]));
    assert_eq!(heard(&desk), expected);

    // All are back at the end.
    desk.clock.advance(Duration::days(4));
    let ended = desk.until_suspension(&cluster, State::Ended, Duration::seconds(5));
    assert_eq!(ended.await.class_groups, three, "who was away");
    expected.extend(told(&[
        ("c12", InPerson),
        ("c3", InPerson),
        ("c4", InPerson),
    ]));
    assert_eq!(heard(&desk), expected);
}

pub(super) async fn a_grade_is_narrowed_to_class_groups(db: Database) {
    let desk = Desk::open(db).await;
    desk.roster.up.store(true, Ordering::SeqCst);
    let cluster = influenza(&desk, 3, 0).await;
    let name = desk.suspension(&cluster).await.name;
    let decided = decide(&desk, &name, approve(Some(Reach::Grade), 4)).await;
    assert_eq!(decided.expect("decided").class_groups, Vec::<String>::new());
    let none = Duration::zero();
    desk.until_suspension(&cluster, State::InForce, none).await;
    let narrower = amend(&desk, &name, Asked::Classes(named(&[3, 4]))).await;
    assert_eq!(narrower.expect("amended").scope(), Scope::ClassGroup);
    until_heard(&desk, 4).await;
    let grade = ("2135010001".to_owned(), vec![1], Suspended);
    let mut expected = vec![grade];
    expected.extend(told(&[
        ("c1", InPerson),
        ("c2", InPerson),
        ("c5", InPerson),
    ]));
    assert_eq!(heard(&desk), expected, "who stays away is not told again");
    desk.clock.advance(Duration::days(4));
    let step = Duration::seconds(5);
    desk.until_suspension(&cluster, State::Ended, step).await;
    expected.extend(told(&[("c3", InPerson), ("c4", InPerson)]));
    assert_eq!(heard(&desk), expected);
}

pub(super) async fn a_class_group_that_is_refused_keeps_no_other_waiting(db: Database) {
    let desk = Desk::open(db).await;
    desk.roster.up.store(true, Ordering::SeqCst);
    let busy = |names: Vec<String>| *desk.roster.busy.lock().expect("a lock") = names;
    let missed = || desk.roster.missed.lock().expect("a lock").clone();
    busy(named(&[4]));
    let cluster = influenza(&desk, 3, 0).await;
    let name = desk.suspension(&cluster).await.name;
    decide(&desk, &name, approve_for(named(&[3, 4, 5])))
        .await
        .expect("decided");
    for _ in 0..600 {
        if missed().len() >= 3 {
            break;
        }
        desk.clock.advance(Duration::seconds(5));
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let waiting = desk.suspension(&cluster).await;
    assert_eq!(waiting.state(), State::Applying);
    assert!(waiting.failed_attempt_count >= 2);
    let mut expected = told(&[("c3", Suspended), ("c5", Suspended)]);
    assert_eq!(heard(&desk), expected);
    busy(Vec::new());
    let step = Duration::seconds(30);
    let applied = desk.until_suspension(&cluster, State::InForce, step).await;
    assert_eq!(applied.failed_attempt_count, 0);
    expected.extend(told(&[("c4", Suspended)]));
    assert_eq!(heard(&desk), expected);
    let request = desk.roster.heard.lock().expect("a lock")[2].clone();
    assert!(missed().iter().all(|one| *one == request), "one request");

    // The same at the end.
    busy(named(&[3]));
    let tried = missed().len();
    desk.clock.advance(Duration::days(4));
    for _ in 0..600 {
        if missed().len() > tried {
            break;
        }
        desk.clock.advance(Duration::seconds(5));
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    busy(Vec::new());
    desk.until_suspension(&cluster, State::Ended, step).await;
    expected.extend(told(&[
        ("c4", InPerson),
        ("c5", InPerson),
        ("c3", InPerson),
    ]));
    assert_eq!(heard(&desk), expected);
}
