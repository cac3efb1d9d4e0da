mod hours;
mod patrols;
mod rosters;
mod shifts;

use chrono::NaiveDate;

use super::*;
use crate::domain::history::Move;

fn start() -> DateTime<Utc> {
    "2022-04-06T00:00:00Z".parse().unwrap()
}

fn span(from: i64, to: i64) -> Span {
    Span {
        start: start() + TimeDelta::hours(from),
        end: start() + TimeDelta::hours(to),
    }
}

fn crew(leader: &str, staff: &[&str]) -> Crew {
    Crew {
        leader: leader.to_owned(),
        staff: staff.iter().map(|one| (*one).to_owned()).collect(),
        posts: vec![Post {
            post: "GUARD".to_owned(),
            staff_member: format!("guard of {leader}"),
        }],
        phone: "0591-83850000".to_owned(),
    }
}

fn planned(from: i64, to: i64, crew: Crew) -> Planned {
    Planned {
        span: span(from, to),
        crew,
    }
}

fn demands() -> Demands {
    Demands {
        min_staff: 2,
        key_posts: vec!["GUARD".to_owned()],
        policy_version: "p@1".to_owned(),
    }
}

fn publish(shifts: Vec<Planned>) -> Result<(Roster, Move), Refused> {
    Roster::draft(span(0, 48), shifts).publish(&demands(), &[])
}

fn template(starts: &[u32]) -> Template {
    Template {
        code: "T".to_owned(),
        display_name: "模板".to_owned(),
        season: Season::Ordinary,
        shift_start_minutes: starts.to_vec(),
        patrol_start_minute: 1320,
        patrol_minutes: 480,
        patrol_interval_minutes: 120,
        source: "5.31".to_owned(),
        effective_date: NaiveDate::default(),
    }
}
