//! Hazards through the gateway: reported, and moved through their whole loop by many clients, each act
//! durable with its history, its answer for a repeat and whoever is told.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, Days, TimeDelta, Utc};
use kit::auth::Role;
use kit::clock::{Clock, civil_date};
use kit::field::{to_date, to_timestamp};
use proto::safety::accountability_service_client::AccountabilityServiceClient;
use proto::safety::hazard::{Grade, State};
use proto::safety::hazard_service_client::HazardServiceClient;
use proto::safety::{
    AssignHazardRequest, CloseHazardRequest, Hazard, HazardCategory, HazardFixes, HazardSubmission,
    ListGapsRequest, Photo, RectifyHazardRequest, ReportHazardRequest, ReviewHazardRequest,
    SubmitHazardRequest, VerifyHazardRequest,
};
use sha2::{Digest, Sha256};
use tonic::{Code, Status};
use uuid::Uuid;

use super::BenchArgs;
use super::floor::Floor;
use super::harness::{Answer, Bound, Figure, Latencies, ms};
use super::load;
use super::stand::{Doors, Stand};
use super::writes::Written;
use crate::city::SchoolPlan;
use crate::house::Door;

/// How many clients act at once, at how many schools.
const CLIENTS: usize = 64;
const SCHOOLS: usize = 64;
/// How many hazards there are.
const HAZARDS: usize = 2_000;
/// The pace that a city needs: its 3,000 schools each find one in the hour after a storm, and each takes
/// seven acts; ten times that.
const PACE: f64 = 60.0;

/// What is done to a hazard after it was reported, in order, and where it leads.
pub(super) const MOVES: [(Act, State); 6] = [
    (Act::Verify, State::Verified),
    (Act::Assign, State::Assigned),
    (Act::Rectify, State::Rectifying),
    (Act::Submit, State::Submitted),
    (Act::Review, State::Reviewing),
    (Act::Close, State::Closed),
];

/// How many acts a hazard takes, its report among them.
const ACTS: usize = MOVES.len() + 1;

#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Verify,
    Assign,
    Rectify,
    Submit,
    Review,
    Close,
}

/// A school with its safety officer and its principal.
pub(super) struct Desk {
    school: String,
    officer: Door,
    deputy: HazardServiceClient<Door>,
    head: HazardServiceClient<Door>,
}

impl Desk {
    /// That of a school.
    pub(super) fn of(doors: &Doors<'_>, school: &SchoolPlan) -> anyhow::Result<Self> {
        let (code, place) = (&school.code, school.org_path());
        let officer = doors.open(Role::SafetyOfficer, code, &place)?;
        let head = doors.open(Role::Principal, code, &place)?;
        Ok(Self {
            school: format!("organizations/{code}"),
            deputy: HazardServiceClient::new(officer.clone()),
            head: HazardServiceClient::new(head),
            officer,
        })
    }
}

/// All schools, and the hazards that were reported there.
#[derive(Clone)]
struct Ledger {
    desks: Arc<Vec<Desk>>,
    names: Arc<Vec<OnceLock<String>>>,
}

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let stand = Stand::open(args).await?;
    let desks = desks(&stand)?;
    known(&desks).await?;
    let ledger = Ledger {
        desks: Arc::new(desks),
        names: Arc::new((0..HAZARDS).map(|_| OnceLock::new()).collect()),
    };
    let all: Vec<usize> = (0..HAZARDS).collect();
    let now = stand.clock.now();
    let report = {
        let ledger = ledger.clone();
        move |number| ledger.clone().report(number, now)
    };
    let reports = load::closed(CLIENTS, all.clone(), report).await?;
    let mut moves = Vec::new();
    for (act, state) in MOVES {
        // What shows the removal was taken after it was assigned.
        stand.clock.advance(TimeDelta::minutes(1));
        let (ledger, now) = (ledger.clone(), stand.clock.now());
        let step = move |number| ledger.clone().step((act, state), number, now);
        moves.push(load::closed(CLIENTS, all.clone(), step).await?);
    }
    let service = Floor::open(&stand.safety_inspection).await?;
    let written = written(&service).await?;
    stand.house.close().await?;
    let scratch = args.database.scratch().await?;
    let floor = Floor::open(&scratch).await?;
    let measured = (CLIENTS, Duration::from_secs(5));
    let bare = written.bare(&floor, HAZARDS * ACTS, measured).await?;
    Ok(figures(&reports, &Latencies::join(moves), &bare))
}

fn figures(reports: &Latencies, moves: &Latencies, bare: &Latencies) -> Vec<Figure> {
    let acts = Latencies::join(vec![reports.clone(), moves.clone()]);
    let rate = |name, measured: &Latencies| {
        Figure::alone(name, "/s", measured.rate(), (Bound::AtLeast, PACE))
    };
    let within = |name, measured: &Latencies, share| {
        Figure::alone(name, "ms", ms(measured, share), (Bound::AtMost, 1000.0))
    };
    vec![
        rate("reports of 64 clients", reports),
        within("reports, p50", reports, 0.5),
        within("reports, p99", reports, 0.99),
        rate("moves until closed, 64 clients", moves),
        within("moves, p50", moves, 0.5),
        within("moves, p99", moves, 0.99),
        Figure::ratio(
            "acts ÷ bare commits of rows as many and as large",
            "/s",
            bare.rate(),
            acts.rate(),
            (Bound::AtLeast, 0.03),
        ),
    ]
}

