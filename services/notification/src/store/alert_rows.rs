//! Alerts as rows, both ways.

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};

use super::entity::alert::Model;
use super::unreadable;
use crate::domain::alert::{Alert, State, Step};

#[derive(Serialize, Deserialize)]
struct StepBody {
    subject: String,
    time: DateTime<Utc>,
    comment: String,
}

fn pack(step: Option<Step>) -> Option<String> {
    let Step {
        subject,
        time,
        comment,
    } = step?;
    serde_json::to_string(&StepBody {
        subject,
        time,
        comment,
    })
    .ok()
}

fn unpack(step: Option<String>) -> Result<Option<Step>, DbErr> {
    let Some(step) = step else { return Ok(None) };
    let StepBody {
        subject,
        time,
        comment,
    } = serde_json::from_str(&step).map_err(|_| unreadable("step"))?;
    Ok(Some(Step {
        subject,
        time,
        comment,
    }))
}

/// The row of an alert.
pub(super) fn model(alert: Alert) -> Model {
    let Alert {
        organization,
        id,
        org_path,
        state,
        escalated,
        basis,
        episode,
        stands,
        subjects,
        people,
        owner,
        occurred,
        raised,
        due,
        acknowledged,
        taken,
        resolved,
        sequence,
        revision,
    } = alert;
    Model {
        id,
        organization,
        org_path,
        state: state as i16,
        escalated,
        basis,
        episode,
        stands,
        subjects: serde_json::to_string(&subjects).unwrap_or_default(),
        people,
        owner,
        occur_time: occurred,
        raise_time: raised,
        due_time: due,
        due_at: due.timestamp_millis(),
        acknowledged: pack(acknowledged),
        taken: pack(taken),
        resolved: pack(resolved),
        sequence,
        revision,
    }
}

impl TryFrom<Model> for Alert {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        let state = State::ALL
            .into_iter()
            .find(|state| *state as i16 == row.state);
        Ok(Self {
            organization: row.organization,
            id: row.id,
            org_path: row.org_path,
            state: state.ok_or_else(|| unreadable("state"))?,
            escalated: row.escalated,
            basis: row.basis,
            episode: row.episode,
            stands: row.stands,
            subjects: serde_json::from_str(&row.subjects).map_err(|_| unreadable("subjects"))?,
            people: row.people,
            owner: row.owner,
            occurred: row.occur_time,
            raised: row.raise_time,
            due: row.due_time,
            acknowledged: unpack(row.acknowledged)?,
            taken: unpack(row.taken)?,
            resolved: unpack(row.resolved)?,
            sequence: row.sequence,
            revision: row.revision,
        })
    }
}
