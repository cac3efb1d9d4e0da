//! Changes what was decided of a suspension, and sees that the roster hears of it.

use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::Caller;
use kit::clock::start_of;
use kit::db::Tx;
use kit::request::{Once, once};
use kit::rows::Row;
use kit::status::Problem;
use kit::teaching::CUT_OFF;
use proto::sampling::{AmendSuspensionRequest, Suspension};

use super::saga::day;
use super::{Asked, classes, line_of, save};
use crate::app::App;
use crate::app::health::deadlines::{Deadline, settle, wait};
use crate::domain::day::Day;
use crate::domain::health::suspension::{Away, Decided, SuspensionState, Unamended};
use crate::error::Error;
use crate::grpc::draw_convert::etag;
use crate::grpc::health::suspension_convert::suspension;
use crate::store::health::suspensions::{
    self, AmendmentRow, ClassRow, IN_PERSON, SuspensionRow, Whole,
};

/// How often one suspension is amended at most.
pub(crate) const MOST_AMENDMENTS: i32 = 50;

/// What a human changes.
#[derive(Clone, Debug)]
pub(crate) struct Amendment {
    /// Who stays away.
    pub(crate) who: Asked,
    /// The first day back; none as before.
    pub(crate) back: Option<NaiveDate>,
}

impl App {
    /// Keeps what a human changes before the day of return; the roster is told afterwards, however
    /// long that takes.
    pub(crate) async fn amend_suspension(
        &self,
        caller: &Caller,
        id: &str,
        amendment: Amendment,
        request: &AmendSuspensionRequest,
    ) -> Result<Suspension, Error> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let mut row = self.decidable(&tx, caller, id).await?;
        let (method, request_id) = ("AmendSuspension", &request.request_id);
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        if !request.etag.is_empty() && request.etag != etag(row.version) {
            return Err(Error::EtagMismatch(format!("suspensions/{id}")));
        }
        let wanted = classes::wanted(&tx, &row, amendment.who).await?;
        let whole = suspensions::whole(&tx, row.clone()).await?;
        let before = decided(&whole)?;
        let back = amendment.back.map(Day::from);
        let after = before
            .amend(wanted, back, self.today())
            .map_err(|why| refused(why, &row))?;
        if row.amendments >= MOST_AMENDMENTS {
            return Err(Error::SuspensionAmendments);
        }
        row.amendments += 1;
        let kept = AmendmentRow {
            suspension: row.id.clone(),
            sequence: row.amendments,
            time: now.timestamp_millis(),
            amended_by: request.amended_by.clone(),
            amender: caller.subject.clone(),
            reason: request.reason.clone(),
            from_scope: row.scope,
            to_scope: after.away.reach().code(),
            from_return: row.return_day,
            to_return: i32::from(after.back.number()),
            from_classes: lines(&before.away),
            to_classes: lines(&after.away),
        };
        AmendmentRow::add(&tx, std::slice::from_ref(&kept)).await?;
        row.state = after.state.code();
        row.return_day = i32::from(after.back.number());
        row.days = row.return_day - row.start_day;
        self.tell_later(&tx, &mut row, (&before, &after), whole.classes, now)
            .await?;
        let note = format!("{}: {}", request.amended_by, request.reason);
        line_of(&tx, &mut row, ("AMENDED", &caller.subject, &note), now).await?;
        let whole = save(&tx, row).await?;
        let answer = suspension(&whole);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Keeps who stays away, and from when on the roster is told what changed. A call under way that
    /// says something else is of an earlier round, so that its answer counts for nothing.
    async fn tell_later(
        &self,
        tx: &Tx,
        row: &mut SuspensionRow,
        (before, after): (&Decided, &Decided),
        known: Vec<ClassRow>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let now = now.timestamp_millis();
        let is_begun = before.state != SuspensionState::Decided;
        if after.away != before.away {
            let (mut due, mut quiet) = (now, before.state == SuspensionState::InForce);
            if is_begun {
                row.round += 1;
                let let_go = |class: &ClassRow| !class.away && class.told != IN_PERSON;
                let narrows = !after.away.covers(&before.away) || known.iter().any(let_go);
                if settle(tx, Deadline::SuspensionApply, &row.id).await? {
                    quiet = false;
                    // A call under way must not reach the roster after one that says the contrary.
                    if narrows {
                        due = now + CUT_OFF;
                    }
                }
                wait(tx, Deadline::SuspensionApply, &row.id, due).await?;
            }
            classes::rename(tx, row, known, (before, after), quiet).await?;
        }
        if after.state == SuspensionState::Ended {
            settle(tx, Deadline::SuspensionApply, &row.id).await?;
            row.end_time = now;
            return Ok(());
        }
        // Before its first day the roster waits for that.
        if !is_begun {
            return Ok(());
        }
        // Until the roster has heard of the beginning, nothing waits for the end.
        if before.state == SuspensionState::InForce && after.back != before.back {
            let start = after.back.date().map(start_of);
            let mut end = start.map_or(now, |start| start.timestamp_millis().max(now));
            if after.back <= self.today() {
                row.round += 1;
                // A call under way must not reach the roster after that of the return.
                if settle(tx, Deadline::SuspensionApply, &row.id).await? {
                    end = now + CUT_OFF;
                }
            }
            wait(tx, Deadline::SuspensionEnd, &row.id, end).await?;
        }
        Ok(())
    }
}

/// What was decided, as it stands.
fn decided(whole: &Whole) -> Result<Decided, Error> {
    let row = &whole.row;
    let state = SuspensionState::from_code(row.state);
    Ok(Decided {
        state: state.ok_or(Error::SuspensionState(row.state))?,
        proposed: row.proposed(),
        away: whole.away(),
        first: day(row.start_day),
        back: day(row.return_day),
    })
}

/// The paths of class groups, one a line; empty for a wider scope.
fn lines(away: &Away) -> String {
    match away {
        Away::Classes(classes) => {
            let paths: Vec<&str> = classes.keys().map(String::as_str).collect();
            paths.join("\n")
        }
        Away::Grade(_) | Away::School => String::new(),
    }
}

/// Why the decision of a row is not amended.
fn refused(why: Unamended, row: &SuspensionRow) -> Error {
    let (chinese, english) = match why {
        Unamended::State => return Error::SuspensionState(row.state),
        Unamended::Returned => return Error::SuspensionReturned,
        Unamended::Narrower => return Error::SuspensionScope,
        Unamended::TooSoon => (
            "不得早于今天和停课首日；扩大范围时须晚于今天和停课首日",
            "must not be before today nor the first day, and after both for a wider scope",
        ),
        Unamended::TooLong => (
            "距停课首日不能超过 30 天",
            "must be at most 30 days after the first day",
        ),
        Unamended::Nothing => (
            "停课范围和复课日期均未改变",
            "neither the scope nor the day of return changes",
        ),
    };
    Problem::invalid("return_date", chinese, english).into()
}
