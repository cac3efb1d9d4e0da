//! The words and codes of OneRoster, and what they mean in the register.

/// What a user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Student,
    Staff,
    Guardian,
}

pub(super) fn part(role: &str) -> Option<Part> {
    Some(match role.to_ascii_lowercase().as_str() {
        "student" => Part::Student,
        "parent" | "guardian" | "relative" => Part::Guardian,
        "teacher"
        | "aide"
        | "administrator"
        | "proctor"
        | "siteadministrator"
        | "counselor"
        | "principal"
        | "districtadministrator"
        | "systemadministrator" => Part::Staff,
        _ => return None,
    })
}

/// A date, or an instant of which the date is one.
pub(super) fn is_date(text: &str) -> bool {
    let day = text.split(['T', ' ']).next().unwrap_or_default();
    text.is_empty() || day.parse::<chrono::NaiveDate>().is_ok()
}

pub(super) fn kind(word: &str, identifier: &str) -> String {
    if is_school_code(identifier) && identifier.starts_with("11") {
        return "KINDERGARTEN".to_owned();
    }
    word.to_owned()
}

pub(super) fn is_school_code(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn is_division(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn is_student_number(text: &str) -> bool {
    text.len() == 19 && text.starts_with(['G', 'J', 'L'])
}

/// The id of an organisation made from its id in the source, the same each time.
pub(super) fn slug(id: &str) -> String {
    let own = !id.is_empty()
        && id.len() <= 32
        && id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if own {
        return id.to_owned();
    }
    use sha2::{Digest as _, Sha256};
    let hash = Sha256::digest(id.as_bytes());
    let hex: String = hash
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("or-{hex}")
}

/// Chinese names without a blank, the family name first; others the other way round.
pub(super) fn person_name(family: &str, given: &str) -> String {
    if family.is_ascii() && given.is_ascii() {
        format!("{given} {family}").trim().to_owned()
    } else {
        format!("{family}{given}")
    }
}

pub(super) fn resident_id(user_ids: &str) -> String {
    let found = user_ids.split('{').find_map(|part| {
        let (name, rest) = part.split_once(':')?;
        name.trim()
            .eq_ignore_ascii_case("residentId")
            .then_some(rest)
    });
    found
        .and_then(|rest| rest.split('}').next())
        .map(str::trim)
        .unwrap_or_default()
        .to_owned()
}
