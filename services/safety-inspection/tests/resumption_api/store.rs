//! One suite for both databases: many schools at once, and the order of what the register is told.

use std::collections::BTreeMap;
use std::time::Instant;

use kit::db::{Database, statement};
use kit::rows::Lock;
use proto::roster as pb;
use proto::roster::organization::Kind;
use proto::roster::roster_event::State;
use safety_inspection::Migrator;
use safety_inspection::domain::resumption::state::Progress;
use safety_inspection::store::Store;
use safety_inspection::store::resumption::{CallRow, Filter, Kept, NEVER, Told};
use sea_orm::ConnectionTrait;

use crate::city::{event, roster, tree};

kit::store_suite!(Migrator;
    three_thousand_schools_are_ranked_and_counted_from_their_lines,
    the_calls_of_a_school_are_made_one_after_the_other,
    a_batch_has_every_school_of_its_grades_and_no_other,
);

const SCHOOLS: usize = 3000;

fn kept(number: usize) -> Kept {
    let organization = format!("21{number:08}");
    let district = 350_102 + number % 13;
    Kept {
        org_path: format!("fz/{district}/{organization}"),
        organization,
        position: 1,
        batch: "fz".to_owned(),
        progress: Progress::new(vec![9, 12]),
        changes: 1,
        updated: chrono::DateTime::UNIX_EPOCH,
        acts_at: NEVER,
        check_at: 0,
        summary: safety_inspection::domain::resumption::checklist::Summary {
            // Every third is silent.
            score: (!number.is_multiple_of(3))
                .then(|| u8::try_from(number % 101).unwrap_or_default()),
            items: 58,
            met: 10,
            open: 48,
            categories: [1, 7].into(),
        },
        guards: std::collections::BTreeSet::new(),
        checked: None,
    }
}

async fn three_thousand_schools_are_ranked_and_counted_from_their_lines(db: Database) {
    let all: Vec<Kept> = (0..SCHOOLS).map(kept).collect();
    let tx = db.begin().await.expect("a transaction");
    Store::save_resumptions(&tx, &all).await.expect("kept");
    tx.commit().await.expect("committed");
    let start = Instant::now();
    let lines = Store::resumption_lines(db.read(), "fz", 0)
        .await
        .expect("read");
    let figures = safety_inspection::domain::resumption::figures::figures;
    let (total, parts) = figures("fz", lines.iter());
    let took = start.elapsed();
    assert_eq!((total.resumptions, total.silent), (3000, 1000));
    assert_eq!((parts.len(), total.open[&7]), (13, 3000));
    assert!(took.as_secs() < 5, "{took:?}");
    let (mut ranked, mut after) = (Vec::new(), None);
    loop {
        let page = Store::resumptions_ranked(db.read(), "fz", 1, after, 700).await;
        let page = page.expect("read");
        let Some(last) = page.last() else { break };
        let score = last.summary.score.map_or(-1, i16::from);
        after = Some((score, last.org_path.clone(), last.position));
        ranked.extend(
            page.into_iter()
                .map(|one| (one.summary.score, one.org_path)),
        );
    }
    assert_eq!(ranked.len(), SCHOOLS, "each once");
    assert!(ranked.is_sorted());
    assert!(ranked[..1000].iter().all(|(score, _)| score.is_none()));
    let one = Store::resumptions_of(db.read(), &["2100000007".to_owned()], Lock::No).await;
    assert_eq!(one.expect("read"), [kept(7)]);
    let district = Store::resumptions(db.read(), "fz/350103", Filter::default(), None, 1000).await;
    assert_eq!(district.expect("read").len(), 231);
}

async fn take(db: &Database, now: i64) -> Vec<CallRow> {
    let tx = db.begin().await.expect("a transaction");
    let taken = Store::take_resumption_calls(&tx, now, now + 100, 64).await;
    tx.commit().await.expect("committed");
    taken.expect("taken")
}

