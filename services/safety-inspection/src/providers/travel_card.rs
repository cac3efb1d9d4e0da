//! Where somebody was who has no phone at hand (rules 3.4 and 3.5).

use std::sync::Arc;

use kit::channel::Channel;
use kit::clock::{Clock, civil_date};
use proto::provider::LookUpTravelCardRequest;
use proto::provider::travel_card_provider_client::TravelCardProviderClient;
use proto::provider::travel_record::City as PbCity;
use tonic::Request;
use tonic::transport::Error;

use super::guarded::Guarded;
use super::health_code::Reference;
use crate::config::ProvidersConfig;
use crate::domain::gate::observation::{Cities, City, TravelCard, TravelSource};

/// Twenty cities with their days, and some air.
const MAX_ANSWER: usize = 4096;

/// Looks travel cards up. Clones share one way to the provider.
#[derive(Clone, Debug)]
pub struct TravelCards {
    client: Option<TravelCardProviderClient<Channel>>,
    guarded: Arc<Guarded>,
}

impl TravelCards {
    /// The way to the configured provider; without one every card is unknown.
    ///
    /// # Errors
    /// When the address is none.
    pub(crate) fn new(config: &ProvidersConfig, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let address = config.travel_card.as_deref();
        let channel = address.map(|address| Channel::to(address, None));
        let client = channel.transpose()?.map(|channel| {
            TravelCardProviderClient::new(channel).max_decoding_message_size(MAX_ANSWER)
        });
        let (deadline, concurrency) = (config.travel_card_deadline, config.concurrency);
        let guarded = Guarded::new("travel card", deadline, concurrency, clock);
        Ok(Self {
            client,
            guarded: Arc::new(guarded),
        })
    }

    /// Where somebody was within so many days, asked for by an organisation; no card when nobody says.
    pub(crate) async fn look_up(
        &self,
        person: &Reference,
        organization: &str,
        window_days: i32,
    ) -> (Option<TravelCard>, TravelSource) {
        match self.ask(person, organization, window_days).await {
            Some(Some(card)) => (Some(card), TravelSource::Provider),
            Some(None) | None => (None, TravelSource::ProviderSilent),
        }
    }

    /// The card; `Some(None)` when the provider knows nothing of the person.
    async fn ask(
        &self,
        person: &Reference,
        organization: &str,
        window_days: i32,
    ) -> Option<Option<TravelCard>> {
        let mut client = self.client.clone()?;
        let mut request = Request::new(LookUpTravelCardRequest {
            person_reference: person.text().to_owned(),
            requester: format!("organizations/{organization}"),
            window_days,
        });
        let patience = self.guarded.patience();
        self.guarded
            .ask(patience, async move {
                patience.tell(&mut request);
                let record = client.look_up_travel_card(request).await.ok()?.into_inner();
                if record.unknown {
                    return Some(None);
                }
                // Cities of no time have no meaning, and neither have more than a card holds.
                let time = record.effective_time.and_then(kit::field::from_timestamp)?;
                if record.cities.len() > Cities::MOST {
                    return None;
                }
                let cities: Option<Vec<City>> = record.cities.into_iter().map(city).collect();
                let cities = cities?;
                Some(Some(TravelCard {
                    shown: civil_date(time),
                    starred: cities.iter().any(|city| city.starred),
                    cities: Cities::of(cities),
                }))
            })
            .await
    }
}

fn city(told: PbCity) -> Option<City> {
    let code = &told.division_code;
    let good = code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit());
    let last_stay = match told.last_stay_date {
        None => None,
        Some(day) => Some(kit::field::from_date(day)?),
    };
    Some(City {
        division: good.then(|| code.parse().ok())??,
        starred: told.starred,
        last_stay,
    })
}
