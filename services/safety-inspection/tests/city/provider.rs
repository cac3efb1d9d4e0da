//! Providers that are slow, refuse, answer nonsense, or do as they should.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use proto::provider::health_code::Colour;
use proto::provider::health_code_provider_server::{HealthCodeProvider, HealthCodeProviderServer};
use proto::provider::identity_provider_server::{IdentityProvider, IdentityProviderServer};
use proto::provider::travel_card_provider_server::{TravelCardProvider, TravelCardProviderServer};
use proto::provider::travel_record::City;
use proto::provider::verify_identity_response::Outcome;
use proto::provider::{
    HealthCode, LookUpHealthCodeRequest, LookUpTravelCardRequest, TravelRecord,
    VerifyIdentityRequest, VerifyIdentityResponse,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// What a provider does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mood {
    /// Says this colour, and that this is who they say.
    Says(Colour, Outcome),
    /// Never answers.
    Slow,
    /// Refuses.
    Refuses,
    /// Says what has no meaning.
    Nonsense,
}

/// A provider of every kind.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    mood: Arc<Mutex<Mood>>,
    asked: Arc<AtomicUsize>,
    references: Arc<Mutex<Vec<String>>>,
    windows: Arc<Mutex<Vec<i32>>>,
    pub(crate) address: String,
}

impl Provider {
    /// Listens at a free port.
    pub(crate) async fn open(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let provider = Self {
            mood: Arc::new(Mutex::new(mood)),
            asked: Arc::default(),
            references: Arc::default(),
            windows: Arc::default(),
            address,
        };
        let server = Server::builder()
            .add_service(HealthCodeProviderServer::new(provider.clone()))
            .add_service(IdentityProviderServer::new(provider.clone()))
            .add_service(TravelCardProviderServer::new(provider.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        provider
    }

    pub(crate) fn feels(&self, mood: Mood) {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// For whom it was asked.
    pub(crate) fn references(&self) -> Vec<String> {
        let references = self.references.lock();
        references.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For how many days it was asked.
    pub(crate) fn windows(&self) -> Vec<i32> {
        let windows = self.windows.lock();
        windows.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn looked_back(&self, days: i32) {
        let windows = self.windows.lock();
        windows.unwrap_or_else(PoisonError::into_inner).push(days);
    }

    fn heard(&self, reference: String) {
        let references = self.references.lock();
        references
            .unwrap_or_else(PoisonError::into_inner)
            .push(reference);
    }

    /// What it says; it says nothing while it is slow.
    async fn said(&self) -> Result<Option<(Colour, Outcome)>, Status> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.lock().unwrap_or_else(PoisonError::into_inner);
        match mood {
            Mood::Says(colour, outcome) => Ok(Some((colour, outcome))),
            Mood::Slow => std::future::pending().await,
            Mood::Refuses => Err(Status::permission_denied("not today")),
            Mood::Nonsense => Ok(None),
        }
    }
}

#[tonic::async_trait]
impl HealthCodeProvider for Provider {
    async fn look_up_health_code(
        &self,
        request: Request<LookUpHealthCodeRequest>,
    ) -> Result<Response<HealthCode>, Status> {
        let reference = request.into_inner().person_reference;
        self.heard(reference);
        let code = match self.said().await? {
            Some((colour, _)) => HealthCode {
                colour: colour.into(),
                effective_time: Some(prost_types::Timestamp::default()),
            },
            None => HealthCode {
                colour: 77,
                effective_time: None,
            },
        };
        Ok(Response::new(code))
    }
}

#[tonic::async_trait]
impl IdentityProvider for Provider {
    async fn verify_identity(
        &self,
        _: Request<VerifyIdentityRequest>,
    ) -> Result<Response<VerifyIdentityResponse>, Status> {
        let outcome = self.said().await?.map_or(77, |(_, outcome)| outcome.into());
        Ok(Response::new(VerifyIdentityResponse {
            outcome,
            audit_reference: "a-1".to_owned(),
        }))
    }
}

#[tonic::async_trait]
impl TravelCardProvider for Provider {
    /// At home, and ten days before 6 April 2022 in a marked city.
    async fn look_up_travel_card(
        &self,
        request: Request<LookUpTravelCardRequest>,
    ) -> Result<Response<TravelRecord>, Status> {
        let request = request.into_inner();
        self.heard(request.person_reference);
        self.looked_back(request.window_days);
        let city = |code: &str, starred, day| City {
            division_code: code.to_owned(),
            starred,
            last_stay_date: Some(proto::Date {
                year: 2022,
                month: if day > 6 { 3 } else { 4 },
                day,
            }),
        };
        let record = match self.said().await? {
            Some(_) => TravelRecord {
                cities: vec![city("350100", false, 6), city("310100", true, 27)],
                effective_time: Some(prost_types::Timestamp {
                    seconds: 1_649_203_200,
                    nanos: 0,
                }),
                unknown: false,
            },
            None => TravelRecord {
                cities: vec![city("31", true, 27)],
                ..Default::default()
            },
        };
        Ok(Response::new(record))
    }
}
