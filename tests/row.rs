//! The processes of a city, started one after the other, each told how to reach those before it.

use std::collections::HashMap;
use std::path::Path;

use kit::scratch::Scratch;

use crate::city::Fittings;
use crate::process::Process;
use crate::wire::{DATABASE, Wire, lead, place};
use crate::wrong_clock::WrongClock;

/// How many connections a service may open: many cities share one server.
const CONNECTIONS: u32 = 5;

/// The gateway keeps nobody out: one caller of a test stands for many.
const WIDE: &str = "[limits]\nall = { rate = 100000, burst = 1000000 }\nroles = {}\nmethods = []\n";

/// Processes, by service, and the wires between them.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    folder: &'a Path,
    fittings: Fittings<'a>,
    pub(crate) processes: HashMap<&'static str, Vec<Process>>,
    pub(crate) wires: Vec<Wire>,
}

impl<'a> Row<'a> {
    /// A row that nobody stands in yet; settings are written to `folder`.
    pub(crate) fn new(folder: &'a Path, fittings: Fittings<'a>) -> Self {
        Self {
            folder,
            fittings,
            processes: HashMap::new(),
            wires: Vec::new(),
        }
    }

    /// Starts a service that has a database and calls `neighbours`; `tables` stand at the end of its keys.
    pub(crate) async fn start(
        &mut self,
        name: &'static str,
        neighbours: &[&'static str],
        tables: &str,
        database: &Scratch,
    ) {
        let known = self.known(name, neighbours).await;
        let database = self.way_to_database(name, &database.url).await;
        let database =
            format!("[database]\nurl = \"{database}\"\nmax_connections = {CONNECTIONS}\n");
        let text = self.settings(&format!("{known}{tables}"), self.fittings.trust, &database);
        self.spawn(name, text).await;
    }

    /// Starts the gateway before `upstreams`.
    pub(crate) async fn start_gateway(&mut self, upstreams: &[&'static str]) {
        let known = self.known("gateway", upstreams).await;
        let text = self.gateway_settings(&known);
        self.spawn("gateway", text).await;
    }

    /// How `from` reaches a service that was started: the gateway finds each replica by itself, others one
    /// of them, over a wire.
    pub(crate) async fn way(&mut self, from: &'static str, to: &'static str) -> String {
        let replicas: Vec<String> = self.processes[to].iter().map(Process::address).collect();
        if self.fittings.wired || (replicas.len() > 1 && from != "gateway") {
            let targets = replicas.iter().map(|address| place(address)).collect();
            let wire = Wire::lay((from, to), targets).await;
            let address = format!("http://{}", wire.address());
            self.wires.push(wire);
            return address;
        }
        replicas.join(",")
    }

    async fn way_to_database(&mut self, from: &'static str, url: &str) -> String {
        if !self.fittings.wired || !url.starts_with("postgres") {
            return url.to_owned();
        }
        let wire = Wire::lay((from, DATABASE), vec![place(url)]).await;
        let url = lead(url, wire.address());
        self.wires.push(wire);
        url
    }

    /// The keys that say where these services answer.
    async fn known(&mut self, from: &'static str, services: &[&'static str]) -> String {
        let mut known = String::new();
        for &service in services {
            let (key, address) = (service.replace('-', "_"), self.way(from, service).await);
            known += &format!("{key} = \"{address}\"\n");
        }
        known
    }

    async fn spawn(&mut self, name: &'static str, text: String) {
        let mut replicas = Vec::new();
        for number in 1..=self.fittings.replicas.max(1) {
            let folder = self.folder.join(number.to_string());
            std::fs::create_dir_all(&folder).expect("a folder for settings");
            let clock = folder.join(format!("{name}.clock"));
            let clock = self.fittings.clocks.then(|| WrongClock::right(clock));
            let heard = !self.fittings.telemetry.is_empty();
            replicas.push(Process::start(name, &folder, text.clone(), clock, heard).await);
        }
        self.processes.insert(name, replicas);
    }

    /// The settings of a gateway before `upstreams`, keys that say where each service answers.
    pub(crate) fn gateway_settings(&self, upstreams: &str) -> String {
        self.settings("", "", &format!("{WIDE}[upstreams]\n{upstreams}"))
    }

    /// Settings, the keys first: tables must come after them; `trust` goes into `auth`. They end in the
    /// table `server`, which is not complete.
    fn settings(&self, keys: &str, trust: &str, tables: &str) -> String {
        let telemetry = match self.fittings.telemetry {
            "" => "filter = \"info\"",
            telemetry => telemetry,
        };
        let bounds = self.fittings.bounds;
        format!(
            "{keys}\n[auth]\ndevelopment = true\n{trust}\n[telemetry]\n{telemetry}\n\
             listen = \"127.0.0.1:0\"\n{tables}\n[server]\n{bounds}"
        )
    }
}
