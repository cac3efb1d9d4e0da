//! The feeds of Campus as upstreams of projections.

use std::time::Duration;

use futures_util::StreamExt;
use proto::audit::audit_log_service_client::AuditLogServiceClient;
use proto::audit::{ListBreakGlassUsesRequest, ListBreakGlassUsesResponse};
use proto::notification::notification_feed_client::NotificationFeedClient;
use proto::notification::{
    NotificationEvent, NotificationSnapshotRequest, NotificationWatchRequest,
};
use proto::roster::roster_feed_client::RosterFeedClient;
use proto::roster::{RosterEvent, SnapshotRequest, WatchRequest};
use proto::safety::safety_feed_client::SafetyFeedClient;
use proto::safety::{SafetyEvent, SafetySnapshotRequest, SafetyWatchRequest};
use proto::sampling::clearance_feed_client::ClearanceFeedClient;
use proto::sampling::sampling_feed_client::SamplingFeedClient;
use proto::sampling::{
    ClearanceEvent, ClearanceSnapshotRequest, ClearanceWatchRequest, SamplingEvent,
    SamplingSnapshotRequest, SamplingWatchRequest,
};
use tonic::{Request, Status};

use crate::auth::Credentials;
use crate::channel::Channel;
use crate::feed::Origin;
use crate::projection::{Batch, Batches, Upstream};

macro_rules! upstream {
    ($(#[$doc:meta])* $name:ident, $client:ident, $event:ty, $snapshot:ident, $watch:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            client: $client<Channel>,
            credentials: Credentials,
        }

        impl $name {
            /// The feed behind `channel`.
            pub fn new(channel: impl Into<Channel>, credentials: Credentials) -> Self {
                let client = $client::new(channel.into()).max_decoding_message_size(MAX_MESSAGE);
                Self { client, credentials }
            }
        }

        #[async_trait::async_trait]
        impl Upstream for $name {
            type Event = $event;

            async fn snapshot(&mut self, page_token: String) -> Result<Batches<$event>, Status> {
                let request = signed(&self.credentials, $snapshot { page_token })?;
                let pages = self.client.snapshot(request).await?.into_inner();
                Ok(pages
                    .map(|page| {
                        page.map(|page| Batch {
                            events: page.events,
                            page_token: page.page_token,
                            resume_token: page.resume_token,
                            origin: Origin::default(),
                        })
                    })
                    .boxed())
            }

            async fn watch(&mut self, resume_token: String) -> Result<Batches<$event>, Status> {
                let request = signed(&self.credentials, $watch { resume_token })?;
                let pages = self.client.watch(request).await?.into_inner();
                Ok(pages
                    .map(|page| {
                        page.map(|page| Batch {
                            events: page.events,
                            page_token: String::new(),
                            resume_token: page.resume_token,
                            origin: Origin {
                                traceparents: page.traceparents,
                                announce_time: page.announce_time,
                            },
                        })
                    })
                    .boxed())
            }
        }
    };
}

/// A page of class group rolls is larger than what a stranger may send.
const MAX_MESSAGE: usize = 16 << 20;

upstream! {
    /// What the roster publishes.
    RosterUpstream, RosterFeedClient, RosterEvent, SnapshotRequest, WatchRequest
}
upstream! {
    /// Who is not clear to enter.
    ClearanceUpstream, ClearanceFeedClient, ClearanceEvent, ClearanceSnapshotRequest,
    ClearanceWatchRequest
}
upstream! {
    /// Tubes, holds and draws.
    SamplingUpstream, SamplingFeedClient, SamplingEvent, SamplingSnapshotRequest,
    SamplingWatchRequest
}
upstream! {
    /// How safe campuses are.
    SafetyUpstream, SafetyFeedClient, SafetyEvent, SafetySnapshotRequest, SafetyWatchRequest
}
upstream! {
    /// Directives, their recipients, meetings, alerts and warnings.
    NotificationUpstream, NotificationFeedClient, NotificationEvent, NotificationSnapshotRequest,
    NotificationWatchRequest
}

/// For which calls to a service the glass was broken.
#[derive(Clone, Debug)]
pub struct BreakGlassUpstream {
    client: AuditLogServiceClient<Channel>,
    credentials: Credentials,
}

/// A service has so long to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many uses are asked for at once.
const PAGE: i32 = 100;

impl BreakGlassUpstream {
    /// The audit log behind `channel`.
    pub fn new(channel: impl Into<Channel>, credentials: Credentials) -> Self {
        let client = AuditLogServiceClient::new(channel.into());
        Self {
            client,
            credentials,
        }
    }

    /// The next uses after the record `after`, a hundred at most.
    ///
    /// # Errors
    /// When the service does not answer in time, or refuses.
    pub async fn after(&mut self, after: i64) -> Result<ListBreakGlassUsesResponse, Status> {
        let message = ListBreakGlassUsesRequest {
            after_sequence: after,
            page_size: PAGE,
            page_token: String::new(),
        };
        let mut request = signed(&self.credentials, message)?;
        request.set_timeout(PATIENCE);
        Ok(self
            .client
            .list_break_glass_uses(request)
            .await?
            .into_inner())
    }
}

fn signed<T>(credentials: &Credentials, message: T) -> Result<Request<T>, Status> {
    let mut request = Request::new(message);
    let bearer = credentials.bearer()?;
    let value = bearer
        .parse()
        .map_err(|_| Status::unavailable("malformed service token"))?;
    request.metadata_mut().insert("authorization", value);
    Ok(request)
}
