//! What a page of OpenMetrics must be, line by line.

use std::collections::BTreeMap;

/// The families of a page, each with its kind.
///
/// # Panics
/// When a line is not one of OpenMetrics.
pub(crate) fn families(page: &str) -> BTreeMap<String, String> {
    let lines = page.strip_suffix("# EOF\n").expect("it says that it ends");
    let mut families = BTreeMap::new();
    let (mut name, mut kind) = ("", "");
    for line in lines.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            (name, kind) = family.split_once(' ').expect("a family has a kind");
            let before = families.insert(name.to_owned(), kind.to_owned());
            assert_eq!(before, None, "{name} stands twice");
        } else if let Some(help) = line.strip_prefix("# HELP ") {
            let (of, words) = help.split_once(' ').expect("words of a family");
            assert!(of == name && !words.is_empty(), "{line}");
        } else {
            sample(line, name, kind);
        }
    }
    families
}

fn sample(line: &str, family: &str, kind: &str) {
    let (sample, exemplar) = match line.split_once(" # ") {
        Some((sample, exemplar)) => (sample, Some(exemplar)),
        None => (line, None),
    };
    let (series, value) = sample.rsplit_once(' ').expect("a series has a value");
    value.parse::<f64>().expect("a number");
    let name = series.split_once('{').map_or(series, |(name, _)| name);
    let end = name.strip_prefix(family);
    let ends: &[&str] = match kind {
        "counter" => &["_total"],
        "gauge" => &[""],
        "histogram" => &["_bucket", "_sum", "_count"],
        _ => panic!("{family}: {kind}"),
    };
    assert!(end.is_some_and(|end| ends.contains(&end)), "{line}");
    let Some(exemplar) = exemplar else {
        return;
    };
    assert_eq!(end, Some("_bucket"), "{line}");
    let (labels, measured) = exemplar.split_once("} ").expect("labels end");
    let trace = labels.strip_prefix("{trace_id=\"");
    let trace = trace.and_then(|trace| trace.strip_suffix('"'));
    assert_eq!(trace.map(str::len), Some(32), "{line}");
    let (seconds, time) = measured.split_once(' ').expect("when it was");
    let seconds: f64 = seconds.parse().expect("a number");
    let bound = series.rsplit_once("le=\"").expect("a bound").1;
    let bound: f64 = bound.trim_end_matches("\"}").parse().expect("a number");
    assert!(seconds <= bound, "{line}");
    assert!(time.parse::<f64>().expect("seconds") > 1e9, "{line}");
}
