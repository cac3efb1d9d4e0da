//! The house as it is measured: below a register that publishes the invented city.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use chrono::{Datelike, Days, NaiveDate, Weekday};
use indicatif::ProgressBar;
use kit::auth::Role;
use kit::channel::Channel;
use kit::clock::{Clock, ManualClock};
use kit::db::DatabaseConfig;
use kit::drain::Drain;
use kit::field::to_date;
use kit::org::OrgPath;
use kit::scratch::Scratch;
use proto::notification::ListAlertsRequest;
use proto::notification::alert_service_client::AlertServiceClient;
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::sampling_plan::Kind;
use proto::sampling::{
    CreatePlanRequest, DrawDayRequest, DrawDayResponse, GetCoverageRequest, SamplingPlan,
};
use tonic::service::interceptor::InterceptedService;

use super::floor::Floor;
use super::{BenchArgs, Engine, register};
use crate::city::{CITY_ID, City, Options};
use crate::house::{self, Databases, Door, House};
use crate::token::Bearer;
use crate::{intake, screen};

/// The id of the plan that is measured.
pub(super) const PLAN: &str = "students";
/// How many connections to one address callers share, as behind a carrier's proxies.
const CONNECTIONS: usize = 16;
/// How long their tokens are valid: longer than a measurement's days.
const TERM: Duration = Duration::from_secs(120 * 24 * 3600);

/// A house with a city in it, on databases that go with it.
pub(super) struct Stand {
    pub(super) city: Arc<City>,
    pub(super) clock: ManualClock,
    pub(super) house: House,
    pub(super) loading: Duration,
    /// The database of roster; empty where another register is below.
    pub(super) roster: DatabaseConfig,
    /// The database of sampling.
    pub(super) sampling: DatabaseConfig,
    /// The database of notification.
    pub(super) notification: DatabaseConfig,
    /// The database of safety-inspection.
    pub(super) safety_inspection: DatabaseConfig,
    _scratch: Vec<Scratch>,
}

impl Stand {
    /// Opens the house and waits until every service has heard of everybody: what copies the register
    /// must not slow down what is measured.
    pub(super) async fn open(args: &BenchArgs) -> anyhow::Result<Self> {
        let (city, drain) = (invented(args)?, Drain::new());
        let register = register::publish(city.clone(), drain.clone()).await?;
        let (stand, begun) = Self::begin(args, city, drain, Some(register)).await?;
        stand.known(args, begun).await
    }

    /// The same above a register of its own, into which the city is imported.
    pub(super) async fn imported(args: &BenchArgs) -> anyhow::Result<Self> {
        let (stand, begun) = Self::begin(args, invented(args)?, Drain::new(), None).await?;
        let officer = stand.officer()?;
        let job = intake::import(officer, stand.city.rows(), "bench", |_| {}).await?;
        let rejected: i64 = job.counts.iter().map(|one| one.rejected).sum();
        ensure!(rejected == 0, "{rejected} rows were refused");
        stand.known(args, begun).await
    }

    /// Starts the services, below `register` where there is one.
    async fn begin(
        args: &BenchArgs,
        city: Arc<City>,
        drain: Drain,
        register: Option<String>,
    ) -> anyhow::Result<(Self, Instant)> {
        let (databases, scratch) = databases(args.database).await?;
        let clock = ManualClock::morning_of(city.options().date);
        let stores = databases.clone();
        let options = house::Options {
            register,
            ..house::Options::trial(databases)
        };
        let begun = Instant::now();
        let house = House::open(&options, Arc::new(clock.clone()), drain).await?;
        let stand = Self {
            city,
            clock,
            house,
            loading: Duration::ZERO,
            roster: stores.roster,
            sampling: stores.sampling,
            notification: stores.notification,
            safety_inspection: stores.safety_inspection,
            _scratch: scratch,
        };
        Ok((stand, begun))
    }

    /// Waits until everybody is known everywhere, and makes the plan.
    async fn known(mut self, args: &BenchArgs, begun: Instant) -> anyhow::Result<Self> {
        let all = self.city.plan().students();
        let bar = if args.json {
            ProgressBar::hidden()
        } else {
            screen::bar(all, "loading")
        };
        until_heard(&self.house, all, &bar).await?;
        self.loading = begun.elapsed();
        for database in [&self.safety_inspection, &self.notification] {
            until_copied(&Floor::open(database).await?).await?;
        }
        self.plan(PLAN).await?;
        Ok(self)
    }

    /// Makes another plan for everybody: under a plan of its own, a day is drawn anew.
    pub(super) async fn plan(&self, id: &str) -> anyhow::Result<()> {
        let plan = SamplingPlan {
            display_name: "学生每日抽样".to_owned(),
            kind: Kind::StudentRotation.into(),
            organization: format!("organizations/{CITY_ID}"),
            start_date: Some(to_date(self.clock.today())),
            ..SamplingPlan::default()
        };
        let plan_id = id.to_owned();
        let request = CreatePlanRequest {
            plan: Some(plan),
            plan_id,
            request_id: String::new(),
        };
        PlanServiceClient::new(self.officer()?)
            .create_plan(request)
            .await?;
        Ok(())
    }

    /// A connection through the gateway for an officer of the city, valid on the day it is.
    pub(super) fn officer(&self) -> anyhow::Result<Door> {
        self.house.caller(Role::CityOfficer, &city_path()?)
    }

