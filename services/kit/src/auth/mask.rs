//! Which fields of an answer a partner gets. Everything else is taken out of the bytes of the message, so
//! that what a later release adds passes no more than what is known today.

use std::collections::BTreeMap;

use super::contracts::MESSAGES;

/// The fields of a message that pass, by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mask(BTreeMap<u32, Kept>);

/// How much of a field passes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kept {
    Whole,
    Part(Mask),
}

/// Bytes that are no message, or not of the type that they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an answer is not of its contract")]
pub(crate) struct Unreadable;

impl Mask {
    /// The mask of `paths` in the message `name`, such as `.campus.sampling.v1.Tube`. A path leads through
    /// messages and lists of them to a value: a message of Campus is named field by field, one of Google's as
    /// a whole.
    ///
    /// # Errors
    /// Names the path that leads nowhere, and why.
    pub(crate) fn new(name: &str, paths: &[String]) -> Result<Self, String> {
        let mut mask = Self::default();
        for path in paths {
            let added = mask.add(name, path);
            added.map_err(|fault| format!("{path}: {fault}"))?;
        }
        Ok(mask)
    }

    fn add(&mut self, name: &str, path: &str) -> Result<(), String> {
        let (first, rest) = match path.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        let plain = name.trim_start_matches('.');
        let fields = MESSAGES.get(name);
        let field = fields
            .and_then(|fields| fields.get(first))
            .ok_or_else(|| format!("{plain} has no field {first}"))?;
        match (&field.message, rest) {
            (None, Some(_)) => Err(format!("{first} of {plain} is no message")),
            (Some(below), None) if below.starts_with(".campus.") => {
                let below = below.trim_start_matches('.');
                Err(format!(
                    "{first} is a {below}: name the fields of it that are meant"
                ))
            }
            (_, None) => {
                self.0.insert(field.number, Kept::Whole);
                Ok(())
            }
            (Some(below), Some(rest)) => {
                let part = || Kept::Part(Self::default());
                match self.0.entry(field.number).or_insert_with(part) {
                    Kept::Whole => Self::default().add(below, rest),
                    Kept::Part(mask) => mask.add(below, rest),
                }
            }
        }
    }

    /// Adds what passes of `message` to `kept`: never more bytes than it has.
    ///
    /// # Errors
    /// When it cannot be read; what was added then counts for nothing.
    pub(crate) fn apply(&self, message: &[u8], kept: &mut Vec<u8>) -> Result<(), Unreadable> {
        let mut rest = message;
        while !rest.is_empty() {
            let field = rest;
            let key = number(&mut rest)?;
            let (head, _) = field.split_at(field.len() - rest.len());
            let content = match key & 7 {
                0 => number(&mut rest).map(|_| None)?,
                1 => take(&mut rest, 8).map(|_| None)?,
                2 => {
                    let length = number(&mut rest)?;
                    Some(take(&mut rest, length)?)
                }
                5 => take(&mut rest, 4).map(|_| None)?,
                // Groups, which no contract has.
                _ => return Err(Unreadable),
            };
            let (whole, _) = field.split_at(field.len() - rest.len());
            let place = u32::try_from(key >> 3).map_err(|_| Unreadable)?;
            match (self.0.get(&place), content) {
                (None, _) if place > 0 => {}
                (Some(Kept::Whole), _) => kept.extend_from_slice(whole),
                (Some(Kept::Part(mask)), Some(content)) => {
                    let mut part = Vec::new();
                    mask.apply(content, &mut part)?;
                    kept.extend_from_slice(head);
                    prost::encode_length_delimiter(part.len(), kept).map_err(|_| Unreadable)?;
                    kept.append(&mut part);
                }
                _ => return Err(Unreadable),
            }
        }
        Ok(())
    }
}

/// Reads a number, which is written as lengths are.
fn number(rest: &mut &[u8]) -> Result<usize, Unreadable> {
    prost::decode_length_delimiter(rest).map_err(|_| Unreadable)
}

/// Takes so many bytes.
fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Unreadable> {
    let (taken, after) = rest.split_at_checked(length).ok_or(Unreadable)?;
    *rest = after;
    Ok(taken)
}

#[cfg(test)]
#[path = "mask_tests.rs"]
mod tests;
