//! Alerts as rows, both ways.

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};

use super::entity::alert::Model;
use super::unreadable;
use crate::domain::alert::{Alert, State, Step};
use crate::domain::fact::{Figures, Kind, Word};

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
        kind,
        grave,
        org_path,
        state,
        escalated,
        basis,
        episode,
        stands,
        subjects,
        figures,
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
    let Figures {
        people,
        amount,
        total,
        word,
    } = figures;
    Model {
        id,
        kind: kind as i16,
        grave,
        organization,
        org_path,
        state: state as i16,
        escalated,
        basis,
        episode,
        stands,
        subjects: serde_json::to_string(&subjects).unwrap_or_default(),
        people,
        amount,
        total,
        word: word as i16,
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
        let kind = Kind::ALL.iter().find(|kind| **kind as i16 == row.kind);
        let word = Word::ALL.into_iter().find(|word| *word as i16 == row.word);
        Ok(Self {
            organization: row.organization,
            id: row.id,
            kind: *kind.ok_or_else(|| unreadable("kind"))?,
            grave: row.grave,
            org_path: row.org_path,
            state: state.ok_or_else(|| unreadable("state"))?,
            escalated: row.escalated,
            basis: row.basis,
            episode: row.episode,
            stands: row.stands,
            subjects: serde_json::from_str(&row.subjects).map_err(|_| unreadable("subjects"))?,
            figures: Figures {
                people: row.people,
                amount: row.amount,
                total: row.total,
                word: word.ok_or_else(|| unreadable("word"))?,
            },
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
