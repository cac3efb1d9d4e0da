//! One more gateway before the services of a city, with a wire to one replica of one of them.

use tokio::sync::MutexGuard;

use super::{City, Fittings};
use crate::process::{Process, SERVICES};
use crate::row::Row;
use crate::wire::{Wire, place};

impl City {
    /// One replica of a service, counted from 0, which nobody else has until it is given back.
    ///
    /// # Panics
    /// When there is none.
    pub async fn replica(&self, service: &str, number: usize) -> MutexGuard<'_, Process> {
        self.processes[service][number].lock().await
    }

    /// Starts a gateway, as it is delivered but for the limits of callers, that reaches the last replica of `service`
    /// over the wire that comes with it; it is ready.
    ///
    /// # Panics
    /// When it does not start, or there is no such service.
    pub async fn another_gateway(&self, service: &'static str) -> (Process, Wire) {
        let folder = self.folder.as_ref().expect("a folder for settings");
        let folder = folder.path().join("another");
        std::fs::create_dir_all(&folder).expect("a folder for settings");
        let (mut known, mut wire) = (String::new(), None);
        for name in &SERVICES[..4] {
            let mut addresses = Vec::new();
            for replica in &self.processes[name] {
                addresses.push(replica.lock().await.address());
            }
            if *name == service {
                let last = addresses.pop().expect("a replica");
                let laid = Wire::lay(("gateway", service), vec![place(&last)]).await;
                addresses.push(format!("http://{}", laid.address()));
                wire = Some(laid);
            }
            let (key, addresses) = (name.replace('-', "_"), addresses.join(","));
            known += &format!("{key} = \"{addresses}\"\n");
        }
        let text = Row::new(&folder, Fittings::default()).gateway_settings(&known);
        let gateway = Process::start("gateway", &folder, text, None, false).await;
        gateway.ready().await;
        (gateway, wire.expect("a service behind the gateway"))
    }
}
