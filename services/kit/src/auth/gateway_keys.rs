//! The public keys of the gateway, by which those behind it believe its word.

use super::exchange::gateway_key_id;
use super::keys::{Key, Keys, MAX_KEYS};

/// The keys of the settings.
///
/// # Errors
/// Names the key of the first that is none.
pub(super) fn listed(texts: &[String]) -> Result<Keys, String> {
    let keys = texts.iter().enumerate().map(|(place, text)| {
        let key = Key::ed25519_base64(text)
            .ok_or_else(|| format!("auth.gateway_keys[{place}]: not an Ed25519 public key"))?;
        Ok((gateway_key_id(&key), key))
    });
    keys.collect()
}

/// Reads a file of keys, one a line in base64. `#` begins a remark.
///
/// # Errors
/// Names the first line that is no key; when there are too many, or none: a gateway whose keys were lost by
/// accident must not be locked out.
pub(super) fn read(bytes: &[u8]) -> Result<Keys, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    let mut keys = Keys::new();
    for (place, line) in text.lines().enumerate() {
        let entry = line.split('#').next().unwrap_or_default().trim();
        if entry.is_empty() {
            continue;
        }
        let key = Key::ed25519_base64(entry)
            .ok_or_else(|| format!("line {}: not an Ed25519 public key", place + 1))?;
        keys.insert(gateway_key_id(&key), key);
    }
    if keys.is_empty() || keys.len() > MAX_KEYS {
        return Err(format!("1 to {MAX_KEYS} keys, one a line"));
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=";
    const OTHER: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    #[test]
    fn keys_stand_one_a_line_among_remarks() {
        let text = format!("# the next one first\n{OTHER}  # from Monday\n\n{ONE}\n{ONE}\n");
        let keys = read(text.as_bytes()).unwrap();
        let listed = listed(&[ONE.to_owned(), OTHER.to_owned()]).unwrap();
        assert_eq!(keys.len(), 2);
        assert!(listed.keys().all(|id| keys.contains_key(id)));
    }

    #[test]
    fn the_line_of_a_slip_is_named_and_a_file_without_keys_is_none() {
        let private = "MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
        for (text, told) in [
            (format!("{ONE}\nx\n"), "line 2: "),
            (format!("{ONE} {OTHER}"), "line 1: "),
            (private.to_owned(), "line 1: "),
            (String::new(), "1 to 64 keys"),
            (format!("# {ONE}\n"), "1 to 64 keys"),
        ] {
            let refused = read(text.as_bytes()).err().unwrap();
            assert!(refused.starts_with(told), "{refused}");
        }
    }
}
