//! The ways out: how each channel is reached, what it may carry, and the shape of its requests.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::domain::attempt::BreakerRule;
use crate::domain::channel::Kind;

/// One way by which messages reach people.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelConfig {
    /// Its name in `channels/{id}`: 1 to 32 of `a-z`, `0-9` and `-`.
    pub id: String,
    /// How messages go out: `webhook`, `email`, `sms`, `wecom_robot`, `dingtalk_robot` or `cap`.
    pub kind: Kind,
    /// It leads to a sink that is no real one: exercises leave by it, and nothing else does.
    #[serde(default)]
    pub exercise: bool,
    /// Where the provider answers, for `sms`, `wecom_robot`, `dingtalk_robot` and `cap`: an `https`
    /// address. A webhook goes to the address of each recipient.
    #[serde(default)]
    pub url: Option<String>,
    /// The mail server, for `email`.
    #[serde(default)]
    pub smtp: Option<SmtpConfig>,
    /// The file with the secret: the key of the signatures of a webhook, the password of the mail
    /// server, `{secret}` in a request.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// The environment variable with the secret, in place of a file.
    #[serde(default)]
    pub secret_env: Option<String>,
    /// How many messages it carries in any minute, over all replicas; 0 for no limit.
    #[serde(default)]
    pub budget_per_minute: u32,
    /// How many of them go to the same address in any minute; 0 for no limit.
    #[serde(default)]
    pub address_budget_per_minute: u32,
    /// How long an attempt may take: 100 ms to 60 s.
    #[serde(default = "default_timeout", with = "humantime_serde")]
    pub timeout: Duration,
    /// How many attempts one replica makes at once: 1 to 64.
    #[serde(default = "default_concurrency")]
    pub concurrency: usize,
    /// How many attempts a delivery gets before it is a dead letter: 1 to 20.
    #[serde(default = "default_attempts")]
    pub attempts: u32,
    /// After so many failures in a row the provider is left alone.
    #[serde(default = "default_failures")]
    pub rest_after: u32,
    /// For so long the first time, then twice as long each time, up to 30 minutes.
    #[serde(default = "default_rest", with = "humantime_serde")]
    pub rest: Duration,
    /// PEM certificates of authorities that are trusted besides the public ones.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Webhooks may lead to addresses of the own network.
    #[serde(default)]
    pub private: bool,
    /// Nothing is encrypted and every address is good: for tests. Refused in production.
    #[serde(default)]
    pub insecure: bool,
    /// The request, for `sms`, `wecom_robot` and `dingtalk_robot`.
    #[serde(default)]
    pub request: Option<RequestConfig>,
    /// What an answer means. Without it, any of the statuses 200 to 299 is good.
    #[serde(default)]
    pub answer: Option<AnswerConfig>,
}

/// A mail server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Its name.
    pub host: String,
    /// Its port.
    #[serde(default = "default_port")]
    pub port: u16,
    /// `tls` from the first byte, `starttls`, or `none` where the channel is insecure.
    #[serde(default)]
    pub encryption: Encryption,
    /// Who logs in, with the secret as password; nobody when empty.
    #[serde(default)]
    pub user: String,
    /// The address from which mail comes.
    pub from: String,
}

/// How the way to a mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// From the first byte.
    #[default]
    Tls,
    /// From the command STARTTLS on, which must succeed.
    Starttls,
    /// Not at all.
    None,
}

/// A request of a provider. Texts have places: `{address}`, `{title}`, `{body}`, `{id}` (the same each
/// time the same message is sent), `{secret}`, `{timestamp}` and `{millis}` (since 1970), `{sign}`, and
/// `{address_secret}`, what stands behind the comma in the address of a robot. `{body:json}` is the
/// inside of a JSON text; braces are written `{{` and `}}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestConfig {
    /// `POST`, `PUT` or `GET`.
    #[serde(default = "default_method")]
    pub method: String,
    /// What is added to the path of `url`.
    #[serde(default)]
    pub path: String,
    /// Names and values in the query.
    #[serde(default)]
    pub query: Vec<(String, String)>,
    /// Names and values of headers.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The body as JSON; its texts have places.
    #[serde(default)]
    pub json: Option<String>,
    /// The body as a form, in place of JSON.
    #[serde(default)]
    pub form: Option<Vec<(String, String)>>,
    /// How `{sign}` is made.
    #[serde(default)]
    pub sign: Option<SignConfig>,
}

