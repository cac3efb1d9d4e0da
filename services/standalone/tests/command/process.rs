//! What the processes of the command say and how they end.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const SERVICES: [&str; 5] = [
    "roster",
    "sampling",
    "safety-inspection",
    "notification",
    "gateway",
];

fn campus(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_campus"));
    command.args(arguments).env_remove("CAMPUS_TOKEN");
    command.output().expect("it runs")
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(err)
}

fn file(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("settings.toml");
    std::fs::write(&path, text).expect("it is written");
    path
}

#[test]
fn settings_that_cannot_be_used_name_the_key_and_end_with_64() {
    let folder = tempfile::tempdir().expect("a folder");
    for service in SERVICES {
        for (text, key) in [
            ("", "server"),
            ("[server]\nlisten = \"nowhere\"\n", "server.listen"),
            ("[server]\nlisten = \"127.0.0.1:1\"\nlizten = 1\n", "lizten"),
            ("[server\n", "line 1"),
        ] {
            let path = file(folder.path(), text);
            let path = path.to_string_lossy();
            let output = campus(&["check-config", service, "--config", &path]);
            assert_eq!(output.status.code(), Some(64), "{service}: {text}");
            assert!(said(&output).contains(key), "{service}: {}", said(&output));
        }
        let output = campus(&["check-config", service, "--config", "nowhere.toml"]);
        assert_eq!(output.status.code(), Some(64), "{service}");
    }
    let output = campus(&["check-config", "kitchen"]);
    assert_eq!(output.status.code(), Some(64));
}

/// The policies that are delivered.
fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/policies")
}

#[test]
fn policies_that_answer_as_their_cases_say_end_with_0() {
    let folder = policies();
    let output = campus(&["policies", "test", &folder.to_string_lossy()]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("answered as they must be"));
}

#[test]
fn policies_that_answer_otherwise_end_with_1_and_show_the_line_and_the_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(policies()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_owned();
        // A city that leaves out what the law says about purposes.
        if path.is_file() && name != "purposes.cedar" {
            std::fs::copy(&path, folder.path().join(name)).expect("it is copied");
        }
    }
    let test = ["policies", "test", &folder.path().to_string_lossy()].map(str::to_owned);
    let test = test.each_ref().map(String::as_str);
    let output = campus(&test);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let said_of_it = said(&output);
    for part in [
        "deny purposes.gate",
        "allow school.principal.gate",
        "(rule 6.5)",
        "answered otherwise",
    ] {
        assert!(said_of_it.contains(part), "{part}: {said_of_it}");
    }
    let cases = folder.path().join("own.csv");
    let text =
        "roles,scope,place,permission,answer,why\nguard,fz,fz,gate.check,allow,A guard decides\n";
    std::fs::write(&cases, text).expect("it is written");
    let cases = cases.to_string_lossy();
    let own = [&test[..], &["--cases", &cases]].concat();
    assert!(campus(&own).status.success(), "its own cases");
}

#[test]
fn policies_and_cases_that_cannot_be_used_end_with_64_and_name_the_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_string_lossy();
    let refused = |what: &str| {
        let output = campus(&["policies", "test", &path]);
        assert_eq!(output.status.code(), Some(64), "{}", said(&output));
        assert!(said(&output).contains(what), "{what}: {}", said(&output));
    };
    refused("cases.csv: cannot be read");
    let cases = folder.path().join("cases.csv");
    let case =
        "roles,scope,place,permission,answer,why\ngaurd,fz,fz,gate.check,allow,A guard decides\n";
    std::fs::write(&cases, case).expect("it is written");
    refused("cases.csv:2: roles: \"gaurd\" is not known");
    std::fs::write(&cases, case.replace("gaurd", "guard")).expect("it is written");
    refused("no file that ends with .cedar");
    std::fs::write(folder.path().join("city.cedar"), "permit (").expect("it is written");
    refused("city.cedar:1: ");
}

/// The file of a service that is delivered.
fn delivered(service: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/config");
    folder.join(format!("{service}.toml"))
}

#[test]
fn the_settings_that_are_delivered_can_be_used_in_a_trial_and_trust_nobody_else() {
    for service in SERVICES {
        let path = delivered(service);
        let path = path.to_string_lossy();
        let check = ["check-config", service, "--config", &path];
        let output = campus(&[&check[..], &["--trial"]].concat());
        assert!(output.status.success(), "{service}: {}", said(&output));
        // Whoever forgets to say whose tokens count is told so: nobody's do.
        let output = campus(&check);
        assert_eq!(output.status.code(), Some(64), "{service}");
        assert!(said(&output).contains("auth.keys: "), "{}", said(&output));
    }
}

