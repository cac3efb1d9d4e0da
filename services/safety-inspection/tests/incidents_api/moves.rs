//! Every verb from every state through the contract: what the table of rule 5.36 does not have is
//! refused, explained in Chinese, and changes nothing.

use proto::roster::incident_policy::Level;
use proto::safety as pb;
use proto::safety::incident::State;
use proto::safety::incident_report::Kind;

use crate::city::on_both;
use crate::city::world::World;
use crate::desk::{CITY, Desk, OFFICER, REVIEWER, call, deaths, report, review, said, why};

on_both!(
    every_move_that_the_table_lacks_is_refused_and_changes_nothing,
    levels_are_never_below_the_casualties,
    casualties_are_supplemented_for_thirty_days_seven_for_fire,
);

/// The numbers of the states from which each verb starts.
const STARTS: [(&str, &[i32]); 11] = [
    ("first", &[1]),
    ("confirm", &[2]),
    ("respond", &[3, 5]),
    ("follow-up", &[4, 5]),
    ("control", &[5]),
    ("final", &[6]),
    ("review", &[7]),
    ("close", &[8]),
    ("dismiss", &[1, 2, 3, 4, 5]),
    ("relevel", &[3, 4, 5, 6, 7]),
    ("supplement", &[2, 3, 4, 5, 6, 7, 8, 9]),
];

async fn tries(desk: &Desk, verb: &str, name: &str) -> Result<(), tonic::Status> {
    let written = |kind| report(name, kind);
    match verb {
        "first" => call!(desk, write_incident_report, OFFICER, written(Kind::First)).map(drop),
        "follow-up" => call!(
            desk,
            write_incident_report,
            OFFICER,
            written(Kind::FollowUp)
        )
        .map(drop),
        "final" => call!(desk, write_incident_report, OFFICER, written(Kind::Final)).map(drop),
        "confirm" => {
            let request = said!(ConfirmIncidentRequest, name, reason);
            call!(desk, confirm_incident, CITY, request).map(drop)
        }
        "respond" => {
            let request = said!(RespondIncidentRequest, name, measures);
            call!(desk, respond_incident, OFFICER, request).map(drop)
        }
        "control" => {
            let request = said!(ControlIncidentRequest, name, measures);
            call!(desk, control_incident, OFFICER, request).map(drop)
        }
        "review" => call!(desk, review_incident, REVIEWER, review(name)).map(drop),
        "close" => {
            let request = said!(CloseIncidentRequest, name, reason);
            call!(desk, close_incident, CITY, request).map(drop)
        }
        "dismiss" => {
            let request = said!(DismissIncidentRequest, name, reason);
            call!(desk, dismiss_incident, CITY, request).map(drop)
        }
        "relevel" => desk.relevel(name, Level::Iii).await.map(drop),
        _ => desk
            .supplement(name, pb::Casualties::default())
            .await
            .map(drop),
    }
}

async fn every_move_that_the_table_lacks_is_refused_and_changes_nothing(world: World) {
    let desk = Desk::new(world).await;
    for state in 1..=10 {
        let name = desk.noticed(pb::Casualties::default()).await.name;
        desk.bring_to(&name, state).await;
        let before = desk.get(CITY, &name).await;
        assert_eq!(before.state, state);
        for (verb, starts) in STARTS {
            if starts.contains(&state) {
                continue;
            }
            let named = before.state().as_str_name().trim_start_matches("STATE_");
            let refused = why(tries(&desk, verb, &name).await);
            let sentence = format!("事件当前状态为 {named}，不能进行该操作");
            let expected = ("INCIDENT_STATE".to_owned(), sentence);
            assert_eq!(refused, expected, "{verb} from {named}");
        }
        assert_eq!(desk.get(CITY, &name).await, before);
        let mut starting = STARTS.iter().filter(|(_, starts)| starts.contains(&state));
        // The last that starts here and is not the way itself is done, so that the table is not empty.
        if let Some((verb, _)) = starting.next_back() {
            tries(&desk, verb, &name).await.expect(verb);
        }
    }
}

async fn levels_are_never_below_the_casualties(world: World) {
    let desk = Desk::new(world).await;
    let name = desk.noticed(deaths(1)).await.name;
    let first = report(&name, Kind::First);
    let first = crate::desk::with_casualties(first, deaths(1));
    call!(desk, write_incident_report, OFFICER, first).expect("written");
    let milder = pb::ConfirmIncidentRequest {
        level: Level::Iv.into(),
        ..said!(ConfirmIncidentRequest, name, reason)
    };
    let refused = call!(desk, confirm_incident, CITY, milder);
    let sentence = "按伤亡和损失，事件级别不得低于 II 级，不能定为 IV 级";
    assert_eq!(
        why(refused),
        ("INCIDENT_LEVEL_FLOOR".to_owned(), sentence.to_owned())
    );
    desk.step(&name, 3).await;
    let same = why(desk.relevel(&name, Level::Ii).await);
    assert_eq!(
        same,
        (
            "INCIDENT_SAME_LEVEL".to_owned(),
            "事件已是 II 级".to_owned()
        )
    );
    let graver = desk.relevel(&name, Level::I).await.expect("graver");
    assert_eq!(graver.level(), Level::I);
    let event = desk.events(CITY, &name).await.pop().expect("an event");
    assert_eq!(event.kind(), pb::incident_event::Kind::ReLevelled);
    assert_eq!(
        (event.from_level(), event.to_level()),
        (Level::Ii, Level::I)
    );
    assert_eq!(event.from_state, event.to_state);
}

async fn casualties_are_supplemented_for_thirty_days_seven_for_fire(world: World) {
    let desk = Desk::new(world).await;
    let building = desk.noticed(pb::Casualties::default()).await.name;
    let mut request = desk.accident(pb::Casualties::default());
    if let Some(incident) = &mut request.incident {
        incident.hazard_category = pb::HazardCategory::Fire.into();
    }
    let fire = call!(desk, create_incident, OFFICER, request)
        .expect("noticed")
        .name;
    desk.bring_to(&building, 9).await;
    desk.bring_to(&fire, 2).await;
    desk.wait(7 * 24 * 60);
    desk.wait(15 * 60 + 59);
    desk.supplement(&fire, deaths(1))
        .await
        .expect("in the last minute of the seventh day");
    desk.wait(1);
    let refused = why(desk.supplement(&fire, deaths(2)).await);
    let sentence = "伤亡补报期已于 2022-04-14T00:00:00+08:00 结束";
    assert_eq!(
        refused,
        ("INCIDENT_SUPPLEMENT_OVER".to_owned(), sentence.to_owned())
    );
    let closed = desk
        .supplement(&building, deaths(1))
        .await
        .expect("within 30 days");
    assert_eq!((closed.state(), closed.level()), (State::Closed, Level::Ii));
    assert_eq!(closed.casualties.map(|of| of.deaths), Some(1));
    desk.wait(23 * 24 * 60);
    let over = why(desk.supplement(&building, deaths(2)).await).0;
    assert_eq!(over, "INCIDENT_SUPPLEMENT_OVER");
}
