//! What operators are told of duties that nobody has met in time: sums of the city, of the figures that are
//! kept anyway.

use kit::drain::Drain;
use kit::telemetry::figures::{self, Figure, Name};

use super::Base;
use crate::domain::figures::Metric;
use crate::error::Error;
use crate::store::Store;

const OVERDUE: Name = Name::count(
    "campus.safety.overdue",
    "Duties that nobody has met in time, by what they are",
);

/// What is told, and under which name.
const TOLD: [(Metric, &str); 10] = [
    (Metric::DutyGap, "duty_without_roster"),
    (Metric::DutyUnattended, "duty_unattended"),
    (Metric::RoundsMissed, "rounds_of_the_watch"),
    (Metric::TasksOverdue, "tasks_of_the_weather"),
    (Metric::PostCheckOverdue, "checks_after_the_weather"),
    (Metric::HopsLate, "reports_of_incidents"),
    (Metric::MajorOverdue, "major_hazards"),
    (Metric::InspectionsMissed, "inspections"),
    (Metric::DrillsMissed, "drills"),
    (Metric::VisitorsOverstaying, "visitors_overstaying"),
];

/// Looks at the figures until the drain.
pub(crate) async fn tell(base: Base, drain: Drain) {
    let service = base.store.database().service();
    let told = TOLD.map(|(metric, what)| {
        let figure = OVERDUE.kept([("service", service), ("what", what)]);
        (metric, figure)
    });
    figures::keep(drain, || look(&base, &told)).await;
}

async fn look(base: &Base, told: &[(Metric, Figure)]) -> Result<(), Error> {
    let city = Store::counted_everywhere(base.store.database().read()).await?;
    for (metric, figure) in told {
        figure.set(city.get(*metric).max(0) as f64);
    }
    Ok(())
}
