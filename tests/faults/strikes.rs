//! Faults strike one after the other, each kind and place by chance.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tests::city::City;
use tests::cluster::Cluster;

use super::campaign::Campaign;
use super::kinds::{Kind, moment};

/// What strikes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan<'a> {
    /// Each of them strikes once, in an order by chance, before one strikes again.
    pub(super) kinds: &'a [Kind],
    /// Which services are struck: those that somebody writes to.
    pub(super) services: &'a [&'static str],
    /// How many faults strike.
    pub(super) faults: u32,
    /// What chance goes by.
    pub(super) seed: u64,
}

/// Strikes each time those who are hit have acknowledged some writes more, with others under way.
pub(super) async fn strike(
    campaign: &Campaign,
    city: &City,
    cluster: Option<&Cluster>,
    plan: &Plan<'_>,
) {
    let mut chance = ChaCha8Rng::seed_from_u64(plan.seed);
    let mut kinds = Vec::new();
    for _ in 0..plan.faults {
        if kinds.is_empty() {
            kinds = plan.kinds.to_vec();
        }
        let kind: Kind = kinds.swap_remove(chance.random_range(0..kinds.len()));
        let place = kind.place(city, cluster, plan.services, &mut chance);
        let hit = place.hit(plan.services);
        campaign.more(hit[0], chance.random_range(1..12)).await;
        // The next call is hit at another point of its way each time.
        let pause = Duration::from_micros(chance.random_range(0..4_000));
        tokio::time::sleep(pause).await;
        let fault = kind.strike(place, city, moment(&mut chance));
        campaign.under(place.label(kind), &hit, fault).await;
    }
}
