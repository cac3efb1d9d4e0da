//! Shelters open and close; isolation rooms are counted against what the policy demands.

use proto::safety as pb;
use proto::safety::shelter::{Cause, State};
use safety_inspection::store::Store;
use tonic::{Code as Grpc, Status};
use uuid::Uuid;

use crate::city::on_both;
use crate::city::tree::{KINDERGARTEN, KINDERGARTEN_PATH, SISTER, SISTER_PATH, group};
use crate::city::world::{World, told};
use crate::city::{SCHOOL, SCHOOL_PATH, roster};
use crate::desk::Desk;

on_both!(
    a_shelter_opens_counts_closes_and_retires,
    each_refused_move_is_explained,
    a_lost_update_is_noticed,
    a_large_campus_needs_more_isolation_rooms,
    whoever_has_no_place_finds_one_with_the_mutual_aid_group_first,
);

fn gym() -> pb::Shelter {
    pb::Shelter {
        display_name: "体育馆".to_owned(),
        access: "东门进入，沿主路 200 米".to_owned(),
        capacity: 300,
        contents: vec!["折叠床 300 张".to_owned(), "饮用水".to_owned()],
        step_free: true,
        ..Default::default()
    }
}

async fn created(desk: &mut Desk) -> pb::Shelter {
    let request = desk.officer(pb::CreateShelterRequest {
        parent: SCHOOL.to_owned(),
        shelter: Some(gym()),
        request_id: Uuid::new_v4().to_string(),
    });
    let answer = desk.shelter.create_shelter(request).await;
    answer.expect("created").into_inner()
}

async fn open(desk: &mut Desk, name: &str) -> Result<pb::Shelter, Status> {
    let request = desk.bureau(
        "fz/350102",
        pb::OpenShelterRequest {
            name: name.to_owned(),
            cause: Cause::WeatherLevelI.into(),
            request_id: Uuid::new_v4().to_string(),
        },
    );
    Ok(desk.shelter.open_shelter(request).await?.into_inner())
}

async fn count(desk: &mut Desk, name: &str, people: i32) -> Result<pb::Shelter, Status> {
    let request = desk.officer(pb::ReportShelterOccupancyRequest {
        name: name.to_owned(),
        occupant_count: people,
        request_id: String::new(),
    });
    let answer = desk.shelter.report_shelter_occupancy(request).await?;
    Ok(answer.into_inner())
}

async fn close(desk: &mut Desk, name: &str) -> Result<pb::Shelter, Status> {
    let request = desk.officer(pb::CloseShelterRequest {
        name: name.to_owned(),
        request_id: String::new(),
    });
    Ok(desk.shelter.close_shelter(request).await?.into_inner())
}

async fn retire(desk: &mut Desk, name: &str) -> Result<pb::Shelter, Status> {
    let request = desk.officer(pb::RetireShelterRequest {
        name: name.to_owned(),
        request_id: String::new(),
    });
    Ok(desk.shelter.retire_shelter(request).await?.into_inner())
}

async fn a_shelter_opens_counts_closes_and_retires(world: World) {
    let mut desk = Desk::open(world).await;
    let name = created(&mut desk).await.name;
    let opened = open(&mut desk, &name).await.expect("opened");
    assert_eq!((opened.state(), opened.occupant_count), (State::Open, 0));
    let counted = count(&mut desk, &name, 120).await.expect("counted");
    assert_eq!((counted.occupant_count, counted.history.len()), (120, 2));
    assert_eq!(counted.cause(), Cause::WeatherLevelI);
    let list = pb::ListSheltersRequest {
        parent: "organizations/fz".to_owned(),
        state: State::Open.into(),
        ..Default::default()
    };
    let request = desk.bureau("fz", list);
    let listed = desk.shelter.list_shelters(request).await.expect("listed");
    let unhistoried = pb::Shelter {
        history: Vec::new(),
        ..counted
    };
    assert_eq!(listed.into_inner().shelters, [unhistoried]);
    let closed = close(&mut desk, &name).await.expect("closed");
    assert_eq!((closed.state(), closed.occupant_count), (State::Closed, 0));
    assert_eq!(closed.cause(), Cause::Unspecified);
    let retired = retire(&mut desk, &name).await.expect("retired");
    let history = retired.history.iter();
    let history: Vec<_> = history
        .map(|line| (&*line.step, &*line.to_state, &*line.note))
        .collect();
    let expected = [
        ("CREATE", "CLOSED", ""),
        ("OPEN", "OPEN", "WEATHER_LEVEL_I"),
        ("CLOSE", "CLOSED", ""),
        ("RETIRE", "RETIRED", ""),
    ];
    assert_eq!(history, expected);
}

