//! What a caller is told when a call fails.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt::Display;
use std::time::Duration;

use proto::error::ErrorReason;
use sea_orm::{DbErr, RuntimeErr, SqlErr};
use tonic::{Code, Status};
use tonic_types::{
    BadRequest, ErrorDetail, ErrorInfo, FieldViolation, LocalizedMessage, RetryInfo, StatusExt,
};

use crate::catalogue;

/// At most this many fields are named in one answer, so that it fits into a header.
const MAX_VIOLATIONS: usize = 16;

type BoxError = Box<dyn StdError + Send + Sync>;

/// A failure as a caller sees it: a reason with its code and words, metadata, and the fields that
/// are wrong. The cause stays behind: it is logged once, when the answer is made, and never sent.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    reason: ErrorReason,
    metadata: Vec<(&'static str, String)>,
    violations: Vec<Violation>,
    retry_after: Option<Duration>,
    source: Option<BoxError>,
}

#[derive(Debug)]
struct Violation {
    field: String,
    zh: String,
    en: String,
}

impl Problem {
    /// A failure for `reason`; code and sentences come from the catalogue.
    pub fn new(reason: ErrorReason) -> Self {
        Self(Box::new(Inner {
            reason,
            metadata: Vec::new(),
            violations: Vec::new(),
            retry_after: None,
            source: None,
        }))
    }

    /// Nothing that the caller may see has this name.
    pub fn not_found(name: impl Display) -> Self {
        Self::new(ErrorReason::NotFound).meta("name", name)
    }

    /// One field is wrong.
    pub fn invalid(field: impl Into<String>, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(ErrorReason::InvalidField).field(field, zh, en)
    }

    /// Adds metadata; it also fills `{key}` in the sentences. Never personal data.
    #[must_use]
    pub fn meta(mut self, key: &'static str, value: impl Display) -> Self {
        self.0.metadata.push((key, value.to_string()));
        self
    }

    /// Adds a field that is wrong, with a sentence in each language.
    #[must_use]
    pub fn field(
        mut self,
        field: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        if self.0.violations.len() < MAX_VIOLATIONS {
            let violation = Violation {
                field: field.into(),
                zh: zh.into(),
                en: en.into(),
            };
            self.0.violations.push(violation);
        }
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn source(mut self, cause: impl Into<BoxError>) -> Self {
        self.0.source = Some(cause.into());
        self
    }

    /// Tells the caller when to try again.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// The machine-readable reason.
    pub fn reason(&self) -> ErrorReason {
        self.0.reason
    }

    /// The gRPC code.
    pub fn code(&self) -> Code {
        catalogue::entry(self.0.reason).code
    }

    /// Whether any field was named as wrong.
    pub fn names_fields(&self) -> bool {
        !self.0.violations.is_empty()
    }

    /// Every field named as wrong, with its Chinese sentence.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .violations
            .iter()
            .map(|violation| (&*violation.field, &*violation.zh))
    }

    /// The Chinese sentence with its placeholders filled.
    pub fn chinese(&self) -> String {
        self.fill(catalogue::entry(self.0.reason).zh)
    }

    fn fill(&self, sentence: &str) -> String {
        let mut filled = sentence.to_owned();
        for (key, value) in &self.0.metadata {
            filled = filled.replace(&format!("{{{key}}}"), value);
        }
        filled
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.fill(catalogue::entry(self.0.reason).en))
    }
}

impl StdError for Problem {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|cause| cause as &(dyn StdError + 'static))
    }
}

impl From<Problem> for Status {
    fn from(problem: Problem) -> Self {
        let code = problem.code();
        log(&problem, code);
        let reason = problem
            .0
            .reason
            .as_str_name()
            .trim_start_matches("ERROR_REASON_");
        let mut message = problem.to_string();
        for violation in &problem.0.violations {
            message.push_str(&format!("; {}: {}", violation.field, violation.en));
        }
        let (zh, en) = (problem.chinese(), problem.to_string());
        let Inner {
            reason: number,
            metadata,
            violations,
            retry_after,
            source: _,
        } = *problem.0;
        let metadata: HashMap<String, String> = metadata
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        let mut details: Vec<ErrorDetail> =
            vec![ErrorInfo::new(reason, catalogue::domain(number), metadata).into()];
        if !violations.is_empty() {
            let violations = violations
                .into_iter()
                .map(|violation| FieldViolation::new(violation.field, violation.zh))
                .collect::<Vec<_>>();
            details.push(BadRequest::new(violations).into());
        }
        if let Some(delay) = retry_after {
            details.push(RetryInfo::new(Some(delay)).into());
        }
        details.push(LocalizedMessage::new("zh-CN", zh).into());
        details.push(LocalizedMessage::new("en", en).into());
        Status::with_error_details_vec(code, message, details)
    }
}

