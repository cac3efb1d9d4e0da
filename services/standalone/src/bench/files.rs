//! How many files, connections among them, this process and those that it starts may have open.

use tokio::process::Command;

use crate::screen;

/// As many as a measurement needs.
const WANTED: u64 = 65_536;

/// Raises the limit as far as it may be raised, and says so where that is not enough.
pub(super) async fn raise_limit() {
    let text = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let Some((soft, hard)) = limits(&text) else {
        return;
    };
    let raised = hard.min(WANTED);
    if soft < raised {
        let process = std::process::id().to_string();
        let limit = format!("--nofile={raised}:{hard}");
        let mut raise = Command::new("prlimit");
        let done = raise.args(["--pid", &process, &limit]).status().await;
        if !done.is_ok_and(|status| status.success()) {
            screen::line(format_args!(
                "only {soft} open files are allowed: run `ulimit -n {raised}` before"
            ));
            return;
        }
    }
    if raised < WANTED {
        screen::line(format_args!(
            "only {raised} open files are allowed, {WANTED} would be better"
        ));
    }
}

/// The soft and the hard limit, as the system tells them.
fn limits(text: &str) -> Option<(u64, u64)> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    let number = |word: &str| match word {
        "unlimited" => Some(u64::from(u32::MAX)),
        digits => digits.parse().ok(),
    };
    let mut words = line.split_whitespace();
    Some((number(words.next()?)?, number(words.next()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_read_as_the_system_tells_them() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max processes             unlimited            unlimited            processes \n\
                    Max open files            1024                 524288               files     \n";
        assert_eq!(limits(text), Some((1024, 524_288)));
        assert_eq!(
            limits(&text.replace("524288", "unlimited")),
            Some((1024, 4_294_967_295))
        );
        assert_eq!(limits(""), None);
    }
}
