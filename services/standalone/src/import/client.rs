//! The calls of an import: a job, its plan, its verdicts, its commit.

use std::collections::HashSet;
use std::time::Duration;

use proto::roster::import_service_client::ImportServiceClient;
use proto::roster::organization_service_client::OrganizationServiceClient;
use proto::roster::{
    CommitImportJobRequest, CreateImportJobRequest, GetImportJobRequest, ImportJob, ImportVerdict,
    ListImportVerdictsRequest, ListOrganizationsRequest, ListOrganizationsResponse,
    PlanImportJobRequest, import_job,
};
use tokio::sync::mpsc;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::codegen::{Bytes, StdError};
use tonic::{Code, Status};
use uuid::Uuid;

pub(super) const TRIES: u32 = 8;

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

/// Calls the register.
#[derive(Clone, Debug)]
pub struct Client<T> {
    pub(super) imports: ImportServiceClient<T>,
    organizations: OrganizationServiceClient<T>,
}

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
}

impl<T: Service> Client<T> {
    /// A client that calls through `service`.
    pub fn new(service: T) -> Self {
        Self {
            imports: ImportServiceClient::new(service.clone()),
            organizations: OrganizationServiceClient::new(service),
        }
    }

    /// Whether the caller sees no organisation at all. Not tried again: this is the first call, and
    /// whoever mistyped the address should hear of it at once.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn is_empty(&self) -> Result<bool, Status> {
        let request = ListOrganizationsRequest {
            page_size: 1,
            show_closed: true,
            ..ListOrganizationsRequest::default()
        };
        let mut client = self.organizations.clone();
        let page = client.list_organizations(request).await?.into_inner();
        Ok(page.organizations.is_empty())
    }

    /// The ids and school codes of everything at or below an organisation.
    ///
    /// # Errors
    /// When a call fails for good.
    pub async fn schools(&self, organization: &str) -> Result<HashSet<String>, Status> {
        let mut codes = HashSet::new();
        let mut request = ListOrganizationsRequest {
            ancestor: format!("organizations/{organization}"),
            show_closed: true,
            page_size: 1000,
            ..ListOrganizationsRequest::default()
        };
        let mut client = self.organizations.clone();
        loop {
            let ListOrganizationsResponse {
                organizations,
                next_page_token,
            } = client
                .list_organizations(request.clone())
                .await?
                .into_inner();
            for one in organizations {
                codes.extend(one.name.strip_prefix("organizations/").map(str::to_owned));
                codes.insert(one.school_code);
            }
            if next_page_token.is_empty() {
                return Ok(codes);
            }
            request.page_token = next_page_token;
        }
    }

    /// Opens a job.
    ///
    /// # Errors
    /// When the call fails for good.
    pub async fn create(&self, settings: &Settings) -> Result<ImportJob, Status> {
        let Settings {
            organization,
            source,
            mode,
            vanish_threshold,
        } = settings.clone();
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

    /// Reads the job.
    ///
    /// # Errors
    /// When the call fails for good.
    pub async fn get(&self, name: &str) -> Result<ImportJob, Status> {
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
    pub async fn plan(&self, name: &str) -> Result<ImportJob, Status> {
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
    pub async fn commit(&self, name: &str, allow_vanishing: bool) -> Result<ImportJob, Status> {
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

    /// Gives every verdict to `pages`, in the order of the rows, as long as somebody takes them.
    ///
    /// # Errors
    /// When a call fails for good.
    pub async fn verdicts(
        &self,
        name: &str,
        pages: mpsc::Sender<Vec<ImportVerdict>>,
    ) -> Result<(), Status> {
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
            page_token = page.next_page_token;
            let gone = pages.send(page.verdicts).await.is_err();
            if gone || page_token.is_empty() {
                return Ok(());
            }
        }
    }

    /// Calls until it works, for what passes by itself. Each call is safe to repeat.
    async fn again<Q: Clone, A>(
        &self,
        request: Q,
        call: impl AsyncFn(ImportServiceClient<T>, Q) -> Result<tonic::Response<A>, Status>,
    ) -> Result<A, Status> {
        let mut tries = 0;
        loop {
            match call(self.imports.clone(), request.clone()).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) if tries < TRIES && passes(&status) => {
                    tokio::time::sleep(Duration::from_millis(100 << tries)).await;
                    tries += 1;
                }
                Err(status) => return Err(status),
            }
        }
    }
}

pub(super) fn passes(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable
            | Code::Aborted
            | Code::Cancelled
            | Code::ResourceExhausted
            | Code::Unknown
    )
}
