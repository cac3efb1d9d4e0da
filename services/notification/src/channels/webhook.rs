//! Webhooks: JSON to an HTTPS address, signed as the Standard Webhooks specification has it.
//!
//! | header | what it says |
//! | --- | --- |
//! | `webhook-id` | the delivery: the same each time it is sent, so that a repeat can be passed over |
//! | `webhook-timestamp` | when it was sent, in seconds since 1970: older than five minutes, it is a replay |
//! | `webhook-signature` | `v1,` and the Base64 of HMAC-SHA256 over `{id}.{timestamp}.{body}` |
//!
//! The key is the secret of the channel: text, or `whsec_` and Base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;
use kit::vault::keyed;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

use super::http::{Http, Reach};
use super::{Accepted, Outgoing, Provider, public};
use crate::config::ChannelConfig;
use crate::domain::attempt::Failed;
use crate::domain::delivery::Failure;

/// The shortest key, in bytes.
const SHORTEST_KEY: usize = 24;

/// Sends to webhooks.
pub(super) struct Webhook {
    http: Http,
    key: Zeroizing<Vec<u8>>,
    anywhere: bool,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").finish_non_exhaustive()
    }
}

impl Webhook {
    pub(super) fn new(config: &ChannelConfig) -> Result<Self, String> {
        let secret = config.secret()?;
        let key = match secret.expose().strip_prefix("whsec_") {
            Some(encoded) => STANDARD.decode(encoded).unwrap_or_default(),
            None => secret.expose().as_bytes().to_vec(),
        };
        if key.len() < SHORTEST_KEY {
            return Err(format!("secret_file: at least {SHORTEST_KEY} bytes"));
        }
        Ok(Self {
            http: Http::new(config, Reach::Anybody)?,
            key: Zeroizing::new(key),
            anywhere: config.private || config.insecure,
        })
    }

    fn request(&self, outgoing: &Outgoing) -> Option<Request> {
        let url = Url::parse(&outgoing.address).ok()?;
        if !self.anywhere && !public::may_lead(&url) {
            return None;
        }
        let body = json!({
            "type": "campus.message",
            "timestamp": outgoing.at.to_rfc3339(),
            "data": {
                "id": outgoing.id,
                "category": outgoing.category.as_str(),
                "urgency": outgoing.urgency.as_str(),
                "exercise": outgoing.exercise,
                "title": outgoing.title,
                "body": outgoing.body,
            },
        })
        .to_string();
        let timestamp = outgoing.at.timestamp().to_string();
        let signature = signature(&self.key, &outgoing.id, &timestamp, &body);
        let mut request = Request::new(Method::POST, url);
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in [
            ("webhook-id", &outgoing.id),
            ("webhook-timestamp", &timestamp),
            ("webhook-signature", &signature),
        ] {
            headers.insert(name, HeaderValue::from_str(value).ok()?);
        }
        *request.body_mut() = Some(body.into());
        Some(request)
    }
}

/// The value of `webhook-signature`.
fn signature(key: &[u8], id: &str, timestamp: &str, body: &str) -> String {
    let mut mac = keyed(key);
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[async_trait::async_trait]
impl Provider for Webhook {
    async fn send(&self, outgoing: &Outgoing) -> Result<Accepted, Failed> {
        let request = self.request(outgoing);
        // An address of the own network is as good as none.
        let request = request.ok_or(Failed::never(Failure::NoRecipient))?;
        self.http.send(request).await?;
        Ok(Accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signature(
            &key,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
