//! Who is told of which alert, and when: one suite for both databases.

use crate::town;
use chrono::Duration;
use kit::clock::Clock;
use kit::db::{Database, statement};
use notification::Migrator;
use notification::domain::alert::{State, Step, Verb};
use notification::domain::fact::{Kind, Severity};
use notification::domain::party::Party;
use notification::store::Store;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::town::desk::{Desk, cluster, interview, overdue, parties};
use crate::town::{
    BUREAU_PATH, OTHER_PATH, SCHOOL_PATH, SISTER_PATH, duties, morning, placed, released, roster,
    sampling, staff,
};

kit::store_suite!(Migrator;
    the_owner_is_told_at_once_of_what_is_critical,
    an_organisation_is_told_where_nobody_answers,
    what_waits_is_told_together_and_once,
    what_waits_is_told_to_who_answers_meanwhile,
    what_becomes_critical_waits_no_longer,
    what_becomes_graver_is_told_to_whoever_has_seen_it,
    a_new_owner_is_told_of_what_somebody_saw_before,
    another_alert_speaks_for_it_until_that_one_ends,
    a_silence_keeps_it_from_being_told_until_it_is_over,
    nobody_is_passed_by_while_a_silence_lasts,
    an_alert_goes_up_to_who_answers_and_they_are_told,
    two_replicas_escalate_and_take_each_once,
    a_thousand_facts_are_raised_in_one_batch,
    what_was_told_long_ago_is_forgotten,
);

async fn the_owner_is_told_at_once_of_what_is_critical(db: Database) {
    let desk = Desk::new(db).await;
    desk.hear(placed(SCHOOL_PATH, "T1", 1)).await;
    desk.hear(placed(SCHOOL_PATH, "T1", 2)).await;
    let alert = desk.alert("holds/T1").await;
    let [told] = &desk.taken().await[..] else {
        panic!("one message")
    };
    assert_eq!(told.bases, [alert.name()]);
    assert_eq!((told.count, told.severity), (1, Severity::Critical));
    assert_eq!(told.party.name(), staff(1));
    assert_eq!((told.title.clone(), told.title_en.clone()), alert.title());
    assert_eq!((told.kind, &*told.template), (Kind::HoldPlaced, ""));
    assert_eq!(told.figures, alert.figures);
    assert_eq!(desk.taken().await, []);
}

async fn an_organisation_is_told_where_nobody_answers(db: Database) {
    let desk = Desk::new(db).await;
    desk.hear(placed(OTHER_PATH, "T2", 1)).await;
    let told = desk.taken().await;
    assert_eq!(parties(&told), [town::OTHER]);
}

async fn what_waits_is_told_together_and_once(db: Database) {
    let desk = Desk::new(db).await;
    for number in 1..=3 {
        desk.hear(interview(number, 1, true)).await;
        desk.clock.advance(Duration::minutes(10));
    }
    // Thirty minutes after the first: the third came in time.
    desk.clock.advance(Duration::seconds(-1));
    assert_eq!(desk.taken().await, []);
    desk.clock.advance(Duration::seconds(1));
    desk.hear(interview(4, 1, true)).await;
    let [told] = &desk.taken().await[..] else {
        panic!("one message")
    };
    assert_eq!((told.count, told.bases.len()), (3, 3));
    assert!(
        told.title.ends_with("（另有同类预警 2 条）"),
        "{}",
        told.title
    );
    assert_eq!(told.party, Party::parse(&staff(1)).expect("a party"));
    // The fourth began another wait.
    assert_eq!(desk.taken().await, []);
    desk.clock.advance(Duration::minutes(30));
    let told = desk.taken().await;
    assert_eq!((told.len(), told[0].count), (1, 1));
}

async fn what_waits_is_told_to_who_answers_meanwhile(db: Database) {
    let desk = Desk::new(db).await;
    desk.hear(interview(1, 1, true)).await;
    roster(&desk.db, &[duties(SCHOOL_PATH, 2, &staff(2))], 1).await;
    desk.hear(interview(2, 1, true)).await;
    desk.clock.advance(Duration::minutes(30));
    let told = desk.taken().await;
    assert_eq!((parties(&told), told[0].count), (vec![staff(2)], 2));
    assert_eq!(desk.alert("absences/A1").await.owner, staff(2));
}

