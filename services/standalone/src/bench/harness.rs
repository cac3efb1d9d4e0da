//! Percentiles, medians and the report that every scenario gives.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::city::Told;
use crate::screen::{self, Align, Table};

/// How a service answered a call that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It did what was asked.
    Done,
    /// It had too much to do, and asked to come again.
    Overloaded,
}

/// How long calls took that were done, sorted, and how many were not.
#[derive(Clone, Debug)]
pub(super) struct Latencies {
    sorted: Vec<Duration>,
    overloaded: usize,
    wall: Duration,
}

impl Latencies {
    pub(super) fn new(mut taken: Vec<Duration>, wall: Duration) -> Self {
        taken.sort_unstable();
        Self {
            sorted: taken,
            overloaded: 0,
            wall,
        }
    }

    /// Of calls that were answered one way or the other.
    pub(super) fn of(answers: Vec<(Answer, Duration)>, wall: Duration) -> Self {
        let all = answers.len();
        let done = answers
            .into_iter()
            .filter(|(answer, _)| *answer == Answer::Done);
        let done = Self::new(done.map(|(_, taken)| taken).collect(), wall);
        Self {
            overloaded: all - done.count(),
            ..done
        }
    }

    /// Several measurements, made one after the other, as one.
    pub(super) fn join(parts: Vec<Self>) -> Self {
        let wall = parts.iter().map(|part| part.wall).sum();
        let overloaded = parts.iter().map(|part| part.overloaded).sum();
        let taken = parts.into_iter().flat_map(|part| part.sorted).collect();
        Self {
            overloaded,
            ..Self::new(taken, wall)
        }
    }

    /// How many calls were turned away because the service had too much to do.
    pub(super) fn overloaded(&self) -> usize {
        self.overloaded
    }

    /// How many calls were done.
    pub(super) fn count(&self) -> usize {
        self.sorted.len()
    }

    /// The rate at which they came back, a second.
    pub(super) fn rate(&self) -> f64 {
        self.sorted.len() as f64 / self.wall.as_secs_f64()
    }

    /// The smallest latency that `share` of the calls did not exceed.
    pub(super) fn percentile(&self, share: f64) -> Duration {
        let rank = (share * self.sorted.len() as f64).ceil() as usize;
        self.sorted
            .get(rank.max(1) - 1)
            .copied()
            .unwrap_or_default()
    }
}

/// The same measured several times: the median of the rounds counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Rounds(Vec<Latencies>);

impl Rounds {
    pub(super) fn add(&mut self, measured: Latencies) {
        self.0.push(measured);
    }

    /// The rate at which calls came back, a second.
    pub(super) fn rate(&self) -> f64 {
        median(self.0.iter().map(Latencies::rate).collect())
    }

    /// The latency that `share` of the calls did not exceed, in milliseconds.
    pub(super) fn ms(&self, share: f64) -> f64 {
        median(self.0.iter().map(|round| ms(round, share)).collect())
    }

    /// How many calls were turned away in all rounds.
    pub(super) fn overloaded(&self) -> usize {
        self.0.iter().map(Latencies::overloaded).sum()
    }
}

/// In milliseconds, as figures are given.
pub(super) fn ms(latencies: &Latencies, share: f64) -> f64 {
    latencies.percentile(share).as_secs_f64() * 1e3
}

/// The middle of several measurements.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}

/// On which side of the target a figure must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bound {
    AtLeast,
    AtMost,
}

/// One figure with its floor and its target.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figure {
    /// What was measured.
    pub(super) name: &'static str,
    /// The unit of floor and product.
    pub(super) unit: &'static str,
    /// The floor of the same run.
    pub(super) floor: Option<f64>,
    /// The product.
    pub(super) product: f64,
    /// What the target is about: the ratio of the two, or else the product.
    pub(super) compared: f64,
    /// The target; not a number where there is none.
    pub(super) target: f64,
    /// On which side the figure must be.
    pub(super) bound: Bound,
    /// Whether it is.
    pub(super) met: bool,
}

impl Figure {
    /// A figure whose target is about product ÷ floor.
    pub(super) fn ratio(
        name: &'static str,
        unit: &'static str,
        floor: f64,
        product: f64,
        (bound, target): (Bound, f64),
    ) -> Self {
        let compared = product / floor;
        let met = bound.holds(compared, target);
        Self {
            name,
            unit,
            floor: Some(floor),
            product,
            compared,
            target,
            bound,
            met,
        }
    }

    /// A figure whose target is about the product alone.
    pub(super) fn alone(
        name: &'static str,
        unit: &'static str,
        product: f64,
        (bound, target): (Bound, f64),
    ) -> Self {
        let met = bound.holds(product, target);
        Self {
            name,
            unit,
            floor: None,
            product,
            compared: product,
            target,
            bound,
            met,
        }
    }

    /// A figure that has no target.
    pub(super) fn told(name: &'static str, unit: &'static str, product: f64) -> Self {
        Self {
            target: f64::NAN,
            met: true,
            ..Self::alone(name, unit, product, (Bound::AtLeast, 0.0))
        }
    }
}

impl Bound {
    /// As it is written before the target.
    pub(super) fn sign(self) -> char {
        match self {
            Self::AtLeast => '≥',
            Self::AtMost => '≤',
        }
    }

    fn holds(self, value: f64, target: f64) -> bool {
        match self {
            Self::AtLeast => value >= target,
            Self::AtMost => value <= target,
        }
    }
}