/// What all acts together wrote: each of them the hazard, and each row of the other tables once.
async fn written(service: &Floor) -> anyhow::Result<Written> {
    let mut all = Written::of(service, "hazards").await?;
    all = all.times(i64::try_from(ACTS)?);
    for table in [
        "hazard_changes",
        "accountability_records",
        "photos",
        "requests",
    ] {
        all = all.and(Written::of(service, table).await?);
    }
    Ok(all)
}

/// The first schools of the city.
fn desks(stand: &Stand) -> anyhow::Result<Vec<Desk>> {
    let doors = Doors::new(&stand.house, &stand.house.gateway())?;
    let schools = stand.city.plan().schools().iter().take(SCHOOLS);
    schools.map(|school| Desk::of(&doors, school)).collect()
}

/// Waits until the service knows who answers at each school: the register has arrived.
async fn known(desks: &[Desk]) -> anyhow::Result<()> {
    for desk in desks {
        let mut left = 2400;
        while !answered_for(desk).await? {
            left -= 1;
            if left == 0 {
                bail!("nobody answers for a school after ten minutes");
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
    Ok(())
}

async fn answered_for(desk: &Desk) -> anyhow::Result<bool> {
    let request = ListGapsRequest {
        parent: desk.school.clone(),
        ..ListGapsRequest::default()
    };
    let mut client = AccountabilityServiceClient::new(desk.officer.clone());
    match client.list_gaps(request).await {
        Ok(found) => Ok(found.into_inner().gaps.is_empty()),
        // The school is not known yet.
        Err(status) if status.code() == Code::PermissionDenied => Ok(false),
        Err(status) => Err(status.into()),
    }
}

impl Ledger {
    /// Reports the hazard with this number.
    async fn report(self, number: usize, now: DateTime<Utc>) -> anyhow::Result<Answer> {
        let desk = &self.desks[number % self.desks.len()];
        let reported = report(desk, number, now).await?;
        self.names[number].get_or_init(|| reported.name);
        Ok(Answer::Done)
    }

    /// Does one act to it, which must lead to `state`.
    async fn step(
        self,
        (act, state): (Act, State),
        number: usize,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Answer> {
        let desk = &self.desks[number % self.desks.len()];
        let name = self.names[number].get().context("it was not reported")?;
        let moved = moved(desk, act, (name, number), now).await?;
        ensure!(
            moved.state() == state,
            "after {act:?} a hazard is {:?}",
            moved.state()
        );
        Ok(Answer::Done)
    }
}

/// The safety officer of a school reports a hazard, another one for each number.
pub(super) async fn report(
    desk: &Desk,
    number: usize,
    now: DateTime<Utc>,
) -> Result<Hazard, Status> {
    let request = ReportHazardRequest {
        parent: desk.school.clone(),
        hazard: Some(Hazard {
            category: HazardCategory::Fire.into(),
            place: format!("building-{}/floor-{}", number % 7 + 1, number % 4 + 1),
            description: "疏散通道堆放桌椅，影响通行".to_owned(),
            photos: vec![picture("before", number, now)],
            ..Hazard::default()
        }),
        request_id: Uuid::new_v4().to_string(),
    };
    let reported = desk.deputy.clone().report_hazard(request).await?;
    Ok(reported.into_inner())
}

/// One move: by the safety officer, the review by the principal.
pub(super) async fn moved(
    desk: &Desk,
    act: Act,
    (name, number): (&str, usize),
    now: DateTime<Utc>,
) -> Result<Hazard, Status> {
    let (name, request_id) = (name.to_owned(), Uuid::new_v4().to_string());
    let (mut deputy, mut head) = (desk.deputy.clone(), desk.head.clone());
    let answer = match act {
        Act::Verify => {
            let request = VerifyHazardRequest {
                name,
                grade: Grade::General.into(),
                request_id,
                ..VerifyHazardRequest::default()
            };
            deputy.verify_hazard(request).await
        }
        Act::Assign => {
            let fixes = HazardFixes {
                owner: String::new(),
                measures: "清理通道并划线，张贴禁止堆放标识".to_owned(),
                budget_fen: Some(120_000),
                due_date: Some(to_date(civil_date(now) + Days::new(5))),
                contingency_plan: "整改期间专人引导疏散".to_owned(),
            };
            let request = AssignHazardRequest {
                name,
                fixes: Some(fixes),
                request_id,
            };
            deputy.assign_hazard(request).await
        }
        Act::Rectify => {
            let request = RectifyHazardRequest { name, request_id };
            deputy.rectify_hazard(request).await
        }
        Act::Submit => {
            let submission = HazardSubmission {
                statement: "通道已清空".to_owned(),
                photos: vec![picture("after", number, now)],
                ..HazardSubmission::default()
            };
            let request = SubmitHazardRequest {
                name,
                submission: Some(submission),
                request_id,
            };
            deputy.submit_hazard(request).await
        }
        Act::Review => {
            let request = ReviewHazardRequest { name, request_id };
            head.review_hazard(request).await
        }
        Act::Close => {
            let request = CloseHazardRequest {
                name,
                note: "现场已复核".to_owned(),
                request_id,
            };
            head.close_hazard(request).await
        }
    };
    Ok(answer?.into_inner())
}

/// A picture that nobody else has.
fn picture(of: &str, number: usize, now: DateTime<Utc>) -> Photo {
    let digest: [u8; 32] = Sha256::digest(format!("{of} {number}")).into();
    Photo {
        sha256: digest.to_vec().into(),
        take_time: Some(to_timestamp(now)),
        ..Photo::default()
    }
}
