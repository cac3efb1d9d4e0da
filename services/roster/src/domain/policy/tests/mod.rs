mod check;
mod difference;
mod document;
mod floor;
mod load;
mod version;

use std::sync::LazyLock;

use super::*;

fn fuzhou() -> Profile {
    static PROFILE: LazyLock<Profile> =
        LazyLock::new(|| read(SHIPPED[0]).expect("it can be read").profile);
    PROFILE.clone()
}

fn word(text: &str) -> Value {
    Value::Word(text.to_owned())
}

fn hours(hours: i64) -> Value {
    Value::Span(chrono::TimeDelta::hours(hours))
}

/// Puts `value` into a record of a list.
fn set_in(profile: &mut Profile, list: &str, place: usize, name: &str, value: Value) {
    let Some(Value::List(mut items)) = profile.take(list) else {
        panic!("{list} is no list")
    };
    let Some(Value::Record(record)) = items.get_mut(place) else {
        panic!("{list}[{place}] is no record")
    };
    record.insert(name.to_owned(), value);
    profile.set(list, Value::List(items));
}

fn edit(profile: &mut Profile, list: &str, change: impl FnOnce(&mut Vec<Value>)) {
    let Some(Value::List(mut items)) = profile.take(list) else {
        panic!("{list} is no list")
    };
    change(&mut items);
    profile.set(list, Value::List(items));
}