async fn each_refused_move_is_explained(world: World) {
    let mut desk = Desk::open(world).await;
    let name = created(&mut desk).await.name;
    let refused = |answer: Result<pb::Shelter, Status>, state: &str| {
        let zh = format!("避险场所当前状态为 {state}，不能进行该操作");
        let expected = (Grpc::FailedPrecondition, "SHELTER_STATE".to_owned(), zh);
        assert_eq!(told(&answer.expect_err("refused")), expected);
    };
    refused(count(&mut desk, &name, 1).await, "CLOSED");
    refused(close(&mut desk, &name).await, "CLOSED");
    open(&mut desk, &name).await.expect("opened");
    refused(open(&mut desk, &name).await, "OPEN");
    refused(retire(&mut desk, &name).await, "OPEN");
    close(&mut desk, &name).await.expect("closed");
    retire(&mut desk, &name).await.expect("retired");
    refused(open(&mut desk, &name).await, "RETIRED");
    refused(count(&mut desk, &name, 1).await, "RETIRED");
    refused(close(&mut desk, &name).await, "RETIRED");
    refused(retire(&mut desk, &name).await, "RETIRED");
}

async fn a_lost_update_is_noticed(world: World) {
    let mut desk = Desk::open(world).await;
    let read = created(&mut desk).await;
    let change = |capacity| pb::UpdateShelterRequest {
        shelter: Some(pb::Shelter {
            capacity,
            ..read.clone()
        }),
        request_id: Uuid::new_v4().to_string(),
    };
    let request = desk.officer(change(250));
    let answer = desk.shelter.update_shelter(request).await.expect("updated");
    assert_eq!(answer.into_inner().capacity, 250);
    let request = desk.officer(change(200));
    let status = desk
        .shelter
        .update_shelter(request)
        .await
        .expect_err("lost");
    assert_eq!(
        (told(&status).0, &*told(&status).1),
        (Grpc::Aborted, "ETAG_MISMATCH")
    );
}

async fn a_large_campus_needs_more_isolation_rooms(world: World) {
    let mut desk = Desk::open(world).await;
    let room = |own_toilet| pb::CreateIsolationRoomRequest {
        parent: SCHOOL.to_owned(),
        isolation_room: Some(pb::IsolationRoom {
            display_name: "隔离观察室".to_owned(),
            access: "东门北侧".to_owned(),
            capacity: 2,
            separate: true,
            ventilated: true,
            near_gate: true,
            own_route: true,
            own_toilet,
            ..Default::default()
        }),
        request_id: Uuid::new_v4().to_string(),
    };
    let request = desk.officer(room(true));
    let good = desk.shelter.create_isolation_room(request).await;
    let good = good.expect("created").into_inner();
    let request = desk.officer(room(false));
    let bad = desk.shelter.create_isolation_room(request).await;
    assert!(good.suitable && !bad.expect("created").into_inner().suitable);
    let counted = async |desk: &mut Desk| {
        let request = desk.officer(pb::ListIsolationRoomsRequest {
            parent: SCHOOL.to_owned(),
            ..Default::default()
        });
        let listed = desk.shelter.list_isolation_rooms(request).await;
        let listed = listed.expect("listed").into_inner();
        (
            listed.required_count,
            listed.suitable_count,
            listed.isolation_rooms.len(),
        )
    };
    assert_eq!(counted(&mut desk).await, (1, 1, 2));
    let more = group(SCHOOL_PATH, ("j2020-01", 8), 10_000, 869);
    roster(&desk.world.db, &[more], 2).await;
    assert_eq!(counted(&mut desk).await, (2, 1, 2));
    let retire = || pb::RetireIsolationRoomRequest {
        name: good.name.clone(),
        request_id: Uuid::new_v4().to_string(),
    };
    let request = desk.officer(retire());
    let answer = desk.shelter.retire_isolation_room(request).await;
    answer.expect("retired");
    assert_eq!(counted(&mut desk).await, (2, 0, 2));
    let store = Store::new(desk.world.db.clone());
    let rooms = Store::isolation_rooms(store.database().read(), "2135010001").await;
    assert_eq!(rooms.expect("read").len(), 1);
    let request = desk.officer(retire());
    let status = desk
        .shelter
        .retire_isolation_room(request)
        .await
        .expect_err("twice");
    let zh = "隔离室当前状态为 RETIRED，不能进行该操作".to_owned();
    let expected = (
        Grpc::FailedPrecondition,
        "ISOLATION_ROOM_STATE".to_owned(),
        zh,
    );
    assert_eq!(told(&status), expected);
}