async fn what_becomes_critical_waits_no_longer(db: Database) {
    let desk = Desk::new(db).await;
    let tx = desk.db.begin().await.expect("a transaction");
    let mut rule = notification::domain::rulebook::shipped(Kind::ClusterFound)
        .rule
        .clone();
    rule.group_wait = Duration::hours(1);
    rule.version = 1;
    Store::add_rule(&tx, &rule, "officer-1", morning())
        .await
        .expect("stored");
    tx.commit().await.expect("committed");
    desk.hear(cluster(1, 3, false)).await;
    assert_eq!(desk.taken().await, []);
    desk.hear(cluster(2, 3, true)).await;
    let told = desk.taken().await;
    assert_eq!((told.len(), told[0].severity), (1, Severity::Critical));
    let alert = desk.alert("clusters/C1").await;
    assert_eq!(
        (alert.rule_version, alert.severity),
        (1, Severity::Critical)
    );
}

/// Somebody sees an alert.
async fn see(desk: &Desk, basis: &str) {
    let tx = desk.db.begin().await.expect("a transaction");
    Store::lock_alerts(&tx).await.expect("locked");
    let step = Step {
        subject: "doctor-1".to_owned(),
        time: desk.clock.now(),
        comment: String::new(),
    };
    let seen = desk.alert(basis).await;
    let seen = seen.apply(Verb::Acknowledge, step).expect("seen");
    Store::write_alerts(&tx, seen.into(), desk.clock.now())
        .await
        .expect("written");
    tx.commit().await.expect("committed");
}

async fn what_becomes_graver_is_told_to_whoever_has_seen_it(db: Database) {
    let desk = Desk::new(db).await;
    desk.hear(cluster(1, 3, false)).await;
    let told = desk.taken().await;
    assert_eq!((told.len(), told[0].severity), (1, Severity::Warning));
    see(&desk, "clusters/C1").await;
    desk.hear(cluster(2, 3, true)).await;
    let alert = desk.alert("clusters/C1").await;
    assert_eq!((alert.state, alert.told_level), (State::Open, 0));
    assert!(alert.next.is_some(), "the clock goes on");
    let anew = desk.taken().await;
    assert_eq!((anew.len(), anew[0].severity), (1, Severity::Critical));
    assert_eq!(parties(&anew), parties(&told));
    assert_ne!(anew[0].id, told[0].id);
    desk.hear(cluster(3, 4, true)).await;
    assert_eq!(desk.taken().await, [], "once");
}

async fn a_new_owner_is_told_of_what_somebody_saw_before(db: Database) {
    let desk = Desk::new(db).await;
    desk.hear(placed(SCHOOL_PATH, "T1", 1)).await;
    assert_eq!(parties(&desk.taken().await), [staff(1)]);
    see(&desk, "holds/T1").await;
    roster(&desk.db, &[duties(SCHOOL_PATH, 2, &staff(2))], 1).await;
    let told = desk.taken().await;
    assert_eq!(parties(&told), [staff(2)]);
    assert_eq!(told[0].bases, [desk.alert("holds/T1").await.name()]);
    let alert = desk.alert("holds/T1").await;
    assert_eq!((alert.state, alert.next), (State::Acknowledged, None));
    // What is over is nobody's any more.
    desk.hear(released(SCHOOL_PATH, "T1", 2)).await;
    roster(&desk.db, &[duties(SCHOOL_PATH, 3, &staff(3))], 1).await;
    assert_eq!(desk.taken().await, []);
}

async fn another_alert_speaks_for_it_until_that_one_ends(db: Database) {
    let desk = Desk::new(db).await;
    desk.hear(overdue("cases/K1", 1, true, false)).await;
    desk.hear(overdue("cases/K2", 1, false, true)).await;
    let speaks = desk.alert("cases/K1").await.name();
    let kept = desk.alert("cases/K2").await;
    assert_eq!((&kept.inhibited_by, kept.told_level), (&speaks, -1));
    assert_eq!(desk.taken().await[0].bases, std::slice::from_ref(&speaks));
    // The other one ends, and it still stands.
    desk.hear(overdue("cases/K1", 2, false, false)).await;
    let freed = desk.alert("cases/K2").await;
    assert_eq!((&*freed.inhibited_by, freed.told_level), ("", 0));
    let told = desk.taken().await;
    assert_eq!((told.len(), &told[0].bases), (1, &vec![freed.name()]));
    // What has ended meanwhile is not told.
    desk.hear(overdue("cases/K3", 1, true, false)).await;
    desk.hear(overdue("cases/K4", 1, false, true)).await;
    desk.taken().await;
    desk.hear(overdue("cases/K4", 2, false, false)).await;
    desk.hear(overdue("cases/K3", 2, false, false)).await;
    assert_eq!(desk.taken().await, []);
}

