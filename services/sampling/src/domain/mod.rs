//! What is true: values and pure functions, without clock, chance or database.

pub mod calendar;
pub mod commitment;
pub mod control;
pub mod coverage;
pub mod cycle;
pub mod day;
pub mod draw;
pub mod evaluate;
pub mod health;
pub mod hold;
pub mod laboratory_result;
pub mod measure;
pub mod plan;
pub mod point;
pub mod policy;
pub mod quota;
pub mod retention;
pub mod roll;
pub mod rotation;
pub mod simulate;
pub mod swab;
pub mod tube;
pub mod tube_day;
pub mod tube_step;
