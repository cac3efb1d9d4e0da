//! What operators are told of what nobody did in time for the swabs of the day: draws, couriers, laboratories.
//! Sums of the city; no school, no tube.

use chrono::Timelike;
use kit::clock::shanghai;
use kit::drain::Drain;
use kit::telemetry::figures::{self, Figure, Name};

use super::App;
use crate::domain::day::Day;
use crate::domain::tube::State;
use crate::error::Error;
use crate::store::policy::Facts;
use crate::store::tubes::Waiting;
use crate::store::{draws, plans, tubes};

const OVERDUE: Name = Name::count(
    "campus.sampling.overdue",
    "What nobody has done in time for the swabs of the day, by what it is",
);
/// By this hour in the city the draw of a school day is made.
const DRAWN_BY: u32 = 10;
/// So many tubes of a state are looked at, those that have waited longest.
const MOST: u64 = 1000;

/// What is told.
struct Told {
    draws: Figure,
    not_handed_over: Figure,
    not_received: Figure,
    without_result: Figure,
}

/// Looks until the drain.
pub(crate) async fn tell(app: App, drain: Drain) {
    let service = app.db.service();
    let of = |what| OVERDUE.kept([("service", service), ("what", what)]);
    let told = Told {
        draws: of("draws"),
        not_handed_over: of("tubes_not_handed_over"),
        not_received: of("tubes_not_received"),
        without_result: of("tubes_without_result"),
    };
    figures::keep(drain, || look(&app, &told)).await;
}

async fn look(app: &App, told: &Told) -> Result<(), Error> {
    let facts = app.facts.get(app.db.read()).await?;
    let today = app.today();
    let now = app.clock.now().timestamp_millis();
    told.draws.set(draws_late(app, &facts, today).await? as f64);
    let mut without_result = 0;
    for state in [
        State::Sealed,
        State::HandedOver,
        State::LabReceived,
        State::Testing,
    ] {
        let waiting = tubes::waiting(app.db.read(), state.code(), MOST).await?;
        without_result += waiting.iter().filter(|tube| tube.due < now).count();
        let on_the_way = match state {
            State::Sealed => &told.not_handed_over,
            State::HandedOver => &told.not_received,
            _ => continue,
        };
        let late = waiting
            .iter()
            .filter(|tube| is_late(&facts, tube, (now, today)))
            .count();
        on_the_way.set(late as f64);
    }
    told.without_result.set(without_result as f64);
    Ok(())
}

/// Under how many plans of a school day nobody is drawn yet although it is time.
async fn draws_late(app: &App, facts: &Facts, today: Day) -> Result<usize, Error> {
    let hour = app.clock.now().with_timezone(&shanghai()).hour();
    if hour < DRAWN_BY || !facts.calendar.is_school_day(today) {
        return Ok(0);
    }
    let mut late = 0;
    for row in plans::all(app.db.read()).await? {
        let plan = row.plan;
        let policy = facts.policy(&plan.org_path, today);
        if plan.is_active(today)
            && policy.is_some_and(|policy| policy.enabled)
            && !draws::is_drawn(app.db.read(), &plan.id, today).await?
        {
            late += 1;
        }
    }
    Ok(late)
}

/// Whether a tube should be at its laboratory by now (rule 2.16).
fn is_late(facts: &Facts, tube: &Waiting, (now, today): (i64, Day)) -> bool {
    let policy = facts.policy(&tube.org_path, today);
    policy.is_some_and(|policy| {
        let limit = i64::try_from(policy.max_to_laboratory.as_millis()).unwrap_or(i64::MAX);
        now - tube.sealed > limit
    })
}
