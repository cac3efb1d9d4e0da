//! Corrects a result, and tells every version of it.

use kit::auth::{Caller, Permission};
use kit::request::{Once, once};
use prost::Message;
use proto::sampling::Result as Outcome;

use super::App;
use super::results::from_row;
use crate::domain::laboratory_result::{LaboratoryResult, in_force};
use crate::error::Error;
use crate::grpc::tube_convert;
use crate::store::results::ResultRow;
use crate::store::tubes::TubeRow;
use kit::rows::{Lock, Row};

impl App {
    /// Replaces a result by a new version; `correction` has any version.
    pub(crate) async fn correct_result(
        &self,
        caller: &Caller,
        correction: LaboratoryResult,
        (request_id, request): (&str, &impl Message),
    ) -> Result<Outcome, Error> {
        let now = self.clock.now();
        let code = correction.tube.clone();
        let tx = self.db.begin().await?;
        let tube = TubeRow::get(&tx, &code, Lock::Yes).await?;
        Self::check_tube(caller, Permission::ResultSubmit, tube.as_ref(), &code)?;
        let ticket = match once(&tx, caller, "CorrectResult", request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let known = ResultRow::find(&tx, "tube", vec![code.as_str().into()], Lock::No).await?;
        if !known.iter().any(|row| row.report == correction.report) {
            return Err(Error::NotFound(format!("tubes/{code}/results")));
        }
        let last = known.iter().map(|row| row.version).max();
        let corrected = LaboratoryResult {
            version: last.unwrap_or_default() + 1,
            ..correction
        };
        let results = std::slice::from_ref(&corrected);
        for taken in self.take(&tx, caller, "CorrectResult", results).await? {
            taken?;
        }
        let answer = tube_convert::result(&corrected, now);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// The result in force of a tube.
    pub(crate) async fn get_result(&self, caller: &Caller, code: &str) -> Result<ResultRow, Error> {
        let rows = self.list_results(caller, code).await?;
        let all: Vec<LaboratoryResult> = rows.iter().map(from_row).collect();
        let force = in_force(&all).map(|force| (force.report.clone(), force.version));
        rows.into_iter()
            .find(|row| force.as_ref() == Some(&(row.report.clone(), row.version)))
            .ok_or_else(|| Error::NotFound(format!("tubes/{code}/result")))
    }

    /// Every version of the results of a tube, by report and version. A laboratory reads its own
    /// by the right to submit them.
    pub(crate) async fn list_results(
        &self,
        caller: &Caller,
        code: &str,
    ) -> Result<Vec<ResultRow>, Error> {
        let permission = match caller.allowed(Permission::ResultSubmit) {
            Ok(_) => Permission::ResultSubmit,
            Err(_) => Permission::ResultRead,
        };
        self.get_tube(caller, permission, code).await?;
        let key = vec![code.into()];
        Ok(ResultRow::find(self.db.read(), "tube", key, Lock::No).await?)
    }
}
