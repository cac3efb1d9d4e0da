//! What a caller is told when a call fails.

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt::Display;
use std::time::Duration;

use proto::error::ErrorReason;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlErr};
use tonic::{Code, Status};
use tonic_types::{
    BadRequest, ErrorDetail, ErrorInfo, FieldViolation, LocalizedMessage, RetryInfo, StatusExt,
};

use crate::catalogue;

/// What the names of reasons begin with in the contracts, and not in answers.
const PREFIX: &str = "ERROR_REASON_";
/// At most this many fields are named in one answer, so that it fits into a header.
const MAX_VIOLATIONS: usize = 16;
/// What is said of them takes up so much of the headers at most, in bytes: clients take 16 KiB in all.
const MAX_SAID: usize = 12 << 10;
/// Nothing that is said is longer, in bytes: some of it is what callers wrote.
const MAX_TEXT: usize = 1000;

type BoxError = Box<dyn StdError + Send + Sync>;

/// A failure as a caller sees it: a reason with its code and words, metadata, and the fields that
/// are wrong. The cause stays behind: it is logged once, when the answer is made, and never sent.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    reason: ErrorReason,
    metadata: Vec<(Cow<'static, str>, String)>,
    violations: Vec<Violation>,
    /// How much of the headers they take up.
    said: usize,
    retry_after: Option<Duration>,
    source: Option<BoxError>,
}

#[derive(Debug)]
struct Violation {
    field: String,
    zh: String,
    en: String,
}

impl Violation {
    /// How much of the headers it takes up at most, in bytes: the message has its field and its English
    /// sentence, with three bytes for what is neither a letter nor a digit; the details have its field and its
    /// Chinese sentence, in base64.
    fn said(&self) -> usize {
        let written = |text: &str| {
            let wide = text.bytes().filter(|byte| !byte.is_ascii_alphanumeric());
            text.len() + 2 * wide.count()
        };
        let details = self.field.len() + self.zh.len();
        written(&self.field) + written(&self.en) + details.div_ceil(3) * 4
    }
}

impl Problem {
    /// A failure for `reason`; code and sentences come from the catalogue.
    pub fn new(reason: ErrorReason) -> Self {
        Self(Box::new(Inner {
            reason,
            metadata: Vec::new(),
            violations: Vec::new(),
            said: 0,
            retry_after: None,
            source: None,
        }))
    }

    /// The problem that `status` tells of, without the fields that it names; none where it is in the transport's
    /// own words.
    pub fn told_by(status: &Status) -> Option<Self> {
        let details = status.get_error_details();
        let info = details.error_info()?;
        let reason = format!("{PREFIX}{}", info.reason);
        let mut problem = Self::new(ErrorReason::from_str_name(&reason)?);
        let metadata = info.metadata.iter();
        let metadata = metadata.map(|(key, value)| (key.clone().into(), value.clone()));
        problem.0.metadata = metadata.collect();
        problem.0.retry_after = details.retry_info().and_then(|info| info.retry_delay);
        Some(problem)
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
        self.0.metadata.push((key.into(), cut(value.to_string())));
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
        let violation = Violation {
            field: cut(field.into()),
            zh: cut(zh.into()),
            en: cut(en.into()),
        };
        let said = self.0.said + violation.said();
        if self.0.violations.len() < MAX_VIOLATIONS && said <= MAX_SAID {
            self.0.said = said;
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

/// The beginning of a text that is too long.
fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    text
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
        let reason = problem.0.reason.as_str_name().trim_start_matches(PREFIX);
        let mut message = problem.to_string();
        for violation in &problem.0.violations {
            message.push_str(&format!("; {}: {}", violation.field, violation.en));
        }
        let (zh, en) = (problem.chinese(), problem.to_string());
        let Inner {
            reason: number,
            metadata,
            violations,
            said: _,
            retry_after,
            source: _,
        } = *problem.0;
        let metadata: HashMap<String, String> = metadata
            .into_iter()
            .map(|(key, value)| (key.into_owned(), value))
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
            DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => ErrorReason::Unavailable,
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
            // PostgreSQL: the server is stopping or starting, has no connection left, or is a standby that only reads
            // as yet; SQLite: a file cannot be opened.
            Some("57P01" | "57P02" | "57P03" | "53300" | "25006" | "14") => {
                ErrorReason::Unavailable
            }
            // PostgreSQL: disk full; SQLite: full, also for the memory that connections share.
            Some("53100" | "13" | "4874") => ErrorReason::StorageFull,
            // PostgreSQL: a text with a character that it keeps in none, as U+0000.
            Some("22021" | "22P05") => ErrorReason::MessageMalformed,
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
    fn whatever_a_caller_wrote_the_answer_fits_into_the_headers_that_clients_take() {
        let long = "长".repeat(3_000);
        let missing = Problem::not_found(&long);
        let mut wrong = Problem::new(ErrorReason::InvalidField);
        for number in 0..40 {
            let en = format!("must be one of {}", "HAND_FOOT_MOUTH, ".repeat(number));
            wrong = wrong.field(format!("rules[{number}]"), long.clone(), en);
        }
        let one = Problem::invalid(long.clone(), long.clone(), long);
        for problem in [missing, wrong, one] {
            let named = problem.names_fields();
            let status = Status::from(problem);
            let headers = status.clone().into_http::<()>().into_parts().0.headers;
            let size = headers
                .iter()
                .map(|(name, value)| name.as_str().len() + value.len() + 32);
            assert!(size.sum::<usize>() < 16 << 10, "{status:?}");
            let told = status.get_error_details();
            assert!(told.error_info().is_some());
            assert_eq!(told.bad_request().is_some(), named);
        }
    }

    #[test]
    fn what_a_status_tells_is_told_on() {
        let delay = Duration::from_millis(200);
        let limited = Problem::new(ErrorReason::RateLimited).meta("limit", "/a.B/C");
        let status = Status::from(limited.retry_after(delay));
        let told = Problem::told_by(&status).unwrap();
        assert_eq!(told.reason(), ErrorReason::RateLimited);
        let again = Status::from(told);
        assert_eq!(again.message(), status.message());
        assert_eq!(again.details(), status.details());
        assert!(Problem::told_by(&Status::out_of_range("too large")).is_none());
    }

    #[test]
    fn the_cause_never_leaves() {
        let problem = Problem::from(DbErr::Custom("SELECT secret".to_owned()));
        let status = Status::from(problem);
        assert_eq!(status.code(), Code::Internal);
        assert!(!format!("{status:?}").contains("secret"));
    }
}
