//! The key set of an issuer, as it publishes it.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Client, redirect};
use rustls::ClientConfig;

use super::algorithms::TokenAlgorithm;
use super::keys::{Keys, MAX_KEY_SET, key_set};
use crate::tls::{authorities, provider, public_authorities};

/// How long the issuer may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks an issuer for its keys.
#[derive(Debug)]
pub(super) struct JwksUrl {
    url: String,
    ca: Option<PathBuf>,
    allowed: Vec<TokenAlgorithm>,
}

impl JwksUrl {
    pub(super) fn new(url: &str, ca: Option<PathBuf>, allowed: &[TokenAlgorithm]) -> Self {
        Self {
            url: url.to_owned(),
            ca,
            allowed: allowed.to_vec(),
        }
    }

    /// The keys that the issuer publishes now; none where it is away or publishes nothing that can be used,
    /// which is told in the log.
    pub(super) async fn ask(&self) -> Option<Keys> {
        let answered = tokio::time::timeout(PATIENCE, self.fetch()).await;
        let answered = answered.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        answered
            .inspect_err(|fault| {
                tracing::warn!(
                    key = "auth.jwks_url",
                    fault,
                    "no key set, keeping the last one"
                );
            })
            .ok()
    }

    async fn fetch(&self) -> Result<Keys, String> {
        let mut response = self
            .client()?
            .get(&self.url)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(|err| chain(&err.without_url()))?;
        let mut body = Vec::new();
        while let Some(part) = response
            .chunk()
            .await
            .map_err(|err| chain(&err.without_url()))?
        {
            if (body.len() + part.len()) as u64 > MAX_KEY_SET {
                return Err("the key set is too large".to_owned());
            }
            body.extend_from_slice(&part);
        }
        key_set(&body, &self.allowed)
    }

    /// Made anew each time, so that renewed authorities count.
    fn client(&self) -> Result<Client, String> {
        let roots = match &self.ca {
            Some(file) => authorities(file)?,
            None => public_authorities(),
        };
        let tls = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|err| err.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .http1_only()
            .timeout(PATIENCE)
            .user_agent("campus")
            .build()
            .map_err(|err| err.to_string())
    }
}

fn chain(err: &dyn std::error::Error) -> String {
    let mut text = err.to_string();
    let mut cause = err.source();
    while let Some(err) = cause {
        text.push_str(&format!(": {err}"));
        cause = err.source();
    }
    text
}
