//! Bytes of unknown encoding as UTF-8.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use encoding_rs::{Decoder, DecoderResult, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

const CHUNK: usize = 64 << 10;

/// The encoding of a file: by its mark, else UTF-8 when every byte fits, else GB18030.
pub(super) fn sniff(path: &Path) -> io::Result<&'static Encoding> {
    let mut file = File::open(path)?;
    let mut raw = vec![0; CHUNK];
    let mut decoder = UTF_8.new_decoder_without_bom_handling();
    let mut out = vec![0; CHUNK * 4];
    let mut first = true;
    loop {
        let length = file.read(&mut raw)?;
        let bytes = raw.get(..length).unwrap_or_default();
        if std::mem::take(&mut first)
            && let Some((encoding, _)) = Encoding::for_bom(bytes)
            && (encoding == UTF_16LE || encoding == UTF_16BE)
        {
            return Ok(encoding);
        }
        let (result, _, _) =
            decoder.decode_to_utf8_without_replacement(bytes, &mut out, length == 0);
        match result {
            DecoderResult::Malformed(..) => return Ok(GB18030),
            DecoderResult::InputEmpty if length == 0 => return Ok(UTF_8),
            DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
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
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let decoder = sniff(path)?.new_decoder_with_bom_removal();
        let inner = BufReader::new(File::open(path)?);
        Ok(Self {
            inner,
            decoder,
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
        into[..length].copy_from_slice(&rest[..length]);
        self.given += length;
        Ok(length)
    }
}
