//! The way of tubes: printed, filled, sealed, carried, received, tested, answered.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use kit::auth::Role;
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::result_service_client::ResultServiceClient;
use proto::sampling::submit_results_response::Verdict;
use proto::sampling::tube_service_client::TubeServiceClient;
use proto::sampling::{
    AddSwabRequest, AddSwabResponse, HandOverTubeRequest, IssueTubesRequest,
    ListAssignmentsRequest, OpenTubeRequest, PoolType, ReceiveTubeRequest, Result as TubeResult,
    ResultValue, SealTubeRequest, StartTestingRequest, SubmitResultsRequest, Tube, assignment,
};

use crate::city::CITY_ID;
use crate::house::{Door, House};

/// The code of the laboratory.
pub const LABORATORY: &str = "lab-01";
/// How many tubes are under way at once.
const AT_ONCE: usize = 24;
/// How many results one message carries at most.
const RESULTS: usize = 1000;

/// What goes into one tube.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filling {
    /// The code of the tube.
    pub code: String,
    /// The class group; empty for a single tube of a hold.
    pub class_group: String,
    /// The hold that ordered it; empty for others.
    pub hold: String,
    /// The draw it is filled for; empty for others.
    pub draw: String,
    /// Who is swabbed.
    pub people: Vec<String>,
}

impl Filling {
    /// The resource name of the tube.
    pub fn tube(&self) -> String {
        format!("tubes/{}", self.code)
    }
}

/// A sampler and a laboratory that work through the gateway.
#[derive(Clone, Debug)]
pub struct Journey {
    sampler: TubeServiceClient<Door>,
    laboratory: TubeServiceClient<Door>,
    results: ResultServiceClient<Door>,
    draws: DrawServiceClient<Door>,
}

impl Journey {
    /// Both get a token for the city.
    ///
    /// # Errors
    /// When the gateway's address cannot be used.
    pub fn new(house: &House) -> anyhow::Result<Self> {
        let city = CITY_ID.parse().ok().context("the city is a place")?;
        let sampler = house.caller(Role::Sampler, &city)?;
        let laboratory = house.laboratory(LABORATORY)?;
        Ok(Self {
            sampler: TubeServiceClient::new(sampler.clone()),
            laboratory: TubeServiceClient::new(laboratory.clone()),
            results: ResultServiceClient::new(laboratory),
            draws: DrawServiceClient::new(sampler),
        })
    }

    /// Plans the tubes of one draw, as it shares them out; their codes begin with `prefix`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn plan(&self, draw: &str, prefix: &str) -> anyhow::Result<Vec<Filling>> {
        let mut client = self.draws.clone();
        let mut tubes: BTreeMap<(String, i32), Vec<String>> = BTreeMap::new();
        let mut page_token = String::new();
        loop {
            let request = ListAssignmentsRequest {
                draw: draw.to_owned(),
                class_group: String::new(),
                page_size: 1000,
                page_token,
            };
            let page = client.list_assignments(request).await?.into_inner();
            for one in page.assignments {
                if one.state() == assignment::State::Assigned {
                    tubes
                        .entry((one.class_group, one.tube_number))
                        .or_default()
                        .push(one.person);
                }
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let fillings = tubes
            .into_iter()
            .enumerate()
            .map(|(index, ((class_group, _), people))| {
                let code = format!("{prefix}-{index:03}");
                Filling {
                    code,
                    class_group,
                    hold: String::new(),
                    draw: draw.to_owned(),
                    people,
                }
            });
        Ok(fillings.collect())
    }

    /// The laboratory prints the tubes of `fillings`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn issue(&self, fillings: &[Filling], pool_type: PoolType) -> anyhow::Result<()> {
        for some in fillings.chunks(10_000) {
            let request = IssueTubesRequest {
                laboratory: String::new(),
                lot: "LOT-2022-04".to_owned(),
                pool_type: pool_type.into(),
                organization: format!("organizations/{CITY_ID}"),
                tube_codes: some.iter().map(|filling| filling.code.clone()).collect(),
                // The usual test.
                disease: 0,
            };
            self.laboratory.clone().issue_tubes(request).await?;
        }
        Ok(())
    }

