//! Each service as a process of its own, on a database that is empty and up to date: how long it takes from
//! its start until it is ready, and how much memory it holds when nobody asks anything.
//!
//! The programs of the services stand beside this one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use kit::scratch::Scratch;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use super::BenchArgs;
use super::harness::{Bound, Figure, median, resident_mb};

/// A service is ready, and its database up to date, within this time, or never.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long to wait before whether it is ready is asked again.
const PAUSE: Duration = Duration::from_millis(2);
/// Memory is looked at this often until it stays what it was, but no more often than that.
const LOOK: Duration = Duration::from_secs(1);
const LOOKS: u32 = 15;
/// What it may differ by and has stayed, in millions of bytes.
const STILL: f64 = 0.25;

/// A service, and the names of its figures.
struct Service {
    name: &'static str,
    keeps_data: bool,
    ready: &'static str,
    memory: &'static str,
}

/// In the order in which they start: each calls those before it.
const SERVICES: [Service; 5] = [
    Service {
        name: "roster",
        keeps_data: true,
        ready: "roster, from its start until it is ready",
        memory: "roster, idle",
    },
    Service {
        name: "sampling",
        keeps_data: true,
        ready: "sampling, from its start until it is ready",
        memory: "sampling, idle",
    },
    Service {
        name: "safety-inspection",
        keeps_data: true,
        ready: "safety-inspection, from its start until it is ready",
        memory: "safety-inspection, idle",
    },
    Service {
        name: "notification",
        keeps_data: true,
        ready: "notification, from its start until it is ready",
        memory: "notification, idle",
    },
    Service {
        name: "gateway",
        keeps_data: false,
        ready: "gateway, from its start until it is ready",
        memory: "gateway, idle",
    },
];

/// What one service took, round after round.
#[derive(Clone, Debug, Default)]
struct Taken {
    /// Its program that only reads its settings, in seconds.
    bare: Vec<f64>,
    /// Until it was ready, in seconds.
    ready: Vec<f64>,
    /// Its memory, in millions of bytes.
    memory: Vec<f64>,
}

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let folder = beside()?;
    let mut taken = vec![Taken::default(); SERVICES.len()];
    for _ in 0..args.rounds {
        let mut up: Vec<Process> = Vec::new();
        let mut databases: Vec<Scratch> = Vec::new();
        for (service, taken) in SERVICES.iter().zip(&mut taken) {
            let mut database = None;
            if service.keeps_data {
                let scratch = args.database.scratch().await?;
                database = Some(scratch.url.clone());
                databases.push(scratch);
            }
            let program = Program {
                file: folder.join(service.name),
                settings: settings(service.name, database.as_deref(), &up),
            };
            if service.keeps_data {
                program.run("migrate").await?;
            }
            taken.bare.push(program.run("check-config").await?);
            let (process, ready) = program.start(service.name).await?;
            taken.ready.push(ready);
            up.push(process);
        }
        for (process, taken) in up.iter().zip(&mut taken) {
            taken.memory.push(process.idle_memory().await?);
        }
        for process in up {
            process.end().await?;
        }
        drop(databases);
    }
    Ok(figures(&taken))
}

fn figures(taken: &[Taken]) -> Vec<Figure> {
    let mut figures = Vec::new();
    let (mut slowest, mut bare) = (0.0, 0.0);
    for (service, taken) in SERVICES.iter().zip(taken) {
        let ready = median(taken.ready.clone());
        if ready > slowest {
            (slowest, bare) = (ready, median(taken.bare.clone()));
        }
        let most = (Bound::AtMost, 1.0);
        figures.push(Figure::alone(service.ready, "s", ready, most));
    }
    figures.push(Figure::ratio(
        "the slowest ÷ its program that only reads its settings",
        "s",
        bare,
        slowest,
        (Bound::AtLeast, 0.0),
    ));
    for (service, taken) in SERVICES.iter().zip(taken) {
        let (memory, most) = (median(taken.memory.clone()), (Bound::AtMost, 40.0));
        figures.push(Figure::alone(service.memory, "MB", memory, most));
    }
    figures
}

/// The folder of this program, in which those of the services stand.
fn beside() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.parent().context("a program is in a folder")?;
    whole(folder)?;
    Ok(folder.to_owned())
}

fn whole(folder: &Path) -> anyhow::Result<()> {
    for service in &SERVICES {
        ensure!(
            folder.join(service.name).is_file(),
            "{} is not beside this program: cargo build --release --workspace",
            service.name
        );
    }
    Ok(())
}

