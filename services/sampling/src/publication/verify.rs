//! Checks a published file: every hash, pick, replacement and signature in it.

use std::io::{self, BufReader, Read};
use std::mem;

use prost::Message;
use proto::sampling::publication_record::Record;
use proto::sampling::{
    PublicationHeader, PublicationRecord, PublicationSeal, PublishedClosing, PublishedDraw,
};
use sha2::{Digest, Sha256};

pub use super::check::Finding;
use super::check::School;
use super::records;
use crate::domain::commitment::{PublicKey, seal};
use crate::domain::day::Day;

/// The format's name and version.
pub(crate) const FORMAT: (&str, u32) = ("campus-draw", 1);

/// No record is longer than this many bytes.
const LONGEST: usize = 16 << 20;

/// What a file that agrees with its signatures holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The plan's identifier.
    pub plan: String,
    /// The day drawn.
    pub day: Day,
    /// The place whose schools are published.
    pub org_path: String,
    /// Names the key that signed it.
    pub key_id: String,
    /// How many schools.
    pub draws: usize,
    /// How many class groups were recomputed.
    pub class_groups: usize,
    /// How many candidates they have.
    pub candidates: usize,
    /// How many were picked.
    pub picks: usize,
    /// How many were absent.
    pub replacements: usize,
}

/// Why a file is refused.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be read.
    #[error("cannot read the file")]
    Read(#[from] io::Error),
    /// It is no publication, or was cut.
    #[error("record {record} is malformed or missing")]
    Malformed {
        /// The number of the record, from 1.
        record: usize,
    },
    /// Something in the draw of a school does not agree.
    #[error("{org_path}: {finding}")]
    Draw {
        /// The school.
        org_path: String,
        /// What.
        finding: Finding,
    },
    /// The seal does not agree: something was left out, added, or changed.
    #[error("the seal of the file is not valid")]
    Seal,
    /// There are bytes after the seal.
    #[error("there are bytes after the seal")]
    Trailing,
}

/// Recomputes every draw in a published file from the file and the public key alone.
///
/// # Errors
/// When anything at all differs from what was signed.
pub fn verify(reader: impl Read, key: &PublicKey) -> Result<Report, VerifyError> {
    let mut file = File::new(reader);
    let Some(Record::Header(header)) = file.next()? else {
        return Err(file.malformed());
    };
    let mut report = begin(&header, key).ok_or_else(|| file.malformed())?;
    let mut last_path = String::new();
    loop {
        match file.next()? {
            Some(Record::Draw(draw)) => {
                let (school, closing) = read_school(&mut file, &draw)?;
                let within = is_within(&draw.org_path, &report.org_path);
                let of_header = draw.plan == header.plan && draw.day == header.day;
                if !within || !of_header || draw.org_path <= last_path {
                    return Err(file.malformed());
                }
                add(&mut report, &school, &closing, key)?;
                last_path = draw.org_path;
            }
            Some(Record::Seal(last)) => {
                check_seal(&last, report.draws, &file, key)?;
                return if file.is_at_end()? {
                    Ok(report)
                } else {
                    Err(VerifyError::Trailing)
                };
            }
            _ => return Err(file.malformed()),
        }
    }
}

fn begin(header: &PublicationHeader, key: &PublicKey) -> Option<Report> {
    if (header.format.as_str(), header.version) != FORMAT {
        return None;
    }
    Some(Report {
        plan: header.plan.clone(),
        day: records::day(header.day).ok()?,
        org_path: header.org_path.clone(),
        key_id: key.id(),
        draws: 0,
        class_groups: 0,
        candidates: 0,
        picks: 0,
        replacements: 0,
    })
}

