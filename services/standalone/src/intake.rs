//! Brings rows into the register: a job, its rows in one stream, the plan, the commit.

use anyhow::ensure;
use proto::roster::import_service_client::ImportServiceClient;
use proto::roster::{
    CommitImportJobRequest, CreateImportJobRequest, ImportJob, ImportRequest, ImportRow,
    PlanImportJobRequest, import_job,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::city::CITY_ID;
use crate::house::Door;

/// How many rows one message carries: well below the limit in bytes.
const ROWS: usize = 500;

/// Sends `rows` as the whole truth of `source`, plans, and commits; tells `sent` how many are under
/// way. Gives the planned job with its counts.
///
/// # Errors
/// When a call fails, or the plan is blocked.
pub async fn import(
    door: Door,
    rows: impl Iterator<Item = ImportRow>,
    source: &str,
    sent: impl Fn(u64),
) -> anyhow::Result<ImportJob> {
    let mut client = ImportServiceClient::new(door)
        .max_decoding_message_size(64 << 20)
        .max_encoding_message_size(64 << 20);
    let job = client
        .create_import_job(CreateImportJobRequest {
            organization: format!("organizations/{CITY_ID}"),
            source: source.to_owned(),
            mode: import_job::Mode::Bulk.into(),
            vanish_threshold: None,
            request_id: String::new(),
        })
        .await?
        .into_inner();
    let (sender, receiver) = mpsc::channel(8);
    let mut sending = client.clone();
    let answer = tokio::spawn(async move { sending.import(ReceiverStream::new(receiver)).await });
    let (mut message, mut count) = (Vec::with_capacity(ROWS), 0);
    let mut rows = rows.peekable();
    while let Some(row) = rows.next() {
        message.push(row);
        if message.len() == ROWS || rows.peek().is_none() {
            count += message.len() as u64;
            let rows = std::mem::replace(&mut message, Vec::with_capacity(ROWS));
            let request = ImportRequest {
                name: job.name.clone(),
                rows,
            };
            if sender.send(request).await.is_err() {
                // The call has ended: its answer says why.
                break;
            }
            sent(count);
        }
    }
    drop(sender);
    let answer = answer.await??.into_inner();
    ensure!(
        answer.durable_row.unsigned_abs() == count,
        "not every row became durable"
    );
    let name = || job.name.clone();
    let request = PlanImportJobRequest {
        name: name(),
        request_id: String::new(),
    };
    let planned = client.plan_import_job(request).await?.into_inner();
    ensure!(!planned.blocked, "too many people would vanish");
    let request = CommitImportJobRequest {
        name: name(),
        allow_vanishing: false,
        request_id: String::new(),
    };
    client.commit_import_job(request).await?;
    Ok(planned)
}
