//! Lists of nothing: two bytes on the wire are an element, which may have hundreds in memory.

use std::time::Duration;

use futures_util::future::join_all;
use kit::auth::Role;
use tests::city::{City, caller};
use tests::town::CITY;
use tonic::Code;

use super::raw;

/// Methods with lists of large elements, who answers them, and the field.
const LISTS: [(&str, &str, u8); 3] = [
    ("roster", "/campus.roster.v1.ImportService/Import", 2),
    (
        "sampling",
        "/campus.sampling.v1.ScreeningService/BatchSubmitChecks",
        1,
    ),
    (
        "safety-inspection",
        "/campus.safety.v1.GateService/RecordBatch",
        3,
    ),
];
/// How many elements are sent: fewer bytes than any of the methods takes.
const ELEMENTS: usize = 120_000;
/// How many calls are made at once.
const CALLS: usize = 100;
/// How much memory a service may take besides for them, in bytes.
const MEMORY: u64 = 64 << 20;
/// How often its memory is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Each of them, a hundred times at once, is refused before it is built.
pub(super) async fn lists(city: &City) {
    for (service, path, field) in LISTS {
        let door = city.door_at(service, caller(Role::CityOfficer, CITY)).await;
        let message = [field << 3 | 2, 0].repeat(ELEMENTS);
        let Some(had) = city.memory(service).await else {
            return;
        };
        let calls = (0..CALLS).map(|_| raw::ask(door.clone(), path, vec![message.clone()]));
        let mut most = had;
        let told = tokio::select! {
            told = join_all(calls) => told,
            () = look(city, service, &mut most) => Vec::new(),
        };
        let refused = |told: &Result<(), tonic::Status>| matches!(told, Err(status) if status.code() == Code::ResourceExhausted);
        assert!(told.iter().all(refused), "{path}: {told:?}");
        let grown = most.saturating_sub(had);
        assert!(grown < MEMORY, "{path}: {} KiB more", grown >> 10);
    }
}

/// Keeps the most that the service ever had; never ends by itself.
async fn look(city: &City, service: &str, most: &mut u64) {
    loop {
        *most = city.memory(service).await.unwrap_or_default().max(*most);
        tokio::time::sleep(LOOK).await;
    }
}
