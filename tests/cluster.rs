//! A PostgreSQL server of its own for a moment, which can crash, be killed and have a standby.

use std::ffi::OsStr;
use std::fmt::{Debug, Write as _};
use std::fs::{OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;

use crate::process::free_place;
use crate::{until, within};

/// Where the programs of each version of the server are installed.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Where one listens.
const HOST: &str = "127.0.0.1";
/// What every one is told. Memory that its processes share lies with its data, so that one which was killed leaves
/// nothing behind.
const SETTINGS: [(&str, &str); 4] = [
    ("listen_addresses", HOST),
    ("unix_socket_directories", ""),
    ("max_connections", "200"),
    ("dynamic_shared_memory_type", "mmap"),
];
/// What one is told whose log has little room: it takes the room piece by piece, and keeps none in hand.
const SMALL_LOG: [(&str, &str); 3] = [
    ("min_wal_size", "2MB"),
    ("max_wal_size", "8MB"),
    ("wal_recycle", "off"),
];

/// On which disks a server lies: with what is `None` on that of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disks<'a> {
    /// The one with its tables.
    pub tables: Option<&'a Path>,
    /// The one with its log.
    pub log: Option<&'a Path>,
}

/// A server with a folder of its own; it ends with this value.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    /// Where its log is, when that is not with the tables.
    log: Option<TempDir>,
    programs: PathBuf,
    port: u16,
    /// Root made it: its programs must run as somebody else.
    roots: bool,
}

impl Cluster {
    /// Starts one; none where the programs of the server are not installed, unless `CAMPUS_REQUIRE_CLUSTER`
    /// is set.
    ///
    /// # Panics
    /// When they are and it does not start, or they are required and not installed.
    pub async fn start() -> Option<Self> {
        Self::start_on(Disks::default()).await
    }

    /// The same on disks of its own.
    ///
    /// # Panics
    /// When its programs are installed and it does not start, or they are required and not installed.
    pub async fn start_on(disks: Disks<'_>) -> Option<Self> {
        let cluster = Self::laid(installed()?, disks).await;
        let mut arguments = ["-U", "postgres", "-A", "trust", "--no-sync"]
            .map(str::to_owned)
            .to_vec();
        if let Some(log) = &cluster.log {
            let place = log.path().join("wal");
            arguments.push(format!("--waldir={}", place.display()));
            arguments.push("--wal-segsize=1".to_owned());
        }
        cluster.run("initdb", &arguments).await;
        cluster.configure(&SETTINGS);
        if cluster.log.is_some() {
            cluster.configure(&SMALL_LOG);
        }
        cluster.listen().await;
        Some(cluster)
    }

    /// A place for one, with nothing in it.
    async fn laid(programs: PathBuf, disks: Disks<'_>) -> Self {
        let folder = room(disks.tables);
        let log = disks.log.map(|disk| room(Some(disk)));
        let known = folder.path().metadata().expect("it is there");
        let roots = known.uid() == 0;
        if roots {
            let mut owner = Command::new("chown");
            owner.arg("postgres:").arg(folder.path());
            owner.args(log.as_ref().map(TempDir::path));
            let owned = owner.status().await.expect("chown can be run");
            assert!(owned.success(), "there is nobody called postgres");
        }
        Self {
            folder,
            log,
            programs,
            port: free_place().port(),
            roots,
        }
    }

    /// Starts it at its port.
    async fn listen(&self) {
        self.configure(&[("port", &*self.port.to_string())]);
        self.control(&["start"]).await;
    }

