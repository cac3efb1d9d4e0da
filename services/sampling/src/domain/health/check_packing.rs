//! What a check says, packed into one row of the database: the same content has the same bytes.

use sha2::{Digest, Sha256};

use super::check::{Content, Counts, Finding};
use super::symptom::Symptoms;
use crate::domain::day::Day;
use crate::domain::roll::{Malformed, PersonId, person};

const PUBLIC_EVENT: u8 = 1;
const GROUP_ILLNESS: u8 = 2;

impl Content {
    /// Sixteen bytes that are the same for the same content, in whatever order people are listed.
    pub fn digest(&self) -> [u8; 16] {
        short(&Sha256::digest(self.pack()))
    }

    /// One row of bytes: people ordered, so that the same content has the same bytes.
    pub fn pack(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16 + self.readings.len() * 18);
        let Counts {
            roll,
            present,
            absent,
            ill_absent,
        } = self.counts;
        for count in [roll, present, absent, ill_absent] {
            bytes.extend(count.to_le_bytes());
        }
        let event = if self.public_event { PUBLIC_EVENT } else { 0 };
        bytes.push(event | if self.group_illness { GROUP_ILLNESS } else { 0 });
        let mut findings: Vec<&Finding> = self.findings.iter().collect();
        findings.sort_by_key(|finding| finding.person);
        bytes.extend(length(findings.len()));
        for finding in findings {
            pack_finding(&mut bytes, finding);
        }
        for pairs in [&self.readings, &self.absences] {
            let mut pairs = pairs.clone();
            pairs.sort_unstable();
            bytes.extend(length(pairs.len()));
            for (person, value) in pairs {
                bytes.extend(person.0);
                bytes.extend(value.to_le_bytes());
            }
        }
        bytes
    }

    /// From one row of bytes.
    ///
    /// # Errors
    /// When the bytes are no packed content.
    pub fn unpack(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut rest = Rest(bytes);
        let counts = Counts {
            roll: rest.u16()?,
            present: rest.u16()?,
            absent: rest.u16()?,
            ill_absent: rest.u16()?,
        };
        let flags = rest.u8()?;
        let findings = (0..rest.u16()?)
            .map(|_| rest.finding())
            .collect::<Result<_, _>>()?;
        let readings = rest.pairs()?;
        let absences = rest.pairs()?;
        if !rest.0.is_empty() {
            return Err(Malformed);
        }
        Ok(Self {
            counts,
            findings,
            readings,
            absences,
            public_event: flags & PUBLIC_EVENT != 0,
            group_illness: flags & GROUP_ILLNESS != 0,
        })
    }
}

/// The first sixteen bytes of a hash.
pub(crate) fn short(hash: &[u8]) -> [u8; 16] {
    let mut head = [0; 16];
    head.copy_from_slice(&hash[..16]);
    head
}

fn length(count: usize) -> [u8; 2] {
    u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes()
}

fn pack_finding(bytes: &mut Vec<u8>, finding: &Finding) {
    let Finding {
        person,
        symptoms,
        other,
        temperature,
        onset,
        onset_place,
        seen_doctor,
        disease,
        severe,
    } = finding;
    bytes.extend(person.0);
    bytes.extend(symptoms.bits().to_le_bytes());
    bytes.extend(temperature.to_le_bytes());
    bytes.extend(onset.number().to_le_bytes());
    bytes.extend(disease.to_le_bytes());
    bytes.extend([*onset_place, u8::from(*seen_doctor), *severe]);
    bytes.extend(length(other.len()));
    bytes.extend(other.as_bytes());
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.take::<1>()?[0])
    }

    fn u16(&mut self) -> Result<u16, Malformed> {
        self.take().map(u16::from_le_bytes)
    }

    fn i16(&mut self) -> Result<i16, Malformed> {
        self.take().map(i16::from_le_bytes)
    }

    fn person(&mut self) -> Result<PersonId, Malformed> {
        self.take::<16>().map(|id| person(&id))
    }

    fn pairs(&mut self) -> Result<Vec<(PersonId, i16)>, Malformed> {
        (0..self.u16()?)
            .map(|_| Ok((self.person()?, self.i16()?)))
            .collect()
    }

    fn text(&mut self) -> Result<String, Malformed> {
        let length = usize::from(self.u16()?);
        let (text, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).map_err(|_| Malformed)
    }

    fn finding(&mut self) -> Result<Finding, Malformed> {
        Ok(Finding {
            person: self.person()?,
            symptoms: Symptoms::from_bits(self.take().map(i32::from_le_bytes)?),
            temperature: self.i16()?,
            onset: Day::from_number(self.u16()?),
            disease: self.i16()?,
            onset_place: self.u8()?,
            seen_doctor: self.u8()? != 0,
            severe: self.u8()?,
            other: self.text()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::health::symptom::Symptom;

    fn finding(number: u8) -> Finding {
        Finding {
            person: PersonId([number; 16]),
            symptoms: [Symptom::Cough, Symptom::Other].into_iter().collect(),
            other: "耳痛".to_owned(),
            temperature: 372,
            onset: Day::from_number(8123),
            onset_place: 1,
            seen_doctor: true,
            disease: 2,
            severe: 0,
        }
    }

    fn content() -> Content {
        Content {
            counts: Counts {
                roll: 45,
                present: 43,
                absent: 2,
                ill_absent: 1,
            },
            findings: vec![finding(1), finding(2)],
            readings: vec![(PersonId([1; 16]), 372), (PersonId([3; 16]), 365)],
            absences: vec![(PersonId([4; 16]), 1)],
            public_event: false,
            group_illness: true,
        }
    }

    #[test]
    fn content_survives_packing_and_the_order_of_people_says_nothing() {
        let content = content();
        assert_eq!(Content::unpack(&content.pack()), Ok(content.clone()));
        let mut turned = content.clone();
        turned.findings.reverse();
        turned.readings.reverse();
        assert_eq!(turned.digest(), content.digest());
        assert_eq!(
            Content::unpack(&Content::default().pack()),
            Ok(Content::default())
        );
    }

    #[test]
    fn no_cut_of_packed_content_is_content() {
        let packed = content().pack();
        for end in 0..packed.len() {
            assert_eq!(Content::unpack(&packed[..end]), Err(Malformed), "{end}");
        }
        let longer = [packed.as_slice(), &[0]].concat();
        assert_eq!(Content::unpack(&longer), Err(Malformed));
    }
}
