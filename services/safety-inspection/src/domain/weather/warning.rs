//! What a warning of a weather bureau says here: what threatens, how gravely and where (rule 5.23).

use std::collections::BTreeMap;

use cap::{Category, Colour, Info, Message, MessageType, Status};

use crate::domain::weather::level::{Kind, Level, kind_of};

/// How many areas of one document are taken at most.
const AREAS: usize = 100;
/// How much of a heading is kept, in characters.
const HEADLINE: usize = 200;

/// What a document warns of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What threatens: in the gravest of its parts that rules are about, else in the gravest of all.
    pub kind: Kind,
    /// How grave that part is.
    pub level: Level,
    /// Where: the parts of division codes that are not zero, each with the gravest level of what is
    /// said of it; none where no rule is about that.
    pub areas: BTreeMap<String, Option<Level>>,
    /// The heading, else the event.
    pub headline: String,
    /// The code of the event by GB/T 35965.1; empty when none is stated.
    pub event_code: String,
}

/// Why a document warns of nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An exercise, a test, a draft or a message between systems.
    NotActual,
    /// It says only that another one was received or not accepted.
    SaysNothing,
    /// It warns of something else than the weather and what follows from it.
    NotWeather,
    /// It names no colour.
    NoLevel,
    /// It names no division of China.
    NoDivision,
    /// It names more areas than are taken.
    TooManyAreas,
}

impl Refusal {
    /// The word in the metadata of the error.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotActual => "NOT_ACTUAL",
            Self::SaysNothing => "SAYS_NOTHING",
            Self::NotWeather => "NOT_WEATHER",
            Self::NoLevel => "NO_LEVEL",
            Self::NoDivision => "NO_DIVISION",
            Self::TooManyAreas => "TOO_MANY_AREAS",
        }
    }
}

/// Reads what a document warns of; none for a cancel, which only ends what it refers to.
///
/// # Errors
/// Why it warns of nothing here.
pub fn read(message: &Message) -> Result<Option<Notice>, Refusal> {
    if message.status != Status::Actual {
        return Err(Refusal::NotActual);
    }
    match message.message_type {
        MessageType::Ack | MessageType::Error => return Err(Refusal::SaysNothing),
        MessageType::Cancel => return Ok(None),
        MessageType::Alert | MessageType::Update => {}
    }
    let areas = message.infos.iter().map(|info| info.areas.len());
    if areas.sum::<usize>() > AREAS {
        return Err(Refusal::TooManyAreas);
    }
    let Some(first) = message.infos.first() else {
        return Err(Refusal::SaysNothing);
    };
    let parts = message.infos.iter().map(|info| {
        let level = info.colour().map(level_of);
        (kind(info), level, info)
    });
    let parts: Vec<(Kind, Option<Level>, &Info)> = parts.collect();
    let weather = |info: &Info| {
        let mut categories = info.categories.iter();
        categories.any(|one| matches!(one, Category::Met | Category::Geo))
    };
    let other = parts.iter().all(|(kind, ..)| !kind.has_rules());
    if other && !message.infos.iter().any(weather) {
        return Err(Refusal::NotWeather);
    }
    let graded = parts.iter().filter_map(|(kind, level, _)| {
        let level = (*level)?;
        Some((!kind.has_rules(), level, *kind))
    });
    let (_, level, kind) = graded.min().ok_or(Refusal::NoLevel)?;
    let areas = levels(&parts, level);
    if areas.is_empty() {
        return Err(Refusal::NoDivision);
    }
    let headline = first.headline.as_ref().unwrap_or(&first.event);
    let codes = message.infos.iter().find_map(Info::event_code);
    Ok(Some(Notice {
        kind,
        level,
        areas,
        headline: headline.chars().take(HEADLINE).collect(),
        event_code: codes.unwrap_or_default().to_owned(),
    }))
}

/// The level of each division by the parts that are about it; a part without a colour is as grave as
/// the document.
fn levels(
    parts: &[(Kind, Option<Level>, &Info)],
    gravest: Level,
) -> BTreeMap<String, Option<Level>> {
    let mut areas: BTreeMap<String, Option<Level>> = BTreeMap::new();
    for (kind, level, info) in parts {
        let level = kind.has_rules().then(|| level.unwrap_or(gravest));
        let divisions = info.areas.iter().flat_map(|area| info.divisions(area));
        for division in divisions {
            let known = areas.entry(cap::prefix(division).to_owned()).or_default();
            *known = [*known, level].into_iter().flatten().min();
        }
    }
    areas
}

