//! What was decided of a suspension is changed by a human, and the roster hears of it.

use std::sync::atomic::Ordering;

use chrono::{Duration, NaiveDate};
use kit::auth::Role;
use kit::db::Database;
use kit::field::to_date;
use proto::roster::class_group_roll::TeachingMode;
use proto::sampling::suspension::{Scope, State};
use proto::sampling::{AmendSuspensionRequest, Suspension};

use super::desk::{Desk, SCHOOL, monday};
use super::suspending::{approve, decide, heard, influenza, officer};
use crate::app::health::{Amendment, Asked, Decision};
use crate::domain::health::suspension::Reach;
use crate::error::Error;

fn after(days: i64) -> NaiveDate {
    monday() + Duration::days(days)
}

fn request(name: &str) -> AmendSuspensionRequest {
    AmendSuspensionRequest {
        name: name.to_owned(),
        amended_by: "陈局长".to_owned(),
        reason: "区疾控建议调整".to_owned(),
        ..Default::default()
    }
}

async fn amend(
    desk: &Desk,
    request: &AmendSuspensionRequest,
    reach: Option<Reach>,
    back: Option<NaiveDate>,
) -> Result<Suspension, Error> {
    let id = request.name.trim_start_matches("suspensions/");
    let amendment = Amendment {
        who: reach.map_or(Asked::Same, Asked::Reach),
        back,
    };
    desk.app
        .amend_suspension(&officer(), id, amendment, request)
        .await
}

