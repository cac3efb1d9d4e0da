//! What threatens and how gravely (rules 5.21, 5.23).

use crate::domain::numbered::numbered;

numbered! {
    /// A level of a warning or a response; a graver one is less. The numbers are those of the
    /// contract.
    Level {
        /// I, red.
        First = 1,
        /// II, orange.
        Second = 2,
        /// III, yellow.
        Third = 3,
        /// IV, blue.
        Fourth = 4,
    }
}

numbered! {
    /// What threatens. The numbers are those of the contract.
    Kind {
        /// A typhoon.
        Typhoon = 1,
        /// A rainstorm.
        Rainstorm = 2,
        /// A flood.
        Flood = 3,
        /// A landslide, mudflow or collapse.
        Geology = 4,
        /// Other weather.
        Other = 5,
    }
}

impl Kind {
    /// Whether the action table and the suspensions are about it (rules 5.23, 5.24, 5.28). Of other
    /// weather no rule says what is done, so it raises no level.
    pub fn has_rules(self) -> bool {
        self != Self::Other
    }
}

impl Level {
    /// Orange or red: schools may open later and let go later (rules 5.25, 5.26).
    pub fn delays(self) -> bool {
        self <= Self::Second
    }
}

/// The words of each kind, in the order in which they decide.
const WORDS: [(Kind, &[&str]); 4] = [
    (
        Kind::Geology,
        &["地质", "滑坡", "泥石流", "山体", "landslide", "mudflow"],
    ),
    (
        Kind::Flood,
        &["洪水", "山洪", "内涝", "江河", "水库", "风暴潮", "flood"],
    ),
    (Kind::Typhoon, &["台风", "热带", "typhoon", "cyclone"]),
    (
        Kind::Rainstorm,
        &["暴雨", "强降", "rainstorm", "heavy rain"],
    ),
];

/// The kind that words of a warning name; [`Kind::Other`] when they name none.
pub fn kind_of(words: &str) -> Kind {
    let words = words.to_lowercase();
    let named = |(_, marks): &&(Kind, &[&str])| marks.iter().any(|mark| words.contains(mark));
    WORDS
        .iter()
        .find(named)
        .map_or(Kind::Other, |(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orange_and_red_delay() {
        let delaying = Level::ALL.iter().copied().filter(|level| level.delays());
        assert_eq!(delaying.collect::<Vec<_>>(), [Level::First, Level::Second]);
        assert!(Level::First < Level::Fourth, "the graver is less");
    }

    #[test]
    fn no_rule_is_about_other_weather() {
        let without = Kind::ALL.iter().filter(|kind| !kind.has_rules());
        assert_eq!(without.collect::<Vec<_>>(), [&Kind::Other]);
    }

    #[test]
    fn kinds_are_told_by_their_words() {
        for (words, kind) in [
            ("台风橙色预警", Kind::Typhoon),
            ("Typhoon Warning", Kind::Typhoon),
            ("暴雨红色预警信号", Kind::Rainstorm),
            ("山洪灾害气象风险预警", Kind::Flood),
            ("暴雨诱发的地质灾害气象风险预警", Kind::Geology),
            ("高温", Kind::Other),
            ("", Kind::Other),
        ] {
            assert_eq!(kind_of(words), kind, "{words}");
        }
    }
}
