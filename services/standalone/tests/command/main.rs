//! The command as people use it: files into houses that answer, settings, signals.

mod bench;
mod cut;
mod desk;
mod formats;
mod invented;
mod migrate;
mod process;
mod samples;
