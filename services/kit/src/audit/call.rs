//! What the server's layer knows of a call while it is under way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use proto::options::access::Audit as Rule;
use uuid::Uuid;

use super::names::{self, Found, Method};
use super::record::{Kind, Record};
use crate::auth::{Caller, Role};
use crate::org::OrgPath;

/// How much of a request is kept to find names in: they come first.
const OVERHEARD: usize = 32 << 10;

/// What of a call is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audited {
    /// Nothing.
    Nothing,
    /// That personal data was read.
    Read,
    /// That something was done.
    Act,
    /// Only a refusal: the row that the act adds is the record.
    OwnRecord,
}

impl Audited {
    /// What the contract says of the method at `path`.
    pub(super) fn of(path: &str) -> Self {
        match proto::access(path).map(|access| access.audit()) {
            Some(Rule::ReadPersonal) => Self::Read,
            Some(Rule::Act) => Self::Act,
            Some(Rule::OwnRecord) => Self::OwnRecord,
            Some(Rule::None | Rule::Unspecified) | None => Self::Nothing,
        }
    }
}

/// A call under way: what a record of it says, as far as it is known.
#[derive(Debug)]
pub struct Call {
    audited: Audited,
    /// What is known from the beginning.
    draft: Mutex<Record>,
    method: Option<&'static Method>,
    overheard: Mutex<Overheard>,
    place: Mutex<Option<OrgPath>>,
    shown: Mutex<Option<OrgPath>>,
    /// What the request speaks of without naming it.
    meant: Mutex<Vec<String>>,
    recorded: AtomicBool,
}

#[derive(Debug, Default)]
struct Overheard {
    bytes: usize,
    parts: Vec<Bytes>,
}

impl PartialEq for Call {
    /// Whether they are the same call.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Call {}

impl Call {
    /// A call of the method at `path` that arrived at `now`.
    pub fn new(caller: &Caller, path: &str, now: DateTime<Utc>, trace_id: String) -> Self {
        let audited = Audited::of(path);
        let roles: Vec<&str> = caller.roles.iter().map(|role| role.as_str()).collect();
        let laboratory = caller.laboratory.as_ref();
        let laboratory = laboratory.filter(|_| caller.is(Role::Laboratory));
        let partner = caller.partner.clone();
        let partner = partner.or_else(|| laboratory.map(|code| format!("laboratories/{code}")));
        let purpose = caller.purpose.map_or("", |purpose| purpose.as_str());
        let draft = Record {
            time: now.timestamp_millis(),
            subject: caller.subject.clone(),
            roles: roles.join("\n"),
            scope: caller.scope.to_string(),
            partner: partner.unwrap_or_default(),
            purpose: purpose.to_owned(),
            method: path.to_owned(),
            trace_id,
            call_count: 1,
            ..Record::default()
        };
        Self {
            audited,
            draft: Mutex::new(draft),
            method: names::method(path),
            overheard: Mutex::default(),
            place: Mutex::default(),
            shown: Mutex::default(),
            meant: Mutex::default(),
            recorded: AtomicBool::new(false),
        }
    }

    /// What of it is recorded.
    pub fn audited(&self) -> Audited {
        self.audited
    }

    /// Whether its request is listened to for names.
    pub(super) fn listens(&self) -> bool {
        self.method.is_some()
    }

    /// Whether its answer is a stream, which begins before the work is done.
    pub(super) fn streams(&self) -> bool {
        self.method.is_some_and(|method| method.streams)
    }

    /// Keeps a part of its request, as far as there is room.
    pub(super) fn overhear(&self, part: &Bytes) {
        let mut overheard = lock(&self.overheard);
        let room = OVERHEARD.saturating_sub(overheard.bytes);
        if room > 0 {
            let part = part.slice(..part.len().min(room));
            overheard.bytes += part.len();
            overheard.parts.push(part);
        }
    }

    /// Notes the place for which it was asked whether the caller may, and whether they may.
    pub(crate) fn at(&self, place: &OrgPath, permitted: bool) {
        *lock(&self.place) = Some(place.clone());
        if permitted {
            let mut shown = lock(&self.shown);
            let both = shown.as_ref().map(|shown| shown.common(place));
            *shown = Some(both.unwrap_or_else(|| place.clone()));
        }
    }

    /// Notes the resource that was found by something that is no name, such as a number or a code.
    pub(crate) fn means(&self, name: &str) {
        if names::is_opaque(name) {
            lock(&self.meant).push(name.to_owned());
        }
    }

    /// The lowest place that holds all those for which the caller was permitted something; none where
    /// nobody asked.
    pub(crate) fn shown(&self) -> Option<OrgPath> {
        lock(&self.shown).clone()
    }

    /// The student whom its request names, format `students/{student}`; none when it names none or
    /// several, or may name more than was found.
    pub(crate) fn student(&self) -> Option<String> {
        let Found {
            names,
            count,
            request_id: _,
            is_whole,
        } = self.found();
        // A name that is there twice, or is none, is counted and not among them.
        if !is_whole || i64::try_from(names.len()) != Ok(count) {
            return None;
        }
        let mut students = names.iter().filter_map(|name| {
            let rest = name.strip_prefix("students/")?;
            Some(rest.split('/').next().unwrap_or_default())
        });
        let student = students.next().filter(|_| students.next().is_none())?;
        let id = Uuid::try_parse(student).ok()?;
        Some(format!("students/{}", id.hyphenated()))
    }