/// Waits until the roster heard so many calls.
async fn until_heard(desk: &Desk, calls: usize) {
    for _ in 0..600 {
        if heard(desk).len() == calls {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{:?} is not {calls} calls", heard(desk));
}

pub(super) async fn what_is_amended_reaches_the_roster(db: Database) {
    let desk = Desk::open(db).await;
    desk.roster.up.store(true, Ordering::SeqCst);
    let cluster = influenza(&desk, 3, 0).await;
    let name = desk.suspension(&cluster).await.name;
    decide(&desk, &name, approve(None, 4))
        .await
        .expect("decided");
    let none = Duration::zero();
    let applied = desk.until_suspension(&cluster, State::InForce, none).await;

    let wider = AmendSuspensionRequest {
        etag: applied.etag.clone(),
        request_id: "6f0e4f1e-0000-4000-8000-00000000000a".to_owned(),
        ..request(&name)
    };
    let amended = amend(&desk, &wider, Some(Reach::Grade), Some(after(7)))
        .await
        .expect("amended");
    assert_eq!(
        (amended.scope(), amended.suspend_days, amended.return_date),
        (Scope::Grade, 7, Some(to_date(after(7))))
    );
    let again = amend(&desk, &wider, Some(Reach::Grade), Some(after(7))).await;
    assert_eq!(again.expect("the first answer"), amended);
    until_heard(&desk, 2).await;
    let stale = AmendSuspensionRequest {
        etag: applied.etag,
        ..request(&name)
    };
    let stale = amend(&desk, &stale, None, Some(after(8))).await;
    assert!(matches!(stale, Err(Error::EtagMismatch(_))));
    let less = amend(&desk, &request(&name), Some(Reach::ClassGroup), None).await;
    assert!(matches!(less, Err(Error::SuspensionScope)));
    for back in [after(7), after(-1), after(31)] {
        let refused = amend(&desk, &request(&name), None, Some(back)).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{back}");
    }
    let id = name.trim_start_matches("suspensions/");
    for role in [Role::Principal, Role::SchoolDoctor, Role::DiseaseControl] {
        let caller = Desk::caller(role, SCHOOL);
        let amendment = Amendment {
            who: Asked::Same,
            back: Some(after(8)),
        };
        let asked = request(&name);
        let refused = desk
            .app
            .amend_suspension(&caller, id, amendment, &asked)
            .await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{role}");
    }

    // Ended early while the roster is away: it hears of it when it is back.
    desk.roster.up.store(false, Ordering::SeqCst);
    desk.clock.advance(Duration::days(2));
    let early = amend(&desk, &request(&name), None, Some(after(2))).await;
    assert_eq!(early.expect("ended early").state(), State::InForce);
    for _ in 0..600 {
        if !desk.roster.missed.lock().expect("a lock").is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(!desk.roster.missed.lock().expect("a lock").is_empty());
    desk.roster.up.store(true, Ordering::SeqCst);
    let step = Duration::seconds(30);
    let ended = desk.until_suspension(&cluster, State::Ended, step).await;
    let class = ("c3".to_owned(), Vec::new(), TeachingMode::Suspended);
    let grade = |mode| ("2135010001".to_owned(), vec![1], mode);
    let expected = [
        class,
        grade(TeachingMode::Suspended),
        grade(TeachingMode::InPerson),
    ];
    assert_eq!(heard(&desk), expected);
    let kept: Vec<_> = ended
        .amendments
        .iter()
        .map(|one| {
            (
                one.from_scope(),
                one.to_scope(),
                one.from_return_date,
                one.to_return_date,
            )
        })
        .collect();
    let day = |days| Some(to_date(after(days)));
    let expected = [
        (Scope::ClassGroup, Scope::Grade, day(4), day(7)),
        (Scope::Grade, Scope::Grade, day(7), day(2)),
    ];
    assert_eq!(kept, expected);
    let who = &ended.amendments[0];
    assert_eq!(
        (
            who.amended_by.as_str(),
            who.amender.as_str(),
            who.reason.as_str()
        ),
        ("陈局长", "tester", "区疾控建议调整")
    );
    let over = amend(&desk, &request(&name), None, Some(after(9))).await;
    assert!(matches!(over, Err(Error::SuspensionState(5))));
    let trail = desk.trail(&cluster).await;
    let trail: Vec<_> = trail.into_iter().filter(|kind| kind != "OVERDUE").collect();
    let expected = [
        "FIRED", "PROPOSED", "APPROVED", "APPLIED", "AMENDED", "AMENDED", "ENDED",
    ];
    assert_eq!(trail, expected);
}

pub(super) async fn what_is_ended_before_it_began_is_never_told(db: Database) {
    let desk = Desk::open(db).await;
    desk.roster.up.store(true, Ordering::SeqCst);
    let cluster = influenza(&desk, 1, 0).await;
    let name = desk.suspension(&cluster).await.name;
    let early = amend(&desk, &request(&name), None, Some(after(2))).await;
    assert!(matches!(early, Err(Error::SuspensionState(1))), "proposed");
    let tomorrow = Decision::Approve {
        who: Asked::Same,
        days: 4,
        start: Some(after(1)),
    };
    decide(&desk, &name, tomorrow).await.expect("decided");
    let ended = amend(&desk, &request(&name), None, Some(after(1)))
        .await
        .expect("ended");
    assert_eq!(
        (ended.state(), ended.suspend_days, ended.amendments.len()),
        (State::Ended, 0, 1)
    );
    assert!(ended.end_time.is_some());
    // Another one is heard of on that day, and this one is not.
    let other = influenza(&desk, 6, 0).await;
    let other_name = desk.suspension(&other).await.name;
    desk.clock.advance(Duration::days(1));
    decide(&desk, &other_name, approve(None, 4))
        .await
        .expect("decided");
    desk.until_suspension(&other, State::InForce, Duration::zero())
        .await;
    let class = ("c6".to_owned(), Vec::new(), TeachingMode::Suspended);
    assert_eq!(heard(&desk), [class]);
}

pub(super) async fn what_is_over_is_not_amended(db: Database) {
    let desk = Desk::open(db).await;
    let cluster = influenza(&desk, 2, 0).await;
    let name = desk.suspension(&cluster).await.name;
    decide(&desk, &name, approve(None, 2))
        .await
        .expect("decided");
    let none = Duration::zero();
    desk.until_suspension(&cluster, State::Applying, none).await;
    // The roster is away, and the day of return has come.
    desk.clock.advance(Duration::days(2));
    let late = amend(&desk, &request(&name), None, Some(after(5))).await;
    assert!(matches!(late, Err(Error::SuspensionReturned)));
    let missing = amend(&desk, &request("suspensions/none"), None, None).await;
    assert!(matches!(
        missing,
        Err(Error::Refused(_) | Error::NotFound(_))
    ));
}
