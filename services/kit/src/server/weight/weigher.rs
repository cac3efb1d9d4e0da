//! Weighs messages as their bytes pass, however these are cut.

use super::shapes;

/// A flag and a length stand before each message.
const HEAD: usize = 5;
/// Messages nest less deep; those that nest deeper are refused when they are read.
const DEPTH: usize = 100;

/// How far the message is that passes now, and how much memory it takes up by now.
#[derive(Debug)]
pub(super) struct Weigher {
    /// What each message is.
    input: usize,
    head: [u8; HEAD],
    /// How many bytes of the head have passed.
    known: usize,
    /// How many bytes of the message are to come.
    missing: usize,
    /// How many of its bytes have passed.
    at: usize,
    /// The messages that the next byte is in, the innermost last.
    open: Vec<Open>,
    /// How many groups it is in: nobody knows any.
    groups: usize,
    next: Next,
    weight: usize,
    /// The weight of the heaviest message before.
    heaviest: usize,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    message: usize,
    /// Where it is over.
    end: usize,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug)]
enum Next {
    Tag(Number),
    Value(Number),
    /// The length of a field.
    Length(usize, Number),
    /// So many bytes mean nothing here.
    Skip(usize),
}

/// A number of which each byte has seven bits.
#[derive(Clone, Copy, Debug, Default)]
struct Number {
    value: u64,
    bits: u32,
}

impl Number {
    /// The number, once this byte is its last one.
    fn push(&mut self, byte: u8) -> Option<usize> {
        let part = u64::from(byte & 0x7f);
        self.value |= part.checked_shl(self.bits).unwrap_or_default();
        self.bits += 7;
        let is_whole = byte < 0x80 || self.bits >= 70;
        is_whole.then(|| usize::try_from(self.value).unwrap_or(usize::MAX))
    }
}

impl Next {
    fn tag() -> Self {
        Self::Tag(Number::default())
    }

    fn after(skipped: usize) -> Self {
        match skipped {
            0 => Self::tag(),
            some => Self::Skip(some),
        }
    }
}

impl Weigher {
    /// Weighs messages that are `input`.
    pub(super) fn of(input: usize) -> Self {
        Self {
            input,
            head: [0; HEAD],
            known: 0,
            missing: 0,
            at: 0,
            open: Vec::new(),
            groups: 0,
            next: Next::tag(),
            weight: 0,
            heaviest: 0,
        }
    }

    /// How much memory what a message repeats takes up, in bytes: of the heaviest one that has passed by now.
    pub(super) fn weight(&self) -> usize {
        self.heaviest.max(self.weight)
    }

