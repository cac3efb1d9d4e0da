//! Suspension from the proposal to the roster and back.

use std::sync::atomic::Ordering;

use chrono::Duration;
use kit::auth::{Caller, Role};
use kit::db::Database;
use proto::roster::class_group_roll::TeachingMode;
use proto::sampling::suspension::State;
use proto::sampling::{DecideSuspensionRequest, Suspension};

use super::desk::{DISTRICT, Desk, SCHOOL, ill};
use crate::app::health::{Asked, Decision};
use crate::domain::health::disease::{Certainty, Disease, Severity};
use crate::domain::health::sign::Sign;
use crate::domain::health::suspension::Reach;
use crate::domain::health::symptom::Symptom;
use crate::error::Error;

/// Five new influenza-like illnesses of a class on one day.
pub(super) async fn influenza(desk: &Desk, class: u32, after: i64) -> String {
    let first = class * 100;
    let signs: Vec<Sign> = (first..first + 5)
        .map(|number| Sign {
            temperature: 385,
            ..ill(number, class, after, Symptom::Cough)
        })
        .collect();
    desk.say(&signs).await;
    let class = format!("/c{class}");
    let found = desk.standing().await;
    let mine = |code: &str, group: &str| code == "suspend-1-class" && group.ends_with(&class);
    let cluster = found
        .iter()
        .find(|one| mine(&one.rule.clone().unwrap_or_default().code, &one.class_group));
    cluster.expect("a cluster").name.clone()
}

pub(super) fn officer() -> Caller {
    Desk::caller(Role::DistrictOfficer, DISTRICT)
}

fn request(name: &str) -> DecideSuspensionRequest {
    DecideSuspensionRequest {
        name: name.to_owned(),
        decided_by: "陈局长".to_owned(),
        reason: "班级流感样病例达到停课标准".to_owned(),
        advice: "区疾控建议停课4天".to_owned(),
        ..Default::default()
    }
}

pub(super) async fn decide(
    desk: &Desk,
    name: &str,
    decision: Decision,
) -> Result<Suspension, Error> {
    let id = name.trim_start_matches("suspensions/");
    desk.app
        .decide_suspension(&officer(), id, decision, &request(name))
        .await
}

pub(super) fn approve(reach: Option<Reach>, days: u16) -> Decision {
    Decision::Approve {
        who: reach.map_or(Asked::Same, Asked::Reach),
        days,
        start: None,
    }
}

/// What the roster heard: whom, which grades and how they are taught.
pub(super) fn heard(desk: &Desk) -> Vec<(String, Vec<i32>, TeachingMode)> {
    let heard = desk.roster.heard.lock().expect("a lock");
    let told = heard.iter().map(|call| {
        let id = call.name.rsplit('/').next().unwrap_or_default();
        (id.to_owned(), call.grades.clone(), call.teaching_mode())
    });
    told.collect()
}

