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
    what_a_check_takes_back_is_taken_back,
    what_people_found_out_outlives_the_reports,
    any_order_of_what_checks_say_ends_alike,
    an_absence_that_ended_is_counted_no_more,
    sick_days_count_from_the_first_day_of_illness,
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
        check: format!("checks/{days_ago}"),
        reporter: "teacher".to_owned(),
    }
}

/// Reports together, as one check's transaction does.
async fn reports(app: &App, reports: &[AbsenceReport]) {
    let tx = app.db.begin().await.expect("a transaction");
    app.lock_health(&tx, &[SCHOOL]).await.expect("locked");
    let now = app.clock.now();
    let spoke = reports.iter().map(|report| (report.check.clone(), true));
    app.report_absences(&tx, &spoke.collect(), reports, now)
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
    assert!(
        signs.iter().all(|sign| sign.until > Day::from(monday())),
        "it goes on until the return"
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

/// Rule 1.12: days away for another reason are no sick days.
async fn sick_days_count_from_the_first_day_of_illness(db: Database) {
    let app = app(db).await;
    let today = i32::from(Day::from(monday()).number());
    reports(&app, &[report(1, Reason::Personal, 2)]).await;
    let yesterday = [report(2, Reason::Illness, 1), report(3, Reason::Unknown, 1)];
    reports(&app, &yesterday).await;
    let now = [report(1, Reason::Illness, 0), report(2, Reason::Illness, 0)];
    reports(&app, &now).await;
    let rows = open(&app).await;
    let days: Vec<_> = rows
        .iter()
        .map(|row| (row.start_day, row.ill_day))
        .collect();
    let expected = [(today - 2, today), (today - 1, today - 1), (today - 1, 0)];
    assert_eq!(days, expected);
    // Whoever is reached after nobody knew why was ill from the first day on.
    let mut traced = open(&app).await.pop().expect("three");
    reached(&mut traced, Reason::Illness, app.clock.now());
    assert_eq!(traced.ill_day, today - 1);
    let mut other = AbsenceRow {
        reported: Reason::Personal.code(),
        ill_day: 0,
        told: 0,
        ..traced
    };
    reached(&mut other, Reason::Illness, app.clock.now());
    assert_eq!(other.ill_day, today);
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
    assert_eq!(open(&app).await, [], "the same check says nothing new");
    reports(&app, &[report(1, Reason::Personal, 1)]).await;
    let next = open(&app).await.pop().expect("one");
    assert_ne!(next.id, before.id, "the next absence is another one");
}

/// One check says this and nothing else from now on.
async fn says(app: &App, check: &str, said: &[(u8, Reason)]) {
    let tx = app.db.begin().await.expect("a transaction");
    app.lock_health(&tx, &[SCHOOL]).await.expect("locked");
    let reports: Vec<AbsenceReport> = said
        .iter()
        .map(|(person, reason)| AbsenceReport {
            check: check.to_owned(),
            ..report(*person, *reason, u16::try_from(check.len()).expect("short"))
        })
        .collect();
    let spoke = BTreeMap::from([(check.to_owned(), true)]);
    app.report_absences(&tx, &spoke, &reports, app.clock.now())
        .await
        .expect("reported");
    tx.commit().await.expect("committed");
}

async fn signs_of(app: &App, row: &AbsenceRow) -> usize {
    let tx = app.db.begin().await.expect("a transaction");
    let signs = signs::of_sources(&tx, &[&row.name()]).await;
    signs.expect("signs").len()
}

async fn what_a_check_takes_back_is_taken_back(db: Database) {
    let app = app(db).await;
    says(&app, "a", &[(1, Reason::Illness), (2, Reason::Illness)]).await;
    let [first, second] = <[AbsenceRow; 2]>::try_from(open(&app).await).expect("two");
    assert!(first.contact_due != 0 && first.upload_due != 0);
    // The first is taken back, the second was away for another reason.
    says(&app, "a", &[(2, Reason::Personal)]).await;
    let left = open(&app).await;
    let [now] = left.as_slice() else {
        panic!("one is left, not {}", left.len())
    };
    assert_eq!((&now.id, now.reason), (&second.id, Reason::Personal.code()));
    assert_eq!((now.due_upload(), signs_of(&app, now).await), (0, 0));
    assert_eq!(
        now.upload_due, second.upload_due,
        "should it be one after all"
    );
    assert_eq!(signs_of(&app, &first).await, 0, "nobody is taken for ill");
    let counted = tally(&app).await;
    assert_eq!(counted.count(Reason::Illness, AbsenceState::Open), 0);
    assert_eq!(counted.count(Reason::Personal, AbsenceState::Open), 1);
    let withdrawn = AbsenceRow::get(app.db.read(), &first.id, Lock::No).await;
    let withdrawn = withdrawn.expect("read").expect("kept");
    assert_eq!(
        (withdrawn.state, withdrawn.contact_due),
        (AbsenceState::Withdrawn.code(), 0)
    );
    // Another check that reports the second keeps it, from the earliest day that stands.
    says(&app, "bbb", &[(2, Reason::Unknown)]).await;
    says(&app, "a", &[]).await;
    let kept = open(&app).await.pop().expect("one");
    assert_eq!(
        (&kept.id, kept.reason),
        (&second.id, Reason::Unknown.code())
    );
    assert_eq!(kept.check_name, "bbb");
    says(&app, "bbb", &[]).await;
    assert_eq!(open(&app).await, []);
    assert_eq!(tally(&app).await, AbsenceTally::default());
}

async fn what_people_found_out_outlives_the_reports(db: Database) {
    let app = app(db).await;
    says(&app, "a", &[(1, Reason::Unknown)]).await;
    let before = open(&app).await.pop().expect("one");
    let now = app.clock.now();
    let mut traced = before.clone();
    reached(&mut traced, Reason::Illness, now);
    let tx = app.db.begin().await.expect("a transaction");
    app.lock_health(&tx, &[SCHOOL]).await.expect("locked");
    app.keep_absences(&tx, vec![(Some(before), traced)], now)
        .await
        .expect("kept");
    tx.commit().await.expect("committed");
    says(&app, "a", &[]).await;
    let kept = open(&app).await.pop().expect("still absent");
    assert_eq!(
        (kept.state, kept.reason),
        (AbsenceState::Traced.code(), Reason::Illness.code())
    );
    assert_eq!(signs_of(&app, &kept).await, 1);
}

/// Who is absent, since when and why, whatever the absences are called.
async fn outcome(app: &App) -> Vec<(Vec<u8>, i32, i16, i16, String)> {
    let rows = open(app).await.into_iter();
    let told = |row: AbsenceRow| {
        (
            row.person,
            row.start_day,
            row.reason,
            row.state,
            row.check_name,
        )
    };
    rows.map(told).collect()
}

/// What each check says in the end decides; what it said before, how often and in which order the
/// checks spoke does not.
async fn any_order_of_what_checks_say_ends_alike(db: Database) {
    use Reason as R;
    let app = app(db).await;
    let last: [(&str, &[(u8, R)]); 3] = [
        ("a", &[(1, R::Illness), (3, R::Unknown)]),
        ("bb", &[(1, R::Personal)]),
        ("ccc", &[(2, R::WeatherDelay)]),
    ];
    let passing: [&[(u8, R)]; 4] = [
        &[],
        &[(1, R::Isolation), (2, R::Illness)],
        &[(2, R::Personal), (3, R::Illness)],
        &[(3, R::WeatherDelay)],
    ];
    let mut expected = None;
    for round in 0..24_usize {
        // Each round says other things first, then the last word of each check in another order.
        for step in 0..(round % 5) {
            let (check, _) = last[(round + step) % 3];
            says(&app, check, passing[(round * 7 + step * 3) % 4]).await;
        }
        for step in 0..3 {
            let (check, said) = last[(round / 2 + step * (1 + round % 2)) % 3];
            says(&app, check, said).await;
            if round % 3 == 0 {
                says(&app, check, said).await;
            }
        }
        let found = outcome(&app).await;
        let expected = expected.get_or_insert_with(|| found.clone());
        assert_eq!(&found, expected, "round {round}");
        for (check, _) in last {
            says(&app, check, &[]).await;
        }
        assert_eq!(outcome(&app).await, []);
    }
}