#[test]
fn the_development_issuer_is_not_taken_where_others_reach_a_service() {
    let folder = tempfile::tempdir().expect("a folder");
    for service in SERVICES {
        let text = std::fs::read_to_string(delivered(service)).expect("it is delivered");
        let with = |auth: &[(&str, &str)], listen: &str| {
            let mut text = text.clone();
            for (before, after) in auth {
                assert!(text.contains(before), "{service}: {before}");
                text = text.replacen(before, after, 1);
            }
            let text = text.replacen("listen = \"127.0.0.1:", &format!("listen = \"{listen}:"), 1);
            let path = file(folder.path(), &text);
            campus(&["check-config", service, "--config", &path.to_string_lossy()])
        };
        let development = ("\ndevelopment = false\n", "\ndevelopment = true\n");
        let trial = ("\ntrial = false\n", "\ntrial = true\n");
        let production = ("\nproduction = false\n", "\nproduction = true\n");
        let here = with(&[development], "127.0.0.1");
        assert!(here.status.success(), "{service}: {}", said(&here));
        for everywhere in ["0.0.0.0", "[::]", "192.0.2.1"] {
            let refused = with(&[development], everywhere);
            assert_eq!(refused.status.code(), Some(64), "{service}: {everywhere}");
            let text = said(&refused);
            assert!(text.contains("auth.development: only"), "{service}: {text}");
            let tried = with(&[development, trial], everywhere);
            assert!(tried.status.success(), "{service}: {}", said(&tried));
        }
        for (wrong, key) in [(development, "auth.development: "), (trial, "auth.trial: ")] {
            let refused = with(&[production, wrong], "127.0.0.1");
            assert_eq!(refused.status.code(), Some(64), "{service}: {key}");
            assert!(
                said(&refused).contains(key),
                "{service}: {}",
                said(&refused)
            );
        }
    }
}

#[test]
fn wrong_usage_ends_with_64_and_failure_with_1_in_plain_words() {
    for arguments in [
        &["import", "x.zip", "--organization", "fz"][..],
        &["token", "--role", "king"],
        &["token", "--role", "guard", "--person", "guardians/7"],
        &["token", "--role", "guard", "--scope", "no place"],
        &["city", "generate", "--students", "0", "--out", "x"],
        &["sing"],
    ] {
        let output = campus(arguments);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
    }
    let nobody = ["--gateway", "http://127.0.0.1:1", "--token", "t"];
    let nowhere = ["--gateway", "nowhere", "--token", "t"];
    let folder = tempfile::tempdir().expect("a folder");
    let sheet = folder.path().join("学籍.csv");
    std::fs::write(&sheet, "姓名,年级,班级\n").expect("it is written");
    let sheet = sheet.to_string_lossy();
    let import = ["import", &sheet, "--organization", "fz"];
    for (arguments, word) in [
        ([&import[..], &nobody].concat(), "campus up"),
        ([&import[..], &nowhere].concat(), "http://"),
        (vec!["draw", "verify", "nothing"], "--key"),
        (
            vec!["destruction", "verify", "nothing", "--key", "k"],
            "base64",
        ),
        (
            [&["results", "nothing.csv"][..], &nobody].concat(),
            "nothing.csv",
        ),
        (vec!["token", "--role", "laboratory"], "--laboratory"),
    ] {
        let output = campus(&arguments);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(word), "{arguments:?}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        assert!(
            !said.contains("Error") && !said.contains("status:"),
            "{said}"
        );
    }
}

#[test]
fn a_house_drains_on_sigterm_and_ends_with_0() {
    let data = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_campus"));
    command
        .args(["up", "--port", "0", "--data"])
        .arg(data.path());
    let mut house = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let out = house.stdout.take().expect("its output");
    let mut lines = BufReader::new(out).lines().map_while(Result::ok);
    let shown: Vec<String> = lines
        .by_ref()
        .take_while(|line| !line.contains("Ctrl-C"))
        .collect();
    let shown = shown.join("\n");
    for service in SERVICES {
        assert!(shown.contains(service), "{shown}");
    }
    assert!(shown.contains("DEVELOPMENT ISSUER"), "{shown}");
    assert!(
        !shown.contains('\u{1b}'),
        "colours belong to terminals: {shown}"
    );
    let kill = Command::new("kill")
        .args(["-TERM", &house.id().to_string()])
        .status();
    assert!(kill.expect("kill runs").success());
    let rest: Vec<String> = lines.collect();
    assert!(house.wait().expect("it ends").success(), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("已停止")), "{rest:?}");
}

#[test]
fn the_same_number_seed_and_day_give_the_same_files() {
    let generate = |seed: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().to_string_lossy().into_owned();
        let (day, students) = ("2022-04-07", "120");
        let output = campus(&[
            "city",
            "generate",
            "--students",
            students,
            "--seed",
            seed,
            "--date",
            day,
            "--out",
            &out,
        ]);
        assert!(output.status.success(), "{}", said(&output));
        ["xueji.csv", "oneroster/users.csv", "campus/staff.csv"]
            .map(|name| std::fs::read(folder.path().join(name)).expect(name))
    };
    let (first, again, other) = (generate("1"), generate("1"), generate("2"));
    assert_eq!(first, again);
    assert_ne!(first, other);
}
