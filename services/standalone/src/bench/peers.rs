//! The gateway as a process of its own, and other proxies in front of the same service when they are
//! installed: what a user would take instead to pass calls on.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::harness::memory_of;

/// A proxy listens within this time, or never.
const LISTENS_WITHIN: Duration = Duration::from_secs(20);

/// A proxy that runs until this is dropped.
pub(super) struct Peer {
    pub(super) address: String,
    process: Child,
    _folder: TempDir,
}

impl Peer {
    /// The gateway, from this very program.
    pub(super) async fn gateway(service: SocketAddr) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bench", "gateway", "--before", &service.to_string()]);
        // It stays until this end of its standard input is closed.
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.kill_on_drop(true).spawn()?;
        let said = process.stdout.take().context("its output is piped")?;
        let mut lines = BufReader::new(said).lines();
        let first = timeout(LISTENS_WITHIN, lines.next_line()).await??;
        let address: SocketAddr = first.context("the gateway does not listen")?.parse()?;
        Ok(Self {
            address: format!("http://{address}"),
            process,
            _folder: TempDir::new()?,
        })
    }

    /// How much memory it holds, in MiB; 0 where the system does not tell.
    pub(super) fn memory_mib(&self) -> u64 {
        self.process.id().map_or(0, memory_of)
    }

    /// nginx with `grpc_pass`; none when it is not installed.
    pub(super) async fn nginx(service: SocketAddr) -> anyhow::Result<Option<Self>> {
        let config = |listen: SocketAddr, folder: &Path| {
            let folder = folder.display();
            format!(
                "worker_processes 2;\nworker_rlimit_nofile 65536;\ndaemon off;\npid {folder}/pid;\n\
                 error_log {folder}/error.log crit;\n\
                 events {{ worker_connections 20000; }}\n\
                 http {{\n  access_log off;\n  client_body_temp_path {folder}/body;\n  \
                 proxy_temp_path {folder}/proxy;\n  fastcgi_temp_path {folder}/fastcgi;\n  \
                 uwsgi_temp_path {folder}/uwsgi;\n  scgi_temp_path {folder}/scgi;\n  \
                 upstream service {{ server {service}; keepalive 64; }}\n  \
                 server {{\n    listen {listen} http2;\n    keepalive_requests 10000000;\n    \
                 http2_max_concurrent_streams 1024;\n    location / {{ grpc_pass grpc://service; }}\n  }}\n}}\n"
            )
        };
        Self::run("nginx", &["-c"], config).await
    }

    /// haproxy; none when it is not installed.
    pub(super) async fn haproxy(service: SocketAddr) -> anyhow::Result<Option<Self>> {
        let config = |listen: SocketAddr, _: &Path| {
            format!(
                "global\n  nbthread 2\n  maxconn 4096\ndefaults\n  mode http\n  timeout connect 5s\n  \
                 timeout client 60s\n  timeout server 60s\n  http-reuse always\n\
                 frontend door\n  bind {listen} proto h2\n  default_backend service\n\
                 backend service\n  server one {service} proto h2\n"
            )
        };
        Self::run("haproxy", &["-db", "-f"], config).await
    }

    async fn run(
        program: &str,
        options: &[&str],
        config: impl FnOnce(SocketAddr, &Path) -> String,
    ) -> anyhow::Result<Option<Self>> {
        // A port that was free a moment ago: neither of them says which one it took.
        let port = TcpListener::bind("127.0.0.1:0").await?;
        let listen = port.local_addr()?;
        drop(port);
        let folder = TempDir::new()?;
        let file = folder.path().join("config");
        std::fs::write(&file, config(listen, folder.path()))?;
        let mut command = Command::new(program);
        command.args(options).arg(&file).kill_on_drop(true);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = match command.spawn() {
            Ok(process) => process,
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(err).context(program.to_owned()),
        };
        let listens = async {
            while TcpStream::connect(listen).await.is_err() {
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        };
        if timeout(LISTENS_WITHIN, listens).await.is_err() {
            bail!("{program} does not listen");
        }
        Ok(Some(Self {
            address: format!("http://{listen}"),
            process,
            _folder: folder,
        }))
    }
}
