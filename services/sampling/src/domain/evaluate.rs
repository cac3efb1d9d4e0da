//! What a way of sampling costs and buys, in closed form.
//!
//! Rotation: n people stand in a ring and q are taken from its head each day, so somebody
//! infected on a random day stands at a place that is uniform on 0..n and is swabbed on day
//! floor(place / q) + 1. Of k infected, the first counts. Independent draws: each day misses all k
//! with probability C(n-q, k) / C(n, k), so the delay is geometric.

use super::quota::Ratio;

/// Whom to take first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Those who have waited longest.
    LeastRecent,
    /// A new choice each day.
    Independent,
}

/// Class groups of one school of the same size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classes {
    /// Which school, to share tubes.
    pub school: u32,
    /// How many are eligible in each.
    pub size: u32,
    /// How many class groups.
    pub count: u32,
}

/// What it costs and buys.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Expected days until 1, 2, 3 infected are found.
    pub delays: [f64; 3],
    /// The most school days between two swabs of a person.
    pub longest_gap: f64,
    /// The share without a swab in a window of a cycle.
    pub uncovered: f64,
}

/// What it costs, whoever is taken first.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Class-pure tubes a day.
    pub tubes: u64,
    /// Tubes a day when class groups of a school share them.
    pub mixed_tubes: u64,
    /// Swabs a day.
    pub swabs: u64,
    /// People held when a tube is positive, averaged over the people swabbed.
    pub held: f64,
}

/// Evaluates one class group without absence. None of `longest_gap` is bounded for independent
/// draws: it is the expectation of the longest of 100 days, approximated by simulation elsewhere,
/// and infinite here.
pub fn closed_form(size: u32, ratio: Ratio, strategy: Strategy) -> Evaluation {
    let quota = quota_of(size, ratio);
    let mut delays = [0.0; 3];
    for (infected, delay) in (1..).zip(&mut delays) {
        *delay = delay_of(size, quota, infected, strategy);
    }
    match strategy {
        Strategy::LeastRecent => Evaluation {
            delays,
            longest_gap: f64::from(size.div_ceil(quota)),
            uncovered: 0.0,
        },
        Strategy::Independent => {
            let missed = 1.0 - f64::from(quota) / f64::from(size);
            let cycle = i32::try_from(ratio.cycle()).unwrap_or(i32::MAX);
            let longest_gap = if quota == size { 1.0 } else { f64::INFINITY };
            Evaluation {
                delays,
                longest_gap,
                uncovered: missed.powi(cycle),
            }
        }
    }
}

/// The quota of a class group that is not empty.
pub fn quota_of(size: u32, ratio: Ratio) -> u32 {
    u32::try_from(ratio.quota(size as usize)).unwrap_or(size)
}

fn delay_of(size: u32, quota: u32, infected: u32, strategy: Strategy) -> f64 {
    let infected = infected.min(size);
    match strategy {
        Strategy::LeastRecent => (0..size.div_ceil(quota))
            .map(|days| miss(size, days * quota, infected))
            .sum(),
        Strategy::Independent => 1.0 / (1.0 - miss(size, quota, infected)),
    }
}

/// The probability that none of `infected` is among `taken` of `size`.
fn miss(size: u32, taken: u32, infected: u32) -> f64 {
    (0..infected)
        .map(|one| f64::from((size - taken.min(size)).saturating_sub(one)) / f64::from(size - one))
        .product()
}

/// Adds up what the tubes cost. `classes` of one school stand together.
pub fn cost(classes: &[Classes], ratio: Ratio, capacity: u32) -> Cost {
    let mut cost = Cost::default();
    let mut held = 0_u64;
    for school in classes.chunk_by(|one, other| one.school == other.school) {
        let mut swabs = 0;
        for Classes {
            school: _,
            size,
            count,
        } in school
        {
            let quota = quota_of(*size, ratio);
            let fills = fill_evenly(quota, capacity);
            let squares: u64 = fills
                .iter()
                .map(|fill| u64::from(*fill) * u64::from(*fill))
                .sum();
            cost.tubes += u64::from(*count) * fills.len() as u64;
            held += u64::from(*count) * squares;
            swabs += u64::from(*count) * u64::from(quota);
        }
        cost.swabs += swabs;
        cost.mixed_tubes += swabs.div_ceil(u64::from(capacity));
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of people are far below 2^52"
    )]
    if cost.swabs > 0 {
        cost.held = held as f64 / cost.swabs as f64;
    }
    cost
}

/// Fills as few tubes as possible as evenly as possible: a positive one then holds the fewest.
pub fn fill_evenly(swabs: u32, capacity: u32) -> Vec<u32> {
    let tubes = swabs.div_ceil(capacity.max(1));
    (0..tubes)
        .map(|tube| swabs / tubes + u32::from(tube < swabs % tubes))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fifth() -> Ratio {
        Ratio::from_basis_points(2000).unwrap()
    }

    fn one_decimal(delays: [f64; 3]) -> [f64; 3] {
        delays.map(|delay| (delay * 10.0).round() / 10.0)
    }

    #[test]
    fn a_class_of_45_is_found_out_as_published() {
        let rotation = closed_form(45, fifth(), Strategy::LeastRecent);
        assert_eq!(one_decimal(rotation.delays), [3.0, 2.2, 1.8]);
        assert_eq!((rotation.longest_gap, rotation.uncovered), (5.0, 0.0));
        let independent = closed_form(45, fifth(), Strategy::Independent);
        assert_eq!(one_decimal(independent.delays), [5.0, 2.8, 2.0]);
        assert!((independent.uncovered - 0.8_f64.powi(5)).abs() < 1e-12);
    }

    #[test]
    fn eleven_swabs_make_two_tubes_of_one_class() {
        assert_eq!(fill_evenly(11, 10), [6, 5]);
        assert_eq!(fill_evenly(9, 10), [9]);
        assert_eq!(fill_evenly(0, 10), [] as [u32; 0]);
        let class = Classes {
            school: 1,
            size: 51,
            count: 2,
        };
        let cost = cost(&[class], fifth(), 10);
        assert_eq!((cost.tubes, cost.mixed_tubes, cost.swabs), (4, 3, 22));
        assert!((cost.held - 61.0 / 11.0).abs() < 1e-12);
    }

    #[test]
    fn tiny_class_groups_have_delays_too() {
        let one = closed_form(1, fifth(), Strategy::LeastRecent);
        assert_eq!(one.delays, [1.0; 3]);
        assert_eq!(
            closed_form(2, fifth(), Strategy::Independent).delays[2],
            1.0
        );
    }
}
