//! Somebody notices an incident.

use kit::auth::Caller;
use kit::clock::civil_date;
use prost::Message;

use super::{Incidents, Now, Once, Told, instant};
use crate::app::{Site, new_id};
use crate::domain::incident::detection::{Noticed, Scene};
use crate::domain::incident::file::{Chain, File};
use crate::domain::incident::moves::Judge;
use crate::error::Error;
use crate::store::Store;
use crate::store::incidents::Findings;

impl Incidents {
    /// Keeps an incident that was noticed. Whoever may notice one may notice a confidential one too,
    /// even where reading it again is for others.
    pub(crate) async fn detect<M: Message, R: Message + Default>(
        &self,
        (caller, site): (&Caller, &Site),
        noticed: Noticed,
        (method, request_id, request): Once<'_, M>,
        render: impl FnOnce(Told, ()) -> R,
    ) -> Result<R, Error> {
        self.base
            .act(caller, method, (request_id, request), async |tx, now| {
                let terms = self.terms(tx, site, now).await?;
                let day = civil_date(instant(noticed.occurred));
                let table = self.tables.in_force(terms.table, day);
                let at = Now {
                    judge: Judge {
                        tables: &self.tables,
                        terms: &terms,
                    },
                    time: now.timestamp_millis(),
                };
                let depth = site.path.ids().count().saturating_sub(1);
                let scene = Scene {
                    organization: site.organization.id.clone(),
                    org_path: site.organization.org_path.clone(),
                    chain: Chain::of(site.organization.level(), depth),
                };
                let by = at.by(caller, "");
                let (file, event) =
                    File::detect(new_id(now), noticed, scene, (at.judge, table), by);
                Store::save_incident(tx, &file, at.time).await?;
                Store::add_incident_events(tx, file.incident.id, vec![event]).await?;
                let told = Told {
                    file,
                    findings: Findings::default(),
                    now: at.time,
                };
                Ok(render(told, ()))
            })
            .await
    }
}
