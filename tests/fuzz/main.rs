//! Every method of every service is sent requests that were made up by its contract: with names that are there,
//! values at every edge, and bytes that were harmed. Each is answered in time with a reason of the catalogue,
//! none with INTERNAL, and every process lives.
//!
//! The same seed gives the same requests: `CAMPUS_FUZZ_SEED` says which, `CAMPUS_FUZZ_MINUTES` for how long,
//! and `CAMPUS_REPORT` names the file to which is added what was answered; `tests/fuzz/long` sets all of them.

mod amplified;
mod harm;
mod invent;
mod raw;
mod report;
mod settings;

use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::StreamExt;
use kit::auth::{Caller, Role};
use prost_reflect::{DescriptorPool, MethodDescriptor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tests::city::{City, Door, Store, caller};
use tests::town::{CITY, Town, school_path};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use invent::Inventor;
use report::Tally;

/// Who answers a package.
const PACKAGES: [(&str, &str); 4] = [
    ("campus.roster.v1", "roster"),
    ("campus.sampling.v1", "sampling"),
    ("campus.safety.v1", "safety-inspection"),
    ("campus.notification.v1", "notification"),
];
/// How many calls are under way at once.
const AT_ONCE: usize = 8;
/// One request in so many is harmed on its way.
const HARMED: u32 = 3;
/// A stream of a caller has at most so many messages.
const MESSAGES: usize = 4;

/// A method, and who answers it.
#[derive(Clone, Debug)]
struct Method {
    descriptor: MethodDescriptor,
    service: &'static str,
    /// The roles that may call it somewhere.
    roles: Vec<Role>,
}

impl Method {
    fn path(&self) -> String {
        let service = self.descriptor.parent_service();
        format!("/{}/{}", service.full_name(), self.descriptor.name())
    }
}

/// Every method of the services behind the gateway.
fn methods(pool: &DescriptorPool) -> Vec<Method> {
    let granted = granted();
    let mut methods = Vec::new();
    for service in pool.services() {
        let package = service.parent_file().package_name().to_owned();
        let Some((_, answers)) = PACKAGES.into_iter().find(|(name, _)| *name == package) else {
            continue;
        };
        for descriptor in service.methods() {
            let mut method = Method {
                descriptor,
                service: answers,
                roles: Vec::new(),
            };
            let access = proto::access(&method.path()).expect("every method has a rule");
            let may = |role: &&Role| {
                let mut needed = access.permissions.iter();
                access.any_caller || needed.any(|name| granted[role.as_str()].contains(&&**name))
            };
            method.roles = Role::ALL.iter().filter(may).copied().collect();
            methods.push(method);
        }
    }
    methods
}

/// What each role may do, by the table that operators read.
fn granted() -> BTreeMap<&'static str, Vec<&'static str>> {
    let table = include_str!("../../deploy/policies/matrix.csv");
    let mut lines = table.lines().map(|line| line.split(','));
    let roles: Vec<_> = lines.next().expect("a heading").skip(1).collect();
    let mut granted: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for mut line in lines {
        let permission = line.next().expect("a permission");
        for (role, cell) in roles.iter().zip(line) {
            let of_role = granted.entry(*role).or_default();
            if cell == "x" {
                of_role.push(permission);
            }
        }
    }
    granted
}

/// One request.
struct Case {
    number: u64,
    method: Method,
    caller: Caller,
    messages: Vec<Vec<u8>>,
}

impl Case {
    /// The request with this number; it follows from the seed.
    fn of(number: u64, seed: u64, methods: &[Method], inventor: &Inventor) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed.wrapping_add(number << 20));
        let turn = usize::try_from(number).expect("few") % methods.len();
        let method = methods[turn].clone();
        let role = match method.roles.len() {
            0 => Role::CityOfficer,
            some => method.roles[chance.random_range(0..some)],
        };
        let places = [String::new(), CITY.to_owned(), school_path(1)];
        let place = &places[chance.random_range(0..places.len())];
        let caller = Caller {
            laboratory: (role == Role::Laboratory).then(|| "lab-1".to_owned()),
            ..caller(role, place)
        };
        let count = if method.descriptor.is_client_streaming() {
            chance.random_range(0..=MESSAGES)
        } else {
            1
        };
        let input = method.descriptor.input();
        let messages = (0..count).map(|_| {
            let message = inventor.bytes(&input, &mut chance);
            if chance.random_ratio(1, HARMED) {
                harm::harmed(message, &mut chance)
            } else {
                message
            }
        });
        Self {
            number,
            caller,
            messages: messages.collect(),
            method,
        }
    }

    /// What is wrong with how it was answered.
    fn fault(&self, answered: &Result<(), Status>) -> Option<String> {
        let Err(status) = answered else { return None };
        let reason = status.get_details_error_info().map(|info| info.reason);
        let fault = match (status.code(), reason) {
            (Code::Internal | Code::Unknown | Code::DataLoss, reason) => format!("{reason:?}"),
            // The connection or the stream broke: nobody answered.
            (_, None) => "no reason".to_owned(),
            (_, Some(_)) => return None,
        };
        Some(format!(
            "request {} to {} of {}: {:?}, {fault}, {}: {:02x?}",
            self.number,
            self.method.path(),
            self.caller.subject,
            status.code(),
            status.message(),
            self.messages
        ))
    }
}