    /// Whether something else stands for `subject`, who calls.
    pub(crate) fn is_veiled(&self, subject: &str) -> bool {
        lock(&self.draft).subject != subject
    }

    /// Takes out who calls, for whoever must stay unknown: `subject` stands for them.
    pub(crate) fn veil(&self, subject: &str) {
        let mut draft = lock(&self.draft);
        draft.subject = subject.to_owned();
        draft.roles.clear();
        draft.scope.clear();
        draft.partner.clear();
        draft.purpose.clear();
        draft.trace_id.clear();
    }

    /// Whether a record of it is durable.
    pub fn is_recorded(&self) -> bool {
        self.recorded.load(Ordering::Acquire)
    }

    /// A record of it is durable.
    pub(crate) fn set_recorded(&self) {
        self.recorded.store(true, Ordering::Release);
    }

    /// Its record as things stand.
    pub(crate) fn record(&self, kind: Kind) -> Record {
        let mut record = lock(&self.draft).clone();
        record.kind = kind as i32;
        let place = lock(&self.place).as_ref().map(ToString::to_string);
        record.place = place.unwrap_or_else(|| record.scope.clone());
        let Found {
            mut names,
            mut count,
            request_id,
            is_whole: _,
        } = self.found();
        for name in lock(&self.meant).iter() {
            count += 1;
            if names.len() < names::MOST && !names.contains(name) {
                names.push(name.clone());
            }
        }
        record.resources = names.join("\n");
        record.resource_count = count;
        record.request_id = request_id;
        record
    }

    fn found(&self) -> Found {
        let Some(method) = self.method else {
            return Found::default();
        };
        let parts = lock(&self.overheard).parts.clone();
        names::find(&parts.concat(), &method.plan)
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use proto::notification::ListContactPointsRequest;
    use proto::safety::ListGateDecisionsRequest;

    use super::*;

    const ONE: &str = "students/5f0c3a52-6f4e-4d1c-9a67-3f1d2f0f7a11";
    const OTHER: &str = "students/5f0c3a52-6f4e-4d1c-9a67-3f1d2f0f7a12";

    fn called(method: &str, message: &[u8]) -> Call {
        let at = DateTime::default();
        let call = Call::new(&Caller::default(), method, at, String::new());
        let length = u32::try_from(message.len()).expect("a short message");
        let head = [&[0], &length.to_be_bytes()[..]].concat();
        call.overhear(&Bytes::from([&*head, message].concat()));
        call
    }

    fn decisions(person: &str) -> Vec<u8> {
        let request = ListGateDecisionsRequest {
            parent: "organizations/2135010001".to_owned(),
            person: person.to_owned(),
            ..ListGateDecisionsRequest::default()
        };
        request.encode_to_vec()
    }

    #[test]
    fn one_student_is_named_or_nobody() {
        let gate = "/campus.safety.v1.GateService/ListGateDecisions";
        let named = |message: &[u8]| called(gate, message).student();
        assert_eq!(named(&decisions(ONE)).as_deref(), Some(ONE));
        assert_eq!(named(&decisions("")), None);
        assert_eq!(named(&decisions("students/-")), None);
        assert_eq!(named(&decisions("students/13800138000")), None);
        // The last of two fields is the one that a reader takes.
        let two = [decisions(ONE), decisions(OTHER)].concat();
        assert_eq!(named(&two), None);
        let long = [decisions(ONE), vec![0x7a, 0x80, 0x80, 0x04]].concat();
        let long = [long, vec![b' '; 1 << 16], decisions(OTHER)].concat();
        assert_eq!(named(&long), None, "what was not kept may name another");
    }

    #[test]
    fn what_is_below_a_student_names_the_student() {
        let request = ListContactPointsRequest {
            party: format!("{ONE}/guardians/-"),
        };
        let path = "/campus.notification.v1.ChannelService/ListContactPoints";
        let call = called(path, &request.encode_to_vec());
        assert_eq!(call.student().as_deref(), Some(ONE));
    }

    #[test]
    fn whoever_was_found_by_a_number_is_named() {
        let path = "/campus.roster.v1.StudentService/LookUpStudent";
        let call = called(path, &[]);
        assert_eq!(call.record(Kind::Read).resources, "");
        call.means(ONE);
        call.means("张三");
        let record = call.record(Kind::Read);
        assert_eq!((&*record.resources, record.resource_count), (ONE, 1));
        assert_eq!(call.student(), None, "the request names nobody");
    }

    #[test]
    fn what_is_shown_lies_below_every_place_that_was_permitted() {
        let place = |text: &str| text.parse::<OrgPath>().expect("a place");
        let call = called("/campus.safety.v1.GateService/ListGateDecisions", &[]);
        assert_eq!(call.shown(), None);
        call.at(&place("fz/350102/2135010001"), true);
        call.at(&place("xm/350203"), false);
        assert_eq!(call.shown(), Some(place("fz/350102/2135010001")));
        call.at(&place("fz/350102/2135010002"), true);
        assert_eq!(call.shown(), Some(place("fz/350102")));
    }
}
