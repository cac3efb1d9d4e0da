//! Where a message of gRPC ends in the bytes of a stream.

/// A flag and a length stand before each message.
pub(super) const HEAD: usize = 5;

/// How far the message is that passes now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Framing {
    head: [u8; HEAD],
    /// How many bytes of the head have passed.
    known: usize,
    /// How many bytes of the message are to come.
    missing: usize,
}

impl Framing {
    /// These bytes passed.
    pub(super) fn pass(&mut self, bytes: &[u8]) {
        // No message is longer.
        let _ = self.pass_most(bytes, usize::MAX);
    }

    /// These bytes passed, up to the first message that is longer than `most`.
    ///
    /// # Errors
    /// With where that message begins in them: at 0 when it began before them.
    pub(super) fn pass_most(&mut self, bytes: &[u8], most: usize) -> Result<(), usize> {
        let (mut at, mut begun) = (0, 0);
        while at < bytes.len() {
            let left = &bytes[at..];
            let part = if self.missing > 0 {
                let part = left.len().min(self.missing);
                self.missing -= part;
                part
            } else {
                if self.known == 0 {
                    begun = at;
                }
                let part = left.len().min(HEAD - self.known);
                self.head[self.known..self.known + part].copy_from_slice(&left[..part]);
                self.known += part;
                if self.known == HEAD {
                    let [_, length @ ..] = self.head;
                    self.known = 0;
                    self.missing =
                        usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                    if self.missing > most {
                        return Err(begun);
                    }
                }
                part
            };
            at += part;
        }
        Ok(())
    }

    /// Whether the last message is whole.
    pub(super) fn is_between(&self) -> bool {
        self.known == 0 && self.missing == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn however_bytes_are_cut_only_ends_of_messages_are_between(
            lengths in prop::collection::vec(0_usize..300, 1..6),
            cuts in prop::collection::vec(1_usize..40, 1..60),
        ) {
            let (mut bytes, mut ends) = (Vec::new(), vec![0]);
            for length in lengths {
                bytes.push(0);
                bytes.extend(u32::try_from(length).unwrap().to_be_bytes());
                bytes.extend(vec![7; length]);
                ends.push(bytes.len());
            }
            let (mut framing, mut passed) = (Framing::default(), 0);
            for cut in cuts {
                let end = (passed + cut).min(bytes.len());
                framing.pass(&bytes[passed..end]);
                passed = end;
                prop_assert_eq!(framing.is_between(), ends.contains(&passed));
            }
            framing.pass(&bytes[passed..]);
            prop_assert!(framing.is_between());
        }
    }
}
