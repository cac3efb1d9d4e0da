//! The log of one service, put together.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use ed25519_dalek::{SigningKey, VerifyingKey};
use http::HeaderMap;
use proto::audit::audit_log_service_server::AuditLogServiceServer;
use sea_orm::DbErr;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use super::call::{Audited, Call};
use super::floors::{Floors, greatest};
use super::record::Kind;
use super::refusals::Refusals;
use super::service::AuditGrpc;
use super::writer::Writer;
use super::{AuditConfig, chain, figures, notary, retention};
use crate::auth::Caller;
use crate::clock::Clock;
use crate::db::Database;
use crate::drain::Drain;
use crate::server::{BreakGlass, Method};
use crate::status::Problem;
use crate::telemetry::figures::{Count, Name};

const BESIDE: Name = Name::count(
    "campus.audit.acts.beside",
    "Acts that were recorded beside their transaction instead of in it",
);

/// The audit log of one service. Clones share it.
#[derive(Clone)]
pub struct Audit(Arc<Inner>);

struct Inner {
    writer: Writer,
    refusals: Refusals,
    clock: Arc<dyn Clock>,
    service: &'static str,
    late: Count,
    shelf: Shelf,
}

/// Where a log is and who signs it.
#[derive(Clone)]
pub(super) struct Shelf {
    pub(super) db: Database,
    pub(super) service: &'static str,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) key: SigningKey,
    pub(super) trusted: Vec<VerifyingKey>,
    /// The file to which checkpoints are appended as well.
    pub(super) elsewhere: Option<PathBuf>,
    /// How many days records are kept at least, and how many those of partners and laboratories.
    pub(super) least_days: (u32, u32),
    /// The policies, which may ask for more.
    pub(super) floors: Arc<OnceLock<Box<dyn Floors>>>,
}

impl Shelf {
    /// How many days records are kept, and how many those of partners and laboratories: as long as the
    /// settings say, or the policies in force where they ask for more.
    pub(super) async fn kept_days(&self) -> Result<(u32, u32), DbErr> {
        let (mut usual, mut of_partners) = self.least_days;
        if let Some(floors) = self.floors.get() {
            let floors = floors.floors(&self.db).await?;
            let (days, partner_days) = greatest(&floors, self.clock.today());
            usual = usual.max(days);
            of_partners = of_partners.max(partner_days);
        }
        Ok((usual, of_partners.max(usual)))
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit")
            .field("service", &self.0.shelf.service)
            .finish_non_exhaustive()
    }
}

impl Audit {
    /// Begins to record, chain, sign and cut the log of `service` in `db`, until the drain.
    ///
    /// # Errors
    /// When a setting cannot be used; the text names the key.
    pub fn start(
        db: Database,
        service: &'static str,
        (config, production): (&AuditConfig, bool),
        clock: Arc<dyn Clock>,
        drain: Drain,
    ) -> Result<Self, String> {
        config.check(production)?;
        let (key, trusted) = config.keys(production)?;
        let writer = Writer::start(db.clone(), service);
        let shelf = Shelf {
            db: db.clone(),
            service,
            clock: clock.clone(),
            key,
            trusted,
            elsewhere: config.checkpoint_file.clone(),
            least_days: (config.retention_days, config.partner_retention_days),
            floors: Arc::default(),
        };
        tokio::spawn(chain::run(db.clone(), service, drain.clone()));
        tokio::spawn(figures::tell(db, service, clock.clone(), drain.clone()));
        tokio::spawn(notary::run(shelf.clone(), drain.clone()));
        tokio::spawn(retention::run(shelf.clone(), drain.clone()));
        Ok(Self(Arc::new(Inner {
            refusals: Refusals::start(writer.clone(), service, drain),
            writer,
            clock,
            service,
            late: BESIDE.counted(),
            shelf,
        })))
    }

    /// Keeps the log for as long as the policies in force ask for, where that is longer than the
    /// settings say. Only the first to be named counts.
    pub(crate) fn keep_by(&self, floors: impl Floors) {
        let _ = self.0.shelf.floors.set(Box::new(floors));
    }

    /// The service that answers for the log.
    pub fn service(&self) -> AuditLogServiceServer<AuditGrpc> {
        AuditLogServiceServer::new(AuditGrpc::new(self.0.shelf.clone()))
    }

    /// Notes that `caller` calls the method at `path`; none where nothing of it could be recorded. A call
    /// for which the glass was broken always has a trace, by which what it read is found.
    pub(crate) fn begin(&self, caller: &Caller, path: &str, trace: String) -> Option<Arc<Call>> {
        let broken = caller.break_glass.is_some();
        let audited = Audited::of(path) != Audited::Nothing;
        let trace = match trace {
            none if none.is_empty() && broken => Uuid::new_v4().simple().to_string(),
            trace => trace,
        };
        (audited || broken).then(|| Arc::new(Call::new(caller, path, self.0.clock.now(), trace)))
    }

    /// Notes that `caller` was refused with `status` before the call began: for whom a broken glass opens
    /// nothing, and of whom the door says so. What is no method of a contract is whatever its caller wrote.
    pub(crate) fn turned_away(&self, caller: &Caller, path: &str, trace: String, status: &Status) {
        if status.code() == Code::PermissionDenied && Method::at(path).is_some() {
            let call = Call::new(caller, path, self.0.clock.now(), trace);
            self.refused(&call, status);
        }
    }

    /// Records what came of a call by the headers of its answer, before their first byte leaves.
    ///
    /// # Errors
    /// When what was read or done cannot be recorded: the answer must not leave.
    pub(crate) async fn end(&self, call: &Call, headers: &HeaderMap) -> Result<(), Problem> {
        let status = Status::from_header_map(headers);
        let status = status.filter(|status| status.code() != Code::Ok);
        match (call.audited(), status) {
            (Audited::Read, None) => self.0.writer.durable(call.record(Kind::Read)).await,
            (Audited::Act, None) if !call.is_recorded() => self.beside(call).await,
            (Audited::Nothing, _) | (_, None) => Ok(()),
            (_, Some(status)) => {
                if status.code() == Code::PermissionDenied {
                    self.refused(call, &status);
                }
                Ok(())
            }
        }
    }

    /// An act that no transaction recorded: one whose answer is a stream, of which the many transactions
    /// follow, or one that forgot it.
    async fn beside(&self, call: &Call) -> Result<(), Problem> {
        let mut record = call.record(Kind::Act);
        if !call.streams() {
            record.beside = true;
            if let Some(Method { contract, name, .. }) = Method::at(&record.method) {
                let service = ("service", self.0.service);
                let labels = [service, ("contract", contract), ("method", name)];
                self.0.late.add(1, labels);
            }
        }
        self.0.writer.durable(record).await?;
        call.set_recorded();
        Ok(())
    }

    fn refused(&self, call: &Call, status: &Status) {
        let mut record = call.record(Kind::Refused);
        record.code = status.code().into();
        let details = status.get_error_details();
        let info = details.error_info();
        record.error_reason = info.map_or_else(String::new, |info| info.reason.clone());
        self.0.refusals.note(record);
    }
}

#[async_trait]
impl BreakGlass for Audit {
    async fn broken(&self, caller: &Caller, path: &str, reason: &str) -> Result<(), Problem> {
        let call = match &caller.call {
            Some(call) => call.clone(),
            None => Arc::new(Call::new(caller, path, self.0.clock.now(), String::new())),
        };
        let mut record = call.record(Kind::BreakGlass);
        reason.clone_into(&mut record.reason);
        self.0.writer.durable(record).await
    }
}
