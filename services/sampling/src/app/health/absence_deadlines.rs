//! What happens to absences when their deadlines pass: the principal has those of whom nobody was
//! reached (rule 1.11), interviews and late uploads show (rules 1.8, 1.12).

use kit::db::Tx;

use super::absence_book::interview;
use super::deadlines::Deadline;
use crate::app::App;
use crate::domain::health::absence::AbsenceVerb;
use crate::error::Error;
use crate::store::health::absences::AbsenceRow;

impl App {
    /// Does what follows from a deadline that has passed; the absence and its school are locked.
    /// Whether the sick days are really reached is looked up in the calendar as it is now: when it
    /// moved them, the wait goes on.
    pub(super) async fn pass_absence(
        &self,
        tx: &Tx,
        kind: Deadline,
        before: AbsenceRow,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let mut row = before.clone();
        match kind {
            Deadline::AbsenceContact => {
                row.escalated = before.facts()?.stands().allows(AbsenceVerb::Escalate);
            }
            Deadline::AbsenceUpload => {
                row.upload_overdue |= row.due_upload() != 0 && row.upload_time == 0;
            }
            Deadline::AbsenceInterview => {
                let facts = self.facts.get(tx).await?;
                let policy = facts.policy(&row.org_path, self.today());
                let due = policy.and_then(|policy| interview(&row, &facts, &policy.health));
                row.interview_due = due.is_some_and(|due| due <= now.timestamp_millis());
            }
            Deadline::Checks
            | Deadline::ClusterReport
            | Deadline::SuspensionApply
            | Deadline::SuspensionEnd
            | Deadline::Signals
            | Deadline::ReportHop
            | Deadline::FollowUpReport
            | Deadline::ControlEnds
            | Deadline::MeasureEnds => return Ok(()),
        }
        self.keep_absences(tx, vec![(Some(before), row)], now).await
    }
}