/// A connection of each caller to each service is made once.
struct Doors<'a> {
    city: &'a City,
    open: tokio::sync::Mutex<BTreeMap<String, Door>>,
}

impl Doors<'_> {
    async fn to(&self, case: &Case) -> Door {
        let (service, who) = (case.method.service, &case.caller);
        let key = format!("{service} {} {}", who.subject, who.scope);
        let mut open = self.open.lock().await;
        if let Some(door) = open.get(&key) {
            return door.clone();
        }
        let door = self.city.door_at(service, case.caller.clone()).await;
        open.insert(key, door.clone());
        door
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_method_is_sent_it_answers_with_a_reason_and_its_process_lives() {
    let city = City::open(Store::Sqlite, Town::of(2))
        .await
        .expect("SQLite is always there");
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts can be read");
    let (methods, inventor) = (methods(&pool), Inventor::of(&city));
    assert!(methods.len() > 250, "{} methods", methods.len());
    let doors = Doors {
        city: &city,
        open: tokio::sync::Mutex::default(),
    };
    let (seeds, begun) = (settings::seeds(), Instant::now());
    let mut tally = Tally::default();
    for seed in &seeds {
        ask(*seed, (&methods, &inventor), &doors, &mut tally).await;
    }
    let (requests, seconds) = (tally.requests(), begun.elapsed().as_secs());
    tally.report(&format!(
        "fuzz: {requests} requests by seeds {seeds:?} in {seconds} s"
    ));
    assert!(tally.faults.is_empty(), "{:#?}", tally.faults);
    assert!(requests >= (methods.len() * seeds.len()) as u64);
    for (_, service) in PACKAGES {
        city.ready(service).await;
    }
    amplified::lists(&city).await;
}

/// Each method has its turn, and another one as long as there is time.
async fn ask(
    seed: u64,
    (methods, inventor): (&[Method], &Inventor),
    doors: &Doors<'_>,
    tally: &mut Tally,
) {
    let (span, begun) = (settings::span(), Instant::now());
    let least = methods.len() as u64;
    let cases = (0..).take_while(|number| *number < least || begun.elapsed() < span);
    let asked = cases.map(|number| async move {
        let case = Case::of(number, seed, methods, inventor);
        let door = doors.to(&case).await;
        let answered = raw::ask(door, &case.method.path(), case.messages.clone()).await;
        (case, answered)
    });
    let mut asked = futures_util::stream::iter(asked).buffer_unordered(AT_ONCE);
    while let Some((case, answered)) = asked.next().await {
        tally.add(case.method.service, case.method.path(), &answered);
        let fault = case.fault(&answered);
        tally
            .faults
            .extend(fault.map(|fault| format!("by seed {seed}, {fault}")));
        if tally.is_full() {
            return;
        }
    }
}
