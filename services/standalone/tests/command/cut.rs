//! A house that is killed in the middle of an import, and what the command does then.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use kit::auth::{Issuer, Role};
use kit::clock::{Clock as _, SystemClock};
use proto::roster::import_service_client::ImportServiceClient;
use proto::roster::{GetImportJobRequest, ImportJob, ListImportJobsRequest, import_job};
use standalone::city::{City, Options};
use standalone::house::{Door, door};

use crate::invented;

/// A city of this school year: these houses go by the clock on the wall.
fn city() -> City {
    City::new(Options {
        students: 3000,
        seed: 7,
        date: SystemClock.today(),
    })
}

/// The process of `campus up`, killed when it goes.
struct Up(Child);

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn campus() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_campus"));
    command.stdin(Stdio::null());
    command
}

/// Five free ports in a row: a house that comes back must be where it was.
fn ports() -> u16 {
    let listen = |port| TcpListener::bind(("127.0.0.1", port)).ok();
    loop {
        let first = listen(0).and_then(|free| free.local_addr().ok());
        let first = first.expect("a free port").port();
        if first < 65_000 && (first..first + 5).all(|port| listen(port).is_some()) {
            return first;
        }
    }
}

fn up(port: u16, data: &Path) -> Up {
    let mut command = campus();
    command.arg("up").arg("--data").arg(data);
    command.args(["--port", &port.to_string(), "--log", "error"]);
    Up(command.stdout(Stdio::null()).spawn().expect("it starts"))
}

fn token() -> String {
    let scope = "fz".parse().expect("a place");
    let hour = Duration::from_secs(3600);
    Issuer::development().token(
        "test",
        &[Role::CityOfficer],
        &scope,
        None,
        SystemClock.now(),
        hour,
    )
}

fn import(port: u16, files: &Path) -> Command {
    let mut command = campus();
    command.arg("import").arg(files.join("oneroster"));
    command.args(["--organization", "fz"]);
    command.args(["--gateway", &format!("http://127.0.0.1:{port}")]);
    command.env("CAMPUS_TOKEN", token());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn calls(port: u16) -> ImportServiceClient<Door> {
    let address = format!("http://127.0.0.1:{port}");
    ImportServiceClient::new(door(&address, &token()).expect("an address"))
}

/// Asks until there is an answer that will do.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The job under way, when some of its rows are durable.
async fn under_way(port: u16) -> ImportJob {
    until("rows become durable", async || {
        let request = ListImportJobsRequest::default();
        let page = calls(port).list_import_jobs(request).await.ok()?;
        let job = page.into_inner().import_jobs.into_iter().next()?;
        (job.durable_row > 0).then_some(job)
    })
    .await
}

async fn answers(port: u16) {
    until("the house answers", async || {
        let request = ListImportJobsRequest::default();
        calls(port).list_import_jobs(request).await.ok()
    })
    .await;
}

async fn is_whole(port: u16, name: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let failed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}{failed}");
    let request = GetImportJobRequest {
        name: name.to_owned(),
    };
    let job = calls(port).get_import_job(request).await.expect("the job");
    let job = job.into_inner();
    assert_eq!(job.state(), import_job::State::Committed);
    let created: i64 = job.counts.iter().map(|one| one.created).sum();
    assert_eq!(created.unsigned_abs(), city().row_count());
    assert!(job.counts.iter().all(|one| one.rejected == 0));
}

#[tokio::test]
async fn a_house_that_comes_back_is_sent_the_rest_by_the_same_command() {
    let (data, files) = (
        tempfile::tempdir().expect("a folder"),
        invented::written(&city()),
    );
    let port = ports();
    let house = up(port, data.path());
    answers(port).await;
    let importing = import(port, files.path()).spawn().expect("it starts");
    let job = under_way(port).await;
    drop(house);
    let house = up(port, data.path());
    answers(port).await;
    let output = tokio::task::spawn_blocking(|| importing.wait_with_output());
    let output = output.await.expect("it runs").expect("it ends");
    is_whole(port, &job.name, &output).await;
    drop(house);
}

#[tokio::test]
async fn a_command_that_was_cut_off_as_well_goes_on_by_name() {
    let (data, files) = (
        tempfile::tempdir().expect("a folder"),
        invented::written(&city()),
    );
    let port = ports();
    let house = up(port, data.path());
    answers(port).await;
    let importing = Up(import(port, files.path()).spawn().expect("it starts"));
    let job = under_way(port).await;
    drop(importing);
    drop(house);
    let house = up(port, data.path());
    answers(port).await;
    let request = GetImportJobRequest {
        name: job.name.clone(),
    };
    let left = calls(port).get_import_job(request).await.expect("the job");
    let left = left.into_inner();
    assert!(left.durable_row >= job.durable_row, "durable rows stay");
    let name = job.name.clone();
    let output = tokio::task::spawn_blocking(move || {
        import(port, files.path())
            .args(["--resume", &name])
            .output()
    });
    let output = output.await.expect("it runs").expect("it ends");
    is_whole(port, &job.name, &output).await;
    drop(house);
}
