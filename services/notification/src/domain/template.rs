//! Texts with variables, and how they read once filled.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Utc};
use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

use super::fluent;
use super::party::Party;

/// Characters of a text value.
const VALUE: usize = 200;
/// Counts are below this, so that every one of them is written exactly.
const COUNT: i64 = 1_000_000_000_000_000;

/// A language of texts; the numbers are those of the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// `zh-CN`.
    #[default]
    Chinese = 1,
    /// `en`.
    English = 2,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::Chinese, Self::English];

    /// The tag.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// From a tag; none for any other text.
    pub fn parse(tag: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.as_str() == tag)
    }

    fn day(self, day: NaiveDate) -> String {
        match self {
            Self::Chinese => format!("{}年{}月{}日", day.year(), day.month(), day.day()),
            Self::English => day.format("%-d %B %Y").to_string(),
        }
    }

    /// Day and minute in the city.
    fn instant(self, instant: DateTime<Utc>) -> String {
        let local = FixedOffset::east_opt(8 * 3600).map(|city| instant.with_timezone(&city));
        let local = local.unwrap_or_else(|| instant.fixed_offset());
        let (day, time) = (self.day(local.date_naive()), local.format("%H:%M"));
        match self {
            Self::Chinese => format!("{day} {time}"),
            Self::English => format!("{day}, {time}"),
        }
    }
}

/// For whom a text is written. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// For everybody.
    Standard = 1,
    /// In plain speech.
    Plain = 2,
}

impl Variant {
    /// Every variant.
    pub const ALL: [Self; 2] = [Self::Standard, Self::Plain];
}

/// What a variable holds. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// 1 to 200 characters, none of them a control character.
    Text = 1,
    /// A whole number of at most fifteen digits.
    Count = 2,
    /// A civil day.
    Day = 3,
    /// An instant.
    Instant = 4,
    /// An organisation.
    Organization = 5,
}

impl Type {
    /// Every type.
    pub const ALL: [Self; 5] = [
        Self::Text,
        Self::Count,
        Self::Day,
        Self::Instant,
        Self::Organization,
    ];

    /// Whether a text is a value of this type.
    pub fn takes(self, text: &str) -> bool {
        value(self, text, |_| None).is_some()
    }
}

/// A variable of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Used as `$name`.
    pub name: String,
    /// What it holds.
    pub holds: Type,
    /// What previews and checks fill in.
    pub example: String,
}

/// One text of a template: two Fluent patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its language.
    pub language: Language,
    /// For whom it is written.
    pub variant: Variant,
    /// The heading.
    pub title: String,
    /// The text.
    pub body: String,
}

/// Texts with variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The id in `templates/{template}`.
    pub id: String,
    /// What it is for.
    pub description: String,
    /// What the texts are filled with.
    pub variables: Vec<Variable>,
    /// The texts.
    pub texts: Vec<Text>,
}

/// One version of a template. It never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateVersion {
    /// What was saved.
    pub template: Template,
    /// 1 for the first.
    pub version: i32,
    /// Who saved it; `shipped` when it came with the service.
    pub author: String,
    /// When.
    pub created: DateTime<Utc>,
}

/// A text as somebody reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedText {
    /// Its language.
    pub language: Language,
    /// For whom it is written.
    pub variant: Variant,
    /// The heading.
    pub title: String,
    /// The text.
    pub body: String,
}

/// A value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    Count(i64),
    Day(NaiveDate),
    Instant(DateTime<Utc>),
}

/// A value for each variable of one template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<String, Value>);

/// A variable has no value, one that is not of its type, or there is no such variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("variable {0} is missing, unknown or of another type")]
pub struct Unfit(pub String);

impl Template {
    /// The values of all variables from texts by name: exactly one for each. `display` gives what an
    /// organisation is called, by its id; one that it does not know is written as its resource name.
    ///
    /// # Errors
    /// [`Unfit`] with the first variable by name that does not fit.
    pub fn values(
        &self,
        given: &BTreeMap<String, String>,
        display: impl Fn(&str) -> Option<String>,
    ) -> Result<Values, Unfit> {
        let declared: BTreeMap<&str, Type> = self
            .variables
            .iter()
            .map(|one| (&*one.name, one.holds))
            .collect();
        let names: BTreeSet<&str> = declared
            .keys()
            .copied()
            .chain(given.keys().map(String::as_str))
            .collect();
        let mut values = BTreeMap::new();
        for name in names {
            let value = declared
                .get(name)
                .zip(given.get(name))
                .and_then(|(holds, text)| value(*holds, text, &display))
                .ok_or_else(|| Unfit(name.to_owned()))?;
            values.insert(name.to_owned(), value);
        }
        Ok(Values(values))
    }

