//! `campus import` against houses that answer.

mod cut;
mod desk;
mod formats;
mod invented;
mod samples;
