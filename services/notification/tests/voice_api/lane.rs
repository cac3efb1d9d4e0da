//! The lane of a case of support: every state and every verb (rule 5.42), and cases of before.

use chrono::{DateTime, Duration, Utc};
use kit::db::{Database, statement};
use kit::field::to_timestamp;
use kit::scratch::Scratch;
use notification::Migrator;
use notification::store::Store;
use proto::notification as pb;
use proto::notification::support_case::{CloseReason, Grade, State};
use proto::notification::support_entry::Event;
use sea_orm::ConnectionTrait;
use sea_orm_migration::sea_query::DynIden;
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use uuid::Uuid;

use crate::town::counsellors::{Walk, case};
use crate::town::voices::counsellor;
use crate::town::world::{World, reason};
use crate::town::{SCHOOL, family, morning, on_both, staff, student};

on_both!(
    a_case_is_kept_from_its_opening_to_its_end,
    every_illegal_move_of_a_case_is_refused_and_leaves_it_as_it_was,
    a_member_of_staff_is_referred_without_telling_the_family,
    cases_of_before_stand_in_the_lane_by_what_happened_in_them,
);

fn due(time: DateTime<Utc>) -> Option<prost_types::Timestamp> {
    Some(to_timestamp(time))
}

async fn a_case_is_kept_from_its_opening_to_its_end(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let opened = world.opened(Grade::Red).await;
    let name = &opened.name;
    let stands = (opened.state(), opened.grade(), &*opened.counsellor);
    assert_eq!(
        (stands, opened.late),
        ((State::Screened, Grade::Red, counsellor().subject), false)
    );
    let day = |days: i64, hours: i64| due(morning() + Duration::hours(24 * days + hours));
    assert_eq!(opened.contact_due_time, day(1, 0));
    world.clock.advance(Duration::hours(25));
    let contacted = world.contact(&counsellor(), name).await.expect("contacted");
    assert!(contacted.late, "late is never taken back");
    assert_eq!(
        contacted.contact_due_time,
        day(1, 0),
        "still to be assessed"
    );
    let assessed = world.walked(name, &[Walk::Grade(Grade::Orange)]).await;
    assert_eq!(
        (assessed.state(), assessed.contact_due_time),
        (State::Assessed, day(8, 1))
    );
    let early = world.refer(&counsellor(), name).await.expect_err("refused");
    assert_eq!(reason(&early), "SUPPORT_CASE_GUARDIAN");
    let referred = world.walked(name, &[Walk::Inform, Walk::Refer]).await;
    assert_eq!(referred.state(), State::Referred);
    assert_eq!(
        (referred.inform_time, referred.refer_time),
        (day(1, 1), day(1, 1))
    );
    world.clock.advance(Duration::days(7));
    let followed = world.walked(name, &[Walk::FollowUp]).await;
    assert_eq!(followed.contact_due_time, day(15, 1));
    for reason_given in [CloseReason::Recovered, CloseReason::NotNeeded] {
        let refused = world.close(&counsellor(), name, reason_given).await;
        let expected = match reason_given {
            CloseReason::Recovered => "SUPPORT_CASE_GRADE",
            _ => "SUPPORT_CASE_STATE",
        };
        assert_eq!(reason(&refused.expect_err("refused")), expected);
    }
    let end = [
        Walk::Grade(Grade::Blue),
        Walk::Close(CloseReason::Recovered),
    ];
    let closed = world.walked(name, &end).await;
    assert_eq!(
        (
            closed.state(),
            closed.close_reason(),
            closed.contact_due_time
        ),
        (State::Closed, CloseReason::Recovered, None)
    );
    assert_eq!(closed.close_time, day(8, 1));
    let events: Vec<Event> = closed.entries.iter().map(pb::SupportEntry::event).collect();
    use Event::{Closed, Contacted, Followed, Graded, Informed, Opened, Referred};
    let expected = [
        Opened, Contacted, Graded, Informed, Referred, Followed, Graded, Closed,
    ];
    assert_eq!(events, expected);
    assert_eq!(closed.entries[1].note, "已面谈");
    assert_eq!(world.read(&counsellor(), name).await.expect("read"), closed);
    let again = world.walked(name, &[Walk::Reopen(Grade::Yellow)]).await;
    assert_eq!(
        (
            again.state(),
            again.grade(),
            again.close_reason(),
            again.close_time,
            again.reopen_count
        ),
        (
            State::Screened,
            Grade::Yellow,
            CloseReason::Unspecified,
            None,
            1
        )
    );
    assert_eq!(again.contact_due_time, day(22, 1));
    // The guardian hears of it from a person.
    for party in [student(1), family(1)] {
        assert_eq!(world.mail(&party, "told").await, []);
    }
}

