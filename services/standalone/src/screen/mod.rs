//! Everything that the command prints for a person: lines, bars and tables.

mod failure;
mod table;

use std::fmt::Display;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

pub use failure::failure;
pub use table::{Align, Table};

/// Prints one line.
#[expect(clippy::print_stdout, reason = "this is a command for people")]
pub fn line(text: impl Display) {
    println!("{text}");
}

/// Prints a heading with a line above it.
pub fn heading(text: impl Display) {
    line("");
    line(format_args!("── {text}"));
}

/// Prints something that went well.
pub fn done(text: impl Display) {
    line(format_args!("   ✔ {text}"));
}

/// Prints something that went wrong, also where the output is a file.
pub fn failed(text: impl Display) {
    line(format_args!("   ✘ {text}"));
}

/// A bar for `total` pieces of work; it vanishes when it is finished.
pub fn bar(total: u64, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "   {msg} {bar:32} {human_pos}/{human_len} · {per_sec} · {eta}",
    );
    let bar = ProgressBar::new(total).with_message(what.to_owned());
    bar.set_style(
        style
            .expect("the template is constant")
            .progress_chars("━╸ "),
    );
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// How much of a whole there is, as a bar of so many cells; a whole of nothing is full.
pub fn gauge(part: u32, whole: u32, cells: usize) -> String {
    let filled = match (part as usize * cells).checked_div(whole as usize) {
        Some(filled) => filled.min(cells),
        None => cells,
    };
    format!("{}{}", "━".repeat(filled), "─".repeat(cells - filled))
}

/// A number with its thousands apart.
pub fn count(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration as people read it.
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        s if s >= 100.0 => format!("{s:.0} s"),
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 0.1 => format!("{:.0} ms", s * 1e3),
        s if s >= 1e-3 => format!("{:.1} ms", s * 1e3),
        s => format!("{:.0} µs", s * 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_only_when_nothing_is_missing() {
        let bars = [(0, 4), (1, 3), (199, 200), (200, 200), (0, 0)];
        let bars = bars.map(|(part, whole)| gauge(part, whole, 4));
        assert_eq!(bars, ["────", "━───", "━━━─", "━━━━", "━━━━"]);
    }

    #[test]
    fn numbers_and_spans_read_well() {
        assert_eq!(
            [999, 1_000, 1_500_000].map(|n: u32| count(n)),
            ["999", "1,000", "1,500,000"]
        );
        let spans = [0.000_05, 0.012, 0.25, 1.5, 120.0]
            .map(Duration::from_secs_f64)
            .map(span);
        assert_eq!(spans, ["50 µs", "12.0 ms", "250 ms", "1.50 s", "120 s"]);
    }
}
