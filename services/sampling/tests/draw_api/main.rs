//! Plans, draws and coverage as their clients see them, on both databases.

mod city;
mod coverage;
mod draws;
mod plans;
#[path = "../town/mod.rs"]
mod town;

use proto::sampling::sampling_plan::Kind;
use town::{Roster, SCHOOL, Town, class, school_path};

const CLASS: &str = "p2019-01";

fn group_path() -> String {
    format!("{}/{CLASS}", school_path(SCHOOL))
}

async fn with_class_of(size: u32, database: kit::scratch::Scratch) -> Town {
    let roster = Roster::town();
    roster.class(class(SCHOOL, CLASS, 0, size));
    let town = Town::start(database, roster).await;
    town.plan("students", Kind::StudentRotation).await;
    town
}
