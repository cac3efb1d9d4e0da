//! Drills, field by field, both ways.

mod requests;

use chrono::TimeDelta;
use kit::field::{to_date, to_timestamp};
use proto::safety as pb;

pub(in crate::grpc) use super::{child, organization};
use super::{count, history, number, photo};
use crate::app::drills::{Owed, Shown};
use crate::domain::drill::obligation::Obligation;
use crate::domain::drill::{Drill, Ending, Group, Missing, Plan, Review, Riders, Signal};
use crate::store::records::Record;

pub(in crate::grpc) use requests::{
    assessment, counts, day, ending, filter, instant, person, plan, postponed, reason, standing,
};

fn span(length: TimeDelta) -> prost_types::Duration {
    prost_types::Duration {
        seconds: length.num_seconds(),
        nanos: length.subsec_nanos(),
    }
}

/// A drill as callers see it.
pub(in crate::grpc) fn drill(shown: Shown) -> pb::Drill {
    let Shown {
        record,
        evidence,
        history,
    } = shown;
    let (name, counts) = (record.name("drills"), record.value.counts());
    let (missing, evacuation) = (record.value.missing(), record.value.evacuation());
    let slow = record.value.is_slow();
    let Record {
        value: drill,
        id: _,
        organization: _,
        org_path: _,
    } = record;
    let Drill {
        state,
        plan,
        signal,
        all_out,
        groups,
        ending,
        review,
    } = drill;
    let Plan {
        kind,
        scenario,
        leader,
        at,
        storeys,
        routes,
        riders,
    } = plan;
    let Ending {
        injuries,
        plan_changes,
    } = ending;
    let expected = groups.iter().map(|group| group.expected).sum();
    let present: Option<u32> = groups.iter().map(|group| group.present).sum();
    let (signal_time, evacuation_target, policy_version) = match signal {
        Some(Signal {
            at,
            by: _,
            target_seconds,
            policy_version,
        }) => {
            let target = target_seconds.map(|seconds| span(TimeDelta::seconds(seconds)));
            (Some(to_timestamp(at)), target, policy_version)
        }
        None => (None, None, String::new()),
    };
    pb::Drill {
        name,
        state: state as i32,
        drill_type: kind as i32,
        scenario,
        leader,
        plan_time: Some(to_timestamp(at)),
        storeys: number(storeys),
        routes,
        riders: riders.into_iter().map(riders_of).collect(),
        signal_time,
        all_out_time: all_out.map(to_timestamp),
        evacuation: evacuation.map(span),
        evacuation_target,
        policy_version,
        present_count: present.filter(|_| !groups.is_empty()).map(number),
        groups: groups.into_iter().map(group).collect(),
        expected_count: number(expected),
        missing_count: count(missing),
        injury_count: number(injuries),
        plan_changes,
        photos: evidence.into_iter().map(photo::shown).collect(),
        review: review.map(judged),
        counts,
        history: history::history(history),
        slow,
    }
}

fn riders_of(riders: Riders) -> pb::drill::Riders {
    let Riders { class_group, count } = riders;
    pb::drill::Riders {
        class_group,
        rider_count: number(count),
    }
}

fn group(group: Group) -> pb::drill::Group {
    let Group {
        name,
        expected,
        present,
        missing,
    } = group;
    let missing = missing.into_iter().map(|missing| {
        let Missing { person, found } = missing;
        pb::drill::Missing {
            person,
            find_time: found.map(to_timestamp),
        }
    });
    pb::drill::Group {
        group: name,
        expected_count: number(expected),
        present_count: present.map(number),
        missing: missing.collect(),
    }
}

fn judged(review: Review) -> pb::drill::Review {
    let Review {
        reviewer,
        score,
        summary,
        hazards,
        at,
    } = review;
    pb::drill::Review {
        reviewer,
        score: number(score),
        summary,
        hazards,
        review_time: Some(to_timestamp(at)),
    }
}

/// An obligation as callers see it.
pub(in crate::grpc) fn obligation(owed: &Owed) -> pb::DrillObligation {
    let Owed {
        organization,
        obligation,
        done,
        standing,
        policy_version,
    } = owed;
    let Obligation {
        kind,
        period,
        required,
    } = *obligation;
    pb::DrillObligation {
        organization: format!("organizations/{}", organization.id),
        display_name: organization.display_name.clone(),
        kind: kind as i32,
        state: *standing as i32,
        start_date: Some(to_date(period.first)),
        end_date: Some(to_date(period.last)),
        required_count: number(required),
        done_count: number(*done),
        policy_version: policy_version.clone(),
    }
}
