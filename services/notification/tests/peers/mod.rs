//! Providers on this machine, honest ones and others.
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod aiosmtpd;
pub(crate) mod smtp;
pub(crate) mod tls;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use notification::channels::Outgoing;
use notification::domain::message::{Category, Urgency};
use notification::{AnswerConfig, ChannelConfig, RequestConfig};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use self::tls::Identity;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Received {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// How a provider answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// With a status line, headers and a body whose length is told.
    Http(&'static str, String),
    /// With these bytes.
    Raw(String),
    /// Never.
    Silence,
    /// By closing the connection.
    Close,
    /// With the beginning of an answer, then a byte now and then.
    Trickle,
    /// With a body that never ends.
    Endless,
    /// With these bytes, and by closing the connection behind them.
    Cut(String),
}

impl Answer {
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::Http("HTTP/1.1 200 OK", body.into())
    }
}

type Script = Arc<dyn Fn(&Received) -> Answer + Send + Sync>;

/// An HTTP provider.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    endless: Arc<AtomicUsize>,
}

impl Peer {
    /// Answers each request as `script` says.
    pub(crate) async fn start(
        script: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::listen(script, None).await
    }

    /// The same over TLS, as the server of a certificate.
    pub(crate) async fn encrypted(
        identity: &Identity,
        script: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::listen(script, Some(identity.acceptor())).await
    }

    async fn listen(
        script: impl Fn(&Received) -> Answer + Send + Sync + 'static,
        acceptor: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let address = listener.local_addr().expect("an address");
        let url = format!("{scheme}://{address}/v1");
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let endless = Arc::<AtomicUsize>::default();
        let peer = Self {
            url,
            received: received.clone(),
            endless: endless.clone(),
        };
        let script: Script = Arc::new(script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, received) = (script.clone(), received.clone());
                let (acceptor, endless) = (acceptor.clone(), endless.clone());
                tokio::spawn(async move {
                    let Some(acceptor) = acceptor else {
                        return serve(stream, script, received, &endless).await;
                    };
                    // Whoever does not trust the certificate goes away.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, script, received, &endless).await;
                    }
                });
            }
        });
        peer
    }

    /// What came so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("not poisoned").clone()
    }

    /// How many bytes of endless bodies the network took so far.
    pub(crate) fn endless(&self) -> usize {
        self.endless.load(Ordering::SeqCst)
    }

    /// Waits until so many requests came.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        for _ in 0..1000 {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} of {count} requests came", self.received().len());
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite,
    script: Script,
    received: Arc<Mutex<Vec<Received>>>,
    endless: &AtomicUsize,
) {
    let (read, mut write) = tokio::io::split(stream);
    let mut read = BufReader::new(read);
    while let Some(request) = request(&mut read).await {
        received.lock().expect("not poisoned").push(request.clone());
        if answer(&mut write, script(&request), endless)
            .await
            .is_none()
        {
            return;
        }
    }
}

async fn request(read: &mut (impl AsyncBufReadExt + Unpin)) -> Option<Received> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if read.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let mut received = Received {
        head,
        body: String::new(),
    };
    let length = received.header("content-length").unwrap_or("0");
    let mut body = vec![0; length.parse().ok()?];
    read.read_exact(&mut body).await.ok()?;
    received.body = String::from_utf8(body).ok()?;
    Some(received)
}

/// None when the connection is over.
async fn answer(
    write: &mut (impl AsyncWrite + Unpin),
    answer: Answer,
    endless: &AtomicUsize,
) -> Option<()> {
    match answer {
        Answer::Http(status, body) => {
            let length = body.len();
            let text = format!("{status}\r\ncontent-length: {length}\r\n\r\n{body}");
            write.write_all(text.as_bytes()).await.ok()
        }
        Answer::Raw(text) => write.write_all(text.as_bytes()).await.ok(),
        Answer::Close => None,
        Answer::Silence => std::future::pending().await,
        Answer::Trickle => {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
            write.write_all(head.as_bytes()).await.ok()?;
            loop {
                write.write_all(b"{").await.ok()?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Answer::Endless => {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            write.write_all(head.as_bytes()).await.ok()?;
            let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
            loop {
                write.write_all(chunk.as_bytes()).await.ok()?;
                endless.fetch_add(chunk.len(), Ordering::SeqCst);
            }
        }
        Answer::Cut(text) => {
            write.write_all(text.as_bytes()).await.ok()?;
            write.shutdown().await.ok()?;
            None
        }
    }
}

/// A message to an address.
pub(crate) fn outgoing(id: &str, address: &str) -> Outgoing {
    Outgoing {
        id: id.to_owned(),
        address: Zeroizing::new(address.to_owned()),
        title: "晨检未报".to_owned(),
        body: "高一（3）班今日晨检尚未上报，请于 8:30 前补报。".to_owned(),
        category: Category::Reminder,
        urgency: Urgency::Urgent,
        exercise: false,
        document: None,
        at: "2022-04-06T01:30:00Z".parse().expect("an instant"),
    }
}

/// A channel for short messages by the provider at `url`, which answers with a code and repeats the id.
pub(crate) fn sms(id: &str, url: &str) -> ChannelConfig {
    let codes = |code: &str| vec![code.to_owned()];
    ChannelConfig {
        url: Some(url.to_owned()),
        insecure: true,
        timeout: Duration::from_millis(500),
        request: Some(RequestConfig {
            method: "POST".to_owned(),
            path: "/messages".to_owned(),
            query: Vec::new(),
            headers: vec![("x-request-id".to_owned(), "{id}".to_owned())],
            json: Some(r#"{"to": "{address}", "text": "{title} {body}", "id": "{id}"}"#.to_owned()),
            form: None,
            sign: None,
        }),
        answer: Some(AnswerConfig {
            code: "/code".to_owned(),
            good: codes("0"),
            throttled: codes("8"),
            no_recipient: codes("4"),
            later: codes("1"),
            broken: codes("9"),
            id: Some("/id".to_owned()),
        }),
        ..ChannelConfig::new(id, notification::domain::channel::Kind::Sms)
    }
}

/// What the provider of [`sms`] answers when it took a message.
pub(crate) fn taken(request: &Received) -> Answer {
    let json: serde_json::Value = serde_json::from_str(&request.body).expect("JSON");
    Answer::ok(serde_json::json!({"code": 0, "id": json["id"]}).to_string())
}

/// The same with a code and no id.
pub(crate) fn code(code: i32) -> Answer {
    Answer::ok(serde_json::json!({ "code": code }).to_string())
}
