//! Chinese names of services and methods, put together from a list of verbs and nouns.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The words. They are part of the program, so a test sees that they can be read and that nothing
/// of the contracts is without a name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    services: BTreeMap<String, String>,
    verbs: BTreeMap<String, String>,
    nouns: BTreeMap<String, String>,
    methods: BTreeMap<String, String>,
}

impl Words {
    pub(crate) fn read() -> Option<Self> {
        toml::from_str(include_str!("chinese.toml")).ok()
    }

    /// The name of a service.
    pub(crate) fn service(&self, service: &str) -> Option<&str> {
        self.services.get(service).map(String::as_str)
    }

    /// The name of a method: one of its own, or its verb and its noun.
    pub(crate) fn method(&self, service: &str, method: &str) -> Option<String> {
        let own = self
            .methods
            .get(&format!("{service}.{method}"))
            .or_else(|| self.methods.get(method));
        if let Some(own) = own {
            return Some(own.clone());
        }
        let end = method.get(1..)?.find(char::is_uppercase)? + 1;
        let (verb, noun) = method.split_at(end);
        Some(format!("{}{}", self.verbs.get(verb)?, self.noun(noun)?))
    }

    fn noun(&self, noun: &str) -> Option<&str> {
        let singular = noun
            .strip_suffix("ies")
            .map(|stem| format!("{stem}y"))
            .or_else(|| {
                let stem = noun.strip_suffix("es")?;
                stem.ends_with(['s', 'h', 'x']).then(|| stem.to_owned())
            });
        let known = |name: &str| self.nouns.get(name).map(String::as_str);
        known(noun)
            .or_else(|| known(&singular?))
            .or_else(|| known(noun.strip_suffix('s')?))
    }
}