async fn a_silence_keeps_it_from_being_told_until_it_is_over(db: Database) {
    let desk = Desk::new(db).await;
    let kinds = [Kind::ClusterFound, Kind::HoldPlaced];
    let until = morning() + Duration::hours(1);
    let silence = desk.silence(BUREAU_PATH, &kinds, until).await;
    desk.hear(cluster(1, 3, false)).await;
    // Critical ones are never silenced.
    desk.hear(placed(SCHOOL_PATH, "T1", 1)).await;
    let told = desk.taken().await;
    assert_eq!((told.len(), told[0].kind), (1, Kind::HoldPlaced));
    let kept = desk.alert("clusters/C1").await;
    assert_eq!(kept.silenced_by, silence.name());
    desk.clock.advance(Duration::minutes(10));
    desk.tick().await;
    assert_eq!(desk.taken().await, []);
    // It was ended early: what stands is told.
    desk.save(silence.end("officer-2", desk.clock.now())).await;
    desk.tick().await;
    desk.tick().await;
    let told = desk.taken().await;
    assert_eq!((told.len(), told[0].kind), (1, Kind::ClusterFound));
    assert_eq!(desk.alert("clusters/C1").await.silenced_by, "");
    // One that runs out by itself; what was told is escalated all the same, and kept there.
    let next = desk.alert("clusters/C1").await.next.expect("its time runs");
    let silence = desk.silence("fz", &kinds, next + Duration::hours(1)).await;
    desk.clock
        .advance(next - desk.clock.now() + Duration::minutes(1));
    desk.tick().await;
    let kept = desk.alert("clusters/C1").await;
    assert_eq!((kept.level, &kept.silenced_by), (1, &silence.name()));
    let critical = desk.taken().await;
    assert!(critical.iter().all(|told| told.kind == Kind::HoldPlaced));
    desk.clock.advance(Duration::minutes(60));
    desk.tick().await;
    let told = desk.taken().await;
    let cluster = told.iter().find(|told| told.kind == Kind::ClusterFound);
    assert_eq!(cluster.expect("told").party.name(), staff(20));
}

/// The school hears first, however long its alert was kept, and then has its time.
async fn nobody_is_passed_by_while_a_silence_lasts(db: Database) {
    let desk = Desk::new(db).await;
    let until = morning() + Duration::hours(20);
    desk.silence("fz", &[Kind::ClusterFound], until).await;
    desk.hear(cluster(1, 3, false)).await;
    for _ in 0..3 {
        desk.clock.advance(Duration::hours(6));
        desk.tick().await;
    }
    let kept = desk.alert("clusters/C1").await;
    assert_eq!((kept.level, kept.told_level, kept.next), (0, -1, None));
    assert_eq!(desk.taken().await, []);
    desk.clock.advance(Duration::hours(2));
    desk.tick().await;
    assert_eq!(parties(&desk.taken().await), [staff(1)]);
    desk.tick().await;
    let told = desk.alert("clusters/C1").await;
    assert_eq!((told.level, told.told_level), (0, 0));
    let left = told.next.expect("the clock goes on") - desk.clock.now();
    assert!(left > Duration::zero(), "{left}");
    desk.clock.advance(left + Duration::minutes(1));
    desk.tick().await;
    assert_eq!(parties(&desk.taken().await), [staff(20)]);
}

