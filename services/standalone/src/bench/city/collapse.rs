//! The search for the speed at which the city is no longer borne.

/// By how much faster each try is, until one is not borne.
const STEP: f64 = 1.5;
/// The answer is given when what was borne and what was not are no further apart.
const FINE: f64 = 1.06;
/// No slower and no faster tries than these, and no more of them.
const LEAST: f64 = 0.25;
const MOST: f64 = 1000.0;
pub(super) const TRIES: u32 = 20;

/// What is known of the speed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Search {
    first: f64,
    left: u32,
    /// The fastest that was borne, below everything that was not.
    pub(super) borne: Option<f64>,
    /// The slowest that was not.
    pub(super) broke: Option<f64>,
}

impl Search {
    /// Begins at a speed.
    pub(super) fn beginning(first: f64) -> Self {
        Self {
            first,
            left: TRIES,
            borne: None,
            broke: None,
        }
    }

    /// The same with no more tries than these.
    pub(super) fn at_most(self, tries: u32) -> Self {
        Self {
            left: tries,
            ..self
        }
    }

    /// What to try; nothing when enough is known.
    pub(super) fn next(self) -> Option<f64> {
        if self.left == 0 {
            return None;
        }
        match (self.borne, self.broke) {
            (None, None) => Some(self.first),
            (Some(borne), None) => Some(borne * STEP).filter(|next| *next <= MOST),
            (None, Some(broke)) => Some(broke / STEP).filter(|next| *next >= LEAST),
            (Some(borne), Some(broke)) if broke / borne <= FINE => None,
            (Some(borne), Some(broke)) => Some((borne * broke).sqrt()),
        }
    }

    /// A speed was borne, or not.
    pub(super) fn tell(&mut self, speed: f64, borne: bool) {
        self.left = self.left.saturating_sub(1);
        if borne {
            self.borne = Some(self.borne.map_or(speed, |known| known.max(speed)));
        } else {
            self.broke = Some(self.broke.map_or(speed, |known| known.min(speed)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is tried where everything up to `limit` is borne, and what is found.
    fn search(first: f64, limit: f64) -> (Vec<f64>, Search) {
        let (mut search, mut tried) = (Search::beginning(first), Vec::new());
        while let Some(speed) = search.next() {
            tried.push(speed);
            search.tell(speed, speed <= limit);
        }
        (tried, search)
    }

    #[test]
    fn the_collapse_is_found_between_what_was_borne_and_what_was_not() {
        for limit in [0.3, 0.9, 2.9, 3.0, 7.7, 40.0, 600.0] {
            let (tried, found) = search(3.0, limit);
            let (borne, broke) = (found.borne.unwrap(), found.broke.unwrap());
            assert!(borne <= limit && limit < broke, "{limit}: {found:?}");
            assert!(broke / borne <= FINE, "{limit}: {found:?}");
            assert!(tried.len() < TRIES as usize, "{limit}: {tried:?}");
        }
    }

    #[test]
    fn it_goes_up_by_steps_and_then_halves_what_is_left() {
        let (tried, _) = search(3.0, 5.0);
        let first = [3.0, 4.5, 6.75, (4.5_f64 * 6.75).sqrt()];
        assert!(first.iter().zip(&tried).all(|(a, b)| (a - b).abs() < 1e-9));
    }

    #[test]
    fn it_ends_where_everything_or_nothing_is_borne() {
        let (tried, found) = search(3.0, f64::INFINITY);
        assert_eq!(found.broke, None);
        assert!(
            tried
                .last()
                .is_some_and(|last| *last <= MOST && last * STEP > MOST)
        );
        let (tried, found) = search(3.0, 0.0);
        assert_eq!(found.borne, None);
        assert!(
            tried
                .last()
                .is_some_and(|last| *last >= LEAST && last / STEP < LEAST)
        );
    }

    #[test]
    fn it_makes_no_more_tries_than_it_may() {
        let mut search = Search::beginning(1.0);
        let mut tried = 0;
        while let Some(speed) = search.next() {
            tried += 1;
            // A machine that bears a speed only now and then.
            search.tell(speed, tried % 7 != 0);
        }
        assert!(tried <= TRIES, "{tried}");
        let mut search = Search::beginning(1.0).at_most(2);
        for expected in [Some(1.0), Some(1.5), None] {
            assert_eq!(search.next(), expected);
            search.tell(expected.unwrap_or_default(), true);
        }
    }
}