/// What a scenario measured.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    pub(super) scenario: &'static str,
    pub(super) database: &'static str,
    pub(super) students: u64,
    pub(super) figures: Vec<Figure>,
    /// The most memory that this process, services and clients together, has held.
    pub(super) peak_memory_mib: u64,
    /// Of a day of the city: its acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) city: Option<Told>,
}

impl Report {
    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            screen::line(serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        if let Some(city) = &self.city {
            city.print();
        }
        screen::heading(format_args!(
            "{} · {} · {} students",
            self.scenario,
            self.database,
            screen::count(self.students)
        ));
        let mut table = Table::new([
            ("figure", Align::Left),
            ("floor", Align::Right),
            ("product", Align::Right),
            ("ratio", Align::Right),
            ("target", Align::Right),
            ("met", Align::Left),
        ]);
        for figure in &self.figures {
            let sign = figure.bound.sign();
            let amount = |value: f64| format!("{} {}", number(value), figure.unit);
            let target = match figure.floor {
                _ if figure.target.is_nan() => String::new(),
                Some(_) => format!("{sign} {} ×", number(figure.target)),
                None => format!("{sign} {}", amount(figure.target)),
            };
            let ratio = figure.floor.map(|_| number(figure.compared));
            table.row([
                figure.name.to_owned(),
                figure.floor.map(amount).unwrap_or_default(),
                amount(figure.product),
                ratio.unwrap_or_default(),
                target,
                if figure.met { "yes" } else { "NO" }.to_owned(),
            ]);
        }
        table.print();
        screen::line(format_args!(
            "   peak memory {} MiB",
            screen::count(self.peak_memory_mib)
        ));
        Ok(())
    }
}

/// A number with as many digits as it deserves.
pub(super) fn number(value: f64) -> String {
    match value {
        v if v >= 1000.0 => screen::count(v.round() as u64),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// The most memory this process has held, in MiB; 0 where the system does not tell.
pub(super) fn peak_memory_mib() -> u64 {
    memory_mib("VmHWM:")
}

/// Forgets the most memory that this process has held until now, and gives what it holds, in MiB.
pub(super) fn forget_peak_memory() -> u64 {
    // Where the system does not forget, the growth after this is that of the whole run.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    memory_mib("VmRSS:")
}

/// How much memory another process holds, in MiB; 0 where the system does not tell.
pub(super) fn memory_of(process: u32) -> u64 {
    status_mib(&process.to_string(), "VmRSS:")
}

/// The same in millions of bytes; 0 where the system does not tell.
pub(super) fn resident_mb(process: u32) -> f64 {
    status_kib(&process.to_string(), "VmRSS:") as f64 * 1024.0 / 1e6
}

/// How much time of the processors this process has used; zero where the system does not tell.
pub(super) fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    Duration::from_millis(ticks(&stat).unwrap_or_default() * 10)
}

/// The hundredths of a second in which a process ran, for itself and in the system.
fn ticks(stat: &str) -> Option<u64> {
    // The name may have spaces and brackets of its own.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11);
    let mut time = || times.next()?.parse::<u64>().ok();
    Some(time()? + time()?)
}

fn memory_mib(key: &str) -> u64 {
    status_mib("self", key)
}

fn status_mib(process: &str, key: &str) -> u64 {
    status_kib(process, key) / 1024
}

fn status_kib(process: &str, key: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_medians() {
        let taken = (1..=100).rev().map(Duration::from_millis).collect();
        let latencies = Latencies::new(taken, Duration::from_secs(2));
        let at = [0.5, 0.99, 1.0].map(|share| latencies.percentile(share).as_millis());
        assert_eq!(at, [50, 99, 100]);
        assert!((latencies.rate() - 50.0).abs() < 1e-9);
        let again = Latencies::new(vec![Duration::ZERO; 100], Duration::from_secs(3));
        let joined = Latencies::join(vec![latencies, again]);
        assert_eq!(joined.count(), 200);
        assert!((joined.rate() - 40.0).abs() < 1e-9);
        let answers = vec![
            (Answer::Done, Duration::from_millis(7)),
            (Answer::Overloaded, Duration::ZERO),
        ];
        let answered = Latencies::of(answers, Duration::from_secs(1));
        let joined = Latencies::join(vec![answered, joined]);
        assert_eq!((joined.count(), joined.overloaded()), (201, 1));
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
    }

    #[test]
    fn of_several_rounds_the_median_counts() {
        let mut rounds = Rounds::default();
        for seconds in [4, 1, 2] {
            let taken = vec![Duration::from_secs(seconds); 4];
            rounds.add(Latencies::new(taken, Duration::from_secs(seconds)));
        }
        assert!((rounds.rate() - 2.0).abs() < 1e-9);
        assert!((rounds.ms(0.99) - 2000.0).abs() < 1e-9);
        assert_eq!(rounds.overloaded(), 0);
    }

    #[test]
    fn the_time_of_the_processors_is_read_as_the_system_tells_it() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194304 90 0 0 0 120 30 5 6 20 0 2 0 99";
        assert_eq!(ticks(stat), Some(150));
        assert_eq!(ticks("7 (a)"), None);
    }

    #[test]
    fn a_target_is_met_on_its_side() {
        let at_least = Figure::ratio("a", "rows/s", 200.0, 60.0, (Bound::AtLeast, 0.25));
        let at_most = Figure::ratio("b", "s", 1.0, 1.6, (Bound::AtMost, 1.5));
        assert_eq!([at_least.met, at_most.met], [true, false]);
    }
}
