//! What GB/T 35965.1 adds: codes of events, colours, and codes of divisions.

use crate::message::{Area, Info, Named};
use crate::words::Severity;

/// The colour of a warning, from the least to the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Colour {
    /// 蓝色, level IV.
    Blue,
    /// 黄色, level III.
    Yellow,
    /// 橙色, level II.
    Orange,
    /// 红色, level I.
    Red,
}

impl Colour {
    /// Every colour.
    pub const ALL: [Self; 4] = [Self::Blue, Self::Yellow, Self::Orange, Self::Red];

    fn character(self) -> char {
        match self {
            Self::Blue => '蓝',
            Self::Yellow => '黄',
            Self::Orange => '橙',
            Self::Red => '红',
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Yellow => "yellow",
            Self::Orange => "orange",
            Self::Red => "red",
        }
    }

    /// The level in Roman numerals, in letters and in their own characters.
    fn levels(self) -> [&'static str; 2] {
        match self {
            Self::Blue => ["IV", "Ⅳ"],
            Self::Yellow => ["III", "Ⅲ"],
            Self::Orange => ["II", "Ⅱ"],
            Self::Red => ["I", "Ⅰ"],
        }
    }

    /// As the value of a parameter: `红色`, `RED`, `Ⅰ级` and the like.
    pub(crate) fn of_value(value: &str) -> Option<Self> {
        let level = value.trim().trim_end_matches('级').trim_end();
        let by_level = Self::ALL
            .into_iter()
            .find(|colour| colour.levels().contains(&level));
        by_level.or_else(|| Self::in_words(value, ""))
    }

    /// The one colour that a text names; `after` follows the Chinese character. None when it names
    /// none, or several.
    fn in_words(text: &str, after: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphabetic()).collect();
        let named = |colour: &Self| {
            words.contains(&colour.word())
                || text.contains(&format!("{}{after}", colour.character()))
        };
        let mut found = Self::ALL.into_iter().filter(named);
        found.next().filter(|_| found.next().is_none())
    }

    /// How grave a warning of this colour is.
    pub(crate) fn severity(self) -> Severity {
        match self {
            Self::Red => Severity::Extreme,
            Self::Orange => Severity::Severe,
            Self::Yellow => Severity::Moderate,
            Self::Blue => Severity::Minor,
        }
    }

    fn of_severity(severity: Severity) -> Option<Self> {
        match severity {
            Severity::Extreme => Some(Self::Red),
            Severity::Severe => Some(Self::Orange),
            Severity::Moderate => Some(Self::Yellow),
            Severity::Minor => Some(Self::Blue),
            Severity::Unknown => None,
        }
    }
}

impl Info {
    /// The code of the event by GB/T 35965.1, such as `11B01`, whatever it is named.
    pub fn event_code(&self) -> Option<&str> {
        let mut values = self.event_codes.iter().map(|code| &*code.value);
        values.find(|value| is_event_code(value))
    }

    /// The colour of a Chinese warning: as a parameter says, else the event or the heading, else by the
    /// severity. None for warnings that are not Chinese: neither in Chinese, nor with a Chinese code.
    pub fn colour(&self) -> Option<Colour> {
        if !self.is_chinese() {
            return None;
        }
        let stated = self
            .parameters
            .iter()
            .filter(|parameter| tells_colour(parameter));
        let stated = stated.map(|parameter| &*parameter.value);
        let words = [Some(&*self.event), self.headline.as_deref()];
        let told = words.into_iter().flatten();
        stated
            .filter_map(Colour::of_value)
            .next()
            .or_else(|| told.filter_map(|text| Colour::in_words(text, "色")).next())
            .or_else(|| Colour::of_severity(self.severity))
    }

    /// The codes of divisions of China among the geocodes of one of its areas, 6 to 12 digits, each
    /// once.
    pub fn divisions<'a>(&self, area: &'a Area) -> Vec<&'a str> {
        let chinese = self.is_in_chinese() || self.event_code().is_some();
        divisions(area, chinese)
    }

    fn is_in_chinese(&self) -> bool {
        let main = self.language.split('-').next().unwrap_or_default();
        main.eq_ignore_ascii_case("zh")
    }

    fn is_chinese(&self) -> bool {
        self.is_in_chinese()
            || self.event_code().is_some()
            || self
                .areas
                .iter()
                .any(|area| !divisions(area, false).is_empty())
    }
}

fn divisions(area: &Area, chinese: bool) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for Named { name, value } in &area.geocodes {
        let meant = is_division(value) && (chinese || names_divisions(name));
        if meant && !found.contains(&&**value) {
            found.push(value);
        }
    }
    found
}

