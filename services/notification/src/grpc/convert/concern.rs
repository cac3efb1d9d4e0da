//! Concerns on the wire.

use chrono::{DateTime, Utc};
use kit::field::{Fields, private_count, to_timestamp};
use kit::status::Problem;
use proto::notification as pb;

use super::long_text;
use super::{child, malformed, unknown_value};
use crate::app::concerns::{Act, CategoryFigures, Named, concern_name};
use crate::domain::concern::{
    Category, Concern, SATISFIED, State, Submission, Submitter, Verb, Words,
};
use crate::domain::party::Party;

const TEXT: usize = 5_000;
const REMARK: usize = 1_000;
const CODE: usize = 40;

/// The concern of a request and the receipt code that came with it.
pub(in crate::grpc) fn named<'a>(name: &'a str, code: &'a str) -> Result<Named<'a>, Problem> {
    child("name", "concerns", name)?;
    if code.chars().count() > CODE {
        return Err(malformed("receipt_code"));
    }
    let mut parts = name.split('/').skip(1);
    let organization = parts.next().ok_or_else(|| malformed("name"))?;
    let id = parts.nth(1).and_then(|id| id.parse().ok());
    Ok(Named {
        organization,
        id: id.ok_or_else(|| malformed("name"))?,
        code,
    })
}

/// What somebody hands in.
pub(in crate::grpc) fn submission(
    request: &pb::SubmitConcernRequest,
) -> Result<Submission, Problem> {
    let concern = request.concern.as_ref();
    let concern = concern.ok_or_else(|| Problem::invalid("concern", "必填", "required"))?;
    let mut fields = Fields::new();
    let submitter = Submitter::ALL
        .into_iter()
        .find(|submitter| *submitter as i32 == concern.submitter);
    if submitter.is_none() {
        let (zh, en) = ("请选择有效的选项", "not a known value");
        fields.violation("concern.submitter", zh, en);
    }
    let category = category_of(concern.category);
    if category.is_none() {
        let (zh, en) = ("请选择有效的选项", "not a known value");
        fields.violation("concern.category", zh, en);
    }
    fields.required("concern.text", concern.text.trim());
    long_text(&mut fields, "concern.text", &concern.text, TEXT);
    fields.finish()?;
    Ok(Submission {
        submitter: submitter.ok_or_else(|| unknown_value("concern.submitter"))?,
        anonymous: concern.anonymous,
        category: category.ok_or_else(|| unknown_value("concern.category"))?,
        words: Words {
            text: concern.text.clone(),
            ..Words::default()
        },
    })
}

fn category_of(number: i32) -> Option<Category> {
    let mut all = Category::ALL.into_iter();
    all.find(|category| *category as i32 == number)
}

pub(in crate::grpc) fn concern_state(number: i32) -> Result<Option<State>, Problem> {
    if number == 0 {
        return Ok(None);
    }
    let state = State::ALL.into_iter().find(|state| *state as i32 == number);
    state.map(Some).ok_or_else(|| unknown_value("state"))
}

pub(in crate::grpc) fn triage(request: &pb::TriageConcernRequest) -> Result<Act, Problem> {
    let known = category_of(request.category).filter(|category| *category != Category::Unknown);
    let category = known.ok_or_else(|| unknown_value("category"))?;
    Ok(Act::Handle(Verb::Triage(category, request.urgent)))
}

pub(in crate::grpc) fn assign(request: &pb::AssignConcernRequest) -> Result<Act, Problem> {
    match Party::parse(&request.assignee) {
        Some(party @ Party::Staff(_)) => Ok(Act::Assign(party.name())),
        _ => Err(malformed("assignee")),
    }
}

pub(in crate::grpc) fn answer(request: &pb::AnswerConcernRequest) -> Result<Act, Problem> {
    let mut fields = Fields::new();
    fields.required("answer", request.answer.trim());
    long_text(&mut fields, "answer", &request.answer, TEXT);
    fields.finish()?;
    Ok(Act::Answer(request.answer.clone()))
}

pub(in crate::grpc) fn rate(request: &pb::RateAnswerRequest) -> Result<Act, Problem> {
    let mut fields = Fields::new();
    let satisfaction = fields.within("satisfaction", request.satisfaction, 1..=5);
    if satisfaction < SATISFIED {
        fields.required("remark", request.remark.trim());
    }
    long_text(&mut fields, "remark", &request.remark, REMARK);
    fields.finish()?;
    Ok(Act::Rate(satisfaction, request.remark.clone()))
}

/// A concern as callers see it: nothing of it tells who handed it in.
pub(in crate::grpc) fn concern(concern: Concern, now: DateTime<Utc>) -> pb::Concern {
    let concern = concern.at(now);
    let answer_due = concern.answer_due();
    let Concern {
        organization,
        id,
        org_path: _,
        handler,
        handler_path: _,
        state,
        submitter,
        anonymous,
        category,
        urgent,
        created,
        clocks,
        wait: _,
        above: _,
        late,
        assignee,
        assignee_organization,
        answered,
        reopened,
        satisfaction,
        words,
        author: _,
        receipt: _,
    } = concern;
    let Words {
        text,
        answer,
        remark,
        person: _,
    } = words;
    let answers = if assignee_organization.is_empty() {
        handler
    } else {
        assignee_organization
    };
    pb::Concern {
        name: concern_name(&organization, id),
        state: state as i32,
        submitter: submitter as i32,
        anonymous,
        category: category as i32,
        text,
        create_time: Some(to_timestamp(created)),
        acknowledge_due_time: Some(to_timestamp(clocks.acknowledge)),
        answer_due_time: Some(to_timestamp(answer_due)),
        late,
        urgent,
        assignee_organization: format!("organizations/{answers}"),
        assignee,
        answer,
        answer_time: answered.map(to_timestamp),
        reopen_count: reopened,
        satisfaction,
        remark,
    }
}

/// Counts by category.
pub(in crate::grpc) fn concern_figures(
    organization: &str,
    figures: Vec<CategoryFigures>,
) -> pb::ConcernFigures {
    let categories = figures.into_iter().map(|figures| {
        let CategoryFigures {
            category,
            all,
            open,
            late,
            reopened,
            satisfied,
        } = figures;
        pb::ConcernCategoryFigures {
            category: category as i32,
            concern_count: Some(private_count(all)),
            open_count: Some(private_count(open)),
            late_count: Some(private_count(late)),
            reopened_count: Some(private_count(reopened)),
            satisfied_count: Some(private_count(satisfied)),
        }
    });
    pb::ConcernFigures {
        organization: format!("organizations/{organization}"),
        categories: categories.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_numbers_and_names_of_the_contract() {
        for state in State::ALL {
            let pb = pb::concern::State::try_from(state as i32).unwrap();
            assert_eq!(pb.as_str_name(), format!("STATE_{}", state.as_str()));
        }
        for category in Category::ALL {
            let pb = pb::concern::Category::try_from(category as i32).unwrap();
            let name = pb
                .as_str_name()
                .trim_start_matches("CATEGORY_")
                .replace('_', "");
            let ours = match category {
                Category::Unknown => "UNSPECIFIED".to_owned(),
                known => format!("{known:?}").to_uppercase(),
            };
            assert_eq!(name, ours);
        }
        for submitter in Submitter::ALL {
            let pb = pb::concern::Submitter::try_from(submitter as i32).unwrap();
            let ours = format!("SUBMITTER_{submitter:?}").to_uppercase();
            assert_eq!(pb.as_str_name(), ours);
        }
    }
}
