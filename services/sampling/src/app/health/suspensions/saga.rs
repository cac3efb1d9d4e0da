//! Sees that the roster has what was decided: each step is durable before the roster is called,
//! a call repeats until it is answered, and a repeat has one effect.

use std::time::Duration;

use kit::db::Tx;
use kit::teaching::{CUT_OFF, backoff, request_id};
use proto::roster::SetTeachingModeRequest;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::set_teaching_mode_request::Ground;
use tonic::{Code, Status};

use super::{line_of, save, step};
use crate::app::App;
use crate::app::health::deadlines::{Deadline, settle, wait};
use crate::domain::day::Day;
use crate::domain::health::suspension::{Away, Reach, SuspensionEvent, SuspensionState};
use crate::error::Error;
use crate::grpc::convert::group_of;
use crate::store::health::suspensions::{
    self, ClassRow, IN_PERSON, SUSPENDED, SuspensionRow, Whole,
};
use kit::rows::{Lock, Row};

/// How long the steps of one call may take: less than the time after which it counts as cut off.
const TOGETHER: Duration = Duration::from_secs(25);

/// What the roster is to be told.
#[derive(Clone, Debug)]
pub(in crate::app::health) struct Call {
    deadline: Deadline,
    row: SuspensionRow,
    /// One after the other; none when others keep everybody away who would be back.
    steps: Vec<Step>,
}

/// One request to the roster: the same for each attempt of its round, so that the roster sees one.
#[derive(Clone, Debug)]
struct Step {
    /// The class group that a human named; none for the scope as a whole.
    class: Option<ClassRow>,
    /// Whose teaching it changes.
    away: Away,
    /// Whether they are back.
    back: bool,
    request: SetTeachingModeRequest,
}

