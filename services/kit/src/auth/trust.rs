//! Who is trusted at one moment, and how that follows what issuers and operators change.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ed25519_dalek::SigningKey;
use tokio::sync::watch;

use super::algorithms::TokenAlgorithm;
use super::config::{AuthConfig, default_audience, default_issuer};
use super::exchange::{INTERNAL_AUDIENCE, INTERNAL_ISSUER};
use super::gateway_keys;
use super::issuer::{DEVELOPMENT_KEY, DEVELOPMENT_KEY_ID};
use super::jwks::JwksUrl;
use super::keys::{Key, Keys, MAX_KEY_SET, key_set};
use super::partners::{MAX_AGREEMENTS, Partners};
use super::revoked::{MAX_LIST, Revoked};
use crate::telemetry::figures::Name;
use crate::watched::Watched;

/// The key of the file of the gateway's keys.
const GATEWAY_KEYS_FILE: &str = "auth.gateway_keys_file";
/// The key of the file of agreements.
const PARTNERS_FILE: &str = "auth.partners_file";
const FAULTY: Name = Name::count(
    "campus.partners.file.faulty",
    "1 while the file of agreements with partners cannot be used, so that what was read last counts",
);

/// Whose keys they are, and so what their tokens may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The issuer of the settings.
    Configured,
    /// The development issuer.
    Development,
    /// The gateway, which vouches for callers with a certificate.
    Gateway,
}

/// An issuer.
#[derive(Clone)]
pub(super) struct Issuing {
    pub(super) kind: Kind,
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) keys: Keys,
}

/// Who is trusted at one moment.
#[derive(Clone, Default)]
pub(super) struct Trust {
    issuers: Vec<Issuing>,
    pub(super) revoked: Arc<Revoked>,
    pub(super) partners: Arc<Partners>,
}

impl Trust {
    /// The issuers that have a key of this id, with it.
    pub(super) fn keys<'a>(
        &'a self,
        id: &'a str,
    ) -> impl Iterator<Item = (&'a Issuing, &'a Key)> + 'a {
        let issuers = self.issuers.iter();
        issuers.filter_map(move |issuer| Some((issuer, issuer.keys.get(id)?)))
    }

    /// Whether a key is still one of those.
    pub(super) fn has(&self, print: &[u8; 32]) -> bool {
        let mut keys = self.issuers.iter().flat_map(|issuer| issuer.keys.values());
        keys.any(|key| key.print == *print)
    }
}

/// Where keys, what was called back and agreements come from.
pub(super) struct Sources {
    state: Mutex<State>,
    algorithms: Vec<TokenAlgorithm>,
    /// The agreements of the settings.
    settled: Partners,
    production: bool,
    /// The file of agreements cannot be used.
    faulty: Arc<AtomicBool>,
    pub(super) url: Option<JwksUrl>,
    current: watch::Sender<Arc<Trust>>,
}

struct State {
    issuers: Vec<Issuing>,
    fixed: Keys,
    jwks: Option<Watched>,
    from_file: Keys,
    from_url: Option<Keys>,
    gateway: Option<Watched>,
    /// The keys of the gateway.
    vouching: Keys,
    list: Option<Watched>,
    revoked: Arc<Revoked>,
    agreements: Option<Watched>,
    partners: Arc<Partners>,
}

impl Sources {
    /// Reads the keys and files of the settings.
    ///
    /// # Errors
    /// When one cannot be used; the text begins with the key.
    pub(super) fn new(config: &AuthConfig) -> Result<Self, String> {
        let fixed = config.keys.iter().map(|(id, key)| {
            let key = Key::ed25519_base64(key)
                .ok_or_else(|| format!("auth.keys.{id}: not an Ed25519 public key"))?;
            Ok((id.clone(), key))
        });
        let settled = config.agreements()?;
        let state = State {
            issuers: issuers(config),
            fixed: fixed.collect::<Result<_, String>>()?,
            jwks: watched(config.jwks_file.as_deref(), MAX_KEY_SET),
            from_file: Keys::new(),
            from_url: None,
            gateway: watched(config.gateway_keys_file.as_deref(), MAX_KEY_SET),
            vouching: gateway_keys::listed(&config.gateway_keys)?,
            list: watched(config.revoked_file.as_deref(), MAX_LIST),
            revoked: Arc::default(),
            agreements: watched(config.partners_file.as_deref(), MAX_AGREEMENTS),
            partners: Arc::new(settled.clone()),
        };
        let url = config
            .jwks_url
            .as_deref()
            .map(|url| JwksUrl::new(url, config.jwks_ca_file.clone(), &config.algorithms));
        let sources = Self {
            state: Mutex::new(state),
            algorithms: config.algorithms.clone(),
            settled,
            production: config.production,
            faulty: Arc::default(),
            url,
            current: watch::Sender::default(),
        };
        sources.look()?;
        Ok(sources)
    }

    /// Who is trusted now.
    pub(super) fn current(&self) -> Arc<Trust> {
        self.current.borrow().clone()
    }

    /// Tells of each change.
    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<Trust>> {
        self.current.subscribe()
    }

