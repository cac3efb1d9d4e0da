//! What laboratories report: versions of which one is in force.

use chrono::{DateTime, Utc};

/// What was found. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "the contract says what each value means")]
pub enum Value {
    Negative = 1,
    Suspect = 2,
    Positive = 3,
    Invalid = 4,
}

impl Value {
    /// The number of this value.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The value with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::Negative, Self::Suspect, Self::Positive, Self::Invalid]
            .into_iter()
            .find(|value| value.code() == code)
    }

    /// Whether it begins a hold.
    pub fn holds(self) -> bool {
        matches!(self, Self::Suspect | Self::Positive)
    }
}

/// One version of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaboratoryResult {
    /// The tube's code.
    pub tube: String,
    /// The laboratory's number of the report.
    pub report: String,
    /// 1 for the first.
    pub version: i32,
    /// What was found.
    pub value: Value,
    /// When it was tested; the beginning of 1970 when the laboratory did not say.
    pub tested: DateTime<Utc>,
    /// Why it was corrected.
    pub reason: String,
}

impl LaboratoryResult {
    /// The order in which results of one tube take the place of each other: whatever order they
    /// arrive in, the same one is in force.
    pub fn rank(&self) -> (i32, DateTime<Utc>, &str) {
        (self.version, self.tested, &self.report)
    }
}

/// The result in force among all that were reported.
pub fn in_force<'a>(
    results: impl IntoIterator<Item = &'a LaboratoryResult>,
) -> Option<&'a LaboratoryResult> {
    results
        .into_iter()
        .max_by(|one, other| one.rank().cmp(&other.rank()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_result_is_in_force_whatever_order_they_come_in() {
        let result = |version, report: &str, tested| LaboratoryResult {
            tube: "FZ-0001".to_owned(),
            report: report.to_owned(),
            version,
            value: Value::Negative,
            tested: DateTime::UNIX_EPOCH + chrono::Duration::seconds(tested),
            reason: String::new(),
        };
        let rising = [
            result(1, "A", 0),
            result(1, "B", 0),
            result(1, "A", 60),
            result(2, "A", 30),
        ];
        for (place, last) in rising.iter().enumerate() {
            let up_to = &rising[..=place];
            assert_eq!(in_force(up_to), Some(last));
            assert_eq!(in_force(up_to.iter().rev()), Some(last));
        }
        assert_eq!(in_force([]), None);
    }
}