/// The variables with the settings of a service below those that are up.
fn settings(service: &str, database: Option<&str>, up: &[Process]) -> Vec<(String, String)> {
    let mut keys = vec![
        ("SERVER__LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
        ("TELEMETRY__LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
    ];
    match database {
        Some(url) => {
            keys.push(("DATABASE__URL".to_owned(), url.to_owned()));
            let above = up.iter().map(|process| (key(process.name), process.url()));
            keys.extend(above);
        }
        None => {
            let above = up.iter().map(|process| {
                let key = format!("UPSTREAMS__{}", key(process.name));
                (key, process.url())
            });
            keys.extend(above);
        }
    }
    let prefix = format!("CAMPUS_{}", key(service));
    keys.into_iter()
        .map(|(key, value)| (format!("{prefix}__{key}"), value))
        .collect()
}

/// The name of a service as variables have it.
fn key(service: &str) -> String {
    service.to_uppercase().replace('-', "_")
}

/// The program of a service with its settings.
struct Program {
    file: PathBuf,
    settings: Vec<(String, String)>,
}

impl Program {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.file);
        command.env_clear().arg("--trial");
        for (key, value) in &self.settings {
            command.env(key, value);
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs one of its commands to the end; gives how many seconds it took.
    async fn run(&self, what: &str) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let mut command = self.command();
        command.arg(what).stdout(Stdio::null());
        let ended = timeout(READY_WITHIN, command.status()).await;
        let ended = ended.with_context(|| format!("{what} took too long"))??;
        let taken = begun.elapsed().as_secs_f64();
        ensure!(
            ended.success(),
            "{} {what} ended with {ended}",
            self.file.display()
        );
        Ok(taken)
    }

    /// Starts it, and waits until it is ready; gives how many seconds it took.
    async fn start(&self, name: &'static str) -> anyhow::Result<(Process, f64)> {
        let begun = Instant::now();
        let mut command = self.command();
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let said = child.stdout.take().context("its output is piped")?;
        let ready = async {
            let (addr, page) = listening(said).await?;
            while !is_ready(page).await? {
                sleep(PAUSE).await;
            }
            anyhow::Ok(addr)
        };
        let ready = timeout(READY_WITHIN, ready).await;
        let addr = ready.with_context(|| format!("{name} is not ready"))?;
        let addr = addr.with_context(|| name.to_owned())?;
        let taken = begun.elapsed().as_secs_f64();
        Ok((Process { name, addr, child }, taken))
    }
}

/// A service that is ready, until this is dropped.
struct Process {
    name: &'static str,
    addr: SocketAddr,
    child: Child,
}

impl Process {
    fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Ends it at once.
    async fn end(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Its memory once that stays what it is.
    async fn idle_memory(&self) -> anyhow::Result<f64> {
        let process = self.child.id().context("it has ended")?;
        let mut held = resident_mb(process);
        for _ in 0..LOOKS {
            sleep(LOOK).await;
            let before = held;
            held = resident_mb(process);
            if (held - before).abs() < STILL {
                break;
            }
        }
        ensure!(
            held > 0.0,
            "the system does not tell what {} holds",
            self.name
        );
        Ok(held)
    }
}

/// What of a log line says where a service listens.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    message: String,
    #[serde(default)]
    addr: String,
}

/// Where a service answers callers and operators, as its log says; the rest of the log is read to nobody.
async fn listening(said: ChildStdout) -> anyhow::Result<(SocketAddr, SocketAddr)> {
    let mut lines = BufReader::new(said).lines();
    let mut page = None;
    while let Some(line) = lines.next_line().await? {
        match place(&line) {
            Some((false, addr)) => page = Some(addr),
            Some((true, addr)) => {
                let page = page.context("it does not answer operators")?;
                // A full pipe would stop it.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok((addr, page));
            }
            None => {}
        }
    }
    bail!("it ended before it listened")
}

/// The address that a line says, and whether it is for callers.
fn place(line: &str) -> Option<(bool, SocketAddr)> {
    let line: Line = serde_json::from_str(line).ok()?;
    let addr = line.addr.parse().ok()?;
    match &*line.message {
        "listening" => Some((true, addr)),
        "listening for operators" => Some((false, addr)),
        _ => None,
    }
}

async fn is_ready(page: SocketAddr) -> anyhow::Result<bool> {
    let mut stream = TcpStream::connect(page).await?;
    let ask = format!("GET /readyz HTTP/1.1\r\nhost: {page}\r\n\r\n");
    stream.write_all(ask.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.starts_with("HTTP/1.1 200 "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_says_where_a_service_listens() {
        let line = r#"{"timestamp":"x","level":"INFO","message":"listening","addr":"127.0.0.1:7","encrypted":false}"#;
        let addr: SocketAddr = "127.0.0.1:7".parse().unwrap();
        assert_eq!(place(line), Some((true, addr)));
        let operators = line.replace("listening", "listening for operators");
        assert_eq!(place(&operators), Some((false, addr)));
        assert_eq!(place(r#"{"message":"listening"}"#), None);
        assert_eq!(place("not JSON"), None);
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let why = whole(folder.path()).unwrap_err().to_string();
        assert!(why.starts_with("roster is not beside"), "{why}");
        for service in &SERVICES {
            std::fs::write(folder.path().join(service.name), "").unwrap();
        }
        whole(folder.path()).unwrap();
    }

    #[test]
    fn settings_are_variables_of_the_service() {
        let all = settings("safety-inspection", Some("sqlite:x"), &[]);
        let url = (
            "CAMPUS_SAFETY_INSPECTION__DATABASE__URL".to_owned(),
            "sqlite:x".to_owned(),
        );
        assert!(all.contains(&url), "{all:?}");
        let own = |(name, _): &(String, String)| name.starts_with("CAMPUS_SAFETY_INSPECTION__");
        assert!(all.iter().all(own), "{all:?}");
    }

    #[test]
    fn one_service_that_is_slow_or_large_misses_its_own_target() {
        let usual = Taken {
            bare: vec![0.1],
            ready: vec![0.4],
            memory: vec![30.0],
        };
        let mut taken = vec![usual; SERVICES.len()];
        taken[1].ready = vec![1.1];
        taken[4].memory = vec![41.0];
        let figures = figures(&taken);
        let missed = figures.iter().filter(|figure| !figure.met);
        let missed: Vec<_> = missed.map(|figure| figure.name).collect();
        assert_eq!(
            missed,
            [
                "sampling, from its start until it is ready",
                "gateway, idle"
            ]
        );
        let ratio = figures.iter().find(|figure| figure.floor.is_some());
        assert!((ratio.unwrap().compared - 11.0).abs() < 1e-9);
    }
}
