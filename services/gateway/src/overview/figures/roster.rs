//! How class groups are taught.

use prost_types::Timestamp;
use proto::gateway::Measure;
use proto::gateway::figure::Breakdown;
use proto::gateway::section::Kind;
use proto::roster::TeachingSummary;

use super::{Draft, Sheet, Told};
use crate::overview::source::Source;

/// How class groups are taught, in all and by mode.
pub(crate) fn teaching(told: TeachingSummary, answered: Timestamp) -> Told {
    let time = told.data_time.or(Some(answered));
    let mut sheet = Sheet::new(Source::TeachingSummary, Kind::Teaching, time);
    sheet.count(Measure::ClassGroupsActive, told.class_group_count);
    for mode in &told.modes {
        let part = Breakdown::TeachingMode(mode.teaching_mode);
        let taught = Draft::of(Measure::ClassGroupsActive, mode.class_group_count);
        sheet.add(taught.part(part));
    }
    let in_person = told.in_person_school_count;
    sheet
        .add(Draft::of(Measure::SchoolsInPerson, in_person).coverage(in_person, told.school_count));
    Told {
        org_path: told.org_path,
        display_name: String::new(),
        sections: vec![sheet.section],
    }
}
