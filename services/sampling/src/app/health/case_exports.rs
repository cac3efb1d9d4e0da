//! Takes a case away as a document, and remembers who did.

use kit::auth::{Caller, Permission};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::error::Error;
use crate::grpc::health::case_document::{self, Contents, Table};
use crate::store::health::cases::{self, CaseRow, ExportRow};
use crate::store::health::contacts;
use crate::store::health::reports;
use crate::store::rolls;
use kit::rows::{Lock, Row};

/// More lines of one case than there can be.
const ALL: u64 = 1 << 32;

/// The form of a document. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub(crate) enum Format {
    /// The card as a table of one line.
    Csv = 1,
    /// The whole document.
    Json = 2,
    /// The reports as a table.
    CsvReports = 3,
    /// The contacts as a table.
    CsvContacts = 4,
}

impl App {
    /// A case as a document. The log line is durable before the bytes are handed out.
    pub(crate) async fn export_case(
        &self,
        caller: &Caller,
        id: &str,
        format: Format,
        purpose: &str,
    ) -> Result<Vec<u8>, Error> {
        caller.allowed(Permission::CaseExport)?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        // The row is the lock of its lines: exports are numbered one after the other.
        let row = CaseRow::get(&tx, id, Lock::Yes).await?;
        let path = row.as_ref().map_or("", |row| &row.org_path);
        Self::check_path(caller, Permission::CaseExport, path)?;
        let row = row.ok_or_else(|| Error::NotFound(format!("cases/{id}")))?;
        let exports = cases::exports(&tx, id, 0, ALL).await?;
        let reports = reports::list(&tx, id, 0, ALL).await?;
        let contacts = contacts::list(&tx, id, Vec::new(), ALL).await?;
        let events = cases::events(&tx, id, 0, ALL).await?;
        let school = rolls::organization_name(&tx, &row.school).await?;
        let groups = rolls::groups_at(&tx, std::slice::from_ref(&row.org_path)).await?;
        let class_group = groups.into_iter().next().map(|group| group.display_name);
        let file = reports::files(&tx, vec![row]).await?.pop();
        let contents = Contents {
            file: file.unwrap_or_default(),
            events,
            reports,
            contacts,
            actor: caller.subject.clone(),
            school,
            class_group: class_group.unwrap_or_default(),
        };
        let document = case_document::document(&contents, now);
        let bytes = match format {
            Format::Csv => case_document::csv(&document, Table::Card),
            Format::CsvReports => case_document::csv(&document, Table::Reports),
            Format::CsvContacts => case_document::csv(&document, Table::Contacts),
            Format::Json => case_document::json(&document),
        };
        let line = ExportRow {
            case_id: id.to_owned(),
            sequence: exports.last().map_or(1, |last| last.sequence + 1),
            time: now.timestamp_millis(),
            actor: caller.subject.clone(),
            purpose: purpose.to_owned(),
            format: format as i16,
            sha256: hex::encode(Sha256::digest(&bytes)),
        };
        ExportRow::add(&tx, std::slice::from_ref(&line)).await?;
        tx.commit().await?;
        Ok(bytes)
    }

    /// The exports of a case after one.
    pub(crate) async fn list_case_exports(
        &self,
        caller: &Caller,
        id: &str,
        after: i32,
        limit: u64,
    ) -> Result<Vec<ExportRow>, Error> {
        self.readable_case(caller, Permission::CaseRead, id).await?;
        Ok(cases::exports(self.db.read(), id, after, limit).await?)
    }
}
