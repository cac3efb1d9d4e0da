//! How many drills are owed, by the kind of an organisation and the period (rule 5.18).

use chrono::{Datelike, Months, NaiveDate};
use kit::calendar::Calendar;

use super::{Drill, Type};
use crate::domain::numbered::numbered;
use crate::domain::organization::{Kind as OrganizationKind, Organization};

numbered! {
    /// Which drills are owed; the numbers are those of the contract.
    Kind {
        /// Evacuation of the whole campus.
        Evacuation = 1 "EVACUATION",
        /// Leaving the dormitory at night.
        NightDorm = 2 "NIGHT_DORM",
        /// Leaving a school bus.
        Bus = 3 "BUS",
    }
}

numbered! {
    /// How an obligation stands, the worst first; the numbers are those of the contract.
    Standing {
        /// The period is over and a drill is lacking.
        Missed = 1 "MISSED",
        /// A drill is lacking and there is time.
        Due = 2 "DUE",
        /// There were enough.
        Done = 3 "DONE",
        /// None is asked for, which is not the same as done.
        NotRequired = 4 "NOT_REQUIRED",
    }
}

/// The numbers of the policy in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Of schools, a month.
    pub school_per_month: u32,
    /// Of kindergartens, a quarter.
    pub kindergarten_per_quarter: u32,
    /// At night, of whoever has dormitories, a quarter.
    pub night_dorm_per_quarter: u32,
    /// Of school buses, a quarter.
    pub bus_per_quarter: u32,
}

/// Civil days, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first one.
    pub first: NaiveDate,
    /// The last one.
    pub last: NaiveDate,
}

/// What is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obligation {
    /// Which drills.
    pub kind: Kind,
    /// In which period.
    pub period: Period,
    /// How many.
    pub required: u32,
}

/// A period with fewer school days asks for no drill: it is a vacation.
const SCHOOL_DAYS: usize = 5;

impl Kind {
    /// Whether drills of this type count to it.
    pub fn is_met_by(self, drilled: Type) -> bool {
        match self {
            Self::Evacuation => matches!(
                drilled,
                Type::Earthquake | Type::Fire | Type::Stampede | Type::FloodTyphoon
            ),
            Self::NightDorm => drilled == Type::NightDorm,
            Self::Bus => drilled == Type::Bus,
        }
    }
}

impl Period {
    /// The month around a day.
    pub fn month(day: NaiveDate) -> Self {
        Self::of(day, day.month0(), 1)
    }

    /// The quarter around a day.
    pub fn quarter(day: NaiveDate) -> Self {
        Self::of(day, day.month0() / 3 * 3, 3)
    }

    fn of(day: NaiveDate, month0: u32, months: u32) -> Self {
        let first = day.with_day(1).and_then(|day| day.with_month0(month0));
        let first = first.unwrap_or(day);
        let next = first.checked_add_months(Months::new(months));
        let last = next.and_then(|next| next.pred_opt()).unwrap_or(day);
        Self { first, last }
    }

    /// The one before, as long: that of a month is a month, that of a quarter a quarter.
    #[must_use]
    pub fn before(self) -> Self {
        let last = self.first.pred_opt().unwrap_or(self.first);
        if Self::month(self.first) == self {
            Self::month(last)
        } else {
            Self::quarter(last)
        }
    }

    /// Whether it has enough school days for a drill.
    fn is_term(self, calendar: &Calendar) -> bool {
        let days = self.first.iter_days().take_while(|day| *day <= self.last);
        let school_days = days.filter(|day| calendar.is_school_day(*day));
        school_days.take(SCHOOL_DAYS).count() == SCHOOL_DAYS
    }
}

impl Obligation {
    /// Whether this drill counts to it; `day` is that of its signal.
    pub fn is_met_by(&self, drill: &Drill, day: NaiveDate) -> bool {
        let within = self.period.first <= day && day <= self.period.last;
        drill.counts() && within && self.kind.is_met_by(drill.plan.kind)
    }

    /// How it stands after `done` drills.
    pub fn standing(&self, done: u32, today: NaiveDate) -> Standing {
        if self.required == 0 {
            Standing::NotRequired
        } else if done >= self.required {
            Standing::Done
        } else if today > self.period.last {
            Standing::Missed
        } else {
            Standing::Due
        }
    }
}

/// What an organisation owes in the periods around `day`; `buses` says whether it has any.
pub fn owed(
    organization: &Organization,
    buses: bool,
    (numbers, calendar): (&Numbers, &Calendar),
    day: NaiveDate,
) -> Vec<Obligation> {
    let (month, quarter) = (Period::month(day), Period::quarter(day));
    let evacuation = match organization.kind {
        OrganizationKind::MunicipalSchool | OrganizationKind::School => {
            (month, numbers.school_per_month)
        }
        OrganizationKind::Kindergarten => (quarter, numbers.kindergarten_per_quarter),
        _ => return Vec::new(),
    };
    let night = (quarter, numbers.night_dorm_per_quarter);
    let bus = (quarter, numbers.bus_per_quarter);
    let kinds = [
        (Kind::Evacuation, evacuation, true),
        (Kind::NightDorm, night, organization.boarding),
        (Kind::Bus, bus, buses),
    ];
    let bound = kinds.into_iter().filter(|(_, (_, asked), binds)| {
        // What the policy does not ask for at all is no obligation.
        *binds && *asked > 0
    });
    bound
        .map(|(kind, (period, asked), _)| Obligation {
            kind,
            period,
            required: if period.is_term(calendar) { asked } else { 0 },
        })
        .collect()
}