/// A signature with HMAC-SHA256.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignConfig {
    /// What is signed.
    pub text: String,
    /// The key.
    #[serde(default = "default_key")]
    pub key: String,
    /// How the signature is written: `base64` or `hex`.
    #[serde(default)]
    pub encoding: Encoding,
}

/// How bytes are written as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Base64 with padding.
    #[default]
    Base64,
    /// Hexadecimal in small letters.
    Hex,
}

/// What the JSON of an answer with one of the statuses 200 to 299 means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerConfig {
    /// Where the code stands, as a JSON pointer such as `/errcode`.
    pub code: String,
    /// The codes of a message that was taken.
    pub good: Vec<String>,
    /// The codes of too many at once.
    #[serde(default)]
    pub throttled: Vec<String>,
    /// The codes of nobody at the address.
    #[serde(default)]
    pub no_recipient: Vec<String>,
    /// The codes of a fault that passes.
    #[serde(default)]
    pub later: Vec<String>,
    /// The codes of wrong credentials, with which no message would be taken.
    #[serde(default)]
    pub broken: Vec<String>,
    /// Where the answer repeats `{id}`, when it does: an answer for another one counts for nothing.
    #[serde(default)]
    pub id: Option<String>,
}

fn default_timeout() -> Duration {
    Duration::from_secs(10)
}

fn default_concurrency() -> usize {
    8
}

fn default_attempts() -> u32 {
    8
}

fn default_failures() -> u32 {
    5
}

fn default_rest() -> Duration {
    Duration::from_secs(30)
}

fn default_port() -> u16 {
    465
}

fn default_method() -> String {
    "POST".to_owned()
}

fn default_key() -> String {
    "{secret}".to_owned()
}

/// A secret, which shows itself to nobody.
#[derive(Clone, Default)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl ChannelConfig {
    /// The defaults around an id and a kind.
    pub fn new(id: impl Into<String>, kind: Kind) -> Self {
        Self {
            id: id.into(),
            kind,
            exercise: false,
            url: None,
            smtp: None,
            secret_file: None,
            secret_env: None,
            budget_per_minute: 0,
            address_budget_per_minute: 0,
            timeout: default_timeout(),
            concurrency: default_concurrency(),
            attempts: default_attempts(),
            rest_after: default_failures(),
            rest: default_rest(),
            ca_file: None,
            private: false,
            insecure: false,
            request: None,
            answer: None,
        }
    }

    /// When its provider is left alone.
    pub(crate) fn breaker(&self) -> BreakerRule {
        BreakerRule {
            failures: self.rest_after,
            rest: chrono::Duration::from_std(self.rest).unwrap_or(chrono::Duration::MAX),
        }
    }

    /// The secret; empty when there is none.
    ///
    /// # Errors
    /// When the file or the variable cannot be read. The text never says what is in it.
    #[expect(
        clippy::disallowed_methods,
        reason = "the settings say in which variable the secret is"
    )]
    pub(crate) fn secret(&self) -> Result<Secret, String> {
        let text = match (&self.secret_file, &self.secret_env) {
            (Some(_), Some(_)) => return Err("secret_env: besides secret_file".to_owned()),
            (None, None) => String::new(),
            (Some(file), None) => std::fs::read_to_string(file)
                .map_err(|err| format!("secret_file: cannot read {}: {err}", file.display()))?,
            (None, Some(name)) => {
                std::env::var(name).map_err(|_| format!("secret_env: {name} is not set"))?
            }
        };
        let text = Zeroizing::new(text);
        Ok(Secret(Zeroizing::new(text.trim().to_owned())))
    }
}
