//! Wires between processes: what passes over one can be cut, stalled and made late.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// To whom the wire from a service to its database leads.
pub const DATABASE: &str = "database";
/// How many connections one wire carries at once; more wait until one ends.
const CONNECTIONS: usize = 512;
/// How much one reading takes at most, in bytes.
const PIECE: usize = 16 << 10;

/// What becomes of bytes on a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// They pass.
    Free,
    /// Connections and bytes are taken, and nothing is passed on.
    Stalled,
    /// Each piece passes later by this.
    Late(Duration),
}

/// How a wire is.
#[derive(Clone, Copy, Debug)]
struct State {
    flow: Flow,
    /// How often it was cut: connections from before the last time end.
    cuts: u64,
}

/// A way from a process to another one, or to a database. It lasts as long as one of its clones.
#[derive(Clone, Debug)]
pub struct Wire {
    /// Who connects, and to whom.
    ends: (&'static str, &'static str),
    addr: SocketAddr,
    targets: watch::Sender<Arc<[String]>>,
    state: watch::Sender<State>,
}

impl Wire {
    /// Lays a wire between two `ends` that leads to `targets`, `host:port` each: to the first of them that
    /// takes a connection, with another one at the beginning each time.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn lay(ends: (&'static str, &'static str), targets: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let state = watch::Sender::new(State {
            flow: Flow::Free,
            cuts: 0,
        });
        let targets = watch::Sender::new(Arc::<[String]>::from(targets));
        let carried = carry_all(listener, targets.subscribe(), state.subscribe());
        tokio::spawn(carried);
        Self {
            ends,
            addr,
            targets,
            state,
        }
    }

    /// Who connects.
    pub fn from(&self) -> &'static str {
        self.ends.0
    }

    /// To whom it leads.
    pub fn to(&self) -> &'static str {
        self.ends.1
    }

    /// Where it is to be reached.
    pub fn address(&self) -> SocketAddr {
        self.addr
    }

    /// Ends every connection that it carries, whatever is under way; others can be made at once.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// From now on connections lead to `target`, `host:port`; those that there are stay.
    pub fn lead_to(&self, target: String) {
        self.targets.send_replace(Arc::<[String]>::from([target]));
    }

    /// From now on this becomes of bytes.
    pub fn set(&self, flow: Flow) {
        self.state.send_modify(|state| state.flow = flow);
    }
}

/// Carries every connection, each on its own.
async fn carry_all(
    listener: TcpListener,
    targets: watch::Receiver<Arc<[String]>>,
    state: watch::Receiver<State>,
) {
    let (room, turn) = (
        Arc::new(Semaphore::new(CONNECTIONS)),
        Arc::new(AtomicUsize::new(0)),
    );
    while let Ok(place) = room.clone().acquire_owned().await {
        let Ok((near, _)) = listener.accept().await else {
            return;
        };
        let targets = targets.borrow().clone();
        let (turn, state) = (turn.clone(), state.clone());
        tokio::spawn(async move {
            carry(near, &targets, &turn, state).await;
            drop(place);
        });
    }
}

/// Carries one connection until either end closes it, or the wire is cut.
async fn carry(
    near: TcpStream,
    targets: &[String],
    turn: &AtomicUsize,
    mut state: watch::Receiver<State>,
) {
    let cuts = state.borrow_and_update().cuts;
    let Some(far) = connect(targets, turn).await else {
        return;
    };
    if near.set_nodelay(true).is_err() || far.set_nodelay(true).is_err() {
        return;
    }
    let (near_reads, near_writes) = near.into_split();
    let (far_reads, far_writes) = far.into_split();
    tokio::select! {
        () = pass(near_reads, far_writes, state.clone()) => {}
        () = pass(far_reads, near_writes, state.clone()) => {}
        () = end(&mut state, cuts) => {}
    }
}

/// Waits until the wire is cut once more.
async fn end(state: &mut watch::Receiver<State>, cuts: u64) {
    let _ = state.wait_for(|state| state.cuts != cuts).await;
}

/// A connection to the first target that takes one.
async fn connect(targets: &[String], turn: &AtomicUsize) -> Option<TcpStream> {
    let first = turn.fetch_add(1, Ordering::Relaxed);
    for number in 0..targets.len() {
        let target = &targets[(first + number) % targets.len()];
        if let Ok(stream) = TcpStream::connect(target).await {
            return Some(stream);
        }
    }
    None
}

