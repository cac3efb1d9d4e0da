//! Incidents are read: one, lists, history, counts.

use kit::auth::{Caller, Permission};
use kit::clock::civil_date;
use kit::org::OrgPath;
use kit::privacy::{Seen, Veil, see_at};
use kit::rows::Lock;
use uuid::Uuid;

use super::{Incidents, Told, opened, policy};
use crate::app::Site;
use crate::domain::incident::file::{File, Incident};
use crate::error::Error;
use crate::store::Store;
use crate::store::incidents::{Count, EventRow, Filter, ReportRow};

/// Counts at an instant in milliseconds since 1970.
#[derive(Clone, Debug)]
pub(crate) struct CountsAt {
    /// By district, category and level.
    pub(crate) counts: Vec<Count>,
    /// The confidential ones.
    pub(crate) confidential: Seen,
    /// By which clock lateness was judged.
    pub(crate) now: i64,
}

impl Incidents {
    /// The present instant in milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.base.clock.now().timestamp_millis()
    }

    async fn read(&self, at: (&Caller, &Site), id: Uuid) -> Result<File, Error> {
        let db = self.base.store.database().read();
        let found = Store::incident(db, &at.1.organization.id, id, Lock::No).await?;
        opened(at, id, found)
    }

    /// One incident.
    pub(crate) async fn get(&self, caller: &Caller, site: &Site, id: Uuid) -> Result<Told, Error> {
        let db = self.base.store.database().read();
        let file = self.read((caller, site), id).await?;
        let findings = Store::incident_findings(db, id).await?;
        let now = self.now();
        Ok(Told {
            file,
            findings,
            now,
        })
    }

    /// Incidents at and below a site, each with what is due next; confidential ones for those who may
    /// open them.
    pub(crate) async fn list(
        &self,
        caller: &Caller,
        site: &Site,
        filter: Filter,
        page: (Option<Uuid>, u64),
    ) -> Result<Vec<(Incident, i64)>, Error> {
        let opens = caller.require(Permission::IncidentConfidential, &site.path);
        let filter = Filter {
            confidential: opens.is_ok(),
            ..filter
        };
        let db = self.base.store.database().read();
        let place = &site.organization.org_path;
        Ok(Store::incidents(db, place, &filter, page.0, page.1).await?)
    }

    /// The reports of an incident after one.
    pub(crate) async fn reports(
        &self,
        (caller, site): (&Caller, &Site),
        id: Uuid,
        (after, limit): (i32, u64),
    ) -> Result<Vec<ReportRow>, Error> {
        let db = self.base.store.database().read();
        self.read((caller, site), id).await?;
        Ok(Store::incident_reports(db, id, after, limit).await?)
    }

    /// The history of an incident after one entry.
    pub(crate) async fn events(
        &self,
        (caller, site): (&Caller, &Site),
        id: Uuid,
        (after, limit): (i32, u64),
    ) -> Result<Vec<EventRow>, Error> {
        let db = self.base.store.database().read();
        self.read((caller, site), id).await?;
        Ok(Store::incident_events(db, id, after, limit).await?)
    }

    /// Counts at and below a site of the incidents noticed in a span. Confidential ones are told of all times
    /// only, as two spans would give away what lies between, and from `privacy.k` on (rule 6.12): what is
    /// hidden, whether or not there is any, cannot be computed from the counts of any other place.
    pub(crate) async fn counts(
        &self,
        site: &Site,
        noticed: std::ops::Range<i64>,
    ) -> Result<CountsAt, Error> {
        let now = self.base.clock.now();
        let db = self.base.store.database().read();
        let rules = Store::rules(db).await?;
        let place = site.organization.org_path.as_str();
        let root = place.split('/').next().unwrap_or_default();
        let k = policy::privacy_k(&rules, &OrgPath::root().join(root), civil_date(now));
        let now = now.timestamp_millis();
        let confidential = if noticed == (i64::MIN..i64::MAX) {
            let counts = Store::confidential_incidents(db, root).await?;
            see_at(Veil::below(k).over_nobody(), &counts, root, place)
        } else {
            Seen::Hidden
        };
        Ok(CountsAt {
            counts: Store::incident_counts(db, place, noticed, now).await?,
            confidential,
            now,
        })
    }
}
