//! Whether a name and a document belong together.

use std::sync::Arc;

use kit::channel::Channel;
use kit::clock::Clock;
use proto::provider::VerifyIdentityRequest;
use proto::provider::identity_provider_client::IdentityProviderClient;
use proto::provider::verify_identity_request::DocumentKind as PbKind;
use proto::provider::verify_identity_response::Outcome;
use tonic::Request;
use tonic::transport::Error;

use super::guarded::Guarded;
use crate::config::ProvidersConfig;
use crate::domain::visitor::card::{Card, DocumentKind};
use crate::domain::visitor::visit::Verification;

/// An answer has a few bytes.
const MAX_ANSWER: usize = 4096;

/// Verifies visitors. Clones share one way to the provider.
#[derive(Clone, Debug)]
pub(crate) struct Identities {
    client: Option<IdentityProviderClient<Channel>>,
    guarded: Arc<Guarded>,
}

impl Identities {
    /// The way to the configured provider; without one nobody is verified.
    ///
    /// # Errors
    /// When the address is none.
    pub(crate) fn new(config: &ProvidersConfig, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let address = config.identity.as_deref();
        let channel = address.map(|address| Channel::to(address, None));
        let client = channel.transpose()?.map(|channel| {
            IdentityProviderClient::new(channel).max_decoding_message_size(MAX_ANSWER)
        });
        let (deadline, concurrency) = (config.identity_deadline, config.concurrency);
        let guarded = Guarded::new("identity", deadline, concurrency, clock);
        Ok(Self {
            client,
            guarded: Arc::new(guarded),
        })
    }

    /// Whether name and document of a visitor belong together, as far as anybody says.
    pub(crate) async fn verify(&self, card: &Card) -> Verification {
        self.ask(card).await.unwrap_or(Verification::NotVerified)
    }

    async fn ask(&self, card: &Card) -> Option<Verification> {
        let mut client = self.client.clone()?;
        let kind = match card.document_kind? {
            DocumentKind::ResidentCard => PbKind::ResidentCard,
            DocumentKind::Passport => PbKind::Passport,
            DocumentKind::HongKongMacaoPermit => PbKind::HongKongMacaoPermit,
            DocumentKind::TaiwanPermit => PbKind::TaiwanPermit,
            // The provider knows no such document.
            DocumentKind::ForeignerResidence => return None,
        };
        let mut request = Request::new(VerifyIdentityRequest {
            document_kind: kind.into(),
            document_number: card.document_number.clone(),
            full_name: card.full_name.clone(),
        });
        let patience = self.guarded.patience();
        self.guarded
            .ask(patience, async move {
                patience.tell(&mut request);
                let answer = client.verify_identity(request).await.ok()?.into_inner();
                match Outcome::try_from(answer.outcome) {
                    Ok(Outcome::Match) => Some(Verification::Match),
                    Ok(Outcome::Mismatch) => Some(Verification::Mismatch),
                    Ok(Outcome::NotOnRecord) => Some(Verification::NotOnRecord),
                    Ok(Outcome::Unspecified) | Err(_) => None,
                }
            })
            .await
    }
}
