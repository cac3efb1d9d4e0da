//! Tubes, results and holds as their clients see them, on both databases.

mod town;

use std::time::Duration;

use kit::auth::{Issuer, Role};
use proto::sampling::hold_service_client::HoldServiceClient;
use proto::sampling::result_service_client::ResultServiceClient;
use proto::sampling::tube_service_client::TubeServiceClient;
use proto::sampling::{
    AddSwabRequest, AddSwabResponse, CorrectResultRequest, GetHoldRequest, GetTubeRequest,
    HandOverTubeRequest, Hold, IssueTubesRequest, ListHoldEventsRequest, ListMakeUpTasksRequest,
    OpenTubeRequest, PoolType, ReceiveTubeRequest, ReleaseHoldRequest, Result as Outcome,
    ResultValue, SealTubeRequest, SingleReason, StartTestingRequest, SubmitResultsRequest, Tube,
    hold, tube,
};
use sea_orm::ConnectionTrait;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use town::{CITY, Roster, SCHOOL, Town, class, student};

macro_rules! on_both_databases {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(kit::scratch::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let Some(database) = kit::scratch::postgres().await else { return };
                super::$test(database).await;
            })+
        }
    };
}

on_both_databases!(
    the_eleventh_swab_is_refused_and_scanning_twice_is_one,
    fever_gets_a_single_tube,
    a_positive_holds_everybody_until_singles_are_negative,
    an_invalid_result_makes_tasks_and_no_hold,
    four_hours_and_a_minute_are_flagged,
    results_in_any_order_end_alike,
    a_laboratory_sees_its_codes_only,
    a_human_releases,
);

const CLASS: &str = "p2019-01";

#[derive(Clone)]
struct Token(String);

impl tonic::service::Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let value = format!("Bearer {}", self.0)
            .parse()
            .expect("a token is ASCII");
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

type Authorised = InterceptedService<Channel, Token>;

struct Site(Town);

impl Site {
    async fn open(database: kit::scratch::Scratch) -> Self {
        let roster = Roster::town();
        roster.class(class(SCHOOL, CLASS, 0, 45));
        roster.class(class(SCHOOL, "p2019-02", 100, 45));
        Self(Town::start(database, roster).await)
    }

    fn as_role(&self, role: Role, laboratory: Option<&str>) -> Authorised {
        let scope = CITY.parse().expect("a place");
        let ttl = Duration::from_secs(365 * 86_400);
        let token =
            Issuer::development().token("tester", &[role], &scope, laboratory, self.0.now(), ttl);
        InterceptedService::new(self.0.channel.clone(), Token(token))
    }

    fn sampler(&self) -> TubeServiceClient<Authorised> {
        TubeServiceClient::new(self.as_role(Role::Sampler, None))
    }

    fn laboratory(&self) -> TubeServiceClient<Authorised> {
        TubeServiceClient::new(self.as_role(Role::Laboratory, Some("lab-1")))
    }

    fn holds(&self) -> HoldServiceClient<Authorised> {
        HoldServiceClient::new(self.as_role(Role::CityOfficer, None))
    }

    async fn issue(&self, pool: PoolType, codes: &[&str]) {
        let request = IssueTubesRequest {
            lot: "L1".to_owned(),
            pool_type: pool.into(),
            organization: format!("organizations/{CITY}"),
            tube_codes: codes.iter().map(|code| (*code).to_owned()).collect(),
            ..Default::default()
        };
        let issued = self
            .laboratory()
            .issue_tubes(request)
            .await
            .expect("issued");
        assert_eq!(issued.into_inner().issued_count as usize, codes.len());
    }

    async fn open_tube(&self, code: &str, hold: &str) -> Tube {
        let class_group = if hold.is_empty() {
            format!("organizations/{SCHOOL}/classGroups/{CLASS}")
        } else {
            String::new()
        };
        let request = OpenTubeRequest {
            name: format!("tubes/{code}"),
            class_group,
            hold: hold.to_owned(),
            ..Default::default()
        };
        self.sampler()
            .open_tube(request)
            .await
            .expect("open")
            .into_inner()
    }