pub(super) async fn a_suspension_reaches_the_roster_however_long_it_is_down(db: Database) {
    let desk = Desk::open(db).await;
    let cluster = influenza(&desk, 3, 0).await;
    let proposed = desk.suspension(&cluster).await;
    assert_eq!(
        (proposed.state(), proposed.suspend_days),
        (State::Proposed, 4)
    );
    assert_eq!(
        (proposed.grade, proposed.org_path.as_str()),
        (1, "fz/350102/2135010001/c3")
    );
    let decided = decide(&desk, &proposed.name, approve(Some(Reach::Grade), 5)).await;
    let decided = decided.expect("decided");
    assert_eq!((decided.state(), decided.suspend_days), (State::Decided, 5));
    let none = Duration::zero();
    desk.until_suspension(&cluster, State::Applying, none).await;
    while desk.roster.missed.lock().expect("a lock").len() < 3 {
        desk.clock.advance(Duration::seconds(5));
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    desk.roster.up.store(true, Ordering::SeqCst);
    let step = Duration::seconds(30);
    let applied = desk.until_suspension(&cluster, State::InForce, step).await;
    assert_eq!(applied.failed_attempt_count, 0);
    let grade = |mode| ("2135010001".to_owned(), vec![1], mode);
    assert_eq!(heard(&desk), [grade(TeachingMode::Suspended)]);
    let missed = desk.roster.missed.lock().expect("a lock").clone();
    let call = desk.roster.heard.lock().expect("a lock")[0].clone();
    assert!(
        missed.iter().all(|one| *one == call),
        "each attempt is the same request"
    );
    assert!(call.reason.contains(&proposed.name) && call.reason.contains("陈局长"));
    desk.roster.up.store(false, Ordering::SeqCst);
    desk.clock.advance(Duration::days(5));
    while desk.roster.missed.lock().expect("a lock").len() == missed.len() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(desk.suspension(&cluster).await.state(), State::InForce);
    desk.roster.up.store(true, Ordering::SeqCst);
    desk.until_suspension(&cluster, State::Ended, step).await;
    let expected = [
        grade(TeachingMode::Suspended),
        grade(TeachingMode::InPerson),
    ];
    assert_eq!(heard(&desk), expected);
    let trail = desk.trail(&cluster).await;
    let trail: Vec<_> = trail.into_iter().filter(|kind| kind != "OVERDUE").collect();
    assert_eq!(trail, ["FIRED", "PROPOSED", "APPROVED", "APPLIED", "ENDED"]);
}

pub(super) async fn only_a_proposal_is_decided_and_never_for_less(db: Database) {
    let desk = Desk::open(db).await;
    let hand = |number, class| Sign {
        diagnosis: Some((Disease::HFMD, Certainty::Suspected)),
        ..ill(number, class, 0, Symptom::Rash)
    };
    desk.say(&(0..6).map(|n| hand(n, n / 2 + 1)).collect::<Vec<_>>())
        .await;
    let found = desk.standing().await;
    let school = found.iter().find(|one| {
        one.rule
            .as_ref()
            .is_some_and(|rule| rule.code == "suspend-4-school")
    });
    let proposed = desk.suspension(&school.expect("a cluster").name).await;
    assert_eq!(
        (proposed.class_group.as_str(), proposed.suspend_days),
        ("", 10)
    );
    let less = decide(&desk, &proposed.name, approve(Some(Reach::Grade), 0)).await;
    assert!(matches!(less, Err(Error::SuspensionScope)));
    let late = Decision::Approve {
        who: Asked::Same,
        days: 0,
        start: super::desk::monday().pred_opt(),
    };
    assert!(matches!(
        decide(&desk, &proposed.name, late).await,
        Err(Error::Refused(_))
    ));
    let id = proposed.name.trim_start_matches("suspensions/");
    for role in [Role::Principal, Role::SchoolDoctor, Role::DiseaseControl] {
        let caller = Desk::caller(role, SCHOOL);
        let refused = desk
            .app
            .decide_suspension(&caller, id, Decision::Reject, &request(&proposed.name))
            .await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{role}");
    }
    let rejected = decide(&desk, &proposed.name, Decision::Reject)
        .await
        .expect("rejected");
    assert_eq!(
        (rejected.state(), rejected.decided_by.as_str()),
        (State::Rejected, "陈局长")
    );
    let again = decide(&desk, &proposed.name, approve(None, 0)).await;
    assert!(matches!(again, Err(Error::SuspensionState(6))));
    assert_eq!(heard(&desk), []);
}

pub(super) async fn what_is_proposed_follows_its_cluster(db: Database) {
    let desk = Desk::open(db).await;
    let cluster = influenza(&desk, 1, 0).await;
    let well = ill(100, 1, 0, Symptom::Headache);
    desk.say(std::slice::from_ref(&well)).await;
    assert_eq!(desk.suspension(&cluster).await.state(), State::Withdrawn);
    let name = desk.suspension(&cluster).await.name;
    let gone = decide(&desk, &name, approve(None, 0)).await;
    assert!(matches!(gone, Err(Error::SuspensionState(7))));
    influenza(&desk, 1, 0).await;
    let again = desk.suspension(&cluster).await;
    assert_eq!((again.state(), again.name), (State::Proposed, name.clone()));
    decide(&desk, &name, approve(None, 0))
        .await
        .expect("decided");
    desk.say(&[well]).await;
    let decided = desk.suspension(&cluster).await.state();
    assert!(
        matches!(decided, State::Decided | State::Applying),
        "{decided:?}"
    );
}

pub(super) async fn who_ends_first_does_not_end_another(db: Database) {
    let desk = Desk::open(db).await;
    desk.roster.up.store(true, Ordering::SeqCst);
    let (long, short) = (influenza(&desk, 1, 0).await, influenza(&desk, 2, 0).await);
    let none = Duration::zero();
    let name = desk.suspension(&long).await.name;
    decide(&desk, &name, approve(None, 9))
        .await
        .expect("decided");
    desk.until_suspension(&long, State::InForce, none).await;
    let name = desk.suspension(&short).await.name;
    decide(&desk, &name, approve(Some(Reach::Grade), 4))
        .await
        .expect("decided");
    desk.until_suspension(&short, State::InForce, none).await;
    desk.clock.advance(Duration::days(4));
    desk.until_suspension(&short, State::Ended, none).await;
    for _ in 0..600 {
        if heard(&desk).len() == 4 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let class = ("c1".to_owned(), Vec::new(), TeachingMode::Suspended);
    let grade = |mode| ("2135010001".to_owned(), vec![1], mode);
    let expected = [
        class.clone(),
        grade(TeachingMode::Suspended),
        grade(TeachingMode::InPerson),
        class,
    ];
    assert_eq!(heard(&desk), expected);
    assert_eq!(desk.suspension(&long).await.state(), State::InForce);
    let calls = desk.roster.heard.lock().expect("a lock").clone();
    assert_ne!(calls[0].request_id, calls[3].request_id);
}

pub(super) async fn two_that_end_together_keep_nobody_away(db: Database) {
    let desk = Desk::open(db).await;
    desk.roster.up.store(true, Ordering::SeqCst);
    let flu = influenza(&desk, 3, 0).await;
    let hand = |number| Sign {
        diagnosis: Some((Disease::HFMD, Certainty::Suspected)),
        ..ill(number, 3, 0, Symptom::Rash)
    };
    desk.say(&[hand(50), hand(51)]).await;
    let found = desk.standing().await;
    let suspends = |code: &str| code == "suspend-4-class";
    let hfmd = found
        .iter()
        .find(|one| suspends(&one.rule.clone().unwrap_or_default().code));
    let hfmd = hfmd.expect("a cluster").name.clone();
    let none = Duration::zero();
    for cluster in [&flu, &hfmd] {
        let name = desk.suspension(cluster).await.name;
        let decided = decide(&desk, &name, approve(None, 4)).await;
        decided.expect("decided");
        desk.until_suspension(cluster, State::InForce, none).await;
    }
    desk.clock.advance(Duration::days(4));
    for cluster in [&flu, &hfmd] {
        desk.until_suspension(cluster, State::Ended, none).await;
    }
    let class = |mode| ("c3".to_owned(), Vec::new(), mode);
    let (away, back) = (
        class(TeachingMode::Suspended),
        class(TeachingMode::InPerson),
    );
    assert_eq!(heard(&desk), [away.clone(), away, back.clone(), back]);
}

/// The states of the suspensions of a cluster, in the order of their numbers.
async fn states(desk: &Desk, cluster: &str) -> Vec<State> {
    let id = cluster.trim_start_matches("clusters/");
    let rows = desk
        .app
        .list_suspensions(&officer(), "2135010001", 0, "", 1000)
        .await
        .expect("suspensions");
    let mine = rows.iter().filter(|row| row.cluster == id);
    let states = mine.map(|row| State::try_from(i32::from(row.state)).expect("a state"));
    let mut states: Vec<State> = states.collect();
    states.sort();
    states
}

/// Rules 1.20, 1.21: what was rejected is proposed anew by what is graver, and what was decided stays.
pub(super) async fn a_graver_cluster_is_proposed_anew(db: Database) {
    let desk = Desk::open(db).await;
    let hand = |number, severity| Sign {
        severity,
        diagnosis: Some((Disease::HFMD, Certainty::Suspected)),
        ..ill(number, 1, 0, Symptom::Rash)
    };
    let mild = |number| hand(number, Severity::Mild);
    desk.say(&[mild(1), mild(2)]).await;
    let found = desk.standing().await;
    let suspends = |code: &str| code == "suspend-4-class";
    let cluster = found
        .iter()
        .find(|one| suspends(&one.rule.clone().unwrap_or_default().code));
    let cluster = cluster.expect("a cluster").name.clone();
    let reject = || async {
        desk.clock.advance(Duration::minutes(1));
        let proposed = State::Proposed as i16;
        let rows = desk
            .app
            .list_suspensions(&officer(), "2135010001", proposed, "", 1000)
            .await
            .expect("proposals");
        let id = cluster.trim_start_matches("clusters/");
        let row = rows.iter().find(|row| row.cluster == id);
        let name = format!("suspensions/{}", row.expect("a proposal").id);
        decide(&desk, &name, Decision::Reject)
            .await
            .expect("rejected");
        desk.clock.advance(Duration::minutes(1));
    };
    reject().await;
    desk.say(&[mild(3)]).await;
    assert_eq!(states(&desk, &cluster).await, [State::Rejected], "one more");
    // Somebody in hospital.
    desk.say(&[hand(3, Severity::Hospitalised)]).await;
    assert_eq!(
        states(&desk, &cluster).await,
        [State::Proposed, State::Rejected]
    );
    reject().await;
    desk.say(&[mild(4), mild(5)]).await;
    assert_eq!(states(&desk, &cluster).await, [State::Rejected; 2]);
    desk.say(&[mild(6)]).await;
    assert_eq!(
        states(&desk, &cluster).await,
        [State::Proposed, State::Rejected, State::Rejected],
        "twice as many"
    );
}
