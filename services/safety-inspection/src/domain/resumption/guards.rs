//! What must stand beside the checklist before teaching is resumed (rules 4.5, 4.6, 4.10, 5.29).

use chrono::NaiveDate;

use crate::domain::numbered::numbered;

numbered! {
    /// What blocks; the numbers are those of the contract.
    Kind {
        /// A mandatory item is not answered.
        ItemMissing = 1 "ITEM_MISSING",
        /// A mandatory item is not met.
        ItemUnmet = 2 "ITEM_UNMET",
        /// No full epidemic drill in time.
        Drill = 3 "DRILL",
        /// A major hazard is open.
        MajorHazard = 4 "MAJOR_HAZARD",
        /// Supplies last too few days, or nobody knows how many.
        Supplies = 5 "SUPPLIES",
        /// Too few isolation rooms.
        IsolationRoom = 6 "ISOLATION_ROOM",
        /// Suspended for the weather, or not yet checked after it.
        Weather = 7 "WEATHER",
        /// A batch that goes before has not returned.
        Order = 8 "ORDER",
    }
}

/// What is known of a school.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The day of the last full epidemic drill that counts.
    pub full_drill: Option<NaiveDate>,
    /// How many major hazards are open.
    pub open_major_hazards: u32,
    /// For how many days the scarcest of the supplies lasts; none when nobody counted.
    pub supply_days: Option<u32>,
    /// How many isolation rooms are in use and fit for it.
    pub isolation_rooms: u32,
    /// The weather keeps it suspended, or it is not yet checked after it.
    pub weather: bool,
}

/// What the policy asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// A drill within as many days before.
    pub drill_within_days: u32,
    /// Supplies last at least as many days.
    pub supply_days: u32,
    /// At least as many isolation rooms, by the size of the school.
    pub isolation_rooms: u32,
}

/// What blocks; each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// No full epidemic drill in time; the last one, if there was any.
    Drill(Option<NaiveDate>),
    /// So many major hazards are open.
    MajorHazard(u32),
    /// Supplies last too few days, or nobody knows how many; and how many are asked for.
    Supplies(Option<u32>, u32),
    /// Fewer isolation rooms than the school needs: what there are, and what it needs.
    IsolationRooms(u32, u32),
    /// The weather keeps it suspended.
    Weather,
}

impl Guard {
    /// What blocks.
    pub fn kind(self) -> Kind {
        match self {
            Self::Drill(_) => Kind::Drill,
            Self::MajorHazard(_) => Kind::MajorHazard,
            Self::Supplies(..) => Kind::Supplies,
            Self::IsolationRooms(..) => Kind::IsolationRoom,
            Self::Weather => Kind::Weather,
        }
    }

    /// The rule behind it.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Drill(_) | Self::MajorHazard(_) => "4.10",
            Self::Supplies(..) => "4.5",
            Self::IsolationRooms(..) => "4.6",
            Self::Weather => "5.29",
        }
    }

    /// In words for people.
    pub fn explanation(self) -> String {
        match self {
            Self::Drill(None) => "没有在规定期限内归档的全要素疫情应急演练".to_owned(),
            Self::Drill(Some(day)) => format!("最近一次全要素疫情应急演练在 {day}，已超过规定期限"),
            Self::MajorHazard(count) => format!("有 {count} 项重大隐患未销号"),
            Self::Supplies(None, needed) => {
                format!("防疫物资未全部登记，无法确认可用 {needed} 天")
            }
            Self::Supplies(Some(days), needed) => {
                format!("防疫物资仅可用 {days} 天，少于 {needed} 天")
            }
            Self::IsolationRooms(there, needed) => {
                format!("符合要求的隔离室有 {there} 间，少于 {needed} 间")
            }
            Self::Weather => "因天气停课尚未解除，或解除后尚未完成检查".to_owned(),
        }
    }
}

/// All that blocks on a day, in the order of [`Kind`].
pub fn blocking(facts: &Facts, terms: Terms, day: NaiveDate) -> Vec<Guard> {
    let mut guards = Vec::new();
    let in_time = |drill: NaiveDate| {
        let age = (day - drill).num_days();
        (0..=i64::from(terms.drill_within_days)).contains(&age)
    };
    if !facts.full_drill.is_some_and(in_time) {
        guards.push(Guard::Drill(facts.full_drill));
    }
    if facts.open_major_hazards > 0 {
        guards.push(Guard::MajorHazard(facts.open_major_hazards));
    }
    if facts
        .supply_days
        .is_none_or(|days| days < terms.supply_days)
    {
        guards.push(Guard::Supplies(facts.supply_days, terms.supply_days));
    }
    if facts.isolation_rooms < terms.isolation_rooms {
        let (there, needed) = (facts.isolation_rooms, terms.isolation_rooms);
        guards.push(Guard::IsolationRooms(there, needed));
    }
    if facts.weather {
        guards.push(Guard::Weather);
    }
    guards
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms {
        drill_within_days: 30,
        supply_days: 14,
        isolation_rooms: 1,
    };

    fn day(month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2022, month, day).unwrap()
    }

    fn ready() -> Facts {
        Facts {
            full_drill: Some(day(4, 1)),
            open_major_hazards: 0,
            supply_days: Some(14),
            isolation_rooms: 1,
            weather: false,
        }
    }

    fn blocks(facts: Facts, on: NaiveDate) -> Vec<Guard> {
        blocking(&facts, TERMS, on)
    }

    #[test]
    fn a_drill_counts_for_thirty_days_and_not_before_it_was() {
        assert_eq!(blocks(ready(), day(4, 1)), []);
        assert_eq!(blocks(ready(), day(5, 1)), []);
        let late = [Guard::Drill(Some(day(4, 1)))];
        assert_eq!(blocks(ready(), day(5, 2)), late);
        assert_eq!(blocks(ready(), day(3, 31)), late);
        let none = Facts {
            full_drill: None,
            ..ready()
        };
        assert_eq!(blocks(none, day(4, 1)), [Guard::Drill(None)]);
    }

    #[test]
    fn each_guard_blocks_by_itself() {
        let on = day(4, 6);
        let with = |change: fn(&mut Facts)| {
            let mut facts = ready();
            change(&mut facts);
            blocks(facts, on)
        };
        let hazards = [Guard::MajorHazard(2)];
        assert_eq!(with(|facts| facts.open_major_hazards = 2), hazards);
        let few = [Guard::Supplies(Some(13), 14)];
        assert_eq!(with(|facts| facts.supply_days = Some(13)), few);
        let unknown = [Guard::Supplies(None, 14)];
        assert_eq!(with(|facts| facts.supply_days = None), unknown);
        let rooms = [Guard::IsolationRooms(0, 1)];
        assert_eq!(with(|facts| facts.isolation_rooms = 0), rooms);
        assert_eq!(with(|facts| facts.weather = true), [Guard::Weather]);
        let nothing = blocks(Facts::default(), on);
        let kinds: Vec<Kind> = nothing.iter().map(|guard| guard.kind()).collect();
        assert_eq!(kinds, [Kind::Drill, Kind::Supplies, Kind::IsolationRoom]);
        for guard in nothing {
            assert!(!guard.explanation().is_ascii() && !guard.rule().is_empty());
        }
    }
}
