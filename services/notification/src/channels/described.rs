//! Providers whose requests and answers the settings describe: short messages, robots of groups.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;
use kit::vault::keyed;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use serde_json::Value;
use url::Url;

use super::http::{Http, Reach};
use super::{Accepted, Outgoing, Provider};
use crate::config::{AnswerConfig, ChannelConfig, Encoding, RequestConfig, Secret, SignConfig};
use crate::domain::attempt::Failed;
use crate::domain::delivery::Failure;
use crate::domain::pattern::{Json, Pattern, Place, Values};

/// Sends what the settings describe.
pub(super) struct Described {
    http: Http,
    method: Method,
    url: Url,
    path: Pattern,
    query: Vec<(String, Pattern)>,
    headers: Vec<(HeaderName, Pattern)>,
    body: Body,
    sign: Option<Sign>,
    secret: Secret,
    answer: Option<AnswerConfig>,
}

impl std::fmt::Debug for Described {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Described").finish_non_exhaustive()
    }
}

enum Body {
    None,
    Json(Json),
    Form(Vec<(String, Pattern)>),
}

struct Sign {
    text: Pattern,
    key: Pattern,
    encoding: Encoding,
}

impl Described {
    pub(super) fn new(config: &ChannelConfig) -> Result<Self, String> {
        let request = config.request.as_ref();
        let request = request.ok_or("request: required for this kind")?;
        let described = Self {
            http: Http::new(config, Reach::Provider)?,
            method: method(&request.method)?,
            url: super::base(config)?,
            path: pattern("request.path", &request.path)?,
            query: pairs("request.query", &request.query)?,
            headers: headers(&request.headers)?,
            body: Body::new(request)?,
            sign: request.sign.as_ref().map(Sign::new).transpose()?,
            secret: config.secret()?,
            answer: config.answer.clone(),
        };
        if let Some(answer) = &described.answer {
            for pointer in std::iter::once(&answer.code).chain(&answer.id) {
                if !pointer.starts_with('/') {
                    return Err("answer: a JSON pointer begins with /".to_owned());
                }
            }
        }
        let has = |place| described.patterns().iter().any(|p| p.has(place));
        if has(Place::Secret) && described.secret.expose().is_empty() {
            return Err("secret_file: required by {secret}".to_owned());
        }
        if has(Place::Sign) != described.sign.is_some() {
            return Err("request.sign: goes with {sign}".to_owned());
        }
        if !has(Place::Address) {
            return Err("request: nothing says {address}".to_owned());
        }
        Ok(described)
    }

    fn patterns(&self) -> Vec<&Pattern> {
        let mut patterns = vec![&self.path];
        patterns.extend(self.query.iter().map(|(_, pattern)| pattern));
        patterns.extend(self.headers.iter().map(|(_, pattern)| pattern));
        match &self.body {
            Body::None => {}
            Body::Json(json) => patterns.extend(json.patterns()),
            Body::Form(form) => patterns.extend(form.iter().map(|(_, pattern)| pattern)),
        }
        if let Some(sign) = &self.sign {
            patterns.extend([&sign.text, &sign.key]);
        }
        patterns
    }

    /// The request; none when something does not fit where it stands.
    fn request(&self, outgoing: &Outgoing) -> Option<Request> {
        let address = outgoing.address.as_str();
        let (address, address_secret) = address.split_once(',').unwrap_or((address, ""));
        let timestamp = outgoing.at.timestamp().to_string();
        let millis = outgoing.at.timestamp_millis().to_string();
        let mut values = Values::from([
            (Place::Address, address),
            (Place::AddressSecret, address_secret),
            (Place::Title, &outgoing.title),
            (Place::Body, &outgoing.body),
            (Place::Id, &outgoing.id),
            (Place::Secret, self.secret.expose()),
            (Place::Timestamp, &timestamp),
            (Place::Millis, &millis),
        ]);
        let sign = self.sign.as_ref().map(|sign| sign.of(&values));
        if let Some(sign) = &sign {
            values.insert(Place::Sign, sign);
        }
        let mut request = Request::new(self.method.clone(), self.address(&values)?);
        for (name, pattern) in &self.headers {
            let mut value = HeaderValue::from_str(&pattern.fill(&values)).ok()?;
            value.set_sensitive(true);
            request.headers_mut().insert(name.clone(), value);
        }
        let (media_type, body) = match &self.body {
            Body::None => return Some(request),
            Body::Json(json) => ("application/json", json.fill(&values).to_string()),
            Body::Form(form) => {
                let mut text = url::form_urlencoded::Serializer::new(String::new());
                for (name, pattern) in form {
                    text.append_pair(name, &pattern.fill(&values));
                }
                ("application/x-www-form-urlencoded", text.finish())
            }
        };
        let headers = request.headers_mut();
        headers
            .entry(CONTENT_TYPE)
            .or_insert(HeaderValue::from_static(media_type));
        *request.body_mut() = Some(body.into());
        Some(request)
    }

