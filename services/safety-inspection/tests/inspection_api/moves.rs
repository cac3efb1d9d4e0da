//! Every verb from every state: the table of the rules says so, or it is refused, explained, and
//! nothing changes.

use kit::auth::Role;
use proto::safety as pb;
use proto::safety::inspection::State;
use tonic::Status;

use crate::city::tree::DEPUTY;
use crate::city::{SCHOOL, SCHOOL_PATH, staff};
use crate::scene::{OFFICER, Scene, refused, scenes, stampede};

scenes!(every_verb_from_every_state);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Start,
    Record,
    Submit,
    Confirm,
    Dispute,
    Cancel,
}

const VERBS: [Verb; 6] = [
    Verb::Start,
    Verb::Record,
    Verb::Submit,
    Verb::Confirm,
    Verb::Dispute,
    Verb::Cancel,
];

const STATES: [(State, &[Verb]); 6] = [
    (State::Planned, &[]),
    (State::Running, &[Verb::Start, Verb::Record]),
    (State::Submitted, &[Verb::Start, Verb::Record, Verb::Submit]),
    (
        State::Disputed,
        &[Verb::Start, Verb::Record, Verb::Submit, Verb::Dispute],
    ),
    (
        State::Confirmed,
        &[Verb::Start, Verb::Record, Verb::Submit, Verb::Confirm],
    ),
    (State::Cancelled, &[Verb::Cancel]),
];

fn table(state: State, verb: Verb) -> Option<State> {
    match (state, verb) {
        (State::Planned, Verb::Start) => Some(State::Running),
        (State::Running, Verb::Record) => Some(State::Running),
        (State::Running, Verb::Submit) => Some(State::Submitted),
        (State::Submitted | State::Disputed, Verb::Confirm) => Some(State::Confirmed),
        (State::Submitted, Verb::Dispute) => Some(State::Disputed),
        (State::Planned | State::Running, Verb::Cancel) => Some(State::Cancelled),
        _ => None,
    }
}

async fn act(scene: &mut Scene, name: &str, verb: Verb) -> Result<State, Status> {
    let deputy = staff(DEPUTY);
    let deputy = (&*deputy, Role::SafetyOfficer, SCHOOL_PATH);
    let done = match verb {
        Verb::Start => scene.start(OFFICER, name).await?,
        Verb::Record => {
            let answers = scene.all_but(name, &["doors"]).await;
            scene.record(OFFICER, name, answers).await?;
            scene.get(name).await
        }
        Verb::Submit => scene.submit(OFFICER, name).await?,
        Verb::Confirm => scene.confirm(deputy, name).await?,
        Verb::Dispute => scene.dispute(deputy, name).await?,
        Verb::Cancel => scene.cancel(OFFICER, name).await?,
    };
    Ok(done.state())
}

async fn every_verb_from_every_state(mut scene: Scene) {
    for (state, way) in STATES {
        for verb in VERBS {
            let planned = scene
                .create(OFFICER, SCHOOL, stampede())
                .await
                .expect("planned");
            let name = planned.name;
            for step in way {
                act(&mut scene, &name, *step).await.expect("on the way");
            }
            let before: pb::Inspection = scene.get(&name).await;
            assert_eq!(before.state(), state);
            let items = scene.items(OFFICER, &name).await;
            // Running with all answered, so that a submission has nothing else in its way.
            match table(state, verb) {
                Some(to) => {
                    let done = act(&mut scene, &name, verb).await.expect("a legal move");
                    assert_eq!(done, to, "{state:?} {verb:?}");
                }
                None => {
                    let answer = act(&mut scene, &name, verb).await;
                    assert_eq!(refused(answer), "INSPECTION_STATE", "{state:?} {verb:?}");
                    assert_eq!(scene.get(&name).await, before, "{state:?} {verb:?}");
                    assert_eq!(scene.items(OFFICER, &name).await, items);
                }
            }
        }
    }
}
