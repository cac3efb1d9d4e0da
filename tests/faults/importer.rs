//! A client that imports a few new students at a time, each job resumed from its last durable row.

use std::sync::Arc;

use kit::auth::Role;
use proto::roster::ImportJob;
use proto::roster::import_job::Mode;
use proto::roster::import_row::Record as Row;
use tests::city::City;
use tests::import::Importer;
use tests::town::{CITY, numbered};
use tests::verbs::{request_id, told};
use tonic::{Code, Status};

use super::campaign::Campaign;
use super::clients::Record;

/// The system that these students come from.
pub(super) const SOURCE: &str = "campaign";
/// How many students one job brings.
const STUDENTS: u32 = 6;
/// How many rows one message carries: a stream can be cut between any two messages.
const ROWS: usize = 2;

/// Opens, sends, plans and commits job after job.
pub(super) async fn importer(campaign: Campaign, city: Arc<City>) -> Record {
    let importer = Importer::new(city.door(Role::CityOfficer, CITY));
    let (town, mut record) = (city.town, Record::default());
    for number in 0.. {
        if campaign.is_over() {
            break;
        }
        let (at, class) = (number % town.schools + 1, number % town.classes + 1);
        let newcomers = (0..STUDENTS).map(|place| number * STUDENTS + place);
        let called = |newcomer: u32| format!("新生{newcomer:05}");
        let rows = newcomers.clone().map(|newcomer| {
            let id = town.everybody() + newcomer;
            let row = town.student(at, class, called(newcomer), id);
            (format!("n-{newcomer}"), Row::Student(row))
        });
        let rows = numbered(rows.collect());

        let id = request_id();
        let opened = campaign.insist_twice("roster", number, || {
            let (importer, id) = (importer.clone(), id.clone());
            async move { importer.open(Mode::Delta, SOURCE, &id).await }
        });
        let job = opened.await.name;
        let sent = campaign.insist("roster", "rows", || {
            let (importer, job, rows) = (importer.clone(), job.clone(), rows.clone());
            async move {
                let durable = importer.get(&job).await?.durable_row;
                let missing = &rows[usize::try_from(durable).expect("a count")..];
                if !missing.is_empty() {
                    importer.send(&job, missing, ROWS).await?;
                }
                Ok(())
            }
        });
        sent.await;
        // A class that is suspended meanwhile makes the comparison stale.
        let committed = loop {
            let id = request_id();
            let planned = campaign.insist_twice("roster", number, || {
                let (importer, job, id) = (importer.clone(), job.clone(), id.clone());
                async move { importer.plan(&job, &id).await }
            });
            planned.await;
            let id = request_id();
            let committed = campaign.insist_twice("roster", number + 1, || {
                let (importer, job, id) = (importer.clone(), job.clone(), id.clone());
                async move { unless_stale(importer.commit(&job, &id).await) }
            });
            if let Some(committed) = committed.await {
                break committed;
            }
        };
        record.imports.push(committed);
        record.students.extend(newcomers.map(called));
    }
    record
}

/// What was committed; nothing when the register has changed since the comparison.
fn unless_stale(committed: Result<ImportJob, Status>) -> Result<Option<ImportJob>, Status> {
    match committed {
        Ok(job) => Ok(Some(job)),
        Err(refused) if refused.code() == Code::FailedPrecondition => {
            assert_eq!(told(&refused).1, "IMPORT_PLAN_STALE");
            Ok(None)
        }
        Err(failed) => Err(failed),
    }
}
