//! The service as a process that can be killed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use kit::scratch::Scratch;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tonic::transport::Channel;

/// The settings of the process; roster, sampling and providers are away.
pub(crate) struct Settings {
    file: PathBuf,
    _folder: TempDir,
}

impl Settings {
    pub(crate) fn new(scratch: &Scratch) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("safety-inspection.toml");
        let text = format!(
            "roster = \"http://127.0.0.1:9\"\nsampling = \"http://127.0.0.1:9\"\n\
             [server]\nlisten = \"127.0.0.1:0\"\n[auth]\ndevelopment = true\n\
             [providers]\nhealth_code = \"http://127.0.0.1:9\"\n\
             [database]\nurl = \"{}\"\nmax_connections = 4\n",
            scratch.url
        );
        std::fs::write(&file, text).expect("written");
        Self {
            file,
            _folder: folder,
        }
    }

    /// Starts the process and waits until it listens.
    pub(crate) async fn spawn(&self) -> (Child, Channel) {
        let (child, addr) = spawn(&self.file).await;
        let channel = kit::channel::connect_lazy(&format!("http://{addr}")).expect("an address");
        (child, channel)
    }
}

async fn spawn(settings: &PathBuf) -> (Child, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_safety-inspection"))
        .arg("--config")
        .arg(settings)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let listening = async {
        while let Some(line) = lines.next_line().await.expect("a line") {
            let found = line
                .split("\"addr\":\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next());
            if let Some(addr) = found {
                return addr.parse().expect("an address");
            }
        }
        panic!("it ended before it listened");
    };
    let addr = tokio::time::timeout(Duration::from_secs(30), listening).await;
    let addr = addr.expect("listens in time");
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, addr)
}