/// The way of a pupil's case to each state.
fn ways() -> [(State, &'static [Walk]); 7] {
    const ASSESS: Walk = Walk::Grade(Grade::Blue);
    [
        (State::Screened, &[]),
        (State::Assessed, &[ASSESS]),
        (State::Supported, &[ASSESS, Walk::Support]),
        (State::GuardianInformed, &[ASSESS, Walk::Inform]),
        (State::Referred, &[ASSESS, Walk::Inform, Walk::Refer]),
        (State::FollowUp, &[ASSESS, Walk::Support, Walk::FollowUp]),
        (State::Closed, &[Walk::Close(CloseReason::Left)]),
    ]
}

/// Every verb, with the states from which a pupil's case takes it; a state stands for the one it leads to.
pub(crate) fn verbs() -> [(Walk, [Option<State>; 7]); 10] {
    use State::{Assessed, Closed, FollowUp, GuardianInformed, Referred, Screened, Supported};
    let to = Some;
    // From SCREENED, ASSESSED, SUPPORTED, GUARDIAN_INFORMED, REFERRED, FOLLOW_UP and CLOSED.
    let open = |screened| {
        let same = [Assessed, Supported, GuardianInformed, Referred, FollowUp].map(Some);
        let [a, s, g, r, f] = same;
        [Some(screened), a, s, g, r, f, None]
    };
    let left = [
        to(Closed),
        to(Closed),
        to(Closed),
        to(Closed),
        to(Closed),
        to(Closed),
        None,
    ];
    [
        (Walk::Grade(Grade::Blue), open(Assessed)),
        (Walk::Contact, open(Screened)),
        (
            Walk::Support,
            [
                None,
                to(Supported),
                None,
                to(Supported),
                None,
                to(Supported),
                None,
            ],
        ),
        (
            Walk::Inform,
            [
                None,
                to(GuardianInformed),
                to(GuardianInformed),
                None,
                None,
                to(GuardianInformed),
                None,
            ],
        ),
        (
            Walk::Refer,
            [None, None, None, to(Referred), None, None, None],
        ),
        (
            Walk::FollowUp,
            [None, None, to(FollowUp), None, to(FollowUp), None, None],
        ),
        (
            Walk::Close(CloseReason::Recovered),
            [None, None, None, None, None, to(Closed), None],
        ),
        (
            Walk::Close(CloseReason::NotNeeded),
            [None, to(Closed), None, None, None, None, None],
        ),
        (Walk::Close(CloseReason::Left), left),
        (
            Walk::Reopen(Grade::Blue),
            [None, None, None, None, None, None, to(Screened)],
        ),
    ]
}

async fn every_illegal_move_of_a_case_is_refused_and_leaves_it_as_it_was(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    for (number, (state, way)) in ways().into_iter().enumerate() {
        for (verb, legal) in verbs() {
            let name = world.opened(Grade::Blue).await.name;
            world.walked(&name, way).await;
            let before = world.read(&counsellor(), &name).await.expect("read");
            assert_eq!(before.state(), state);
            let moved = world.walk(&counsellor(), &name, verb).await;
            if let Some(to) = legal[number] {
                let moved = moved.unwrap_or_else(|refused| panic!("{state:?} {verb:?}: {refused}"));
                assert_eq!(moved.state(), to, "{state:?} {verb:?}");
                continue;
            }
            let refused = moved.expect_err("an illegal move");
            let untold = matches!(verb, Walk::Refer)
                && matches!(state, State::Assessed | State::Supported | State::FollowUp);
            let expected = if untold {
                "SUPPORT_CASE_GUARDIAN"
            } else {
                "SUPPORT_CASE_STATE"
            };
            assert_eq!(reason(&refused), expected, "{state:?} {verb:?}");
            let after = world.read(&counsellor(), &name).await.expect("read");
            assert_eq!(after, before, "{state:?} {verb:?}");
        }
    }
}

async fn a_member_of_staff_is_referred_without_telling_the_family(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let told = pb::SupportCase {
        person: staff(3),
        ..case(Grade::Yellow)
    };
    let opened = world.open_case(&counsellor(), SCHOOL, told).await;
    let name = opened.expect("opened").name;
    let walk = [Walk::Grade(Grade::Orange), Walk::Refer];
    let referred = world.walked(&name, &walk).await;
    assert_eq!(
        (referred.state(), referred.inform_time),
        (State::Referred, None)
    );
}

/// The schema before cases had a lane: 1 was every open one, 2 every ended one.
struct Before;

#[async_trait::async_trait]
impl MigratorTrait for Before {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = Migrator::migrations();
        migrations.retain(|migration| migration.name() < "m20261126_000019");
        migrations
    }

    fn migration_table_name() -> DynIden {
        Migrator::migration_table_name()
    }
}

