//! Resume and page tokens: opaque, authentic, bound to the reader's scope.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// A place in a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Which life of the feed: a restore begins a new one.
    pub(super) epoch: String,
    /// The last change that was seen, or the head when the snapshot began.
    pub(super) seq: i64,
    /// The scope that the reader had.
    pub(super) scope: String,
    /// In a snapshot: the last entity that was seen.
    pub(super) after: Option<(String, String)>,
}

/// Signs positions with the secret of the service's database.
#[derive(Clone)]
pub(super) struct Tokens {
    feed: &'static str,
    secret: Vec<u8>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("feed", &self.feed)
            .finish_non_exhaustive()
    }
}

impl Tokens {
    pub(super) fn new(feed: &'static str, secret: Vec<u8>) -> Self {
        Self { feed, secret }
    }

    pub(super) fn seal(&self, position: &Position) -> String {
        let body = serde_json::to_vec(position).unwrap_or_default();
        let mut bytes = self.mac(&body).to_vec();
        bytes.extend(body);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position in `token`; none when this service did not make it.
    pub(super) fn open(&self, token: &str) -> Option<Position> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (mac, body) = bytes.split_at_checked(16)?;
        let authentic = self
            .mac(body)
            .iter()
            .zip(mac)
            .fold(0, |all, (one, other)| all | (one ^ other));
        if authentic == 0 {
            serde_json::from_slice(body).ok()
        } else {
            None
        }
    }

    fn mac(&self, body: &[u8]) -> [u8; 16] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes a key of any length");
        mac.update(self.feed.as_bytes());
        mac.update(&[0]);
        mac.update(body);
        let mut head = [0; 16];
        head.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unchanged_token_of_the_same_feed_opens() {
        let tokens = Tokens::new("roster", vec![7; 32]);
        let position = Position {
            epoch: "e".to_owned(),
            seq: 41,
            scope: "fz".to_owned(),
            after: None,
        };
        let token = tokens.seal(&position);
        assert_eq!(tokens.open(&token), Some(position));
        assert_eq!(Tokens::new("clearance", vec![7; 32]).open(&token), None);
        assert_eq!(Tokens::new("roster", vec![8; 32]).open(&token), None);
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed == token || tokens.open(&changed).is_none(), "{at}");
        }
    }
}
