//! What absence does to a class group: played out day by day with the draw itself.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::cycle::DaySeed;
use super::day::Day;
use super::draw::{Candidate, Standing, Terms, draw, needs_replacement, next_in_queue};
use super::evaluate::{Evaluation, Strategy};
use super::quota::Ratio;
use super::roll::PersonId;

/// One class group to play.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// How many are eligible.
    pub size: u32,
    /// The share a day.
    pub ratio: Ratio,
    /// Whom to take first.
    pub strategy: Strategy,
    /// How many of a thousand are absent on a day.
    pub absence_per_mille: u32,
    /// Whether an absent person's place goes to the next in the queue.
    pub replace_absent: bool,
}

/// School days of one game; the first ten bring the rotation into its stride.
const DAYS: u16 = 110;
const WARM_UP: u16 = 10;

/// Plays `games` games of a hundred school days. The same seed gives the same figures.
pub fn simulate(setup: &Setup, games: u32, seed: u64) -> Evaluation {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut sum = Evaluation::default();
    for _ in 0..games {
        let swabs = play(setup, &mut chance);
        let game = judge(setup, &swabs, &mut chance);
        for (total, delay) in sum.delays.iter_mut().zip(game.delays) {
            *total += delay;
        }
        sum.longest_gap += game.longest_gap;
        sum.uncovered += game.uncovered;
    }
    let games = f64::from(games.max(1));
    Evaluation {
        delays: sum.delays.map(|delay| delay / games),
        longest_gap: sum.longest_gap / games,
        uncovered: sum.uncovered / games,
    }
}

/// For each person the days of their swabs.
fn play(setup: &Setup, chance: &mut ChaCha8Rng) -> Vec<Vec<u16>> {
    let size = setup.size as usize;
    let mut swabs = vec![Vec::new(); size];
    let mut candidates: Vec<Candidate> = (0..setup.size)
        .map(|place| {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&place.to_be_bytes());
            Candidate {
                person: PersonId(id),
                standing: Standing::Eligible,
                last: Day::NEVER,
                waiting_since: Day::NEVER,
                missed: false,
                every_days: 0,
            }
        })
        .collect();
    let mut earlier = Vec::new();
    for day in 1..=DAYS {
        let mut seed = DaySeed([0; 32]);
        chance.fill_bytes(&mut seed.0);
        let absent: Vec<bool> = (0..size)
            .map(|_| below(chance, 1000) < setup.absence_per_mille)
            .collect();
        let terms = Terms {
            day: Day::from_number(day),
            ratio: setup.ratio,
            cycle_days: u8::try_from(setup.ratio.cycle()).unwrap_or(u8::MAX),
            earlier_days: &earlier,
        };
        let picked = match setup.strategy {
            Strategy::LeastRecent => draw(&terms, &seed, &candidates).places,
            Strategy::Independent => choose(chance, setup.size, setup.ratio.quota(size)),
        };
        for place in &picked {
            candidates[*place as usize].missed = true;
        }
        for place in present(setup, &terms, &seed, &candidates, picked, &absent) {
            let candidate = &mut candidates[place as usize];
            candidate.last = terms.day;
            candidate.waiting_since = terms.day;
            candidate.missed = false;
            swabs[place as usize].push(day);
        }
        earlier.push(Day::from_number(day));
        if earlier.len() > 64 {
            earlier.remove(0);
        }
    }
    swabs
}

/// Whoever of the picked is there, and those who take the places of the others.
fn present(
    setup: &Setup,
    terms: &Terms<'_>,
    seed: &DaySeed,
    candidates: &[Candidate],
    picked: Vec<u32>,
    absent: &[bool],
) -> Vec<u32> {
    let is_absent = |place: &u32| absent[*place as usize];
    let mut taken = picked.clone();
    let (missing, mut there): (Vec<u32>, Vec<u32>) = picked.into_iter().partition(is_absent);
    if setup.replace_absent && setup.strategy == Strategy::LeastRecent {
        let (quota, picked) = (setup.ratio.quota(candidates.len()), taken.len());
        let mut replaced = 0;
        for absent in 1..=missing.len() {
            if !needs_replacement(quota, picked, absent, replaced) {
                continue;
            }
            while let Some(next) = next_in_queue(terms, seed, candidates, &taken) {
                taken.push(next);
                if !is_absent(&next) {
                    there.push(next);
                    replaced += 1;
                    break;
                }
            }
        }
    }
    there
}

