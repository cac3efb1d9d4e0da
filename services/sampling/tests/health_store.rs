//! What the store remembers of absences and the medical axis, the same on both databases.

use kit::db::{Database, statement};
use kit::rows::{Lock, Row};
use sampling::Migrator;
use sampling::domain::control::Control;
use sampling::domain::day::Day;
use sampling::domain::health::absence::{AbsenceState, Reason};
use sampling::domain::health::disease::Disease;
use sampling::domain::health::medical::Medical;
use sampling::domain::health::person::{Appeal, Health, Verdict};
use sampling::domain::health::return_rule::Course;
use sampling::domain::laboratory_result::Value as ResultValue;
use sampling::domain::roll::PersonId;
use sampling::store::clearance::{self, Barred, ClearanceRow};
use sampling::store::controls::ControlRow;
use sampling::store::health::absences::{self, AbsenceRow, TraceRow};
use sampling::store::health::contacts;
use sampling::store::health::medical::{self, HealthEventRow, MedicalRow};
use sampling::store::swabs::SwabRow;
use sampling::store::tubes::TubeRow;
use sea_orm::ConnectionTrait;

kit::store_suite!(Migrator;
    nobody_has_two_absences_that_have_not_ended,
    traces_and_lines_are_counted_and_never_changed,
    everything_known_of_a_person_survives,
    controls_of_before_keep_their_rule,
    who_only_watches_their_health_is_told_apart,
    a_negative_result_counts_from_its_sample_on_and_for_its_disease,
);

const PLACE: &str = "fz/350102/2135010001/p2019-01";

fn absence(id: &str, state: AbsenceState) -> AbsenceRow {
    AbsenceRow {
        id: id.to_owned(),
        person: vec![1; 16],
        kind: 1,
        school: "fz/350102/2135010001".to_owned(),
        org_path: PLACE.to_owned(),
        state: state.code(),
        reason: Reason::Personal.code(),
        reported: Reason::Personal.code(),
        start_day: 8000,
        ..AbsenceRow::default()
    }
}

async fn nobody_has_two_absences_that_have_not_ended(db: Database) {
    let tx = db.begin().await.expect("a transaction");
    let ended = absence("a", AbsenceState::Ended);
    let open = absence("b", AbsenceState::Excused);
    AbsenceRow::save(&tx, &[ended, open.clone()])
        .await
        .expect("one of them is open");
    let found = absences::open_of(&tx, &[vec![1_u8; 16].into()])
        .await
        .expect("rows");
    assert_eq!(found, [open]);
    tx.commit().await.expect("committed");
    let tx = db.begin().await.expect("a transaction");
    let second = absence("c", AbsenceState::Open);
    AbsenceRow::save(&tx, &[second])
        .await
        .expect_err("a second one");
}

async fn traces_and_lines_are_counted_and_never_changed(db: Database) {
    let tx = db.begin().await.expect("a transaction");
    assert_eq!(absences::count_traces(&tx, "a").await.expect("a count"), 0);
    let trace = |sequence, note: &str| TraceRow {
        absence: "a".to_owned(),
        sequence,
        note: note.to_owned(),
        ..TraceRow::default()
    };
    TraceRow::add(&tx, &[trace(1, "first"), trace(2, "second")])
        .await
        .expect("added");
    TraceRow::add(&tx, &[trace(1, "changed")])
        .await
        .expect("left out");
    assert_eq!(absences::count_traces(&tx, "a").await.expect("a count"), 2);
    let line = HealthEventRow {
        person: vec![1; 16],
        sequence: 1,
        ..HealthEventRow::default()
    };
    HealthEventRow::add(&tx, std::slice::from_ref(&line))
        .await
        .expect("added");
    tx.commit().await.expect("committed");
    let traces = absences::traces(db.read(), "a", 0, 10)
        .await
        .expect("a trail");
    assert_eq!(traces, [trace(1, "first"), trace(2, "second")]);
    let events = medical::events(db.read(), &[1; 16], 0, 10)
        .await
        .expect("a history");
    assert_eq!(events, [line]);
}

