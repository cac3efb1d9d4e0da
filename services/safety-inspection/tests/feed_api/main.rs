//! SafetyFeed and the live figures as other services and bureaus read them, on both databases.

#[allow(dead_code, reason = "the test program of visits uses the rest")]
#[path = "../visitor_api/book.rs"]
mod book;
mod changes;
#[path = "../city/mod.rs"]
mod city;
mod figures;
mod follower;
#[allow(dead_code, reason = "the test program of drills uses the rest")]
#[path = "../drill_api/ground.rs"]
mod ground;
mod inspected;
mod laws;
#[allow(dead_code, reason = "the test program of protection uses the rest")]
#[path = "../protection_api/desk.rs"]
mod protected;
mod provision;
mod readers;
mod recount;
#[allow(dead_code, reason = "the test program of the weather uses the rest")]
#[path = "../weather_api/storm.rs"]
mod storm;
mod watch;
mod weather;
