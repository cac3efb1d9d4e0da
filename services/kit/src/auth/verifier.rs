//! Finds out who calls, from a token, a certificate, or both.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use moka::sync::Cache;
use proto::error::ErrorReason;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::asking::{Asking, Question};
use super::config::AuthConfig;
use super::session::{RETRY, Refusal, Rules, Session, Shown, invalid, key_is_gone, stands};
use super::trust::{Sources, Trust};
use super::{Agreement, algorithms};
use crate::clock::Clock;
use crate::drain::Drain;
use crate::server::Latch;
use crate::status::Problem;
use crate::telemetry::figures::{Beat, Name};
use crate::watched::LOOK_EVERY;

/// The header of an answer that says of a call which was not let in that its key may be one of the issuer's, who
/// was not asked for it yet: whoever passed the call on knows that the service is well.
pub const ISSUER_AWAITED: &str = "x-campus-issuer-awaited";

const KEYS: Name = Name::seconds(
    "campus.issuer.keys.age",
    "How long ago the issuer told its keys",
);
/// How many callers are remembered as verified.
const REMEMBERED: u64 = 20_000;
/// Of how many tokens with keys that nobody knew it is remembered when they came.
const UNKNOWN: u64 = 4_096;
/// An issuer that did not answer is asked again after this.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// A caller waits for so many questions to the issuer at most: one that began before it came, and the next.
const QUESTIONS: usize = 2;
/// A stream looks at the clock at least this often.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Verifies who calls; what was verified is remembered until it ends. Clones share everything.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    rules: Rules,
    /// How often the issuer is asked.
    refresh: Duration,
    sources: Sources,
    asking: Arc<Asking>,
    clock: Arc<dyn Clock>,
    verified: Cache<[u8; 32], Arc<Session>>,
    /// What was shown with a key that nobody knew, and how many questions to the issuer had begun when it first
    /// came: it is refused once a later one was answered.
    unknown: Cache<[u8; 32], u64>,
    /// When the issuer told its keys last; none before somebody wants to know.
    told: OnceLock<Beat>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

/// Nobody knows yet whether the key is one of the issuer's; after `wait` it may be asked.
fn unavailable(wait: Duration) -> Problem {
    Problem::new(ErrorReason::Unavailable).retry_after(wait)
}

impl Verifier {
    /// Takes whom `config` names.
    ///
    /// # Errors
    /// When a setting cannot be used; the text begins with the key.
    pub fn new(config: &AuthConfig, clock: Arc<dyn Clock>) -> Result<Self, String> {
        algorithms::install();
        Ok(Self(Arc::new(Inner {
            rules: Rules::new(config)?,
            refresh: config.jwks_refresh,
            sources: Sources::new(config)?,
            asking: Asking::new(config.jwks_pause),
            clock,
            verified: Cache::new(REMEMBERED),
            unknown: Cache::new(UNKNOWN),
            told: OnceLock::new(),
        })))
    }

    /// Tells how old the keys of the issuer are as those of `service`, where there is one who is asked for them.
    pub(crate) fn observe(&self, service: &'static str) {
        if self.0.sources.url.is_some() {
            self.0
                .told
                .get_or_init(|| KEYS.beats([("service", service)]));
        }
    }

    /// Whether the issuer has yet to tell its keys.
    pub(crate) fn is_waiting(&self) -> bool {
        self.0.sources.is_waiting()
    }

    /// Follows what issuers and operators change, until the drain. Lets `latch` go once the issuer
    /// has told its keys.
    pub(crate) async fn keep(self, mut latch: Option<Latch>, drain: Drain) {
        let mut next = Instant::now();
        self.0.sources.tell();
        while !drain.is_draining() {
            let verifier = self.clone();
            // What cannot be used was told in the log; the rest goes on.
            let _ = tokio::task::spawn_blocking(move || verifier.0.sources.look()).await;
            if self.0.sources.url.is_some() && Instant::now() >= next {
                let refresh = self.0.refresh;
                let (question, number) = self.0.asking.in_time();
                if let Some(question) = question {
                    self.ask(question);
                }
                let told = self.0.asking.until_over(number).await;
                next = Instant::now()
                    + if told {
                        refresh
                    } else {
                        refresh.min(ASK_AGAIN)
                    };
                if !self.is_waiting() {
                    latch.take();
                }
            }
            drain.sleep(LOOK_EVERY).await;
        }
    }

