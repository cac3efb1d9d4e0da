use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::super::template::{RenderedText, Unfit, Variable, Variant};
use super::*;

fn variable(name: &str, holds: Type, example: &str) -> Variable {
    Variable {
        name: name.to_owned(),
        holds,
        example: example.to_owned(),
    }
}

fn text(language: Language, variant: Variant, title: &str, body: &str) -> Text {
    Text {
        language,
        variant,
        title: title.to_owned(),
        body: body.to_owned(),
    }
}

/// A template with one variable of each type.
fn every_type() -> Template {
    Template {
        id: "every-type".to_owned(),
        description: "各类变量".to_owned(),
        variables: vec![
            variable("what", Type::Text, "台风"),
            variable("count", Type::Count, "1"),
            variable("day", Type::Day, "2022-04-06"),
            variable("at", Type::Instant, "2022-04-06T01:30:00Z"),
            variable("school", Type::Organization, "organizations/2135010001"),
        ],
        texts: vec![
            text(
                Language::Chinese,
                Variant::Standard,
                "{ $school }：{ $what }",
                "共 { $count } 项。\n自{ $day }起，{ $at }前办理。",
            ),
            text(
                Language::English,
                Variant::Standard,
                "{ $school }: { $what }",
                "{ $count ->\n [one] One thing\n *[other] { $count } things\n} from { $day }, by { $at }.",
            ),
            text(
                Language::Chinese,
                Variant::Plain,
                "{ $what }",
                "{ $school }有 { $count } 件事。{ $day }开始。{ $at }前做完。",
            ),
        ],
    }
}

