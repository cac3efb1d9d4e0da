//! What was called back: tokens, subjects and certificates that are refused though they are valid.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

/// A list is smaller than this, in bytes.
pub(super) const MAX_LIST: u64 = 4 << 20;

/// The list.
#[derive(Debug, Default)]
pub(super) struct Revoked {
    token_ids: HashSet<String>,
    /// With the instant before which their tokens count as stolen, in seconds since 1970.
    subjects: HashMap<String, i64>,
    certificates: HashSet<[u8; 32]>,
}

/// What a list may name of a caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub(super) token_id: Option<&'a str>,
    pub(super) subject: &'a str,
    /// When the token was issued, in seconds since 1970.
    pub(super) issued: i64,
    pub(super) certificate: Option<&'a [u8; 32]>,
}

impl Revoked {
    /// Reads a list, one entry a line: `jti ID`, `sub SUBJECT`, `sub SUBJECT INSTANT` for what was
    /// issued before an instant, or `certificate SHA-256` in hexadecimal digits. `#` begins a remark.
    ///
    /// # Errors
    /// Names the first line that is none of these; a list with a slip must not let anybody through.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
        let mut revoked = Self::default();
        for (place, line) in text.lines().enumerate() {
            let entry = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = entry.split_whitespace().collect();
            let taken = match words[..] {
                [] => true,
                ["jti", id] => {
                    revoked.token_ids.insert(id.to_owned());
                    true
                }
                ["sub", subject] => revoked.subject(subject, i64::MAX),
                ["sub", subject, instant] => instant
                    .parse::<DateTime<Utc>>()
                    .is_ok_and(|before| revoked.subject(subject, before.timestamp())),
                ["certificate", digits] => revoked.certificate(digits).is_some(),
                _ => false,
            };
            if !taken {
                return Err(format!(
                    "line {}: jti ID, sub SUBJECT [INSTANT] or certificate SHA-256",
                    place + 1
                ));
            }
        }
        Ok(revoked)
    }

    fn subject(&mut self, subject: &str, before: i64) -> bool {
        let known = self.subjects.entry(subject.to_owned()).or_insert(before);
        *known = before.max(*known);
        true
    }

    fn certificate(&mut self, digits: &str) -> Option<()> {
        let print: [u8; 32] = hex::decode(digits.replace(':', "")).ok()?.try_into().ok()?;
        self.certificates.insert(print);
        Some(())
    }

    /// Whether the list names this caller.
    pub(super) fn names(&self, named: Named<'_>) -> bool {
        let before = self.subjects.get(named.subject);
        before.is_some_and(|before| named.issued < *before)
            || named.token_id.is_some_and(|id| self.token_ids.contains(id))
            || named
                .certificate
                .is_some_and(|print| self.certificates.contains(print))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(token_id: &'static str, subject: &'static str, issued: i64) -> Named<'static> {
        Named {
            token_id: Some(token_id),
            subject,
            issued,
            certificate: Some(&[0xab; 32]),
        }
    }

    #[test]
    fn tokens_subjects_and_certificates_are_called_back() {
        let list =
            "# stolen on Monday\njti t-1\n\nsub s-1   # left\nsub s-2 1970-01-01T00:01:00Z\n";
        let revoked = Revoked::read(list.as_bytes()).unwrap();
        assert!(revoked.names(named("t-1", "s-9", 0)));
        assert!(revoked.names(named("t-9", "s-1", i64::MAX - 1)));
        assert!(revoked.names(named("t-9", "s-2", 59)));
        assert!(!revoked.names(named("t-9", "s-2", 60)), "a new sign-in");
        assert!(!revoked.names(named("t-9", "s-9", 0)));
        let list = format!("certificate {}", "AB:".repeat(32).trim_end_matches(':'));
        let revoked = Revoked::read(list.as_bytes()).unwrap();
        assert!(revoked.names(named("t-9", "s-9", 0)));
    }

    #[test]
    fn the_line_of_a_slip_is_named() {
        for (list, line) in [
            ("jti", "line 1"),
            ("jti a\nsub a yesterday", "line 2"),
            ("\n\ncertificate 00", "line 3"),
            ("subject a", "line 1"),
        ] {
            assert!(Revoked::read(list.as_bytes()).unwrap_err().contains(line));
        }
    }

    #[test]
    fn the_wider_of_two_entries_for_a_subject_counts() {
        for list in [
            "sub a\nsub a 1970-01-01T00:01:00Z",
            "sub a 1970-01-01T00:01:00Z\nsub a",
        ] {
            let revoked = Revoked::read(list.as_bytes()).unwrap();
            assert!(revoked.names(named("t", "a", 61)), "{list}");
        }
    }
}