/// By the code of GB/T 35965.1 where it is one of those that stand for a kind, else by the words.
fn kind(info: &Info) -> Kind {
    match info.event_code() {
        Some("11B01") => Kind::Typhoon,
        Some("11B03") => Kind::Rainstorm,
        _ => match kind_of(&info.event) {
            Kind::Other => kind_of(info.headline.as_deref().unwrap_or_default()),
            kind => kind,
        },
    }
}

/// The level of a colour (rule 5.21).
fn level_of(colour: Colour) -> Level {
    match colour {
        Colour::Red => Level::First,
        Colour::Orange => Level::Second,
        Colour::Yellow => Level::Third,
        Colour::Blue => Level::Fourth,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(status: &str, kind: &str, info: &str) -> Message {
        let text = format!(
            "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>w2</identifier>\
             <sender>met@example.cn</sender><sent>2022-06-02T08:30:11+08:00</sent>\
             <status>{status}</status><msgType>{kind}</msgType><scope>Public</scope>\
             <references>met@example.cn,w1,2022-06-02T06:30:11+08:00</references>{info}</alert>"
        );
        cap::read(text.as_bytes()).unwrap()
    }

    fn info(category: &str, event: &str, colour: &str, code: &str) -> String {
        format!(
            "<info><language>zh-CN</language><category>{category}</category><event>{event}</event>\
             <urgency>Expected</urgency><severity>Unknown</severity><certainty>Likely</certainty>\
             <parameter><valueName>ColorCode</valueName><value>{colour}</value></parameter>\
             <area><areaDesc>某区</areaDesc><geocode><valueName>行政区划</valueName>\
             <value>{code}</value></geocode></area></info>"
        )
    }

    #[test]
    fn a_warning_is_read_and_a_cancel_says_nothing_more() {
        let orange = info("Met", "台风", "Orange", "350102000000");
        let notice = read(&document("Actual", "Update", &orange))
            .unwrap()
            .unwrap();
        assert_eq!((notice.kind, notice.level), (Kind::Typhoon, Level::Second));
        let areas = [("350102".to_owned(), Some(Level::Second))];
        assert_eq!(notice.areas, areas.into());
        assert_eq!(notice.headline, "台风");
        assert_eq!(read(&document("Actual", "Cancel", "")), Ok(None));
    }

    #[test]
    fn each_division_has_the_level_that_is_said_of_it() {
        let parts = [
            info("Met", "台风", "Blue", "350102"),
            info("Met", "暴雨", "Orange", "350103"),
            info("Met", "高温", "Red", "350102"),
            info("Met", "高温", "Red", "350104"),
        ];
        let notice = read(&document("Actual", "Update", &parts.concat()));
        let notice = notice.unwrap().unwrap();
        assert_eq!(
            (notice.kind, notice.level),
            (Kind::Rainstorm, Level::Second)
        );
        let levels: Vec<_> = notice.areas.into_values().collect();
        assert_eq!(levels, [Some(Level::Fourth), Some(Level::Second), None]);
        let heat = info("Met", "高温", "Red", "350102");
        let heat = read(&document("Actual", "Update", &heat)).unwrap().unwrap();
        assert_eq!((heat.kind, heat.level), (Kind::Other, Level::First));
        assert_eq!(heat.areas, [("350102".to_owned(), None)].into());
    }

    #[test]
    fn what_warns_of_nothing_here_is_refused_with_a_reason() {
        let orange = info("Met", "台风", "Orange", "350102");
        let refused =
            |status: &str, kind: &str, info: &str| read(&document(status, kind, info)).unwrap_err();
        let by_info = |info: String| refused("Actual", "Update", &info);
        assert_eq!(refused("Exercise", "Update", &orange), Refusal::NotActual);
        assert_eq!(refused("Test", "Cancel", ""), Refusal::NotActual);
        assert_eq!(refused("Actual", "Ack", ""), Refusal::SaysNothing);
        let fire = info("Health", "食品安全", "Orange", "350102");
        assert_eq!(by_info(fire), Refusal::NotWeather);
        assert_eq!(
            by_info(info("Met", "台风", "无", "350102")),
            Refusal::NoLevel
        );
        assert_eq!(
            by_info(info("Met", "台风", "Red", "999")),
            Refusal::NoDivision
        );
        let many = info("Met", "台风", "Red", "350102").replace(
            "<area>",
            &format!(
                "{}<area>",
                "<area><areaDesc>某区</areaDesc></area>".repeat(AREAS)
            ),
        );
        assert_eq!(by_info(many), Refusal::TooManyAreas);
    }
}
