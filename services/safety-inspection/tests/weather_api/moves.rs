//! Every verb in every state, in orders that chance draws: either the table says so, or it is refused
//! with its reason and nothing changes.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use proto::safety as pb;
use proto::safety::weather_suspension::Cover;
use safety_inspection::domain::weather::level::Level;
use safety_inspection::domain::weather::state::{Event, State};
use tonic::Status;

use crate::city::world::told;
use crate::city::{SCHOOL, SCHOOL_PATH};
use crate::decisions::{HEAD, decide, decided, lift};
use crate::storm::{Storm, alert, later, storms};

storms!(every_move_is_of_the_table_or_refused);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verb {
    Orange,
    Blue,
    Cancel,
    Decide,
    Lift,
    Check,
    Reopen,
}

const VERBS: [Verb; 7] = [
    Verb::Orange,
    Verb::Blue,
    Verb::Cancel,
    Verb::Decide,
    Verb::Lift,
    Verb::Check,
    Verb::Reopen,
];

/// What must be true of the school.
struct Model {
    state: State,
    level: Option<Level>,
    in_force: Vec<String>,
    lifted: Vec<String>,
    document: u32,
}

impl Model {
    fn step(&mut self, event: Event) -> bool {
        match self.state.after(event) {
            Some(to) => {
                self.state = to;
                true
            }
            None => false,
        }
    }

    /// The document that says so, and where the school is then.
    fn warn(&mut self, level: Option<Level>) -> Option<String> {
        if level.is_none() && self.level.is_none() {
            return None;
        }
        self.document += 1;
        let number = self.document;
        let colour = if level == Some(Level::Second) {
            "Orange"
        } else {
            "Blue"
        };
        let text = match (self.level, level) {
            (None, _) => alert(number, colour, "350100"),
            (Some(_), Some(_)) => later(number, "Update", number - 1, colour),
            (Some(_), None) => later(number, "Cancel", number - 1, ""),
        };
        let event = match (self.level, level) {
            (before, after) if before == after => None,
            (_, None) => Some(Event::Clear),
            (Some(before), Some(after)) if after > before => Some(Event::Ease),
            (_, Some(_)) => Some(Event::Raise),
        };
        if let Some(event) = event {
            assert!(self.step(event), "the weather is never refused");
        }
        self.level = level;
        Some(text)
    }
}

/// What chance says at each step; more steps than it takes.
fn drawn() -> Vec<prop::sample::Index> {
    let mut runner = TestRunner::deterministic();
    let chances = prop::collection::vec(any::<prop::sample::Index>(), 800);
    chances.new_tree(&mut runner).expect("chances").current()
}

async fn every_move_is_of_the_table_or_refused(mut storm: Storm) {
    let mut model = Model {
        state: State::None,
        level: None,
        in_force: Vec::new(),
        lifted: Vec::new(),
        document: 0,
    };
    let mut tried = BTreeSet::new();
    let mut before = seen(&mut storm).await;
    let wanted = State::ALL.len() * VERBS.len();
    for chance in drawn() {
        if tried.len() == wanted {
            break;
        }
        let all = VERBS.into_iter();
        let untried = all.filter(|verb| !tried.contains(&(model.state, *verb)));
        let untried: Vec<Verb> = untried.collect();
        let verb = if untried.is_empty() {
            *chance.get(&VERBS)
        } else {
            *chance.get(&untried)
        };
        tried.insert((model.state, verb));
        let refused = act(&mut storm, &mut model, verb).await;
        let after = seen(&mut storm).await;
        if let Some((status, reason, shown)) = refused {
            let (_, found, zh) = told(&status);
            assert_eq!(found, reason, "{verb:?}");
            assert!(zh.contains(shown), "{verb:?}: {zh}");
            assert_eq!(after, before, "{verb:?} changed nothing");
        }
        assert_eq!(after.state, model.state as i32, "{verb:?}");
        let level = model.level.map_or(0, |level| level as i32);
        assert_eq!(after.level, level, "{verb:?}");
        before = after;
    }
    assert_eq!(tried.len(), wanted, "every verb in every state");
}

/// Where the school stands; when the register hears of it is another matter.
async fn seen(storm: &mut Storm) -> pb::WeatherState {
    pb::WeatherState {
        teaching_told: true,
        ..storm.state(SCHOOL_PATH).await
    }
}

/// Does what a verb says and moves the model; the refusal with the reason that it must have, and a word
/// of its sentence.
async fn act(
    storm: &mut Storm,
    model: &mut Model,
    verb: Verb,
) -> Option<(Status, &'static str, &'static str)> {
    match verb {
        Verb::Orange | Verb::Blue | Verb::Cancel => {
            let level = match verb {
                Verb::Orange => Some(Level::Second),
                Verb::Blue => Some(Level::Fourth),
                _ => None,
            };
            if let Some(text) = model.warn(level) {
                storm.ingest(&text).await.expect("taken");
            }
            None
        }
        Verb::Decide => {
            let answer = decide(storm, HEAD, SCHOOL, decided(&[Cover::Schools])).await;
            if model.state.after(Event::Suspend).is_none() {
                return Some((answer.expect_err("not warned"), "WEATHER_STATE", "NONE"));
            }
            if model.level.is_none() {
                let refused = answer.expect_err("no warning");
                return Some((refused, "WEATHER_NOBODY_WARNED", "预警"));
            }
            model.in_force.push(answer.expect("decided").name);
            assert!(model.step(Event::Suspend));
            None
        }
        Verb::Lift => {
            if let Some(name) = model.in_force.pop() {
                lift(storm, HEAD, &name).await.expect("lifted");
                model.lifted.push(name);
                if model.in_force.is_empty() {
                    assert!(model.step(Event::Lift));
                }
                return None;
            }
            let name = model.lifted.last()?.clone();
            let refused = lift(storm, HEAD, &name).await.expect_err("lifted before");
            Some((refused, "WEATHER_SUSPENSION_STATE", "LIFTED"))
        }
        Verb::Check => {
            let answer = storm.check(SCHOOL_PATH, &[]).await;
            if model.step(Event::Check) {
                answer.expect("recorded");
                return None;
            }
            Some((
                answer.expect_err("not lifted"),
                "WEATHER_STATE",
                word(model.state),
            ))
        }
        Verb::Reopen => {
            let answer = storm.reopen(SCHOOL_PATH).await;
            if model.state.after(Event::Reopen).is_some() && model.level == Some(Level::Second) {
                return Some((answer.expect_err("orange"), "WEATHER_LEVEL_HOLDS", "II"));
            }
            if model.step(Event::Reopen) {
                answer.expect("reopened");
                return None;
            }
            Some((
                answer.expect_err("not checked"),
                "WEATHER_STATE",
                word(model.state),
            ))
        }
    }
}

fn word(state: State) -> &'static str {
    let state = pb::weather_state::State::try_from(state as i32).unwrap_or_default();
    state.as_str_name().trim_start_matches("STATE_")
}