/// Two digits, a capital letter, two digits; the first is the class of the event, 1 to 4.
pub(crate) fn is_event_code(text: &str) -> bool {
    match text.as_bytes() {
        [class, group, letter, kind @ ..] => {
            (b'1'..=b'4').contains(class)
                && group.is_ascii_digit()
                && letter.is_ascii_uppercase()
                && kind.len() == 2
                && kind.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

/// Whether a parameter tells the colour or the level of a warning.
fn tells_colour(parameter: &Named) -> bool {
    let name = parameter.name.to_lowercase();
    let marks = ["color", "colour", "level", "颜色", "级别", "等级"];
    marks.iter().any(|mark| name.contains(mark))
}

/// Whether the name of a geocode says that it is a division of China (GB/T 2260, GB/T 10114).
fn names_divisions(name: &str) -> bool {
    let name = name.to_lowercase();
    let marks = ["2260", "10114", "35965", "区划", "adcode", "division"];
    marks.iter().any(|mark| name.contains(mark))
}

/// Whether a text has the form of a division code: the first two digits are a province.
fn is_division(text: &str) -> bool {
    const PROVINCES: [&str; 34] = [
        "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37",
        "41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64",
        "65", "71", "81", "82",
    ];
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (6..=12).contains(&text.len()) && digits && PROVINCES.contains(&&text[..2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Category;

    fn named(name: &str, value: &str) -> Named {
        Named {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }

    fn info(language: &str, event: &str, severity: Severity) -> Info {
        Info {
            language: language.to_owned(),
            ..Info::new(Category::Met, event, severity)
        }
    }

    #[test]
    fn the_colour_is_stated_told_or_that_of_the_severity() {
        let minor = |event| info("zh-CN", event, Severity::Minor);
        let with = |name: &str, value: &str| Info {
            parameters: vec![named("其他", "红色"), named(name, value)],
            ..minor("台风")
        };
        for (name, value, colour) in [
            ("ColorCode", "RED", Colour::Red),
            ("预警级别", "Ⅱ级", Colour::Orange),
            ("AlertLevel", "III", Colour::Yellow),
            ("颜色", "红", Colour::Red),
            ("severityLevel", "无", Colour::Blue),
        ] {
            assert_eq!(with(name, value).colour(), Some(colour), "{name} {value}");
        }
        assert_eq!(minor("台风橙色预警").colour(), Some(Colour::Orange));
        let headline = Info {
            headline: Some("某某气象台将暴雨黄色预警升级".to_owned()),
            ..minor("暴雨")
        };
        assert_eq!(headline.colour(), Some(Colour::Yellow));
        let both = Info {
            headline: Some("暴雨黄色预警升级为橙色预警".to_owned()),
            ..info("zh-CN", "暴雨", Severity::Severe)
        };
        assert_eq!(both.colour(), Some(Colour::Orange), "by its severity");
        assert_eq!(info("zh", "黄河洪水", Severity::Unknown).colour(), None);
        assert_eq!(
            info("en-CA", "Red Flag Warning", Severity::Severe).colour(),
            None
        );
        let coded = Info {
            event_codes: vec![named("x", "SVA"), named("GB/T 35965.1", "11B01")],
            ..info("en-US", "Typhoon Red Warning", Severity::Unknown)
        };
        assert_eq!(
            (coded.event_code(), coded.colour()),
            (Some("11B01"), Some(Colour::Red))
        );
    }

    #[test]
    fn divisions_are_told_from_other_codes() {
        let area = |codes: &[(&str, &str)]| Area {
            geocodes: codes
                .iter()
                .map(|(name, value)| named(name, value))
                .collect(),
            ..Area::default()
        };
        let foreign = area(&[
            ("SAME", "350102"),
            ("GB/T 2260", "350100"),
            ("GB/T 2260", "000100"),
        ]);
        let english = info("en-US", "Typhoon", Severity::Severe);
        assert_eq!(english.divisions(&foreign), ["350100"]);
        let chinese = info("zh-CN", "台风", Severity::Severe);
        let codes = area(&[
            ("区域", "350102001000"),
            ("区域", "350102001000"),
            ("UGC", "FJZ001"),
        ]);
        assert_eq!(chinese.divisions(&codes), ["350102001000"]);
        for code in ["35010", "3501020010001", "990102", "35010a", "３５0102"] {
            assert!(!is_division(code), "{code}");
        }
        for code in ["11B1", "51B01", "11b01", "11B012", "1B101", "11B0一"] {
            assert!(!is_event_code(code), "{code}");
        }
    }
}
