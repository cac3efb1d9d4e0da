//! What must stand beside the checklist before teaching is resumed (rules 4.5, 4.6, 4.10, 5.29).

use chrono::NaiveDate;

/// What is known of a school.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The day of the last full epidemic drill that counts.
    pub full_drill: Option<NaiveDate>,
    /// How many major hazards are open.
    pub open_major_hazards: u32,
    /// For how many days the scarcest of the mandatory supplies lasts; none when nobody counted.
    pub supply_days: Option<u32>,
    /// How many isolation rooms are ready.
    pub isolation_rooms: u32,
    /// How many pupils the school has.
    pub pupils: u32,
    /// A warning of weather keeps it suspended.
    pub weather: bool,
}

/// What the policy asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// A drill within as many days before.
    pub drill_within_days: u32,
    /// Supplies last at least as many days.
    pub supply_days: u32,
}

/// What blocks; each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// No full epidemic drill in time; the last one, if there was any.
    Drill(Option<NaiveDate>),
    /// So many major hazards are open.
    MajorHazard(u32),
    /// Supplies last too few days, or nobody knows how many.
    Supplies(Option<u32>),
    /// Fewer isolation rooms than the school needs: what there are, and what it needs.
    IsolationRooms(u32, u32),
    /// A warning of weather keeps it suspended.
    Weather,
}

/// Two isolation rooms are needed above so many pupils (rule 4.6).
pub const PUPILS_OF_ONE_ROOM: u32 = 1000;

/// How many isolation rooms a school of so many pupils needs.
pub fn rooms_needed(pupils: u32) -> u32 {
    if pupils > PUPILS_OF_ONE_ROOM { 2 } else { 1 }
}

/// All that blocks on a day, in the order of the rules.
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
    if facts.supply_days.is_none_or(|days| days < terms.supply_days) {
        guards.push(Guard::Supplies(facts.supply_days));
    }
    let needed = rooms_needed(facts.pupils);
    if facts.isolation_rooms < needed {
        guards.push(Guard::IsolationRooms(facts.isolation_rooms, needed));
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
            pupils: 1000,
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
        assert_eq!(with(|facts| facts.open_major_hazards = 2), [Guard::MajorHazard(2)]);
        assert_eq!(with(|facts| facts.supply_days = Some(13)), [Guard::Supplies(Some(13))]);
        assert_eq!(with(|facts| facts.supply_days = None), [Guard::Supplies(None)]);
        assert_eq!(with(|facts| facts.isolation_rooms = 0), [Guard::IsolationRooms(0, 1)]);
        assert_eq!(with(|facts| facts.pupils = 1001), [Guard::IsolationRooms(1, 2)]);
        assert_eq!(with(|facts| facts.weather = true), [Guard::Weather]);
        assert_eq!(blocks(Facts::default(), on).len(), 3);
    }
}
