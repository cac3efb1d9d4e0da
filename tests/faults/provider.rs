//! A provider of short messages that takes all of them, and keeps what it was asked under which key.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tests::within;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What came under one key.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// To whom, each time.
    pub(super) addresses: Vec<String>,
}

/// The provider, which ends with the test.
pub(super) struct Provider {
    /// Where it answers.
    pub(super) url: String,
    asked: Arc<Mutex<BTreeMap<String, Asked>>>,
    requests: watch::Sender<usize>,
}

impl Provider {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let provider = Self {
            url,
            asked: Arc::default(),
            requests: watch::Sender::new(0),
        };
        let (asked, requests) = (provider.asked.clone(), provider.requests.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, asked.clone(), requests.clone()));
            }
        });
        provider
    }

    /// How often it was asked so far.
    pub(super) fn requests(&self) -> usize {
        *self.requests.borrow()
    }

    /// Waits until it was asked so often.
    pub(super) async fn reach(&self, count: usize) {
        let mut requests = self.requests.subscribe();
        let wait = requests.wait_for(|requests| *requests >= count);
        let reached = within(&format!("{count} requests"), wait).await;
        reached.expect("the provider stays");
    }

    /// What it was asked, by key.
    pub(super) fn asked(&self) -> BTreeMap<String, Asked> {
        let asked = self.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One connection, until it breaks.
async fn serve(
    stream: TcpStream,
    asked: Arc<Mutex<BTreeMap<String, Asked>>>,
    requests: watch::Sender<usize>,
) {
    let mut stream = BufReader::new(stream);
    while let Some(body) = request(&mut stream).await {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        {
            let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = asked.entry(text("id")).or_default();
            entry.addresses.push(text("to"));
        }
        requests.send_modify(|count| *count += 1);
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// The body of the next request; none when there is no whole one any more.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<serde_json::Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    serde_json::from_slice(&body).ok()
}
