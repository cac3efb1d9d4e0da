use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::domain::policy::value::{span, span_text};

#[test]
fn the_shipped_profiles_have_their_names_and_days() {
    let heads = SHIPPED.map(|text| {
        let document = read(text).expect("it can be read");
        (document.name, document.effective_date.to_string())
    });
    let head = |name: &str, day: &str| (name.to_owned(), day.to_owned());
    assert_eq!(
        heads,
        [
            head("fuzhou-2022-04", "2022-04-01"),
            head("multi-disease-routine", "2023-01-08")
        ]
    );
}

#[test]
fn the_profile_of_fuzhou_has_the_defaults_of_the_rule_book() {
    let profile = fuzhou();
    let texts: Vec<String> = [
        "gate.temperature_max_tenths",
        "gate.deny_colours",
        "sampling.student_ratio_basis_points",
        "sampling.cycle_days",
        "pool.pool_type",
        "tube.max_to_laboratory",
        "tube.positive_notify",
        "return_to_school.rules",
        "audit.retention_days",
    ]
    .map(|key| profile.get(key).map(Value::to_string).unwrap_or_default())
    .to_vec();
    let varicella = "{basis = ONSET, disease = VARICELLA, evidence = [LESIONS_CRUSTED], \
                     evidence_suffices = false, hospital_proof_waived = false, period = 14d, \
                     source = 水痘防控公开资料（csmpv）：皮疹全部结痂、干燥，且自发病起不少于14天}";
    assert!(texts[7].contains(varicella), "{}", texts[7]);
    let short: Vec<&str> = texts
        .iter()
        .map(|text| &**text)
        .filter(|t| t.len() < 40)
        .collect();
    let expected = [
        "373",
        "[RED, YELLOW, UNKNOWN]",
        "2000",
        "5",
        "P10",
        "4h",
        "10m",
        "180",
    ];
    assert_eq!(short, expected);
}

#[test]
fn a_document_without_head_or_with_a_strange_value_is_refused() {
    let head = "profile = \"x\"\ndisplay_name = \"x\"\neffective_date = 2022-04-01\n";
    assert!(read(head).is_ok());
    assert!(matches!(read("profile ="), Err(Unreadable::Form(_))));
    let without = read("profile = \"x\"\ndisplay_name = \"x\"\n");
    assert!(matches!(without, Err(Unreadable::Head("effective_date"))));
    let timed = read(&head.replace("2022-04-01", "2022-04-01T08:00:00"));
    assert!(matches!(timed, Err(Unreadable::Head("effective_date"))));
    let refused = read(&format!("{head}[sampling]\nratio = 0.2")).expect_err("no fractions");
    assert_eq!(
        refused.to_string(),
        "`sampling.ratio` has a value that no policy has"
    );
}

#[test]
fn a_misspelt_key_of_a_document_is_named() {
    let text = SHIPPED[0].replace("cycle_days", "cycle_day");
    let profile = read(&text).expect("it can be read").profile;
    let paths: Vec<_> = violations(&profile).into_iter().map(|v| v.path).collect();
    assert_eq!(paths, ["sampling.cycle_day", "sampling.cycle_days"]);
}

#[test]
fn spans_read_in_their_largest_whole_unit() {
    let texts = ["0s", "90s", "15m", "24h", "48h", "72h", "14d"];
    for text in texts {
        assert_eq!(span(text).map(span_text).as_deref(), Some(text));
    }
    assert_eq!(span("60m").map(span_text).as_deref(), Some("1h"));
    for text in [
        "",
        "h",
        "15",
        "-15m",
        "1.5h",
        "15 m",
        "m15",
        "99999999999999999999h",
        "2015",
    ] {
        assert_eq!(span(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn a_span_is_read_as_it_is_written(seconds in 0i64..100_000_000) {
        let written = TimeDelta::seconds(seconds);
        prop_assert_eq!(span(&span_text(written)), Some(written));
    }

    #[test]
    fn no_text_makes_reading_panic(text in "\\PC{0,200}") {
        let _ = span(&text);
        prop_assert!(read(&text).is_err());
    }
}