fn judge(setup: &Setup, swabs: &[Vec<u16>], chance: &mut ChaCha8Rng) -> Evaluation {
    let next_swab = |person: usize, from: u16| -> u16 {
        let place = swabs[person].partition_point(|day| *day < from);
        swabs[person].get(place).map_or(DAYS + 1, |day| *day)
    };
    let mut delays = [0.0; 3];
    let last_start = DAYS - 40;
    for (infected, delay) in (1..).zip(&mut delays) {
        let mut total = 0_u32;
        for start in WARM_UP..last_start {
            let infected = choose(chance, setup.size, infected.min(setup.size as usize));
            let found = infected
                .iter()
                .map(|person| next_swab(*person as usize, start))
                .min();
            total += u32::from(found.unwrap_or(DAYS) - start + 1);
        }
        *delay = f64::from(total) / f64::from(last_start - WARM_UP);
    }
    let cycle = u16::try_from(setup.ratio.cycle()).unwrap_or(DAYS);
    let (mut windows, mut uncovered, mut longest) = (0_u32, 0_u32, 0_u16);
    for (person, days) in swabs.iter().enumerate() {
        for start in WARM_UP..DAYS.saturating_sub(cycle) {
            windows += 1;
            uncovered += u32::from(next_swab(person, start) >= start + cycle);
        }
        let late = days
            .iter()
            .filter(|day| **day >= WARM_UP)
            .collect::<Vec<_>>();
        longest = late
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap_or(DAYS)
            .max(longest);
    }
    Evaluation {
        delays,
        longest_gap: f64::from(longest),
        uncovered: f64::from(uncovered) / f64::from(windows.max(1)),
    }
}

/// `count` different numbers below `size`.
fn choose(chance: &mut ChaCha8Rng, size: u32, count: usize) -> Vec<u32> {
    let mut all: Vec<u32> = (0..size).collect();
    for place in 0..count.min(all.len()) {
        let rest = u32::try_from(all.len() - place).unwrap_or(1);
        let other = place + below(chance, rest) as usize;
        all.swap(place, other);
    }
    all.truncate(count);
    all
}

/// A number below `bound`, uniform as far as 64 bits can tell.
fn below(chance: &mut ChaCha8Rng, bound: u32) -> u32 {
    let wide = u128::from(chance.next_u64()) * u128::from(bound);
    u32::try_from(wide >> 64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::evaluate::closed_form;

    fn class_of_45(strategy: Strategy) -> Setup {
        let ratio = Ratio::from_basis_points(2000).unwrap();
        Setup {
            size: 45,
            ratio,
            strategy,
            absence_per_mille: 0,
            replace_absent: false,
        }
    }

    #[test]
    fn simulation_and_closed_form_agree() {
        for strategy in [Strategy::LeastRecent, Strategy::Independent] {
            for size in [45, 38, 51] {
                let setup = Setup {
                    size,
                    ..class_of_45(strategy)
                };
                let played = simulate(&setup, 200, 7);
                let exact = closed_form(size, setup.ratio, strategy);
                for (played, exact) in played.delays.iter().zip(exact.delays) {
                    assert!(
                        (played - exact).abs() < 0.12,
                        "{strategy:?} {size} {played} {exact}"
                    );
                }
                assert!((played.uncovered - exact.uncovered).abs() < 0.01);
                if strategy == Strategy::LeastRecent {
                    assert_eq!(played.longest_gap, exact.longest_gap);
                }
            }
        }
    }

    #[test]
    fn with_absence_the_rotation_leaves_few_uncovered_and_chance_a_third() {
        let absent = |strategy| Setup {
            absence_per_mille: 30,
            ..class_of_45(strategy)
        };
        let rotation = simulate(&absent(Strategy::LeastRecent), 50, 7);
        let chance = simulate(&absent(Strategy::Independent), 50, 7);
        assert!(rotation.uncovered < 0.01, "{rotation:?}");
        assert!(rotation.longest_gap <= 9.0, "{rotation:?}");
        assert!((0.30..0.36).contains(&chance.uncovered), "{chance:?}");
        assert!(chance.longest_gap > 25.0, "{chance:?}");
    }
}
