//! HTTP/2 written by hand: frames as an attacker sends them, and what comes back.
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "each test binary uses a part"
)]

pub(crate) mod apart;
pub(crate) mod attacks;
pub(crate) mod fuzz;
pub(crate) mod good;
pub(crate) mod grammar;
#[path = "../pki/mod.rs"]
mod pki;
pub(crate) mod stand;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kit::tls::{ClientTlsConfig, Dialer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PRIORITY: u8 = 0x20;
/// A stream that ends because nobody wants it any more, which is no fault of it.
const UNWANTED: [u32; 2] = [0, 8];
/// A server does not take longer for anything that is waited for here; a loaded machine has its share in
/// this.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A server under attack.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) addr: SocketAddr,
    /// A method of which neither side streams.
    pub(crate) path: &'static str,
    /// The header `authorization` of somebody who may call it.
    pub(crate) bearer: String,
    /// By whose word it is known where it encrypts; none where it does not.
    pub(crate) tls: Option<ClientTlsConfig>,
}

/// What is read and written, encrypted or not.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A connection to a server under attack.
pub(crate) type Connection = Box<dyn Duplex>;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// Of HTTP.
    pub(crate) http: u16,
    /// Of gRPC, if there is one.
    pub(crate) code: Option<String>,
    /// What it says to developers.
    pub(crate) words: String,
}

/// A frame that the other side sent.
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// A frame as it is sent.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The next frame; none when the other side has closed the connection.
pub(crate) async fn next(reader: &mut (impl AsyncRead + Unpin)) -> Option<Frame> {
    let mut head = [0; 9];
    reader.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(length).expect("fits")];
    reader.read_exact(&mut payload).await.ok()?;
    Some(Frame {
        kind: head[3],
        flags: head[4],
        stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
        payload,
    })
}

/// A text as headers have it, uncompressed.
fn text(text: &str) -> Vec<u8> {
    const SHORT: usize = 127;
    let mut bytes = Vec::new();
    if text.len() < SHORT {
        bytes.push(u8::try_from(text.len()).expect("short"));
    } else {
        let mut rest = text.len() - SHORT;
        bytes.push(0x7f);
        while rest >= 128 {
            bytes.push(u8::try_from(rest % 128).expect("short") | 0x80);
            rest /= 128;
        }
        bytes.push(u8::try_from(rest).expect("short"));
    }
    bytes.extend(text.as_bytes());
    bytes
}

/// A header that nobody remembers.
pub(crate) fn header(name: &str, value: &str) -> Vec<u8> {
    [vec![0], text(name), text(value)].concat()
}

/// A header that the server is to remember for those who follow.
pub(crate) fn remembered(name: &str, value: &str) -> Vec<u8> {
    [vec![0x40], text(name), text(value)].concat()
}

/// The header that the server was told to remember last.
pub(crate) const LAST_REMEMBERED: u8 = 0x80 | 62;

