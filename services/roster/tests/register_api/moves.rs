//! Students who come, move and leave: the rolls change exactly as the commands did.
#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use crate::desk;
use crate::desk::desk_suite;
use std::collections::{BTreeMap, BTreeSet};

use crate::desk::Desk;
use crate::people::{
    FUQING_THIRD, Follower, REQUEST, THIRD, THIRD_TWO, day, enrol, enrolment, invalid, plant,
    refusal, refused, resident, today, told, transfer, update, withdraw,
};
use proto::roster::Student;
use proto::roster::student::State;
use proto::roster::student_service_client::StudentServiceClient;
use tonic::Code;

type Client = StudentServiceClient<desk::Door>;

fn officer(desk: &Desk) -> Client {
    StudentServiceClient::new(desk.officer())
}

async fn a_number_belongs_to_one_person_on_a_roll(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let id_number = resident("20120901", 1);
    let first = enrol(&desk, THIRD, &id_number).await;
    let other = enrol(&desk, FUQING_THIRD, &resident("20120902", 1)).await;
    let registered = || refused(Code::FailedPrecondition, "PERSON_REGISTERED");
    let mut second = enrolment(FUQING_THIRD, "林小雨");
    if let Some(student) = &mut second.student {
        student.id_number = id_number.clone();
    }
    let refused_now = client.create_student(second.clone()).await.unwrap_err();
    assert_eq!(refusal(refused_now), registered());
    let same = Student {
        name: other.name,
        id_number,
        ..Student::default()
    };
    let same = client.update_student(update(same, &[])).await.unwrap_err();
    assert_eq!(refusal(same), registered());
    let left = client
        .withdraw_student(withdraw(&first.name, today()))
        .await;
    left.unwrap();
    client.create_student(second).await.unwrap();
}

async fn a_transfer_changes_both_rolls_once(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let stays = enrol(&desk, THIRD, "").await;
    let before = client.create_student(told()).await.unwrap().into_inner();
    let mut follower = Follower::of(&desk).await;
    let mut request = transfer(&before.name, FUQING_THIRD, today());
    request.request_id = REQUEST.to_owned();
    let after = client.transfer_student(request.clone()).await;
    let after = after.unwrap().into_inner();
    let expected = Student {
        class_group: FUQING_THIRD.to_owned(),
        start_date: today(),
        boarder: false,
        dormitory: String::new(),
        etag: "\"2\"".to_owned(),
        update_time: after.update_time,
        ..before.clone()
    };
    assert_eq!(after, expected);
    let again = client.transfer_student(request).await.unwrap();
    assert_eq!(again.into_inner(), after);
    // A change after the repeat: the repeat itself announced nothing.
    let marker = enrol(&desk, THIRD_TWO, "").await;
    let rolls = [
        follower.members().await,
        follower.members().await,
        follower.members().await,
    ];
    let expected = [
        (THIRD.to_owned(), 4, vec![stays.name]),
        (FUQING_THIRD.to_owned(), 2, vec![before.name]),
        (THIRD_TWO.to_owned(), 2, vec![marker.name]),
    ];
    assert_eq!(rolls, expected);
}

async fn impossible_moves_are_refused(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let name = enrol(&desk, THIRD, "").await.name;
    let (early, late) = (day(2021, 8, 31), day(2022, 4, 8));
    for (request, field) in [
        (transfer(&name, THIRD, today()), "destination_class_group"),
        (
            transfer(&name, "organizations/a", today()),
            "destination_class_group",
        ),
        (transfer(&name, THIRD_TWO, early), "effective_date"),
        (transfer(&name, THIRD_TWO, late), "effective_date"),
        (transfer(&name, THIRD_TWO, None), "effective_date"),
    ] {
        let wrong = client.transfer_student(request).await.unwrap_err();
        assert_eq!(refusal(wrong), invalid(&[field]));
    }
    let nowhere = "organizations/2135010001/classGroups/p2020-77";
    let wrong = client.transfer_student(transfer(&name, nowhere, today()));
    let expected = refused(Code::NotFound, "NOT_FOUND");
    assert_eq!(refusal(wrong.await.unwrap_err()), expected);
    for date in [early, late, None] {
        let wrong = client.withdraw_student(withdraw(&name, date)).await;
        assert_eq!(refusal(wrong.unwrap_err()), invalid(&["end_date"]));
    }
}

