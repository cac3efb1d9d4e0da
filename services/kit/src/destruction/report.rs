//! Tells the roster what a service destroyed.

use std::time::Duration;

use proto::roster::destruction_report::CategoryReport;
use proto::roster::destruction_service_client::DestructionServiceClient;
use proto::roster::{DestructionReport, ReportDestructionRequest};
use tonic::{Request, Status};

use super::Order;
use super::store::{Count, Progress};
use crate::auth::Credentials;
use crate::channel::Channel;
use crate::field::to_timestamp;
use crate::teaching::request_id;

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The roster's destruction jobs. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Reporter {
    service: &'static str,
    client: DestructionServiceClient<Channel>,
    credentials: Credentials,
}

impl Reporter {
    /// The jobs behind `channel`, told of by `service`.
    pub fn new(
        service: &'static str,
        channel: impl Into<Channel>,
        credentials: Credentials,
    ) -> Self {
        Self {
            service,
            client: DestructionServiceClient::new(channel.into()),
            credentials,
        }
    }

    /// Reports what was destroyed; a repeat is the same report.
    pub(super) async fn report(
        &self,
        order: &Order,
        categories: &[&str],
        progress: &Progress,
    ) -> Result<(), Status> {
        let message = ReportDestructionRequest {
            name: order.job.clone(),
            report: Some(self.message(order, categories, progress)),
            request_id: request_id(&format!("{}/{}", order.job, self.service)),
        };
        let mut request = Request::new(message);
        let bearer = self.credentials.bearer()?;
        let value = bearer
            .parse()
            .map_err(|_| Status::unavailable("malformed service token"))?;
        request.metadata_mut().insert("authorization", value);
        request.set_timeout(PATIENCE);
        let mut client = self.client.clone();
        let answer = tokio::time::timeout(PATIENCE, client.report_destruction(request)).await;
        answer
            .map_err(|_| Status::deadline_exceeded("the roster is slow"))?
            .map(|_| ())
    }

    fn message(
        &self,
        order: &Order,
        categories: &[&str],
        progress: &Progress,
    ) -> DestructionReport {
        let counts = categories.iter().zip(&progress.counts);
        let told = counts.map(|(category, count)| {
            let Count {
                destroyed,
                resealed,
                exposed,
                remaining,
            } = *count;
            CategoryReport {
                category: (*category).to_owned(),
                kept: order.kept.contains(*category),
                destroyed_count: destroyed,
                resealed_count: resealed,
                exposed_count: exposed,
                remaining_count: remaining,
            }
        });
        let instant = |millis| chrono::DateTime::from_timestamp_millis(millis).map(to_timestamp);
        DestructionReport {
            service: self.service.to_owned(),
            categories: told.collect(),
            key_fingerprint: progress.fingerprint.clone(),
            key_destroy_time: progress.key_destroyed.and_then(instant),
            sampled_count: i64::try_from(progress.samples.len()).unwrap_or(i64::MAX),
            opened_count: progress.opened,
            finish_time: instant(progress.finished),
        }
    }
}
