//! Care of pupils who are kept at home: each school day, done in time or seen to be late.

use crate::town;
use crate::town::on_both;
use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_timestamp;
use kit::projection::Projection;
use kit::scratch::Scratch;
use notification::domain::notice::Event;
use notification::store::Store;
use proto::notification as pb;
use proto::notification::care_task::{Kind, State};
use tonic::{Code, Status};

use crate::town::scan::tables_with;
use crate::town::voices::{
    CLASS_PATH, NEXT_CLASS_PATH, Who, calendar, clearance, counsellor, district, parent, principal,
    teacher, until, who,
};
use crate::town::world::{World, reason};
use crate::town::{OTHER, SCHOOL, SCHOOL_PATH, morning, staff, student};

on_both!(
    each_pupil_has_three_tasks_a_school_day,
    a_task_is_done_in_time_or_late_and_everybody_sees_it,
    what_is_not_done_is_told_once_with_two_replicas,
    whoever_is_free_again_has_nothing_left_to_do,
    there_are_no_tasks_on_other_days,
    tasks_are_seen_by_those_who_look_after_the_pupil,
    why_a_pupil_is_at_home_is_not_kept,
    who_a_snapshot_does_not_mention_is_free,
);

impl World {
    async fn tasks(
        &self,
        who: &Who,
        ask: pb::ListCareTasksRequest,
    ) -> Result<Vec<pb::CareTask>, Status> {
        let parent = if ask.parent.is_empty() {
            SCHOOL.to_owned()
        } else {
            ask.parent.clone()
        };
        let ask = pb::ListCareTasksRequest { parent, ..ask };
        let listed = self.support().list_care_tasks(who.asks(ask)).await?;
        Ok(listed.into_inner().care_tasks)
    }

    async fn all(&self) -> Vec<pb::CareTask> {
        let tasks = self
            .tasks(&principal(), pb::ListCareTasksRequest::default())
            .await;
        tasks.expect("listed")
    }

    /// Waits until there are so many tasks.
    async fn planned(&self, count: usize) -> Vec<pb::CareTask> {
        until(async || {
            let tasks = self.all().await;
            (tasks.len() == count).then_some(tasks)
        })
        .await
    }

    async fn complete(&self, who: &Who, name: &str) -> Result<pb::CareTask, Status> {
        let ask = pb::CompleteCareTaskRequest {
            name: name.to_owned(),
            request_id: town::officers::once(),
        };
        let done = self.support().complete_care_task(who.asks(ask)).await?;
        Ok(done.into_inner())
    }

    fn set(&self, time: &str) {
        self.clock.set(time.parse().expect("an instant"));
    }

    /// Waits until nothing that is due was left undone.
    async fn settled(&self) {
        until(async || {
            let now = self.clock.now();
            let overdue = Store::is_task_overdue(self.db.read(), now)
                .await
                .expect("read");
            let today = self.clock.today();
            let unplanned = Store::is_unplanned(self.db.read(), today)
                .await
                .expect("read");
            (!overdue && !unplanned).then_some(())
        })
        .await;
    }
}

fn of(tasks: &[pb::CareTask], kind: Kind) -> &pb::CareTask {
    let found = tasks.iter().find(|task| task.kind() == kind);
    found.expect("a task of the kind")
}

fn at(time: &str) -> Option<prost_types::Timestamp> {
    let time: DateTime<Utc> = time.parse().expect("an instant");
    Some(to_timestamp(time))
}

async fn each_pupil_has_three_tasks_a_school_day(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let since = Some(morning() - Duration::days(3));
    world
        .hear_clearance(&[clearance(1, 1, since), clearance(4, 1, since)], 1)
        .await;
    let tasks = world.planned(6).await;
    for (number, class_group) in [(1, "p2019-01"), (4, "p2019-02")] {
        let own: Vec<_> = tasks
            .iter()
            .filter(|task| task.student == student(number))
            .cloned()
            .collect();
        let kinds: BTreeSet<i32> = own.iter().map(|task| task.kind).collect();
        assert_eq!(kinds, BTreeSet::from([1, 2, 3]));
        for task in &own {
            assert_eq!(
                task.class_group,
                format!("{SCHOOL}/classGroups/{class_group}")
            );
            assert_eq!((task.state(), task.late), (State::Due, false));
        }
        assert_eq!(of(&own, Kind::Lessons).due_time, at("2022-04-06T10:00:00Z"));
        assert_eq!(of(&own, Kind::Call).due_time, at("2022-04-06T12:00:00Z"));
    }
    let notices = world.notices().await;
    assert!(notices.iter().all(|one| one.event == Event::CareDue));
    assert!(notices.iter().all(|one| one.party.name() == staff(1)));
    let told: usize = notices.iter().map(|one| one.bases.len()).sum();
    assert_eq!(
        (notices.len(), told),
        (4, 6),
        "a message for a class group and a deadline"
    );
    world.set("2022-04-07T01:30:00Z");
    world.planned(12).await;
}

