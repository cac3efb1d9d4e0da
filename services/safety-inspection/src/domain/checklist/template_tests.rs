use proptest::prelude::*;

use super::*;
use crate::domain::checklist::item::Kind;
use crate::domain::checklist::item::tests::item;

fn template(id: &str, org_path: &str, codes: &[&str]) -> Template {
    Template {
        id: id.parse().unwrap(),
        org_path: org_path.to_owned(),
        state: State::Published,
        extended: None,
        content: Content {
            display_name: "检查表".to_owned(),
            place_kinds: [PlaceKind::School].into(),
            category: Category::Fire,
            items: codes.iter().map(|code| item(code, Kind::YesNo)).collect(),
        },
    }
}

#[test]
fn exactly_the_legal_moves_are_taken() {
    for state in State::ALL {
        for verb in Verb::ALL {
            let to = match (state, verb) {
                (State::Draft, Verb::Change) => Ok(State::Draft),
                (State::Draft, Verb::Publish) => Ok(State::Published),
                (State::Published, Verb::Retire) => Ok(State::Retired),
                _ => Err(*state),
            };
            assert_eq!(state.after(verb), to, "{state:?} {verb:?}");
        }
    }
}

#[test]
fn ids_are_read_back_and_nothing_else_is_one() {
    for text in ["fire~1", "fz~fire~12", "2135010001~a-b~3"] {
        let id: TemplateId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
    }
    let id: TemplateId = "fz~fire~12".parse().unwrap();
    assert_eq!((id.line().as_str(), id.version), ("fz~fire", 12));
    for text in [
        "",
        "fire",
        "fire~0",
        "fire~01",
        "fire~-1",
        "~fire~1",
        "a~b~c~1",
        "fire~9999999999",
        "火~1",
    ] {
        assert_eq!(text.parse::<TemplateId>(), Err(()), "{text}");
    }
}

#[test]
fn additions_come_from_below_and_repeat_nothing() {
    let city = template("fz~fire~1", "fz", &["exits", "panels"]);
    let school = template("s~more~1", "fz/d/s", &["attic"]);
    assert_eq!(school.adds_to(&city), Ok(()));
    let shipped = template("fire~1", "", &["exits"]);
    assert_eq!(school.adds_to(&shipped), Ok(()));
    let again = template("s~more~1", "fz/d/s", &["attic", "exits"]);
    let repeated = Unaddable::Repeated("exits".to_owned());
    assert_eq!(again.adds_to(&city), Err(repeated));
    for org_path in ["fz", "fzx/d", "other/d"] {
        let beside = template("s~more~1", org_path, &["attic"]);
        let refused = Unaddable::NotAbove(city.id.clone());
        assert_eq!(beside.adds_to(&city), Err(refused), "{org_path}");
    }
    for state in [State::Draft, State::Retired] {
        let base = Template {
            state,
            ..city.clone()
        };
        let refused = Unaddable::NotInForce(base.id.clone());
        assert_eq!(school.adds_to(&base), Err(refused));
    }
    let addition = Template {
        extended: Some(shipped.id.clone()),
        ..city.clone()
    };
    let refused = Unaddable::Addition(city.id.clone());
    assert_eq!(school.adds_to(&addition), Err(refused));
}

proptest! {
    /// Whatever districts and schools add, no item of the list is lost or changed.
    #[test]
    fn additions_never_remove_or_weaken(
        base in proptest::collection::btree_set("[a-d]", 1..4),
        added in proptest::collection::vec(proptest::collection::btree_set("[a-h]", 0..5), 0..4),
    ) {
        let codes = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
        let of = |id: &str, codes: &[String]| {
            template(id, "fz/d", &codes.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let list = of("fire~1", &codes(&base));
        let additions: Vec<Template> = (1..)
            .zip(&added)
            .map(|(number, set)| {
                let mut addition = of(&format!("s{number}~more~1"), &codes(set));
                for item in &mut addition.content.items {
                    item.weight = 1;
                }
                addition
            })
            .collect();
        let day = NaiveDate::from_ymd_opt(2022, 4, 6).unwrap();
        let all = entries(&list, &additions, day);
        let own: Vec<_> = all.iter().take(base.len()).map(|entry| entry.item.clone()).collect();
        prop_assert_eq!(own, list.content.items);
        let ids: BTreeSet<_> = all.iter().map(|entry| entry.id.as_str()).collect();
        prop_assert_eq!(ids.len(), all.len(), "each entry is told apart");
        let new: usize = added.iter().map(|set| set.difference(&base).count()).sum();
        prop_assert_eq!(all.len(), base.len() + new);
    }
}

#[test]
fn an_item_is_looked_at_from_the_day_of_its_law() {
    let mut list = template("fire~1", "", &["old", "new"]);
    let day = NaiveDate::from_ymd_opt(2022, 6, 1).unwrap();
    list.content.items[1].clause.effective = day;
    let on = |day| entries(&list, &[], day).len();
    assert_eq!((on(day.pred_opt().unwrap()), on(day)), (1, 2));
}
