//! Contents of unchanged files, packed into few large files: a tree has many small ones.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::contents::{ContentId, Hashing};

/// Speed counts here, for every file of a tree goes through.
const LEVEL: i32 = 1;
/// Up to this size a file is compressed in one piece.
const SMALL: u64 = 1 << 20;

/// Where a content lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spot {
    pack: usize,
    start: u64,
    length: u64,
}

pub(crate) fn pack_path(directory: &Path, pack: usize) -> PathBuf {
    directory.join(format!("contents-{pack}.pack"))
}

/// Writes a pack.
pub(crate) struct Pack {
    number: usize,
    to: BufWriter<File>,
    end: u64,
    compressor: zstd::bulk::Compressor<'static>,
    buffer: Vec<u8>,
}

/// What was read of a file.
pub(crate) struct Packed {
    pub(crate) spot: Spot,
    pub(crate) content: ContentId,
    pub(crate) size: u64,
}

impl Pack {
    pub(crate) fn create(directory: &Path, number: usize) -> io::Result<Self> {
        Ok(Self {
            number,
            to: BufWriter::with_capacity(1 << 20, File::create(pack_path(directory, number))?),
            end: 0,
            compressor: zstd::bulk::Compressor::new(LEVEL)?,
            buffer: Vec::new(),
        })
    }

    /// Reads a file once: into the pack, and into a copy if there is one.
    pub(crate) fn add(
        &mut self,
        mut from: impl Read,
        size: u64,
        copy: Option<&mut File>,
    ) -> io::Result<Packed> {
        if size > SMALL {
            return self.add_large(from, copy);
        }
        self.buffer.clear();
        // What has grown meanwhile is read to its end all the same: the copy is what was read.
        from.read_to_end(&mut self.buffer)?;
        if let Some(copy) = copy {
            copy.write_all(&self.buffer)?;
        }
        let compressed = self.compressor.compress(&self.buffer)?;
        self.to.write_all(&compressed)?;
        let content = ContentId::of(&self.buffer);
        Ok(self.packed(compressed.len() as u64, content, self.buffer.len() as u64))
    }

    fn add_large(&mut self, mut from: impl Read, copy: Option<&mut File>) -> io::Result<Packed> {
        let mut counted = Counted { to: &mut self.to, count: 0 };
        let mut encoder = zstd::Encoder::new(&mut counted, LEVEL)?;
        let mut hashing = Hashing { to: &mut encoder, hasher: blake3::Hasher::new() };
        let size = match copy {
            Some(copy) => io::copy(&mut Tee { from, to: copy }, &mut hashing)?,
            None => io::copy(&mut from, &mut hashing)?,
        };
        let content = ContentId::of_hasher(&hashing.hasher);
        encoder.finish()?;
        let length = counted.count;
        Ok(self.packed(length, content, size))
    }

    fn packed(&mut self, length: u64, content: ContentId, size: u64) -> Packed {
        let spot = Spot { pack: self.number, start: self.end, length };
        self.end += length;
        Packed { spot, content, size }
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Opens a content of a pack.
pub(crate) fn open(directory: &Path, spot: Spot) -> io::Result<impl Read + use<>> {
    let mut file = File::open(pack_path(directory, spot.pack))?;
    file.seek(SeekFrom::Start(spot.start))?;
    zstd::Decoder::new(file.take(spot.length))
}

struct Counted<W> {
    to: W,
    count: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Copies what is read.
struct Tee<R, W> {
    from: R,
    to: W,
}

impl<R: Read, W: Write> Read for Tee<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.to.write_all(&buffer[..read])?;
        Ok(read)
    }
}
