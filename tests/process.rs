//! One service as a process that can be killed and started again.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use uuid::Uuid;

use crate::within;
use crate::wrong_clock::WrongClock;

/// The services that run as processes.
pub const SERVICES: [&str; 5] = [
    "roster",
    "sampling",
    "safety-inspection",
    "notification",
    "gateway",
];

/// How much of what a process writes is kept, in bytes.
const MOST_SAID: usize = 256 << 20;

/// What a process has written, to its standard output and its standard error.
#[derive(Clone, Debug, Default)]
struct Said(Arc<Mutex<String>>);

impl Said {
    /// Keeps a line.
    fn add(&self, line: &str) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() <= MOST_SAID {
            said.push_str(line);
            said.push('\n');
        }
    }

    fn text(&self) -> String {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(said.len() <= MOST_SAID, "more was said than is kept");
        said.clone()
    }
}

/// A service that answers, or was killed.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    /// Nothing where nobody listens.
    said: Option<Said>,
    settings: PathBuf,
    /// The settings without `server.listen`.
    text: String,
    addr: SocketAddr,
    /// Where it answers operators.
    page: SocketAddr,
    /// The clock that it has instead of the machine's, if it has one.
    clock: Option<WrongClock>,
    child: Child,
}

impl Process {
    /// Starts the service `name` with the settings `text`, which end in the table `server` without `listen`
    /// and `drain`, at a free port, with another clock than the machine's if there is one, and waits until
    /// it listens; `heard` says whether what it writes is kept.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(
        name: &'static str,
        folder: &Path,
        text: String,
        clock: Option<WrongClock>,
        heard: bool,
    ) -> Self {
        let settings = folder.join(format!("{name}.toml"));
        let said = heard.then(Said::default);
        let place = free_place();
        let (child, [addr, page]) =
            spawn(name, said.as_ref(), &settings, &text, place, clock.as_ref()).await;
        Self {
            name,
            said,
            settings,
            text,
            addr,
            page,
            clock,
            child,
        }
    }

    /// The name of the service.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Everything that it has written to its standard output and error, a line each; empty where that is not kept.
    ///
    /// # Panics
    /// When it was more than is kept.
    pub fn said(&self) -> String {
        self.said.as_ref().map(Said::text).unwrap_or_default()
    }

    /// Where it answers, also after it was started again.
    pub fn address(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Kills it with SIGKILL: nothing is flushed, nobody is told.
    ///
    /// # Panics
    /// When the process cannot be killed.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("a child can be killed");
    }

    /// Asks it to end with SIGTERM, and waits until it has finished what is under way and ended well.
    ///
    /// # Panics
    /// When it does not end, or says that something went wrong.
    pub async fn stop(&mut self) {
        self.signal("TERM").await;
        let ended = within(&format!("{} ends", self.name), self.child.wait()).await;
        let ended = ended.expect("a child can be waited for");
        assert!(ended.success(), "{} ended with {ended}", self.name);
    }

    /// Stops it where it stands with SIGSTOP: its connections stay, and nobody answers.
    ///
    /// # Panics
    /// When it has ended.
    pub async fn freeze(&self) {
        self.signal("STOP").await;
    }

    /// Lets it go on after [`Process::freeze`].
    ///
    /// # Panics
    /// When it has ended.
    pub async fn thaw(&self) {
        self.signal("CONT").await;
    }

    /// Moves its clock, while it runs, to so many seconds ahead of the machine's.
    ///
    /// # Panics
    /// When it has that of the machine.
    pub fn move_clock(&self, ahead: i64) {
        let clock = self.clock.as_ref().expect("a clock of its own");
        clock.set(ahead);
    }

    async fn signal(&self, signal: &str) {
        let process = self.child.id().expect("the process runs").to_string();
        let sent = Command::new("kill")
            .args(["-s", signal, &*process])
            .status();
        let sent = sent.await.expect("kill can be run");
        assert!(sent.success(), "{}: SIG{signal} is not taken", self.name);
    }

    /// How much memory it has, in bytes; none where the machine does not tell.
    pub fn memory(&self) -> Option<u64> {
        let path = format!("/proc/{}/status", self.child.id()?);
        let status = std::fs::read_to_string(path).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kibibytes << 10)
    }

    /// Starts it again at the same place on the same data, and waits until it listens.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_again(&mut self) {
        (self.child, [self.addr, self.page]) = spawn(
            self.name,
            self.said.as_ref(),
            &self.settings,
            &self.text,
            self.addr,
            self.clock.as_ref(),
        )
        .await;
    }

    /// What it answers operators at this path: the code, the headers and the text.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn page(&self, path: &str) -> String {
        let asking = async {
            let mut stream = TcpStream::connect(self.page).await?;
            let ask = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.page);
            stream.write_all(ask.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = within(&format!("{} answers operators", self.name), asking).await;
        answer.expect("an answer")
    }

    /// Waits until it says that it is ready.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn ready(&self) {
        let channel = kit::channel::connect_lazy(&self.address()).expect("an address");
        let mut client = HealthClient::new(channel);
        let wait = async {
            loop {
                let request = HealthCheckRequest {
                    service: "readiness".to_owned(),
                };
                let mut states = match client.watch(request).await {
                    Ok(states) => states.into_inner(),
                    // It listens, but has not yet said anything about its health.
                    Err(status) if status.code() == Code::NotFound => {
                        tokio::task::yield_now().await;
                        continue;
                    }
                    Err(status) => panic!("{}: health is not answered: {status:?}", self.name),
                };
                while let Some(state) = states.message().await.expect("health goes on") {
                    if state.status() == ServingStatus::Serving {
                        return;
                    }
                }
            }
        };
        within(&format!("{} is ready", self.name), wait).await;
    }
}

