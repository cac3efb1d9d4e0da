//! What somebody reads: one text for one message, or one for several.

use super::template::Language;

/// A heading and a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The heading: one line.
    pub title: String,
    /// The text.
    pub body: String,
}

impl Text {
    /// One text for several, in their order. A single one stays as it is.
    pub fn gathered(mut texts: Vec<Self>, language: Language) -> Self {
        if texts.len() <= 1 {
            return texts.pop().unwrap_or_default();
        }
        let count = texts.len();
        let title = match language {
            Language::Chinese => format!("您有 {count} 条消息"),
            Language::English => format!("You have {count} messages"),
        };
        let parts = (1..).zip(texts).map(|(number, text)| {
            let Self { title, body } = text;
            format!("{number}. {title}\n{body}")
        });
        Self {
            title,
            body: parts.collect::<Vec<_>>().join("\n\n"),
        }
    }

    /// The text of an exercise: heading and text say so from their beginning, as a provider may show
    /// one of them only.
    #[must_use]
    pub fn exercise(self, language: Language) -> Self {
        let mark = match language {
            Language::Chinese => "【演练】",
            Language::English => "[EXERCISE] ",
        };
        let marked = |text: String| {
            if text.starts_with(mark) {
                text
            } else {
                format!("{mark}{text}")
            }
        };
        Self {
            title: marked(self.title),
            body: marked(self.body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(title: &str, body: &str) -> Text {
        Text {
            title: title.to_owned(),
            body: body.to_owned(),
        }
    }

    #[test]
    fn several_become_one_in_their_order() {
        let both = vec![text("晨检", "请今日补报"), text("家长会", "周五下午")];
        let expected = text(
            "您有 2 条消息",
            "1. 晨检\n请今日补报\n\n2. 家长会\n周五下午",
        );
        assert_eq!(Text::gathered(both.clone(), Language::Chinese), expected);
        assert_eq!(
            Text::gathered(both, Language::English).title,
            "You have 2 messages"
        );
        let one = text("晨检", "请今日补报");
        assert_eq!(Text::gathered(vec![one.clone()], Language::Chinese), one);
    }

    #[test]
    fn an_exercise_says_so_once() {
        let marked = text("台风预警", "请停课").exercise(Language::Chinese);
        assert_eq!(marked, text("【演练】台风预警", "【演练】请停课"));
        assert_eq!(marked.clone().exercise(Language::Chinese), marked);
        let english = text("Typhoon", "Stay at home").exercise(Language::English);
        assert_eq!(english.title, "[EXERCISE] Typhoon");
    }
}
