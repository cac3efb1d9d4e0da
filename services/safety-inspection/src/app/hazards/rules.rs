//! The rules by which hazards are major, as they ship.

use std::sync::LazyLock;

use crate::domain::hazard::major::RuleBook;

const TABLE: &str = include_str!("../../../data/hazard-major-rules.toml");

static BOOK: LazyLock<Result<RuleBook, String>> = LazyLock::new(|| RuleBook::parse(TABLE));
static EMPTY: LazyLock<RuleBook> = LazyLock::new(RuleBook::default);

/// The rules that ship.
///
/// # Errors
/// When the table is malformed; a service does not start then.
pub(crate) fn rule_book() -> Result<&'static RuleBook, &'static str> {
    BOOK.as_ref().map_err(String::as_str)
}

/// The same, once the service has started.
pub(in crate::app) fn shipped() -> &'static RuleBook {
    rule_book().unwrap_or(&EMPTY)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::domain::hazard::major::{Fact, Value};
    use crate::domain::organization::Kind;

    fn hits(kind: Kind, facts: &[(&str, Value)], day: (i32, u32, u32)) -> Vec<String> {
        let facts = facts.iter().map(|(key, value)| Fact {
            key: (*key).to_owned(),
            value: *value,
        });
        let facts: Vec<Fact> = facts.collect();
        let day = NaiveDate::from_ymd_opt(day.0, day.1, day.2).unwrap();
        rule_book().unwrap().hits(kind, &facts, day)
    }

    /// Golden test T14, by the city's table and by the ministry's guide.
    #[test]
    fn a_kindergarten_on_floor_four_is_major() {
        let on = |kind, floor, day| hits(kind, &[("floor", Value::Number(floor))], day);
        let before = (2022, 4, 6);
        let since = (2024, 6, 24);
        assert_eq!(on(Kind::Kindergarten, 4, before), ["fz-2022-fire-03"]);
        assert_eq!(
            on(Kind::Kindergarten, 4, (2024, 6, 23)),
            ["fz-2022-fire-03"]
        );
        assert_eq!(on(Kind::Kindergarten, 4, since), ["moe-2024-fire-04"]);
        assert_eq!(on(Kind::Kindergarten, 0, since), ["moe-2024-fire-03"]);
        let none: [&str; 0] = [];
        assert_eq!(on(Kind::Kindergarten, 3, since), none);
        assert_eq!(on(Kind::School, 4, since), none);
        assert_eq!(on(Kind::Kindergarten, 4, (2021, 12, 31)), none);
    }

    #[test]
    fn every_example_of_the_rule_book_hits_and_its_absence_does_not() {
        let yes = Value::Flag(true);
        let examples: &[&[(&str, Value)]] = &[
            &[("no_fire_responsibility", yes)],
            &[("dormitory", yes), ("floor", Value::Number(-1))],
            &[("dormitory", yes), ("semi_basement", yes)],
            &[("combustible_panels", yes)],
            &[("fire_alarm_failed", yes)],
            &[("sprinkler_failed", yes)],
            &[("hydrant_failed", yes)],
            &[("dormitory", yes), ("no_smoke_detector", yes)],
            &[("hot_work_without_permit", yes)],
            &[("electric_bicycle_indoors", yes)],
            &[("flying_wires", yes)],
            &[("no_fire_approval", yes)],
            &[("exits_insufficient", yes)],
            &[("exit_width_percent", Value::Number(79))],
            &[("windows_blocked", yes)],
        ];
        for facts in examples {
            let found = hits(Kind::School, facts, (2024, 9, 1));
            assert_eq!(found.len(), 1, "{facts:?}");
            let last = &facts[..facts.len() - 1];
            assert!(
                hits(Kind::School, last, (2024, 9, 1)).is_empty(),
                "{facts:?}"
            );
        }
        let wide = [("exit_width_percent", Value::Number(80))];
        assert!(hits(Kind::School, &wide, (2024, 9, 1)).is_empty());
        let denied = [("flying_wires", Value::Flag(false))];
        assert!(hits(Kind::School, &denied, (2024, 9, 1)).is_empty());
    }

    /// A checklist names what rules are about, and the rule of the day is meant.
    #[test]
    fn checklists_name_rules_that_there_are() {
        let book = rule_book().unwrap();
        let mut named = 0;
        for list in crate::domain::checklist::shipped::checklists().unwrap() {
            let major = list.content.items.into_iter();
            for item in major.filter(|item| !item.major_rule.is_empty()) {
                let (list, rule) = (&list.id.code, &item.major_rule);
                assert!(book.knows(rule), "{list} {}: {rule}", item.code);
                named += 1;
            }
        }
        assert!(named > 0);
        let about = |topic, kind, day: (i32, u32, u32)| {
            let day = NaiveDate::from_ymd_opt(day.0, day.1, day.2).unwrap();
            book.about(topic, kind, day)
        };
        let (before, since) = ((2022, 4, 6), (2024, 6, 24));
        let floor = "fire-kindergarten-floor";
        assert_eq!(
            about(floor, Kind::Kindergarten, before),
            ["fz-2022-fire-03"]
        );
        assert_eq!(
            about(floor, Kind::Kindergarten, since),
            ["moe-2024-fire-04"]
        );
        assert!(about(floor, Kind::School, since).is_empty());
        let panels = about("fire-sandwich-panels", Kind::School, before);
        assert_eq!(panels, ["gb-2017-fire-01"]);
        assert!(about("fire-e-bikes", Kind::School, before).is_empty());
        assert_eq!(about("own-rule", Kind::School, before), ["own-rule"]);
    }

    #[test]
    fn a_malformed_table_names_the_rule() {
        let fact = "[[facts]]\nkey = \"floor\"\ntext = \"floor\"\nnumeric = true\n";
        let rule = |when: &str| {
            format!(
                "{fact}[[rules]]\ncode = \"a\"\ncategory = 1\ntext = \"t\"\nsource = \"s\"\n\
                 effective = \"2024-01-01\"\nwhen = {when}\n"
            )
        };
        let wrong = |when: &str| RuleBook::parse(&rule(when)).unwrap_err();
        assert!(RuleBook::parse(&rule("[[{ fact = \"floor\", below = 1 }]]")).is_ok());
        assert_eq!(wrong("[]"), "rule a: asks for nothing");
        assert_eq!(
            wrong("[[{ fact = \"floor\", is = true }]]"),
            "rule a: floor is no such fact"
        );
        assert_eq!(
            wrong("[[{ fact = \"floor\" }]]"),
            "rule a: floor needs exactly one test"
        );
        let text = rule("[[{ fact = \"floor\", below = 1 }]]");
        let (facts, rules) = text.split_at(fact.len());
        let twice = RuleBook::parse(&format!("{facts}{rules}{rules}"));
        assert_eq!(twice.unwrap_err(), "rule a stands twice");
    }
}
