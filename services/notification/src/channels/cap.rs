//! CAP 1.2 documents, posted as they are to the address of the settings.

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use url::Url;

use super::http::{Http, Reach};
use super::{Accepted, Outgoing, Provider};
use crate::config::{ChannelConfig, Secret};
use crate::domain::attempt::Failed;
use crate::domain::delivery::Failure;

/// The media type of a document (RFC 3688, OASIS CAP 1.2).
const MEDIA_TYPE: &str = "application/cap+xml; charset=utf-8";

/// Posts documents, with the secret of the channel as bearer token when it has one. A document that
/// comes twice has the same `idempotency-key`.
#[derive(Debug)]
pub(super) struct Cap {
    http: Http,
    url: Url,
    token: Secret,
}

impl Cap {
    pub(super) fn new(config: &ChannelConfig) -> Result<Self, String> {
        let token = config.secret()?;
        if HeaderValue::from_str(token.expose()).is_err() {
            return Err("secret_file: not a token".to_owned());
        }
        Ok(Self {
            http: Http::new(config, Reach::Provider)?,
            url: super::base(config)?,
            token,
        })
    }

    fn request(&self, outgoing: &Outgoing) -> Option<Request> {
        let document = outgoing.document.clone()?;
        let mut request = Request::new(Method::POST, self.url.clone());
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        let id = HeaderValue::from_str(&outgoing.id).ok()?;
        headers.insert(HeaderName::from_static("idempotency-key"), id);
        if !self.token.expose().is_empty() {
            let bearer = format!("Bearer {}", self.token.expose());
            let mut bearer = HeaderValue::from_str(&bearer).ok()?;
            bearer.set_sensitive(true);
            headers.insert(reqwest::header::AUTHORIZATION, bearer);
        }
        *request.body_mut() = Some(document.into());
        Some(request)
    }
}

#[async_trait::async_trait]
impl Provider for Cap {
    async fn send(&self, outgoing: &Outgoing) -> Result<Accepted, Failed> {
        let request = self.request(outgoing);
        // What has no document cannot go by this way.
        let request = request.ok_or(Failed::never(Failure::Refused))?;
        self.http.send(request).await?;
        Ok(Accepted)
    }
}
