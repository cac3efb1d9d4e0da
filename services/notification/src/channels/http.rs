//! One HTTP request and the part of its answer that matters.

use std::error::Error as _;

use chrono::Duration;
use reqwest::{Client, Request, StatusCode, header, redirect};

use super::{public::PublicOnly, tls};
use crate::config::ChannelConfig;
use crate::domain::attempt::Failed;
use crate::domain::delivery::Failure;

/// How much of an answer is read, in bytes.
const MAX_ANSWER: usize = 64 << 10;

/// Sends requests as the settings of a channel ask for.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: Client,
}

/// An answer with one of the statuses 200 to 299.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
}

/// To whom requests go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// To the provider that the settings name.
    Provider,
    /// To addresses that people wrote.
    Anybody,
}

impl Http {
    pub(super) fn new(config: &ChannelConfig, reach: Reach) -> Result<Self, String> {
        let builder = Client::builder()
            .tls_backend_preconfigured(tls::client(config)?)
            .https_only(!config.insecure)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .http1_only()
            .timeout(config.timeout)
            .pool_max_idle_per_host(config.concurrency)
            .user_agent("campus");
        let own = config.private || config.insecure;
        let builder = match reach {
            Reach::Anybody if !own => builder.dns_resolver(PublicOnly),
            Reach::Anybody | Reach::Provider => builder,
        };
        let client = builder.build().map_err(|err| format!("url: {err}"))?;
        Ok(Self { client })
    }

    /// Sends a request. An answer with another status than 200 to 299 is a failure.
    pub(super) async fn send(&self, request: Request) -> Result<Answer, Failed> {
        let mut response = self.client.execute(request).await.map_err(|err| of(&err))?;
        let status = response.status();
        if !status.is_success() {
            return Err(refused(status, response.headers()));
        }
        let announced = response.content_length().unwrap_or(0);
        let too_long = || Failed::later(Failure::BadAnswer);
        if announced > MAX_ANSWER as u64 {
            return Err(too_long());
        }
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|err| of(&err))? {
            if body.len() + part.len() > MAX_ANSWER {
                return Err(too_long());
            }
            body.extend_from_slice(&part);
        }
        Ok(Answer { body })
    }
}

/// What a status says.
fn refused(status: StatusCode, headers: &header::HeaderMap) -> Failed {
    match status {
        StatusCode::TOO_MANY_REQUESTS => Failed::throttled(retry_after(headers)),
        StatusCode::SERVICE_UNAVAILABLE if retry_after(headers).is_some() => {
            Failed::throttled(retry_after(headers))
        }
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::PAYMENT_REQUIRED
        | StatusCode::PROXY_AUTHENTICATION_REQUIRED => Failed::broken(),
        StatusCode::GONE => Failed::never(Failure::NoRecipient),
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => {
            Failed::later(Failure::Timeout)
        }
        status if status.is_client_error() => Failed::never(Failure::Refused),
        status if status.is_server_error() => Failed::later(Failure::Unreachable),
        // Redirects are not followed, and nothing else is an answer to a message.
        _ => Failed::later(Failure::BadAnswer),
    }
}

/// The wait that a provider asks for, in seconds; one that names a date is passed over.
fn retry_after(headers: &header::HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    let seconds: u32 = text.trim().parse().ok()?;
    Some(Duration::seconds(seconds.into()))
}

fn of(err: &reqwest::Error) -> Failed {
    let senseless = || {
        let mut cause = err.source();
        while let Some(err) = cause {
            if let Some(err) = err.downcast_ref::<hyper::Error>() {
                return err.is_parse() || err.is_parse_too_large();
            }
            cause = err.source();
        }
        false
    };
    Failed::later(if err.is_timeout() {
        Failure::Timeout
    } else if err.is_body() || err.is_decode() || senseless() {
        Failure::BadAnswer
    } else {
        Failure::Unreachable
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_what_follows() {
        let none = header::HeaderMap::new();
        let later = |failure| Failed::later(failure);
        for (status, expected) in [
            (301, later(Failure::BadAnswer)),
            (400, Failed::never(Failure::Refused)),
            (401, Failed::broken()),
            (403, Failed::broken()),
            (404, Failed::never(Failure::Refused)),
            (408, later(Failure::Timeout)),
            (410, Failed::never(Failure::NoRecipient)),
            (413, Failed::never(Failure::Refused)),
            (429, Failed::throttled(None)),
            (500, later(Failure::Unreachable)),
            (503, later(Failure::Unreachable)),
            (504, later(Failure::Timeout)),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(refused(status, &none), expected, "{status}");
        }
    }

    #[test]
    fn a_wait_is_seconds() {
        let asked = |text: &str| {
            let mut headers = header::HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(asked("120"), Some(Duration::seconds(120)));
        assert_eq!(asked("-1"), None);
        assert_eq!(asked("Wed, 06 Apr 2022 02:00:00 GMT"), None);
    }
}
