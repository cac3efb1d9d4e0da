//! A roster on its way in: opened, sent, planned, committed.

use futures_util::stream;
use proto::roster::import_job::Mode;
use proto::roster::import_service_client::ImportServiceClient;
use proto::roster::{
    CommitImportJobRequest, CreateImportJobRequest, GetImportJobRequest, ImportJob, ImportRequest,
    ImportResponse, ImportRow, PlanImportJobRequest,
};
use tonic::Status;

use crate::city::Door;
use crate::town::CITY;

/// The system that rows come from, unless a test says otherwise.
pub const SOURCE: &str = "test";
/// How many rows one message carries.
const ROWS: usize = 500;

/// Somebody who imports.
#[derive(Clone, Debug)]
pub struct Importer(pub ImportServiceClient<Door>);

impl Importer {
    /// Behind this door.
    pub fn new(door: Door) -> Self {
        Self(ImportServiceClient::new(door))
    }

    /// Opens a job for the whole city.
    ///
    /// # Errors
    /// As the service says.
    pub async fn open(&self, mode: Mode, source: &str, id: &str) -> Result<ImportJob, Status> {
        let request = CreateImportJobRequest {
            organization: format!("organizations/{CITY}"),
            source: source.to_owned(),
            mode: mode.into(),
            vanish_threshold: None,
            request_id: id.to_owned(),
        };
        Ok(self
            .0
            .clone()
            .create_import_job(request)
            .await?
            .into_inner())
    }

    /// Sends rows in messages of at most `size`.
    ///
    /// # Errors
    /// As the service says; what is durable by then stays so.
    pub async fn send(
        &self,
        job: &str,
        rows: &[ImportRow],
        size: usize,
    ) -> Result<ImportResponse, Status> {
        let message = |rows: &[ImportRow]| ImportRequest {
            name: job.to_owned(),
            rows: rows.to_vec(),
        };
        let messages: Vec<ImportRequest> = rows.chunks(size).map(message).collect();
        let sent = self.0.clone().import(stream::iter(messages)).await?;
        Ok(sent.into_inner())
    }

    /// Plans a job.
    ///
    /// # Errors
    /// As the service says.
    pub async fn plan(&self, job: &str, request_id: &str) -> Result<ImportJob, Status> {
        let (name, request_id) = (job.to_owned(), request_id.to_owned());
        let request = PlanImportJobRequest { name, request_id };
        Ok(self.0.clone().plan_import_job(request).await?.into_inner())
    }

    /// Commits a job.
    ///
    /// # Errors
    /// As the service says.
    pub async fn commit(&self, job: &str, request_id: &str) -> Result<ImportJob, Status> {
        let request = CommitImportJobRequest {
            name: job.to_owned(),
            allow_vanishing: false,
            request_id: request_id.to_owned(),
        };
        Ok(self
            .0
            .clone()
            .commit_import_job(request)
            .await?
            .into_inner())
    }

    /// Reads a job.
    ///
    /// # Errors
    /// As the service says.
    pub async fn get(&self, job: &str) -> Result<ImportJob, Status> {
        let request = GetImportJobRequest {
            name: job.to_owned(),
        };
        Ok(self.0.clone().get_import_job(request).await?.into_inner())
    }

    /// Takes every row into the register.
    ///
    /// # Panics
    /// When one of them is refused.
    pub async fn take(&self, mode: Mode, rows: &[ImportRow]) -> ImportJob {
        let opened = self.open(mode, SOURCE, "").await.expect("a job is opened");
        let sent = self.send(&opened.name, rows, ROWS).await;
        let sent = sent.expect("rows are staged");
        assert_eq!(sent.verdicts, [], "no row is refused or remarked");
        let planned = self.plan(&opened.name, "").await;
        let planned = planned.expect("it is planned");
        let created: i64 = planned.counts.iter().map(|count| count.created).sum();
        assert_eq!(
            created as usize,
            rows.len(),
            "everything is new: {planned:?}"
        );
        let committed = self.commit(&opened.name, "").await;
        committed.expect("it is committed")
    }
}