/// Passes bytes in one direction until there are no more.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut piece = vec![0; PIECE];
    while let Ok(count @ 1..) = from.read(&mut piece).await {
        let flow = state.borrow_and_update().flow;
        if let Flow::Late(by) = flow {
            tokio::time::sleep(by).await;
        }
        let flowing = state.wait_for(|state| state.flow != Flow::Stalled);
        if flowing.await.is_err() {
            return;
        }
        if to.write_all(&piece[..count]).await.is_err() {
            return;
        }
    }
}

/// A URL with another host and port, such as those of a wire.
pub(crate) fn lead(url: &str, place: SocketAddr) -> String {
    let (before, _, after) = split(url);
    format!("{before}{place}{after}")
}

/// Host and port of a URL; the port of PostgreSQL where there is none.
pub(crate) fn place(url: &str) -> String {
    let (_, place, _) = split(url);
    if place.contains(':') {
        place.to_owned()
    } else {
        format!("{place}:5432")
    }
}

/// A URL in what is before host and port, these, and what follows.
fn split(url: &str) -> (&str, &str, &str) {
    let begin = url.find("://").map_or(0, |at| at + "://".len());
    let end = url[begin..].find('/').map_or(url.len(), |at| begin + at);
    let begin = url[begin..end]
        .rfind('@')
        .map_or(begin, |at| begin + at + 1);
    (&url[..begin], &url[begin..end], &url[end..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::within;

    #[test]
    fn urls_are_led_elsewhere() {
        let there = SocketAddr::from(([127, 0, 0, 1], 9));
        for (url, expected, from) in [
            (
                "http://127.0.0.1:7400",
                "http://127.0.0.1:9",
                "127.0.0.1:7400",
            ),
            (
                "postgres://u:p@localhost/d?sslmode=disable",
                "postgres://u:p@127.0.0.1:9/d?sslmode=disable",
                "localhost:5432",
            ),
        ] {
            assert_eq!((&*lead(url, there), &*place(url)), (expected, from));
        }
    }

    /// A server that answers each byte with the same; where it is.
    async fn echoes() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let place = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut reads, mut writes) = stream.into_split();
                    let _ = tokio::io::copy(&mut reads, &mut writes).await;
                });
            }
        });
        place
    }

    /// A wire to such a server.
    async fn echo() -> Wire {
        Wire::lay(("here", "there"), vec![echoes().await]).await
    }

    async fn call(stream: &mut TcpStream) -> std::io::Result<u8> {
        stream.write_u8(7).await?;
        stream.read_u8().await
    }

    #[tokio::test]
    async fn a_cut_ends_what_is_open_and_nothing_else() {
        let wire = echo().await;
        let mut open = TcpStream::connect(wire.address()).await.expect("connects");
        let answer = within("an answer", call(&mut open)).await;
        assert_eq!(answer.expect("an answer"), 7);
        wire.cut();
        assert!(within("the end", open.read_u8()).await.is_err());
        let mut again = TcpStream::connect(wire.address()).await.expect("connects");
        let answer = within("an answer", call(&mut again)).await;
        assert_eq!(answer.expect("an answer"), 7);
    }

    #[tokio::test]
    async fn a_wire_leads_where_it_is_led_and_what_is_open_stays() {
        let wire = Wire::lay(("here", "there"), vec!["127.0.0.1:1".to_owned()]).await;
        let mut nowhere = TcpStream::connect(wire.address()).await.expect("connects");
        assert!(within("the end", nowhere.read_u8()).await.is_err());
        wire.lead_to(echoes().await);
        let mut open = TcpStream::connect(wire.address()).await.expect("connects");
        let answer = within("an answer", call(&mut open)).await;
        assert_eq!(answer.expect("an answer"), 7);
        wire.lead_to("127.0.0.1:1".to_owned());
        let answer = within("an answer", call(&mut open)).await;
        assert_eq!(answer.expect("an answer"), 7);
    }

    #[tokio::test]
    async fn a_stalled_wire_passes_everything_on_when_it_is_free() {
        let wire = echo().await;
        wire.set(Flow::Stalled);
        let mut open = TcpStream::connect(wire.address()).await.expect("connects");
        let asked = call(&mut open);
        tokio::pin!(asked);
        let moment = Duration::from_millis(100);
        let early = tokio::time::timeout(moment, &mut asked).await;
        assert!(early.is_err(), "nothing passes");
        wire.set(Flow::Late(Duration::from_millis(1)));
        assert_eq!(within("an answer", asked).await.expect("an answer"), 7);
    }
}
