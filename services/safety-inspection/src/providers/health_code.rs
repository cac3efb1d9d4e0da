//! The colour of somebody who has no phone at hand (rule 3.4).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use hmac::Hmac;
use kit::channel::Channel;
use kit::clock::Clock;
use kit::vault::keyed;
use proto::provider::health_code_provider_client::HealthCodeProviderClient;
use proto::provider::{LookUpHealthCodeRequest, health_code};
use sha2::Sha256;
use tonic::Request;
use tonic::transport::Error;

use super::guarded::Guarded;
use crate::config::ProvidersConfig;
use crate::domain::gate::observation::{Colour, ColourSource};
use crate::domain::person::PersonName;
use crate::domain::visitor::card::Card;

/// How long an answer holds.
const KEPT: TimeDelta = TimeDelta::minutes(1);
/// How many answers are kept.
const MOST_KEPT: usize = 10_000;
/// An answer has a few bytes.
const MAX_ANSWER: usize = 4096;

/// Looks colours up. Clones share one way to the provider.
#[derive(Clone, Debug)]
pub struct HealthCodes(Arc<Inner>);

struct Inner {
    client: Option<HealthCodeProviderClient<Channel>>,
    guarded: Guarded,
    reference: Hmac<Sha256>,
    kept: Mutex<HashMap<String, (Colour, DateTime<Utc>)>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HealthCodes").finish_non_exhaustive()
    }
}

/// Stands for a person towards the provider.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Reference(String);

impl Reference {
    /// As a provider gets it.
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl HealthCodes {
    /// The way to the configured provider; without one every colour is unknown.
    ///
    /// # Errors
    /// When the address is none.
    pub(crate) fn new(
        config: &ProvidersConfig,
        reference_key: &[u8; 32],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let address = config.health_code.as_deref();
        let channel = address.map(|address| Channel::to(address, None));
        let client = channel.transpose()?.map(|channel| {
            HealthCodeProviderClient::new(channel).max_decoding_message_size(MAX_ANSWER)
        });
        let (deadline, concurrency) = (config.health_code_deadline, config.concurrency);
        Ok(Self(Arc::new(Inner {
            client,
            guarded: Guarded::new("health code", deadline, concurrency, clock),
            reference: keyed(reference_key),
            kept: Mutex::default(),
        })))
    }

    /// What stands for somebody of the register.
    pub(crate) fn of_person(&self, person: PersonName) -> Reference {
        Reference(person.to_string())
    }

    /// What stands for a visitor; none without a document.
    pub(crate) fn of_visitor(&self, card: &Card) -> Option<Reference> {
        use hmac::Mac as _;
        let kind = card.document_kind?;
        let text = format!("{}:{}", kind as i32, card.document_number);
        let mac = self.0.reference.clone().chain_update(text);
        Some(Reference(hex::encode(mac.finalize().into_bytes())))
    }

    /// The colour of somebody now, asked for by an organisation.
    pub(crate) async fn look_up(
        &self,
        person: Reference,
        organization: &str,
    ) -> (Colour, ColourSource) {
        if let Some(colour) = self.kept(&person.0) {
            return (colour, ColourSource::Provider);
        }
        match self.ask(&person.0, organization).await {
            Some(Colour::Unknown) => (Colour::Unknown, ColourSource::Provider),
            Some(colour) => {
                self.keep(person.0, colour);
                (colour, ColourSource::Provider)
            }
            None => (Colour::Unknown, ColourSource::ProviderSilent),
        }
    }

    async fn ask(&self, reference: &str, organization: &str) -> Option<Colour> {
        let Inner {
            client, guarded, ..
        } = &*self.0;
        let mut client = client.clone()?;
        let mut request = Request::new(LookUpHealthCodeRequest {
            person_reference: reference.to_owned(),
            requester: format!("organizations/{organization}"),
        });
        let patience = guarded.patience();
        guarded
            .ask(patience, async move {
                patience.tell(&mut request);
                let code = client.look_up_health_code(request).await.ok()?.into_inner();
                // A colour of no time has no meaning.
                code.effective_time.and_then(kit::field::from_timestamp)?;
                use health_code::Colour as Pb;
                match Pb::try_from(code.colour) {
                    Ok(Pb::Green) => Some(Colour::Green),
                    Ok(Pb::Yellow) => Some(Colour::Yellow),
                    Ok(Pb::Red) => Some(Colour::Red),
                    Ok(Pb::Unknown) => Some(Colour::Unknown),
                    Ok(Pb::Unspecified) | Err(_) => None,
                }
            })
            .await
    }

    fn kept(&self, reference: &str) -> Option<Colour> {
        let now = self.0.guarded.now();
        let kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (colour, until) = kept.get(reference)?;
        (now < *until).then_some(*colour)
    }

    fn keep(&self, reference: String, colour: Colour) {
        let now = self.0.guarded.now();
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.retain(|_, (_, until)| now < *until);
        }
        if kept.len() < MOST_KEPT {
            kept.insert(reference, (colour, now + KEPT));
        }
    }
}
