//! Every service is restarted in order while clients write, one replica of two after the other. No call
//! fails: one that met a replica on its way out is acknowledged within a few tries under the same id.
//!
//! On PostgreSQL alone, where replicas share a database.

use std::sync::Arc;
use std::time::Instant;

use tests::city::{City, Fittings, Store};
use tests::process::SERVICES;

use super::campaign::Campaign;
use super::judge::judge;
use super::{all_of, everybody, town};

/// How many replicas each service has.
const REPLICAS: u32 = 2;
/// How often a call is made at most before it counts as failed, as with clients of gRPC.
const TRIES: u32 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_while_every_service_is_restarted_one_replica_after_the_other_postgres() {
    let fittings = Fittings {
        replicas: REPLICAS,
        ..Fittings::default()
    };
    let Some(city) = City::open_with(Store::Postgres, town(), fittings).await else {
        return;
    };
    let (city, campaign, begun) = (Arc::new(city), Campaign::new(), Instant::now());
    let mut clients = everybody(&campaign, &city);
    let rolled = async {
        for service in SERVICES {
            campaign.more(service, 1).await;
            let label = ("rolling restart", service.to_owned());
            campaign.under(label, &[service], city.roll(service)).await;
        }
    };
    tokio::select! {
        () = rolled => {}
        Some(ended) = clients.join_next() => panic!("a client ended early: {ended:?}"),
    }
    campaign.end();
    let all = all_of(clients).await;
    let heading = format!(
        "Every service restarted in {:.1} s, {REPLICAS} replicas each; a call was made {} times at most",
        begun.elapsed().as_secs_f64(),
        campaign.attempts()
    );
    campaign.tally.report(&heading, &[all.to_string()]);
    assert!(
        campaign.attempts() <= TRIES,
        "a call was acknowledged after {} tries only",
        campaign.attempts()
    );
    judge(&campaign, &city, all).await;
}
