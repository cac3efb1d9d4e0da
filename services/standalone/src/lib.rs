//! Campus in one command: the whole house in one process, an invented city, the demonstration,
//! the measurements, and what a person needs at a terminal.

pub mod audit;
pub mod bench;
pub mod check_config;
pub mod city;
pub mod cli;
pub mod demo;
pub mod destruction;
pub mod draw;
pub mod house;
pub mod import;
pub mod intake;
pub mod journey;
pub mod migrate;
pub mod policies;
pub mod results;
pub mod screen;
pub mod token;
pub mod up;