    /// Those of some values that the template asks for.
    pub fn wanted(&self, given: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let asks = |name: &String| self.variables.iter().any(|one| one.name == *name);
        let given = given.into_iter();
        given.filter(|(name, _)| asks(name)).collect()
    }

    /// The example of each variable.
    pub fn examples(&self) -> BTreeMap<String, String> {
        let examples = self.variables.iter();
        examples
            .map(|one| (one.name.clone(), one.example.clone()))
            .collect()
    }

    /// The ids of the organisations that values name.
    pub fn organizations(&self, given: &BTreeMap<String, String>) -> Vec<String> {
        let held = self
            .variables
            .iter()
            .filter(|one| one.holds == Type::Organization);
        let named = held.filter_map(|one| organization(given.get(&one.name)?));
        named.collect()
    }

    /// The text for a reader: in the language asked for before Chinese, and there in the speech asked
    /// for before the other. None only of a template without texts, which none is that was checked.
    pub fn render(&self, language: Language, plain: bool, values: &Values) -> Option<RenderedText> {
        let speech = if plain {
            Variant::Plain
        } else {
            Variant::Standard
        };
        let rank = |text: &&Text| {
            let tongue = match text.language {
                asked if asked == language => 0,
                Language::Chinese => 1,
                Language::English => 2,
            };
            (tongue, text.variant != speech)
        };
        self.texts
            .iter()
            .min_by_key(rank)
            .map(|text| text.fill(values).0)
    }

    /// Every text, filled.
    pub fn render_all(&self, values: &Values) -> Vec<RenderedText> {
        self.texts.iter().map(|text| text.fill(values).0).collect()
    }
}

impl Text {
    /// The text as it reads, and whether nothing was missing. A value is never read as a pattern.
    pub(super) fn fill(&self, values: &Values) -> (RenderedText, bool) {
        let (title, body) = (
            fluent::message("title", &self.title),
            fluent::message("body", &self.body),
        );
        let (resource, mut whole) = match FluentResource::try_new(format!("{title}{body}")) {
            Ok(resource) => (resource, true),
            Err((resource, _)) => (resource, false),
        };
        let language: LanguageIdentifier = self.language.as_str().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new(vec![language]);
        // Marks around each value would reach people as they are.
        bundle.set_use_isolating(false);
        whole &= bundle.add_builtins().is_ok();
        whole &= bundle.add_resource(resource).is_ok();
        let mut arguments = FluentArgs::new();
        for (name, value) in &values.0 {
            arguments.set(name.as_str(), value.fluent(self.language));
        }
        let mut errors = Vec::new();
        let mut fill = |name: &str| {
            let message = bundle.get_message(name)?;
            let filled = bundle.format_pattern(message.value()?, Some(&arguments), &mut errors);
            Some(filled.into_owned())
        };
        let (title, body) = (fill("title"), fill("body"));
        whole &= title.is_some() && body.is_some() && errors.is_empty();
        let rendered = RenderedText {
            language: self.language,
            variant: self.variant,
            title: title.unwrap_or_default(),
            body: body.unwrap_or_default(),
        };
        (rendered, whole)
    }
}

impl Value {
    fn fluent(&self, language: Language) -> FluentValue<'static> {
        match self {
            Self::Text(text) => FluentValue::from(text.clone()),
            Self::Count(count) => FluentValue::from(*count),
            Self::Day(day) => FluentValue::from(language.day(*day)),
            Self::Instant(instant) => FluentValue::from(language.instant(*instant)),
        }
    }
}

fn value(holds: Type, text: &str, display: impl Fn(&str) -> Option<String>) -> Option<Value> {
    let years = 1900..=9999;
    match holds {
        Type::Text => {
            let fits = text.chars().count() <= VALUE && !text.chars().any(char::is_control);
            (fits && !text.trim().is_empty()).then(|| Value::Text(text.to_owned()))
        }
        Type::Count => {
            let count: i64 = text.parse().ok()?;
            (-COUNT < count && count < COUNT).then_some(Value::Count(count))
        }
        Type::Day => {
            let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            let plain = day.to_string() == text && years.contains(&day.year());
            plain.then_some(Value::Day(day))
        }
        Type::Instant => {
            let instant = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
            years
                .contains(&instant.year())
                .then_some(Value::Instant(instant))
        }
        Type::Organization => {
            let id = organization(text)?;
            Some(Value::Text(display(&id).unwrap_or_else(|| text.to_owned())))
        }
    }
}

fn organization(name: &str) -> Option<String> {
    match Party::parse(name)? {
        Party::Organization(id) => Some(id),
        Party::Student(_) | Party::Family(_) | Party::Guardian(..) | Party::Staff(_) => None,
    }
}
