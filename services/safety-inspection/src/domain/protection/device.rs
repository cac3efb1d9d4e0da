//! The devices of a campus as far as its protection rests on them.

use chrono::NaiveDate;

use super::finding::PartKind;
use crate::domain::numbered::numbered;

numbered! {
    /// What a device is; the numbers are those of the contract.
    DeviceKind {
        /// A camera.
        Camera = 1,
        /// A one-key alarm.
        Alarm = 2,
        /// An intrusion detector.
        IntrusionDetector = 3,
        /// A gate that opens for those who may enter.
        AccessControl = 4,
        /// Bollards or a barrier.
        Barrier = 5,
        /// A video recorder.
        Recorder = 6,
        /// A patrol point reader.
        PatrolReader = 7,
    }
}

impl DeviceKind {
    /// The part of the protection that fails with it (rules 5.10, 5.13, 5.14).
    pub fn part(self) -> PartKind {
        match self {
            Self::Camera | Self::Recorder => PartKind::Video,
            Self::Alarm => PartKind::OneKeyAlarm,
            Self::IntrusionDetector => PartKind::KeyParts,
            Self::AccessControl | Self::Barrier => PartKind::Entrance,
            Self::PatrolReader => PartKind::Patrol,
        }
    }
}

/// Devices of one kind that were reported alike on the same civil day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Devices {
    /// What they are.
    pub kind: DeviceKind,
    /// They answered when they were asked last.
    pub online: bool,
    /// The day of the report.
    pub reported: NaiveDate,
    /// How many.
    pub count: u32,
}

impl Devices {
    /// Whether nobody has heard of them for more than `days` civil days: what they said then says nothing of today.
    pub fn silent(&self, days: u32, today: NaiveDate) -> bool {
        (today - self.reported).num_days() > i64::from(days)
    }
}
