//! The settings of the overview.

use std::time::Duration;

use serde::Deserialize;

/// Polls and heartbeats may come this often, and must come at least this often.
const PACE: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(300);

/// The settings of the overview.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OverviewConfig {
    /// How long each service may take to tell its figures, within what the caller's deadline leaves.
    #[serde(with = "humantime_serde")]
    pub part_deadline: Duration,
    /// How long the figures that a caller was told are kept, to be shown as what was known last while a
    /// service is down; at most an hour.
    #[serde(with = "humantime_serde")]
    pub keep: Duration,
    /// How often the services are asked while somebody watches: 1 s to 5 min.
    #[serde(with = "humantime_serde")]
    pub poll: Duration,
    /// How often a watcher hears that nothing has changed: 1 s to 5 min.
    #[serde(with = "humantime_serde")]
    pub heartbeat: Duration,
    /// How many overviews one caller may watch at once before new ones are answered with OVERLOADED.
    pub max_watches_per_caller: usize,
    /// How many overviews all callers may watch at once.
    pub max_watches: usize,
}

impl Default for OverviewConfig {
    fn default() -> Self {
        Self {
            part_deadline: Duration::from_secs(2),
            keep: Duration::from_secs(300),
            poll: Duration::from_secs(5),
            heartbeat: Duration::from_secs(15),
            max_watches_per_caller: 20,
            max_watches: 10_000,
        }
    }
}

impl OverviewConfig {
    /// Checks the settings; the error names the key.
    pub(crate) fn check(&self, max_deadline: Duration) -> Result<(), String> {
        if self.part_deadline.is_zero() || self.part_deadline > max_deadline {
            return Err("overview.part_deadline: above zero, at most max_deadline".to_owned());
        }
        if self.keep > Duration::from_secs(3600) {
            return Err("overview.keep: at most 1h".to_owned());
        }
        for (key, pace) in [("poll", self.poll), ("heartbeat", self.heartbeat)] {
            if !PACE.contains(&pace) {
                return Err(format!("overview.{key}: between 1s and 5min"));
            }
        }
        if self.max_watches_per_caller == 0 || self.max_watches == 0 {
            let keys = "overview.max_watches_per_caller and overview.max_watches";
            return Err(format!("{keys}: at least 1"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_secs(600);

    #[test]
    fn the_defaults_are_allowed() {
        assert_eq!(OverviewConfig::default().check(MOST), Ok(()));
    }

    #[test]
    fn a_setting_out_of_bounds_is_named() {
        let wrong = |key: &str, set: fn(&mut OverviewConfig)| {
            let mut config = OverviewConfig::default();
            set(&mut config);
            let refused = config.check(MOST).unwrap_err();
            assert!(refused.contains(&format!("overview.{key}")), "{refused}");
        };
        wrong("part_deadline", |config| {
            config.part_deadline = Duration::ZERO
        });
        wrong("part_deadline", |config| config.part_deadline = MOST * 2);
        wrong("keep", |config| config.keep = MOST * 10);
        wrong("poll", |config| config.poll = Duration::from_millis(999));
        wrong("heartbeat", |config| config.heartbeat = MOST);
        wrong("max_watches_per_caller", |config| {
            config.max_watches_per_caller = 0
        });
        wrong("max_watches", |config| config.max_watches = 0);
    }
}
