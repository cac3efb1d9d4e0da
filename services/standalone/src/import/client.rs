//! Rows on their way to the service: in chunks, again after a cut, then plan and commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use prost::Message as _;
use proto::roster::import_service_client::ImportServiceClient;
use proto::roster::{
    CommitImportJobRequest, CreateImportJobRequest, GetImportJobRequest, ImportJob, ImportRequest,
    ImportRow, ImportVerdict, ListImportVerdictsRequest, PlanImportJobRequest,
    RollBackImportJobRequest, import_job,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::codegen::{Bytes, StdError};
use tonic::{Code, Status};
use uuid::Uuid;

use super::piece::Piece;

const MOST_ROWS: usize = 1000;
const MOST_BYTES: usize = 240 << 10;
const TRIES: u32 = 8;

/// What a client can call through: a channel, or one with a token.
pub trait Service:
    GrpcService<
        Body,
        Error: Into<StdError>,
        ResponseBody: tonic::codegen::Body<Data = Bytes, Error: Into<StdError> + Send>
                          + Send
                          + 'static,
        Future: Send,
    > + Clone
    + Send
    + Sync
    + 'static
{
}

impl<T> Service for T where
    T: GrpcService<
            Body,
            Error: Into<StdError>,
            ResponseBody: tonic::codegen::Body<Data = Bytes, Error: Into<StdError> + Send>
                              + Send
                              + 'static,
            Future: Send,
        > + Clone
        + Send
        + Sync
        + 'static
{
}

/// Calls the import service.
#[derive(Clone, Debug)]
pub struct Client<T>(ImportServiceClient<T>);

/// What the rows are.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The code of the organisation.
    pub organization: String,
    /// The system that the rows come from.
    pub source: String,
    /// Everything, or changes only.
    pub mode: import_job::Mode,
    /// The share of people that may vanish.
    pub vanish_threshold: f64,
    /// The name of a job to go on with.
    pub resume: Option<String>,
}

/// What became of sending.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The job.
    pub job: ImportJob,
    /// Lines that were refused while reading.
    pub rejected_lines: u64,
}

impl<T: Service> Client<T> {
    /// A client that calls through `service`.
    pub fn new(service: T) -> Self {
        Self(ImportServiceClient::new(service))
    }

    /// Opens or takes up a job and sends what `read` gives. A cut connection is taken up behind
    /// the last durable row; `read` must give the same each time.
    ///
    /// # Errors
    /// When reading fails, or a call fails for good.
    pub async fn send<R>(
        &self,
        settings: &Settings,
        read: R,
        sent: impl Fn(u64),
    ) -> anyhow::Result<Outcome>
    where
        R: Fn(&mut dyn FnMut(Piece) -> anyhow::Result<()>) -> anyhow::Result<()>
            + Send
            + Sync
            + 'static,
    {
        let read = Arc::new(read);
        let mut job = self.open(settings).await?;
        let mut tries = 0;
        loop {
            let before = job.durable_row;
            let (cut, totals) = self.stream(&job, read.clone(), &sent).await?;
            job = self.get(&job.name).await?;
            let Some(status) = cut else {
                let Totals {
                    rows,
                    rejected_lines,
                } = totals;
                ensure!(job.durable_row == rows, "not every row became durable");
                return Ok(Outcome {
                    job,
                    rejected_lines,
                });
            };
            tries = if job.durable_row > before {
                0
            } else {
                tries + 1
            };
            if tries >= TRIES || !passes(&status) {
                return Err(anyhow::Error::new(status).context(format!("--resume {}", job.name)));
            }
            tokio::time::sleep(Duration::from_millis(100 << tries)).await;
        }
    }

    async fn open(&self, settings: &Settings) -> anyhow::Result<ImportJob> {
        let Settings {
            organization,
            source,
            mode,
            vanish_threshold,
            resume,
        } = settings.clone();
        if let Some(name) = resume {
            return self.get(&name).await;
        }
        let request = CreateImportJobRequest {
            organization: format!("organizations/{organization}"),
            source,
            mode: mode.into(),
            vanish_threshold: Some(vanish_threshold),
            request_id: Uuid::new_v4().to_string(),
        };
        self.again(request, async |mut client, request| {
            client.create_import_job(request).await
        })
        .await
    }

