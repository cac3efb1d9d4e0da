//! Other proxies in front of the same service, when they are installed: what a user would take
//! instead of the gateway to pass calls on.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// A proxy that runs until this is dropped.
pub(super) struct Peer {
    pub(super) address: String,
    _process: Child,
    _folder: TempDir,
}

impl Peer {
    /// nginx with `grpc_pass`; none when it is not installed.
    pub(super) async fn nginx(service: SocketAddr) -> anyhow::Result<Option<Self>> {
        let config = |listen: SocketAddr, folder: &Path| {
            let folder = folder.display();
            format!(
                "worker_processes 2;\ndaemon off;\npid {folder}/pid;\nerror_log {folder}/error.log crit;\n\
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
                "global\n  nbthread 2\n  maxconn 20000\ndefaults\n  mode http\n  timeout connect 5s\n  \
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
        for _ in 0..200 {
            if TcpStream::connect(listen).await.is_ok() {
                return Ok(Some(Self {
                    address: format!("http://{listen}"),
                    _process: process,
                    _folder: folder,
                }));
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        bail!("{program} does not listen")
    }
}
