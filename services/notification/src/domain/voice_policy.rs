//! The numbers of a policy profile by which concerns, support and care are kept in time.

use chrono::Duration;
use serde::{Deserialize, Serialize};

use super::care::Kind;
use super::support::Grade;

/// The part of a policy profile that concerns, support and care need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VoicePolicy {
    /// A concern is sorted out within so many working days.
    pub acknowledge_days: u32,
    /// A concern is answered within so many working days.
    pub answer_days: u32,
    /// The same for one that presses.
    pub urgent_answer_days: u32,
    /// The next contact in a RED case, in seconds.
    pub red_seconds: i64,
    /// The same in an ORANGE one.
    pub orange_seconds: i64,
    /// The same in a YELLOW one.
    pub yellow_seconds: i64,
    /// The same in a BLUE one.
    pub blue_seconds: i64,
    /// Lessons have reached a pupil at home by this minute of the civil day.
    pub lessons_minute: i64,
    /// Exercise was done by this minute.
    pub exercise_minute: i64,
    /// Somebody has asked how the pupil is by this minute.
    pub call_minute: i64,
    /// Counts below it are hidden.
    pub privacy_k: u32,
}

const DAY: i64 = 86_400;

impl Default for VoicePolicy {
    /// The shipped profile `fuzhou-2022-04`: what holds where a profile says nothing.
    fn default() -> Self {
        Self {
            acknowledge_days: 1,
            answer_days: 15,
            urgent_answer_days: 5,
            red_seconds: DAY,
            orange_seconds: 7 * DAY,
            yellow_seconds: 14 * DAY,
            blue_seconds: 30 * DAY,
            lessons_minute: 18 * 60,
            exercise_minute: 20 * 60,
            call_minute: 20 * 60,
            privacy_k: 10,
        }
    }
}

impl VoicePolicy {
    /// How soon the next contact in a case of this grade is due (rule 5.42).
    pub fn contact_within(&self, grade: Grade) -> Duration {
        Duration::seconds(match grade {
            Grade::Red => self.red_seconds,
            Grade::Orange => self.orange_seconds,
            Grade::Yellow => self.yellow_seconds,
            Grade::Blue => self.blue_seconds,
        })
    }

    /// From the beginning of a civil day until a care task of this kind is due.
    pub fn care_within(&self, kind: Kind) -> Duration {
        Duration::minutes(match kind {
            Kind::Lessons => self.lessons_minute,
            Kind::Exercise => self.exercise_minute,
            Kind::Call => self.call_minute,
        })
    }
}
