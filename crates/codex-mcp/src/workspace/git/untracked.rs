//! Files that git does not track, as a diff would show them once they were added. They are read here: git has no
//! command that shows many of them without writing the index.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

use super::path::{Pathspec, quoted, shown};
use super::repository::Repository;
use super::{Git, GitError, Status, Whole, words};

/// How many files are listed at most.
const MAX_FILES: usize = 2_000;
/// How many folders are looked into at most: their names have to fit a command line.
const MAX_FOLDERS: usize = 400;
/// How much git may write to list them.
const MAX_LIST_BYTES: u64 = 1 << 20;
/// The largest file whose content is shown.
const MAX_FILE_BYTES: u64 = 256 << 10;
/// How much of a file is looked at to tell whether it is a text, as git does.
const PROBED_BYTES: usize = 8_000;

/// A file that git does not track.
pub(super) struct NewFile {
    pub(super) path: Vec<u8>,
    /// How many lines it has, if it was read and is a text.
    pub(super) lines: Option<u64>,
    pub(super) content: Content,
    pub(super) is_lossy: bool,
}

/// What is known of what is in it.
pub(super) enum Content {
    /// Its diff.
    Read(String),
    NotWanted,
    /// Why there is none.
    LeftOut(&'static str),
}

/// How much of the content is wanted.
#[derive(Clone, Copy)]
pub(super) enum Room {
    Bytes(usize),
    NotWanted,
}

/// The untracked files of a status, with those in folders that git names as a whole; and whether that are all.
pub(super) async fn read(
    git: &Git,
    repository: &Repository,
    status: &Status,
    mut room: Room,
) -> Result<(Vec<NewFile>, Whole), GitError> {
    let untracked = status.entries.iter().filter(|entry| entry.is_untracked());
    let (folders, mut paths): (Vec<_>, Vec<_>) =
        untracked.map(|entry| entry.path.clone()).partition(|path| path.ends_with(b"/"));
    let mut whole = if status.beyond == 0 { Whole::Yes } else { Whole::No };
    if folders.len() > MAX_FOLDERS {
        whole = Whole::No;
    }
    if !folders.is_empty() {
        let mut list = words(["ls-files", "-z", "--others", "--exclude-standard", "--"]);
        let folders = folders.iter().take(MAX_FOLDERS);
        list.extend(folders.map(|folder| Pathspec::of_path(folder).argument()));
        let mut found = Vec::new();
        let listed = git
            .stream(repository.place(), &list, MAX_LIST_BYTES, |chunk| {
                found.extend_from_slice(chunk);
            })
            .await?;
        if listed == Whole::No {
            whole = Whole::No;
            // The last name may not be whole either.
            found.truncate(memchr::memrchr(0, &found).unwrap_or(0));
        }
        let names = found.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        paths.extend(names.map(<[u8]>::to_vec));
    }
    if paths.len() > MAX_FILES {
        whole = Whole::No;
        paths.truncate(MAX_FILES);
    }
    let top = repository.top.clone();
    let files = tokio::task::spawn_blocking(move || {
        let file = |path: Vec<u8>| {
            let file = new_file(&top, path, room);
            if let (Content::Read(patch), Room::Bytes(left)) = (&file.content, &mut room) {
                *left -= patch.len();
            }
            file
        };
        paths.into_iter().map(file).collect()
    });
    let files = files.await.map_err(|_panicked| GitError::unreadable("ls-files"))?;
    Ok((files, whole))
}

fn new_file(top: &Path, path: Vec<u8>, room: Room) -> NewFile {
    let Room::Bytes(room) = room else {
        return NewFile { path, lines: None, content: Content::NotWanted, is_lossy: false };
    };
    let (mode, bytes) = match content(&top.join(OsStr::from_bytes(&path))) {
        Ok(found) => found,
        Err(reason) => {
            return NewFile {
                path,
                lines: None,
                content: Content::LeftOut(reason),
                is_lossy: false,
            };
        }
    };
    let mut patch = header(&path, mode);
    let (mut lines, mut is_lossy) = (None, false);
    if bytes[..bytes.len().min(PROBED_BYTES)].contains(&0) {
        patch += &format!("Binary files /dev/null and {} differ\n", name("b/", &path));
    } else {
        let text = String::from_utf8_lossy(&bytes);
        is_lossy = matches!(text, Cow::Owned(_));
        lines = Some(text.split_inclusive('\n').count() as u64);
        patch += &hunk(&path, &text);
    }
    let content = match patch.len() <= room {
        true => Content::Read(patch),
        false => Content::LeftOut("the diff is too long already"),
    };
    NewFile { path, lines, content, is_lossy }
}

/// The mode and the bytes of a file or a link; nothing is followed, and nothing that could block is opened.
fn content(file: &Path) -> Result<(&'static str, Vec<u8>), &'static str> {
    let metadata = fs::symlink_metadata(file).map_err(|_gone| "it cannot be read")?;
    if metadata.is_symlink() {
        let target = fs::read_link(file).map_err(|_gone| "it cannot be read")?;
        return Ok(("120000", OsString::from(target).as_bytes().to_vec()));
    }
    if metadata.is_dir() {
        return Err("it is another repository");
    }
    if !metadata.is_file() {
        return Err("it is no regular file");
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err("it has more than 256 KiB");
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let opened: Result<File, _> = OpenOptions::new().read(true).custom_flags(flags).open(file);
    let mut bytes = Vec::new();
    let read = opened.and_then(|opened| opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|_unreadable| "it cannot be read")?;
    let is_executable = metadata.permissions().mode() & 0o100 != 0;
    Ok((if is_executable { "100755" } else { "100644" }, bytes))
}

fn header(path: &[u8], mode: &str) -> String {
    let (before, after) = (name("a/", path), name("b/", path));
    format!("diff --git {before} {after}\nnew file mode {mode}\n")
}

fn hunk(path: &[u8], text: &str) -> String {
    let count = text.split_inclusive('\n').count();
    if count == 0 {
        return String::new();
    }
    let range = if count == 1 { "1".to_owned() } else { format!("1,{count}") };
    // Git marks the end of a name with spaces in it.
    let name = name("b/", path);
    let end = if name.contains(' ') && !name.starts_with('"') { "\t" } else { "" };
    let mut hunk = format!("--- /dev/null\n+++ {name}{end}\n@@ -0,0 +{range} @@\n");
    for line in text.split_inclusive('\n') {
        hunk.push('+');
        hunk.push_str(line);
    }
    if !text.ends_with('\n') {
        hunk.push_str("\n\\ No newline at end of file\n");
    }
    hunk
}

/// A name in a diff; git quotes all of it, the prefix too.
fn name(prefix: &str, path: &[u8]) -> String {
    let whole = [prefix.as_bytes(), path].concat();
    match path.is_ascii() && !path.contains(&b'\\') && shown(path).as_bytes() == path {
        true => String::from_utf8_lossy(&whole).into_owned(),
        false => quoted(&whole),
    }
}
