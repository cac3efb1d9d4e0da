//! A site where tubes are filled, carried and tested.
#![allow(dead_code, reason = "each test uses its part")]

use kit::auth::Role;
use kit::db::{Database, statement};
use proto::sampling::hold_service_client::HoldServiceClient;
use proto::sampling::result_service_client::ResultServiceClient;
use proto::sampling::tube_service_client::TubeServiceClient;
use proto::sampling::{
    AddSwabRequest, AddSwabResponse, GetHoldRequest, GetTubeRequest, HandOverTubeRequest, Hold,
    IssueTubesRequest, ListMakeUpTasksRequest, OpenTubeRequest, PoolType, ReceiveTubeRequest,
    Result as Outcome, ResultValue, SealTubeRequest, SingleReason, StartTestingRequest,
    SubmitResultsRequest, Tube,
};
use sea_orm::ConnectionTrait;
use tonic::{Code, Status};

use super::town::{Authorised, CITY, Roster, SCHOOL, Town, class, student};

pub(crate) const CLASS: &str = "p2019-01";

/// A town with two class groups, in which tubes go their way.
pub(crate) struct Site(pub(crate) Town);

impl Site {
    pub(crate) async fn open(database: kit::scratch::Scratch) -> Self {
        let roster = Roster::town();
        roster.class(class(SCHOOL, CLASS, 0, 45));
        roster.class(class(SCHOOL, "p2019-02", 100, 45));
        Self(Town::start(database, roster).await)
    }

    pub(crate) fn as_role(&self, role: Role, laboratory: Option<&str>) -> Authorised {
        self.0.authorised_at(&[role], CITY, laboratory)
    }

    pub(crate) fn sampler(&self) -> TubeServiceClient<Authorised> {
        TubeServiceClient::new(self.as_role(Role::Sampler, None))
    }

    pub(crate) fn laboratory(&self) -> TubeServiceClient<Authorised> {
        TubeServiceClient::new(self.as_role(Role::Laboratory, Some("lab-1")))
    }

    pub(crate) fn holds(&self) -> HoldServiceClient<Authorised> {
        HoldServiceClient::new(self.as_role(Role::CityOfficer, None))
    }

    pub(crate) async fn issue(&self, pool: PoolType, codes: &[&str]) {
        self.issue_at(pool, codes, CITY).await;
    }

    /// Issues tubes that may be used at one organisation only.
    pub(crate) async fn issue_at(&self, pool: PoolType, codes: &[&str], organization: &str) {
        let request = IssueTubesRequest {
            lot: "L1".to_owned(),
            pool_type: pool.into(),
            organization: format!("organizations/{organization}"),
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

    pub(crate) async fn open_tube(&self, code: &str, hold: &str) -> Tube {
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

    pub(crate) async fn add(
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
    pub(crate) async fn bring(&self, code: &str, on_the_way: chrono::Duration) -> Tube {
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

    pub(crate) async fn filled(&self, code: &str, people: std::ops::Range<u32>) {
        self.issue(PoolType::P10, &[code]).await;
        self.open_tube(code, "").await;
        for number in people {
            self.add(code, number, SingleReason::Unspecified)
                .await
                .expect("added");
        }
        self.bring(code, chrono::Duration::minutes(30)).await;
    }

    pub(crate) async fn report(
        &self,
        code: &str,
        version: i32,
        value: ResultValue,
    ) -> (bool, String) {
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

    pub(crate) async fn tube(&self, code: &str) -> Tube {
        let request = GetTubeRequest {
            name: format!("tubes/{code}"),
        };
        self.sampler()
            .get_tube(request)
            .await
            .expect("a tube")
            .into_inner()
    }

    pub(crate) async fn hold(&self, code: &str) -> Hold {
        let request = GetHoldRequest {
            name: format!("holds/{code}"),
        };
        self.holds()
            .get_hold(request)
            .await
            .expect("a hold")
            .into_inner()
    }

    /// The control of everybody who is under one, by person.
    pub(crate) async fn controls(&self) -> Vec<i16> {
        let db = self.database().await;
        let sql = "SELECT control FROM clearances WHERE control <> 1 ORDER BY person";
        let rows = db.read().query_all_raw(statement(db.read(), sql, []));
        let rows = rows.await.expect("a query");
        let controls = rows.iter().map(|row| row.try_get_by_index(0));
        let controls = controls.collect::<Result<_, _>>().expect("numbers");
        db.close().await;
        controls
    }

    /// How many people are under a control.
    pub(crate) async fn not_clear(&self) -> usize {
        self.controls().await.len()
    }

    /// What a query counts.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let db = self.database().await;
        let row = db.read().query_one_raw(statement(db.read(), sql, []));
        let row = row.await.expect("a query").expect("a row");
        let count = row.try_get_by_index(0).expect("a number");
        db.close().await;
        count
    }

    /// Changes what no client can.
    pub(crate) async fn force(&self, sql: &str) {
        let db = self.database().await;
        let tx = db.begin().await.expect("a transaction");
        tx.execute_unprepared(sql).await.expect("a change");
        tx.commit().await.expect("committed");
        db.close().await;
    }

    async fn database(&self) -> Database {
        Database::connect(&self.0.database)
            .await
            .expect("the database")
    }

    /// A single tube of a hold, with this person in it, at the bench.
    pub(crate) async fn single(&self, code: &str, hold: &str, number: u32) {
        self.issue(PoolType::Single, &[code]).await;
        self.open_tube(code, hold).await;
        self.add(code, number, SingleReason::Unspecified)
            .await
            .expect("alone");
        self.bring(code, chrono::Duration::minutes(5)).await;
    }

    /// Who must be swabbed again, with the cause.
    pub(crate) async fn make_ups(&self) -> Vec<(String, String)> {
        let request = ListMakeUpTasksRequest {
            organization: format!("organizations/{SCHOOL}"),
            ..Default::default()
        };
        let mut officer = TubeServiceClient::new(self.as_role(Role::CityOfficer, None));
        let tasks = officer.list_make_up_tasks(request).await.expect("tasks");
        let tasks = tasks.into_inner().make_up_tasks.into_iter();
        tasks.map(|task| (task.person, task.cause)).collect()
    }
}

/// A refusal for this reason.
pub(crate) fn refused(what: &str) -> (Code, String) {
    (Code::FailedPrecondition, what.to_owned())
}