/// What came of the steps of a call.
#[derive(Debug, Default)]
struct Answers {
    /// Those that the roster has.
    done: Vec<Step>,
    /// Why it does not have all of them.
    failed: Option<Status>,
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
        let others = others(tx, &row, self.today()).await?;
        let others: Vec<Away> = others.iter().map(Whole::away).collect();
        let whole = suspensions::whole(tx, row).await?;
        let steps = steps(&whole, &others, deadline == Deadline::SuspensionEnd);
        Ok(Some(Call {
            deadline,
            row: whole.row,
            steps,
        }))
    }

    /// Tells the roster and keeps what came of it.
    pub(in crate::app::health) async fn tell_roster(self, call: Call) {
        let answers = self.tell_steps(&call).await;
        let kept = match &answers.failed {
            None => self.told(&call, &answers.done).await,
            Some(status) => {
                let code = status.code();
                let suspension = &call.row.id;
                tracing::warn!(?code, %suspension, "the roster cannot be told, trying again");
                self.not_told(&call, &answers.done).await
            }
        };
        if let Err(err) = kept {
            tracing::warn!(error = %err, "what the roster was told is not kept, telling it again");
        }
    }

    /// Takes the steps of a call, all before it counts as cut off. One that is refused keeps none of the
    /// others from the roster; when the roster is away the others are left for later.
    async fn tell_steps(&self, call: &Call) -> Answers {
        let until = tokio::time::Instant::now() + TOGETHER;
        let mut answers = Answers::default();
        for step in &call.steps {
            let told = tokio::time::timeout_at(until, self.teaching.set(step.request.clone()));
            match told.await {
                Ok(Ok(())) => answers.done.push(step.clone()),
                Ok(Err(status)) if step.class.is_some() && is_no_more(&status) => {
                    let (code, suspension) = (status.code(), &call.row.id);
                    tracing::warn!(?code, %suspension, "a class group is not taught any more");
                    answers.done.push(step.clone());
                }
                Ok(Err(status)) => {
                    let away = [Code::Unavailable, Code::DeadlineExceeded].contains(&status.code());
                    answers.failed = Some(status);
                    if away {
                        break;
                    }
                }
                Err(_) => {
                    answers.failed = Some(Status::deadline_exceeded("the roster is slow"));
                    break;
                }
            }
        }
        answers
    }

    /// The roster has it.
    async fn told(&self, call: &Call, done: &[Step]) -> Result<(), Error> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let id = &call.row.id;
        let Some(mut row) = self.locked_suspension(&tx, id).await? else {
            return Ok(());
        };
        self.keep_steps(&tx, &row, done).await?;
        // Another one ended meanwhile, so that a newer call is due.
        if row.round != call.row.round {
            tx.commit().await?;
            return Ok(());
        }
        let (event, kind) = match call.deadline {
            Deadline::SuspensionEnd => (SuspensionEvent::Ended, "ENDED"),
            _ => (SuspensionEvent::Applied, "APPLIED"),
        };
        settle(&tx, call.deadline, id).await?;
        row.attempts = 0;
        if step(&mut row, event).is_err() {
            // Told once more because another one ended, or others stay away.
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
        }
        let note = format!("suspensions/{id}");
        line_of(&tx, &mut row, (kind, "roster", &note), now).await?;
        save(&tx, row).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Notes what the roster was told of class groups, unless something else is to be told since, and
    /// lets others who keep some of those away tell it anew who are back.
    async fn keep_steps(&self, tx: &Tx, row: &SuspensionRow, done: &[Step]) -> Result<(), Error> {
        let stored = suspensions::whole(tx, row.clone()).await?.classes;
        let mut told = Vec::new();
        for class in stored {
            let is_same = |step: &&Step| {
                step.class.as_ref().is_some_and(|one| {
                    (one.round, &one.group_path) == (class.round, &class.group_path)
                })
            };
            if let Some(step) = done.iter().find(is_same) {
                told.push(ClassRow {
                    told: if step.back { IN_PERSON } else { SUSPENDED },
                    ..class
                });
            }
        }
        ClassRow::save(tx, &told).await?;
        let back: Vec<&Away> = done
            .iter()
            .filter(|step| step.back)
            .map(|step| &step.away)
            .collect();
        if back.is_empty() {
            return Ok(());
        }
        self.tell_others_again(tx, row, &back).await
    }

    /// Teaching began again for everybody of `back`: other suspensions that keep some of them away
    /// are told anew.
    async fn tell_others_again(
        &self,
        tx: &Tx,
        row: &SuspensionRow,
        back: &[&Away],
    ) -> Result<(), Error> {
        let now = self.clock.now().timestamp_millis();
        for other in others(tx, row, self.today()).await? {
            let away = other.away();
            if !back.iter().any(|back| back.meets(&away)) {
                continue;
            }
            let Whole {
                row: mut again,
                mut classes,
                ..
            } = other;
            again.round += 1;
            classes.retain(|class| class.away);
            for class in &mut classes {
                (class.round, class.told) = (again.round, 0);
            }
            SuspensionRow::save(tx, std::slice::from_ref(&again)).await?;
            ClassRow::save(tx, &classes).await?;
            wait(tx, Deadline::SuspensionApply, &again.id, now).await?;
        }
        Ok(())
    }

    /// The roster does not have all of it: the rest later again.
    async fn not_told(&self, call: &Call, done: &[Step]) -> Result<(), Error> {
        let tx = self.db.begin().await?;
        let id = &call.row.id;
        let Some(mut row) = self.locked_suspension(&tx, id).await? else {
            return Ok(());
        };
        self.keep_steps(&tx, &row, done).await?;
        // A call made since was answered, or another round is told: nothing is left to repeat.
        if row.round == call.row.round && settle(&tx, call.deadline, id).await? {
            let again = self.clock.now().timestamp_millis() + backoff(row.attempts);
            row.attempts = row.attempts.saturating_add(1);
            wait(&tx, call.deadline, id, again).await?;
            SuspensionRow::save(&tx, std::slice::from_ref(&row)).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Whether the roster refuses for good, as the class group is none that is taught.
fn is_no_more(status: &Status) -> bool {
    [Code::NotFound, Code::FailedPrecondition].contains(&status.code())
}

/// The other suspensions of the school that keep people away; those whose day of return has come keep
/// nobody, so that of two that end together both say so.
async fn others(tx: &Tx, row: &SuspensionRow, today: Day) -> Result<Vec<Whole>, Error> {
    let school = vec![row.school.as_str().into()];
    let mut others = SuspensionRow::find(tx, "school", school, Lock::No).await?;
    let away = [SuspensionState::Applying, SuspensionState::InForce].map(SuspensionState::code);
    others.retain(|other| {
        other.id != row.id && away.contains(&other.state) && today < day(other.return_day)
    });
    Ok(suspensions::wholes(tx, others).await?)
}

pub(super) fn day(number: i32) -> Day {
    u16::try_from(number).map_or(Day::NEVER, Day::from_number)
}

/// The requests that make up what the roster is to hear of a suspension, `ends` when everybody is back.
/// Whoever is kept away by one of `others` is not told to be back.
fn steps(whole: &Whole, others: &[Away], ends: bool) -> Vec<Step> {
    let Whole { row, classes, .. } = whole;
    let away = whole.away();
    let kept = |away: &Away| others.iter().any(|other| other.covers(away));
    let mut steps = Vec::new();
    let is_listed = away.reach() == Reach::ClassGroup && classes.iter().any(|class| class.away);
    let is_kept = ends && kept(&away);
    if !is_listed && !is_kept {
        let school = format!("organizations/{}", last(&row.school));
        let (name, grades) = match &away {
            Away::Classes(_) => (group_of(&row.group_path), Vec::new()),
            Away::Grade(grade) => (school, vec![*grade]),
            Away::School => (school, Vec::new()),
        };
        let step = format!("{}/{ends}/{}", row.id, row.round);
        steps.push(Step {
            class: None,
            request: request(row, (name, grades), saying(ends, true), &step),
            away,
            back: ends,
        });
    }
    for class in classes {
        let back = ends || !class.away;
        let of = Away::one(&class.group_path, class.grade);
        let mode = if back { IN_PERSON } else { SUSPENDED };
        if class.told == mode || (back && kept(&of)) {
            continue;
        }
        let (id, round) = (last(&class.group_path), class.round);
        let step = format!("{}/{id}/{back}/{round}", row.id);
        let name = (group_of(&class.group_path), Vec::new());
        steps.push(Step {
            class: Some(class.clone()),
            request: request(row, name, saying(back, class.away), &step),
            away: of,
            back,
        });
    }
    steps
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// How class groups are taught, and why: it ends for those who were away to the end, others are let go.
fn saying(back: bool, to_the_end: bool) -> (TeachingMode, &'static str) {
    match (back, to_the_end) {
        (false, _) => (TeachingMode::Suspended, "停课决定"),
        (true, true) => (TeachingMode::InPerson, "停课期满复课"),
        (true, false) => (TeachingMode::InPerson, "调整停课班级后复课"),
    }
}

/// A request that says the same whenever its step is taken.
fn request(
    row: &SuspensionRow,
    (name, grades): (String, Vec<i32>),
    (mode, what): (TeachingMode, &str),
    step: &str,
) -> SetTeachingModeRequest {
    SetTeachingModeRequest {
        name,
        teaching_mode: mode.into(),
        grades,
        reason: format!("{what} suspensions/{}，决定人：{}", row.id, row.decided_by),
        request_id: request_id(step),
        ground: Ground::Epidemic.into(),
    }
}

#[cfg(test)]
#[path = "saga_tests.rs"]
mod tests;
