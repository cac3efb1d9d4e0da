//! A server as a process of its own, so that what it takes up is not taken for what its attackers do: the test
//! binary once more, which runs one test that serves, and is told on its standard input how.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::runtime::Handle;
use tokio::sync::Mutex as Turn;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout};

use super::PATIENCE;

/// The test that serves, which each binary that attacks has, and which nobody runs by itself.
const TEST: &str = "a_server_apart";
/// What it says before the address at which it listens.
const LISTENS: &str = "it listens at ";
/// What it says before how many tasks it has.
const TASKS: &str = "its tasks are ";
/// How many tasks there may be besides for whoever calls as they should.
const CALLERS: usize = 64;
/// How often it is asked.
const PAUSE: Duration = Duration::from_millis(5);
/// How long a tick of the processor's clock lasts on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// A server in a process that ends with this value.
#[derive(Debug)]
pub(crate) struct Apart {
    child: Child,
    /// What is asked of it and what it answers. When this closes, the server ends.
    asked: Turn<(ChildStdin, UnboundedReceiver<String>)>,
    pub(crate) addr: SocketAddr,
    /// What it said of tasks that ended as none should.
    panics: Arc<Mutex<Vec<String>>>,
}

impl Apart {
    /// Starts it, told `how`, with no more than so many file descriptors if `files` says it.
    pub(crate) async fn start(how: &Value, files: Option<u32>) -> Self {
        let test = std::env::current_exe().expect("a test knows its own file");
        let mut command = match files {
            None => Command::new(test),
            Some(files) => {
                let mut shell = Command::new("sh");
                let limited = format!("ulimit -n {files} && exec \"$0\" \"$@\"");
                shell.arg("-c").arg(limited).arg(test);
                shell
            }
        };
        command
            .args(["--exact", TEST, "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().expect("a server starts");
        let mut told = child.stdin.take().expect("its input is piped");
        let line = format!("{how}\n");
        told.write_all(line.as_bytes()).await.expect("it reads");
        let panics = Arc::<Mutex<Vec<String>>>::default();
        let stderr = child.stderr.take().expect("its errors are piped");
        tokio::spawn(listen(BufReader::new(stderr), panics.clone()));
        let stdout = child.stdout.take().expect("its output is piped");
        let (says, mut heard) = unbounded_channel();
        tokio::spawn(hear(BufReader::new(stdout), says));
        let addr = said(&mut heard, LISTENS).await;
        Self {
            child,
            asked: Turn::new((told, heard)),
            addr: addr.parse().expect("an address"),
            panics,
        }
    }

    /// How many tasks it has.
    pub(crate) async fn tasks(&self) -> usize {
        let mut asked = self.asked.lock().await;
        let (told, heard) = &mut *asked;
        told.write_all(b"tasks\n").await.expect("it reads");
        let tasks = said(heard, TASKS).await;
        tasks.parse().expect("a number")
    }

    /// Waits until it has let go of what it had to do besides `tasks` and for whoever calls as they should.
    pub(crate) async fn lets_go(&self, tasks: usize) {
        let gone = async {
            while self.tasks().await > tasks + CALLERS {
                sleep(PAUSE).await;
            }
        };
        timeout(PATIENCE, gone).await.expect("in time");
    }

    /// Where tasks of it ended as none should.
    pub(crate) fn panics(&self) -> Vec<String> {
        self.panics.lock().expect("nobody else panics").clone()
    }

    fn id(&self) -> String {
        self.child.id().expect("it runs").to_string()
    }

    /// How much memory it holds, in bytes.
    pub(crate) fn memory(&self) -> usize {
        told(&self.id(), "VmRSS:")
    }

    /// How much it held at most since [`Apart::forget_peak`].
    pub(crate) fn peak(&self) -> usize {
        told(&self.id(), "VmHWM:")
    }

    /// From here on what it holds at most is asked for.
    pub(crate) fn forget_peak(&self) {
        const PEAK: &str = "5";
        let forgotten = std::fs::write(format!("/proc/{}/clear_refs", self.id()), PEAK);
        forgotten.expect("a process may ask this of its children");
    }

    /// How much time of processors it has taken up.
    pub(crate) fn processor(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id()));
        let stat = stat.expect("it runs");
        // The name of a process, in brackets, may have blanks in it.
        let (_, fields) = stat.rsplit_once(')').expect("a name");
        let own = fields.split_whitespace().skip(11).take(2);
        let ticks: u32 = own
            .map(|ticks| ticks.parse::<u32>().expect("a number"))
            .sum();
        TICK * ticks
    }

    /// How many file descriptors it has.
    pub(crate) fn files(&self) -> usize {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.id()));
        open.expect("it runs").count()
    }
}

/// Hears everything that a server says, since a full pipe would stop it, and keeps what it was asked for.
async fn hear(said: impl AsyncBufRead + Unpin, heard: UnboundedSender<String>) {
    let mut said = said.lines();
    while let Ok(Some(line)) = said.next_line().await {
        if line.contains(LISTENS) || line.contains(TASKS) {
            let _ = heard.send(line);
        }
    }
}

/// What a server says behind these words.
async fn said(heard: &mut UnboundedReceiver<String>, words: &str) -> String {
    let line = timeout(PATIENCE, heard.recv()).await.expect("in time");
    let line = line.expect("a server that runs");
    let (_, said) = line.split_once(words).expect("what was asked for");
    said.to_owned()
}

/// Keeps what a process says of its panics.
async fn listen(said: impl AsyncBufRead + Unpin, panics: Arc<Mutex<Vec<String>>>) {
    let mut lines = said.lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.contains("panicked at") {
            panics.lock().expect("nobody else panics").push(line);
        }
    }
}

/// What the system tells of the memory of a process, in bytes; 0 where it does not tell.
pub(crate) fn told(process: &str, what: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(what));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kib.unwrap_or_default() << 10
}

/// How this process is to serve; none where nobody started it as a server.
pub(crate) async fn how() -> Option<Value> {
    // One byte after the other: what follows the line is read by whoever serves.
    let mut line = Vec::new();
    let mut input = tokio::io::stdin();
    while let Ok(byte) = input.read_u8().await
        && byte != b'\n'
    {
        line.push(byte);
    }
    serde_json::from_slice(&line).ok()
}

/// Says where it listens, and how many tasks it has whenever that is asked, until whoever started it is gone.
pub(crate) async fn serve(addr: SocketAddr) {
    say(&format!("\n{LISTENS}{addr}")).await;
    let mut questions = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(_)) = questions.next_line().await {
        let tasks = Handle::current().metrics().num_alive_tasks();
        say(&format!("{TASKS}{tasks}")).await;
    }
}

async fn say(line: &str) {
    let mut output = tokio::io::stdout();
    let said = output.write_all(format!("{line}\n").as_bytes()).await;
    said.expect("said");
    output.flush().await.expect("said");
}

/// A folder that was named to a server.
pub(crate) fn folder(how: &Value, name: &str) -> Option<PathBuf> {
    how[name].as_str().map(PathBuf::from)
}
