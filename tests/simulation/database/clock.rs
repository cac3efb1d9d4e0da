//! The functions of time that statements ask for.

use std::sync::atomic::Ordering::Relaxed;

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};

use super::state::Now;

/// Lets the time of the database be that of the simulation.
pub(super) fn add_clock(sqlite: &Connection, now: &Now) {
    let flags = FunctionFlags::SQLITE_UTF8;
    let clock = now.clone();
    let millis = move |_: &Context<'_>| Ok(clock.load(Relaxed));
    let clock = now.clone();
    let seconds = move |_: &Context<'_>| Ok(clock.load(Relaxed) / 1000);
    let clock = now.clone();
    let finely = move |_: &Context<'_>| {
        let millis = clock.load(Relaxed);
        let (whole, rest) = (millis / 1000, millis % 1000);
        Ok(whole as f64 + rest as f64 / 1000.0)
    };
    let made = sqlite
        .create_scalar_function("now_millis", 0, flags, millis)
        .and_then(|()| sqlite.create_scalar_function("unixepoch", 0, flags, seconds))
        .and_then(|()| sqlite.create_scalar_function("unixepoch", 1, flags, finely));
    made.expect("functions of time");
}
