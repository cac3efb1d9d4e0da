//! The policies of the release and those of the handbook against their cases, and what is no case.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::cases::{PolicyAnswer, PolicyCases, PolicyDifference};
use super::policies::Policies;
use super::source::{self, Source};

const CASES: &str = include_str!("../../../../deploy/policies/cases.csv");
const EXAMPLE: &str = include_str!("../../../../deploy/policies/examples/city.cedar");
const EXAMPLE_CASES: &str = include_str!("../../../../deploy/policies/examples/cases.csv");
const HEADINGS: &str = "roles,scope,place,permission,purpose,time,answer,policy,why\n";

fn delivered() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/policies")
}

fn noon() -> DateTime<Utc> {
    "2022-04-07T04:00:00Z".parse().unwrap()
}

fn shipped() -> Policies {
    Policies::read(&source::shipped()).unwrap()
}

fn with_example() -> Policies {
    let example = Source {
        file: "city.cedar".to_owned(),
        text: EXAMPLE.to_owned(),
    };
    Policies::read(&[source::shipped(), vec![example]].concat()).unwrap()
}

fn told(differences: &[PolicyDifference]) -> Vec<String> {
    let told = differences.iter().map(|one| {
        let PolicyDifference { case, answer } = one;
        format!("{}: {answer}, not {}", case.line, case.expected())
    });
    told.collect()
}

fn parse(lines: &str) -> Result<PolicyCases, String> {
    PolicyCases::parse("cases.csv", &format!("{HEADINGS}{lines}")).map_err(|err| err.to_string())
}

#[test]
fn the_policies_of_the_release_answer_as_their_cases_say() {
    let cases = PolicyCases::parse("cases.csv", CASES).unwrap();
    assert_eq!(
        told(&cases.differences(&shipped(), noon())),
        Vec::<String>::new()
    );
}

#[test]
fn the_example_of_a_city_answers_as_its_cases_say() {
    let cases = PolicyCases::parse("cases.csv", EXAMPLE_CASES).unwrap();
    let policies = with_example();
    assert_eq!(
        told(&cases.differences(&policies, noon())),
        Vec::<String>::new()
    );
    // Without the example, what it says is not so.
    assert!(!cases.differences(&shipped(), noon()).is_empty());
}

