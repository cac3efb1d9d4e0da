//! The devices of a campus, and which of them are online.

use kit::auth::Caller;
use kit::db::Tx;
use prost::Message;

use super::Protection;
use crate::app::Site;
use crate::error::Error;
use crate::store::Store;
use crate::store::protection::DeviceRow;

impl Protection {
    /// Keeps devices as they were reported, once for each request id.
    pub(crate) async fn report_devices<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        mut devices: Vec<DeviceRow>,
        request: (&str, &impl Message),
        render: impl FnOnce(u32, u32) -> R,
    ) -> Result<R, Error> {
        let organization = &site.campus()?.organization;
        let work = async |tx: &Tx, now: chrono::DateTime<chrono::Utc>| {
            for device in &mut devices {
                device.organization.clone_from(&organization.id);
                device.org_path.clone_from(&organization.org_path);
                device.reported_at = now.timestamp_millis();
                device.since = device.reported_at;
            }
            let (new, changed) = Store::save_devices(tx, devices).await?;
            Ok(render(new, changed))
        };
        let method = "ReportProtectionDevices";
        self.base.act(caller, method, request, work).await
    }

    /// The devices of a campus.
    pub(crate) async fn devices(
        &self,
        site: &Site,
        offline: bool,
        after: &str,
        limit: u64,
    ) -> Result<Vec<DeviceRow>, Error> {
        let db = self.base.store.database().read();
        Ok(Store::devices(db, &site.organization.id, offline, after, limit).await?)
    }
}
