//! Exported logs: pieces of an export, one after the other, each behind its length.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::Path;

use anyhow::{Context as _, bail};
use prost::Message;
use proto::audit::ExportRecordsResponse;

/// The largest piece that is read.
const PIECE: u32 = 64 << 20;

/// Writes pieces to a file.
#[derive(Debug)]
pub(crate) struct Writer(BufWriter<File>);

impl Writer {
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| path.display().to_string())?;
        Ok(Self(BufWriter::new(file)))
    }

    pub(crate) fn add(&mut self, piece: &ExportRecordsResponse) -> anyhow::Result<()> {
        let bytes = piece.encode_to_vec();
        let length = u32::try_from(bytes.len())?;
        self.0.write_all(&length.to_be_bytes())?;
        Ok(self.0.write_all(&bytes)?)
    }

    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let file = self.0.into_inner().map_err(|err| err.into_error())?;
        Ok(file.sync_all()?)
    }
}

/// Reads pieces from a file.
#[derive(Debug)]
pub(super) struct Pieces(BufReader<File>);

impl Pieces {
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        Ok(Self(BufReader::new(file)))
    }

    /// The next piece; none at the end.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<ExportRecordsResponse>> {
        let mut length = [0; 4];
        match self.0.read_exact(&mut length[..1]) {
            Ok(()) => self.0.read_exact(&mut length[1..])?,
            Err(err) if err.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            Err(err) => return Err(err.into()),
        }
        let length = u32::from_be_bytes(length);
        if length > PIECE {
            bail!("文件不是导出的审计日志 (not an exported audit log)");
        }
        let mut bytes = vec![0; length as usize];
        self.0.read_exact(&mut bytes)?;
        Ok(Some(ExportRecordsResponse::decode(bytes.as_slice())?))
    }
}
