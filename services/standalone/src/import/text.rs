//! Bytes of unknown encoding as UTF-8.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use encoding_rs::{Decoder, DecoderResult, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

const CHUNK: usize = 64 << 10;
/// So many good characters outweigh one broken byte in a file of UTF-8.
const GOOD_TO_BAD: u64 = 50;

/// The encoding of a file: by its mark, else UTF-8 when nearly every byte fits, else GB18030.
pub(super) fn sniff(path: &Path) -> io::Result<&'static Encoding> {
    let mut file = File::open(path)?;
    let mut raw = vec![0; CHUNK];
    let mut decoder = UTF_8.new_decoder_without_bom_handling();
    let mut out = vec![0; CHUNK * 4];
    let (mut first, mut wide, mut broken) = (true, 0_u64, 0_u64);
    loop {
        let length = file.read(&mut raw)?;
        let mut bytes = raw.get(..length).unwrap_or_default();
        if std::mem::take(&mut first)
            && let Some((encoding, _)) = Encoding::for_bom(bytes)
            && (encoding == UTF_16LE || encoding == UTF_16BE || encoding == UTF_8)
        {
            return Ok(encoding);
        }
        loop {
            let (result, read, written) =
                decoder.decode_to_utf8_without_replacement(bytes, &mut out, length == 0);
            let decoded = out.get(..written).unwrap_or_default();
            // The first bytes of characters of more than one byte.
            wide += decoded.iter().filter(|byte| **byte >= 0xc0).count() as u64;
            bytes = bytes.get(read..).unwrap_or_default();
            match result {
                DecoderResult::Malformed(..) => broken += 1,
                DecoderResult::OutputFull => {}
                DecoderResult::InputEmpty => break,
            }
        }
        if length == 0 {
            let utf8 = broken == 0 || wide / GOOD_TO_BAD >= broken;
            return Ok(if utf8 { UTF_8 } else { GB18030 });
        }
    }
}

/// A file as UTF-8 without a mark, in memory of one chunk.
pub(super) struct Utf8 {
    inner: BufReader<File>,
    decoder: Decoder,
    raw: Vec<u8>,
    out: Vec<u8>,
    given: usize,
    ended: bool,
}

impl Utf8 {
    pub(super) fn open(path: &Path, encoding: &'static Encoding) -> io::Result<Self> {
        Ok(Self {
            inner: BufReader::new(File::open(path)?),
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: vec![0; CHUNK],
            out: Vec::new(),
            given: 0,
            ended: false,
        })
    }

    fn fill(&mut self) -> io::Result<()> {
        let length = self.inner.read(&mut self.raw)?;
        self.ended = length == 0;
        let bytes = self.raw.get(..length).unwrap_or_default();
        let room = self
            .decoder
            .max_utf8_buffer_length(length)
            .unwrap_or(CHUNK * 4);
        self.out.resize(room, 0);
        let (_, _, written, _) = self
            .decoder
            .decode_to_utf8(bytes, &mut self.out, self.ended);
        self.out.truncate(written);
        self.given = 0;
        Ok(())
    }
}

impl Read for Utf8 {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.out.len() && !self.ended {
            self.fill()?;
        }
        let rest = self.out.get(self.given..).unwrap_or_default();
        let length = rest.len().min(into.len());
        if let (Some(into), Some(rest)) = (into.get_mut(..length), rest.get(..length)) {
            into.copy_from_slice(rest);
        }
        self.given += length;
        Ok(length)
    }
}