    /// Sends what is not durable yet. Gives why the stream ended early, if it did.
    async fn stream<R>(
        &self,
        job: &ImportJob,
        read: Arc<R>,
        sent: &impl Fn(u64),
    ) -> anyhow::Result<(Option<Status>, Totals)>
    where
        R: Fn(&mut dyn FnMut(Piece) -> anyhow::Result<()>) -> anyhow::Result<()>
            + Send
            + Sync
            + 'static,
    {
        let (sender, receiver) = mpsc::channel(8);
        let progress = Arc::new(AtomicU64::new(0));
        let (name, durable, shown) = (job.name.clone(), job.durable_row, progress.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let mut chunk = Chunk {
                name,
                rows: Vec::new(),
                bytes: 0,
                sender,
                gone: false,
            };
            let mut totals = Totals::default();
            let mut refused: Option<(String, u64)> = None;
            read(&mut |piece| {
                match piece {
                    Piece::Row(row, _) => {
                        totals.rows = row.row;
                        if row.row > durable && !chunk.gone {
                            shown.store(row.row.unsigned_abs(), Ordering::Relaxed);
                            chunk.push(*row);
                        }
                    }
                    // Several notes on one line are one refused line.
                    Piece::Note(note, origin) => {
                        let place = (origin.file, origin.line.number);
                        if note.rejected && refused.as_ref() != Some(&place) {
                            totals.rejected_lines += 1;
                            refused = Some(place);
                        }
                    }
                }
                Ok(())
            })?;
            chunk.flush();
            anyhow::Ok(totals)
        });
        let mut client = self.0.clone();
        let call = client.import(ReceiverStream::new(receiver));
        tokio::pin!(call);
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        let answer = loop {
            tokio::select! {
                answer = &mut call => break answer,
                _ = tick.tick() => sent(progress.load(Ordering::Relaxed)),
            }
        };
        let totals = reading.await.context("the reader stopped")??;
        Ok((answer.err(), totals))
    }

    /// Reads the job.
    ///
    /// # Errors
    /// When the call fails for good.
    pub async fn get(&self, name: &str) -> anyhow::Result<ImportJob> {
        let request = GetImportJobRequest {
            name: name.to_owned(),
        };
        self.again(request, async |mut client, request| {
            client.get_import_job(request).await
        })
        .await
    }

    /// Asks for the plan.
    ///
    /// # Errors
    /// When the call fails for good.
    pub async fn plan(&self, name: &str) -> anyhow::Result<ImportJob> {
        let request = PlanImportJobRequest {
            name: name.to_owned(),
            request_id: Uuid::new_v4().to_string(),
        };
        self.again(request, async |mut client, request| {
            client.plan_import_job(request).await
        })
        .await
    }

    /// Takes the job into the register.
    ///
    /// # Errors
    /// When the call fails for good.
    pub async fn commit(&self, name: &str, allow_vanishing: bool) -> anyhow::Result<ImportJob> {
        let request_id = Uuid::new_v4().to_string();
        let request = CommitImportJobRequest {
            name: name.to_owned(),
            allow_vanishing,
            request_id,
        };
        self.again(request, async |mut client, request| {
            client.commit_import_job(request).await
        })
        .await
    }

    /// Takes the job back.
    ///
    /// # Errors
    /// When the call fails for good.
    pub async fn roll_back(&self, name: &str) -> anyhow::Result<ImportJob> {
        let request = RollBackImportJobRequest {
            name: name.to_owned(),
            request_id: Uuid::new_v4().to_string(),
        };
        self.again(request, async |mut client, request| {
            client.roll_back_import_job(request).await
        })
        .await
    }

    /// Reads every verdict.
    ///
    /// # Errors
    /// When a call fails for good.
    pub async fn verdicts(&self, name: &str) -> anyhow::Result<Vec<ImportVerdict>> {
        let mut verdicts = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListImportVerdictsRequest {
                parent: name.to_owned(),
                page_size: 1000,
                page_token,
            };
            let page = self
                .again(request, async |mut client, request| {
                    client.list_import_verdicts(request).await
                })
                .await?;
            verdicts.extend(page.verdicts);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(verdicts);
            }
        }
    }

    /// Calls until it works, for what passes by itself. Each call is safe to repeat.
    async fn again<Q: Clone, A>(
        &self,
        request: Q,
        call: impl AsyncFn(ImportServiceClient<T>, Q) -> Result<tonic::Response<A>, Status>,
    ) -> anyhow::Result<A> {
        let mut tries = 0;
        loop {
            match call(self.0.clone(), request.clone()).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) if tries < TRIES && passes(&status) => {
                    tokio::time::sleep(Duration::from_millis(100 << tries)).await;
                    tries += 1;
                }
                Err(status) => return Err(status.into()),
            }
        }
    }
}

fn passes(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable
            | Code::Aborted
            | Code::Cancelled
            | Code::ResourceExhausted
            | Code::Unknown
    )
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    rows: i64,
    rejected_lines: u64,
}

struct Chunk {
    name: String,
    rows: Vec<ImportRow>,
    bytes: usize,
    sender: mpsc::Sender<ImportRequest>,
    gone: bool,
}

impl Chunk {
    fn push(&mut self, row: ImportRow) {
        let bytes = row.encoded_len() + 8;
        if self.bytes + bytes > MOST_BYTES || self.rows.len() == MOST_ROWS {
            self.flush();
        }
        self.bytes += bytes;
        self.rows.push(row);
    }

    fn flush(&mut self) {
        self.bytes = 0;
        let rows = std::mem::take(&mut self.rows);
        if !rows.is_empty() {
            let request = ImportRequest {
                name: self.name.clone(),
                rows,
            };
            // Whoever hung up has said why in the answer.
            self.gone |= self.sender.blocking_send(request).is_err();
        }
    }
}
