//! Policies that were read and validated, and what they answered so far.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash, RandomState};

use cedar_policy::{
    Authorizer, Decision, Effect, Policy, PolicyId, PolicySet, Response, ValidationMode, Validator,
};
use moka::sync::Cache;

use super::cases::PolicyAnswer;
use super::fault::PolicyError;
use super::source::Source;
use super::uses::Uses;
use super::words::WORDS;
use super::{Caller, Permission, Purpose};
use crate::org::OrgPath;

/// What each policy says of itself, in two languages.
const ANNOTATIONS: [&str; 3] = ["id", "doc", "doc_zh"];
/// How many answers are kept.
const ANSWERS: u64 = 50_000;
/// How long an answer that depends on the time is kept, in seconds.
const FRESH: i64 = 5;

/// Where each policy was found: the file, and the byte in it.
type Found<'a> = BTreeMap<PolicyId, (&'a Source, usize)>;

/// A set of policies that can be asked. What it answered is forgotten together with it.
pub(super) struct Policies {
    set: PolicySet,
    uses: Uses,
    authorizer: Authorizer,
    answers: Cache<Key, bool>,
    hasher: RandomState,
}

/// Everything that an answer can depend on.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    permission: Permission,
    roles: u64,
    inside: bool,
    purpose: Option<Purpose>,
    second_factor: bool,
    break_glass: bool,
    /// The caller and the places by name, where a policy speaks of them.
    named: u64,
    /// The time, where a policy speaks of it.
    time: i64,
}

impl Policies {
    /// Reads and validates policies.
    ///
    /// # Errors
    /// When a file cannot be parsed, a policy does not keep to the schema or lacks an annotation, or
    /// two have the same id; the error names the file and the line.
    pub(super) fn read(sources: &[Source]) -> Result<Self, PolicyError> {
        let (policies, found) = Self::parse(sources)?;
        let validator = Validator::new(WORDS.schema.clone());
        let result = validator.validate(&policies.set, ValidationMode::Strict);
        if let Some(error) = result.validation_errors().next() {
            return Err(match found.get(error.policy_id()) {
                Some((source, offset)) => {
                    PolicyError::said(&source.file, &source.text, *offset, error)
                }
                None => PolicyError::at("policies", "", 0, error),
            });
        }
        for warning in result.validation_warnings() {
            tracing::warn!(%warning, "a policy looks wrong");
        }
        Ok(policies)
    }

    /// Reads policies of the release, which a test validates: that takes longer than everything else at
    /// the start.
    ///
    /// # Errors
    /// When they cannot be parsed.
    pub(super) fn of_release(sources: &[Source]) -> Result<Self, PolicyError> {
        Self::parse(sources).map(|(policies, _)| policies)
    }

    fn parse(sources: &[Source]) -> Result<(Self, Found<'_>), PolicyError> {
        let (mut set, mut uses, mut found) = (PolicySet::new(), Uses::default(), Found::new());
        for source in sources {
            let Source { file, text } = source;
            let parsed = text
                .parse::<PolicySet>()
                .map_err(|err| PolicyError::said(file, text, 0, &err))?;
            if let Some(template) = parsed.templates().next() {
                let offset = place_of(text, template.annotation("id").unwrap_or_default());
                let what = "a template: nothing would fill its slots";
                return Err(PolicyError::at(file, text, offset, what));
            }
            for policy in parsed.policies() {
                let (id, offset) = identity(source, policy)?;
                if found.insert(id.clone(), (source, offset)).is_some() {
                    let what = format!("a second policy with the id {id}");
                    return Err(PolicyError::at(file, text, offset, what));
                }
                uses.add(policy);
                set.add(policy.new_id(id))
                    .map_err(|err| PolicyError::said(file, text, offset, &err))?;
            }
        }
        let policies = Self {
            set,
            uses,
            authorizer: Authorizer::new(),
            answers: Cache::new(ANSWERS),
            hasher: RandomState::new(),
        };
        Ok((policies, found))
    }