/// Writes a case as the version before did: its state, and the events in it, an hour after each other.
async fn written_before(db: &Database, number: u128, state: i16, events: &[i16]) {
    let tx = db.begin().await.expect("a transaction");
    let id = Uuid::from_u128(number);
    let insert = statement(
        &tx,
        "INSERT INTO support_cases (id, organization, org_path, state, grade, concern, create_at, \
         contact_due_at, late, counsellor, counsellor_person, remind_at, entry_count, words) \
         VALUES ($1, '2135010001', 'fz/350102/2135010001', $2, 2, $3, $4, $5, FALSE, 'c-1', '', $5, \
         $6, $7)",
        [
            id.into(),
            state.into(),
            Uuid::nil().into(),
            hour(0).into(),
            hour(24).into(),
            i32::try_from(events.len()).expect("a count").into(),
            vec![0_u8].into(),
        ],
    );
    tx.execute_raw(insert).await.expect("written");
    for (sequence, event) in (1_i32..).zip(events) {
        let insert = statement(
            &tx,
            "INSERT INTO support_entries (support_case, sequence, event, time_at, subject, words) \
             VALUES ($1, $2, $3, $4, 'c-1', $5)",
            [
                id.into(),
                sequence.into(),
                (*event).into(),
                hour(i64::from(sequence)).into(),
                vec![0_u8].into(),
            ],
        );
        tx.execute_raw(insert).await.expect("written");
    }
    tx.commit().await.expect("committed");
}

fn hour(hours: i64) -> i64 {
    (morning() + Duration::hours(hours)).timestamp_millis()
}

async fn cases_of_before_stand_in_the_lane_by_what_happened_in_them(scratch: Scratch) {
    let before = scratch.open::<Before>().await;
    // Opened, graded, contacted, referred, ended are 1 to 5.
    let cases: [(i16, &[i16], State, i64, i64); 6] = [
        (1, &[1], State::Screened, 0, 0),
        (1, &[1, 2], State::Assessed, 0, 0),
        (1, &[1, 2, 3, 2], State::Supported, 0, 0),
        (1, &[1, 4, 3], State::Referred, hour(2), 0),
        (2, &[1, 3, 5], State::Closed, 0, hour(3)),
        (2, &[1, 4, 5], State::Closed, hour(2), hour(3)),
    ];
    for (number, (state, events, ..)) in (1..).zip(cases) {
        written_before(&before, number, state, events).await;
    }
    before.close().await;
    let after = scratch.open::<Migrator>().await;
    let sql = "SELECT state, referred_at, closed_at, close_reason, contact_due_at FROM support_cases \
               ORDER BY id";
    let rows = after.read().query_all_raw(statement(after.read(), sql, []));
    let rows = rows.await.expect("read");
    assert_eq!(rows.len(), cases.len());
    for (row, (_, events, state, referred, closed)) in rows.iter().zip(cases) {
        let number: i16 = row.try_get_by_index(0).expect("a state");
        let times: [i64; 2] = [1, 2].map(|index| row.try_get_by_index(index).expect("a time"));
        let reason: i16 = row.try_get_by_index(3).expect("a reason");
        let due: i64 = row.try_get_by_index(4).expect("a time");
        let found = (i32::from(number), times, reason, due);
        let expected = (state as i32, [referred, closed], 0, hour(24));
        assert_eq!(found, expected, "{events:?}");
    }
    // The clock of those that are not ended goes on.
    let late = Store::cases_waited(after.read(), morning() + Duration::days(2), 10).await;
    assert_eq!(late.expect("read").len(), 4);
    after.close().await;
}
