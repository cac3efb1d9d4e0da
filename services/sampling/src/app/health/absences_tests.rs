//! What checks report of absences, on both databases.

use std::sync::Arc;

use chrono::NaiveDate;
use kit::auth::{AuthConfig, Credentials};
use kit::clock::{Clock, ManualClock};
use kit::db::Database;
use kit::teaching::Teaching;

use super::*;
use crate::domain::commitment::Signer;
use crate::domain::health::absence::AbsenceState;
use crate::domain::health::absence_tally::AbsenceTally;
use crate::store::health::absences::tallies_below;
use crate::store::health::signs;
use crate::store::policy::{FactsCache, save_policies};

kit::store_suite!(crate::Migrator;
    reports_open_one_absence_each_in_any_order,
    an_absence_that_ended_is_counted_no_more,
);

const SCHOOL: &str = "fz/350102/2135010001";

fn monday() -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, 3, 28).expect("a day")
}

/// The service's use cases under the shipped policy.
async fn app(db: Database) -> App {
    let shipped = roster::shipped_policies(DateTime::UNIX_EPOCH);
    let mut policy = shipped.into_iter().next().expect("Fuzhou ships");
    policy.effective_date = Some(kit::field::to_date(monday()));
    let tx = db.begin().await.expect("a transaction");
    let policies = [("policyProfiles/fuzhou-2022-04-1".to_owned(), 1, &policy)];
    save_policies(&tx, &policies, 1).await.expect("a policy");
    tx.commit().await.expect("committed");
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::morning_of(monday()));
    let credentials = Credentials::new(&AuthConfig::development(), "sampling", clock.clone());
    let channel = kit::channel::connect_lazy("http://127.0.0.1:1").expect("an address");
    App {
        db,
        clock,
        teaching: Teaching::new(channel, credentials),
        signer: Arc::new(Signer::new(&[7; 32])),
        facts: FactsCache::default(),
        entropy: rand::random,
    }
}

fn report(person: u8, reason: Reason, days_ago: u16) -> AbsenceReport {
    AbsenceReport {
        person: PersonId([person; 16]),
        kind: GroupKind::Students,
        group_path: format!("{SCHOOL}/p2019-01"),
        day: Day::from_number(Day::from(monday()).number() - days_ago),
        reason: reason.code(),
        check: "checks/1".to_owned(),
        reporter: "teacher".to_owned(),
    }
}

/// Reports together, as one check's transaction does.
async fn reports(app: &App, reports: &[AbsenceReport]) {
    let tx = app.db.begin().await.expect("a transaction");
    app.lock_health(&tx, &[SCHOOL]).await.expect("locked");
    let now = app.clock.now();
    app.report_absences(&tx, reports, now)
        .await
        .expect("reported");
    tx.commit().await.expect("committed");
}

async fn open(app: &App) -> Vec<AbsenceRow> {
    let tx = app.db.begin().await.expect("a transaction");
    let people: Vec<Value> = (0..4_u8).map(|person| vec![person; 16].into()).collect();
    let mut rows = absences::open_of(&tx, &people).await.expect("rows");
    rows.sort_by(|one, other| one.person.cmp(&other.person));
    rows
}

async fn tally(app: &App) -> AbsenceTally {
    let place = "fz".parse().expect("a place");
    let tallies = tallies_below(app.db.read(), &place)
        .await
        .expect("counters");
    let mut tallies = tallies.into_iter();
    let first = tallies.next().map(|(school, tally)| {
        assert_eq!(school, SCHOOL);
        tally
    });
    assert_eq!(tallies.next(), None);
    first.unwrap_or_default()
}

async fn reports_open_one_absence_each_in_any_order(db: Database) {
    let app = app(db).await;
    let said = [
        report(1, Reason::Unknown, 0),
        report(2, Reason::WeatherDelay, 0),
        report(1, Reason::Illness, 1),
    ];
    reports(&app, &said).await;
    let rows = open(&app).await;
    assert_eq!(rows.len(), 2);
    let (ill, delayed) = (&rows[0], &rows[1]);
    assert_eq!(
        (ill.reason, ill.state),
        (Reason::Illness.code(), AbsenceState::Open.code())
    );
    assert_eq!(
        ill.start_day,
        i32::from(said[2].day.number()),
        "the earliest day"
    );
    assert_eq!(delayed.state, AbsenceState::Excused.code());
    assert_eq!((delayed.contact_due, delayed.upload_due), (0, 0));
    let counted = tally(&app).await;
    assert_eq!(counted.count(Reason::Illness, AbsenceState::Open), 1);
    assert_eq!(
        counted.count(Reason::WeatherDelay, AbsenceState::Excused),
        1
    );
    let tx = app.db.begin().await.expect("a transaction");
    let (ill_name, delayed_name) = (ill.name(), delayed.name());
    let signs = signs::of_sources(&tx, &[&ill_name, &delayed_name])
        .await
        .expect("signs");
    drop(tx);
    let days: Vec<Day> = signs.iter().map(|sign| sign.day).collect();
    assert_eq!(
        days,
        [said[2].day],
        "one sign on the first day, of the illness alone"
    );

    let mut turned = said.to_vec();
    turned.reverse();
    reports(&app, &turned).await;
    assert_eq!(
        open(&app).await,
        rows,
        "neither order nor repetition matters"
    );
    assert_eq!(tally(&app).await, counted);
    let worse = [report(2, Reason::Isolation, 2)];
    reports(&app, &worse).await;
    let counted = tally(&app).await;
    assert_eq!(
        counted.count(Reason::WeatherDelay, AbsenceState::Excused),
        0
    );
    assert_eq!(counted.count(Reason::Isolation, AbsenceState::Open), 1);
}

async fn an_absence_that_ended_is_counted_no_more(db: Database) {
    let app = app(db).await;
    reports(&app, &[report(1, Reason::Personal, 0)]).await;
    let before = open(&app).await.pop().expect("one");
    let now = app.clock.now();
    let tx = app.db.begin().await.expect("a transaction");
    app.lock_health(&tx, &[SCHOOL]).await.expect("locked");
    let ended = AbsenceRow {
        return_time: now.timestamp_millis(),
        ..before.clone()
    };
    let changed = vec![(Some(before.clone()), ended)];
    app.keep_absences(&tx, changed, now).await.expect("kept");
    tx.commit().await.expect("committed");
    assert_eq!(tally(&app).await, AbsenceTally::default());
    assert_eq!(open(&app).await, []);
    reports(&app, &[report(1, Reason::Personal, 0)]).await;
    let next = open(&app).await.pop().expect("one");
    assert_ne!(next.id, before.id, "the next absence is another one");
}
