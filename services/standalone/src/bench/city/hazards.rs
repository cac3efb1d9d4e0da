//! Hazards of a day: each is reported, and moved on step by step until it is closed.

use anyhow::{Context as _, ensure};
use chrono::Datelike;
use kit::clock::Clock;

use super::super::hazards::{self, Desk, MOVES};
use super::course::Course;
use super::shift::Shift;
use super::tally::Outcome;

/// Hazards of one day are numbered apart from those of any other.
const DAILY: usize = 100_000;

impl Shift {
    /// How far a hazard has come, who sees to it, and its number among those of all days.
    fn hazard(&self, hazard: u32) -> anyhow::Result<(&Course, &Desk, usize)> {
        let school = self.day.hazards.get(hazard as usize);
        let school = school.context("a hazard of the day")?;
        let course = self.hazards.get(hazard as usize);
        let desk = self.crew.safety.get(*school as usize);
        let day = self.today.num_days_from_ce().unsigned_abs() as usize;
        Ok((
            course.context("a hazard of the day")?,
            desk.context("a safety officer")?,
            day * DAILY + hazard as usize,
        ))
    }

    /// A hazard is found.
    pub(super) async fn report(&self, hazard: u32) -> anyhow::Result<Outcome> {
        let (course, desk, number) = self.hazard(hazard)?;
        let reported = hazards::report(desk, number, self.clock.now()).await?;
        course.begin(reported.name);
        Ok(Outcome::Done)
    }

    /// It is moved on by one of its acts, which must lead where it should.
    pub(super) async fn handle(&self, hazard: u32, step: u8) -> anyhow::Result<Outcome> {
        let (course, desk, number) = self.hazard(hazard)?;
        // The report is behind the first of them.
        let done = step + 1;
        let Some(name) = course.after(done) else {
            return Ok(Outcome::Void);
        };
        let (act, state) = MOVES.get(usize::from(step)).context("an act on a hazard")?;
        let moved = hazards::moved(desk, *act, (name, number), self.clock.now()).await?;
        ensure!(moved.state() == *state, "{:?}", moved.state());
        course.reach(done + 1);
        Ok(Outcome::Done)
    }
}
