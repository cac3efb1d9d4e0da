//! A drill from the plan to the archive: everybody is counted by the rolls of the register, and whoever is
//! missing is looked for (rules 5.18 to 5.20).

use kit::field::to_timestamp;
use proto::safety::drill::State;
use proto::safety::drill_obligation::{Kind, State as Owed};
use proto::safety::drill_service_client::DrillServiceClient;
use proto::safety::hazard::Source;
use proto::safety::hazard_service_client::HazardServiceClient;
use proto::safety::record_headcount_request::Count;
use proto::safety::review_drill_request::Problem;
use proto::safety::{
    CreateDrillRequest, Drill, DrillType, GetHazardRequest, HazardCategory,
    ListDrillObligationsRequest, RecordHeadcountRequest, ReviewDrillRequest,
};
use tests::town::{DISTRICT, school};
use tonic::Code;

use super::people::{call, once, organization};
use crate::region::Region;
use crate::verbs::{denied, expect, request_id};

const REFUSED: Code = Code::FailedPrecondition;
/// Posts of the first school: three of the town, two head teachers, two of the region.
const STAFF: i32 = 7;

pub(super) async fn finds_whoever_is_missing(region: &Region) {
    let drill = is_signalled(region).await;
    is_counted(region, &drill).await;
    is_judged_by_another_authority(region, &drill.name).await;
    counts_for_the_month(region).await;
}

/// Planned by the safety officer, approved by the principal, signalled an hour later.
async fn is_signalled(region: &Region) -> Drill {
    region.at(6, 14, 0);
    let request = || CreateDrillRequest {
        parent: organization(1),
        drill: Some(Drill {
            drill_type: DrillType::Fire.into(),
            scenario: "实验楼三层起火".to_owned(),
            leader: region.staff(&school(1), "安全副校长").to_owned(),
            plan_time: Some(to_timestamp(region.later(60))),
            storeys: 4,
            routes: "东楼梯至操场".to_owned(),
            ..Drill::default()
        }),
        request_id: request_id(),
    };
    denied(
        "a guard plans no drill",
        call!(DrillServiceClient, region.guard(), create_drill, request()),
    );
    let planned = call!(DrillServiceClient, region.deputy(), create_drill, request());
    let name = planned.expect("is planned").name;
    let approve = || once!(ApproveDrillRequest, name);
    let own = call!(
        DrillServiceClient,
        region.deputy(),
        approve_drill,
        approve()
    );
    denied("one's own plan", own);
    call!(DrillServiceClient, region.head(), approve_drill, approve()).expect("is approved");
    let announce = once!(AnnounceDrillRequest, name, unannounced: true);
    call!(
        DrillServiceClient,
        region.deputy(),
        announce_drill,
        announce
    )
    .expect("stays secret");
    region.at(6, 15, 0);
    let start = once!(StartDrillRequest, name, signal_time: None);
    let running = call!(DrillServiceClient, region.deputy(), start_drill, start);
    let running = running.expect("is signalled");
    let students = i32::try_from(region.city.town.students).expect("a number");
    let mut expected: Vec<i32> = running
        .groups
        .iter()
        .map(|one| one.expected_count)
        .collect();
    expected.sort_unstable();
    assert_eq!(expected, [students, students, STAFF], "by the rolls");
    assert_eq!(
        running.evacuation_target.map(|target| target.seconds),
        Some(180),
        "by the youngest of its class groups, as the register states no stage"
    );
    running
}