impl Target {
    /// The head of a call by somebody unknown.
    pub(crate) fn head(&self) -> Vec<u8> {
        let headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", "campus"),
            (":path", self.path),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ];
        let headers = headers.into_iter();
        headers
            .flat_map(|(name, value)| header(name, value))
            .collect()
    }

    /// The head of a call by somebody who may call.
    pub(crate) fn known_head(&self) -> Vec<u8> {
        let mut head = self.head();
        head.extend(header("authorization", &self.bearer));
        head
    }

    /// A connection on which nothing was said yet.
    pub(crate) async fn open(&self) -> Connection {
        let opened = self.open_from([127, 0, 0, 1].into()).await;
        opened.expect("a connection")
    }

    /// The same from an address of this machine, if the server takes it.
    pub(crate) async fn open_from(&self, from: IpAddr) -> std::io::Result<Connection> {
        let stream = self.touch(from).await?;
        let connection: Connection = match &self.tls {
            None => Box::new(stream),
            Some(tls) => {
                let host = self.addr.ip().to_string();
                Box::new(Dialer::new(tls.clone()).secure(&host, stream).await?)
            }
        };
        Ok(connection)
    }

    /// A connection without encryption, whatever the server wants.
    pub(crate) async fn touch(&self, from: IpAddr) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((from, 0)))?;
        let stream = socket.connect(self.addr).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// A connection that has said what it speaks.
    pub(crate) async fn connect(&self) -> Connection {
        let mut stream = self.open().await;
        let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        hello.extend(frame(SETTINGS, 0, 0, &[]));
        stream.write_all(&hello).await.expect("sent");
        stream.flush().await.expect("sent");
        stream
    }

    /// What the server says of itself in its first frame, by the number of each setting.
    pub(crate) async fn settings(&self) -> Vec<(u16, u32)> {
        let mut stream = self.connect().await;
        let first = next(&mut stream).await.expect("a greeting");
        assert_eq!(first.kind, SETTINGS);
        let settings = first.payload.chunks_exact(6);
        let settings = settings.map(|one| {
            let value = u32::from_be_bytes([one[2], one[3], one[4], one[5]]);
            (u16::from_be_bytes([one[0], one[1]]), value)
        });
        settings.collect()
    }

    /// Sends `bytes` and reads until the server closes.
    pub(crate) async fn attack(&self, bytes: Vec<u8>) -> Closed {
        let (mut reader, mut writer) = tokio::io::split(self.connect().await);
        let sending = tokio::spawn(async move {
            // The server may close before everything is sent.
            let _ = writer.write_all(&bytes).await;
            let _ = writer.flush().await;
            std::future::pending::<()>().await;
        });
        let mut closed = Closed::default();
        let over = async {
            while let Some(frame) = next(&mut reader).await {
                closed.note(&frame);
            }
        };
        let over = timeout(PATIENCE, over).await;
        sending.abort();
        over.expect("the server closes");
        closed
    }

    /// The status of gRPC that answers a call with this body and these headers besides; none when there is
    /// none.
    pub(crate) async fn answer(&self, headers: &[(&str, &str)], body: Vec<u8>) -> Option<String> {
        self.ask(headers, body).await?.code
    }

    /// The whole answer; none where the stream broke off without any.
    pub(crate) async fn ask(&self, headers: &[(&str, &str)], body: Vec<u8>) -> Option<Reply> {
        let stream = TokioIo::new(self.open().await);
        let exec = TokioExecutor::new();
        let spoken = hyper::client::conn::http2::handshake(exec, stream).await;
        let (mut sender, connection) = spoken.expect("greets");
        let connection = tokio::spawn(connection);
        let mut request = http::Request::post(format!("http://campus{}", self.path))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", &self.bearer);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body)));
        let answered = sender.send_request(request.expect("a request"));
        let answered = timeout(PATIENCE, answered).await.expect("in time").ok()?;
        let (head, body) = answered.into_parts();
        let trailers = match timeout(PATIENCE, body.collect()).await.expect("in time") {
            Ok(read) => read.trailers().cloned().unwrap_or_default(),
            Err(_) => http::HeaderMap::new(),
        };
        connection.abort();
        let told = |name: &str| {
            let value = head.headers.get(name).or_else(|| trailers.get(name))?;
            Some(value.to_str().expect("a text").to_owned())
        };
        Some(Reply {
            http: head.status.as_u16(),
            code: told("grpc-status"),
            words: told("grpc-message").unwrap_or_default(),
        })
    }
}

/// How an attack ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Closed {
    /// How many streams the server has reset for a fault of theirs.
    pub(crate) resets: usize,
    /// The code of its farewell and what it says, if one came.
    pub(crate) farewell: Option<(u32, String)>,
}

impl Closed {
    fn note(&mut self, frame: &Frame) {
        let word = |at: usize| {
            let bytes = frame.payload.get(at..at + 4)?.try_into().ok()?;
            Some(u32::from_be_bytes(bytes))
        };
        match frame.kind {
            RST_STREAM if !word(0).is_some_and(|code| UNWANTED.contains(&code)) => {
                self.resets += 1;
            }
            GOAWAY => {
                let words = frame.payload.get(8..).unwrap_or_default();
                let words = String::from_utf8_lossy(words).into_owned();
                self.farewell = word(4).map(|code| (code, words));
            }
            _ => {}
        }
    }
}

/// How much memory this process holds, in bytes; 0 where the system does not tell.
pub(crate) fn memory() -> usize {
    apart::told("self", "VmRSS:")
}
