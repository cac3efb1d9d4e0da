//! A process stands still: its connections stay, and nobody answers.

use std::time::Duration;

use tests::city::City;

pub(super) async fn strike(city: &City, service: &str, moment: Duration) {
    city.freeze(service, moment).await;
}
