//! The weather: warnings and response levels, what is done, suspension, and the way back to teaching
//! (rules 5.21 to 5.30).

pub mod action;
pub mod catalogue;
pub mod day;
pub mod level;
pub mod policy;
pub mod post_check;
pub mod response;
pub mod state;
pub mod suspension;
pub mod task;
pub mod warning;