/// One pupil is missing at the assembly point, and is found.
async fn is_counted(region: &Region, drill: &Drill) {
    let name = &*drill.name;
    region.at(6, 15, 2);
    let out = once!(RecordAllOutRequest, name, all_out_time: None);
    let out = call!(DrillServiceClient, region.deputy(), record_all_out, out);
    assert_eq!(
        out.expect("is out").evacuation.map(|span| span.seconds),
        Some(120)
    );
    let lost = region.city.student(1, 1, 3);
    let class = region.city.town.class_group(1, 1);
    let counted = |absent: i32, named: &[&str]| {
        let counts = drill.groups.iter().map(|group| {
            let here = group.group == class;
            let missing = named.iter().filter(|_| here);
            Count {
                group: group.group.clone(),
                present_count: group.expected_count - if here { absent } else { 0 },
                missing: missing.map(|one| (*one).to_owned()).collect(),
            }
        });
        RecordHeadcountRequest {
            name: name.to_owned(),
            counts: counts.collect(),
            request_id: request_id(),
        }
    };
    let mut partial = counted(0, &[]);
    partial.counts.pop();
    let partial = call!(
        DrillServiceClient,
        region.deputy(),
        record_headcount,
        partial
    );
    expect("somebody is left out", partial, REFUSED, "DRILL_HEADCOUNT");
    let unnamed = counted(1, &[]);
    let unnamed = call!(
        DrillServiceClient,
        region.deputy(),
        record_headcount,
        unnamed
    );
    expect(
        "nobody says who",
        unnamed,
        REFUSED,
        "DRILL_HEADCOUNT_NUMBERS",
    );
    let missing = counted(1, &[lost]);
    let missing = call!(
        DrillServiceClient,
        region.deputy(),
        record_headcount,
        missing
    );
    let missing = missing.expect("is counted");
    let present = 2 * i32::try_from(region.city.town.students).expect("a number") + STAFF - 1;
    assert_eq!(
        (missing.present_count, missing.missing_count),
        (Some(present), 1)
    );

    let end = || once!(EndDrillRequest, name, injury_count: 0, plan_changes: String::new(), photos: Vec::new());
    let early = call!(DrillServiceClient, region.deputy(), end_drill, end());
    expect("somebody is missing", early, REFUSED, "DRILL_STILL_MISSING");
    let found = |person: &str| once!(RecordFoundRequest, name, person: person.to_owned());
    let other = found(region.city.student(1, 1, 4));
    let other = call!(DrillServiceClient, region.deputy(), record_found, other);
    expect("nobody misses them", other, REFUSED, "DRILL_NOT_MISSING");
    let found = call!(
        DrillServiceClient,
        region.deputy(),
        record_found,
        found(lost)
    );
    assert_eq!(found.expect("is found").missing_count, 0);
    call!(DrillServiceClient, region.deputy(), end_drill, end()).expect("is over");
}

/// Who led does not judge; the fire brigade does, and what was wrong becomes a hazard.
async fn is_judged_by_another_authority(region: &Region, name: &str) {
    let review = || ReviewDrillRequest {
        name: name.to_owned(),
        score: 86,
        summary: "疏散有序，一名学生滞留教室".to_owned(),
        problems: vec![Problem {
            category: HazardCategory::Crowd.into(),
            place: "building-1/floor-3".to_owned(),
            description: "三楼无人清点教室".to_owned(),
            photos: Vec::new(),
        }],
        request_id: request_id(),
    };
    let leader = call!(DrillServiceClient, region.deputy(), review_drill, review());
    expect("who led it", leader, REFUSED, "DRILL_REVIEWER");
    denied(
        "next door",
        call!(DrillServiceClient, region.sibling(), review_drill, review()),
    );
    let brigade = region.authority("fire-brigade");
    let judged = call!(DrillServiceClient, brigade, review_drill, review());
    let judged = judged.expect("is judged").review.expect("a review");
    let [hazard] = &judged.hazards[..] else {
        panic!("one hazard: {judged:?}");
    };
    let request = GetHazardRequest {
        name: hazard.clone(),
    };
    let hazard = call!(HazardServiceClient, region.guard(), get_hazard, request);
    let hazard = hazard.expect("a hazard");
    assert_eq!((hazard.source(), &*hazard.origin), (Source::Drill, name));
    let archive = once!(ArchiveDrillRequest, name);
    let archived = call!(DrillServiceClient, region.head(), archive_drill, archive);
    let archived = archived.expect("is in the archive");
    assert_eq!((archived.state(), archived.counts), (State::Archived, true));
}

/// The bureau sees who has drilled this month, and who has not.
async fn counts_for_the_month(region: &Region) {
    let request = ListDrillObligationsRequest {
        parent: format!("organizations/{DISTRICT}"),
        ..ListDrillObligationsRequest::default()
    };
    let owed = call!(
        DrillServiceClient,
        region.bureau(),
        list_drill_obligations,
        request
    );
    let owed = owed.expect("listed").drill_obligations;
    let stands = |at: u32| {
        let own = owed
            .iter()
            .find(|one| one.organization == organization(at) && one.kind() == Kind::Evacuation);
        own.map(|one| one.state())
    };
    assert_eq!(
        [1, 2, 3].map(stands),
        [Some(Owed::Done), Some(Owed::Due), Some(Owed::Due)]
    );
}