    async fn add(
        &self,
        code: &str,
        number: u32,
        why: SingleReason,
    ) -> Result<AddSwabResponse, Status> {
        let request = AddSwabRequest {
            tube: format!("tubes/{code}"),
            person: student(number),
            scan_time: None,
            single_reason: why.into(),
        };
        self.sampler()
            .add_swab(request)
            .await
            .map(tonic::Response::into_inner)
    }

    /// Brings a filled tube to the bench of the laboratory.
    async fn bring(&self, code: &str, on_the_way: chrono::Duration) -> Tube {
        let name = format!("tubes/{code}");
        let seal = SealTubeRequest {
            name: name.clone(),
            ..Default::default()
        };
        self.sampler().seal_tube(seal).await.expect("sealed");
        let courier = "courier-7".to_owned();
        let hand = HandOverTubeRequest {
            name: name.clone(),
            courier: courier.clone(),
            ..Default::default()
        };
        self.sampler()
            .hand_over_tube(hand)
            .await
            .expect("handed over");
        self.0.clock.advance(on_the_way);
        let receive = ReceiveTubeRequest {
            name: name.clone(),
            courier,
            receiver: "desk-2".to_owned(),
            ..Default::default()
        };
        let tube = self
            .laboratory()
            .receive_tube(receive)
            .await
            .expect("received")
            .into_inner();
        let test = StartTestingRequest {
            name,
            ..Default::default()
        };
        self.laboratory()
            .start_testing(test)
            .await
            .expect("testing");
        tube
    }

    async fn filled(&self, code: &str, people: std::ops::Range<u32>) {
        self.issue(PoolType::P10, &[code]).await;
        self.open_tube(code, "").await;
        for number in people {
            self.add(code, number, SingleReason::Unspecified)
                .await
                .expect("added");
        }
        self.bring(code, chrono::Duration::minutes(30)).await;
    }

    async fn report(&self, code: &str, version: i32, value: ResultValue) -> (bool, String) {
        let result = Outcome {
            tube: format!("tubes/{code}"),
            report: format!("R-{code}"),
            version,
            value: value.into(),
            reason: if version > 1 {
                "repeat test".to_owned()
            } else {
                String::new()
            },
            ..Default::default()
        };
        let request = SubmitResultsRequest {
            results: vec![result],
        };
        let mut client = ResultServiceClient::new(self.as_role(Role::Laboratory, Some("lab-1")));
        let answers = client
            .submit_results(tokio_stream::iter([request]))
            .await
            .expect("a stream");
        let answer = answers
            .into_inner()
            .message()
            .await
            .expect("an answer")
            .expect("one");
        let verdict = answer.verdicts.into_iter().next().expect("a verdict");
        (verdict.accepted, verdict.error_reason)
    }

    async fn tube(&self, code: &str) -> Tube {
        let request = GetTubeRequest {
            name: format!("tubes/{code}"),
        };
        self.sampler()
            .get_tube(request)
            .await
            .expect("a tube")
            .into_inner()
    }

    async fn hold(&self, code: &str) -> Hold {
        let request = GetHoldRequest {
            name: format!("holds/{code}"),
        };
        self.holds()
            .get_hold(request)
            .await
            .expect("a hold")
            .into_inner()
    }

    /// How many people are not clear.
    async fn not_clear(&self) -> i64 {
        let db = kit::db::Database::connect(&self.0.database)
            .await
            .expect("the database");
        let sql = kit::db::statement(db.read(), "SELECT COUNT(*) FROM clearances", []);
        let row = db
            .read()
            .query_one_raw(sql)
            .await
            .expect("a query")
            .expect("a row");
        let count = row.try_get_by_index(0).expect("a count");
        db.close().await;
        count
    }
}

fn reason(status: &Status) -> (Code, String) {
    let info = status
        .get_error_details()
        .error_info()
        .map(|info| info.reason.clone());
    (status.code(), info.unwrap_or_default())
}