fn is_within(path: &str, place: &str) -> bool {
    place.is_empty()
        || path
            .strip_prefix(place)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Reads the records of one school up to its closing.
fn read_school<R: Read>(
    file: &mut File<R>,
    draw: &PublishedDraw,
) -> Result<(School, PublishedClosing), VerifyError> {
    let (frozen, signature) = records::to_frozen(draw).map_err(|_| file.malformed())?;
    let (groups, replacements) = (Vec::new(), Vec::new());
    let mut school = School {
        frozen,
        signature,
        groups,
        replacements,
    };
    loop {
        match file.next()? {
            Some(Record::ClassGroup(group)) if school.replacements.is_empty() => {
                school.groups.push(group);
            }
            Some(Record::Replacement(record)) => {
                let replaced = records::to_replaced(&record).map_err(|_| file.malformed())?;
                school.replacements.push(replaced);
            }
            Some(Record::Closing(closing)) => return Ok((school, closing)),
            _ => return Err(file.malformed()),
        }
    }
}

fn add(
    report: &mut Report,
    school: &School,
    closing: &PublishedClosing,
    key: &PublicKey,
) -> Result<(), VerifyError> {
    let refuse = |finding| VerifyError::Draw {
        org_path: school.frozen.org_path.clone(),
        finding,
    };
    let closing = records::to_closing(closing).map_err(|_| refuse(Finding::ClosingSignature))?;
    let checked = school.check(&closing.seed, key).map_err(refuse)?;
    school.check_closing(&closing, key).map_err(refuse)?;
    report.draws += 1;
    report.class_groups += checked.groups;
    report.candidates += checked.candidates;
    report.picks += checked.picks;
    report.replacements += school.replacements.len();
    Ok(())
}

fn check_seal<R: Read>(
    last: &PublicationSeal,
    draws: usize,
    file: &File<R>,
    key: &PublicKey,
) -> Result<(), VerifyError> {
    let signature = records::signature(&last.signature).map_err(|_| VerifyError::Seal)?;
    let digest = records::hash(&last.digest).map_err(|_| VerifyError::Seal)?;
    let agrees = last.draw_count as usize == draws
        && digest == file.digest_before_last
        && key.verify(&seal(last.draw_count, &digest), &signature);
    if agrees {
        Ok(())
    } else {
        Err(VerifyError::Seal)
    }
}

/// Reads records and hashes every byte.
struct File<R> {
    reader: BufReader<R>,
    hash: Sha256,
    /// Over every byte before the last record read.
    digest_before_last: [u8; 32],
    record: Vec<u8>,
    records: usize,
}

impl<R: Read> File<R> {
    fn new(reader: R) -> Self {
        Self {
            reader: BufReader::with_capacity(1 << 20, reader),
            hash: Sha256::new(),
            digest_before_last: [0; 32],
            record: Vec::new(),
            records: 0,
        }
    }

    fn malformed(&self) -> VerifyError {
        VerifyError::Malformed {
            record: self.records,
        }
    }

    /// The next record. Its bytes must be the ones that encoding it again gives.
    fn next(&mut self) -> Result<Option<Record>, VerifyError> {
        self.records += 1;
        let mut prefix = Vec::with_capacity(4);
        let length = self.length(&mut prefix)?;
        let mut bytes = mem::take(&mut self.record);
        bytes.resize(length, 0);
        self.read(&mut bytes)?;
        let decoded = PublicationRecord::decode(bytes.as_slice()).map_err(|_| self.malformed())?;
        if !is_canonical(&decoded, &bytes) {
            return Err(self.malformed());
        }
        if let Some(Record::Seal(_)) = decoded.record {
            self.digest_before_last = self.hash.clone().finalize().into();
        }
        self.hash.update(&prefix);
        self.hash.update(&bytes);
        self.record = bytes;
        Ok(decoded.record)
    }

    /// A varint in its shortest form.
    fn length(&mut self, prefix: &mut Vec<u8>) -> Result<usize, VerifyError> {
        let mut length = 0;
        loop {
            let mut byte = [0];
            self.read(&mut byte)?;
            prefix.push(byte[0]);
            length |= usize::from(byte[0] & 0x7f) << (7 * (prefix.len() - 1));
            let is_last = byte[0] & 0x80 == 0;
            if length > LONGEST || prefix.len() > 4 || (is_last && byte[0] == 0 && prefix.len() > 1)
            {
                return Err(self.malformed());
            }
            if is_last {
                return Ok(length);
            }
        }
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), VerifyError> {
        self.reader
            .read_exact(bytes)
            .map_err(|err| match err.kind() {
                io::ErrorKind::UnexpectedEof => self.malformed(),
                _ => err.into(),
            })
    }

    fn is_at_end(&mut self) -> Result<bool, VerifyError> {
        Ok(self.reader.read(&mut [0])? == 0)
    }
}

fn is_canonical(record: &PublicationRecord, bytes: &[u8]) -> bool {
    record.encoded_len() == bytes.len() && record.encode_to_vec() == bytes
}
