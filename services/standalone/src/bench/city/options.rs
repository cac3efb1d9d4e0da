//! How a day of the city is asked for.

use anyhow::ensure;
use clap::Args;

use super::collapse::TRIES;
use super::drive::Speed;
use super::plan::{DAY, MINUTE, Moment};

/// What of the school day is run, and how fast.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "With `city`")]
pub struct CityArgs {
    /// How much faster than the real time the day goes; with --collapse, where the search begins.
    #[arg(long, default_value_t = 3.0, value_parser = speed)]
    pub speed: f64,
    /// The same for 09:00 to 11:30, when swabs are scanned; as --speed unless given.
    #[arg(long, value_parser = speed, conflicts_with = "collapse")]
    pub swab_speed: Option<f64>,
    /// The same for the hours outside those and 07:00 to 08:50, when less is done; as --speed unless given.
    #[arg(long, value_parser = speed, conflicts_with = "collapse")]
    pub quiet_speed: Option<f64>,
    /// From when, such as 06:30.
    #[arg(long, default_value = "06:30", value_parser = moment)]
    pub from: u32,
    /// Until when; swabs are scanned from 09:00 to 11:30.
    #[arg(long, default_value = "09:00", value_parser = moment)]
    pub to: u32,
    /// All of the school day, from 06:30 to 21:30.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub whole_day: bool,
    /// Instead of running that time once, looks for the speed at which its densest minutes are no longer
    /// borne: when the p99 of an act exceeds its promise, or more than 1 % are refused or begin late.
    #[arg(long)]
    pub collapse: bool,
    /// How many speeds --collapse tries at most; of fewer the answer is coarser.
    #[arg(long, default_value_t = TRIES, value_parser = clap::value_parser!(u32).range(1..=i64::from(TRIES)))]
    pub tries: u32,
}

/// A part of a day; its end is no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Moment,
    pub(super) to: Moment,
}

impl Window {
    /// Whether something that is due in `other` may be due in this one.
    pub(super) fn meets(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

impl CityArgs {
    /// How fast it goes.
    pub(super) fn pace(&self) -> Speed {
        Speed {
            busy: self.speed,
            swabs: self.swab_speed.unwrap_or(self.speed),
            quiet: self.quiet_speed.unwrap_or(self.speed),
        }
    }

    /// What of the day is run.
    ///
    /// # Errors
    /// When it is empty or no part of the school day.
    pub(super) fn window(&self) -> anyhow::Result<Window> {
        if self.whole_day {
            return Ok(DAY);
        }
        let window = Window {
            from: self.from,
            to: self.to,
        };
        ensure!(
            DAY.from <= window.from && window.from < window.to && window.to <= DAY.to,
            "--from and --to are within the school day, 06:30 to 21:30, one after the other"
        );
        Ok(window)
    }
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: Option<f64> = text.parse().ok();
    speed
        .filter(|speed| (0.1..=1000.0).contains(speed))
        .ok_or_else(|| "a number from 0.1 to 1000".to_owned())
}

fn moment(text: &str) -> Result<Moment, String> {
    let read = || {
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute): (Moment, Moment) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some((hour * 60 + minute) * MINUTE)
    };
    read().ok_or_else(|| "a time of day such as 06:30".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::super::BenchArgs;
    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        bench: BenchArgs,
    }

    fn parse(line: &str) -> Result<BenchArgs, clap::Error> {
        let words = format!("bench {line}");
        Line::try_parse_from(words.split_whitespace()).map(|line| line.bench)
    }

    #[test]
    fn a_returning_morning_of_the_whole_city_is_the_default() {
        let args = parse("city").unwrap();
        assert_eq!((args.students, args.city.collapse), (1_500_000, false));
        assert!((args.city.speed - 3.0).abs() < f64::EPSILON);
        let window = args.city.window().unwrap();
        assert_eq!((window.from / MINUTE, window.to / MINUTE), (390, 540));
        assert_eq!(parse("city --students 2000").unwrap().students, 2_000);
        assert_eq!(parse("gate").unwrap().students, 100_000);
    }

    #[test]
    fn a_part_of_the_day_or_all_of_it_is_chosen() {
        let part = parse("city --from 09:05 --to 11:30 --speed 0.5 --collapse").unwrap();
        assert!(part.city.collapse);
        assert_eq!(part.city.tries, TRIES);
        let window = part.city.window().unwrap();
        assert_eq!((window.from / MINUTE, window.to / MINUTE), (545, 690));
        let whole = parse("city --whole-day --swab-speed 6 --quiet-speed 24").unwrap();
        assert_eq!(whole.city.window().unwrap(), DAY);
        let (busy, swabs, quiet) = (3.0, 6.0, 24.0);
        assert_eq!(whole.city.pace(), Speed { busy, swabs, quiet });
        assert_eq!(part.city.pace(), Speed::even(0.5));
    }

    #[test]
    fn what_is_no_part_of_the_day_is_refused() {
        for wrong in [
            "city --from 6",
            "city --from 25:00",
            "city --to 08:60",
            "city --speed 0",
            "city --speed fast",
            "city --collapse --tries 0",
            "city --collapse --tries 21",
            "city --whole-day --from 07:00",
            "city --collapse --quiet-speed 9",
            "city --collapse --swab-speed 9",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        for wrong in [
            "city --from 08:00 --to 08:00",
            "city --from 05:00",
            "city --to 22:00",
        ] {
            assert!(parse(wrong).unwrap().city.window().is_err(), "{wrong}");
        }
    }
}
