//! The binary: wrong settings exit with 64 and name their key before a port opens, and SIGTERM
//! drains it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

fn command(folder: &Path, extra: &str) -> Command {
    let file = folder.join("sampling.toml");
    let database = folder.join("sampling.sqlite");
    let text = format!(
        "{extra}\nroster = \"http://127.0.0.1:9\"\n[server]\nlisten = \"127.0.0.1:0\"\n\
         drain = \"2s\"\n[auth]\ndevelopment = true\n[database]\nurl = \"sqlite:{}\"\n",
        database.display()
    );
    std::fs::write(&file, text).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sampling"));
    command.arg("--config").arg(file).env_clear();
    command
}

#[test]
fn wrong_settings_exit_with_64_and_name_their_key() {
    let folder = tempfile::tempdir().expect("a folder");
    // The line in the file, the variable, the argument, and the key that is named.
    let cases = [
        ("rooster = 1", ("", ""), None, "rooster"),
        ("", ("SERVER__MAX_IN_FLIGHT", "many"), None, "max_in_flight"),
        ("", ("ROSTER", "not an address"), None, "roster:"),
        (
            "",
            ("TELEMETRY__FILTER", "info,="),
            None,
            "telemetry.filter",
        ),
        ("", ("", ""), Some("--port"), "--port"),
    ];
    for (line, (name, value), argument, key) in cases {
        let mut command = command(folder.path(), line);
        if !name.is_empty() {
            command.env(format!("CAMPUS_SAMPLING__{name}"), value);
        }
        let output = command.args(argument).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains(key), "{key} is not in: {said}");
    }
    assert!(
        !folder.path().join("sampling.sqlite").exists(),
        "nothing was begun"
    );
}

#[test]
fn settings_can_be_checked_without_starting() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = command(folder.path(), "").arg("check-config").output();
    assert_eq!(output.expect("it runs").status.code(), Some(0));
    assert!(!folder.path().join("sampling.sqlite").exists());
}

/// Ends the process with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that ended already cannot be killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_logs_json_and_ends_on_sigterm() {
    let folder = tempfile::tempdir().expect("a folder");
    let child = command(folder.path(), "").stdout(Stdio::piped()).spawn();
    let mut running = Running(child.expect("it starts"));
    let mut out = BufReader::new(running.0.stdout.take().expect("its output"));
    let mut line = String::new();
    while !line.contains("\"listening\"") {
        line.clear();
        assert_ne!(out.read_line(&mut line).expect("a line"), 0, "it ended");
        assert!(
            line.starts_with('{') && line.ends_with("}\n"),
            "one object a line: {line}"
        );
    }
    let id = running.0.id().to_string();
    let told = Command::new("kill").args(["-TERM", &id]).status();
    assert!(told.expect("told").success());
    let status = running.0.wait().expect("it ends");
    assert_eq!(status.code(), Some(0));
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("the rest");
    assert!(!rest.contains("\"level\":\"ERROR\""), "{rest}");
}
