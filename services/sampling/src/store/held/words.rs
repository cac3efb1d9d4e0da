//! Numbers of the tables as people read them.

use kit::subject::As;
use proto::roster::{Disease, Symptom};

use crate::domain::day::Day;
use crate::domain::health::symptom::Symptoms;

/// A number of `domain::day` as a day.
pub(super) const DAY: As = As::Said(|number| {
    let day = u16::try_from(number).map(Day::from_number);
    day.map(said_day).unwrap_or_default()
});

/// Bits of symptoms by their names.
pub(super) const SYMPTOMS: As = As::Said(|bits| {
    let bits = i32::try_from(bits).unwrap_or_default();
    said_symptoms(Symptoms::from_bits(bits))
});

/// Tenths of a degree Celsius.
pub(super) const DEGREES: As = As::Said(said_degrees);

/// A disease by its name.
pub(super) const DISEASE: As = kit::said!(Disease);

pub(super) fn said_day(day: Day) -> String {
    day.date().map(|date| date.to_string()).unwrap_or_default()
}

pub(super) fn said_symptoms(symptoms: Symptoms) -> String {
    let names = symptoms.iter().filter_map(|symptom| {
        let known = Symptom::try_from(symptom.code()).ok()?;
        Some(known.as_str_name())
    });
    names.collect::<Vec<_>>().join(", ")
}

/// Nothing for 0: it was not taken.
pub(super) fn said_degrees(tenths: i64) -> String {
    if tenths == 0 {
        return String::new();
    }
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_said_is_empty() {
        assert_eq!(said_day(Day::NEVER), "");
        assert_eq!(said_degrees(0), "");
        assert_eq!(said_symptoms(Symptoms::NONE), "");
        assert_eq!(said_degrees(373), "37.3");
        let fever = Symptoms::from_bits(1 << 1);
        assert_eq!(said_symptoms(fever), "SYMPTOM_FEVER");
    }
}
