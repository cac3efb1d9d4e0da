//! Who decides what callers may do: the policies in force.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::fault::PolicyError;
use super::policies::Policies;
use super::source::{self, Source};
use super::words::WORDS;
use super::{AuthConfig, Caller, Permission, Role};
use crate::clock::{Clock, SystemClock};
use crate::drain::Drain;
use crate::org::OrgPath;

/// How often a folder of policies is read again.
const AGAIN: Duration = Duration::from_secs(2);

/// The policies of this release, for whoever names no others.
static SHIPPED: LazyLock<Authority> = LazyLock::new(|| {
    let policies = Policies::of_release(&source::shipped());
    let policies = policies.expect("the policies of the release can be read");
    Authority::of(policies, Arc::new(SystemClock))
});

/// Answers what callers may do, by Cedar policies: of this release, or from a folder that is read again
/// when it changes. Clones share the policies and what they answered.
#[derive(Clone)]
pub struct Authority(Arc<Shared>);

struct Shared {
    current: RwLock<Arc<Policies>>,
    clock: Arc<dyn Clock>,
    folder: Option<Folder>,
}

struct Folder {
    path: PathBuf,
    /// What was read last, whether or not it could be used.
    seen: Mutex<Vec<Source>>,
}

impl Default for Authority {
    /// The policies of this release.
    fn default() -> Self {
        SHIPPED.clone()
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (permitting, forbidding) = self.current().count();
        f.debug_struct("Authority")
            .field("permitting", &permitting)
            .field("forbidding", &forbidding)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Authority {
    /// Whether they answer by the same policies, not only by equal ones.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Authority {}

impl Authority {
    fn of(policies: Policies, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared {
            current: RwLock::new(Arc::new(policies)),
            clock,
            folder: None,
        }))
    }

    /// The policies that `config` names: those of a folder, else those of this release.
    ///
    /// # Errors
    /// When they cannot be read or are not valid; the error names the file and the line.
    pub fn load(config: &AuthConfig, clock: Arc<dyn Clock>) -> Result<Self, PolicyError> {
        // Reading the vocabulary takes a moment, which the first call should not wait for.
        LazyLock::force(&WORDS);
        let Some(path) = config.policies.clone() else {
            return Ok(Self::default());
        };
        let seen = source::folder(&path)?;
        Ok(Self(Arc::new(Shared {
            current: RwLock::new(Arc::new(Policies::read(&seen)?)),
            clock,
            folder: Some(Folder {
                path,
                seen: Mutex::new(seen),
            }),
        })))
    }

    /// Whether `role`, and nothing else, is enough for `permission` within its scope.
    pub fn grants(&self, role: Role, permission: Permission) -> bool {
        let caller = Caller {
            roles: vec![role],
            authority: self.clone(),
            ..Caller::default()
        };
        self.permit(&caller, permission, &caller.scope)
    }

    /// Whether `caller` may do `permission` at `at`.
    pub(super) fn permit(&self, caller: &Caller, permission: Permission, at: &OrgPath) -> bool {
        let now = || self.0.clock.now().timestamp();
        self.current().permit(caller, permission, at, now)
    }

    fn current(&self) -> Arc<Policies> {
        let current = self.0.current.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the folder again; says whether other policies are in force now.
    ///
    /// # Errors
    /// As [`Self::load`]: those in force stay.
    pub(crate) fn refresh(&self) -> Result<bool, PolicyError> {
        let Some(folder) = &self.0.folder else {
            return Ok(false);
        };
        let found = source::folder(&folder.path)?;
        let mut seen = folder.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == found {
            return Ok(false);
        }
        *seen = found;
        let policies = Arc::new(Policies::read(&seen)?);
        let current = self.0.current.write();
        *current.unwrap_or_else(PoisonError::into_inner) = policies;
        Ok(true)
    }

    /// Reads the folder again every two seconds until the drain. Policies that cannot be used are told
    /// once, and the last good ones stay.
    pub(crate) async fn keep_current(self, drain: Drain) {
        if self.0.folder.is_none() {
            return;
        }
        let mut told: Option<PolicyError> = None;
        let mut again = tokio::time::interval(AGAIN);
        again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = again.tick() => {}
                () = drain.draining() => return,
            }
            let authority = self.clone();
            let read = tokio::task::spawn_blocking(move || authority.refresh());
            match read.await {
                Ok(Ok(false)) => {}
                Ok(Ok(true)) => {
                    tracing::info!(policies = ?self, "policies changed");
                    told = None;
                }
                Ok(Err(err)) if told.as_ref() == Some(&err) => {}
                Ok(Err(err)) => {
                    tracing::error!(%err, "policies were refused, the last good ones stay");
                    told = Some(err);
                }
                Err(err) => tracing::error!(%err, "policies could not be read again"),
            }
        }
    }
}