fn refused(what: &str) -> (Code, String) {
    (Code::FailedPrecondition, what.to_owned())
}

/// T3.
async fn the_eleventh_swab_is_refused_and_scanning_twice_is_one(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.issue(PoolType::P10, &["FZ-0001", "FZ-0002"]).await;
    site.open_tube("FZ-0001", "").await;
    site.open_tube("FZ-0002", "").await;
    for number in 0..10 {
        site.add("FZ-0001", number, SingleReason::Unspecified)
            .await
            .expect("added");
    }
    let again = site
        .add("FZ-0001", 3, SingleReason::Unspecified)
        .await
        .expect("repeated");
    assert_eq!(again.swab_count, 10);
    let eleventh = site
        .add("FZ-0001", 10, SingleReason::Unspecified)
        .await
        .expect_err("full");
    assert_eq!(reason(&eleventh), refused("TUBE_FULL"));
    let twice = site
        .add("FZ-0002", 3, SingleReason::Unspecified)
        .await
        .expect_err("elsewhere");
    assert_eq!(reason(&twice), refused("DUPLICATE_SWAB"));
    let mixed = site
        .add("FZ-0002", 100, SingleReason::Unspecified)
        .await
        .expect_err("mixed");
    assert_eq!(reason(&mixed), refused("TUBE_CLASS_MIXED"));
}

/// T4.
async fn fever_gets_a_single_tube(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.issue(PoolType::P10, &["FZ-0001"]).await;
    site.issue(PoolType::Single, &["FZ-0002"]).await;
    site.open_tube("FZ-0001", "").await;
    site.open_tube("FZ-0002", "").await;
    let pooled = site
        .add("FZ-0001", 0, SingleReason::Symptoms)
        .await
        .expect_err("pooled");
    assert_eq!(reason(&pooled), refused("SINGLE_ONLY"));
    assert_eq!(
        site.add("FZ-0002", 0, SingleReason::Symptoms)
            .await
            .expect("alone")
            .swab_count,
        1
    );
}

/// T5.
async fn a_positive_holds_everybody_until_singles_are_negative(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..3).await;
    assert_eq!(site.not_clear().await, 0);
    assert_eq!(
        site.report("FZ-0001", 1, ResultValue::Positive).await,
        (true, String::new())
    );
    assert_eq!(site.not_clear().await, 3);
    let held = site.hold("FZ-0001").await;
    assert_eq!((held.state(), held.members.len()), (hold::State::Active, 3));
    assert_eq!(site.tube("FZ-0001").await.state(), tube::State::HoldActive);
    site.issue(PoolType::Single, &["SG-0000", "SG-0001", "SG-0002"])
        .await;
    for number in 0..3 {
        assert_eq!(site.not_clear().await, 3);
        let single = format!("SG-{number:04}");
        site.open_tube(&single, "holds/FZ-0001").await;
        site.add(&single, number, SingleReason::Unspecified)
            .await
            .expect("alone");
        site.bring(&single, chrono::Duration::minutes(5)).await;
        assert!(site.report(&single, 1, ResultValue::Negative).await.0);
    }
    assert_eq!(
        site.hold("FZ-0001").await.state(),
        hold::State::ResolvedNegative
    );
    assert_eq!(
        site.tube("FZ-0001").await.state(),
        tube::State::ResolvedNegative
    );
    assert_eq!(site.not_clear().await, 0);
    let request = ListHoldEventsRequest {
        hold: "holds/FZ-0001".to_owned(),
        ..Default::default()
    };
    let events = site
        .holds()
        .list_hold_events(request)
        .await
        .expect("lines")
        .into_inner()
        .hold_events;
    let count = |kind: &str| events.iter().filter(|event| event.kind == kind).count();
    assert_eq!((count("HELD"), count("RELEASED")), (3, 3));
}

