//! A process is killed with SIGKILL: nothing is flushed, nobody is told. It starts again at the same place.

use tests::city::City;

pub(super) async fn strike(city: &City, service: &str) {
    city.kill(service).await;
    city.start_again(service).await;
}
