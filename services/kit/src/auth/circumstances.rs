//! What a caller says about one request: its purpose, and why the glass is broken.

use std::sync::Arc;

use http::HeaderMap;
use percent_encoding::percent_decode;

use super::{Authority, Caller, Permission, Purpose, Session, denied};
use crate::status::Problem;

/// The metadata that names the purpose of a request.
pub const PURPOSE: &str = "x-campus-purpose";
/// The metadata by which a caller opens in an emergency what is closed to them in daily life; its value
/// is the reason, as UTF-8 or percent-encoded.
pub const BREAK_GLASS: &str = "x-campus-break-glass";
/// How long a reason is, in characters.
const REASON: std::ops::RangeInclusive<usize> = 10..=500;

impl Session {
    /// The caller of one request, with its circumstances. A session is of one server, whose calls all ask
    /// the same `authority`.
    ///
    /// # Errors
    /// INVALID_FIELD when the purpose is unknown or the reason is not of 10 to 500 characters;
    /// SCOPE_DENIED when breaking the glass opens nothing for this caller.
    pub(crate) fn caller_of(
        &self,
        authority: &Authority,
        headers: &HeaderMap,
    ) -> Result<Arc<Caller>, Problem> {
        if [PURPOSE, BREAK_GLASS]
            .iter()
            .any(|name| headers.contains_key(*name))
        {
            return of_request(&self.caller, authority, headers).map(Arc::new);
        }
        let usual = || {
            let caller = Caller::clone(&self.caller);
            Arc::new(Caller {
                authority: authority.clone(),
                ..caller
            })
        };
        Ok(self.usual.get_or_init(usual).clone())
    }
}

/// The caller of one request, with its circumstances.
fn of_request(
    caller: &Caller,
    authority: &Authority,
    headers: &HeaderMap,
) -> Result<Caller, Problem> {
    let caller = Caller {
        authority: authority.clone(),
        purpose: purpose(headers)?,
        ..caller.clone()
    };
    let Some(reason) = reason(headers)? else {
        return Ok(caller);
    };
    let broken = Caller {
        break_glass: Some(reason),
        ..caller.clone()
    };
    let opens =
        |permission| broken.allowed(permission).is_ok() && caller.allowed(permission).is_err();
    if Permission::ALL.iter().copied().any(opens) {
        Ok(broken)
    } else {
        Err(denied("break-glass"))
    }
}

fn purpose(headers: &HeaderMap) -> Result<Option<Purpose>, Problem> {
    let Some(value) = headers.get(PURPOSE) else {
        return Ok(None);
    };
    let purpose = value.to_str().ok().and_then(|text| text.parse().ok());
    let unknown = || {
        let names: Vec<&str> = Purpose::ALL.iter().map(|one| one.as_str()).collect();
        let names = names.join(", ");
        Problem::invalid(
            PURPOSE,
            format!("不是已知的用途，应为其中之一：{names}"),
            format!("not a purpose, one of {names}"),
        )
    };
    purpose.map(Some).ok_or_else(unknown)
}

