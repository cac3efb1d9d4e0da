//! Whatever somebody who has the database says to its tables is found.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;

crate::store_suite!(Migrator;
    hundreds_of_changes_of_the_tables_are_each_found,
);

/// How many records there are in the tables that are changed, and how often they are.
const TABLE: i64 = 23;
const CHANGES: usize = 300;
const TEXTS: &[&str] = &[
    "subject",
    "roles",
    "scope",
    "partner",
    "purpose",
    "method",
    "resources",
    "place",
    "error_reason",
    "request_id",
    "trace_id",
    "reason",
];
const NUMBERS: &[&str] = &["time", "kind", "resource_count", "code", "call_count"];

/// What somebody who has the database says to it; each leaves the tables other than they were.
fn statements() -> impl Strategy<Value = Vec<String>> {
    let (at, more) = (1..=TABLE, 1..1000_i64);
    let two = (1..=TABLE, 1..TABLE).prop_map(|(one, by)| (one, (one + by - 1) % TABLE + 1));
    let update = |set: String, at: i64| {
        vec![format!(
            "UPDATE audit_records SET {set} WHERE sequence = {at}"
        )]
    };
    let columns = Record::COLUMNS.iter().copied();
    let columns: Vec<&str> = columns.filter(|column| *column != "sequence").collect();
    let columns = columns.join(", ");
    prop_oneof![
        (at.clone(), select(TEXTS), "[a-z]{1,8}")
            .prop_map(move |(at, column, text)| update(format!("{column} = '{text}'"), at)),
        (at.clone(), select(NUMBERS), more.clone()).prop_map(move |(at, column, more)| update(
            format!("{column} = {column} + {more}"),
            at
        )),
        at.clone()
            .prop_map(move |at| update("beside = NOT beside".to_owned(), at)),
        (at.clone(), any::<bool>()).prop_map(move |(at, own)| {
            let set = if own {
                "hash = previous_hash"
            } else {
                "previous_hash = hash"
            };
            update(set.to_owned(), at)
        }),
        (at.clone(), any::<bool>()).prop_map(|(at, one)| {
            let which = if one { "=" } else { ">=" };
            vec![format!(
                "DELETE FROM audit_records WHERE sequence {which} {at}"
            )]
        }),
        two.clone().prop_map(|(one, other)| {
            [(one, -1), (other, one), (-1, other)]
                .map(|(from, to)| {
                    format!("UPDATE audit_records SET sequence = {to} WHERE sequence = {from}")
                })
                .to_vec()
        }),
        two.prop_map(move |(one, other)| {
            let of_other = format!("(SELECT subject FROM audit_records WHERE sequence = {other})");
            update(format!("subject = {of_other}"), one)
        }),
        at.prop_map(move |at| {
            vec![format!(
                "INSERT INTO audit_records (sequence, {columns}) \
                 SELECT {TABLE} + 1, {columns} FROM audit_records WHERE sequence = {at}"
            )]
        }),
        more.prop_map(|more| vec![format!("UPDATE audit_checkpoints SET time = time + {more}")]),
        Just(vec![
            "UPDATE audit_checkpoints SET signature = hash".to_owned()
        ]),
    ]
}

async fn hundreds_of_changes_of_the_tables_are_each_found(db: Database) {
    written(&db, usize::try_from(TABLE).unwrap()).await;
    chain_all(&db, SERVICE).await.unwrap();
    notary::sign_head(&shelf(&db, &ManualClock::at(now())))
        .await
        .unwrap();
    let records = all(&db).await;
    let checkpoints = search::checkpoints(db.read(), (0, 0), 1000).await.unwrap();
    let untouched = Verdict {
        records: TABLE,
        checkpoints: 1,
        last: TABLE,
    };
    let (mut runner, statements) = (TestRunner::deterministic(), statements());
    for _ in 0..CHANGES {
        assert_eq!(verified(&db).await, Ok(untouched));
        let said = statements.new_tree(&mut runner).unwrap().current();
        let tx = db.begin().await.unwrap();
        for sql in &said {
            tx.execute_unprepared(sql).await.unwrap();
        }
        tx.commit().await.unwrap();
        assert!(verified(&db).await.is_err(), "{said:?}");
        let tx = db.begin().await.unwrap();
        for table in [Record::TABLE, Checkpoint::TABLE] {
            let sql = format!("DELETE FROM {table}");
            tx.execute_unprepared(&sql).await.unwrap();
        }
        Record::add(&tx, &records).await.unwrap();
        Checkpoint::add(&tx, &checkpoints).await.unwrap();
        tx.commit().await.unwrap();
    }
}