async fn a_task_is_done_in_time_or_late_and_everybody_sees_it(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    world
        .hear_clearance(&[clearance(1, 1, Some(morning()))], 1)
        .await;
    let tasks = world.planned(3).await;
    let lessons = of(&tasks, Kind::Lessons);
    let done = world
        .complete(&teacher(), &lessons.name)
        .await
        .expect("done");
    assert_eq!(
        (
            done.state(),
            done.late,
            &*done.completer,
            done.complete_time
        ),
        (
            State::Done,
            false,
            teacher().subject,
            Some(to_timestamp(morning()))
        )
    );
    let again = world
        .complete(&teacher(), &lessons.name)
        .await
        .expect_err("refused");
    assert_eq!(reason(&again), "CARE_TASK_STATE");
    world.set("2022-04-06T12:00:01Z");
    let call = of(&tasks, Kind::Call);
    let seen = world.all().await;
    let overdue: Vec<_> = seen.iter().map(|task| (task.state(), task.late)).collect();
    assert_eq!(
        overdue,
        [
            (State::Done, false),
            (State::Overdue, true),
            (State::Overdue, true)
        ]
    );
    let done = world
        .complete(&counsellor(), &call.name)
        .await
        .expect("done");
    assert_eq!((done.state(), done.late), (State::Done, true));
}

async fn what_is_not_done_is_told_once_with_two_replicas(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let other = world.replica().await;
    let since = Some(morning());
    let told: Vec<_> = [1, 2, 3].map(|number| clearance(number, 1, since)).into();
    world.hear_clearance(&told, 1).await;
    world.planned(9).await;
    world.set("2022-04-06T12:00:01Z");
    world.settled().await;
    let mut counted = std::collections::BTreeMap::new();
    for message in world.notices().await {
        *counted.entry(message.event).or_insert(0) += message.bases.len();
    }
    assert_eq!(
        counted.into_iter().collect::<Vec<_>>(),
        [(Event::CareDue, 9), (Event::CareOverdue, 9)]
    );
    assert_eq!(world.all().await.len(), 9);
    let overdue = pb::ListCareTasksRequest {
        state: State::Overdue.into(),
        ..Default::default()
    };
    assert_eq!(
        world
            .tasks(&principal(), overdue)
            .await
            .expect("listed")
            .len(),
        9
    );
    assert_eq!(world.notices().await, []);
    other.stop().await.expect("stopped");
}

async fn whoever_is_free_again_has_nothing_left_to_do(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    world
        .hear_clearance(&[clearance(1, 1, Some(morning()))], 1)
        .await;
    let tasks = world.planned(3).await;
    world
        .complete(&teacher(), &of(&tasks, Kind::Lessons).name)
        .await
        .expect("done");
    world.hear_clearance(&[clearance(1, 2, None)], 1).await;
    // An older word is not believed.
    world
        .hear_clearance(&[clearance(1, 1, Some(morning()))], 1)
        .await;
    let states =
        async || -> Vec<State> { world.all().await.iter().map(pb::CareTask::state).collect() };
    assert_eq!(
        states().await,
        [State::Done, State::Dropped, State::Dropped]
    );
    let dropped = world
        .complete(&teacher(), &of(&tasks, Kind::Call).name)
        .await;
    assert_eq!(reason(&dropped.expect_err("refused")), "CARE_TASK_STATE");
    world.set("2022-04-07T01:30:00Z");
    world
        .hear_clearance(&[clearance(2, 1, Some(morning()))], 1)
        .await;
    world.planned(6).await;
    assert!(
        world.all().await[3..]
            .iter()
            .all(|task| task.student == student(2))
    );
}

async fn there_are_no_tasks_on_other_days(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    town::roster(&world.db, &[calendar(2022, 4, 7)], 1).await;
    world.set("2022-04-07T01:30:00Z");
    world
        .hear_clearance(&[clearance(1, 1, Some(morning()))], 1)
        .await;
    world.set("2022-04-08T01:30:00Z");
    let tasks = world.planned(3).await;
    let friday = Some(proto::Date {
        year: 2022,
        month: 4,
        day: 8,
    });
    assert!(tasks.iter().all(|task| task.day == friday));
    // Whoever is kept at home in the evening has missed nothing by then.
    world.set("2022-04-08T11:00:00Z");
    world
        .hear_clearance(
            &[clearance(
                2,
                1,
                Some("2022-04-08T11:00:00Z".parse().expect("an instant")),
            )],
            1,
        )
        .await;
    let tasks = world.planned(5).await;
    let kinds: BTreeSet<i32> = tasks
        .iter()
        .filter(|task| task.student == student(2))
        .map(|task| task.kind)
        .collect();
    assert_eq!(
        kinds,
        BTreeSet::from([Kind::Exercise as i32, Kind::Call as i32])
    );
}

