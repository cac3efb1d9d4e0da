//! Resumption as schools, bureaus and inspectors see it, on both databases.

#[path = "../city/mod.rs"]
mod city;
mod exercise;
mod figures;
mod fresh;
mod ground;
mod guards;
mod late;
mod moves;
mod own_plans;
mod scope;
mod store;
mod suspensions;