    /// Opens a tube.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn open(&self, filling: &Filling) -> anyhow::Result<Tube> {
        let request = OpenTubeRequest {
            name: filling.tube(),
            class_group: filling.class_group.clone(),
            point: String::new(),
            hold: filling.hold.clone(),
            draw: filling.draw.clone(),
            request_id: String::new(),
        };
        Ok(self.sampler.clone().open_tube(request).await?.into_inner())
    }

    /// Adds one swab.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn swab(&self, tube: &str, person: &str) -> Result<AddSwabResponse, tonic::Status> {
        let request = AddSwabRequest {
            tube: tube.to_owned(),
            person: person.to_owned(),
            ..AddSwabRequest::default()
        };
        Ok(self.sampler.clone().add_swab(request).await?.into_inner())
    }

    /// Closes a filled tube.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn seal(&self, tube: &str) -> anyhow::Result<Tube> {
        let request = SealTubeRequest {
            name: tube.to_owned(),
            request_id: String::new(),
        };
        Ok(self.sampler.clone().seal_tube(request).await?.into_inner())
    }

    /// Brings a sealed tube to the laboratory, which signs and begins the test.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn deliver(&self, tube: &str) -> anyhow::Result<Tube> {
        let (name, request_id) = (tube.to_owned(), String::new());
        let courier = "courier-07".to_owned();
        let request = HandOverTubeRequest {
            name,
            courier: courier.clone(),
            request_id,
        };
        self.sampler.clone().hand_over_tube(request).await?;
        let (name, request_id) = (tube.to_owned(), String::new());
        let receiver = "receiver-02".to_owned();
        let request = ReceiveTubeRequest {
            name,
            courier,
            receiver,
            request_id,
        };
        self.laboratory.clone().receive_tube(request).await?;
        let request = StartTestingRequest {
            name: tube.to_owned(),
            request_id: String::new(),
        };
        Ok(self
            .laboratory
            .clone()
            .start_testing(request)
            .await?
            .into_inner())
    }

    /// Opens, fills, seals and delivers every tube, several at once; tells `done` after each.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn bring(&self, fillings: &[Filling], done: impl Fn(&Filling)) -> anyhow::Result<()> {
        let done = &done;
        stream::iter(fillings)
            .map(|filling| async move {
                let tube = filling.tube();
                let on_the_way = async {
                    self.open(filling).await?;
                    for person in &filling.people {
                        self.swab(&tube, person).await?;
                    }
                    self.seal(&tube).await?;
                    self.deliver(&tube).await?;
                    anyhow::Ok(())
                };
                on_the_way.await.with_context(|| tube.clone())?;
                done(filling);
                anyhow::Ok(())
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// Submits results in one stream; gives the verdict on each, in order.
    ///
    /// # Errors
    /// When the stream breaks or a verdict is missing.
    pub async fn submit(
        &self,
        results: Vec<(String, ResultValue)>,
    ) -> anyhow::Result<Vec<Verdict>> {
        let count = results.len();
        let results: Vec<TubeResult> = results
            .into_iter()
            .enumerate()
            .map(|(index, (tube, value))| TubeResult {
                report: format!("R{:06}-{}", index + 1, tube.trim_start_matches("tubes/")),
                tube,
                version: 1,
                value: value.into(),
                ..TubeResult::default()
            })
            .collect();
        self.submit_all(results, count).await
    }

    /// Submits results as they are.
    ///
    /// # Errors
    /// When the stream breaks or a verdict is missing.
    pub async fn submit_all(
        &self,
        results: Vec<TubeResult>,
        count: usize,
    ) -> anyhow::Result<Vec<Verdict>> {
        let messages: Vec<SubmitResultsRequest> = results
            .chunks(RESULTS)
            .map(|some| SubmitResultsRequest {
                results: some.to_vec(),
            })
            .collect();
        let mut client = self.results.clone();
        let mut answers = client
            .submit_results(stream::iter(messages))
            .await?
            .into_inner();
        let mut verdicts = Vec::with_capacity(count);
        while let Some(answer) = answers.message().await? {
            verdicts.extend(answer.verdicts);
        }
        ensure!(
            verdicts.len() == count,
            "{} of {count} verdicts came",
            verdicts.len()
        );
        Ok(verdicts)
    }
}
