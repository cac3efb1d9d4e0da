//! Page sizes and tokens: a token remembers the last key and the arguments it belongs to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proto::error::ErrorReason;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::status::Problem;

const DEFAULT: i32 = 50;
const MOST: i32 = 1000;

#[derive(Serialize, Deserialize)]
struct Token<K> {
    binding: u64,
    after: K,
}

/// How many items a page has: 50 when not asked, at most 1000.
///
/// # Errors
/// INVALID_FIELD when negative.
pub fn size(requested: i32) -> Result<u64, Problem> {
    let size = match requested {
        0 => DEFAULT,
        1.. => requested.min(MOST),
        _ => {
            return Err(Problem::invalid(
                "page_size",
                "不能为负数",
                "must not be negative",
            ));
        }
    };
    Ok(u64::from(size.unsigned_abs()))
}

/// The key after which the page starts; none for the first page. `binding` is every other argument
/// of the list.
///
/// # Errors
/// INVALID_PAGE_TOKEN when the token was not made by [`next`] with the same `binding`.
pub fn after<K: DeserializeOwned>(token: &str, binding: &[&str]) -> Result<Option<K>, Problem> {
    if token.is_empty() {
        return Ok(None);
    }
    let invalid = || Problem::new(ErrorReason::InvalidPageToken);
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    let token: Token<K> = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    if token.binding == digest(binding) {
        Ok(Some(token.after))
    } else {
        Err(invalid())
    }
}

/// The token of the page that starts after `key`.
pub fn next<K: Serialize>(key: &K, binding: &[&str]) -> String {
    let token = Token {
        binding: digest(binding),
        after: key,
    };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).unwrap_or_default())
}

fn digest(binding: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for part in binding {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut head = [0; 8];
    head.copy_from_slice(&hash.finalize()[..8]);
    u64::from_le_bytes(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_returns_its_key_to_the_same_list_only() {
        let token = next(&"students/1", &["schools/1", "ENROLLED"]);
        let key: Option<String> = after(&token, &["schools/1", "ENROLLED"]).unwrap();
        assert_eq!(key.as_deref(), Some("students/1"));
        assert!(after::<String>(&token, &["schools/1ENROLLED", ""]).is_err());
        assert!(after::<String>("nonsense!", &[]).is_err());
    }

    #[test]
    fn sizes_are_bounded() {
        assert_eq!(size(0).unwrap(), 50);
        assert_eq!(size(5000).unwrap(), 1000);
        assert!(size(-1).is_err());
    }
}