    /// Who calls.
    ///
    /// # Errors
    /// TOKEN_INVALID, TOKEN_EXPIRED, PARTNER_UNKNOWN or SECOND_FACTOR_REQUIRED; or that the issuer
    /// is to be asked for the key.
    pub(crate) fn admit(&self, shown: Shown<'_>) -> Result<Arc<Session>, Refusal> {
        let now = self.0.clock.now();
        let trust = self.0.sources.current();
        let agreement = agreed(&trust, shown);
        let digest = digest(shown, agreement);
        let session = match self.0.verified.get(&digest) {
            Some(session) => session,
            None => {
                let mut session = self.0.rules.read(shown, agreement, &trust, now)?;
                session.digest = digest;
                let session = Arc::new(session);
                self.0.verified.insert(digest, session.clone());
                session
            }
        };
        if let Err(problem) = stands(&session, &trust, now) {
            self.0.verified.invalidate(&digest);
            if key_is_gone(&session, &trust) {
                // It came before the issuer took the key away.
                self.0.unknown.insert(digest, 0);
            }
            return Err(problem.into());
        }
        if session.second_factor_missing {
            return Err(Problem::new(ErrorReason::SecondFactorRequired).into());
        }
        Ok(session)
    }

    /// Who calls with a key of the id `key`, which nobody knew here: waits for a question to the issuer that is
    /// under way or may be asked now.
    ///
    /// # Errors
    /// As [`Verifier::admit`], TOKEN_INVALID only once the issuer has answered a question that began after what
    /// is shown first came; UNAVAILABLE, with the time after which it may be asked, where it was not asked or is away.
    pub(crate) async fn ask_and_admit(
        &self,
        shown: Shown<'_>,
        key: &str,
    ) -> Result<Arc<Session>, Problem> {
        let asking = &self.0.asking;
        let begun = asking.begun();
        let trust = self.0.sources.current();
        let digest = digest(shown, agreed(&trust, shown));
        let came = self.0.unknown.get_with(digest, || begun);
        for _ in 0..QUESTIONS {
            let (question, turn) = asking.turn(key, Instant::now());
            if let Some(question) = question {
                self.ask(question);
            }
            let wait = match turn {
                Ok(waiting) => {
                    waiting.over().await;
                    None
                }
                Err(wait) => Some(wait),
            };
            // Looked at before the keys: an answer that comes in between brings keys that were not looked at.
            let answered = asking.answered_since(came);
            match self.admit(shown) {
                Ok(session) => return Ok(session),
                Err(Refusal::Final(problem)) => return Err(problem),
                Err(Refusal::UnknownKey(_)) if answered => return Err(invalid()),
                Err(Refusal::UnknownKey(_)) => {}
            }
            if let Some(wait) = wait {
                return Err(unavailable(wait));
            }
        }
        let wait = asking.left(Instant::now());
        Err(unavailable(wait.max(RETRY)))
    }

    /// Asks the issuer, whoever waits for it: nobody who goes away breaks a question off.
    fn ask(&self, question: Question) {
        let verifier = self.clone();
        tokio::spawn(async move {
            if verifier.0.sources.ask().await {
                if let Some(told) = verifier.0.told.get() {
                    told.now();
                }
                question.answered();
            }
        });
    }

    /// Waits until the caller's credentials have ended or were called back, and says why.
    pub(crate) async fn ended(self, session: Arc<Session>) -> Problem {
        let mut changes = self.0.sources.subscribe();
        loop {
            let trust = changes.borrow_and_update().clone();
            let now = self.0.clock.now();
            if let Err(problem) = stands(&session, &trust, now) {
                return problem;
            }
            let end = session.ends.saturating_add(session.skew).saturating_add(1);
            let left = end
                .saturating_mul(1000)
                .saturating_sub(now.timestamp_millis());
            let left = Duration::from_millis(left.max(1).unsigned_abs()).min(LONGEST_WAIT);
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                // The verifier lives as long as this.
                _ = changes.changed() => {}
            }
        }
    }
}

/// The agreement with the partner whose certificate is shown.
fn agreed<'a>(trust: &'a Trust, shown: Shown<'_>) -> Option<&'a Arc<Agreement>> {
    trust.partners.find(shown.certificate?)
}

/// Tells what is shown, and the agreement that it is judged by, from everything else that might be.
fn digest(shown: Shown<'_>, agreement: Option<&Arc<Agreement>>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(agreement.map_or([0; 32], |agreement| agreement.print));
    match shown.certificate {
        Some(certificate) => hash.update(certificate.thumbprint),
        None => hash.update([0; 32]),
    }
    // No token and an empty one are not the same.
    hash.update([u8::from(shown.token.is_some())]);
    hash.update(shown.token.unwrap_or_default());
    hash.finalize().into()
}

#[cfg(test)]
#[path = "verifier_tests.rs"]
mod tests;
