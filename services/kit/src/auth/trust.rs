//! Who is trusted at one moment, and how that follows what issuers and operators change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ed25519_dalek::SigningKey;
use tokio::sync::watch;

use super::algorithms::TokenAlgorithm;
use super::config::{AuthConfig, default_audience, default_issuer};
use super::exchange::{INTERNAL_AUDIENCE, INTERNAL_ISSUER, gateway_key_id};
use super::issuer::{DEVELOPMENT_KEY, DEVELOPMENT_KEY_ID};
use super::jwks::JwksUrl;
use super::keys::{Key, Keys, MAX_KEY_SET, key_set};
use super::revoked::{MAX_LIST, Revoked};
use crate::watched::Watched;

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

/// Where keys and what was called back come from.
pub(super) struct Sources {
    state: Mutex<State>,
    algorithms: Vec<TokenAlgorithm>,
    pub(super) url: Option<JwksUrl>,
    current: watch::Sender<Arc<Trust>>,
}

struct State {
    issuers: Vec<Issuing>,
    fixed: Keys,
    jwks: Option<Watched>,
    from_file: Keys,
    from_url: Option<Keys>,
    list: Option<Watched>,
    revoked: Arc<Revoked>,
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
        let state = State {
            issuers: issuers(config)?,
            fixed: fixed.collect::<Result<_, String>>()?,
            jwks: config
                .jwks_file
                .as_deref()
                .map(|file| Watched::new(file, MAX_KEY_SET)),
            from_file: Keys::new(),
            from_url: None,
            list: config
                .revoked_file
                .as_deref()
                .map(|file| Watched::new(file, MAX_LIST)),
            revoked: Arc::default(),
        };
        let url = config
            .jwks_url
            .as_deref()
            .map(|url| JwksUrl::new(url, config.jwks_ca_file.clone(), &config.algorithms));
        let sources = Self {
            state: Mutex::new(state),
            algorithms: config.algorithms.clone(),
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

    /// Takes the keys that the issuer publishes now in place of those from before.
    pub(super) fn take(&self, keys: Keys) {
        let mut state = self.lock();
        state.from_url = Some(keys);
        self.publish(&state);
    }

    /// Reads the files that changed. What cannot be used leaves what was read last in force.
    ///
    /// # Errors
    /// Names the key of a file that cannot be used.
    pub(super) fn look(&self) -> Result<(), String> {
        let mut state = self.lock();
        let keys = look_at(&mut state.jwks, "auth.jwks_file", |bytes| {
            key_set(bytes, &self.algorithms)
        });
        let revoked = look_at(&mut state.list, "auth.revoked_file", Revoked::read);
        if let Ok(Some(keys)) = &keys {
            state.from_file.clone_from(keys);
        }
        let revoked = revoked.map(|read| read.map(Arc::new));
        if let Ok(Some(revoked)) = &revoked {
            state.revoked = revoked.clone();
        }
        let first = self.current.borrow().issuers.is_empty();
        if first || matches!(keys, Ok(Some(_))) || matches!(revoked, Ok(Some(_))) {
            self.publish(&state);
        }
        keys.map(drop).and(revoked.map(drop))
    }

    fn publish(&self, state: &State) {
        let mut issuers = state.issuers.clone();
        for issuer in &mut issuers {
            if issuer.kind == Kind::Configured {
                issuer
                    .keys
                    .extend(state.from_url.clone().unwrap_or_default());
                issuer.keys.extend(state.from_file.clone());
                issuer.keys.extend(state.fixed.clone());
            }
        }
        let revoked = state.revoked.clone();
        self.current
            .send_replace(Arc::new(Trust { issuers, revoked }));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a file says where it says something else than before.
fn look_at<T>(
    file: &mut Option<Watched>,
    key: &str,
    read: impl Fn(&[u8]) -> Result<T, String>,
) -> Result<Option<T>, String> {
    let Some(file) = file else { return Ok(None) };
    let changed = file.changed().map_err(|err| err.to_string());
    let read = changed.and_then(|bytes| bytes.map(|bytes| read(&bytes)).transpose());
    match &read {
        Ok(Some(_)) => file.used(),
        Ok(None) => {}
        Err(fault) => file.complain(key, fault),
    }
    read.map_err(|fault| format!("{key}: {fault}"))
}

/// The issuers without the keys that may change.
fn issuers(config: &AuthConfig) -> Result<Vec<Issuing>, String> {
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
    let mut keys = HashMap::new();
    for (place, text) in config.gateway_keys.iter().enumerate() {
        let key = Key::ed25519_base64(text)
            .ok_or_else(|| format!("auth.gateway_keys[{place}]: not an Ed25519 public key"))?;
        keys.insert(gateway_key_id(&key), key);
    }
    issuers.push(Issuing {
        kind: Kind::Gateway,
        issuer: INTERNAL_ISSUER.to_owned(),
        audience: INTERNAL_AUDIENCE.to_owned(),
        keys,
    });
    Ok(issuers)
}
