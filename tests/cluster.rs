//! A PostgreSQL server of its own for a moment, which can be restarted.

use std::fmt::Write as _;
use std::fs::{OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;

use crate::process::free_place;
use crate::within;

/// Where the programs of each version of the server are installed.
const VERSIONS: &str = "/usr/lib/postgresql";

/// A server with a folder of its own; it ends with this value.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    /// Root made it: its programs must run as somebody else.
    roots: bool,
}

impl Cluster {
    /// Starts one; none where the programs of the server are not installed.
    ///
    /// # Panics
    /// When they are, and it does not start.
    pub async fn start() -> Option<Self> {
        let programs = programs()?;
        // The server runs as somebody who is not root, who has to find its folder.
        let readable = Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().permissions(readable).tempdir();
        let folder = folder.expect("a folder for a moment");
        let known = folder.path().metadata().expect("it is there");
        let cluster = Self {
            folder,
            programs,
            port: free_place().port(),
            roots: known.uid() == 0,
        };
        if cluster.roots {
            let mut owner = Command::new("chown");
            owner.arg("postgres:").arg(cluster.folder.path());
            let owned = owner.status().await.expect("chown can be run");
            assert!(owned.success(), "there is nobody called postgres");
        }
        let as_everybody = ["-U", "postgres", "-A", "trust", "--no-sync"];
        cluster.run("initdb", &as_everybody).await;
        cluster.configure();
        cluster.control(&["start"]).await;
        Some(cluster)
    }

    /// How its administrator reaches it.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
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

    fn configure(&self) {
        let mut lines = String::new();
        for (key, value) in [
            ("port", &*self.port.to_string()),
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", ""),
            ("max_connections", "200"),
        ] {
            writeln!(lines, "{key} = '{value}'").expect("a string takes everything");
        }
        let file = self.data().join("postgresql.conf");
        let file = OpenOptions::new().append(true).open(file);
        let written = file.and_then(|mut file| file.write_all(lines.as_bytes()));
        written.expect("the server can be configured");
    }

    /// Has the server started, restarted or stopped.
    async fn control(&self, what: &[&str]) {
        let log = self.folder.path().join("log").display().to_string();
        let how = [&["-w", "-t", "25", "-l", &*log][..], what].concat();
        self.run("pg_ctl", &how).await;
    }

    async fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::from(self.command(program, arguments));
        let ended = within(program, command.status()).await;
        let ended = ended.unwrap_or_else(|err| panic!("{program}: {err}"));
        assert!(ended.success(), "{program} {arguments:?}: {ended}");
    }

    /// A program of the server on its data.
    fn command(&self, program: &str, arguments: &[&str]) -> std::process::Command {
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
        // What cannot be stopped only takes room.
        let _ = stop.status();
    }
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
