//! The first copy of one school, as a client takes it through the gateway: by the feeds, whose snapshots it
//! reads and whose changes it then watches, and by the lists, which have names.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use kit::auth::Role;
use kit::db::DatabaseConfig;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use proto::roster::roster_event::State as RosterState;
use proto::roster::roster_feed_client::RosterFeedClient;
use proto::roster::staff_service_client::StaffServiceClient;
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::{
    ListClassGroupsRequest, ListStaffMembersRequest, ListStudentsRequest, SnapshotRequest,
    WatchRequest,
};
use proto::sampling::clearance_feed_client::ClearanceFeedClient;
use proto::sampling::hold_service_client::HoldServiceClient;
use proto::sampling::sampling_event::State as SamplingState;
use proto::sampling::sampling_feed_client::SamplingFeedClient;
use proto::sampling::{
    ClearanceSnapshotRequest, ClearanceWatchRequest, ListHoldsRequest, PoolType, ResultValue,
    SamplingSnapshotRequest, SamplingWatchRequest,
};

use super::floor::Floor;
use super::harness::{Bound, Figure, median};
use super::stand::{PLAN, Stand};
use super::{BenchArgs, swabs};
use crate::city::SchoolPlan;
use crate::house::Door;
use crate::journey::Journey;

/// How many pupils the school has, as nearly as one of the city does.
const PUPILS: u32 = 2_000;
/// How many tubes of it are positive.
const HOLDS: usize = 5;
/// How many items a page of a list has.
const PAGE: i32 = 1_000;

/// What a client knows of a school.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Copied {
    class_groups: usize,
    pupils: usize,
    staff: usize,
    holds: usize,
}

impl Copied {
    fn people(self) -> usize {
        self.pupils + self.staff
    }
}

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let stand = Stand::imported(args).await?;
    let schools = stand.city.plan().schools().iter();
    let school = schools.min_by_key(|school| school.students().abs_diff(PUPILS));
    let school = school.context("a city has schools")?;
    let expected = Copied {
        class_groups: school.classes.len(),
        pupils: school.students() as usize,
        staff: school.staff() as usize,
        holds: hold(&stand, school).await?,
    };
    let client = Client::of(&stand, school)?;
    client.until(expected).await?;
    stand.settled().await?;
    let (mut bare, mut fed, mut listed) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        bare.push(rows_of(&stand, school).await?.as_secs_f64());
        fed.push(timed(client.by_feeds(), expected).await?);
        listed.push(timed(client.by_lists(), expected).await?);
    }
    let figures = figures(expected, median(bare), median(fed), median(listed));
    stand.house.close().await?;
    Ok(figures)
}

fn figures(school: Copied, bare: f64, fed: f64, listed: f64) -> Vec<Figure> {
    let within = |name, taken| Figure::alone(name, "s", taken, (Bound::AtMost, 2.0));
    vec![
        within("first copy of a school by feeds, watched from there", fed),
        within("first copy of a school by lists, with names", listed),
        Figure::ratio(
            "by feeds ÷ the same rows read from the databases",
            "s",
            bare,
            fed,
            (Bound::AtLeast, 0.0),
        ),
        Figure::told("people of the school", "", school.people() as f64),
        Figure::told("its class groups", "", school.class_groups as f64),
        Figure::told("its holds", "", school.holds as f64),
    ]
}

/// How long a copy takes, which must be whole.
async fn timed(
    copy: impl Future<Output = anyhow::Result<Copied>>,
    expected: Copied,
) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let copied = copy.await?;
    let taken = begun.elapsed().as_secs_f64();
    ensure!(copied == expected, "{copied:?} is not all of {expected:?}");
    Ok(taken)
}

/// Tubes of the school that are positive; gives how many.
async fn hold(stand: &Stand, school: &SchoolPlan) -> anyhow::Result<usize> {
    stand.draw(PLAN, &school.code).await?;
    let journey = Journey::new(&stand.house)?;
    let mut tubes = swabs::tubes(stand, &journey, HOLDS, "T").await?;
    tubes.truncate(HOLDS);
    journey.issue(&tubes, PoolType::P10).await?;
    journey.bring(&tubes, |_| {}).await?;
    let results = tubes
        .iter()
        .map(|tube| (tube.tube(), ResultValue::Positive))
        .collect();
    let verdicts = journey.submit(results).await?;
    ensure!(
        verdicts.iter().all(|verdict| verdict.accepted),
        "a result was refused"
    );
    Ok(tubes.len())
}

