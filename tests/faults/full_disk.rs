//! Disks fill up while clients write: those of SQLite, that of PostgreSQL's tables, and that of its log, which stops the
//! server. Writes are refused for a reason that callers can act on, no process ends, and once there is room all goes on
//! without a restart of a service: a process that ended would stay away. Nothing that was acknowledged is lost.
//!
//! A small disk is root's to make. `CAMPUS_CUTS` says how often it fills up: once for every fifty faults; once when it is
//! not set.

use std::sync::Arc;
use std::time::Instant;

use tests::city::{City, Fittings, Store};
use tests::cluster::{Cluster, Disks};
use tests::disk::Disk;
use tests::process::SERVICES;
use tests::until;

use super::campaign::Campaign;
use super::judge::judge;
use super::{all_of, everybody, settings, skipped, town};

/// How often a disk fills up when nobody says how many faults strike, and for how many of them once.
const USUAL: u32 = 1;
const EACH: u32 = 50;
/// How many calls are refused before there is room again.
const REFUSED: u32 = 25;
/// How large disks are, in mebibytes: several times what the databases of a town take, and little for a log.
const TABLES: u32 = 320;
const FILES: u32 = 128;
const LOG: u32 = 64;
/// What callers are told.
const FULL: &str = "STORAGE_FULL";

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_and_loses_none_sqlite() {
    let Some(disk) = Disk::make(FILES) else {
        return;
    };
    let fittings = Fittings {
        disk: Some(disk.path()),
        ..Fittings::default()
    };
    let city = City::open_with(Store::Sqlite, town(), fittings).await;
    let city = city.expect("SQLite is always there");
    let campaign = fills(city, &disk, "the files of SQLite", None).await;
    campaign.tally.is_free_of_internal_errors();
    assert!(campaign.tally.refused(FULL) >= REFUSED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_and_loses_none_postgres() {
    let Some(disk) = Disk::make(TABLES) else {
        return;
    };
    let disks = Disks {
        tables: Some(disk.path()),
        log: None,
    };
    let Some((cluster, city)) = opened(disks).await else {
        return;
    };
    let campaign = fills(city, &disk, "tables of PostgreSQL", None).await;
    drop(cluster);
    campaign.tally.is_free_of_internal_errors();
    assert!(campaign.tally.refused(FULL) >= REFUSED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_log_stops_the_server_and_loses_nothing_postgres() {
    let Some(disk) = Disk::make(LOG) else {
        return;
    };
    let disks = Disks {
        tables: None,
        log: Some(disk.path()),
    };
    let Some((cluster, city)) = opened(disks).await else {
        return;
    };
    fills(city, &disk, "the log of PostgreSQL", Some(&cluster)).await;
}

/// A server on these disks, and a city on it.
async fn opened(disks: Disks<'_>) -> Option<(Cluster, City)> {
    let Some(cluster) = Cluster::start_on(disks).await else {
        skipped("a full disk: no server of PostgreSQL is installed here");
        return None;
    };
    let url = cluster.url();
    let fittings = Fittings {
        server: Some(&url),
        ..Fittings::default()
    };
    let city = City::open_with(Store::Postgres, town(), fittings).await?;
    Some((cluster, city))
}

/// Fills the disk while clients write, makes room, has the server started again that stopped of it, and holds what is
/// kept against what was acknowledged.
async fn fills(city: City, disk: &Disk, what: &str, stopped: Option<&Cluster>) -> Campaign {
    let (city, campaign, begun) = (Arc::new(city), Campaign::new(), Instant::now());
    let mut clients = everybody(&campaign, &city);
    let filling = async {
        for _ in 0..settings::seldom(USUAL, EACH) {
            for service in SERVICES {
                campaign.more(service, 3).await;
            }
            let fault = async {
                disk.fill();
                refuses(&campaign, stopped.is_some()).await;
                disk.make_room();
                if let Some(cluster) = stopped {
                    cluster.revive().await;
                }
            };
            let label = ("full disk", what.to_owned());
            campaign.under(label, &SERVICES[..4], fault).await;
        }
    };
    tokio::select! {
        () = filling => {}
        Some(ended) = clients.join_next() => panic!("a client ended early: {ended:?}"),
    }
    campaign.end();
    let all = all_of(clients).await;
    let heading = format!(
        "The disk with {what} full in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    campaign.tally.report(&heading, &[all.to_string()]);
    judge(&campaign, &city, all).await;
    campaign
}

/// Waits until enough calls were refused: because the disk is full, or for any reason where the server stops of it.
async fn refuses(campaign: &Campaign, stops: bool) {
    let tally = &campaign.tally;
    let count = || {
        if stops {
            tally.failures()
        } else {
            tally.refused(FULL)
        }
    };
    let enough = count() + REFUSED;
    until("writes are refused", || async {
        (count() >= enough).then_some(())
    })
    .await;
}