/// Logs the chain of causes of a fault of ours; a caller's mistake is only traced.
fn log(problem: &Problem, code: Code) {
    let mut chain = String::new();
    let mut cause = StdError::source(problem);
    while let Some(err) = cause {
        chain.push_str(&format!(": {err}"));
        cause = err.source();
    }
    let reason = problem.0.reason.as_str_name();
    match code {
        Code::Internal | Code::Unknown | Code::DataLoss => {
            tracing::error!(reason, "call failed{chain}");
        }
        Code::Unavailable | Code::ResourceExhausted => {
            tracing::warn!(reason, "call refused{chain}");
        }
        _ => tracing::debug!(reason, "call answered with an error{chain}"),
    }
}

impl From<DbErr> for Problem {
    fn from(err: DbErr) -> Self {
        let problem = Problem::new(reason_of(&err));
        let problem = match problem.reason() {
            ErrorReason::Overloaded => problem.retry_after(Duration::from_secs(1)),
            _ => problem,
        };
        problem.source(err)
    }
}

/// Whether the same transaction may succeed when it is tried again.
pub fn is_transient(err: &DbErr) -> bool {
    matches!(
        reason_of(err),
        ErrorReason::Conflict | ErrorReason::Unavailable
    )
}

fn reason_of(err: &DbErr) -> ErrorReason {
    use sea_orm::sqlx::Error as Sqlx;
    if let Some(SqlErr::UniqueConstraintViolation(_)) = err.sql_err() {
        return ErrorReason::Conflict;
    }
    let (DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))) = err
    else {
        return match err {
            DbErr::ConnectionAcquire(_) => ErrorReason::Overloaded,
            _ => ErrorReason::Internal,
        };
    };
    match &**cause {
        Sqlx::PoolTimedOut => ErrorReason::Overloaded,
        Sqlx::PoolClosed | Sqlx::Io(_) | Sqlx::WorkerCrashed => ErrorReason::Unavailable,
        Sqlx::Database(database) => match database.code().as_deref() {
            // PostgreSQL: serialization failure, deadlock, lock timeout; SQLite: busy, locked.
            Some("40001" | "40P01" | "55P03" | "5" | "6" | "261" | "517") => ErrorReason::Conflict,
            // PostgreSQL: the server is stopping or starting, or has no connection left.
            Some("57P01" | "57P02" | "57P03" | "53300") => ErrorReason::Unavailable,
            // PostgreSQL: disk full; SQLite: full.
            Some("53100" | "13") => ErrorReason::StorageFull,
            _ => ErrorReason::Internal,
        },
        _ => ErrorReason::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_answers_with_reason_words_and_fields() {
        let problem = Problem::new(ErrorReason::NotFound).meta("name", "students/1");
        let status = Status::from(problem.field("name", "没有这个人", "nobody"));
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(status.message(), "students/1 not found; name: nobody");
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "NOT_FOUND");
        assert_eq!(
            details.bad_request().unwrap().field_violations[0].field,
            "name"
        );
        let localized: Vec<_> = status
            .get_error_details_vec()
            .into_iter()
            .filter_map(|detail| match detail {
                ErrorDetail::LocalizedMessage(message) => Some((message.locale, message.message)),
                _ => None,
            })
            .collect();
        let words = |locale: &str, text: &str| (locale.to_owned(), text.to_owned());
        assert_eq!(
            localized,
            [
                words("zh-CN", "未找到 students/1"),
                words("en", "students/1 not found")
            ]
        );
    }

    #[test]
    fn the_cause_never_leaves() {
        let problem = Problem::from(DbErr::Custom("SELECT secret".to_owned()));
        let status = Status::from(problem);
        assert_eq!(status.code(), Code::Internal);
        assert!(!format!("{status:?}").contains("secret"));
    }
}