async fn whoever_left_is_on_no_roll_and_moves_no_more(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let before = enrol(&desk, THIRD, "").await;
    let mut follower = Follower::of(&desk).await;
    let after = client
        .withdraw_student(withdraw(&before.name, today()))
        .await;
    let after = after.unwrap().into_inner();
    let expected = Student {
        state: State::Withdrawn.into(),
        end_date: today(),
        etag: "\"2\"".to_owned(),
        update_time: after.update_time,
        ..before.clone()
    };
    assert_eq!(after, expected);
    assert_eq!(follower.members().await, (THIRD.to_owned(), 3, vec![]));
    let gone = || refused(Code::FailedPrecondition, "STUDENT_NOT_ENROLLED");
    let name = &before.name;
    let again = client.withdraw_student(withdraw(name, today())).await;
    assert_eq!(refusal(again.unwrap_err()), gone());
    let moved = client.transfer_student(transfer(name, THIRD_TWO, today()));
    assert_eq!(refusal(moved.await.unwrap_err()), gone());
    let renamed = Student {
        name: name.clone(),
        display_name: "林大雨".to_owned(),
        ..Student::default()
    };
    let renamed = client.update_student(update(renamed, &[])).await;
    assert_eq!(refusal(renamed.unwrap_err()), gone());
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

async fn every_roll_is_what_the_commands_made_of_it(desk: Desk) {
    plant(&desk).await;
    let mut client = officer(&desk);
    let mut follower = Follower::of(&desk).await;
    let groups = [THIRD, THIRD_TWO, FUQING_THIRD];
    let mut rolls = BTreeMap::from(groups.map(|group| (group, (1, BTreeSet::new()))));
    let mut everybody: Vec<(String, Option<usize>)> = Vec::new();
    let mut dice = Dice(20_220_407);
    for step in 0..60 {
        let to = dice.throw(groups.len());
        let place = dice.throw(everybody.len().max(1));
        let verb = if step < 6 { 0 } else { dice.throw(4) };
        let mut changed = BTreeSet::new();
        if verb == 0 {
            let name = enrol(&desk, groups[to], "").await.name;
            everybody.push((name, Some(to)));
            changed.insert(to);
        } else {
            let (name, at) = &mut everybody[place];
            let status = match verb {
                1 => {
                    client
                        .transfer_student(transfer(name, groups[to], today()))
                        .await
                }
                2 => client.withdraw_student(withdraw(name, today())).await,
                _ => {
                    let renamed = Student {
                        name: name.clone(),
                        display_name: format!("第{step}步"),
                        ..Student::default()
                    };
                    client.update_student(update(renamed, &[])).await
                }
            };
            let legal = at.is_some() && (verb != 1 || *at != Some(to));
            assert_eq!(status.is_ok(), legal, "step {step}");
            if legal {
                changed.extend(*at);
                match verb {
                    1 => *at = Some(to),
                    2 => *at = None,
                    _ => {}
                }
                changed.extend(*at);
            }
        }
        for place in changed {
            let group = groups[place];
            let on_roll = everybody.iter().filter(|(_, at)| *at == Some(place));
            let (version, roll) = rolls.get_mut(group).unwrap();
            *version += 1;
            *roll = on_roll.map(|(name, _)| name.clone()).collect();
            let expected = (group.to_owned(), *version, roll.iter().cloned().collect());
            assert_eq!(follower.members().await, expected, "step {step}");
        }
    }
    assert!(everybody.iter().any(|(_, at)| at.is_none()));
}

async fn many_at_once_come_to_a_roll_one_by_one(desk: Desk) {
    const MANY: usize = 12;
    plant(&desk).await;
    let mut follower = Follower::of(&desk).await;
    let enrolments = (0..MANY).map(|_| {
        let mut client = officer(&desk);
        async move { client.create_student(enrolment(THIRD, "林小雨")).await }
    });
    let made = futures_util::future::join_all(enrolments).await;
    let names: BTreeSet<String> = made
        .into_iter()
        .map(|student| student.unwrap().into_inner().name)
        .collect();
    for count in 1..=MANY {
        let (_, version, members) = follower.members().await;
        let expected = (i64::try_from(count).unwrap() + 1, count);
        assert_eq!((version, members.len()), expected);
        assert!(members.iter().all(|member| names.contains(member)));
    }
}

desk_suite!(
    a_number_belongs_to_one_person_on_a_roll,
    a_transfer_changes_both_rolls_once,
    impossible_moves_are_refused,
    whoever_left_is_on_no_roll_and_moves_no_more,
    every_roll_is_what_the_commands_made_of_it,
    many_at_once_come_to_a_roll_one_by_one,
);
