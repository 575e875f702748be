//! A tree of files as data, and a place for it on disk.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use change_set::{
    ApplyError, Change, Collected, Contents, Fit, Root, Rules, Scratch, Scratches, Source, Step,
    apply, fit,
};

/// One file or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    File(u32, Vec<u8>),
    Link(String),
}

/// All files and links by their paths. Directories that have none count for nothing.
pub(crate) type Tree = BTreeMap<String, Node>;

pub(crate) fn file(text: &str) -> Node {
    Node::File(0o644, text.as_bytes().to_vec())
}

pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
    files.iter().map(|(path, text)| ((*path).to_owned(), file(text))).collect()
}

pub(crate) fn write(tree: &Tree, to: &Path) {
    for (path, node) in tree {
        put(to, path, node);
    }
}

/// Puts one file into a tree, whatever is there; nothing if there is no way.
pub(crate) fn put(to: &Path, path: &str, node: &Node) {
    let path = to.join(path);
    let _ = fs::create_dir_all(path.parent().unwrap());
    let _ = fs::remove_file(&path);
    match node {
        Node::File(mode, bytes) => {
            if fs::write(&path, bytes).is_ok() {
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
            }
        }
        Node::Link(target) => {
            let _ = symlink(target, &path);
        }
    }
}

pub(crate) fn read(from: &Path) -> Tree {
    let mut tree = Tree::new();
    visit(from, from, &mut tree);
    tree
}

fn visit(root: &Path, folder: &Path, tree: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let found = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if name == ".git" {
            continue;
        }
        if found.is_dir() {
            visit(root, &path, tree);
        } else if found.is_symlink() {
            let target = fs::read_link(&path).unwrap().to_str().unwrap().to_owned();
            tree.insert(name, Node::Link(target));
        } else if found.is_file() {
            let mode = found.permissions().mode() & 0o777;
            tree.insert(name, Node::File(mode, fs::read(&path).unwrap()));
        }
    }
}

/// A workspace with room for everything that is made of it.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) contents: Contents,
    pub(crate) scratches: Scratches,
    pub(crate) rules: Rules,
}

impl Place {
    pub(crate) fn new(tree: &Tree) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let contents = Contents::new(folder.path().join("contents"));
        let scratches = Scratches::new(folder.path().join("scratch"));
        let rules = Rules { max_files: 10_000, max_bytes: 1 << 30, ..Rules::default() };
        let place = Self { folder, contents, scratches, rules };
        fs::create_dir(place.path()).unwrap();
        write(tree, &place.path());
        place
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    pub(crate) fn outside(&self) -> PathBuf {
        self.folder.path().join("outside")
    }

    pub(crate) fn journals(&self) -> PathBuf {
        self.folder.path().join("journals")
    }

    pub(crate) fn root(&self) -> Root {
        Root::hold(&self.path()).unwrap()
    }

    pub(crate) fn scratch(&self) -> Scratch {
        let tree = self.root();
        let source = Source { tree: &tree, rules: &self.rules, owner: "me", give_up: &|| false };
        self.scratches.create("one", &source).unwrap()
    }

    pub(crate) fn collect(&self, scratch: &Scratch) -> Collected {
        let tree = Root::hold(&scratch.tree()).unwrap();
        scratch.snapshot().unwrap().collect(&tree, &self.rules, &self.contents).unwrap()
    }

    /// What would be done to the workspace for these changes; all must fit.
    pub(crate) fn steps(&self, changes: &[Change]) -> Vec<Step> {
        let root = self.root();
        let step = |change| {
            let planned = fit(&root, &self.contents, change).unwrap();
            assert!(matches!(planned.fit, Fit::Clean | Fit::Applied | Fit::Merged), "{planned:?}");
            planned.step
        };
        changes.iter().filter_map(step).collect()
    }

    pub(crate) fn apply(&self, steps: &[Step]) -> Result<(), ApplyError> {
        self.apply_watched(steps, &mut || {})
    }

    pub(crate) fn apply_watched(
        &self,
        steps: &[Step],
        watch: &mut dyn FnMut(),
    ) -> Result<(), ApplyError> {
        apply(&self.root(), &self.journals(), "a1", steps, &self.contents, watch)
    }
}

pub(crate) fn reversed(steps: &[Step]) -> Vec<Step> {
    steps.iter().map(Step::reversed).collect()
}
