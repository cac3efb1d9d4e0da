//! The steps of a job: the only thing that is stored of it, and only added to.

use serde::{Deserialize, Serialize};

/// In which capacity somebody approves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// For the bureau that gathered the data.
    Bureau,
    /// As the security administrator.
    Security,
}

/// A category that is kept, and by which law.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// The service that keeps it.
    pub service: String,
    /// The category.
    pub category: String,
    /// The law and the reason.
    pub legal_reason: String,
}

/// What became of one category.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryReport {
    /// The category.
    pub category: String,
    /// Whether it was kept.
    pub kept: bool,
    /// How many records were destroyed.
    pub destroyed: i64,
    /// How many records were sealed under another key.
    pub resealed: i64,
    /// How many destroyed records an old backup still shows.
    pub exposed: i64,
    /// How many records a count found afterwards.
    pub remaining: i64,
}

/// What one service destroyed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The service.
    pub service: String,
    /// Each of its categories.
    pub categories: Vec<CategoryReport>,
    /// The fingerprint of the key's secret; empty when there was none.
    pub key_fingerprint: String,
    /// When the key was deleted, in milliseconds since 1970; none when there was none.
    pub key_destroyed: Option<i64>,
    /// How many copied values were tried after the deletion.
    pub sampled: i64,
    /// How many of them opened.
    pub opened: i64,
    /// When the service had finished, in milliseconds since 1970.
    pub finished: i64,
}

impl Report {
    /// Whether it says that nothing is left: each category of the service is told, nothing of one
    /// that is not kept remains, and no sample opened.
    pub fn complete(&self) -> bool {
        let told = |category: &&str| {
            let mut found = self.categories.iter();
            found.any(|told| told.category == **category && (told.kept || told.remaining == 0))
        };
        let mut services = super::SERVICES.iter();
        let known = services.find(|(service, _)| *service == self.service);
        known.is_some_and(|(_, categories)| categories.iter().all(told)) && self.opened == 0
    }

    /// How many destroyed records old backups still show.
    pub fn exposed(&self) -> i64 {
        self.categories.iter().map(|told| told.exposed).sum()
    }
}

/// What was found about backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// They are kept; the secret of the key stands in none of them.
    KeyAbsent,
    /// Those from before the destruction are deleted.
    Deleted,
}

/// What somebody found about one kind of backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupCheck {
    /// Which.
    pub backup: String,
    /// What was found.
    pub finding: Finding,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Step {
    /// Somebody wants it.
    Proposed {
        /// Why.
        reason: String,
    },
    /// It is known what is kept.
    Assessed {
        /// What.
        keeps: Vec<Keep>,
        /// The assessment.
        statement: String,
    },
    /// One person agreed.
    Approved {
        /// In which capacity.
        capacity: Capacity,
    },
    /// It was refused.
    Rejected {
        /// Why.
        reason: String,
    },
    /// It was taken back.
    Withdrawn {
        /// Why.
        reason: String,
    },
    /// It runs.
    Started,
    /// A service finished.
    Reported {
        /// What it did.
        report: Report,
    },
    /// Nothing was found left.
    Confirmed {
        /// What was found about backups.
        checks: Vec<BackupCheck>,
        /// How counts and samples were looked at.
        statement: String,
    },
    /// The certificate is signed.
    Certified,
}

impl Step {
    /// The word for people and for the manifest.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Proposed { .. } => "PROPOSED",
            Self::Assessed { .. } => "ASSESSED",
            Self::Approved { .. } => "APPROVED",
            Self::Rejected { .. } => "REJECTED",
            Self::Withdrawn { .. } => "WITHDRAWN",
            Self::Started => "STARTED",
            Self::Reported { .. } => "REPORTED",
            Self::Confirmed { .. } => "CONFIRMED",
            Self::Certified => "CERTIFIED",
        }
    }
}

/// A step, who took it, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The subject of the token.
    pub actor: String,
    /// Milliseconds since 1970.
    pub time: i64,
    /// What was done.
    #[serde(flatten)]
    pub step: Step,
}