    /// Whether the issuer of the settings has not told its keys yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.url.is_some() && self.lock().from_url.is_none()
    }

    /// Asks the issuer of the settings for its keys, and takes them in place of those from before. Whether it
    /// told any.
    pub(super) async fn ask(&self) -> bool {
        let told = match &self.url {
            Some(url) => url.ask().await,
            None => None,
        };
        let answered = told.is_some();
        if let Some(keys) = told {
            self.take(keys);
        }
        answered
    }

    fn take(&self, keys: Keys) {
        let mut state = self.lock();
        state.from_url = Some(keys);
        self.publish(&state);
    }

    /// Tells operators whether the file of agreements can be used, where there is one.
    pub(super) fn tell(&self) {
        if self.lock().agreements.is_some() {
            let faulty = self.faulty.clone();
            let read = move || Some(f64::from(u8::from(faulty.load(Ordering::Relaxed))));
            FAULTY.read([("file", PARTNERS_FILE)], read);
        }
    }

    /// Whether the file of agreements cannot be used.
    #[cfg(test)]
    pub(super) fn is_faulty(&self) -> bool {
        self.faulty.load(Ordering::Relaxed)
    }

    /// Reads the files that changed. What cannot be used leaves what was read last in force.
    ///
    /// # Errors
    /// Names the key of a file that cannot be used.
    pub(super) fn look(&self) -> Result<(), String> {
        let state = &mut *self.lock();
        let (file, keys) = (&mut state.jwks, &mut state.from_file);
        let keys = look_at((file, "auth.jwks_file"), keys, |bytes| {
            key_set(bytes, &self.algorithms)
        });
        let (file, vouching) = (&mut state.gateway, &mut state.vouching);
        let vouching = look_at((file, GATEWAY_KEYS_FILE), vouching, gateway_keys::read);
        let (file, revoked) = (&mut state.list, &mut state.revoked);
        let revoked = look_at((file, "auth.revoked_file"), revoked, |bytes| {
            Revoked::read(bytes).map(Arc::new)
        });
        let (file, partners) = (&mut state.agreements, &mut state.partners);
        let partners = look_at((file, PARTNERS_FILE), partners, |bytes| {
            let all = self.settled.and(Partners::read(bytes, self.production)?)?;
            Ok(Arc::new(all))
        });
        if vouching == Ok(true) {
            let count = state.vouching.len();
            tracing::info!(count, "keys of the gateway were read");
        }
        if partners == Ok(true) {
            let count = state.partners.count();
            tracing::info!(count, "agreements with partners were read");
        }
        let failing = state.agreements.as_ref().is_some_and(Watched::is_failing);
        self.faulty.store(failing, Ordering::Relaxed);
        let first = self.current.borrow().issuers.is_empty();
        let looked = [keys, vouching, revoked, partners];
        if first || looked.contains(&Ok(true)) {
            self.publish(state);
        }
        looked.into_iter().try_for_each(|one| one.map(drop))
    }

    fn publish(&self, state: &State) {
        let mut issuers = state.issuers.clone();
        for issuer in &mut issuers {
            match issuer.kind {
                Kind::Configured => {
                    let told = state.from_url.clone();
                    issuer.keys.extend(told.unwrap_or_default());
                    issuer.keys.extend(state.from_file.clone());
                    issuer.keys.extend(state.fixed.clone());
                }
                Kind::Gateway => issuer.keys.clone_from(&state.vouching),
                Kind::Development => {}
            }
        }
        self.current.send_replace(Arc::new(Trust {
            issuers,
            revoked: state.revoked.clone(),
            partners: state.partners.clone(),
        }));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn watched(file: Option<&Path>, most: u64) -> Option<Watched> {
    file.map(|file| Watched::new(file, most))
}

/// Puts what the file of a key says in place of `last` where it says something else than before. Whether it does.
fn look_at<T>(
    (file, key): (&mut Option<Watched>, &str),
    last: &mut T,
    read: impl Fn(&[u8]) -> Result<T, String>,
) -> Result<bool, String> {
    let Some(file) = file else { return Ok(false) };
    let changed = file.changed().map_err(|err| err.to_string());
    let read = changed.and_then(|bytes| bytes.map(|bytes| read(&bytes)).transpose());
    match read {
        Ok(Some(read)) => {
            file.used();
            *last = read;
            Ok(true)
        }
        Ok(None) => Ok(false),
        Err(fault) => {
            file.complain(key, &fault);
            Err(format!("{key}: {fault}"))
        }
    }
}

/// The issuers without the keys that may change.
fn issuers(config: &AuthConfig) -> Vec<Issuing> {
    let mut issuers = vec![Issuing {
        kind: Kind::Configured,
        issuer: config.issuer.clone(),
        audience: config.audience.clone(),
        keys: Keys::new(),
    }];
    if config.development && !config.production {
        let public = SigningKey::from_bytes(&DEVELOPMENT_KEY).verifying_key();
        let key = Key::ed25519(public.as_bytes());
        issuers.push(Issuing {
            kind: Kind::Development,
            issuer: default_issuer(),
            audience: default_audience(),
            keys: key
                .map(|key| (DEVELOPMENT_KEY_ID.to_owned(), key))
                .into_iter()
                .collect(),
        });
    }
    issuers.push(Issuing {
        kind: Kind::Gateway,
        issuer: INTERNAL_ISSUER.to_owned(),
        audience: INTERNAL_AUDIENCE.to_owned(),
        keys: Keys::new(),
    });
    issuers
}
