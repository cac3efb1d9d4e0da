//! A mail server as small as it can be.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use notification::domain::channel::Kind;
use notification::{ChannelConfig, Encryption, SmtpConfig};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::tls::Identity;

/// A mail as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Mail {
    /// The value of a header, unfolded.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let unfolded = self.head.replace("\r\n ", " ");
        unfolded.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    }

    /// The text, which is sent in Base64.
    pub(crate) fn text(&self) -> String {
        let encoded: String = self.body.split_whitespace().collect();
        let bytes = STANDARD.decode(encoded).expect("Base64");
        String::from_utf8(bytes).expect("UTF-8")
    }
}

/// What the server answers to a command, in place of the good answer. `None` closes the connection.
pub(crate) type Script = fn(&str) -> Option<Option<&'static str>>;

/// A mail server.
#[derive(Clone)]
pub(crate) struct MailServer {
    pub(crate) port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl MailServer {
    /// Answers as `script` says, and well where it says nothing. The greeting is the answer to an empty
    /// command, that to a whole mail the answer to `.`.
    pub(crate) async fn start(script: Script) -> Self {
        Self::listen(script, Way::Plain).await
    }

    /// Answers well, over TLS from the first byte as the server of a certificate.
    pub(crate) async fn encrypted(identity: &Identity) -> Self {
        Self::listen(|_| None, Way::Tls(identity.acceptor())).await
    }

    /// The same from the command STARTTLS on.
    pub(crate) async fn upgraded(identity: &Identity) -> Self {
        Self::listen(|_| None, Way::StartTls(identity.acceptor())).await
    }

    async fn listen(script: Script, way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let mails = Arc::<Mutex<Vec<Mail>>>::default();
        let server = Self {
            port,
            mails: mails.clone(),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(begin(stream, way.clone(), script, mails.clone()));
            }
        });
        server
    }

    /// The mails that were taken.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().expect("not poisoned").clone()
    }
}

/// How the way to the server is encrypted.
#[derive(Clone)]
enum Way {
    Plain,
    Tls(TlsAcceptor),
    StartTls(TlsAcceptor),
}

type Mails = Arc<Mutex<Vec<Mail>>>;

async fn begin(mut stream: TcpStream, way: Way, script: Script, mails: Mails) -> Option<()> {
    match way {
        Way::Plain => talk(stream, true, script, mails).await,
        Way::Tls(acceptor) => {
            let stream = acceptor.accept(stream).await.ok()?;
            talk(stream, true, script, mails).await
        }
        Way::StartTls(acceptor) => {
            let mut answer = "220 mail.school.example";
            loop {
                stream
                    .write_all(format!("{answer}\r\n").as_bytes())
                    .await
                    .ok()?;
                let command = plain_line(&mut stream).await?;
                answer = match command.split(' ').next() {
                    Some("EHLO") => "250-mail.school.example\r\n250 STARTTLS",
                    Some("STARTTLS") => break,
                    _ => "530 5.7.0 Must issue a STARTTLS command first",
                };
            }
            stream.write_all(b"220 go on\r\n").await.ok()?;
            let stream = acceptor.accept(stream).await.ok()?;
            talk(stream, false, script, mails).await
        }
    }
}

/// One line, and no byte of what comes after it.
async fn plain_line(stream: &mut TcpStream) -> Option<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(line).ok()?.trim_end().to_owned())
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite,
    greets: bool,
    script: Script,
    mails: Mails,
) -> Option<()> {
    let (read, mut write) = tokio::io::split(stream);
    let mut lines = BufReader::new(read).lines();
    let mut mail = Mail::default();
    let mut command = String::new();
    if !greets {
        command = lines.next_line().await.ok()??;
    }
    loop {
        let verb = command.split([' ', ':']).next().unwrap_or_default();
        let good = match verb.to_ascii_uppercase().as_str() {
            "" => "220 mail.school.example",
            "EHLO" => "250-mail.school.example\r\n250-AUTH PLAIN\r\n250 8BITMIME",
            "AUTH" => "235 welcome",
            "DATA" => "354 go on",
            "." => "250 queued",
            "QUIT" => "221 bye",
            _ => "250 OK",
        };
        let answer = match script(&command) {
            Some(answer) => answer?,
            None => good,
        };
        if answer == "silence" {
            std::future::pending::<()>().await;
        }
        write
            .write_all(format!("{answer}\r\n").as_bytes())
            .await
            .ok()?;
        if command == "." && answer.starts_with('2') {
            mails
                .lock()
                .expect("not poisoned")
                .push(std::mem::take(&mut mail));
        }
        if command == "DATA" && answer.starts_with('3') {
            let mut text = String::new();
            loop {
                let line = lines.next_line().await.ok()??;
                if line == "." {
                    break;
                }
                text.push_str(line.strip_prefix('.').unwrap_or(&line));
                text.push_str("\r\n");
            }
            let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
            (mail.head, mail.body) = (head.to_owned(), body.to_owned());
            ".".clone_into(&mut command);
            continue;
        }
        command = lines.next_line().await.ok()??;
        if let Some(from) = command.strip_prefix("MAIL FROM:") {
            from.clone_into(&mut mail.from);
        }
        if let Some(to) = command.strip_prefix("RCPT TO:") {
            mail.to.push(to.to_owned());
        }
    }
}

/// A channel for e-mail by the server at `port`.
pub(crate) fn email(id: &str, port: u16) -> ChannelConfig {
    ChannelConfig {
        insecure: true,
        timeout: Duration::from_millis(500),
        smtp: Some(SmtpConfig {
            host: "127.0.0.1".to_owned(),
            port,
            encryption: Encryption::None,
            user: String::new(),
            from: "notice@campus.example".to_owned(),
        }),
        ..ChannelConfig::new(id, Kind::Email)
    }
}
