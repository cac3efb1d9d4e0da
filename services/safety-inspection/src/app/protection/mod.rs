//! How campuses are protected: declared by one, confirmed by another, judged by rule and day.

mod figures;

use chrono::NaiveDate;
use kit::auth::{Caller, Permission};
use prost::Message;
use sea_orm::ConnectionTrait;

use super::{Base, Site, place, policy};
use crate::domain::protection::declaration::Declaration;
use crate::domain::protection::guards::People;
use crate::domain::protection::judgement::{Judgement, judge};
use crate::domain::protection::version::{Verb, step};
use crate::error::Error;
use crate::store::Store;
use crate::store::protection::{Declared, DeviceRow, MoveRow, VersionRow};
use crate::store::register::Rules;

pub(crate) use figures::Figures;

/// The newest declaration of a campus, and what it amounts to.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) declared: Declared,
    pub(crate) judgement: Judgement,
    pub(crate) people: People,
    pub(crate) policy_version: String,
    pub(crate) moves: Vec<MoveRow>,
    pub(crate) today: NaiveDate,
}

/// What is done to the newest version of a campus.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// The next version begins.
    Declare(Box<Declaration>),
    /// This version is confirmed.
    Confirm(i32),
    /// This version is returned, with a reason.
    Return(i32, String),
}

impl Act {
    fn verb(&self) -> Verb {
        match self {
            Self::Declare(_) => Verb::Declare,
            Self::Confirm(_) => Verb::Confirm,
            Self::Return(..) => Verb::Return,
        }
    }

    fn method(&self) -> &'static str {
        match self {
            Self::Declare(_) => "DeclareProtection",
            Self::Confirm(_) => "ConfirmProtection",
            Self::Return(..) => "ReturnProtection",
        }
    }
}

/// What a version is done to becomes of it, and the line of its history.
fn moved(before: Declared, act: Act, actor: &str, at: i64) -> Result<(Declared, MoveRow), Error> {
    if let Act::Confirm(version) | Act::Return(version, _) = &act
        && *version != before.version
        && before.version > 0
    {
        return Err(Error::ProtectionSuperseded(before.version));
    }
    let state = step(before.state, act.verb(), &before.declarer, actor)?;
    let former = before.state;
    let (now, sequence, reason) = match act {
        Act::Declare(declaration) => {
            let now = Declared {
                version: before.version.saturating_add(1),
                state,
                declarer: actor.to_owned(),
                declaration: *declaration,
                ..before
            };
            (now, 1, String::new())
        }
        Act::Confirm(_) => (Declared { state, ..before }, 2, String::new()),
        Act::Return(_, reason) => (Declared { state, ..before }, 2, reason),
    };
    let line = MoveRow {
        organization: now.organization.clone(),
        version: now.version,
        sequence,
        former_state: former as i16,
        state: state as i16,
        actor: actor.to_owned(),
        reason,
        moved_at: at,
    };
    Ok((now, line))
}

impl Base {
    async fn judged(
        db: &(impl ConnectionTrait + Sync),
        rules: &Rules,
        declared: Declared,
        today: NaiveDate,
    ) -> Result<Judged, Error> {
        let unknown = || Error::PolicyUnknown(declared.org_path.clone());
        let profile = rules
            .policy(&place(&declared.org_path), today)
            .ok_or_else(unknown)?;
        let (people, _) = Store::campus_people(db, &declared.organization).await?;
        let numbers = policy::protection(profile);
        let version = declared.version;
        let moves = Store::protection_moves(db, &declared.organization, (version, version));
        Ok(Judged {
            judgement: judge(&declared.declaration, people, &numbers, today),
            people,
            policy_version: profile.policy_version.clone(),
            moves: moves.await?,
            declared,
            today,
        })
    }