async fn tasks_are_seen_by_those_who_look_after_the_pupil(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let since = Some(morning());
    world
        .hear_clearance(&[clearance(1, 1, since), clearance(4, 1, since)], 1)
        .await;
    let tasks = world.planned(6).await;
    let own = world
        .tasks(&teacher(), pb::ListCareTasksRequest::default())
        .await;
    let own = own.expect("listed");
    assert_eq!(own.len(), 3);
    assert!(own.iter().all(|task| task.student == student(1)));
    let of_class = |path: &str| pb::ListCareTasksRequest {
        class_group: format!(
            "{SCHOOL}/classGroups/{}",
            path.rsplit('/').next().unwrap_or_default()
        ),
        ..Default::default()
    };
    assert_eq!(
        world
            .tasks(&principal(), of_class(NEXT_CLASS_PATH))
            .await
            .expect("listed")
            .len(),
        3
    );
    let next = world
        .tasks(&teacher(), of_class(NEXT_CLASS_PATH))
        .await
        .expect_err("refused");
    assert_eq!(next.code(), Code::PermissionDenied);
    let foreign = tasks
        .iter()
        .find(|task| task.student == student(4))
        .expect("a task");
    let nowhere = format!("{SCHOOL}/careTasks/00000000-0000-7000-8000-000000000000");
    for name in [&foreign.name, &nowhere] {
        let refused = world.complete(&teacher(), name).await.expect_err("refused");
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
    let absent = world
        .complete(&principal(), &nowhere)
        .await
        .expect_err("refused");
    assert_eq!(absent.code(), Code::NotFound);
    let elsewhere = pb::ListCareTasksRequest {
        parent: OTHER.to_owned(),
        ..Default::default()
    };
    let elsewhere = world
        .tasks(&principal(), elsewhere)
        .await
        .expect_err("refused");
    assert_eq!(elsewhere.code(), Code::PermissionDenied);
    let guard = who("sub-guard-1", Role::Guard, SCHOOL_PATH, None);
    for refused in [parent(), district(), guard] {
        let listed = world
            .tasks(&refused, pb::ListCareTasksRequest::default())
            .await;
        assert_eq!(listed.expect_err("refused").code(), Code::PermissionDenied);
        let done = world
            .complete(&refused, &foreign.name)
            .await
            .expect_err("refused");
        assert_eq!(done.code(), Code::PermissionDenied);
    }
    let mut ask = pb::ListCareTasksRequest {
        parent: SCHOOL.to_owned(),
        page_size: 4,
        ..Default::default()
    };
    let first = world
        .support()
        .list_care_tasks(principal().asks(ask.clone()))
        .await;
    let first = first.expect("listed").into_inner();
    ask.page_token = first.next_page_token;
    let second = world.support().list_care_tasks(principal().asks(ask)).await;
    let second = second.expect("listed").into_inner();
    let both: Vec<_> = first
        .care_tasks
        .into_iter()
        .chain(second.care_tasks)
        .collect();
    assert_eq!((both, second.next_page_token), (tasks, String::new()));
}

async fn why_a_pupil_is_at_home_is_not_kept(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    world
        .hear_clearance(&[clearance(1, 1, Some(morning()))], 1)
        .await;
    world.planned(3).await;
    for reason in ["cases/K7", "1.24", "CLOSE_CONTACT"] {
        assert_eq!(tables_with(&world.db, reason).await, Vec::<String>::new());
    }
    assert!(CLASS_PATH.starts_with(SCHOOL_PATH));
}

async fn who_a_snapshot_does_not_mention_is_free(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let since = Some(morning());
    world
        .hear_clearance(&[clearance(1, 5, since), clearance(2, 5, since)], 1)
        .await;
    world.planned(6).await;
    world.hear_clearance(&[clearance(2, 1, since)], 2).await;
    let tx = world.db.begin().await.expect("a transaction");
    world.clearances().sweep(&tx, 2).await.expect("swept");
    tx.commit().await.expect("committed");
    for task in world.all().await {
        let expected = if task.student == student(1) {
            State::Dropped
        } else {
            State::Due
        };
        assert_eq!(task.state(), expected);
    }
}