async fn told(db: &Database, call: &CallRow, told: bool) -> Told {
    let tx = db.begin().await.expect("a transaction");
    let kept = Store::resumption_told(&tx, call, told, 500).await;
    tx.commit().await.expect("committed");
    kept.expect("kept")
}

async fn the_calls_of_a_school_are_made_one_after_the_other(db: Database) {
    let call = |school: &str, target: &str, resumption: i16| CallRow {
        resumption,
        ..CallRow::new(school, target.to_owned(), &[], 0)
    };
    for calls in [
        vec![call("a", "a1", 2), call("b", "b1", 0), call("a", "a2", 2)],
        vec![call("a", "a3", 0)],
    ] {
        let tx = db.begin().await.expect("a transaction");
        Store::add_resumption_calls(&tx, calls).await.expect("kept");
        tx.commit().await.expect("committed");
    }
    let targets = |calls: &[CallRow]| {
        let targets = calls.iter().map(|call| call.target.clone());
        targets.collect::<Vec<_>>()
    };
    let first = take(&db, 0).await;
    assert_eq!(targets(&first), ["a1", "b1"]);
    assert!(take(&db, 50).await.is_empty(), "both are under way");
    assert_eq!(told(&db, &first[0], false).await, Told::Again);
    assert_eq!(told(&db, &first[1], true).await, Told::Done(0));
    assert!(
        take(&db, 400).await.is_empty(),
        "the second waits for the first"
    );
    let again = take(&db, 500).await;
    assert_eq!(
        (targets(&again), again[0].attempts),
        (vec!["a1".to_owned()], 1)
    );
    // Two of one resumption: it waits for both.
    assert_eq!(told(&db, &again[0], true).await, Told::Done(0));
    assert_eq!(told(&db, &again[0], true).await, Told::Elsewhere);
    let second = take(&db, 500).await;
    assert_eq!(targets(&second), ["a2"]);
    assert_eq!(told(&db, &second[0], true).await, Told::Done(2));
    assert_eq!(targets(&take(&db, 500).await), ["a3"]);
}

async fn a_batch_has_every_school_of_its_grades_and_no_other(db: Database) {
    roster(&db, &tree::tree(), 2).await;
    let closed = pb::Organization {
        name: "organizations/2135010009".to_owned(),
        kind: Kind::School.into(),
        org_path: "fz/350102/2135010009".to_owned(),
        state: pb::organization::State::Closed.into(),
        ..Default::default()
    };
    let path = "fz/350102/2135010009";
    let closed = [
        event(
            "organizations/2135010009",
            path,
            2,
            State::Organization(closed),
        ),
        tree::group(path, ("g9-01", 9), 6000, 20),
    ];
    roster(&db, &closed, 2).await;
    let of = async |place: &str, grades: &[i32], kindergarten: bool| {
        let found = Store::schools_of_batch(db.read(), place, (grades, kindergarten)).await;
        let found: BTreeMap<String, (String, Vec<i32>)> = found.expect("read");
        found.into_values().collect::<Vec<_>>()
    };
    let first = of("fz", &[9, 12], false).await;
    assert_eq!(first, [("2135010001".to_owned(), vec![9, 12])]);
    let third = of("fz/350102", &[3], false).await;
    let ids: Vec<&str> = third.iter().map(|(id, _)| &**id).collect();
    assert_eq!(ids, ["2135010003"]);
    let kindergartens = of("fz", &[], true).await;
    assert_eq!(kindergartens, [("3135010001".to_owned(), vec![])]);
    assert!(of("fz/350103", &[9, 12], false).await.is_empty());
    let sql = "SELECT COUNT(*) FROM organizations WHERE open = FALSE";
    let closed = db.read().query_one_raw(statement(db.read(), sql, [])).await;
    let closed = closed.expect("counted").expect("a row");
    assert_eq!(closed.try_get_by_index::<i64>(0).expect("a number"), 1);
}
