//! A transaction: what is written in it is recorded, made durable and announced together.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};
use tokio::sync::Notify;

use super::Backend;
use super::connections::{Way, pass, word};
use super::observed::{Observed, Wanted, kind};
use crate::audit::{self, Call, Kind};

/// A transaction. It is rolled back unless [`Tx::commit`] is called.
#[derive(Debug)]
pub struct Tx {
    pub(super) inner: DatabaseTransaction,
    pub(super) way: Option<Arc<dyn Way>>,
    pub(super) observed: Observed,
    pub(super) _wanted: Wanted,
    pub(super) backend: Backend,
    pub(super) wake: Arc<Notify>,
    pub(super) announced: AtomicBool,
    pub(super) audit: Arc<Notify>,
    pub(super) audited: AtomicBool,
    /// The calls whose acts this transaction records.
    pub(super) acts: Mutex<Vec<Arc<Call>>>,
}

impl Tx {
    /// Which of the two databases this is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The transaction beneath, for streaming reads.
    pub fn inner(&self) -> &DatabaseTransaction {
        &self.inner
    }

    /// Records the acts, makes everything durable, and wakes the feed when something was announced.
    ///
    /// # Errors
    /// When the commit fails; nothing of the transaction remains, unless the connection broke
    /// while the answer was on its way.
    pub async fn commit(self) -> Result<(), DbErr> {
        let acts = std::mem::take(&mut *self.acts());
        if !acts.is_empty() {
            let records = acts.iter().map(|call| call.record(Kind::Act));
            audit::write(&self, &records.collect::<Vec<_>>()).await?;
            self.mark_audited();
        }
        pass(self.way.as_ref(), || word(&self.inner, "COMMIT")).await?;
        self.observed.run("COMMIT", self.inner.commit()).await?;
        acts.iter().for_each(|call| call.set_recorded());
        if self.audited.into_inner() {
            self.audit.notify_one();
        }
        if self.announced.into_inner() {
            self.wake.notify_waiters();
        }
        Ok(())
    }

    /// Gives everything up.
    ///
    /// # Errors
    /// When the connection is broken; the database rolls back by itself then.
    pub async fn rollback(self) -> Result<(), DbErr> {
        self.inner.rollback().await
    }

    /// Records `call` at the commit.
    pub(crate) fn record(&self, call: &Arc<Call>) {
        let mut acts = self.acts();
        if !acts.contains(call) {
            acts.push(call.clone());
        }
    }

    fn acts(&self) -> MutexGuard<'_, Vec<Arc<Call>>> {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn mark_audited(&self) {
        self.audited.store(true, Ordering::Relaxed);
    }

    pub(crate) fn mark_announced(&self) {
        self.announced.store(true, Ordering::Relaxed);
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        pass(self.way.as_ref(), || statement.clone()).await?;
        let kind = kind(&statement.sql);
        let done = self.inner.execute_raw(statement);
        self.observed.run(kind, done).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        pass(self.way.as_ref(), || word(&self.inner, sql)).await?;
        let done = self.inner.execute_unprepared(sql);
        self.observed.run(kind(sql), done).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        pass(self.way.as_ref(), || statement.clone()).await?;
        let kind = kind(&statement.sql);
        let done = self.inner.query_one_raw(statement);
        self.observed.run(kind, done).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        pass(self.way.as_ref(), || statement.clone()).await?;
        let kind = kind(&statement.sql);
        let done = self.inner.query_all_raw(statement);
        self.observed.run(kind, done).await
    }
}
