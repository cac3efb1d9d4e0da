//! Silences: times in which alerts of some kinds are not told.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::alert::Alert;
use super::fact::{Kind, Severity};
use super::place::contains;

/// The longest silence.
pub const LONGEST: Duration = Duration::days(7);

/// A time in which alerts of some kinds at and below a place are not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// The organisation id.
    pub organization: String,
    /// The id.
    pub id: Uuid,
    /// The place in the tree.
    pub org_path: String,
    /// Of which kinds.
    pub kinds: Vec<Kind>,
    /// Why.
    pub reason: String,
    /// The subject of the token of the one who asked for it.
    pub author: String,
    /// From when on.
    pub created: DateTime<Utc>,
    /// Until when.
    pub expires: DateTime<Utc>,
    /// Who ended it early, and when.
    pub ended: Option<(String, DateTime<Utc>)>,
}

impl Silence {
    /// The resource name.
    pub fn name(&self) -> String {
        let Self {
            organization, id, ..
        } = self;
        format!("organizations/{organization}/silences/{}", id.hyphenated())
    }

    /// When it is over: at its time, or when somebody ended it.
    pub fn until(&self) -> DateTime<Utc> {
        let ended = self.ended.as_ref().map(|(_, time)| *time);
        ended.map_or(self.expires, |ended| ended.min(self.expires))
    }

    /// Whether it is over.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.until() <= now
    }

    /// Whether it keeps an alert from being told. Critical ones are never silenced.
    pub fn covers(&self, alert: &Alert, now: DateTime<Utc>) -> bool {
        !self.is_over(now)
            && alert.severity < Severity::Critical
            && self.kinds.contains(&alert.kind)
            && contains(&self.org_path, &alert.org_path)
    }

    /// Ends it before its time; one that is over stays as it is.
    #[must_use]
    pub fn end(self, subject: &str, now: DateTime<Utc>) -> Self {
        if self.is_over(now) {
            return self;
        }
        Self {
            ended: Some((subject.to_owned(), now)),
            ..self
        }
    }
}