/// An open shelter of a campus for so many people.
async fn opened(desk: &mut Desk, (parent, path): (&str, &str), capacity: i32) -> String {
    let request = pb::CreateShelterRequest {
        parent: parent.to_owned(),
        shelter: Some(pb::Shelter { capacity, ..gym() }),
        request_id: Uuid::new_v4().to_string(),
    };
    let request = desk.officer_at(path, request);
    let created = desk.shelter.create_shelter(request).await.expect("created");
    let name = created.into_inner().name;
    let request = pb::OpenShelterRequest {
        name: name.clone(),
        cause: Cause::WeatherLevelI.into(),
        request_id: Uuid::new_v4().to_string(),
    };
    let request = desk.officer_at(path, request);
    desk.shelter.open_shelter(request).await.expect("opened");
    name
}

/// Rules 5.26 and 5.28.
async fn whoever_has_no_place_finds_one_with_the_mutual_aid_group_first(world: World) {
    let mut desk = Desk::open(world).await;
    let own = opened(&mut desk, (SCHOOL, SCHOOL_PATH), 300).await;
    let sister = opened(&mut desk, (SISTER, SISTER_PATH), 90).await;
    let kindergarten = opened(&mut desk, (KINDERGARTEN, KINDERGARTEN_PATH), 20).await;
    let other = ("organizations/2135010002", crate::city::OTHER_PATH);
    let other = opened(&mut desk, other, 900).await;
    let advised = async |desk: &mut Desk, person_count| {
        let request = desk.officer(pb::PreviewSheltersRequest {
            parent: SCHOOL.to_owned(),
            person_count,
        });
        let advice = desk.shelter.preview_shelters(request).await;
        let advice = advice.expect("advised").into_inner();
        let told = advice.proposals.into_iter();
        let told = told.map(|one| (one.shelter, one.person_count, one.mutual_aid));
        (
            (advice.person_count, advice.unplaced_count),
            told.collect::<Vec<_>>(),
        )
    };
    count(&mut desk, &own, 300).await.expect("counted");
    let nobody = advised(&mut desk, 0).await;
    assert_eq!(nobody, ((0, 0), vec![]), "everybody has a place");
    count(&mut desk, &own, 440).await.expect("counted");
    let expected = vec![
        (sister.clone(), 90, false),
        (kindergarten.clone(), 20, false),
        (other.clone(), 30, false),
    ];
    assert_eq!(advised(&mut desk, 0).await, ((140, 0), expected));
    desk.group([SCHOOL, KINDERGARTEN, crate::city::tree::TRAINING])
        .await;
    let expected = vec![
        (kindergarten, 20, true),
        (sister, 90, false),
        (other, 900, false),
    ];
    assert_eq!(advised(&mut desk, 2000).await, ((2000, 990), expected));
    let bureau = desk.bureau(
        "fz/350102",
        pb::PreviewSheltersRequest {
            parent: "organizations/350102".to_owned(),
            person_count: 1,
        },
    );
    let status = desk.shelter.preview_shelters(bureau).await;
    let status = status.expect_err("a bureau has no campus");
    assert_eq!(told(&status).1, "CAMPUS_REQUIRED");
}
