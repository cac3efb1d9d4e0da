//! Gives records and checkpoints in their order, all of them or those of a period.

use chrono::{DateTime, Utc};
use proto::audit::{ExportRecordsRequest, ExportRecordsResponse};

use super::convert::{checkpoint, to_pb};
use super::log::Shelf;
use super::part::Part;
use super::search;
use super::service::{PAGE, bounds};
use crate::field::Fields;
use crate::status::Problem;

/// An export under way: checkpoints first, then records.
pub(super) struct Export {
    shelf: Shelf,
    /// The last one told; none when all were.
    checkpoints: Option<(i64, i32)>,
    /// The sequence of the last one to be told.
    last_checkpoint: i64,
    /// What is still to be told.
    records: (i64, i64),
}

impl Export {
    /// Begins to export what `request` asks for, up to `head`, the last record.
    ///
    /// # Errors
    /// INVALID_FIELD where the request cannot be understood; when the database fails.
    pub(super) async fn begin(
        shelf: Shelf,
        request: &ExportRecordsRequest,
        head: i64,
    ) -> Result<Self, Problem> {
        let (start, end) = period(request)?;
        let (first, last) = bounds(request.start_sequence, request.end_sequence)?;
        let part = Part::of(shelf.db.read(), start, end).await?;
        Ok(Self {
            shelf,
            checkpoints: Some((part.after.saturating_sub(1), i32::MAX)),
            last_checkpoint: part.last,
            records: (first.max(part.first()), last.min(part.last).min(head)),
        })
    }

    /// The next piece, and what follows it; none at the end.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn piece(mut self) -> Result<Option<(ExportRecordsResponse, Self)>, Problem> {
        let (db, service) = (self.shelf.db.read(), self.shelf.service);
        if let Some(after) = self.checkpoints {
            let mut found = search::checkpoints(db, after, PAGE).await?;
            self.checkpoints = found.last().map(|last| (last.sequence, last.kind));
            found.retain(|one| one.sequence <= self.last_checkpoint);
            if found.is_empty() {
                self.checkpoints = None;
            }
            let tell = |found| checkpoint(service, found);
            let piece = ExportRecordsResponse {
                checkpoints: found.into_iter().map(tell).collect(),
                ..ExportRecordsResponse::default()
            };
            return Ok(Some((piece, self)));
        }
        if self.records.0 > self.records.1 {
            return Ok(None);
        }
        let found = search::range(db, self.records, PAGE).await?;
        let Some(last) = found.last() else {
            return Ok(None);
        };
        self.records.0 = last.sequence + 1;
        let tell = |found| to_pb(service, found);
        let piece = ExportRecordsResponse {
            records: found.into_iter().map(tell).collect(),
            ..ExportRecordsResponse::default()
        };
        Ok(Some((piece, self)))
    }
}

/// When a period begins and ends, where that is said.
type Period = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// The instants of a period, which stands alone.
fn period(request: &ExportRecordsRequest) -> Result<Period, Problem> {
    let mut fields = Fields::new();
    let (start, end) = (request.start_time, request.end_time);
    let sequences = request.start_sequence != 0 || request.end_sequence != 0;
    if sequences && (start.is_some() || end.is_some()) {
        let english = "must not be given with a period";
        fields.violation("start_sequence", "不能与起止时间同时给出", english);
    }
    let start = start.and_then(|start| fields.instant("start_time", Some(start)));
    let end = end.and_then(|end| fields.instant("end_time", Some(end)));
    if let (Some(start), Some(end)) = (start, end)
        && end < start
    {
        fields.violation(
            "end_time",
            "不能早于开始时间",
            "must not be before start_time",
        );
    }
    fields.finish()?;
    Ok((start, end))
}