/// A free port that the kernel gives to nobody who asks for any: while a service is down, no
/// connection and no other server takes its place.
///
/// # Panics
/// When there is none.
pub fn free_place() -> SocketAddr {
    const PORTS: Range<u128> = 10_000..32_000;
    let taken = |addr: &SocketAddr| std::net::TcpListener::bind(addr).is_err();
    let mut places = std::iter::repeat_with(|| {
        let chance = Uuid::new_v4().as_u128() % (PORTS.end - PORTS.start);
        let port = u16::try_from(PORTS.start + chance).expect("a port");
        SocketAddr::from(([127, 0, 0, 1], port))
    });
    let free = places.by_ref().take(1000).find(|addr| !taken(addr));
    free.expect("one of a thousand ports is free")
}

async fn spawn(
    name: &'static str,
    said: Option<&Said>,
    settings: &Path,
    text: &str,
    listen: SocketAddr,
    clock: Option<&WrongClock>,
) -> (Child, [SocketAddr; 2]) {
    let text = format!("{text}listen = \"{listen}\"\ndrain = \"2s\"\n");
    std::fs::write(settings, text).expect("settings can be written");
    let binary = binaries().join(name);
    let mut child = Command::new(&binary)
        .envs(clock.into_iter().flat_map(WrongClock::environment))
        .arg("--config")
        .arg(settings)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(match said {
            Some(_) => Stdio::piped(),
            None => Stdio::inherit(),
        })
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|err| panic!("{}: {err}", binary.display()));
    let stdout = child.stdout.take().expect("stdout is piped");
    let mut lines = BufReader::new(stdout).lines();
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(hear(BufReader::new(stderr).lines(), said.cloned()));
    }
    let listens = listening(name, said, &mut lines);
    let places = within(&format!("{name} listens"), listens).await;
    if let (Some(_), Some(process)) = (clock, child.id()) {
        WrongClock::tidy(process);
    }
    tokio::spawn(hear(lines, said.cloned()));
    (child, places)
}

/// Takes what a service writes, for a full pipe would stop it, and keeps it where somebody listens.
async fn hear<R: AsyncRead + Unpin>(mut lines: Lines<BufReader<R>>, said: Option<Said>) {
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(said) = &said {
            said.add(&line);
        }
    }
}

/// The addresses in the log lines that say where a service listens, for callers and for operators.
async fn listening(
    name: &str,
    kept: Option<&Said>,
    lines: &mut Lines<BufReader<ChildStdout>>,
) -> [SocketAddr; 2] {
    let (mut said, mut page) = (Vec::new(), None);
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(kept) = kept {
            kept.add(&line);
        }
        let parsed: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        let addr = || parsed["addr"].as_str().and_then(|addr| addr.parse().ok());
        match parsed["message"].as_str() {
            Some("listening for operators") => page = addr(),
            Some("listening") => {
                let places = addr().zip(page);
                return places.expect("the lines have the addresses").into();
            }
            _ => {}
        }
        said.push(line);
    }
    panic!("{name} ended before it listened; it said: {said:#?}");
}

/// The folder with the binaries of the services, built as this test was.
fn binaries() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let test = std::env::current_exe().expect("a test knows its own file");
        let folder = test
            .ancestors()
            .nth(2)
            .expect("target/<profile>/deps/<test>")
            .to_owned();
        let target = folder.parent().expect("target/<profile>");
        let mut build = std::process::Command::new(env!("CARGO"));
        // With the tests, which share their libraries: after a run of all tests nothing is left to build.
        build
            .args(["build", "--quiet", "--offline", "--workspace"])
            .args(["--bins", "--tests", "--target-dir"])
            .arg(target);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        // Build scripts that look at these would run again, and everything above them with them.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                build.env_remove(name.as_ref());
            }
        }
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let built = build
            .current_dir(manifest)
            .status()
            .expect("cargo can be run");
        assert!(built.success(), "the services do not build");
        folder
    })
}