fn filled(given: &[(&str, &str)]) -> Values {
    let template = every_type();
    let mut values = template.examples();
    values.extend(
        given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let display = |id: &str| (id == "2135010001").then(|| "某某小学".to_owned());
    template.values(&values, display).unwrap()
}

#[test]
fn texts_are_filled_as_their_language_writes() {
    let template = every_type();
    assert_eq!(template.faults(), []);
    let [zh, en, plain] = &template.render_all(&filled(&[]))[..] else {
        panic!("three texts")
    };
    assert_eq!(
        (&*zh.title, &*zh.body),
        (
            "某某小学：台风",
            "共 1 项。\n自2022年4月6日起，2022年4月6日 09:30前办理。"
        )
    );
    assert_eq!(
        (&*en.title, &*en.body),
        (
            "某某小学: 台风",
            "One thing from 6 April 2022, by 6 April 2022, 09:30."
        )
    );
    assert!(plain.body.starts_with("某某小学有 1 件事。"));
    let many = filled(&[("count", "12000"), ("school", "organizations/other")]);
    let en = template.render(Language::English, false, &many).unwrap();
    assert!(en.body.starts_with("12000 things"), "{}", en.body);
    assert!(en.title.starts_with("organizations/other: "));
}

#[test]
fn a_reader_gets_the_language_first_and_then_the_speech() {
    let template = every_type();
    let chosen = |template: &Template, language, plain| {
        let RenderedText {
            language, variant, ..
        } = template.render(language, plain, &filled(&[])).unwrap();
        (language, variant)
    };
    let (zh, en) = (Language::Chinese, Language::English);
    assert_eq!(chosen(&template, zh, true), (zh, Variant::Plain));
    assert_eq!(chosen(&template, zh, false), (zh, Variant::Standard));
    assert_eq!(chosen(&template, en, true), (en, Variant::Standard));
    let mut chinese = template.clone();
    chinese.texts.remove(1);
    assert_eq!(chosen(&chinese, en, true), (zh, Variant::Plain));
    chinese.texts.remove(0);
    assert_eq!(chosen(&chinese, en, false), (zh, Variant::Plain));
    chinese.texts.clear();
    assert_eq!(chinese.render(zh, false, &filled(&[])), None);
}

#[test]
fn values_are_those_of_the_template() {
    let template = every_type();
    let unfit = |name: &str, value: Option<&str>| {
        let mut values = template.examples();
        match value {
            Some(value) => values.insert(name.to_owned(), value.to_owned()),
            None => values.remove(name),
        };
        template.values(&values, |_| None).unwrap_err()
    };
    for (name, value) in [
        ("what", None),
        ("other", Some("x")),
        ("what", Some(" ")),
        ("what", Some("a\nb")),
        ("what", Some(&*"长".repeat(201))),
        ("count", Some("1.5")),
        ("count", Some("1000000000000000")),
        ("count", Some("-9223372036854775808")),
        ("day", Some("2022-4-6")),
        ("day", Some("2022-02-30")),
        ("day", Some("0001-01-01")),
        ("at", Some("2022-04-06")),
        (
            "school",
            Some("students/00000000-0000-0000-0000-000000000001"),
        ),
    ] {
        assert_eq!(unfit(name, value), Unfit(name.to_owned()), "{value:?}");
    }
    assert_eq!(template.organizations(&template.examples()), ["2135010001"]);
}

/// The fields and the English words of what is wrong.
fn wrong(template: &Template) -> Vec<(String, String)> {
    let faults = template.faults();
    assert!(faults.iter().all(|fault| !fault.zh.is_ascii()));
    faults
        .into_iter()
        .map(|fault| (fault.field, fault.en))
        .collect()
}

#[test]
fn every_fault_of_a_template_is_named() {
    let template = Template {
        variables: vec![
            variable("Count", Type::Count, "1"),
            variable("day", Type::Day, "soon"),
            variable("day", Type::Day, "2022-04-06"),
        ],
        texts: vec![
            text(Language::English, Variant::Standard, "a\nb", "{ $x"),
            text(
                Language::English,
                Variant::Standard,
                "{ $day }",
                "{ $later }",
            ),
        ],
        ..every_type()
    };
    let pairs: Vec<_> = wrong(&template);
    let pairs: Vec<_> = pairs.iter().map(|(field, en)| (&**field, &**en)).collect();
    let expected = [
        (
            "variables[0].name",
            "1 to 40 of `a-z`, `0-9` and `_`, beginning with a letter",
        ),
        ("variables[1].example", "not of the type"),
        ("variables[2].name", "comes twice"),
        ("texts[0].title", "one line of 1 to 100 characters"),
        ("texts[0].body", "not a Fluent pattern"),
        ("texts[1].variant", "one for each language and variant"),
        ("texts[1]", "variable later is not declared"),
        ("texts[1]", "variable Count is not used"),
        ("texts", "a text in zh-CN is required"),
    ];
    assert_eq!(pairs, expected);
}

#[test]
fn patterns_that_some_values_could_not_fill_are_refused() {
    let with = |body: &str| {
        let template = Template {
            variables: vec![
                variable("n", Type::Count, "1"),
                variable("t", Type::Text, "x"),
            ],
            texts: vec![text(
                Language::Chinese,
                Variant::Standard,
                "{ $n }{ $t }",
                body,
            )],
            ..every_type()
        };
        wrong(&template)
            .into_iter()
            .map(|(_, en)| en)
            .collect::<Vec<_>>()
    };
    let syntax = "not a Fluent pattern";
    let number = "NUMBER takes one variable that is a count, and arguments that it knows";
    let deep = format!("{}$n{}", "{".repeat(2000), "}".repeat(2000));
    let calls = format!("{{ {} }}", "NUMBER(".repeat(600));
    for (body, en) in [
        ("{ $n", syntax),
        ("} x", syntax),
        (".attribute = x", syntax),
        ("x\n.attribute = x", syntax),
        ("[one] x", syntax),
        ("{ $n ->\n [one] x\n}", syntax),
        ("{ DATETIME($t) }", "no function but NUMBER may be used"),
        ("{ body }", "no other message or term may be referred to"),
        ("{ -term }", "no other message or term may be referred to"),
        ("{ NUMBER($t) }", number),
        ("{ NUMBER($n, minimumFractionDigits: 1000000) }", number),
        ("{ NUMBER($n, currency: \"CNY\") }", number),
        ("{ NUMBER(7) }", number),
        ("{ 1234567890.1234567 }", "a number is too long"),
        (
            "{ $n ->\n [99999999999999999999] x\n *[other] y\n}",
            "a number is too long",
        ),
        ("{ \"\\u0000\" }", "a control character"),
        ("{ \"\" }", "cannot be filled with the examples"),
        (&deep, "more than 100 placeables or brackets"),
        (&calls, "more than 100 placeables or brackets"),
        (
            "",
            "1 to 5000 characters, no control characters but ends of lines",
        ),
    ] {
        assert_eq!(with(body), [en], "{body}");
    }
    for body in [
        "{ NUMBER($n, minimumFractionDigits: 9) }",
        "{ NUMBER($n, type: \"ordinal\") ->\n [one] 1st\n *[other] x\n}",
        "{ $t ->\n [x] { $n }\n *[y] { \"{\" }\n}",
        "第一行\n\n  第二行\n{ \"[\" }x]",
    ] {
        assert_eq!(with(body), Vec::<String>::new(), "{body}");
    }
}

/// A text value of everything that a pattern could make something of.
fn odd_text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "{ $x }",
        "{ $what }",
        "{",
        "}",
        "{ body }",
        "{ -t }",
        "\\u0041",
        "\"",
        ".a = b",
        "[one]",
        "*",
        "{ NUMBER(1) }",
        "->",
        "#",
        "\u{2068}",
        "\u{202e}",
        "台风",
        "a b",
        "=",
    ]);
    prop::collection::vec(pieces, 1..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Any values of the right types fill every text, and come out as they went in.
    #[test]
    fn any_values_fill_and_none_injects(
        what in odd_text(),
        shown in odd_text(),
        count in -999_999_999_999_999..=999_999_999_999_999_i64,
        seconds in -2_000_000_000..4_000_000_000_i64,
    ) {
        let template = every_type();
        let at = DateTime::<Utc>::from_timestamp(seconds, 0).unwrap();
        let mut given = template.examples();
        given.insert("what".to_owned(), what.clone());
        given.insert("count".to_owned(), count.to_string());
        given.insert("day".to_owned(), at.date_naive().to_string());
        given.insert("at".to_owned(), at.to_rfc3339());
        let values = template.values(&given, |_| Some(shown.clone())).unwrap();
        for text in &template.texts {
            let (read, whole) = text.fill(&values);
            prop_assert!(whole);
            let marked = read.body.contains('\u{2069}');
            prop_assert!(!marked);
        }
        let title = format!("{shown}: {what}");
        prop_assert_eq!(template.render(Language::English, true, &values).unwrap().title, title);
        let body = template.render(Language::Chinese, false, &values).unwrap().body;
        let beginning = format!("共 {count} 项。");
        prop_assert!(body.starts_with(&beginning));
    }

    /// Whatever is saved is refused or filled, and nothing panics.
    #[test]
    fn any_pattern_is_refused_or_filled(body in "[{}$\\[\\]*.\"\\\\nt>=\\- (),:1-9NUMBER\n]{0,60}", count in any::<i32>()) {
        let template = Template {
            variables: vec![variable("n", Type::Count, "1")],
            texts: vec![text(Language::Chinese, Variant::Standard, "{ $n }", &body)],
            ..every_type()
        };
        if template.faults().is_empty() {
            let given = [("n".to_owned(), count.to_string())].into();
            let values = template.values(&given, |_| None).unwrap();
            prop_assert!(template.texts[0].fill(&values).1);
        }
    }
}
