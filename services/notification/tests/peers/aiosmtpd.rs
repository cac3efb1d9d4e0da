//! aiosmtpd, where Python has it.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::smtp::Mail;

/// Prints its port, then each mail it takes. Its arguments: `plain`, `tls` or `starttls`, and the file with
/// certificate and key.
const SERVER: &str = r"
import asyncio, ssl, sys
from aiosmtpd.smtp import SMTP

mode, file = sys.argv[1:]
context = None
if mode != 'plain':
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)

class Handler:
    async def handle_DATA(self, server, session, envelope):
        print(envelope.mail_from, flush=True)
        print(' '.join(envelope.rcpt_tos), flush=True)
        sys.stdout.write(envelope.content.decode('ascii').replace('\r\n', '\n') + '\n.\n')
        sys.stdout.flush()
        return '250 OK'

def session():
    if mode == 'starttls':
        return SMTP(Handler(), tls_context=context, require_starttls=True)
    return SMTP(Handler())

async def main():
    loop = asyncio.get_running_loop()
    encrypted = context if mode == 'tls' else None
    server = await loop.create_server(session, '127.0.0.1', 0, ssl=encrypted)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
";

/// A server that runs, until it is dropped.
pub(crate) struct Aiosmtpd {
    pub(crate) port: u16,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Aiosmtpd {
    /// Starts it; none where Python has none.
    #[expect(
        clippy::disallowed_methods,
        reason = "which Python has the server belongs to the machine"
    )]
    #[expect(clippy::print_stderr, reason = "a skipped test must not go unnoticed")]
    pub(crate) async fn start(mode: &str, identity: Option<&Path>) -> Option<Self> {
        let python = std::env::var("CAMPUS_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let has = Command::new(&python)
            .args(["-c", "import aiosmtpd"])
            .stderr(Stdio::null())
            .status()
            .await;
        if !has.is_ok_and(|status| status.success()) {
            assert!(
                std::env::var("CAMPUS_REQUIRE_AIOSMTPD").is_err(),
                "aiosmtpd is required and {python} has none"
            );
            eprintln!("\n*** SKIPPED: {python} has no aiosmtpd ***\n");
            return None;
        }
        let mut process = Command::new(&python)
            .args(["-c", SERVER, mode])
            .arg(identity.unwrap_or(Path::new("")))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let mut server = Self {
            port: 0,
            lines,
            _process: process,
        };
        server.port = server.line().await.parse().expect("a port");
        Some(server)
    }

    async fn line(&mut self) -> String {
        self.lines.next_line().await.expect("read").expect("a line")
    }

    /// The next mail.
    pub(crate) async fn mail(&mut self) -> Mail {
        let mut mail = Mail {
            from: self.line().await,
            to: self
                .line()
                .await
                .split(' ')
                .map(ToOwned::to_owned)
                .collect(),
            ..Mail::default()
        };
        let mut text = String::new();
        loop {
            match self.line().await.as_str() {
                "." => break,
                line => text.push_str(&format!("{line}\r\n")),
            }
        }
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        (mail.head, mail.body) = (head.to_owned(), body.to_owned());
        mail
    }
}
