//! The key set of an issuer, as it publishes it.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Client, redirect};
use rustls::ClientConfig;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::algorithms::TokenAlgorithm;
use super::keys::{Keys, MAX_KEY_SET, key_set};
use crate::tls::{authorities, provider, public_authorities};

/// How long the issuer may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How soon strangers with invented key ids can make us ask the issuer again.
const BETWEEN: Duration = Duration::from_secs(10);

/// Asks an issuer for its keys.
#[derive(Debug)]
pub(super) struct JwksUrl {
    url: String,
    ca: Option<PathBuf>,
    allowed: Vec<TokenAlgorithm>,
    /// When the issuer was asked last. Whoever asks holds it, so that many wait for one answer.
    asked: Mutex<Option<Instant>>,
}

impl JwksUrl {
    pub(super) fn new(url: &str, ca: Option<PathBuf>, allowed: &[TokenAlgorithm]) -> Self {
        Self {
            url: url.to_owned(),
            ca,
            allowed: allowed.to_vec(),
            asked: Mutex::const_new(None),
        }
    }

    /// Asks on behalf of a caller, unless it was asked a moment ago. `take` has what came before
    /// anybody who waited looks.
    pub(super) async fn ask_for_caller(&self, take: impl FnOnce(Keys)) -> bool {
        self.ask(BETWEEN, take).await
    }

    /// Asks because the time has come.
    pub(super) async fn ask_in_time(&self, take: impl FnOnce(Keys)) -> bool {
        self.ask(Duration::ZERO, take).await
    }

    /// Whether there may be other keys than before.
    async fn ask(&self, between: Duration, take: impl FnOnce(Keys)) -> bool {
        let began = Instant::now();
        let mut asked = self.asked.lock().await;
        if let Some(at) = *asked
            && (at >= began || at.elapsed() < between)
        {
            return at >= began;
        }
        let answered = tokio::time::timeout(PATIENCE, self.fetch()).await;
        *asked = Some(Instant::now());
        match answered.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
            Ok(keys) => {
                take(keys);
                true
            }
            Err(fault) => {
                tracing::warn!(
                    key = "auth.jwks_url",
                    fault,
                    "no key set, keeping the last one"
                );
                false
            }
        }
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
