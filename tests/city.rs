//! The services of a city, each a process with its own database; or all of them in this process, for
//! days on which the time must be told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use kit::auth::{Caller, Issuer, Role};
use kit::clock::{Clock, ManualClock, SystemClock};
use kit::db::DatabaseConfig;
use kit::drain::Drain;
use kit::scratch::{self, Scratch};
use standalone::house::{Databases, House, Options};
use tempfile::TempDir;
use tokio::sync::Mutex;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::opening;
use crate::process::Process;
use crate::town::{CITY, Town, staff_called, student_called};

/// How many connections a service may open: many cities share one server.
const CONNECTIONS: u32 = 5;

/// Which database the services stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// A file each.
    Sqlite,
    /// A database each on the machine's server.
    Postgres,
}

/// A connection to the gateway that shows a token with every call.
pub type Door = InterceptedService<Channel, Bearer>;

/// Shows a token.
#[derive(Clone, Debug)]
pub struct Bearer(String);

impl tonic::service::Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let value = format!("Bearer {}", self.0)
            .parse()
            .expect("a token is ASCII");
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

/// Five services that know a town.
#[derive(Debug)]
pub struct City {
    /// What was imported.
    pub town: Town,
    /// Resource names of people by what they are called.
    people: HashMap<String, String>,
    gateway: String,
    /// The clock by which tokens are valid.
    clock: Arc<dyn Clock>,
    /// None where they run in this process.
    processes: HashMap<&'static str, Arc<Mutex<Process>>>,
    _house: Option<House>,
    _databases: Vec<Scratch>,
    folder: Option<TempDir>,
}

impl City {
    /// Opens a city, imports `town` and waits until each service has heard of it; none where there
    /// is no PostgreSQL server, which is said loudly.
    ///
    /// # Panics
    /// When a service does not start, or the town is not taken.
    pub async fn open(store: Store, town: Town) -> Option<Self> {
        Some(Self::start(store, town, "", "").await?.settled().await)
    }

    /// The same where notification sends by the ways that the tables `sending` say, as its settings have
    /// them.
    ///
    /// # Panics
    /// When a service does not start, or the town is not taken.
    pub async fn open_sending(store: Store, town: Town, sending: &str) -> Option<Self> {
        let city = Self::start(store, town, "", sending).await?;
        Some(city.settled().await)
    }

    /// The same, with services that take the word of a gateway for callers who showed it a certificate;
    /// `key` is its Ed25519 public key in base64.
    ///
    /// # Panics
    /// When a service does not start, or the town is not taken.
    pub async fn open_behind(store: Store, town: Town, key: &str) -> Option<Self> {
        let trust = format!("gateway_keys = [\"{key}\"]");
        Some(Self::start(store, town, &trust, "").await?.settled().await)
    }

    /// The same with all services in this process, over the same loopback ports and through the same
    /// gateway, by a clock that the test moves.
    ///
    /// # Panics
    /// When the house does not open, or the town is not taken.
    pub async fn rehearse(store: Store, town: Town, clock: ManualClock) -> Option<Self> {
        let databases = databases(store).await?;
        let database = |index: usize| DatabaseConfig::clone(&databases[index]);
        let folder = tempfile::tempdir().expect("a folder for a moment");
        let databases_of = Databases {
            roster: database(0),
            sampling: database(1),
            safety_inspection: database(2),
            notification: database(3),
        };
        let options = Options {
            emergency_secrets: Some(folder.path().join("emergency-secrets")),
            ..Options::trial(databases_of)
        };
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let house = House::open(&options, clock.clone(), Drain::new()).await;
        let house = house.expect("the house opens");
        let city = Self {
            town,
            people: HashMap::new(),
            gateway: house.gateway(),
            clock,
            processes: HashMap::new(),
            _house: Some(house),
            _databases: databases,
            folder: Some(folder),
        };
        Some(city.settled().await)
    }

    /// Imports the town and waits until each service has heard of it.
    async fn settled(mut self) -> Self {
        let town = self.town;
        opening::settle(&self, &town).await;
        self.people = opening::names(&self, &town).await;
        self
    }

    /// Starts the processes, which know nobody yet; `trust` says whom services trust besides, and `sending`
    /// by which ways notification sends.
    async fn start(store: Store, town: Town, trust: &str, sending: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder for a moment");
        let databases = databases(store).await?;
        let start = |name, keys: String, database: &Scratch| {
            Process::start(
                name,
                folder.path(),
                settings(&keys, trust, Some(&database.url)),
            )
        };
        let roster = start("roster", String::new(), &databases[0]).await;
        let keys = format!("roster = \"{}\"", roster.address());
        let sampling = start("sampling", keys.clone(), &databases[1]).await;
        let keys = format!("{keys}\nsampling = \"{}\"", sampling.address());
        // Messages to a small town are written in many transactions, as those to a city are.
        let safety = start("safety-inspection", keys.clone(), &databases[2]).await;
        let small = format!(
            "{keys}\nsafety_inspection = \"{}\"\n[deliveries]\nchunk = 7\n{sending}",
            safety.address()
        );
        let notification = start("notification", small, &databases[3]).await;
        let upstreams = format!(
            "[upstreams]\nroster = \"{}\"\nsampling = \"{}\"\nsafety_inspection = \"{}\"\n\
             notification = \"{}\"",
            roster.address(),
            sampling.address(),
            safety.address(),
            notification.address()
        );
        let settings = format!("{}\n{upstreams}", settings("", "", None));
        let gateway = Process::start("gateway", folder.path(), settings).await;
        let address = gateway.address();
        let all = [roster, sampling, safety, notification, gateway];
        join_all(all.iter().map(Process::ready)).await;
        let processes = all.map(|process| (process.name(), Arc::new(Mutex::new(process))));
        Some(Self {
            town,
            people: HashMap::new(),
            gateway: address,
            clock: Arc::new(SystemClock),
            processes: processes.into(),
            _house: None,
            _databases: databases,
            folder: Some(folder),
        })
    }