    /// Whether `caller` may do `permission` at `at`; `now` is read where a policy speaks of the time,
    /// and an answer is then kept for five seconds.
    pub(super) fn permit(
        &self,
        caller: &Caller,
        permission: Permission,
        at: &OrgPath,
        now: impl FnOnce() -> i64,
    ) -> bool {
        let now = if self.uses.now { now() } else { 0 };
        let key = self.key(caller, permission, at, now);
        if let Some(answer) = self.answers.get(&key) {
            return answer;
        }
        let answer = self.ask(caller, permission, at, now);
        self.answers.insert(key, answer);
        answer
    }

    /// Asks Cedar. What cannot be asked or fails on the way is refused.
    pub(super) fn ask(
        &self,
        caller: &Caller,
        permission: Permission,
        at: &OrgPath,
        now: i64,
    ) -> bool {
        let response = self.response(caller, permission, at, now);
        response.is_some_and(|response| response.decision() == Decision::Allow)
    }

    /// As [`Self::ask`], with the policies that decide.
    pub(super) fn answer(
        &self,
        caller: &Caller,
        permission: Permission,
        at: &OrgPath,
        now: i64,
    ) -> PolicyAnswer {
        let Some(response) = self.response(caller, permission, at, now) else {
            return PolicyAnswer::default();
        };
        let decide = response.diagnostics().reason();
        let mut policies: Vec<String> = decide.map(ToString::to_string).collect();
        policies.sort_unstable();
        PolicyAnswer {
            permitted: response.decision() == Decision::Allow,
            policies,
        }
    }

    /// What Cedar says; none where it cannot be asked or a policy fails on the way.
    fn response(
        &self,
        caller: &Caller,
        permission: Permission,
        at: &OrgPath,
        now: i64,
    ) -> Option<Response> {
        let (request, entities) = match WORDS.question(caller, permission, at, now) {
            Ok(question) => question,
            Err(err) => {
                tracing::error!(%err, %permission, "policies could not be asked");
                return None;
            }
        };
        let response = self
            .authorizer
            .is_authorized(&request, &self.set, &entities);
        let mut failed = false;
        for err in response.diagnostics().errors() {
            tracing::error!(%err, %permission, "a policy failed");
            failed = true;
        }
        (!failed).then_some(response)
    }

    fn key(&self, caller: &Caller, permission: Permission, at: &OrgPath, now: i64) -> Key {
        let named = if self.uses.names {
            let Caller {
                subject,
                scope,
                laboratory,
                department,
                person,
                partner,
                ..
            } = caller;
            let names = (subject, scope, laboratory, department, person, partner, at);
            self.hasher.hash_one(names)
        } else {
            0
        };
        Key {
            permission,
            roles: caller
                .roles
                .iter()
                .fold(0, |all, role| all | (1 << (*role as u64))),
            inside: caller.scope.contains(at),
            purpose: caller.purpose,
            second_factor: caller.second_factor,
            break_glass: caller.break_glass.is_some(),
            named,
            time: now.div_euclid(FRESH),
        }
    }

    /// The ids of all policies.
    #[cfg(test)]
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.set.policies().map(|policy| policy.id().as_ref())
    }

    /// How many policies permit, and how many forbid.
    pub(super) fn count(&self) -> (usize, usize) {
        let permits = |policy: &&Policy| policy.effect() == Effect::Permit;
        let permitting = self.set.policies().filter(permits).count();
        (permitting, self.set.policies().count() - permitting)
    }
}

/// The id of a policy, and where it stands in its file.
fn identity(source: &Source, policy: &Policy) -> Result<(PolicyId, usize), PolicyError> {
    let Source { file, text } = source;
    let id = policy.annotation("id").unwrap_or_default();
    let offset = if id.is_empty() {
        let written = policy.to_cedar().unwrap_or_default();
        text.find(&*written).unwrap_or_default()
    } else {
        place_of(text, id)
    };
    for name in ANNOTATIONS {
        if policy.annotation(name).is_none_or(str::is_empty) {
            let what = format!("a policy without @{name}(\"…\")");
            return Err(PolicyError::at(file, text, offset, what));
        }
    }
    Ok((PolicyId::new(id), offset))
}

fn place_of(text: &str, id: &str) -> usize {
    text.find(&format!("@id(\"{id}\")")).unwrap_or_default()
}