async fn an_alert_goes_up_to_who_answers_and_they_are_told(db: Database) {
    let desk = Desk::new(db).await;
    desk.hear(placed(SCHOOL_PATH, "T1", 1)).await;
    desk.hear(placed(OTHER_PATH, "T2", 1)).await;
    desk.taken().await;
    desk.clock.advance(Duration::minutes(11));
    desk.tick().await;
    let mut told = parties(&desk.taken().await);
    told.sort_unstable();
    // Nobody answers at the other bureau: the city is asked at once.
    assert_eq!(told, [staff(20), staff(30)]);
    let first = desk.alert("holds/T1").await;
    assert_eq!((first.level, &first.owner), (1, &staff(20)));
    assert_eq!(desk.alert("holds/T2").await.level, 2);
    // Whoever answers at the bureau changes.
    let other = [duties(BUREAU_PATH, 2, &staff(21))];
    roster(&desk.db, &other, 1).await;
    assert_eq!(desk.alert("holds/T1").await.owner, staff(21));
    assert_eq!(parties(&desk.taken().await), [staff(21)], "they are told");
    roster(&desk.db, &[duties(SCHOOL_PATH, 2, &staff(2))], 1).await;
    assert_eq!(desk.alert("holds/T1").await.owner, staff(21));
    desk.clock.advance(Duration::minutes(31));
    desk.tick().await;
    desk.clock.advance(Duration::days(2));
    desk.tick().await;
    assert_eq!(parties(&desk.taken().await), [staff(30)]);
    let last = desk.alert("holds/T1").await;
    assert_eq!((last.level, last.next), (2, None));
}

async fn two_replicas_escalate_and_take_each_once(db: Database) {
    let desk = Desk::new(db).await;
    for number in 1..=30 {
        desk.hear(placed(SCHOOL_PATH, &format!("T{number}"), 1))
            .await;
    }
    let other = Store::new(desk.db.clone());
    desk.clock.advance(Duration::minutes(11));
    let now = desk.clock.now();
    let (first, second) = tokio::join!(desk.store.escalate_alerts(now), other.escalate_alerts(now));
    assert_eq!(first.expect("done") + second.expect("done"), 30);
    let (first, second) = tokio::join!(desk.taken(), desk.taken());
    let mut ids: Vec<Uuid> = first.iter().chain(&second).map(|told| told.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), first.len() + second.len()), (60, 60));
}

async fn a_thousand_facts_are_raised_in_one_batch(db: Database) {
    let desk = Desk::new(db).await;
    let paths = [SCHOOL_PATH, SISTER_PATH, OTHER_PATH];
    let at = |number: usize| paths[number % paths.len()];
    let code = |number: usize| format!("T{number}");
    let mut events: Vec<_> = (0..1000).map(|n| placed(at(n), &code(n), 1)).collect();
    // One of them comes and goes within the batch, and comes again.
    events.push(released(at(0), "T0", 2));
    events.push(placed(at(0), "T0", 3));
    sampling(&desk.db, &desk.clock, &events, 1).await;
    let alerts = desk.store.alerts("", (None, None), None, 2000).await;
    let alerts = alerts.expect("read");
    assert_eq!(alerts.len(), 1001);
    let open = alerts.iter().filter(|alert| alert.state == State::Open);
    assert_eq!(open.count(), 1000);
    assert_eq!(desk.store.alert_revision().await.expect("read"), 1001);
    assert_eq!(desk.taken().await.len(), 1000);
    let gone: Vec<_> = (0..1000).map(|n| released(at(n), &code(n), 9)).collect();
    sampling(&desk.db, &desk.clock, &gone, 1).await;
    let open = desk.store.alerts("", (Some(State::Open), None), None, 10);
    assert_eq!(open.await.expect("read"), []);
    assert_eq!(desk.taken().await, []);
}

async fn what_was_told_long_ago_is_forgotten(db: Database) {
    let desk = Desk::new(db).await;
    desk.hear(placed(SCHOOL_PATH, "T1", 1)).await;
    desk.hear(placed(SCHOOL_PATH, "T2", 1)).await;
    desk.taken().await;
    desk.hear(placed(SCHOOL_PATH, "T3", 1)).await;
    let left = async |days| {
        let now = morning() + Duration::days(days);
        desk.store.forget_told(now, 1).await.expect("forgotten");
        let sql = "SELECT COUNT(*) FROM told";
        let row = desk
            .db
            .read()
            .query_one_raw(statement(desk.db.read(), sql, []));
        let row = row.await.expect("read").expect("a row");
        row.try_get_by_index::<i64>(0).expect("a number")
    };
    assert_eq!(left(29).await, 3);
    // What nobody has taken stays.
    assert_eq!([left(31).await, left(31).await, left(31).await], [2, 1, 1]);
}