    /// Waits until every service has heard of everything that roster has; `id` is that of an
    /// organisation that is not there yet.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn catch_up(&self, id: &str) {
        opening::catch_up(self, id).await;
    }

    /// The guardians of a pupil, by the pupil's resource name.
    pub fn guardians_of(student: &str) -> String {
        format!("{student}/guardians/-")
    }

    /// The student with this place in a class group of a school.
    ///
    /// # Panics
    /// When there is none.
    pub fn student(&self, school: u32, class: u32, place: u32) -> &str {
        &self.people[&student_called(school, class, place)]
    }

    /// Who holds a post of a school.
    ///
    /// # Panics
    /// When nobody does.
    pub fn staff(&self, school: u32, post: &str) -> &str {
        &self.people[&staff_called(school, post)]
    }

    /// A connection through the gateway for a laboratory of the city.
    pub fn laboratory(&self, code: &str) -> Door {
        self.door_of(Caller {
            laboratory: Some(code.to_owned()),
            ..caller(Role::Laboratory, CITY)
        })
    }

    /// A connection through the gateway for somebody with `role` at `scope`.
    ///
    /// # Panics
    /// When `scope` is no place in the tree.
    pub fn door(&self, role: Role, scope: &str) -> Door {
        self.door_of(caller(role, scope))
    }

    /// A connection through the gateway for somebody of whom everything is said, for a day.
    pub fn door_of(&self, caller: Caller) -> Door {
        self.door_with(&self.token(caller))
    }

    /// A connection to a service itself, past the gateway.
    pub async fn door_at(&self, service: &str, caller: Caller) -> Door {
        door(&self.address(service).await, &self.token(caller))
    }

    /// A connection through the gateway that shows `token`.
    pub fn door_with(&self, token: &str) -> Door {
        door(&self.gateway, token)
    }

    /// A token for somebody, for a day.
    fn token(&self, caller: Caller) -> String {
        let (now, ttl) = (self.clock.now(), Duration::from_secs(24 * 3600));
        Issuer::development().issue(caller, now, ttl)
    }

    /// How many secrets of emergencies there are.
    pub fn emergency_secrets(&self) -> usize {
        let folder = self.folder.as_ref().map(TempDir::path);
        let secrets = folder.map(|folder| folder.join("emergency-secrets"));
        secrets
            .and_then(|folder| std::fs::read_dir(folder).ok())
            .map_or(0, Iterator::count)
    }

    /// Where a service answers by itself, without the gateway.
    pub async fn address(&self, service: &str) -> String {
        self.processes[service].lock().await.address()
    }

    /// What a service answers operators at a path of its page: the code, the headers and the text.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn page(&self, service: &str, path: &str) -> String {
        self.processes[service].lock().await.page(path).await
    }

    /// Kills a service with SIGKILL.
    pub async fn kill(&self, service: &str) {
        self.processes[service].lock().await.kill().await;
    }

    /// Starts a killed service again.
    pub async fn start_again(&self, service: &str) {
        self.processes[service].lock().await.start_again().await;
    }

    /// Waits until a service is ready.
    pub async fn ready(&self, service: &str) {
        self.processes[service].lock().await.ready().await;
    }
}

fn door(address: &str, token: &str) -> Door {
    let channel = kit::channel::connect_lazy(address).expect("an address");
    InterceptedService::new(channel, Bearer(token.to_owned()))
}

/// Somebody with `role` at `scope`, by a subject that says the role.
///
/// # Panics
/// When `scope` is no place in the tree.
pub fn caller(role: Role, scope: &str) -> Caller {
    Caller {
        second_factor: true,
        ..Caller::new(
            format!("test-{role}"),
            vec![role],
            scope.parse().expect("a place in the tree"),
        )
    }
}

/// A database for each of the four services that have one; none where there is no server.
async fn databases(store: Store) -> Option<Vec<Scratch>> {
    let mut databases = Vec::new();
    for _ in 0..4 {
        databases.push(match store {
            Store::Sqlite => scratch::sqlite(),
            Store::Postgres => scratch::postgres().await?,
        });
    }
    Some(databases)
}

/// Settings without `server`, the keys first: tables must come after them; `trust` goes into `auth`.
fn settings(keys: &str, trust: &str, database: Option<&str>) -> String {
    let database = database
        .map(|url| format!("[database]\nurl = \"{url}\"\nmax_connections = {CONNECTIONS}\n"))
        .unwrap_or_default();
    format!(
        "{keys}\n[auth]\ndevelopment = true\n{trust}\n[telemetry]\nfilter = \"info\"\n\
         listen = \"127.0.0.1:0\"\n{database}"
    )
}