    /// Moves to 08:00 of the next day from Monday to Friday.
    pub(super) fn next_school_day(&self) {
        let day = Self::school_day_after(self.clock.today());
        self.clock.set(ManualClock::morning_of(day).now());
    }

    /// Waits until what fell due with the change of the day is dealt with: no alert was raised for two
    /// seconds.
    pub(super) async fn settled(&self) -> anyhow::Result<()> {
        let mut client = AlertServiceClient::new(self.officer()?);
        let (mut latest, mut quiet) = (None, 0);
        for _ in 0..600 {
            let request = ListAlertsRequest {
                parent: format!("organizations/{CITY_ID}"),
                page_size: 1,
                ..ListAlertsRequest::default()
            };
            let alerts = client.list_alerts(request).await?.into_inner().alerts;
            let now = alerts.into_iter().next().map(|alert| alert.name);
            quiet = if now == latest { quiet + 1 } else { 0 };
            if quiet >= 8 {
                return Ok(());
            }
            latest = now;
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        bail!("alerts are raised without end")
    }

    /// The next day from Monday to Friday: the invented city has no holidays.
    pub(super) fn school_day_after(day: NaiveDate) -> NaiveDate {
        let mut day = day + Days::new(1);
        while matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
            day = day + Days::new(1);
        }
        day
    }

    /// Draws today under a plan for an organisation; gives the last message and the time until it came.
    pub(super) async fn draw(
        &self,
        plan: &str,
        organization: &str,
    ) -> anyhow::Result<(DrawDayResponse, Duration)> {
        let request = DrawDayRequest {
            plan: format!("plans/{plan}"),
            organization: format!("organizations/{organization}"),
            draw_date: None,
        };
        let mut client = DrawServiceClient::new(self.officer()?);
        let begun = Instant::now();
        let mut stream = client.draw_day(request).await?.into_inner();
        let mut last = None;
        while let Some(message) = stream.message().await? {
            last = Some(message);
        }
        let last = last
            .filter(|message| message.finished)
            .context("the draw did not finish")?;
        Ok((last, begun.elapsed()))
    }
}

/// The city that is measured, on a school day.
fn invented(args: &BenchArgs) -> anyhow::Result<Arc<City>> {
    let date = NaiveDate::from_ymd_opt(2022, 4, 6).context("a day")?;
    let options = Options {
        students: args.students,
        seed: 1,
        date,
    };
    Ok(Arc::new(City::new(options)))
}

/// Connections that many callers share.
pub(super) struct Doors<'a> {
    house: &'a House,
    channels: Vec<Channel>,
    given: Cell<usize>,
}

impl<'a> Doors<'a> {
    /// Connections to `address` for callers of `house`.
    pub(super) fn new(house: &'a House, address: &str) -> anyhow::Result<Self> {
        let channels = (0..CONNECTIONS).map(|_| Channel::to(address, None));
        Ok(Self {
            house,
            channels: channels.collect::<Result<_, _>>()?,
            given: Cell::new(0),
        })
    }

    /// One for somebody with `role` at `place`, whose account is named after both and `code`.
    pub(super) fn open(&self, role: Role, code: &str, place: &str) -> anyhow::Result<Door> {
        self.open_as(&format!("{role}-{code}"), role, place)
    }

    /// One for the account `subject`, which may be the name of a person, with `role` at `place`.
    pub(super) fn open_as(&self, subject: &str, role: Role, place: &str) -> anyhow::Result<Door> {
        let place: OrgPath = place.parse().ok().context("a place of the tree")?;
        let token = self.house.token(subject, role, &place, TERM);
        let number = self.given.replace(self.given.get() + 1);
        let channel = self.channels[number % CONNECTIONS].clone();
        Ok(InterceptedService::new(channel, Bearer::new(&token)?))
    }
}

/// Waits until sampling has heard of all students through the feed.
pub(super) async fn until_heard(
    house: &House,
    students: u64,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let officer = house.caller(Role::CityOfficer, &city_path()?)?;
    let mut client = CoverageServiceClient::new(officer);
    for _ in 0..12_000 {
        let scope = format!("organizations/{CITY_ID}");
        if let Ok(coverage) = client.get_coverage(GetCoverageRequest { scope }).await {
            let heard = coverage.into_inner().enrolled_count.unsigned_abs();
            bar.set_position(heard);
            if heard >= students {
                bar.finish_and_clear();
                return Ok(());
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("sampling has not heard of everybody within ten minutes")
}

/// Waits until the service with this database has copied the whole register.
async fn until_copied(service: &Floor) -> anyhow::Result<()> {
    let sql = "SELECT COUNT(*) FROM projections WHERE consumer = 'roster' AND resume_token <> ''";
    for _ in 0..6_000 {
        let copied: i64 = match service {
            Floor::Sqlite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await?,
            Floor::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await?,
        };
        if copied > 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("a service has not heard of everybody within ten minutes")
}

/// A database for each service, which go with the second value.
pub(super) async fn databases(engine: Engine) -> anyhow::Result<(Databases, Vec<Scratch>)> {
    let mut scratch = Vec::new();
    for _ in 0..4 {
        scratch.push(engine.scratch().await?);
    }
    let database = |index: usize| DatabaseConfig::clone(&scratch[index]);
    let databases = Databases {
        roster: database(0),
        sampling: database(1),
        safety_inspection: database(2),
        notification: database(3),
    };
    Ok((databases, scratch))
}

/// The place of the city in the tree.
pub(super) fn city_path() -> anyhow::Result<OrgPath> {
    CITY_ID.parse().ok().context("the city is a place")
}
