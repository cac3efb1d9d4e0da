//! The way of a tube: printed, opened, filled, sealed, carried, received, tested, answered.

use futures_util::stream;
use kit::auth::Role;
use proto::sampling::result_service_client::ResultServiceClient;
use proto::sampling::submit_results_response::Verdict;
use proto::sampling::tube_service_client::TubeServiceClient;
use proto::sampling::{
    AddSwabRequest, AddSwabResponse, HandOverTubeRequest, IssueTubesRequest, OpenTubeRequest,
    PoolType, ReceiveTubeRequest, Result as Found, ResultValue, SealTubeRequest,
    StartTestingRequest, SubmitResultsRequest, Tube,
};
use tonic::Status;

use crate::city::{City, Door};
use crate::town::{CITY, school_path};

/// The code of the laboratory.
const LABORATORY: &str = "lab-01";
/// Who carries tubes.
const COURIER: &str = "courier-07";

/// What a tube is opened for.
#[derive(Clone, Debug)]
pub enum Use<'a> {
    /// People of this class group, for this draw; for none when it is empty.
    ClassGroup(&'a str, &'a str),
    /// One of the people of this hold.
    Hold(&'a str),
}

/// A sampler at one school and the laboratory, both before the gateway.
#[derive(Clone, Debug)]
pub struct Way {
    site: TubeServiceClient<Door>,
    laboratory: TubeServiceClient<Door>,
    results: ResultServiceClient<Door>,
}

impl Way {
    /// At school number `at` of the city.
    pub fn new(city: &City, at: u32) -> Self {
        let laboratory = city.laboratory(LABORATORY);
        Self {
            site: TubeServiceClient::new(city.door(Role::Sampler, &school_path(at))),
            laboratory: TubeServiceClient::new(laboratory.clone()),
            results: ResultServiceClient::new(laboratory),
        }
    }

    /// The laboratory prints tubes; gives how many were new.
    ///
    /// # Errors
    /// As the service says.
    pub async fn issue(&self, codes: &[String], pool: PoolType) -> Result<i32, Status> {
        let request = IssueTubesRequest {
            lot: "LOT-1".to_owned(),
            pool_type: pool.into(),
            organization: format!("organizations/{CITY}"),
            tube_codes: codes.to_vec(),
            ..IssueTubesRequest::default()
        };
        let issued = self.laboratory.clone().issue_tubes(request).await?;
        Ok(issued.into_inner().issued_count)
    }

    /// The sampler opens a tube for people of a class group or of a hold.
    ///
    /// # Errors
    /// As the service says.
    pub async fn open(&self, code: &str, to: Use<'_>, id: &str) -> Result<Tube, Status> {
        let mut request = OpenTubeRequest {
            name: format!("tubes/{code}"),
            request_id: id.to_owned(),
            ..OpenTubeRequest::default()
        };
        match to {
            Use::ClassGroup(class_group, draw) => {
                (request.class_group, request.draw) = (class_group.to_owned(), draw.to_owned());
            }
            Use::Hold(hold) => hold.clone_into(&mut request.hold),
        }
        Ok(self.site.clone().open_tube(request).await?.into_inner())
    }

    /// The sampler adds the swab of somebody.
    ///
    /// # Errors
    /// As the service says.
    pub async fn swab(&self, code: &str, person: &str) -> Result<AddSwabResponse, Status> {
        let request = AddSwabRequest {
            tube: format!("tubes/{code}"),
            person: person.to_owned(),
            ..AddSwabRequest::default()
        };
        Ok(self.site.clone().add_swab(request).await?.into_inner())
    }

    /// The sampler seals a tube.
    ///
    /// # Errors
    /// As the service says.
    pub async fn seal(&self, code: &str, id: &str) -> Result<Tube, Status> {
        let (name, request_id) = (format!("tubes/{code}"), id.to_owned());
        let request = SealTubeRequest { name, request_id };
        Ok(self.site.clone().seal_tube(request).await?.into_inner())
    }

    /// The sampler gives a tube to the courier.
    ///
    /// # Errors
    /// As the service says.
    pub async fn hand_over(&self, code: &str, id: &str) -> Result<Tube, Status> {
        let request = HandOverTubeRequest {
            name: format!("tubes/{code}"),
            courier: COURIER.to_owned(),
            request_id: id.to_owned(),
        };
        let handed = self.site.clone().hand_over_tube(request).await?;
        Ok(handed.into_inner())
    }

    /// The laboratory takes a tube from the courier.
    ///
    /// # Errors
    /// As the service says.
    pub async fn receive(&self, code: &str, id: &str) -> Result<Tube, Status> {
        let request = ReceiveTubeRequest {
            name: format!("tubes/{code}"),
            courier: COURIER.to_owned(),
            receiver: "receiver-02".to_owned(),
            request_id: id.to_owned(),
        };
        let received = self.laboratory.clone().receive_tube(request).await?;
        Ok(received.into_inner())
    }

    /// The laboratory begins to test a tube.
    ///
    /// # Errors
    /// As the service says.
    pub async fn test(&self, code: &str, id: &str) -> Result<Tube, Status> {
        let (name, request_id) = (format!("tubes/{code}"), id.to_owned());
        let request = StartTestingRequest { name, request_id };
        let testing = self.laboratory.clone().start_testing(request).await?;
        Ok(testing.into_inner())
    }

    /// Submits results in one stream; gives the verdict on each.
    ///
    /// # Errors
    /// As the service says.
    pub async fn submit(&self, results: &[(String, ResultValue)]) -> Result<Vec<Verdict>, Status> {
        let found = |(code, value): &(String, ResultValue)| Found {
            tube: format!("tubes/{code}"),
            report: format!("R-{code}"),
            version: 1,
            value: (*value).into(),
            ..Found::default()
        };
        let request = SubmitResultsRequest {
            results: results.iter().map(found).collect(),
        };
        let mut client = self.results.clone();
        let answers = client.submit_results(stream::iter([request])).await?;
        let (mut answers, mut verdicts) = (answers.into_inner(), Vec::new());
        while let Some(answer) = answers.message().await? {
            verdicts.extend(answer.verdicts);
        }
        if verdicts.len() < results.len() {
            // A stream that ends early without an error was cut.
            return Err(Status::unavailable("the results were cut"));
        }
        Ok(verdicts)
    }

    /// Opens a tube, fills it with `people` and brings it to the bench of the laboratory.
    ///
    /// # Errors
    /// As the service says.
    pub async fn bring(&self, code: &str, to: Use<'_>, people: &[String]) -> Result<Tube, Status> {
        self.open(code, to, "").await?;
        for person in people {
            self.swab(code, person).await?;
        }
        self.seal(code, "").await?;
        self.hand_over(code, "").await?;
        self.receive(code, "").await?;
        self.test(code, "").await
    }
}