fn reason(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(BREAK_GLASS).into_iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let decoded = percent_decode(value.as_bytes()).decode_utf8();
    let reason = decoded
        .map(|text| text.trim().to_owned())
        .unwrap_or_default();
    let printable = !reason.chars().any(char::is_control);
    if values.next().is_none() && printable && REASON.contains(&reason.chars().count()) {
        return Ok(Some(reason));
    }
    Err(Problem::invalid(
        BREAK_GLASS,
        "紧急调阅的理由应为 10 至 500 个字",
        "one reason of 10 to 500 characters",
    ))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;
    use proto::error::ErrorReason;

    use super::super::Role;
    use super::*;

    const WHY: &str = "食堂聚集性呕吐，急需查看健康状况";

    fn caller(role: Role) -> Caller {
        Caller {
            subject: "somebody".to_owned(),
            roles: vec![role],
            scope: "fz/350102/2135010001".parse().unwrap(),
            ..Caller::default()
        }
    }

    fn asked(role: Role, name: &'static str, value: &[u8]) -> Result<Caller, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_bytes(value).unwrap());
        of_request(&caller(role), &Authority::default(), &headers)
    }

    #[test]
    fn a_purpose_is_one_of_a_closed_list() {
        let told = asked(Role::Guard, PURPOSE, b"care").unwrap();
        assert_eq!(told.purpose, Some(Purpose::Care));
        for value in [&b"Care"[..], b"", b"curiosity", "查".as_bytes()] {
            let problem = asked(Role::Guard, PURPOSE, value).unwrap_err();
            assert_eq!(problem.reason(), ErrorReason::InvalidField);
            assert_eq!(problem.fields().next().unwrap().0, PURPOSE);
        }
    }

    #[test]
    fn a_principal_who_says_why_reads_more_but_nowhere_else() {
        let usual = caller(Role::Principal);
        let broken = asked(Role::Principal, BREAK_GLASS, WHY.as_bytes()).unwrap();
        let (own, next) = (&usual.scope, "fz/350102/2135010002".parse().unwrap());
        assert!(usual.require(Permission::HealthRead, own).is_err());
        assert!(broken.require(Permission::HealthRead, own).is_ok());
        assert!(broken.require(Permission::HealthRead, &next).is_err());
        assert!(broken.require(Permission::HealthDecide, own).is_err());
        assert_eq!(broken.break_glass.as_deref(), Some(WHY));
    }

    #[test]
    fn a_reason_comes_percent_encoded_as_well() {
        let encoded: String = WHY.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let broken = asked(Role::SchoolDoctor, BREAK_GLASS, encoded.as_bytes()).unwrap();
        assert_eq!(broken.break_glass.as_deref(), Some(WHY));
    }

    #[test]
    fn whoever_gains_nothing_cannot_break_the_glass() {
        for role in Role::ALL {
            let may = [
                Role::SchoolDoctor,
                Role::Principal,
                Role::DistrictOfficer,
                Role::CityOfficer,
            ]
            .contains(role);
            match asked(*role, BREAK_GLASS, WHY.as_bytes()) {
                Ok(_) => assert!(may, "{role}"),
                Err(problem) => {
                    assert!(!may, "{role}");
                    assert_eq!(problem.reason(), ErrorReason::ScopeDenied);
                }
            }
        }
    }

    #[test]
    fn a_reason_that_is_none_is_refused() {
        for value in [
            &b"too short"[..],
            &[b'x'; 501],
            &[0xff; 20],
            b"%0Ahello%00 there, you",
        ] {
            let problem = asked(Role::Principal, BREAK_GLASS, value).unwrap_err();
            assert_eq!(problem.reason(), ErrorReason::InvalidField);
        }
        let mut headers = HeaderMap::new();
        headers.append(BREAK_GLASS, HeaderValue::from_static("a reason, the first"));
        headers.append(
            BREAK_GLASS,
            HeaderValue::from_static("a reason, the second"),
        );
        let both = of_request(&caller(Role::Principal), &Authority::default(), &headers);
        assert_eq!(both.unwrap_err().reason(), ErrorReason::InvalidField);
    }

    proptest! {
        #[test]
        fn no_metadata_makes_it_panic(value in proptest::collection::vec(any::<u8>(), 0..600)) {
            for name in [PURPOSE, BREAK_GLASS] {
                if let Ok(value) = HeaderValue::from_bytes(&value) {
                    let mut headers = HeaderMap::new();
                    headers.insert(name, value);
                    let asked = of_request(&caller(Role::Principal), &Authority::default(), &headers);
                    if let Ok(asked) = asked {
                        let length = asked.break_glass.map_or(10, |why| why.chars().count());
                        prop_assert!(REASON.contains(&length));
                    }
                }
            }
        }
    }
}
