//! Sees that the roster has what was decided: each step is durable before the roster is called,
//! a call repeats until it is answered, and a repeat has one effect.

use kit::db::Tx;
use kit::teaching::{CUT_OFF, backoff, request_id};
use proto::roster::SetTeachingModeRequest;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::set_teaching_mode_request::Ground;

use super::{line_of, save, step};
use crate::app::App;
use crate::app::health::deadlines::{Deadline, settle, wait};
use crate::domain::day::Day;
use crate::domain::health::suspension::{Reach, SuspensionEvent, SuspensionState};
use crate::error::Error;
use crate::grpc::convert::group_of;
use crate::store::health::suspensions::SuspensionRow;
use kit::rows::{Lock, Row};

/// What the roster is to be told.
#[derive(Clone, Debug)]
pub(in crate::app::health) struct Call {
    deadline: Deadline,
    row: SuspensionRow,
    /// Others keep everybody of it away, so that the roster need not be told.
    covered: bool,
}

impl App {
    /// The time has come to tell the roster: notes that the call begins, and by when it is made
    /// again if it is cut off. None when nothing is to be told.
    pub(in crate::app::health) async fn teaching_changes(
        &self,
        tx: &Tx,
        deadline: Deadline,
        mut row: SuspensionRow,
    ) -> Result<Option<Call>, Error> {
        match (deadline, SuspensionState::from_code(row.state)) {
            (Deadline::SuspensionApply, Some(SuspensionState::Decided)) => {
                step(&mut row, SuspensionEvent::Begin)?;
                save(tx, row.clone()).await?;
            }
            (Deadline::SuspensionApply, Some(SuspensionState::Applying))
            | (Deadline::SuspensionEnd, Some(SuspensionState::InForce)) => {}
            // From the day of return on the roster is told of nothing but the return.
            (Deadline::SuspensionApply, Some(SuspensionState::InForce))
                if self.today() < day(row.return_day) => {}
            _ => return Ok(None),
        }
        let again = self.clock.now().timestamp_millis() + CUT_OFF;
        wait(tx, deadline, &row.id, again).await?;
        let ends = deadline == Deadline::SuspensionEnd;
        let others = others(tx, &row).await?;
        let covered = ends && others.iter().any(|other| other.away().covers(&row.away()));
        Ok(Some(Call {
            deadline,
            row,
            covered,
        }))
    }

    /// Tells the roster and keeps what came of it.
    pub(in crate::app::health) async fn tell_roster(self, call: Call) {
        let told = if call.covered {
            Ok(())
        } else {
            self.teaching.set(request(&call)).await
        };
        let kept = match &told {
            Ok(()) => self.told(&call).await,
            Err(status) => {
                let code = status.code();
                let suspension = &call.row.id;
                tracing::warn!(?code, %suspension, "the roster cannot be told, trying again");
                self.not_told(&call).await
            }
        };
        if let Err(err) = kept {
            tracing::warn!(error = %err, "what the roster was told is not kept, telling it again");
        }
    }

    /// The roster has it.
    async fn told(&self, call: &Call) -> Result<(), Error> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let id = &call.row.id;
        let Some(mut row) = self.locked_suspension(&tx, id).await? else {
            return Ok(());
        };
        // Another one ended meanwhile, so that a newer call is due.
        if row.round != call.row.round {
            return Ok(());
        }
        let (event, kind) = match call.deadline {
            Deadline::SuspensionEnd => (SuspensionEvent::Ended, "ENDED"),
            _ => (SuspensionEvent::Applied, "APPLIED"),
        };
        settle(&tx, call.deadline, id).await?;
        row.attempts = 0;
        if step(&mut row, event).is_err() {
            // Told once more because another one ended.
            SuspensionRow::save(&tx, std::slice::from_ref(&row)).await?;
            tx.commit().await?;
            return Ok(());
        }
        if event == SuspensionEvent::Applied {
            row.apply_time = now.timestamp_millis();
            let back = day(row.return_day).date().map(kit::clock::start_of);
            let end = back.map_or(0, |back| back.timestamp_millis());
            wait(&tx, Deadline::SuspensionEnd, id, end).await?;
        } else {
            row.end_time = now.timestamp_millis();
            if !call.covered {
                self.tell_others_again(&tx, &row).await?;
            }
        }
        let note = format!("suspensions/{id}");
        line_of(&tx, &mut row, (kind, "roster", &note), now).await?;
        save(&tx, row).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Teaching began again for everybody of one suspension: others that keep some of them away
    /// are told anew.
    async fn tell_others_again(&self, tx: &Tx, row: &SuspensionRow) -> Result<(), Error> {
        let now = self.clock.now().timestamp_millis();
        for mut other in others(tx, row).await? {
            if other.away().meets(&row.away()) {
                other.round += 1;
                SuspensionRow::save(tx, std::slice::from_ref(&other)).await?;
                wait(tx, Deadline::SuspensionApply, &other.id, now).await?;
            }
        }
        Ok(())
    }