/// How long the databases take to give the rows of the school from which the feeds are told.
async fn rows_of(stand: &Stand, school: &SchoolPlan) -> anyhow::Result<Duration> {
    let mut taken = Duration::ZERO;
    for database in [&stand.roster, &stand.sampling] {
        taken += rows_in(database, &school.org_path()).await?;
    }
    Ok(taken)
}

async fn rows_in(database: &DatabaseConfig, place: &str) -> anyhow::Result<Duration> {
    let floor = Floor::open(database).await?;
    let below = format!("{place}/%");
    let sql = "SELECT payload FROM feed_latest WHERE org_path = $1 OR org_path LIKE $2";
    let begun = Instant::now();
    let rows: Vec<Vec<u8>> = match &floor {
        Floor::Sqlite(pool) => {
            let rows = sqlx::query_scalar(sql).bind(place).bind(below.as_str());
            rows.fetch_all(pool).await?
        }
        Floor::Postgres(pool) => {
            let rows = sqlx::query_scalar(sql).bind(place).bind(below.as_str());
            rows.fetch_all(pool).await?
        }
    };
    let taken = begun.elapsed();
    ensure!(!rows.is_empty(), "a database knows nothing of the school");
    Ok(taken)
}

/// Who takes the copy: a system that follows the feeds of one school, and its principal.
struct Client {
    system: Door,
    principal: Door,
    school: String,
}

impl Client {
    fn of(stand: &Stand, school: &SchoolPlan) -> anyhow::Result<Self> {
        let place = school.org_path().parse().ok().context("a place")?;
        Ok(Self {
            system: stand.house.caller(Role::PartnerSystem, &place)?,
            principal: stand.house.caller(Role::Principal, &place)?,
            school: format!("organizations/{}", school.code),
        })
    }

    /// Waits until the feeds tell everything.
    async fn until(&self, expected: Copied) -> anyhow::Result<()> {
        let mut copied = Copied::default();
        for _ in 0..600 {
            copied = self.by_feeds().await?;
            if copied == expected {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("after a minute the feeds tell {copied:?}, not {expected:?}")
    }

    /// Everything by the feeds: when their snapshots were read, their changes are watched.
    async fn by_feeds(&self) -> anyhow::Result<Copied> {
        let (register, holds, ()) =
            tokio::try_join!(self.register(), self.holds(), self.clearances())?;
        Ok(Copied { holds, ..register })
    }

    async fn register(&self) -> anyhow::Result<Copied> {
        let mut feed = RosterFeedClient::new(self.system.clone());
        let mut pages = feed
            .snapshot(SnapshotRequest::default())
            .await?
            .into_inner();
        let (mut copied, mut resume_token) = (Copied::default(), String::new());
        while let Some(page) = pages.message().await? {
            for event in page.events {
                match event.state {
                    Some(RosterState::ClassGroupRoll(roll)) => {
                        copied.class_groups += 1;
                        copied.pupils += roll.members.len();
                    }
                    Some(RosterState::StaffRoll(roll)) => copied.staff += roll.members.len(),
                    _ => {}
                }
            }
            resume_token = page.resume_token;
        }
        feed.watch(WatchRequest { resume_token }).await?;
        Ok(copied)
    }

    async fn holds(&self) -> anyhow::Result<usize> {
        let mut feed = SamplingFeedClient::new(self.system.clone());
        let request = SamplingSnapshotRequest::default();
        let mut pages = feed.snapshot(request).await?.into_inner();
        let (mut holds, mut resume_token) = (0, String::new());
        while let Some(page) = pages.message().await? {
            let events = page.events.iter();
            holds += events
                .filter(|event| matches!(event.state, Some(SamplingState::Hold(_))))
                .count();
            resume_token = page.resume_token;
        }
        feed.watch(SamplingWatchRequest { resume_token }).await?;
        Ok(holds)
    }

    async fn clearances(&self) -> anyhow::Result<()> {
        let mut feed = ClearanceFeedClient::new(self.system.clone());
        let request = ClearanceSnapshotRequest::default();
        let mut pages = feed.snapshot(request).await?.into_inner();
        let mut resume_token = String::new();
        while let Some(page) = pages.message().await? {
            resume_token = page.resume_token;
        }
        feed.watch(ClearanceWatchRequest { resume_token }).await?;
        Ok(())
    }

    /// Everything by the lists, page by page.
    async fn by_lists(&self) -> anyhow::Result<Copied> {
        let (class_groups, pupils, staff, holds) = tokio::try_join!(
            self.list_class_groups(),
            self.list_pupils(),
            self.list_staff(),
            self.list_holds(),
        )?;
        Ok(Copied {
            class_groups,
            pupils,
            staff,
            holds,
        })
    }

    async fn list_class_groups(&self) -> anyhow::Result<usize> {
        let mut client = ClassGroupServiceClient::new(self.principal.clone());
        let (mut count, mut page_token) = (0, String::new());
        loop {
            let request = ListClassGroupsRequest {
                parent: self.school.clone(),
                page_size: PAGE,
                page_token,
                ..ListClassGroupsRequest::default()
            };
            let page = client.list_class_groups(request).await?.into_inner();
            count += page.class_groups.len();
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(count);
            }
        }
    }

    async fn list_pupils(&self) -> anyhow::Result<usize> {
        let mut client = StudentServiceClient::new(self.principal.clone());
        let (mut count, mut page_token) = (0, String::new());
        loop {
            let request = ListStudentsRequest {
                parent: format!("{}/classGroups/-", self.school),
                page_size: PAGE,
                page_token,
                ..ListStudentsRequest::default()
            };
            let page = client.list_students(request).await?.into_inner();
            count += page.students.len();
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(count);
            }
        }
    }