async fn everything_known_of_a_person_survives(db: Database) {
    let health = Health {
        state: Medical::Excluded,
        since: 1,
        cleared: 2,
        room: "隔离室".to_owned(),
        observed: 3,
        notified: 4,
        readings: 5,
        course: Course {
            disease: Some(Disease::VARICELLA),
            onset: Day::from_number(8000),
            rash: Day::from_number(8001),
            treatment: Day::from_number(8002),
            recovery: 6,
            complicated: true,
        },
        doctor_until: 7,
        until: 8,
        evidence: vec![2, 3],
        proof: "ab".repeat(32),
        review: Some(Verdict::Refuse),
        appeal: Appeal {
            made: true,
            opinions: [Some(Verdict::Admit), None, Some(Verdict::Refuse)],
        },
        certificate: "C-1".to_owned(),
        certified: 9,
        source: "卫生部门文件".to_owned(),
        case: "6f0e4f1e-0000-4000-8000-000000000001".to_owned(),
    };
    let mut row = MedicalRow {
        person: vec![1; 16],
        kind: 1,
        org_path: PLACE.to_owned(),
        policy_version: "policy".to_owned(),
        version: 10,
        ..MedicalRow::default()
    };
    row.take(health.clone());
    let tx = db.begin().await.expect("a transaction");
    MedicalRow::save(&tx, std::slice::from_ref(&row))
        .await
        .expect("saved");
    tx.commit().await.expect("committed");
    let place = "fz/350102".parse().expect("a place");
    let listed = medical::list(db.read(), &place, Some(6), Vec::new(), 10)
        .await
        .expect("rows");
    assert_eq!(listed, [row.clone()]);
    assert_eq!(listed[0].health().expect("health"), health);
    let other = medical::list(db.read(), &place, Some(2), Vec::new(), 10)
        .await
        .expect("rows");
    assert_eq!(other, []);
}

async fn controls_of_before_keep_their_rule(db: Database) {
    let tx = db.begin().await.expect("a transaction");
    let sql = "INSERT INTO control_states (person, basis, control, since, org_path, \
        policy_version) VALUES ($1, 'holds/1', 2, 1, 'fz', 'policy')";
    let insert = statement(&tx, sql, [vec![1_u8; 16].into()]);
    tx.execute_raw(insert)
        .await
        .expect("as it was written before");
    let keys = vec![vec![1_u8; 16].into()];
    let row = ControlRow::find(&tx, "person", keys, Lock::No)
        .await
        .expect("rows")
        .pop();
    let row = row.expect("one");
    assert_eq!((row.rule.as_str(), row.until), ("2.19", 0));
}

async fn who_only_watches_their_health_is_told_apart(db: Database) {
    let row = |person: u8, control: i16, medical: i16| ClearanceRow {
        person: vec![person; 16],
        org_path: PLACE.to_owned(),
        control,
        medical,
        ..ClearanceRow::default()
    };
    let tx = db.begin().await.expect("a transaction");
    let rows = [
        row(1, 6, 1),
        row(2, 6, 2),
        row(3, 2, 1),
        row(4, 1, 2),
        row(5, 8, 1),
        row(6, 8, 2),
    ];
    ClearanceRow::save(&tx, &rows).await.expect("saved");
    tx.commit().await.expect("committed");
    let school = "fz/350102/2135010001";
    let monitored = clearance::monitored(db.read(), school, school)
        .await
        .expect("people");
    assert_eq!(monitored, [(PersonId([1; 16]), PLACE.to_owned())]);
    let away = clearance::not_clear(db.read(), school, school).await;
    let mut away: Vec<u8> = away.expect("people").iter().map(|who| who.0[0]).collect();
    away.sort_unstable();
    assert_eq!(away, [1, 2, 3, 4, 6], "who is only observed attends");
    let people: Vec<PersonId> = (1..=4).map(|person| PersonId([person; 16])).collect();
    let held = clearance::held(db.read(), &people).await.expect("people");
    let barred = |control, ill| Barred { control, ill };
    assert_eq!(
        held[&people[1]],
        barred(Some(Control::HealthMonitoring), true)
    );
    assert_eq!(held[&people[2]], barred(Some(Control::PoolHold), false));
    assert_eq!(held[&people[3]], barred(None, true));
}

async fn a_negative_result_counts_from_its_sample_on_and_for_its_disease(db: Database) {
    let tube = |code: &str, disease: Disease, result: ResultValue| TubeRow {
        code: code.to_owned(),
        disease: disease.0,
        result: result.code(),
        ..TubeRow::default()
    };
    let swab = |tube: &str, person: u8, scan_time| SwabRow {
        tube: tube.to_owned(),
        person: vec![person; 16],
        kind: 1,
        scan_time,
        counted: person != 4,
        ..SwabRow::default()
    };
    let tx = db.begin().await.expect("a transaction");
    let tubes = [
        tube("A", Disease::COVID_19, ResultValue::Negative),
        tube("B", Disease::COVID_19, ResultValue::Invalid),
        tube("C", Disease::INFLUENZA, ResultValue::Negative),
    ];
    TubeRow::save(&tx, &tubes).await.expect("saved");
    let swabs = [
        swab("A", 1, 100),
        swab("B", 2, 100),
        swab("C", 3, 100),
        swab("A", 4, 100),
    ];
    SwabRow::save(&tx, &swabs).await.expect("saved");
    for (person, since, expected) in [
        (1, 100, true),
        (1, 101, false),
        (2, 0, false),
        (3, 0, false),
        (4, 0, false),
    ] {
        let found = contacts::has_negative(&tx, &[person; 16], Disease::COVID_19, since).await;
        assert_eq!(found.expect("an answer"), expected, "{person} {since}");
    }
}
