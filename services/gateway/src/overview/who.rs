//! On whose behalf services are asked, and who shares an answer with whom.

use kit::auth::{Caller, Department, Role};
use kit::org::OrgPath;
use tonic::metadata::{KeyAndValueRef, MetadataMap};

use crate::reception::Voucher;

/// Headers of a caller that travel on: the token, and what ours say of the purpose. The trace is that of the
/// present call.
const TOKEN: &str = "authorization";
const OURS: &str = "x-campus-";

/// A caller with what services must hear from them.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) caller: Caller,
    pub(crate) rights: Rights,
    headers: MetadataMap,
    /// Where the caller showed a certificate instead of a token.
    voucher: Option<Voucher>,
}

/// Everything by which services decide what a caller may see, the place asked about aside. Whoever
/// has the same rights is told the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rights {
    roles: Vec<Role>,
    scope: OrgPath,
    laboratory: Option<String>,
    department: Option<Department>,
    person: Option<String>,
    second_factor: bool,
    partner: Option<String>,
    /// Our headers, such as the purpose, in an order.
    said: Vec<(String, Vec<u8>)>,
}

impl Who {
    /// `caller` with the headers of their call, and the gateway's word for them where they showed it a
    /// certificate.
    pub(crate) fn new(caller: Caller, metadata: &MetadataMap, voucher: Option<Voucher>) -> Self {
        let mut headers = MetadataMap::new();
        let mut said = Vec::new();
        for entry in metadata.iter() {
            // Values in binary form are not among ours.
            let KeyAndValueRef::Ascii(key, value) = entry else {
                continue;
            };
            let ours = key.as_str().starts_with(OURS);
            if ours {
                said.push((key.as_str().to_owned(), value.as_bytes().to_vec()));
            }
            if ours || key.as_str() == TOKEN {
                headers.append(key.clone(), value.clone());
            }
        }
        said.sort();
        // Without a rest: whatever a caller is known by besides must be judged here.
        let Caller {
            subject: _,
            roles,
            scope,
            laboratory,
            department,
            person,
            second_factor,
            partner,
            token_id: _,
            expires: _,
            // What these two say stands among our headers; policies are the same for all.
            purpose: _,
            break_glass: _,
            authority: _,
            // What is recorded of a call is no right.
            call: _,
        } = &caller;
        let mut roles = roles.clone();
        roles.sort_by_key(|role| role.as_str());
        let rights = Rights {
            roles,
            scope: scope.clone(),
            laboratory: laboratory.clone(),
            department: *department,
            person: person.clone(),
            second_factor: *second_factor,
            partner: partner.clone(),
            said,
        };
        Self {
            caller,
            rights,
            headers,
            voucher,
        }
    }

    /// The headers with which services are asked.
    pub(crate) fn headers(&self) -> MetadataMap {
        let mut headers = self.headers.clone();
        if let Some(voucher) = &self.voucher {
            let mut vouched = headers.into_headers();
            vouched.insert(http::header::AUTHORIZATION, voucher.authorization());
            headers = MetadataMap::from_headers(vouched);
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(subject: &str, roles: &[Role], headers: &[(&'static str, &str)]) -> Who {
        let scope = "fz/350102".parse().unwrap();
        let caller = Caller::new(subject, roles.to_vec(), scope);
        let mut metadata = MetadataMap::new();
        for (name, value) in headers {
            metadata.insert(*name, value.parse().unwrap());
        }
        Who::new(caller, &metadata, None)
    }

    #[test]
    fn the_token_and_our_headers_travel_and_nothing_else() {
        let sent = [
            ("authorization", "Bearer a"),
            ("traceparent", "b"),
            ("x-campus-purpose", "care"),
            ("cookie", "c"),
            ("grpc-timeout", "1S"),
        ];
        let headers = who("a", &[Role::Principal], &sent).headers();
        let mut names: Vec<_> = headers.keys().map(|key| format!("{key:?}")).collect();
        names.sort();
        assert_eq!(names.len(), 2, "{names:?}");
        assert_eq!(headers.get("authorization").unwrap(), "Bearer a");
    }

    #[test]
    fn rights_are_the_same_whoever_holds_them_and_in_whatever_order() {
        let one = who("a", &[Role::Principal, Role::SchoolDoctor], &[]);
        let other = who("b", &[Role::SchoolDoctor, Role::Principal], &[]);
        assert_eq!(one.rights, other.rights);
        let less = who("a", &[Role::Principal], &[]);
        assert_ne!(one.rights, less.rights);
        let purpose = [("x-campus-purpose", "care")];
        let caring = who("a", &[Role::Principal], &purpose);
        assert_ne!(less.rights, caring.rights);
    }
}
