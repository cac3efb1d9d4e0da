//! What is removed by its age, on both databases and by a clock that stands still: when, where, and what keeps it.

mod rows;

use chrono::TimeDelta;
use kit::db::Database;
use kit::field::to_timestamp;
use proto::roster::roster_event::State as Said;
use proto::roster::{DestructionOrder, Emergency, KeptCategory, RosterEvent};

use super::*;
use crate::app::destruction::SERVICE;
use crate::domain::health::absence::AbsenceState;
use crate::domain::health::check::Content;
use crate::domain::health::cluster_state::ClusterState;
use crate::domain::health::medical::Medical;
use crate::domain::measure::MeasureState;
use crate::domain::retention::Periods;
use crate::domain::roll::PersonId;
use crate::domain::tube::State;
use crate::store::controls;
use crate::store::health::checks::{CheckRow, SubmissionRow};
use crate::store::health::signs::SignRow;
use crate::store::tubes::TubeRow;
use rows::{
    CLASS, DISTRICT, Site, absence, case, check, cluster, contact, content, control, finding, hold,
    measure, medical, morning, patient, sign, then, tube, who,
};

kit::store_suite!(
    crate::Migrator;
    every_part_can_be_asked_anywhere,
    each_goes_after_its_own_time_and_not_before,
    what_needs_a_tube_keeps_it,
    what_is_said_of_somebody_is_kept_while_it_decides,
    a_control_keeps_its_contact_and_a_contact_its_case,
    normal_temperatures_leave_a_check_that_stays,
    what_an_emergency_gathered_waits_for_its_end,
    what_a_destruction_keeps_is_kept,
    each_place_goes_by_its_own_policy,
    nothing_goes_where_no_policy_says_so,
    a_part_is_bounded_and_tells_what_leaves_the_feed,
    one_replica_removes_at_a_time,
);

const HOLDS_AND_TUBES: [&str; 4] = ["tubes", "swabs", "holds", "rechecks"];

