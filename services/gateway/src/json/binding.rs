//! One way in which HTTP reaches a method: what of a request says which field.

use kit::status::Problem;
use prost_reflect::{DynamicMessage, FieldDescriptor, MethodDescriptor, ReflectMessage};
use proto::error::ErrorReason;
use proto::google::api::HttpRule;
use tonic::Status;

use super::template::{self, Template};
use super::{body, decoded, field, query, text};
use crate::contract;
use crate::frames::{Frames, Next};

/// One way in which HTTP reaches a method.
#[derive(Debug)]
pub(crate) struct Binding {
    /// The path by which gRPC calls the method.
    pub(super) path: String,
    pub(super) method: MethodDescriptor,
    variables: Vec<(Vec<FieldDescriptor>, template::Variable)>,
    body: Target,
    /// The field of the answer that is written; all of it when none.
    response: Option<FieldDescriptor>,
}

/// What the body of a request says.
#[derive(Clone, Debug)]
enum Target {
    Nothing,
    Everything,
    Field(FieldDescriptor),
}

impl Binding {
    /// None when the rule names fields that the method does not have.
    pub(super) fn new(
        method: &MethodDescriptor,
        template: &Template,
        rule: &HttpRule,
    ) -> Option<Self> {
        let input = method.input();
        let mut variables = Vec::new();
        for variable in &template.variables {
            variables.push((field::resolve(&input, &variable.field)?, variable.clone()));
        }
        let body = match &*rule.body {
            "" => Target::Nothing,
            "*" => Target::Everything,
            name => Target::Field(input.get_field_by_name(name)?),
        };
        let response = match &*rule.response_body {
            "" => None,
            name => Some(method.output().get_field_by_name(name)?),
        };
        Some(Self {
            path: contract::path(method),
            method: method.clone(),
            variables,
            body,
            response,
        })
    }

    /// What the path and the query say of the request.
    pub(super) fn begin(
        &self,
        segments: &[String],
        query: Option<&str>,
    ) -> Result<DynamicMessage, Problem> {
        let mut message = DynamicMessage::new(self.method.input());
        let query = query.unwrap_or_default();
        let mut bound: Vec<_> = self
            .variables
            .iter()
            .map(|(path, _)| path.clone())
            .collect();
        match &self.body {
            Target::Nothing => query::read(&mut message, query, &bound)?,
            // The body says everything else, so nothing is left for the query.
            Target::Everything => {
                let mut nothing = DynamicMessage::new(message.descriptor());
                bound.extend(message.descriptor().fields().map(|field| vec![field]));
                query::read(&mut nothing, query, &bound)?;
            }
            Target::Field(field) => {
                bound.push(vec![field.clone()]);
                query::read(&mut message, query, &bound)?;
            }
        }
        self.name(&mut message, segments)?;
        Ok(message)
    }

    /// Sets the fields that the path names.
    fn name(&self, message: &mut DynamicMessage, segments: &[String]) -> Result<(), Problem> {
        for (path, variable) in &self.variables {
            let end = if variable.open {
                segments.len()
            } else {
                variable.end
            };
            let text = join(segments.get(variable.start..end).unwrap_or_default());
            let kind = path.last().map(FieldDescriptor::kind);
            let value = kind.as_ref().and_then(|kind| field::value(kind, &text));
            let place = field::place(message, path);
            match (place, value, kind) {
                (Some(place), Some(value), _) => *place = value,
                (_, _, Some(kind)) => return Err(field::misfit(&variable.field, &kind)),
                _ => return Err(field::unknown(&variable.field)),
            }
        }
        Ok(())
    }

    /// The whole request: what the body says, with the fields of the path in place.
    pub(crate) fn complete(
        &self,
        begun: DynamicMessage,
        json: &[u8],
    ) -> Result<DynamicMessage, Problem> {
        let mut message = match &self.body {
            Target::Nothing => return Ok(begun),
            Target::Everything => body::read(&begun.descriptor(), json)?,
            Target::Field(field) => {
                let mut message = begun.clone();
                body::read_field(&mut message, field, json)?;
                message
            }
        };
        for (path, _) in &self.variables {
            if let Some(value) = field::found(&begun, path)
                && let Some(place) = field::place(&mut message, path)
            {
                *place = value;
            }
        }
        Ok(message)
    }

    /// The one message of an answer.
    pub(super) async fn single(&self, mut frames: Frames) -> Result<String, Status> {
        let message = match frames.next().await {
            Next::Message(message) => message,
            Next::End(end) if end.code() == tonic::Code::Ok => {
                return Err(Problem::new(ErrorReason::Internal).into());
            }
            Next::End(end) => return Err(end),
        };
        match frames.next().await {
            Next::End(end) if end.code() == tonic::Code::Ok => {}
            Next::End(end) => return Err(end),
            Next::Message(_) => return Err(Problem::new(ErrorReason::Internal).into()),
        }
        let message = decoded(&self.method.output(), message)?;
        let Some(field) = &self.response else {
            return Ok(text(&message)?);
        };
        let whole = serde_json::to_value(&message);
        let whole = whole.map_err(|err| Problem::new(ErrorReason::Internal).source(err))?;
        Ok(whole
            .get(field.json_name())
            .cloned()
            .unwrap_or_default()
            .to_string())
    }
}

/// A name of several segments. What a caller wrote as `%2F` stays so, since it separates nothing.
fn join(segments: &[String]) -> String {
    match segments {
        [alone] => alone.clone(),
        many => {
            let whole = many.iter().map(|segment| segment.replace('/', "%2F"));
            whole.collect::<Vec<_>>().join("/")
        }
    }
}