/// T6.
async fn an_invalid_result_makes_tasks_and_no_hold(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..3).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Invalid).await.0);
    assert_eq!(
        site.tube("FZ-0001").await.state(),
        tube::State::ResampleRequired
    );
    assert_eq!(site.not_clear().await, 0);
    let request = ListMakeUpTasksRequest {
        organization: format!("organizations/{SCHOOL}"),
        ..Default::default()
    };
    let mut officer = TubeServiceClient::new(site.as_role(Role::CityOfficer, None));
    let tasks = officer
        .list_make_up_tasks(request)
        .await
        .expect("tasks")
        .into_inner();
    assert_eq!(tasks.make_up_tasks.len(), 3);
}

/// T7.
async fn four_hours_and_a_minute_are_flagged(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.issue(PoolType::P10, &["FZ-0001", "FZ-0002"]).await;
    for (code, number, minutes) in [("FZ-0001", 0, 240), ("FZ-0002", 1, 241)] {
        site.open_tube(code, "").await;
        site.add(code, number, SingleReason::Unspecified)
            .await
            .expect("added");
        let tube = site.bring(code, chrono::Duration::minutes(minutes)).await;
        assert_eq!(tube.late, minutes > 240);
    }
}

async fn results_in_any_order_end_alike(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..3).await;
    site.filled("FZ-0002", 3..6).await;
    let (positive, negative) = ((1, ResultValue::Positive), (2, ResultValue::Negative));
    for (version, value) in [positive, positive, negative, positive] {
        assert!(site.report("FZ-0001", version, value).await.0);
    }
    for (version, value) in [negative, positive, negative] {
        assert!(site.report("FZ-0002", version, value).await.0);
    }
    for code in ["FZ-0001", "FZ-0002"] {
        let tube = site.tube(code).await;
        assert_eq!(
            (tube.state(), tube.result_version),
            (tube::State::Negative, 2)
        );
    }
    assert_eq!(site.not_clear().await, 0);
    let other = site.report("FZ-0001", 1, ResultValue::Suspect).await;
    assert_eq!(other, (false, "RESULT_CONFLICT".to_owned()));
    let request = CorrectResultRequest {
        tube: "tubes/FZ-0001".to_owned(),
        report: "R-FZ-0001".to_owned(),
        value: ResultValue::Positive.into(),
        reason: "labels were swapped".to_owned(),
        ..Default::default()
    };
    let mut client = ResultServiceClient::new(site.as_role(Role::Laboratory, Some("lab-1")));
    assert_eq!(
        client
            .correct_result(request)
            .await
            .expect("corrected")
            .into_inner()
            .version,
        3
    );
    assert_eq!(site.not_clear().await, 3);
    assert_eq!(site.hold("FZ-0001").await.state(), hold::State::Active);
}

async fn a_laboratory_sees_its_codes_only(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..2).await;
    let request = GetTubeRequest {
        name: "tubes/FZ-0001".to_owned(),
    };
    let own = site
        .laboratory()
        .get_tube(request.clone())
        .await
        .expect("own")
        .into_inner();
    assert_eq!((own.org_path.as_str(), own.class_group.as_str()), ("", ""));
    let mut other = TubeServiceClient::new(site.as_role(Role::Laboratory, Some("lab-2")));
    let status = other.get_tube(request).await.expect_err("not theirs");
    assert_eq!(status.code(), Code::PermissionDenied);
}

async fn a_human_releases(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..2).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Suspect).await.0);
    assert_eq!(site.not_clear().await, 2);
    let request = ReleaseHoldRequest {
        name: "holds/FZ-0001".to_owned(),
        reason: "疾控确认样本污染".to_owned(),
        decided_by: "值班主任".to_owned(),
        ..Default::default()
    };
    let released = site
        .holds()
        .release_hold(request.clone())
        .await
        .expect("released")
        .into_inner();
    assert_eq!(released.state(), hold::State::Released);
    assert_eq!(site.not_clear().await, 0);
    let again = site
        .holds()
        .release_hold(request)
        .await
        .expect_err("released before");
    assert_eq!(reason(&again), refused("HOLD_STATE"));
}
