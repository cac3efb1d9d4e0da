//! PostgreSQL ends every connection to the database of a service, as at a fail-over.

use tests::city::City;

pub(super) async fn strike(city: &City, service: &str) {
    city.cut_off(service).await;
}
