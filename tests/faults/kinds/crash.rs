//! The server of PostgreSQL ends without a farewell and recovers from its log.

use tests::cluster::Cluster;

pub(super) async fn strike(cluster: &Cluster) {
    cluster.crash().await;
}
