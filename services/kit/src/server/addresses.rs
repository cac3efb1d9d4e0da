//! Nobody takes all connections: each address has so many.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts connections by where they come from. Clones share the counts.
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    most: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection counts until this is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    addresses: Addresses,
    from: IpAddr,
}

impl Addresses {
    /// Each address may have `most`.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            open: Arc::default(),
        }
    }

    /// One more from `address`; none when it has as many as it may.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Lease> {
        let from = household(address);
        let mut open = self.open();
        let count = open.entry(from).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Lease {
            addresses: self.clone(),
            from,
        })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut open = self.addresses.open();
        if let Some(count) = open.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.from);
            }
        }
    }
}

/// Whoever has one address of IPv6 has the 64 bits behind it.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() >> 64 << 64).into(),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_has_its_own_and_gets_them_back() {
        let addresses = Addresses::new(2);
        let one = address("192.0.2.1");
        let first = addresses.enter(one).unwrap();
        let second = addresses.enter(one).unwrap();
        assert!(addresses.enter(one).is_none());
        assert!(addresses.enter(address("::ffff:192.0.2.1")).is_none());
        let other = addresses.enter(address("192.0.2.2")).unwrap();
        drop(first);
        let third = addresses.enter(one).unwrap();
        drop((second, third, other));
        assert!(addresses.open().is_empty(), "nobody is remembered");
    }

    #[test]
    fn the_last_half_of_an_address_of_ipv6_says_nothing() {
        let addresses = Addresses::new(1);
        let first = addresses.enter(address("2001:db8:0:1::1")).unwrap();
        assert!(addresses.enter(address("2001:db8:0:1:ffff::2")).is_none());
        let other = addresses.enter(address("2001:db8:0:2::1")).unwrap();
        drop((first, other));
    }
}