    /// What is filled in stays one part of the path, or one value of the query.
    fn address(&self, values: &Values<'_>) -> Option<Url> {
        let mut url = self.url.clone();
        let path = self.path.fill(values);
        if !path.is_empty() {
            let mut parts = url.path_segments_mut().ok()?;
            parts.pop_if_empty();
            parts.extend(path.trim_start_matches('/').split('/'));
        }
        if !self.query.is_empty() {
            let mut query = url.query_pairs_mut();
            for (name, pattern) in &self.query {
                query.append_pair(name, &pattern.fill(values));
            }
        }
        Some(url)
    }
}

impl Sign {
    fn new(config: &SignConfig) -> Result<Self, String> {
        Ok(Self {
            text: pattern("request.sign.text", &config.text)?,
            key: pattern("request.sign.key", &config.key)?,
            encoding: config.encoding,
        })
    }

    fn of(&self, values: &Values<'_>) -> String {
        let mut mac = keyed(self.key.fill(values).as_bytes());
        mac.update(self.text.fill(values).as_bytes());
        let bytes = mac.finalize().into_bytes();
        match self.encoding {
            Encoding::Base64 => STANDARD.encode(bytes),
            Encoding::Hex => hex::encode(bytes),
        }
    }
}

impl Body {
    fn new(config: &RequestConfig) -> Result<Self, String> {
        match (&config.json, &config.form) {
            (Some(_), Some(_)) => Err("request.form: besides json".to_owned()),
            (Some(json), None) => Json::parse(json)
                .map(Self::Json)
                .map_err(|wrong| format!("request.json: {wrong}")),
            (None, Some(form)) => Ok(Self::Form(pairs("request.form", form)?)),
            (None, None) => Ok(Self::None),
        }
    }
}

/// What the JSON of an answer says.
fn judge(answer: &AnswerConfig, id: &str, body: &[u8]) -> Result<Accepted, Failed> {
    let senseless = Failed::later(Failure::BadAnswer);
    let json: Value = serde_json::from_slice(body).map_err(|_| senseless)?;
    let text = |pointer: &str| match json.pointer(pointer) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(other @ (Value::Number(_) | Value::Bool(_))) => Some(other.to_string()),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => None,
    };
    let code = text(&answer.code).ok_or(senseless)?;
    let among = |codes: &[String]| codes.contains(&code);
    if among(&answer.good) {
        return match &answer.id {
            Some(pointer) if text(pointer).as_deref() != Some(id) => Err(senseless),
            _ => Ok(Accepted),
        };
    }
    Err(if among(&answer.throttled) {
        Failed::throttled(None)
    } else if among(&answer.no_recipient) {
        Failed::never(Failure::NoRecipient)
    } else if among(&answer.broken) {
        Failed::broken()
    } else if among(&answer.later) {
        Failed::later(Failure::Unreachable)
    } else {
        Failed::never(Failure::Refused)
    })
}

#[async_trait::async_trait]
impl Provider for Described {
    async fn send(&self, outgoing: &Outgoing) -> Result<Accepted, Failed> {
        let request = self.request(outgoing);
        let request = request.ok_or(Failed::never(Failure::Refused))?;
        let answer = self.http.send(request).await?;
        match &self.answer {
            Some(expected) => judge(expected, &outgoing.id, &answer.body),
            None => Ok(Accepted),
        }
    }
}

fn method(text: &str) -> Result<Method, String> {
    match text {
        "POST" => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "GET" => Ok(Method::GET),
        _ => Err("request.method: POST, PUT or GET".to_owned()),
    }
}

fn pattern(key: &str, text: &str) -> Result<Pattern, String> {
    Pattern::parse(text).map_err(|wrong| format!("{key}: {wrong}"))
}

fn pairs(key: &str, pairs: &[(String, String)]) -> Result<Vec<(String, Pattern)>, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, text)| Ok((name.clone(), pattern(key, text)?)))
        .collect()
}

fn headers(named: &[(String, String)]) -> Result<Vec<(HeaderName, Pattern)>, String> {
    let headers = named.iter().map(|(name, text)| {
        let name = HeaderName::from_str(name);
        let name = name.map_err(|_| "request.headers: not the name of a header".to_owned())?;
        Ok((name, pattern("request.headers", text)?))
    });
    headers.collect()
}

#[cfg(test)]
#[path = "described_tests.rs"]
mod tests;
