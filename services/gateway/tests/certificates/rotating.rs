//! The door, the service behind it and the gateway between them get new keys while clients call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::timeout;

use super::{Stand, gateway_key, publish, seen, vouched};

/// Each step takes about a second: files are looked at as often.
const IN_TIME: Duration = Duration::from_secs(60);

/// How many calls of each client were answered.
type Calls = [Arc<AtomicUsize>; 3];

/// Waits until so many more calls of each client were answered.
async fn answered(calls: &Calls, more: usize) {
    let begun = calls.each_ref().map(|calls| calls.load(Ordering::Relaxed));
    for (calls, begun) in calls.iter().zip(begun) {
        while calls.load(Ordering::Relaxed) < begun + more {
            tokio::task::yield_now().await;
        }
    }
}

/// Changes the key with which the gateway vouches: the next one is published, then it signs, then the former one
/// is taken out. What the service believes is seen through gateways beside, of which each has one of the two.
async fn rotate(stand: &Stand, (former, next): (u8, u8), calls: &Calls) {
    let path = stand.folder.path();
    let (former, former_key) = stand.beside(former).await;
    let (fresh, fresh_key) = stand.beside(next).await;
    let by_former = stand.channel_to(&former, "health");
    let by_fresh = stand.channel_to(&fresh, "health");
    assert!(vouched(&by_fresh).await.is_err(), "nobody knows its key");
    publish(path, &[&former_key, &fresh_key]);
    let head = loop {
        if let Ok(head) = vouched(&by_fresh).await {
            break head;
        }
        tokio::task::yield_now().await;
    };
    vouched(&by_former).await.expect("both are believed");
    gateway_key(path, next);
    let door = stand.channel("health");
    while vouched(&door).await.expect("no call fails") != head {
        tokio::task::yield_now().await;
    }
    // Calls under way may have come with the former key.
    answered(calls, 1).await;
    publish(path, &[&fresh_key]);
    while vouched(&by_former).await.is_ok() {
        tokio::task::yield_now().await;
    }
    drop((door, by_former, by_fresh));
    for gateway in [former, fresh] {
        gateway.stop().await.expect("stops");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_and_certificates_are_renewed_under_load_without_a_failed_call() {
    let stand = Stand::start().await;
    let over = Arc::new(AtomicBool::new(false));
    let calls: Calls = Default::default();
    let clients: Vec<_> = calls
        .iter()
        .map(|calls| {
            let (channel, over, calls) = (stand.channel("health"), over.clone(), calls.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    seen(channel.clone(), None).await.expect("no call fails");
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let path = stand.folder.path();
    for (former, next) in [(1, 2), (2, 1)] {
        stand.authority.server().write(path, "door");
        stand.authority.server().write(path, "service");
        stand.authority.client("gateway").write(path, "gateway");
        // New clients come while the files are taken up.
        for _ in 0..20 {
            seen(stand.channel("health"), None)
                .await
                .expect("no call fails");
        }
        let rotated = async {
            rotate(&stand, (former, next), &calls).await;
            answered(&calls, 7).await;
        };
        let rotated = timeout(IN_TIME, rotated).await;
        rotated.expect("every client goes on");
    }
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("no call failed");
    }
    stand.stop().await;
}
