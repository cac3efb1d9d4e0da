//! Chinese names: those of methods are put together from a list of verbs and nouns, all others stand in lists.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What an enum's value is called that says nothing.
const UNSPECIFIED: &str = "未指定";

type List = BTreeMap<String, String>;

/// The words. They are part of the program, so a test sees that they can be read and that nothing
/// of the contracts is without a name.
#[derive(Debug, Default)]
pub(crate) struct Words {
    names: Names,
    /// By their names alone; what is called otherwise in one message, after that message as well.
    fields: List,
    /// Messages and enums, by what follows their package.
    messages: List,
    /// Values of enums, as fields are.
    values: List,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    services: List,
    verbs: List,
    nouns: List,
    methods: List,
}

impl Words {
    pub(crate) fn read() -> Option<Self> {
        Some(Self {
            names: list(include_str!("chinese/names.toml"))?,
            fields: list(include_str!("chinese/fields.toml"))?,
            messages: list(include_str!("chinese/messages.toml"))?,
            values: list(include_str!("chinese/values.toml"))?,
        })
    }

    /// The name of a service.
    pub(crate) fn service(&self, service: &str) -> Option<&str> {
        self.names.services.get(service).map(String::as_str)
    }

    /// The name of a method: one of its own, or its verb and its noun.
    pub(crate) fn method(&self, service: &str, method: &str) -> Option<String> {
        let methods = &self.names.methods;
        let own = methods
            .get(&format!("{service}.{method}"))
            .or_else(|| methods.get(method));
        if let Some(own) = own {
            return Some(own.clone());
        }
        let end = method.get(1..)?.find(char::is_uppercase)? + 1;
        let (verb, noun) = method.split_at(end);
        Some(format!(
            "{}{}",
            self.names.verbs.get(verb)?,
            self.noun(noun)?
        ))
    }

    /// The label of a message or an enum.
    pub(crate) fn message(&self, package: &str, full_name: &str) -> Option<&str> {
        let name = within(package, full_name)?;
        self.messages.get(name).map(String::as_str)
    }

    /// The label of a field of a message.
    pub(crate) fn field(&self, package: &str, message: &str, field: &str) -> Option<&str> {
        of_owner(&self.fields, within(package, message)?, field)
    }

    /// The label of a value of an enum.
    pub(crate) fn value(&self, package: &str, values: &str, value: &str) -> Option<&str> {
        let own = of_owner(&self.values, within(package, values)?, value);
        own.or_else(|| value.ends_with("_UNSPECIFIED").then_some(UNSPECIFIED))
    }

    /// The noun that a part of a path stands for, such as `classGroup`.
    pub(crate) fn segment(&self, name: &str) -> Option<&str> {
        let (first, rest) = name.split_at_checked(1)?;
        self.noun(&format!("{}{rest}", first.to_ascii_uppercase()))
    }

    fn noun(&self, noun: &str) -> Option<&str> {
        let singular = noun
            .strip_suffix("ies")
            .map(|stem| format!("{stem}y"))
            .or_else(|| {
                let stem = noun.strip_suffix("es")?;
                stem.ends_with(['s', 'h', 'x']).then(|| stem.to_owned())
            });
        let known = |name: &str| self.names.nouns.get(name).map(String::as_str);
        known(noun)
            .or_else(|| known(&singular?))
            .or_else(|| known(noun.strip_suffix('s')?))
    }
}

fn list<T: DeserializeOwned>(text: &str) -> Option<T> {
    toml::from_str(text).ok()
}

/// What follows the package.
fn within<'n>(package: &str, full_name: &'n str) -> Option<&'n str> {
    full_name.strip_prefix(package)?.strip_prefix('.')
}

/// What a list says of something of `owner`, or of everything that is named so.
fn of_owner<'l>(list: &'l List, owner: &str, name: &str) -> Option<&'l str> {
    let own = list.get(&format!("{owner}.{name}"));
    own.or_else(|| list.get(name)).map(String::as_str)
}

#[cfg(test)]
impl Words {
    /// The labels of what no contract of `pool` has any more.
    pub(crate) fn unused(&self, pool: &prost_reflect::DescriptorPool) -> Vec<String> {
        let mut known = std::collections::BTreeSet::new();
        let messages = pool.all_messages().map(|message| {
            let names = message.fields().map(|field| field.name().to_owned());
            let own = (
                message.package_name().to_owned(),
                message.full_name().to_owned(),
            );
            (own, names.collect::<Vec<_>>())
        });
        let enums = pool.all_enums().map(|values| {
            let names = values.values().map(|value| value.name().to_owned());
            let own = (
                values.package_name().to_owned(),
                values.full_name().to_owned(),
            );
            (own, names.collect::<Vec<_>>())
        });
        for ((package, full_name), parts) in messages.chain(enums) {
            let owner = within(&package, &full_name).unwrap_or_default();
            for part in parts {
                known.insert(format!("{owner}.{part}"));
                known.insert(part);
            }
            known.insert(owner.to_owned());
        }
        let lists = [&self.fields, &self.messages, &self.values];
        let labels = lists.into_iter().flat_map(BTreeMap::keys);
        labels
            .filter(|name| !known.contains(*name))
            .cloned()
            .collect()
    }
}