    /// A server that follows this one: from now on nothing is acknowledged here that is not there as well.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn standby(&self) -> Self {
        let standby = Self::laid(self.programs.clone(), Disks::default()).await;
        let port = self.port.to_string();
        let from = ["-h", HOST, "-p", &*port, "-U", "postgres"];
        let how = ["-R", "-X", "stream", "-c", "fast", "--no-sync"];
        standby.run("pg_basebackup", &[from, how].concat()).await;
        standby.listen().await;
        self.configure(&[("synchronous_standby_names", "*")]);
        self.control(&["reload"]).await;
        until("the standby follows", || async {
            let states = self.ask("SELECT sync_state FROM pg_stat_replication").await;
            (states.as_deref() == Some("sync")).then_some(())
        })
        .await;
        standby
    }

    /// Makes a standby a server of its own.
    ///
    /// # Panics
    /// When it is none.
    pub async fn promote(&self) {
        self.control(&["promote"]).await;
    }

    /// Kills it with SIGKILL, for good.
    ///
    /// # Panics
    /// When it does not run.
    pub async fn kill(&self) {
        let file = self.data().join("postmaster.pid");
        let known = std::fs::read_to_string(&file).expect("it runs");
        let process = known.lines().next().unwrap_or_default();
        let killed = Command::new("kill").args(["-s", "KILL", process]).status();
        assert!(killed.await.expect("kill can be run").success());
        // Nobody shall wait for it to end.
        std::fs::remove_file(&file).expect("it is there");
    }

    /// Waits until it answers, and starts it where it has ended by itself.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn revive(&self) {
        until("the server answers", || async {
            let answer = self.ask("SELECT 1").await;
            if answer.is_none() {
                let start = self.command("pg_ctl", &self.controlled(&["start"]));
                // It may still be on its way out, or run already.
                let _ = Command::from(start).status().await;
            }
            answer.map(drop)
        })
        .await;
    }

    /// What it answers to a question; nothing when it does not.
    async fn ask(&self, question: &str) -> Option<String> {
        let port = self.port.to_string();
        let mut asking = Command::new(self.programs.join("psql"));
        asking.args([
            "-h", HOST, "-p", &*port, "-U", "postgres", "-XAtc", question,
        ]);
        asking.stdin(Stdio::null()).stderr(Stdio::null());
        let answer = asking.output().await.expect("psql can be run");
        let told = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        answer.status.success().then_some(told)
    }

    /// How its administrator reaches it.
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.place())
    }

    /// Where it listens.
    pub fn place(&self) -> String {
        format!("{HOST}:{}", self.port)
    }

    /// Ends it without a farewell to anybody, as a crash does, and starts it again at the same place; it
    /// recovers from its log.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn crash(&self) {
        self.control(&["-m", "immediate", "restart"]).await;
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Adds to its settings; of two that say the same the later one counts.
    fn configure(&self, settings: &[(&str, &str)]) {
        let mut lines = String::new();
        for (key, value) in settings {
            writeln!(lines, "{key} = '{value}'").expect("a string takes everything");
        }
        let file = self.data().join("postgresql.conf");
        let file = OpenOptions::new().append(true).open(file);
        let written = file.and_then(|mut file| file.write_all(lines.as_bytes()));
        written.expect("the server can be configured");
    }

    /// Has the server started, restarted or stopped.
    async fn control(&self, what: &[&str]) {
        self.run("pg_ctl", &self.controlled(what)).await;
    }

    /// What that is asked with.
    fn controlled(&self, what: &[&str]) -> Vec<String> {
        let log = self.folder.path().join("log").display().to_string();
        let how = [&["-w", "-t", "25", "-l", &*log][..], what].concat();
        how.into_iter().map(str::to_owned).collect()
    }

    async fn run(&self, program: &str, arguments: &[impl AsRef<OsStr> + Debug]) {
        let mut command = Command::from(self.command(program, arguments));
        let ended = within(program, command.status()).await;
        let ended = ended.unwrap_or_else(|err| panic!("{program}: {err}"));
        assert!(ended.success(), "{program} {arguments:?}: {ended}");
    }

    /// A program of the server on its data.
    fn command(&self, program: &str, arguments: &[impl AsRef<OsStr>]) -> std::process::Command {
        let program = self.programs.join(program);
        let mut command = if self.roots {
            let mut command = std::process::Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            std::process::Command::new(program)
        };
        command.arg("-D").arg(self.data()).args(arguments);
        command.current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = self.command("pg_ctl", &["-m", "immediate", "-t", "30", "stop"]);
        stop.stderr(Stdio::null());
        // What cannot be stopped only takes room.
        let _ = stop.status();
    }
}

/// A folder on a disk, where a server can find it that does not run as root.
fn room(disk: Option<&Path>) -> TempDir {
    let mut folder = tempfile::Builder::new();
    folder.permissions(Permissions::from_mode(0o755));
    let made = match disk {
        Some(disk) => folder.tempdir_in(disk),
        None => folder.tempdir(),
    };
    made.expect("a folder for a moment")
}

/// The programs of the server; none where they are not installed, unless they are required.
#[expect(
    clippy::disallowed_methods,
    reason = "what is installed belongs to the machine"
)]
fn installed() -> Option<PathBuf> {
    let programs = programs();
    assert!(
        programs.is_some() || std::env::var("CAMPUS_REQUIRE_CLUSTER").is_err(),
        "the programs of PostgreSQL are required and not installed"
    );
    programs
}

/// The programs of the newest version that is installed.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(VERSIONS).ok()?;
    let version = |entry: std::io::Result<std::fs::DirEntry>| {
        let name = entry.ok()?.file_name();
        name.to_str()?.parse::<u32>().ok()
    };
    let newest = versions.filter_map(version).max()?;
    let programs = Path::new(VERSIONS).join(newest.to_string()).join("bin");
    programs.join("initdb").exists().then_some(programs)
}
