//! The templates that come with the service.

use serde::Deserialize;

use crate::domain::template::{Language, Template, Text, Type, Variable, Variant};

/// The author of what comes with the service.
pub(crate) const AUTHOR: &str = "shipped";

const FILES: [&str; 18] = [
    include_str!("../templates/alert.toml"),
    include_str!("../templates/breach-authority.toml"),
    include_str!("../templates/breach-person.toml"),
    include_str!("../templates/care-reminder.toml"),
    include_str!("../templates/concern-answered.toml"),
    include_str!("../templates/directive-arrived.toml"),
    include_str!("../templates/directive-overdue.toml"),
    include_str!("../templates/directive-revoked.toml"),
    include_str!("../templates/directive-superseded.toml"),
    include_str!("../templates/directive-unfinished.toml"),
    include_str!("../templates/directive-unjudged.toml"),
    include_str!("../templates/directive-unrelayed.toml"),
    include_str!("../templates/meeting-cancelled.toml"),
    include_str!("../templates/meeting-notice.toml"),
    include_str!("../templates/meeting-postponed.toml"),
    include_str!("../templates/notice.toml"),
    include_str!("../templates/told.toml"),
    include_str!("../templates/weather-warning.toml"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    description: String,
    variables: Vec<FileVariable>,
    texts: Vec<FileText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileVariable {
    name: String,
    holds: Holds,
    example: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Holds {
    Text,
    Count,
    Day,
    Instant,
    Organization,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    language: Tongue,
    variant: Speech,
    title: String,
    body: String,
}

#[derive(Clone, Copy, Deserialize)]
enum Tongue {
    #[serde(rename = "zh-CN")]
    Chinese,
    #[serde(rename = "en")]
    English,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Speech {
    Standard,
    Plain,
}

/// Every shipped template.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn templates() -> Result<Vec<Template>, toml::de::Error> {
    FILES
        .into_iter()
        .map(|file| Ok(template(toml::from_str(file)?)))
        .collect()
}

fn template(file: File) -> Template {
    let variable = |variable: FileVariable| Variable {
        name: variable.name,
        holds: match variable.holds {
            Holds::Text => Type::Text,
            Holds::Count => Type::Count,
            Holds::Day => Type::Day,
            Holds::Instant => Type::Instant,
            Holds::Organization => Type::Organization,
        },
        example: variable.example,
    };
    let text = |text: FileText| Text {
        language: match text.language {
            Tongue::Chinese => Language::Chinese,
            Tongue::English => Language::English,
        },
        variant: match text.variant {
            Speech::Standard => Variant::Standard,
            Speech::Plain => Variant::Plain,
        },
        title: text.title,
        body: text.body,
    };
    Template {
        id: file.id,
        description: file.description,
        variables: file.variables.into_iter().map(variable).collect(),
        texts: file.texts.into_iter().map(text).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_template_may_be_stored_and_speaks_to_everybody() {
        let templates = templates().unwrap();
        for template in &templates {
            assert_eq!(template.faults(), [], "{}", template.id);
            let spoken: Vec<_> = template
                .texts
                .iter()
                .map(|text| (text.language, text.variant))
                .collect();
            let expected = [
                (Language::Chinese, Variant::Standard),
                (Language::English, Variant::Standard),
                (Language::Chinese, Variant::Plain),
            ];
            assert_eq!(spoken, expected, "{}", template.id);
        }
        let mut ids: Vec<_> = templates.iter().map(|template| &*template.id).collect();
        ids.dedup();
        assert_eq!(ids.len(), FILES.len());
        assert!(ids.is_sorted());
    }
}
