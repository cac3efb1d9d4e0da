//! The services of a city, each a process with its own database; or all of them in this process, for
//! days on which the time must be told.

mod another;
mod trouble;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
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
use tokio::sync::{Mutex, MutexGuard};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::opening;
use crate::process::{Process, SERVICES};
use crate::row::Row;
use crate::town::{CITY, Town, staff_called, student_called};
use crate::wire::Wire;

/// By how much a clock may be behind the one by which a token was made, in a city whose clocks are moved.
const BEHIND: Duration = Duration::from_secs(2 * 3600);
/// How much of a stream waits at a narrow door, in bytes.
const NARROW: u32 = 4 << 10;

/// Which database the services stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// A file each.
    Sqlite,
    /// A database each on the machine's server.
    Postgres,
}

/// What a city of processes has besides what every city has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fittings<'a> {
    /// Whom services trust besides, as `auth` in their settings has it.
    pub trust: &'a str,
    /// By which ways notification sends, as tables of its settings have it.
    pub sending: &'a str,
    /// What services tell of themselves besides on their pages, as `telemetry` in their settings has it, with its
    /// `filter`; what they write is kept then. They log at `info` if it is empty.
    pub telemetry: &'a str,
    /// What each process bears of its callers where that is not what it bears as delivered, as `server` in
    /// its settings has it.
    pub bounds: &'a str,
    /// The PostgreSQL server with its databases; none for that of the machine.
    pub server: Option<&'a str>,
    /// Whether whatever connects to another process or to PostgreSQL does so over a [`Wire`].
    pub wired: bool,
    /// How many replicas each service has; one if it is 0. More than one share a database of PostgreSQL.
    pub replicas: u32,
    /// The disk with the files of SQLite; none for that of the machine.
    pub disk: Option<&'a Path>,
    /// Whether each process has a clock that [`City::move_clocks`] moves, a
    /// [`WrongClock`](crate::wrong_clock::WrongClock). Tokens are old enough then for clocks that are behind.
    pub clocks: bool,
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
    /// How long ago tokens are made.
    age: Duration,
    /// The replicas of each service; none where they run in this process.
    processes: HashMap<&'static str, Vec<Mutex<Process>>>,
    wires: Vec<Wire>,
    house: Option<House>,
    /// In the order of [`SERVICES`], whose last one has none.
    databases: Vec<Scratch>,
    folder: Option<TempDir>,
}

impl City {
    /// Opens a city, imports `town` and waits until each service has heard of it; none where there
    /// is no PostgreSQL server, which is said loudly.
    ///
    /// # Panics
    /// When a service does not start, or the town is not taken.
    pub async fn open(store: Store, town: Town) -> Option<Self> {
        Self::open_with(store, town, Fittings::default()).await
    }

    /// The same where notification sends by the ways that the tables `sending` say, as its settings have
    /// them.
    ///
    /// # Panics
    /// When a service does not start, or the town is not taken.
    pub async fn open_sending(store: Store, town: Town, sending: &str) -> Option<Self> {
        let fittings = Fittings {
            sending,
            ..Fittings::default()
        };
        Self::open_with(store, town, fittings).await
    }

    /// The same, with services that take the word of a gateway for callers who showed it a certificate;
    /// `key` is its Ed25519 public key in base64.
    ///
    /// # Panics
    /// When a service does not start, or the town is not taken.
    pub async fn open_behind(store: Store, town: Town, key: &str) -> Option<Self> {
        let trust = format!("gateway_keys = [\"{key}\"]");
        let fittings = Fittings {
            trust: &trust,
            ..Fittings::default()
        };
        Self::open_with(store, town, fittings).await
    }

    /// The same with other fittings.
    ///
    /// # Panics
    /// When a service does not start, or the town is not taken.
    pub async fn open_with(store: Store, town: Town, fittings: Fittings<'_>) -> Option<Self> {
        let city = Self::start(store, town, fittings).await?;
        Some(city.settled().await)
    }