    /// What the newest declaration of a campus amounts to today.
    pub(crate) async fn protection(&self, site: &Site) -> Result<Judged, Error> {
        let site = site.campus()?;
        let db = self.store.database().read();
        let rules = Store::rules(db).await?;
        let (id, org_path) = (&site.organization.id, &site.organization.org_path);
        let declared = Store::protection(db, id).await?;
        let declared = declared.unwrap_or_else(|| Declared::nothing(id, org_path));
        Self::judged(db, &rules, declared, self.today()).await
    }

    /// The newest declarations at and below an organisation, as they stand today.
    pub(crate) async fn protections(
        &self,
        site: &Site,
        overdue: bool,
        after: &str,
        limit: u64,
    ) -> Result<Vec<Judged>, Error> {
        let db = self.store.database().read();
        let (rules, today) = (Store::rules(db).await?, self.today());
        let org_path = &site.organization.org_path;
        let lapsed = overdue.then_some(today);
        let found = Store::protections_below(db, org_path, lapsed, after, limit).await?;
        let mut judged = Vec::with_capacity(found.len());
        for declared in found {
            judged.push(Self::judged(db, &rules, declared, today).await?);
        }
        Ok(judged)
    }

    /// Declares, confirms or returns, once for each request id.
    pub(crate) async fn act_on_protection<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        act: Act,
        once: (&str, &impl Message),
        render: impl FnOnce(Judged) -> R,
    ) -> Result<R, Error> {
        let organization = &site.campus()?.organization;
        self.act(caller, act.method(), once, async |tx, now| {
            let (id, org_path) = (&organization.id, &organization.org_path);
            let before = Store::lock_protection(tx, id, org_path).await?;
            let at = now.timestamp_millis();
            let (declared, line) = moved(before, act, &caller.subject, at)?;
            Store::save_protection(tx, &declared, line).await?;
            let rules = Store::rules(tx).await?;
            let today = kit::clock::civil_date(now);
            Ok(render(Self::judged(tx, &rules, declared, today).await?))
        })
        .await
    }

    /// What a campus declared before the version `before`, newest first, each with its history.
    pub(crate) async fn protection_versions(
        &self,
        site: &Site,
        before: i32,
        limit: u64,
    ) -> Result<Vec<(VersionRow, Vec<MoveRow>)>, Error> {
        let (db, id) = (self.store.database().read(), &site.organization.id);
        let versions = Store::protection_versions(db, id, before, limit).await?;
        let range = match (versions.last(), versions.first()) {
            (Some(first), Some(last)) => (first.version, last.version),
            _ => return Ok(Vec::new()),
        };
        let moves = Store::protection_moves(db, id, range).await?;
        let versions = versions.into_iter().map(|version| {
            let own = moves.iter().filter(|line| line.version == version.version);
            let own = own.cloned().collect();
            (version, own)
        });
        Ok(versions.collect())
    }

    /// Keeps devices as they were reported, once for each request id.
    pub(crate) async fn report_devices<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        mut devices: Vec<DeviceRow>,
        once: (&str, &impl Message),
        render: impl FnOnce(u32, u32) -> R,
    ) -> Result<R, Error> {
        let organization = &site.campus()?.organization;
        self.act(caller, "ReportProtectionDevices", once, async |tx, now| {
            for device in &mut devices {
                device.organization.clone_from(&organization.id);
                device.org_path.clone_from(&organization.org_path);
                device.reported_at = now.timestamp_millis();
                device.since = device.reported_at;
            }
            let (new, changed) = Store::save_devices(tx, devices).await?;
            Ok(render(new, changed))
        })
        .await
    }

    /// The devices of a campus.
    pub(crate) async fn devices(
        &self,
        site: &Site,
        offline: bool,
        after: &str,
        limit: u64,
    ) -> Result<Vec<DeviceRow>, Error> {
        let db = self.store.database().read();
        Ok(Store::devices(db, &site.organization.id, offline, after, limit).await?)
    }

    /// The caller's organisation for a read.
    pub(crate) async fn protection_site(&self, caller: &Caller, id: &str) -> Result<Site, Error> {
        self.site(caller, Permission::ProtectionRead, id).await
    }
}