#[test]
fn every_policy_that_is_more_than_a_role_has_a_case() {
    let (of_release, of_example) = (
        PolicyCases::parse("cases.csv", CASES).unwrap(),
        PolicyCases::parse("cases.csv", EXAMPLE_CASES).unwrap(),
    );
    let all = of_release.all().iter().chain(of_example.all());
    let named: BTreeSet<&str> = all.filter_map(|case| case.policy.as_deref()).collect();
    let policies = with_example();
    let kinds = ["limits.", "purposes.", "break-glass.", "city."];
    let wanted = policies
        .ids()
        .filter(|id| kinds.iter().any(|kind| id.starts_with(kind)));
    let wanted: BTreeSet<&str> = wanted.collect();
    assert!(wanted.len() >= 13, "{wanted:?}");
    let missing: Vec<_> = wanted.difference(&named).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_folder_is_held_against_its_cases() {
    let cases = PolicyCases::read(&delivered().join("cases.csv")).unwrap();
    assert!(
        cases.count() > 50 && cases.against(&delivered(), noon()).unwrap().is_empty(),
        "the folder that is delivered"
    );
    let folder = tempfile::tempdir().unwrap();
    assert!(cases.against(folder.path(), noon()).is_err(), "no policies");
    let all = "@id(\"all\") @doc(\"a\") @doc_zh(\"甲\")\npermit (principal, action, resource);\n";
    fs::write(folder.path().join("all.cedar"), all).unwrap();
    let lines = "guard,fz,fz,gate.check,,,deny,,Nobody at the gate\n\
                 laboratory,fz,fz,health.read,,,deny,limits.laboratory,Never people\n\
                 guard,fz,,gate.read,,,allow,other,By another policy\n\
                 guard,fz,,gate.read,,,allow,,By any policy\n";
    let cases = parse(lines).unwrap();
    let differences = cases.against(folder.path(), noon()).unwrap();
    assert_eq!(
        told(&differences),
        ["2: allow all, not deny", "4: allow all, not allow other"]
    );
}

#[test]
fn a_case_that_names_no_time_is_asked_at_the_time_of_the_trial() {
    let until = noon().timestamp();
    let text = format!(
        "@id(\"a\") @doc(\"a\") @doc_zh(\"甲\")\n\
         permit (principal, action, resource) when {{ context.now < {until} }};"
    );
    let file = "city.cedar".to_owned();
    let policies = Policies::read(&[Source { file, text }]).unwrap();
    let lines = "guard,fz,fz,gate.check,,,allow,a,While it lasts\n\
                 guard,fz,fz,gate.check,,2022-04-07T11:59:59+08:00,allow,a,A second before noon\n\
                 guard,fz,fz,gate.check,,2022-04-07T12:00:00+08:00,deny,,At noon\n";
    let cases = parse(lines).unwrap();
    let before = cases.differences(&policies, noon() - chrono::Duration::seconds(1));
    assert_eq!(told(&before), Vec::<String>::new());
    let after = cases.differences(&policies, noon());
    assert_eq!(told(&after), ["2: deny, not allow a"]);
    assert_eq!(after[0].answer, PolicyAnswer::default());
}

#[test]
fn what_is_no_case_is_told_with_its_line() {
    let good = "guard,fz,fz,gate.check,,,allow,,Because\n";
    for (wrong, what) in [
        (
            "gaurd,fz,fz,gate.check,,,allow,,Because",
            "roles: \"gaurd\" is not known",
        ),
        (
            "guard,FZ,fz,gate.check,,,allow,,Because",
            "scope: \"FZ\" is no place",
        ),
        (
            "guard,fz,f z,gate.check,,,allow,,Because",
            "place: \"f z\" is no place",
        ),
        (
            "guard,fz,fz,gate.chek,,,allow,,Because",
            "permission: \"gate.chek\" is not known",
        ),
        (
            "guard,fz,fz,gate.check,fun,,allow,,Because",
            "purpose: \"fun\" is not known",
        ),
        (
            "guard,fz,fz,gate.check,,noon,allow,,Because",
            "time: not as 2022-04-07T08:00:00+08:00",
        ),
        (
            "guard,fz,fz,gate.check,,,maybe,,Because",
            "answer: \"maybe\" is neither allow nor deny",
        ),
        ("guard,fz,fz,gate.read,,,allow,,", "why: a case says why"),
        ("guard,fz,fz,gate.read", "4 cells under 9 headings"),
    ] {
        for end in ["\n", "\r\n", "\n\n"] {
            let lines = format!("{good}{wrong}{end}{good}").replace('\n', end);
            let text = format!("{HEADINGS}{lines}").replace("\r\r\n", "\r\n");
            let told = PolicyCases::parse("cases.csv", &text).unwrap_err();
            let line = text[..text.find(wrong).unwrap()].matches('\n').count() + 1;
            let place = format!("cases.csv:{line}: {what}");
            assert!(told.to_string().starts_with(&place), "{told}, not {place}");
        }
    }
    assert_eq!(parse("").unwrap_err(), "cases.csv:1: no case");
    let marked =
        "roles,scope,place,permission,second_factor,answer,why\nguard,fz,fz,gate.check,y,allow,A\n";
    let told = PolicyCases::parse("cases.csv", marked).unwrap_err();
    assert!(
        told.to_string().contains("second_factor: \"y\" is neither"),
        "{told}"
    );
    let other =
        "roles,scope,place,permission,answer,why,porpose\nguard,fz,fz,gate.check,allow,A,care\n";
    let told = PolicyCases::parse("cases.csv", other).unwrap_err();
    assert!(told.to_string().contains("porpose"), "{told}");
}

#[test]
fn what_a_spreadsheet_saves_is_read() {
    let text = "\u{feff}roles,scope,place,permission,answer,why\r\n\
                \"guard principal\",fz,,gate.check,deny,\"Never, not \"\"once\"\"\"\r\n";
    let cases = PolicyCases::parse("cases.csv", text).unwrap();
    let [case] = cases.all() else {
        panic!("{cases:?}")
    };
    assert_eq!((case.line, case.caller.roles.len()), (2, 2));
    assert!(case.place.is_root());
    assert_eq!(case.why, "Never, not \"once\"");
}
