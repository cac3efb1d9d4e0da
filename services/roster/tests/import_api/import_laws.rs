//! The plan that the database makes over whole tables obeys the law of the domain, whatever the
//! register and the rows are.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use crate::desk;
use crate::desk::desk_suite;
use std::collections::BTreeMap;

use crate::desk::{CITY, Desk};
use futures_util::stream;
use proto::roster::import_job::Mode;
use proto::roster::import_row::Record;
use proto::roster::import_service_client::ImportServiceClient;
use proto::roster::{
    ClassGroupRow, CommitImportJobRequest, CreateImportJobRequest, ImportJob, ImportKind,
    ImportRequest, ImportRow, PlanImportJobRequest, StudentRow,
};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};
use roster::domain::import::{Difference, Entry, compare};

const ROUNDS: u64 = 12;
const PEOPLE: u8 = 12;

/// What a row says of somebody: the variant of their contents, or that they are to be removed.
type Rows = BTreeMap<u8, Option<u8>>;

fn random_rows(rng: &mut StdRng, removals: bool) -> Rows {
    let mut rows = Rows::new();
    for person in 0..PEOPLE {
        if rng.random_bool(0.6) {
            let removal = removals && rng.random_bool(0.2);
            rows.insert(person, (!removal).then(|| rng.random_range(0..3)));
        }
    }
    rows
}

fn hash(variant: u8) -> [u8; 32] {
    [variant; 32]
}

/// What the law says of `rows` before a register.
fn expected(register: &BTreeMap<u8, u8>, rows: &Rows, bulk: bool) -> Difference {
    let key = |person: &u8| vec![*person];
    let register = register
        .iter()
        .map(|(person, variant)| (key(person), hash(*variant)));
    let rows = rows.iter().map(|(person, variant)| {
        let entry = Entry {
            hash: hash(variant.unwrap_or(u8::MAX)),
            removal: variant.is_none(),
        };
        (key(person), entry)
    });
    compare(&register.collect(), &rows.collect(), bulk)
}

fn import_rows(rows: &Rows) -> Vec<ImportRow> {
    let class_group = Record::ClassGroup(ClassGroupRow {
        organization: desk::GULOU_PRIMARY.to_owned(),
        class_group: "p2019-01".to_owned(),
        ..ClassGroupRow::default()
    });
    let students = rows.iter().map(|(person, variant)| {
        let record = Record::Student(StudentRow {
            organization: desk::GULOU_PRIMARY.to_owned(),
            class_group: "p2019-01".to_owned(),
            display_name: format!("学生{}", variant.unwrap_or_default()),
            ..StudentRow::default()
        });
        (format!("s{person}"), variant.is_none(), record)
    });
    std::iter::once(("c".to_owned(), false, class_group))
        .chain(students)
        .zip(1..)
        .map(|((external_id, removal, record), row)| ImportRow {
            row,
            removal,
            external_id,
            record: Some(record),
        })
        .collect()
}

async fn import(desk: &Desk, rows: &Rows, mode: Mode) -> ImportJob {
    let mut client = ImportServiceClient::new(desk.officer());
    let request = CreateImportJobRequest {
        organization: format!("organizations/{CITY}"),
        source: "law".to_owned(),
        mode: mode.into(),
        vanish_threshold: Some(1.0),
        request_id: String::new(),
    };
    let name = client
        .create_import_job(request)
        .await
        .unwrap()
        .into_inner()
        .name;
    let message = ImportRequest {
        name: name.clone(),
        rows: import_rows(rows),
    };
    client.import(stream::iter([message])).await.unwrap();
    let request = PlanImportJobRequest {
        name: name.clone(),
        request_id: String::new(),
    };
    let planned = client.plan_import_job(request).await.unwrap().into_inner();
    let request = CommitImportJobRequest {
        name,
        ..CommitImportJobRequest::default()
    };
    client.commit_import_job(request).await.unwrap();
    planned
}

async fn the_plan_of_the_database_is_that_of_the_domain(desk: Desk) {
    desk.plant().await;
    let mut rng = StdRng::seed_from_u64(20_220_407);
    let mut register = BTreeMap::new();
    for round in 0..ROUNDS {
        let bulk = rng.random_bool(0.5);
        let rows = random_rows(&mut rng, round > 0);
        let Difference {
            created,
            changed,
            unchanged,
            vanished,
        } = expected(&register, &rows, bulk);
        let planned = import(&desk, &rows, if bulk { Mode::Bulk } else { Mode::Delta }).await;
        let students = planned
            .counts
            .iter()
            .find(|one| one.kind() == ImportKind::Student);
        let found = students.map(|one| (one.created, one.changed, one.unchanged, one.vanished));
        let law = (
            created.len() as i64,
            changed.len() as i64,
            unchanged as i64,
            vanished.len() as i64,
        );
        assert_eq!(found.unwrap_or_default(), law, "round {round}");
        for key in vanished {
            register.remove(&key[0]);
        }
        for (person, variant) in rows {
            if let Some(variant) = variant {
                register.insert(person, variant);
            }
        }
    }
}

desk_suite!(the_plan_of_the_database_is_that_of_the_domain);
