//! Clients that nobody here wrote work through the days of a school, a district, a laboratory and disease
//! control over TLS. `tests/clients/README.md` tells which they are and what they show.

#[path = "../../../services/kit/tests/pki/mod.rs"]
mod pki;
mod stand;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use stand::Stand;

/// How `tests/clients/run` says that the machine lacks something.
const LACKING: i32 = 77;
/// How long a client may take before it fails.
const PATIENCE: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread")]
async fn python_with_grpcio_works_through_the_days() {
    is_served("python").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_with_grpc_web_and_fetch_works_through_the_days() {
    is_served("node").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_with_json_works_through_the_days() {
    is_served("curl").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_in_java_runs_as_it_stands() {
    is_served("java").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_in_go_runs_as_it_stands() {
    is_served("go").await;
}

async fn is_served(client: &str) {
    if !is_here(client).await {
        return;
    }
    let stand = Stand::open().await;
    let output = run(&[client.as_ref(), stand.folder()]).await;
    assert!(output.status.success(), "{client}:\n{}", said(&output));
    stand.close().await;
}

/// Whether the machine has what a client needs; says what it lacks.
#[expect(
    clippy::disallowed_methods,
    reason = "whether a client may be missing belongs to the machine"
)]
#[expect(clippy::print_stderr, reason = "a skipped test must not go unnoticed")]
async fn is_here(client: &str) -> bool {
    let output = run(&[client.as_ref()]).await;
    if output.status.code() != Some(LACKING) {
        assert!(output.status.success(), "{client}:\n{}", said(&output));
        return true;
    }
    let lacks = said(&output);
    let required = std::env::var("CAMPUS_REQUIRE_CLIENTS").unwrap_or_default();
    assert!(
        !required.split(' ').any(|one| one == client),
        "clients are required: {lacks}"
    );
    eprintln!("\n*** SKIPPED {client}: {} ***\n", lacks.trim());
    false
}

/// Runs the script beside the clients.
async fn run(arguments: &[&Path]) -> Output {
    let script: PathBuf = [env!("CARGO_MANIFEST_DIR"), "clients", "run"]
        .iter()
        .collect();
    let child = Command::new(script)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, child).await.expect("it ends in time");
    output.expect("bash runs it")
}

fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