/// What is left without these.
fn without(all: &[&'static str], gone: &[&str]) -> Vec<&'static str> {
    let mut left = all.to_vec();
    left.retain(|table| !gone.contains(table));
    left
}

async fn tubes(site: &Site) -> Vec<String> {
    let rows = site.rows::<TubeRow>().await;
    rows.into_iter().map(|row| row.code).collect()
}

async fn every_part_can_be_asked_anywhere(db: Database) {
    let region = Region {
        place: "fz".to_owned(),
        below: vec![DISTRICT.to_owned()],
        periods: Periods {
            temperature_days: 30,
            absence_days: 365,
            report_card_years: 3,
            result_days: 180,
        },
        fever: 373,
    };
    let heard = Heard {
        start: then().0,
        end: None,
        kept: std::collections::BTreeSet::new(),
    };
    let old = Old {
        region: &region,
        before: Before::days(0, then().0, Day::from_number(9000)),
        kept: &[span(&heard)],
    };
    for part in &PARTS {
        assert!(!part.any(db.read(), &old).await.expect("asked"), "{part:?}");
        let tx = db.begin().await.expect("a transaction");
        let removed = part.remove(&tx, &old, 10).await.expect("removed");
        assert_eq!(removed.count, 0, "{part:?}");
        tx.commit().await.expect("committed");
    }
}

/// Tubes 180 days, what is said of people 365, cases 3 years of 366 days.
async fn each_goes_after_its_own_time_and_not_before(db: Database) {
    let site = Site::open(db).await;
    site.fill().await;
    let all = site.left().await;
    assert_eq!(all.len(), 17);
    site.sweep_after(180).await;
    assert_eq!(site.left().await, all);
    site.sweep_after(181).await;
    let left = without(&all, &HOLDS_AND_TUBES);
    assert_eq!(site.left().await, left);
    site.sweep_after(365).await;
    assert_eq!(site.left().await, left);
    site.sweep_after(366).await;
    assert_eq!(site.left().await, ["cases", "case_events"]);
    site.sweep_after(1098).await;
    assert_eq!(site.left().await, ["cases", "case_events"]);
    site.sweep_after(1099).await;
    assert_eq!(site.left().await, [] as [&str; 0]);
}

/// A laboratory, a hold in force, the hold that ordered it, a control, an open case, a sampling point.
async fn what_needs_a_tube_keeps_it(db: Database) {
    let site = Site::open(db).await;
    let time = then().0;
    let testing = |state: State| TubeRow {
        state: state.code(),
        ..tube("testing", CLASS)
    };
    let single = TubeRow {
        parent: "held".to_owned(),
        ..tube("single", CLASS)
    };
    let point = TubeRow {
        point: "samplingPoints/p".to_owned(),
        ..tube("point", CLASS)
    };
    let plain = ["case", "controlled", "free", "held"].map(|code| tube(code, CLASS));
    site.save(&plain).await;
    site.save(&[testing(State::Testing), single, point]).await;
    site.save(&[hold("held", 0), hold("controlled", time)])
        .await;
    site.save(&[control("holds/controlled", 1)]).await;
    site.save(&[finding("tubes/case", 2)]).await;
    site.save(&[case(2, 0)]).await;
    site.sweep_after(181).await;
    let kept = ["case", "controlled", "held", "point", "single", "testing"];
    assert_eq!(tubes(&site).await, kept);

    site.save(&[testing(State::Negative)]).await;
    site.save(&[hold("held", time)]).await;
    site.save(&[case(2, time)]).await;
    let tx = site.app.db.begin().await.expect("a transaction");
    let lifted = controls::lift(&tx, "holds/controlled", vec![who(1).into()]);
    lifted.await.expect("lifted");
    tx.commit().await.expect("committed");
    site.sweep_after(181).await;
    assert_eq!(tubes(&site).await, ["point"]);
}

/// Somebody excluded, somebody absent, an open case, an open cluster.
async fn what_is_said_of_somebody_is_kept_while_it_decides(db: Database) {
    let site = Site::open(db).await;
    let people = async || -> Vec<Vec<u8>> {
        let signs = site.rows::<SignRow>().await;
        signs.into_iter().map(|sign| sign.person).collect()
    };
    site.save(&[1, 2, 3, 4, 5].map(sign)).await;
    site.save(&[medical(1, Medical::Excluded)]).await;
    site.save(&[absence("a", 2, AbsenceState::Open)]).await;
    site.save(&[case(3, 0)]).await;
    site.save(&[cluster(ClusterState::Open)]).await;
    site.save(&[patient(4)]).await;
    site.sweep_after(366).await;
    assert_eq!(people().await, [1, 2, 3, 4].map(who));
    let left = site.left().await;
    let all = [
        "signs",
        "cluster_people",
        "absences",
        "medical_states",
        "cases",
    ];
    assert_eq!(left, all);

    site.save(&[medical(1, Medical::Normal)]).await;
    site.save(&[absence("a", 2, AbsenceState::Ended)]).await;
    site.save(&[case(3, then().0)]).await;
    site.save(&[cluster(ClusterState::Closed)]).await;
    site.sweep_after(366).await;
    assert_eq!(site.left().await, ["cases"], "three years are not over");
}

async fn a_control_keeps_its_contact_and_a_contact_its_case(db: Database) {
    let site = Site::open(db).await;
    site.save(&[case(1, then().0)]).await;
    site.save(&[contact(2)]).await;
    site.save(&[control("cases/c1", 2)]).await;
    site.save(&[measure(MeasureState::Placed)]).await;
    site.sweep_after(1099).await;
    let all = ["case_contacts", "control_measures", "cases"];
    assert_eq!(site.left().await, all);

    let tx = site.app.db.begin().await.expect("a transaction");
    let lifted = controls::lift(&tx, "cases/c1", vec![who(2).into()]);
    lifted.await.expect("lifted");
    tx.commit().await.expect("committed");
    site.save(&[measure(MeasureState::Lifted)]).await;
    site.sweep_after(1099).await;
    assert_eq!(site.left().await, [] as [&str; 0]);
}

async fn normal_temperatures_leave_a_check_that_stays(db: Database) {
    let site = Site::open(db).await;
    let read = async || -> Vec<Content> {
        let checks = site.rows::<CheckRow>().await;
        let contents = checks.into_iter().map(|row| row.content);
        let gone = site.rows::<SubmissionRow>().await;
        let contents = contents.chain(gone.into_iter().map(|row| row.content));
        let content = |bytes: Vec<u8>| Content::unpack(&bytes).expect("content");
        contents.map(content).collect()
    };
    let first = check(&content());
    let next = CheckRow {
        day: first.day + 1,
        ..first.clone()
    };
    site.save(&[first.clone(), next]).await;
    site.save(&[first.superseded()]).await;
    site.sweep_after(30).await;
    assert_eq!(read().await, [content(), content(), content()]);
    site.sweep_after(31).await;
    let rest = Content {
        readings: vec![(PersonId([1; 16]), 371)],
        ..content()
    };
    assert_eq!(read().await, [rest.clone(), content(), rest.clone()]);
    site.sweep_after(32).await;
    assert_eq!(read().await, [rest.clone(), rest.clone(), rest]);
}

/// An emergency from an hour before the morning on, with its end and what its destruction keeps.
async fn hear(site: &Site, end: Option<DateTime<Utc>>, kept: Option<&str>) {
    let emergency = Emergency {
        name: format!("emergencies/{}", Uuid::from_u128(1)),
        start_time: Some(to_timestamp(morning() - TimeDelta::hours(1))),
        end_time: end.map(to_timestamp),
        ..Emergency::default()
    };
    let said = match kept {
        None => Said::Emergency(emergency),
        Some(category) => Said::DestructionOrder(DestructionOrder {
            destruction_job: "destructionJobs/1".to_owned(),
            emergency: Some(emergency),
            keeps: vec![KeptCategory {
                service: SERVICE.to_owned(),
                category: category.to_owned(),
                legal_reason: "传染病防治法".to_owned(),
            }],
        }),
    };
    let event = RosterEvent {
        state: Some(said),
        ..RosterEvent::default()
    };
    let tx = site.app.db.begin().await.expect("a transaction");
    let heard = kit::destruction::hear(&tx, SERVICE, &[event]).await;
    heard.expect("heard");
    tx.commit().await.expect("committed");
}

/// While it is open, and then as long as everything is kept.
async fn what_an_emergency_gathered_waits_for_its_end(db: Database) {
    let site = Site::open(db).await;
    site.fill().await;
    hear(&site, None, None).await;
    let all = site.left().await;
    site.sweep_after(400).await;
    assert_eq!(site.left().await, all);
    let checks = site.rows::<CheckRow>().await;
    let [kept] = &checks[..] else {
        panic!("one check")
    };
    assert_eq!(kept.content().expect("content"), content());

    hear(&site, Some(morning() + TimeDelta::days(400)), None).await;
    site.sweep_after(580).await;
    assert_eq!(site.left().await, all);
    let checks = site.rows::<CheckRow>().await;
    assert!(checks.iter().all(|row| row.content != kept.content));
    site.sweep_after(581).await;
    assert_eq!(site.left().await, without(&all, &HOLDS_AND_TUBES));
    site.sweep_after(766).await;
    assert_eq!(site.left().await, ["cases", "case_events"]);
}

async fn what_a_destruction_keeps_is_kept(db: Database) {
    let site = Site::open(db).await;
    site.fill().await;
    let end = Some(morning() + TimeDelta::days(10));
    hear(&site, end, Some("tube-results")).await;
    let later = TubeRow {
        day: then().1 + 20,
        ..tube("later", CLASS)
    };
    site.save(&[later]).await;
    site.sweep_after(4000).await;
    assert_eq!(site.left().await, ["tubes", "swabs"]);
    assert_eq!(
        tubes(&site).await,
        ["t"],
        "what came after it is not its own"
    );
}

async fn each_place_goes_by_its_own_policy(db: Database) {
    let site = Site::open(db).await;
    site.organization("350102", DISTRICT).await;
    let longer = |policy: &mut proto::roster::PolicyProfile| {
        if let Some(kept) = &mut policy.retention {
            kept.result_days = 365;
        }
    };
    site.policy("organizations/350102", longer).await;
    let places = [("city", "fz"), ("other", "fz/350103/s/c"), ("own", CLASS)];
    site.save(&places.map(|(code, place)| tube(code, place)))
        .await;
    site.sweep_after(181).await;
    assert_eq!(tubes(&site).await, ["own"]);
    site.sweep_after(366).await;
    assert_eq!(tubes(&site).await, [] as [&str; 0]);
}

async fn nothing_goes_where_no_policy_says_so(db: Database) {
    let site = Site::open(db).await;
    site.organization("350102", DISTRICT).await;
    let silent = |policy: &mut proto::roster::PolicyProfile| policy.retention = None;
    site.policy("organizations/350102", silent).await;
    site.save(&[tube("own", CLASS), tube("other", "fz/350103/s/c")])
        .await;
    site.sweep_after(4000).await;
    assert_eq!(tubes(&site).await, ["own"]);
}

async fn a_part_is_bounded_and_tells_what_leaves_the_feed(db: Database) {
    let site = Site::open(db).await;
    let closed = TubeRow {
        state: State::Closed.code(),
        ..tube("c", CLASS)
    };
    site.save(&[tube("a", CLASS), tube("b", CLASS), closed])
        .await;
    let part = PARTS.iter().find(|part| part.kind == "tube");
    let part = part.expect("tubes are removed");
    let facts = site.app.facts.get(site.app.db.read()).await.expect("facts");
    let today = site.app.today();
    let regions = regions(&facts.policies, &BTreeMap::new(), today);
    let old = Old {
        region: &regions[0],
        before: Before::days(0, i64::MAX, today.after()),
        kept: &[],
    };
    let mut told = Vec::new();
    for _ in 0..3 {
        let tx = site.app.db.begin().await.expect("a transaction");
        let removed = part.remove(&tx, &old, 2).await.expect("removed");
        tx.commit().await.expect("committed");
        let names = removed.leaving.into_iter().map(|it| it.name);
        told.push((removed.count, names.collect::<Vec<_>>()));
    }
    let both = vec!["tubes/a".to_owned(), "tubes/b".to_owned()];
    assert_eq!(told, [(2, both), (1, Vec::new()), (0, Vec::new())]);
}

async fn one_replica_removes_at_a_time(db: Database) {
    let site = Site::open(db).await;
    site.save(&[tube("t", CLASS)]).await;
    let other = lease::take(&site.app.db, LEASE, "another replica", TTL).await;
    let other = other.expect("asked").expect("free");
    site.sweep_after(181).await;
    assert_eq!(tubes(&site).await, ["t"]);
    other.release(&site.app.db).await.expect("released");
    site.sweep_after(181).await;
    assert_eq!(tubes(&site).await, [] as [&str; 0]);
}
