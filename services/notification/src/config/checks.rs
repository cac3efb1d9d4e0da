//! Which channels can be used.

use std::collections::HashSet;

use url::Url;

use super::{ChannelConfig, Encryption};
use crate::domain::channel::Kind;
use crate::domain::delivery::{INBOX, is_channel};

/// Checks every channel and that it can be set up.
///
/// # Errors
/// What is wrong; the text names channel and key.
pub(super) fn check(channels: &[ChannelConfig], production: bool) -> Result<(), String> {
    let mut ids = HashSet::new();
    for channel in channels {
        let named = |wrong| format!("channels.{}.{wrong}", channel.id);
        channel.check(production).map_err(named)?;
        if !ids.insert(&channel.id) {
            return Err(named("id: there are two".to_owned()));
        }
        crate::channels::provider(channel).map_err(named)?;
    }
    Ok(())
}

impl ChannelConfig {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// What is wrong; the text begins with the key.
    fn check(&self, production: bool) -> Result<(), String> {
        if !is_channel(&self.id) || self.id == INBOX {
            return Err("id: 1 to 32 of a-z, 0-9 and -, and not inbox".to_owned());
        }
        if production && self.insecure {
            return Err("insecure: not allowed where auth.production is set".to_owned());
        }
        let bounds = [
            (
                "timeout",
                (100..=60_000).contains(&self.timeout.as_millis()),
            ),
            ("concurrency", (1..=64).contains(&self.concurrency)),
            ("attempts", (1..=20).contains(&self.attempts)),
            ("rest_after", (1..=1000).contains(&self.rest_after)),
            ("rest", (1_000..=1_800_000).contains(&self.rest.as_millis())),
            ("budget_per_minute", self.budget_per_minute <= 1_000_000),
            (
                "address_budget_per_minute",
                self.address_budget_per_minute <= 1_000_000,
            ),
        ];
        if let Some((key, _)) = bounds.into_iter().find(|(_, good)| !good) {
            return Err(format!("{key}: out of range"));
        }
        self.check_kind()?;
        if let Some(url) = &self.url {
            let url = Url::parse(url).map_err(|_| "url: not an address")?;
            let good = url.scheme() == "https" || (self.insecure && url.scheme() == "http");
            if !good || url.host().is_none() || url.query().is_some() {
                return Err("url: an https address without a query".to_owned());
            }
        }
        if let Some(smtp) = &self.smtp
            && smtp.encryption == Encryption::None
            && !self.insecure
        {
            return Err("smtp.encryption: none needs insecure".to_owned());
        }
        Ok(())
    }

    /// Each kind has what it needs and nothing that it would pass over.
    fn check_kind(&self) -> Result<(), String> {
        let (url, smtp, request, signed) = match self.kind {
            Kind::Webhook => (false, false, false, true),
            Kind::Email => (false, true, false, false),
            Kind::Sms | Kind::WecomRobot | Kind::DingtalkRobot => (true, false, true, false),
            Kind::Cap => (true, false, false, false),
            Kind::Inbox => return Err("kind: the inbox needs no settings".to_owned()),
        };
        let has_secret = self.secret_file.is_some() || self.secret_env.is_some();
        let parts = [
            ("url", url, self.url.is_some()),
            ("smtp", smtp, self.smtp.is_some()),
            ("request", request, self.request.is_some()),
            ("secret_file", has_secret || signed, has_secret),
            (
                "answer",
                request && self.answer.is_some(),
                self.answer.is_some(),
            ),
        ];
        for (key, needed, present) in parts {
            if needed && !present {
                return Err(format!("{key}: required for this kind"));
            }
            if present && !needed {
                return Err(format!("{key}: not for this kind"));
            }
        }
        Ok(())
    }
}
