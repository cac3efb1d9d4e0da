//! Addresses by which somebody can be reached: read strictly, shown masked.

use url::Url;

use super::channel::Kind;

/// The longest address of any kind, in bytes.
const LONGEST: usize = 2048;

/// An address that its channel takes. What it says is shown to nobody: see [`Address::masked`].
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    kind: Kind,
    text: String,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Address({:?})", self.kind)
    }
}

impl Address {
    /// Reads an address for a channel of `kind`: an `https` address for a webhook (an `http` one too
    /// where the channel is `insecure`), an e-mail address, a mobile number of 11 digits, or the key of
    /// a robot, with its secret behind a comma where its group has one. None when it is not of that
    /// form.
    pub fn parse(kind: Kind, text: &str, insecure: bool) -> Option<Self> {
        let fits = text.len() <= LONGEST
            && match kind {
                Kind::Webhook => webhook(text, insecure).is_some(),
                Kind::Email => is_email(text),
                Kind::Sms => is_mobile(text),
                Kind::WecomRobot | Kind::DingtalkRobot => is_robot(text),
                Kind::Inbox | Kind::Cap => false,
            };
        fits.then(|| Self {
            kind,
            text: text.to_owned(),
        })
    }

    /// The address itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What can be shown of it.
    pub fn masked(&self) -> String {
        match self.kind {
            Kind::Webhook => {
                let url = Url::parse(&self.text).ok();
                let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
                format!("https://{host}/***")
            }
            Kind::Email => {
                let (local, domain) = self.text.rsplit_once('@').unwrap_or_default();
                let first = local.chars().next().unwrap_or('*');
                format!("{first}***@{domain}")
            }
            Kind::Sms => format!("{}****{}", &self.text[..3], &self.text[7..]),
            Kind::WecomRobot | Kind::DingtalkRobot | Kind::Inbox | Kind::Cap => {
                let key = self.text.split(',').next().unwrap_or_default();
                format!("****{}", &key[key.len().saturating_sub(4)..])
            }
        }
    }
}

/// Neither credentials nor a fragment: the first would be sent to whoever is there, the second to
/// nobody.
fn webhook(text: &str, insecure: bool) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let scheme = url.scheme() == "https" || (insecure && url.scheme() == "http");
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (scheme && plain && url.host().is_some()).then_some(url)
}

/// The part of RFC 5321 that is in use: ASCII, a dot-atom at a domain of at least two labels.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let atom = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    local.len() <= 64
        && text.len() <= 254
        && local.split('.').all(atom)
        && domain.contains('.')
        && domain.split('.').all(label)
}

/// Rule 7.10.
fn is_mobile(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 11
        && bytes.iter().all(u8::is_ascii_digit)
        && bytes[0] == b'1'
        && bytes[1] >= b'3'
}

fn is_robot(text: &str) -> bool {
    let part = |part: &str| {
        (8..=256).contains(&part.len())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    text.split(',').count() <= 2 && text.split(',').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(kind: Kind, text: &str) -> Option<String> {
        Address::parse(kind, text, false).map(|address| address.masked())
    }

    #[test]
    fn addresses_are_masked() {
        for (kind, text, shown) in [
            (Kind::Sms, "13800000000", "138****0000"),
            (
                Kind::Email,
                "zhang.san@school.example",
                "z***@school.example",
            ),
            (
                Kind::Webhook,
                "https://hooks.example:8443/in/42?k=1",
                "https://hooks.example/***",
            ),
            (
                Kind::WecomRobot,
                "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa",
                "****5aaa",
            ),
            (
                Kind::DingtalkRobot,
                "0123456789abcdef,SECabcdef12",
                "****cdef",
            ),
        ] {
            assert_eq!(masked(kind, text).as_deref(), Some(shown));
            assert!(!format!("{:?}", Address::parse(kind, text, false)).contains(text));
        }
    }

    #[test]
    fn what_a_channel_cannot_use_is_refused() {
        let long = format!("https://h.example/{}", "x".repeat(LONGEST));
        for (kind, text) in [
            (Kind::Sms, "1380000000"),
            (Kind::Sms, "12800000000"),
            (Kind::Sms, "+8613800000000"),
            (Kind::Sms, "１3800000000"),
            (Kind::Email, "nobody"),
            (Kind::Email, "a@b"),
            (Kind::Email, "a@b.example\r\nBcc: c@d.example"),
            (Kind::Email, "a..b@c.example"),
            (Kind::Email, "a@@c.example"),
            (Kind::Email, "<a@c.example>"),
            (Kind::Webhook, "http://hooks.example/"),
            (Kind::Webhook, "https://user:pw@hooks.example/"),
            (Kind::Webhook, "https://hooks.example/#part"),
            (Kind::Webhook, "ftp://hooks.example/"),
            (Kind::Webhook, &long),
            (Kind::WecomRobot, "short"),
            (Kind::WecomRobot, "0123456789&key=x"),
            (Kind::DingtalkRobot, "0123456789,SECabcdef12,more5678"),
            (Kind::Inbox, "13800000000"),
            (Kind::Cap, "https://hooks.example/"),
        ] {
            assert_eq!(masked(kind, text), None, "{text}");
        }
        assert!(Address::parse(Kind::Webhook, "http://127.0.0.1:80/", true).is_some());
    }
}
