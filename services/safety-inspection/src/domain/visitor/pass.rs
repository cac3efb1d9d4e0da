//! The live pass of a visit: it dies within a minute, so that a photograph of it is worth nothing
//! (rule 3.6).

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::domain::opaque_code::{ForeignCode, OpaqueKeys};

const PAYLOAD: usize = 24;
/// How long a pass is live.
const LIVE: Duration = Duration::seconds(60);
/// How far the clock of the replica that issued it may be ahead.
const AHEAD: Duration = Duration::seconds(5);

/// The keys of passes.
#[derive(Clone, Debug)]
pub struct PassKeys(OpaqueKeys);

impl PassKeys {
    /// Derives the keys from a secret.
    pub fn new(secret: &[u8]) -> Self {
        Self(OpaqueKeys::new(secret, "visit-pass"))
    }

    /// The pass of a visit at an instant, and when it dies.
    pub fn issue(&self, visit: Uuid, now: DateTime<Utc>) -> (String, DateTime<Utc>) {
        let mut payload = [0; PAYLOAD];
        payload[..16].copy_from_slice(visit.as_bytes());
        payload[16..].copy_from_slice(&now.timestamp_millis().to_be_bytes());
        (self.0.issue(payload), now + LIVE)
    }

    /// Whose pass it is, and when it was issued.
    ///
    /// # Errors
    /// [`ForeignCode`] when it was not issued with these keys.
    pub fn open(&self, code: &str) -> Result<(Uuid, DateTime<Utc>), ForeignCode> {
        let payload: [u8; PAYLOAD] = self.0.open(code)?;
        let (id, millis) = payload.split_first_chunk::<16>().ok_or(ForeignCode)?;
        let millis = millis.try_into().map_err(|_| ForeignCode)?;
        let issued = DateTime::from_timestamp_millis(i64::from_be_bytes(millis));
        Ok((Uuid::from_bytes(*id), issued.ok_or(ForeignCode)?))
    }
}

/// Whether a pass that was issued at `issued` is live.
pub fn is_live(issued: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    issued <= now + AHEAD && now < issued + LIVE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_names_its_visit_for_a_minute() {
        let keys = PassKeys::new(b"a secret for tests");
        let now: DateTime<Utc> = "2022-04-06T00:00:00Z".parse().unwrap();
        let visit = Uuid::from_u128(7);
        let (code, dies) = keys.issue(visit, now);
        assert_eq!(keys.open(&code), Ok((visit, now)));
        assert_eq!(dies, now + Duration::seconds(60));
        assert!(is_live(now, now) && is_live(now, dies - Duration::seconds(1)));
        assert!(!is_live(now, dies) && !is_live(now, now - Duration::seconds(6)));
        let (later, _) = keys.issue(visit, now + Duration::seconds(30));
        assert_ne!(code[..20], later[..20]);
        assert_eq!(keys.open("nonsense"), Err(ForeignCode));
        assert_eq!(PassKeys::new(b"another").open(&code), Err(ForeignCode));
    }
}
