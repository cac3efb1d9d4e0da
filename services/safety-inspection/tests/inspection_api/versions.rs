//! Every verb from every state of a version of a checklist.

use proto::safety as pb;
use proto::safety::checklist_template::State;

use crate::checklists::{create, get, publish, retire, roof, update};
use crate::city::tree::BUREAU;
use crate::scene::{OFFICER, Scene, refused, scenes};

scenes!(every_verb_from_every_state_of_a_version);

async fn every_verb_from_every_state_of_a_version(mut scene: Scene) {
    for (state, way) in [
        (State::Draft, 0),
        (State::Published, 1),
        (State::Retired, 2),
    ] {
        for verb in ["update", "publish", "retire"] {
            let template = create(&mut scene, OFFICER, BUREAU, roof(&["tank"])).await;
            let name = template.expect("drafted").name;
            if way > 0 {
                publish(&mut scene, OFFICER, &name)
                    .await
                    .expect("on the way");
            }
            if way > 1 {
                retire(&mut scene, OFFICER, &name)
                    .await
                    .expect("on the way");
            }
            let before = get(&mut scene, OFFICER, &name).await.expect("found");
            assert_eq!(before.state(), state);
            let answer = match verb {
                "update" => {
                    let wish = pb::ChecklistTemplate {
                        name: name.clone(),
                        ..roof(&["tank"])
                    };
                    update(&mut scene, OFFICER, wish, &["*"]).await
                }
                "publish" => publish(&mut scene, OFFICER, &name).await,
                _ => retire(&mut scene, OFFICER, &name).await,
            };
            let to = match (state, verb) {
                (State::Draft, "update") => Some(State::Draft),
                (State::Draft, "publish") => Some(State::Published),
                (State::Published, "retire") => Some(State::Retired),
                _ => None,
            };
            if let Some(to) = to {
                assert_eq!(
                    answer.expect("a legal move").state(),
                    to,
                    "{state:?} {verb}"
                );
            } else {
                assert_eq!(refused(answer), "CHECKLIST_STATE", "{state:?} {verb}");
                let after = get(&mut scene, OFFICER, &name).await.expect("found");
                assert_eq!(after, before, "{state:?} {verb}");
            }
        }
    }
}