    /// The same with all services in this process, over the same loopback ports and through the same
    /// gateway, by a clock that the test moves.
    ///
    /// # Panics
    /// When the house does not open, or the town is not taken.
    pub async fn rehearse(store: Store, town: Town, clock: ManualClock) -> Option<Self> {
        let databases = databases(store, Fittings::default()).await?;
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
            age: Duration::ZERO,
            processes: HashMap::new(),
            wires: Vec::new(),
            house: Some(house),
            databases,
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

    /// Starts the processes, which know nobody yet.
    async fn start(store: Store, town: Town, fittings: Fittings<'_>) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder for a moment");
        let databases = databases(store, fittings).await?;
        let [roster, sampling, safety, notification] = &databases[..] else {
            panic!("a database for each service that has one");
        };
        let mut row = Row::new(folder.path(), fittings);
        row.start("roster", &[], "", roster).await;
        row.start("sampling", &["roster"], "", sampling).await;
        let neighbours = ["roster", "sampling", "safety-inspection"];
        row.start("safety-inspection", &neighbours[..2], "", safety)
            .await;
        // Messages to a small town are written in many transactions, as those to a city are.
        let tables = format!("[deliveries]\nchunk = 7\n{}", fittings.sending);
        row.start("notification", &neighbours, &tables, notification)
            .await;
        row.start_gateway(&SERVICES[..4]).await;
        let gateway = row.way("client", "gateway").await;
        let Row {
            processes, wires, ..
        } = row;
        join_all(processes.values().flatten().map(Process::ready)).await;
        let shared = |(name, replicas): (&'static str, Vec<Process>)| {
            let replicas: Vec<_> = replicas.into_iter().map(Mutex::new).collect();
            (name, replicas)
        };
        Some(Self {
            town,
            people: HashMap::new(),
            gateway,
            clock: Arc::new(SystemClock),
            age: if fittings.clocks {
                BEHIND
            } else {
                Duration::ZERO
            },
            processes: processes.into_iter().map(shared).collect(),
            wires,
            house: None,
            databases,
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

    /// The same, which takes in little at once, for somebody who reads slowly.
    ///
    /// # Panics
    /// When `scope` is no place in the tree.
    pub fn narrow_door(&self, role: Role, scope: &str) -> Door {
        let endpoint = kit::channel::endpoint(&self.gateway).expect("an address");
        let channel = endpoint.initial_stream_window_size(NARROW).connect_lazy();
        let token = self.token(caller(role, scope));
        InterceptedService::new(channel, Bearer(token))
    }

    /// A connection through the gateway for somebody of whom everything is said, for a day.
    pub fn door_of(&self, caller: Caller) -> Door {
        self.door_with(&self.token(caller))
    }

    /// A connection to a service itself, past the gateway.
    pub async fn door_at(&self, service: &str, caller: Caller) -> Door {
        door(&self.address(service).await, &self.token(caller))
    }

    /// A connection through another gateway, which answers at `address`.
    pub fn door_through(&self, address: &str, caller: Caller) -> Door {
        door(address, &self.token(caller))
    }

    /// A connection to each replica of a service itself where it has several; else one through the gateway.
    pub(crate) async fn doors_to(&self, service: &str, role: Role, scope: &str) -> Vec<Door> {
        let token = self.token(caller(role, scope));
        let mut doors = Vec::new();
        for replica in self.processes.get(service).into_iter().flatten() {
            doors.push(door(&replica.lock().await.address(), &token));
        }
        if doors.len() < 2 {
            doors = vec![self.door_with(&token)];
        }
        doors
    }

    /// A connection through the gateway that shows `token`.
    pub fn door_with(&self, token: &str) -> Door {
        door(&self.gateway, token)
    }

    /// Where the gateway answers, and a token for somebody with a role: what a command is given.
    ///
    /// # Panics
    /// When `scope` is no place in the tree.
    pub fn desk(&self, role: Role, scope: &str) -> (String, String) {
        (self.gateway.clone(), self.token(caller(role, scope)))
    }

    /// A token for somebody, for a day.
    fn token(&self, caller: Caller) -> String {
        let (made, ttl) = (self.clock.now() - self.age, Duration::from_secs(24 * 3600));
        Issuer::development().issue(caller, made, ttl)
    }

    /// How many secrets of emergencies the services have that seal something: notification has a folder
    /// of its own below.
    pub fn emergency_secrets(&self) -> usize {
        let Some(folder) = self.folder.as_ref().map(TempDir::path) else {
            return 0;
        };
        let folder = folder.join("emergency-secrets");
        let of = |folder: &Path| {
            let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let secret = |name: &OsString| name.to_string_lossy().ends_with(".secret");
            files.map(|file| file.file_name()).filter(secret).count()
        };
        of(&folder) + of(&folder.join("notification"))
    }

    /// The first process of a service, which nobody else has until it is given back.
    async fn first(&self, service: &str) -> MutexGuard<'_, Process> {
        self.processes[service][0].lock().await
    }

    /// Where a service answers by itself, without the gateway.
    ///
    /// # Panics
    /// When there is no such service.
    pub async fn address(&self, service: &str) -> String {
        let Some(house) = &self.house else {
            return self.first(service).await.address();
        };
        let mut places = house.addresses().into_iter();
        let place = places.find(|(name, _)| *name == service);
        place.expect("a service of the house").1
    }

    /// What a service answers operators at a path of its page: the code, the headers and the text.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn page(&self, service: &str, path: &str) -> String {
        self.first(service).await.page(path).await
    }

    /// Everything that the first process of a service has written, where [`Fittings::telemetry`] says so.
    ///
    /// # Panics
    /// When it was more than is kept.
    pub async fn said(&self, service: &str) -> String {
        self.first(service).await.said()
    }

    /// Everything that the database of a service holds, as [`Scratch::dump`] reads it.
    ///
    /// # Panics
    /// When the service has none.
    pub async fn dump(&self, service: &str) -> Vec<u8> {
        let place = SERVICES.iter().position(|name| *name == service);
        let database = place.and_then(|place| self.databases.get(place));
        database.expect("a database").dump().await
    }

    /// Asks the first process of a service to end, and waits until it has told everything and ended well.
    ///
    /// # Panics
    /// When it does not.
    pub async fn stop(&self, service: &str) {
        self.first(service).await.stop().await;
    }

    /// Kills a service with SIGKILL.
    pub async fn kill(&self, service: &str) {
        self.first(service).await.kill().await;
    }

    /// Starts a killed service again.
    pub async fn start_again(&self, service: &str) {
        self.first(service).await.start_again().await;
    }

    /// Waits until a service is ready.
    pub async fn ready(&self, service: &str) {
        self.first(service).await.ready().await;
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

/// A database for each of the four services that have one, on the server or the disk of the fittings if they have
/// one; none where there is no server.
async fn databases(store: Store, fittings: Fittings<'_>) -> Option<Vec<Scratch>> {
    let mut databases = Vec::new();
    for _ in 0..4 {
        databases.push(match (store, fittings.server) {
            (Store::Sqlite, _) => match fittings.disk {
                Some(disk) => scratch::sqlite_below(disk),
                None => scratch::sqlite(),
            },
            (Store::Postgres, Some(server)) => scratch::create(server).await.expect("a database"),
            (Store::Postgres, None) => scratch::postgres().await?,
        });
    }
    Some(databases)
}