    /// The roster does not have it: later again.
    async fn not_told(&self, call: &Call) -> Result<(), Error> {
        let tx = self.db.begin().await?;
        let id = &call.row.id;
        let Some(mut row) = self.locked_suspension(&tx, id).await? else {
            return Ok(());
        };
        // A call made since was answered, or another round is told: nothing is left to repeat.
        if row.round != call.row.round || !settle(&tx, call.deadline, id).await? {
            return Ok(());
        }
        let again = self.clock.now().timestamp_millis() + backoff(row.attempts);
        row.attempts = row.attempts.saturating_add(1);
        wait(&tx, call.deadline, id, again).await?;
        SuspensionRow::save(&tx, std::slice::from_ref(&row)).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The other suspensions of the school that keep people away.
async fn others(tx: &Tx, row: &SuspensionRow) -> Result<Vec<SuspensionRow>, Error> {
    let school = vec![row.school.as_str().into()];
    let mut others = SuspensionRow::find(tx, "school", school, Lock::No).await?;
    let away = [SuspensionState::Applying, SuspensionState::InForce].map(SuspensionState::code);
    others.retain(|other| other.id != row.id && away.contains(&other.state));
    Ok(others)
}

pub(super) fn day(number: i32) -> Day {
    u16::try_from(number).map_or(Day::NEVER, Day::from_number)
}

/// The call: the same for each attempt of a round, so that the roster sees one request.
fn request(call: &Call) -> SetTeachingModeRequest {
    let row = &call.row;
    let ends = call.deadline == Deadline::SuspensionEnd;
    let school = row.school.rsplit('/').next().unwrap_or_default();
    let away = row.away();
    let name = match away.reach {
        Reach::ClassGroup => group_of(&away.group),
        Reach::Grade | Reach::School => format!("organizations/{school}"),
    };
    let what = if ends {
        "停课期满复课"
    } else {
        "停课决定"
    };
    let mode = if ends {
        TeachingMode::InPerson
    } else {
        TeachingMode::Suspended
    };
    SetTeachingModeRequest {
        name,
        teaching_mode: mode.into(),
        grades: match away.reach {
            Reach::Grade => vec![away.grade],
            Reach::ClassGroup | Reach::School => Vec::new(),
        },
        reason: format!("{what} suspensions/{}，决定人：{}", row.id, row.decided_by),
        request_id: request_id(&format!("{}/{ends}/{}", row.id, row.round)),
        ground: Ground::Epidemic.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_one_request() {
        let row = |scope: Reach| SuspensionRow {
            id: "01".to_owned(),
            school: "fz/d/s".to_owned(),
            scope: scope.code(),
            group_path: "fz/d/s/c1".to_owned(),
            grade: 3,
            decided_by: "王主任".to_owned(),
            ..SuspensionRow::default()
        };
        let told = |scope, deadline| {
            request(&Call {
                deadline,
                row: row(scope),
                covered: false,
            })
        };
        let class = told(Reach::ClassGroup, Deadline::SuspensionApply);
        assert_eq!(class.name, "organizations/s/classGroups/c1");
        assert_eq!(class, told(Reach::ClassGroup, Deadline::SuspensionApply));
        let grade = told(Reach::Grade, Deadline::SuspensionEnd);
        assert_eq!(
            (grade.name.as_str(), grade.grades),
            ("organizations/s", vec![3])
        );
        assert_ne!(class.request_id, grade.request_id);
        assert!(uuid::Uuid::parse_str(&grade.request_id).is_ok());
    }
}
