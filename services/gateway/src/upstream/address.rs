//! Where the replicas of a service are: names that are asked again and again.

use std::net::SocketAddr;

use http::uri::{Authority, Scheme, Uri};

/// What the settings say of where a service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// Hosts and ports, at least one.
    authorities: Vec<Authority>,
    /// Whether calls to them are encrypted.
    pub(crate) encrypted: bool,
}

/// Where a replica was found, and under which name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) address: SocketAddr,
    pub(super) authority: Authority,
}

/// Reads one address, or several with commas between them: `http://host:port` each, or
/// `https://host:port` each. None when one has another form, or there are none.
pub(crate) fn addresses(text: &str) -> Option<Addresses> {
    let each: Option<Vec<(Authority, bool)>> =
        text.split(',').map(|one| address(one.trim())).collect();
    let (authorities, encrypted): (Vec<_>, Vec<_>) = each?.into_iter().unzip();
    let first = *encrypted.first()?;
    let alike = encrypted.iter().all(|one| *one == first);
    alike.then_some(Addresses {
        authorities,
        encrypted: first,
    })
}

fn address(text: &str) -> Option<(Authority, bool)> {
    let uri: Uri = text.parse().ok()?;
    let encrypted = uri.scheme() == Some(&Scheme::HTTPS);
    let known = encrypted || uri.scheme() == Some(&Scheme::HTTP);
    let whole = known && matches!(uri.path(), "" | "/");
    let authority = uri.into_parts().authority?;
    (whole && authority.port().is_some()).then_some((authority, encrypted))
}

impl Addresses {
    /// Every address that the names stand for now, each once; a name that cannot be found adds none.
    pub(super) async fn look_up(&self) -> Vec<Found> {
        let mut all = Vec::new();
        for authority in &self.authorities {
            match tokio::net::lookup_host(authority.as_str()).await {
                Ok(addresses) => all.extend(addresses.map(|address| Found {
                    address,
                    authority: authority.clone(),
                })),
                Err(err) => tracing::debug!(%authority, error = %err, "a name was not found"),
            }
        }
        all.sort_by_key(|found| found.address);
        all.dedup_by_key(|found| found.address);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_a_host_and_a_port() {
        let found = addresses("http://roster:7401").unwrap();
        assert_eq!(
            (&*found.authorities, found.encrypted),
            (&["roster:7401".parse().unwrap()][..], false)
        );
        let several = addresses("https://a:1, https://b:2/").unwrap();
        assert_eq!(
            (&*several.authorities, several.encrypted),
            (&["a:1".parse().unwrap(), "b:2".parse().unwrap()][..], true)
        );
        for text in [
            "roster:7401",
            "ftp://roster:7401",
            "http://roster",
            "https://roster",
            "http://a:1/b",
            "http://a:1,",
            "http://a:1,https://b:2",
            "",
        ] {
            assert_eq!(addresses(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn names_are_addresses_once_each_and_unknown_ones_none() {
        let names = addresses("http://127.0.0.1:7,http://127.0.0.1:7,http://no.such.invalid:7");
        let found = names.unwrap().look_up().await;
        let found: Vec<SocketAddr> = found.iter().map(|found| found.address).collect();
        assert_eq!(found, [SocketAddr::from(([127, 0, 0, 1], 7))]);
    }
}
