//! The command as people use it: files into houses that answer, settings, signals.

mod cut;
mod desk;
mod formats;
mod invented;
mod migrate;
mod process;
mod samples;
