//! Organisations as far as they matter here.

/// The kinds of bureaus and zones, through which things go down; the numbers are those of the contract.
const BUREAUS: std::ops::RangeInclusive<i16> = 1..=3;

/// An organisation as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationFact {
    /// The id.
    pub id: String,
    /// The place in the tree.
    pub org_path: String,
    /// Directives reach it.
    pub addressable: bool,
    /// Shown to people.
    pub display_name: String,
    /// The number of `Organization.Kind`.
    pub kind: i16,
    /// One bit for each number of `Stage`.
    pub stages: i32,
    /// The division code; may be empty.
    pub division: String,
}

impl OrganizationFact {
    /// Whether it is the bureau of the city, of a county or of a zone.
    pub fn is_bureau(&self) -> bool {
        BUREAUS.contains(&self.kind)
    }

    /// Whether it teaches the stage of this number.
    pub fn teaches(&self, stage: i16) -> bool {
        (0..=30).contains(&stage) && self.stages & (1 << stage) != 0
    }
}