    async fn list_staff(&self) -> anyhow::Result<usize> {
        let mut client = StaffServiceClient::new(self.principal.clone());
        let (mut count, mut page_token) = (0, String::new());
        loop {
            let request = ListStaffMembersRequest {
                parent: self.school.clone(),
                page_size: PAGE,
                page_token,
                ..ListStaffMembersRequest::default()
            };
            let page = client.list_staff_members(request).await?.into_inner();
            count += page.staff.len();
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(count);
            }
        }
    }

    async fn list_holds(&self) -> anyhow::Result<usize> {
        let mut client = HoldServiceClient::new(self.principal.clone());
        let (mut count, mut page_token) = (0, String::new());
        loop {
            let request = ListHoldsRequest {
                organization: self.school.clone(),
                active: true,
                page_size: PAGE,
                page_token,
            };
            let page = client.list_holds(request).await?.into_inner();
            count += page.holds.len();
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use kit::scratch;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        bench: BenchArgs,
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_school_of_a_small_city_is_copied_whole() {
        copied("sqlite").await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_school_of_a_small_city_is_copied_whole_on_postgres() {
        if scratch::postgres().await.is_some() {
            copied("postgres").await;
        }
    }

    async fn copied(database: &str) {
        let line = format!("bench copy --database {database} --students 1000 --rounds 1 --json");
        let args = Line::parse_from(line.split_whitespace()).bench;
        let figures = run(&args).await.unwrap();
        let told = |name: &str| {
            let figure = figures.iter().find(|figure| figure.name == name);
            figure.unwrap().product
        };
        assert!(told("people of the school") > 0.0);
        assert!(told("its class groups") >= 1.0);
        assert!(told("its holds") >= 1.0);
    }

    #[test]
    fn a_copy_that_takes_long_misses_its_target_either_way() {
        let school = Copied {
            class_groups: 45,
            pupils: 2_000,
            staff: 120,
            holds: 5,
        };
        let figures = figures(school, 0.1, 2.1, 1.9);
        let missed = figures.iter().filter(|figure| !figure.met);
        let missed: Vec<_> = missed.map(|figure| figure.name).collect();
        assert_eq!(
            missed,
            ["first copy of a school by feeds, watched from there"]
        );
    }
}