    /// These bytes passed.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = if self.missing == 0 {
                self.begin(bytes)
            } else {
                let part = &bytes[..bytes.len().min(self.missing)];
                let taken = self.step(part);
                self.missing -= taken;
                self.at += taken;
                while self.open.last().is_some_and(|open| open.end <= self.at) {
                    self.open.pop();
                }
                taken
            };
            bytes = &bytes[taken..];
        }
    }

    /// Reads what stands before a message; how many bytes that took.
    fn begin(&mut self, bytes: &[u8]) -> usize {
        let part = bytes.len().min(HEAD - self.known);
        self.head[self.known..self.known + part].copy_from_slice(&bytes[..part]);
        self.known += part;
        if self.known == HEAD {
            let [flag, length @ ..] = self.head;
            let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
            (self.known, self.missing, self.at) = (0, length, 0);
            self.heaviest = self.weight();
            (self.groups, self.weight) = (0, 0);
            self.open.clear();
            self.open.push(Open {
                message: self.input,
                end: length,
            });
            // What is compressed is not taken by anybody.
            self.next = if flag == 0 {
                Next::tag()
            } else {
                Next::after(length)
            };
        }
        part
    }

    /// Reads on in a message; how many of the bytes, of which there is one at least, that took.
    fn step(&mut self, bytes: &[u8]) -> usize {
        let first = bytes[0];
        match &mut self.next {
            Next::Skip(left) => {
                let taken = bytes.len().min(*left);
                self.next = Next::after(*left - taken);
                return taken;
            }
            Next::Tag(number) => {
                let tag = number.push(first);
                if let Some(tag) = tag {
                    self.next = self.tagged(tag);
                }
            }
            Next::Value(number) => {
                if number.push(first).is_some() {
                    self.next = Next::tag();
                }
            }
            Next::Length(field, number) => {
                let (field, length) = (*field, number.push(first));
                if let Some(length) = length {
                    self.next = self.long(field, length);
                }
            }
        }
        1
    }

    /// A field begins.
    fn tagged(&mut self, tag: usize) -> Next {
        let (field, kind) = (tag >> 3, tag & 7);
        if let 0 | 1 | 5 = kind {
            let each = self.field(field).map_or(0, |field| field.each);
            self.weight = self.weight.saturating_add(each);
        }
        match kind {
            0 => Next::Value(Number::default()),
            1 => Next::Skip(8),
            2 => Next::Length(field, Number::default()),
            3 => {
                self.groups += 1;
                Next::tag()
            }
            4 => {
                self.groups = self.groups.saturating_sub(1);
                Next::tag()
            }
            5 => Next::Skip(4),
            // No message: it is refused when it is read.
            _ => Next::Skip(usize::MAX),
        }
    }

    /// A field of this length begins behind the byte that passes now.
    fn long(&mut self, field: usize, length: usize) -> Next {
        let Some(field) = self.field(field) else {
            return Next::after(length);
        };
        let packed = field.of_a_byte.saturating_mul(length);
        self.weight = self
            .weight
            .saturating_add(field.each)
            .saturating_add(packed);
        match field.message {
            Some(message) if self.open.len() < DEPTH => {
                let end = self.at.saturating_add(1).saturating_add(length);
                self.open.push(Open { message, end });
                Next::tag()
            }
            _ => Next::after(length),
        }
    }

    fn field(&self, number: usize) -> Option<shapes::Field> {
        let open = self.open.last().filter(|_| self.groups == 0)?;
        shapes::field(open.message, number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;
    use proto::safety::{OfflineDecision, RecordBatchRequest};

    use super::*;

    fn weigher() -> Weigher {
        let input = shapes::taken_at("/campus.safety.v1.GateService/RecordBatch");
        Weigher::of(input.unwrap().1)
    }

    fn framed(message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).unwrap();
        [&[0][..], &length.to_be_bytes(), message].concat()
    }

    fn batch(count: usize) -> Vec<u8> {
        let decision = OfflineDecision {
            client_id: "a".repeat(count),
            observation: Some(Default::default()),
            decide_time: Some(Default::default()),
            ..Default::default()
        };
        let batch = RecordBatchRequest {
            parent: "organizations/1".to_owned(),
            decisions: vec![decision; count],
            ..Default::default()
        };
        framed(&batch.encode_to_vec())
    }

    fn one() -> usize {
        let input = shapes::taken_at("/campus.safety.v1.GateService/RecordBatch");
        shapes::field(input.unwrap().1, 3).unwrap().each
    }

    #[test]
    fn two_bytes_cost_what_they_mean() {
        let mut weigher = weigher();
        weigher.pass(&framed(&[0x1a, 0].repeat(1_000)));
        assert_eq!(weigher.weight(), 1_000 * one());
        weigher.pass(&framed(&[0x1a, 0].repeat(10)));
        assert_eq!(weigher.weight(), 1_000 * one(), "messages are not added up");
    }

    #[test]
    fn what_is_unknown_costs_nothing() {
        let mut weigher = weigher();
        let unknown = [0xfa, 0x7f, 4, 0x1a, 0, 0x1a, 0];
        let group = [0xf3, 0x7f, 0x1a, 0, 0x1a, 0, 0xf4, 0x7f];
        weigher.pass(&framed(&[&unknown[..], &group, &[0x1a, 0]].concat()));
        assert_eq!(weigher.weight(), one());
    }

    proptest! {
        #[test]
        fn however_bytes_are_cut_the_heaviest_message_counts(
            counts in prop::collection::vec(0_usize..20, 1..5),
            cuts in prop::collection::vec(1_usize..40, 1..60),
        ) {
            let most = counts.iter().copied().max().unwrap();
            let bytes: Vec<u8> = counts.into_iter().flat_map(batch).collect();
            let (mut weigher, mut passed) = (weigher(), 0);
            for cut in cuts {
                let end = (passed + cut).min(bytes.len());
                weigher.pass(&bytes[passed..end]);
                passed = end;
            }
            weigher.pass(&bytes[passed..]);
            prop_assert_eq!(weigher.weight(), most * one());
        }

        #[test]
        fn whatever_passes_is_taken(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut weigher = weigher();
            weigher.pass(&framed(&bytes));
            weigher.pass(&bytes);
        }
    }
}
