//! Contents of files by what they are: each once, compressed, under its hash.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// zstd's own default.
const LEVEL: i32 = 3;

/// Tells the contents apart that this process writes.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The BLAKE3 hash of a content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentId([u8; 32]);

impl ContentId {
    /// The name of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    pub(crate) fn of_hasher(hasher: &blake3::Hasher) -> Self {
        Self(*hasher.finalize().as_bytes())
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ContentId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_not_hex| ())?;
        bytes.try_into().map(Self).map_err(|_length| ())
    }
}

impl Serialize for ContentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|()| D::Error::custom(format!("{text:?} is no hash")))
    }
}

/// A directory of contents. Several processes may use it at once.
#[derive(Clone, Debug)]
pub struct Contents(PathBuf);

impl Contents {
    /// Uses a directory, which is made when something is put into it.
    #[must_use]
    pub fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    /// Keeps some bytes. They are safe when this returns.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn put(&self, bytes: &[u8]) -> io::Result<ContentId> {
        let id = ContentId::of(bytes);
        self.put_as(id, bytes)?;
        Ok(id)
    }

    /// Keeps what a reader gives, which is known to be `id`; something else is an error.
    pub(crate) fn put_as(&self, id: ContentId, mut from: impl Read) -> io::Result<()> {
        let path = self.path(id);
        if path.exists() {
            return Ok(());
        }
        let folder = path.parent().unwrap_or(&self.0);
        fs::create_dir_all(folder)?;
        // Whoever else keeps the same content at the same time, in this process or another, has another number.
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let temporary = folder.join(format!("{id}.{process}.{number}.new"));
        let mut encoder = zstd::Encoder::new(File::create(&temporary)?, LEVEL)?;
        let mut hasher = Hashing { to: &mut encoder, hasher: blake3::Hasher::new() };
        let copied = io::copy(&mut from, &mut hasher);
        let found = ContentId::of_hasher(&hasher.hasher);
        let file = copied.and_then(|_| encoder.finish());
        let kept = file.and_then(|file| file.sync_all()).and_then(|()| match found == id {
            true => fs::rename(&temporary, &path),
            false => Err(io::Error::other("the file changed while it was read")),
        });
        if kept.is_err() {
            // What cannot be removed is removed with the next sweep.
            let _ = fs::remove_file(&temporary);
        }
        kept
    }

    /// Reads a content whole.
    ///
    /// # Errors
    /// It is not kept, or the directory cannot be read.
    pub fn get(&self, id: ContentId) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.copy(id, &mut bytes)?;
        Ok(bytes)
    }

    /// Writes a content piece by piece. What was written before it is found to be damaged is of no use.
    pub(crate) fn copy(&self, id: ContentId, to: impl Write) -> io::Result<()> {
        let mut from = zstd::Decoder::new(File::open(self.path(id))?)?;
        let mut to = Hashing { to, hasher: blake3::Hasher::new() };
        io::copy(&mut from, &mut to)?;
        match ContentId::of_hasher(&to.hasher) == id {
            true => Ok(()),
            false => Err(io::Error::other(format!("the kept content {id} is damaged"))),
        }
    }

    /// Whether a content is kept.
    #[must_use]
    pub fn has(&self, id: ContentId) -> bool {
        self.path(id).exists()
    }

    /// Removes everything from before a time that nobody wants any more, and gives how much that was. What came later may
    /// be wanted by who has not said so yet.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn sweep(
        &self,
        before: SystemTime,
        wanted: impl Fn(ContentId) -> bool,
    ) -> io::Result<usize> {
        let mut removed = 0;
        for folder in list(&self.0)? {
            for file in list(&folder)? {
                let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let is_wanted = name.parse::<ContentId>().is_ok_and(&wanted);
                let kept_at = fs::metadata(&file).and_then(|file| file.modified());
                let is_old = kept_at.is_ok_and(|at| at < before);
                if !is_wanted && is_old && fs::remove_file(&file).is_ok() {
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    fn path(&self, id: ContentId) -> PathBuf {
        let name = id.to_string();
        self.0.join(&name[..2]).join(name)
    }
}

fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Hashes what passes.
pub(crate) struct Hashing<W> {
    pub(crate) to: W,
    pub(crate) hasher: blake3::Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
