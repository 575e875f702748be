//! `cargo xtask tools`: the pinned programs that the tests run against.
//!
//! An installation lives in `.tools/installed-<hash of the lock file>/` and gets that name only once it is whole;
//! `.tools/node_modules` is a link to the one in force. So a run that was cut off leaves nothing half-made in use, a
//! second run has nothing to do, and the step from one installation to the next is a single rename. Nothing outside
//! `.tools/` is written, and no script of an installed package is run.

mod lockfile;
mod npm;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::workspace::Workspace;
use lockfile::Lockfile;

/// Brings `.tools/node_modules` to what `tools/package-lock.json` says. Does nothing when it is already there.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let lockfile = Lockfile::read(&workspace.tools_manifest())?;
    let folder =
        Folder { root: workspace.tools(), current: format!("installed-{}", lockfile.stamp()) };
    if folder.is_up_to_date() {
        return Ok(());
    }
    fs::create_dir_all(&folder.root)
        .with_context(|| format!("cannot create {}", folder.root.display()))?;
    // Two runs at once would fill the same staging folder. The system releases the lock when the holder dies.
    let _lock = folder.lock()?;
    if !folder.current().exists() {
        install(workspace, &lockfile, &folder)?;
    }
    folder.link().context("cannot point .tools/node_modules to the new installation")?;
    folder.prune().context("cannot remove an older installation from .tools")?;
    println!("installed the pinned tools in {}", folder.current().display());
    Ok(())
}

/// Installs into a staging folder, makes sure that nothing is missing, and gives it its final name.
fn install(workspace: &Workspace, lockfile: &Lockfile, folder: &Folder) -> Result<()> {
    npm::require_node_and_npm(workspace)?;
    let staging = folder.root.join("staging");
    remove(&staging)?;
    fs::create_dir(&staging).with_context(|| format!("cannot create {}", staging.display()))?;
    for name in ["package.json", "package-lock.json"] {
        let from = workspace.tools_manifest().join(name);
        fs::copy(&from, staging.join(name))
            .with_context(|| format!("cannot copy {}", from.display()))?;
    }
    npm::clean_install(workspace, &staging)?;
    lockfile.verify(&staging)?;
    let current = folder.current();
    fs::rename(&staging, &current)
        .with_context(|| format!("cannot rename to {}", current.display()))
}

/// `.tools/` and the name of the installation that should be in force.
#[derive(Debug)]
struct Folder {
    root: PathBuf,
    current: String,
}

impl Folder {
    fn current(&self) -> PathBuf {
        self.root.join(&self.current)
    }

    fn node_modules(&self) -> PathBuf {
        self.root.join("node_modules")
    }

    /// The target of `node_modules`, relative, so that the checkout can be moved.
    fn link_target(&self) -> PathBuf {
        Path::new(&self.current).join("node_modules")
    }

    fn is_up_to_date(&self) -> bool {
        let linked =
            fs::read_link(self.node_modules()).is_ok_and(|target| target == self.link_target());
        linked && self.node_modules().is_dir()
    }

    fn lock(&self) -> Result<File> {
        let path = self.root.join("lock");
        let file =
            File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(file)
    }

    /// Replaces `node_modules` by a link to the current installation in one rename.
    fn link(&self) -> io::Result<()> {
        let next = self.root.join("node_modules.next");
        remove(&next)?;
        symlink(self.link_target(), &next)?;
        let node_modules = self.node_modules();
        // A link cannot be renamed over a real directory, which is what `npm ci` typed by hand leaves here.
        if fs::symlink_metadata(&node_modules).is_ok_and(|metadata| metadata.is_dir()) {
            fs::rename(&node_modules, self.root.join("installed-by-hand"))?;
        }
        fs::rename(next, node_modules)
    }

    /// Removes every installation but the current one: each weighs about a gigabyte.
    fn prune(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.root)? {
            let name = entry?.file_name();
            let is_installation = name.to_string_lossy().starts_with("installed-");
            if is_installation && name != *self.current {
                remove(&self.root.join(name))?;
            }
        }
        Ok(())
    }
}

/// Removes a file, a link or a folder with what it holds; a missing one is fine.
fn remove(path: &Path) -> io::Result<()> {
    let result = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `.tools` with one finished installation, and whatever `prepare` puts beside it.
    fn folder(prepare: impl FnOnce(&Path)) -> (tempfile::TempDir, Folder) {
        let directory = tempfile::tempdir().unwrap();
        prepare(directory.path());
        let folder =
            Folder { root: directory.path().to_owned(), current: "installed-new".to_owned() };
        fs::create_dir_all(folder.current().join("node_modules")).unwrap();
        (directory, folder)
    }

    #[track_caller]
    fn check_switch(prepare: impl FnOnce(&Path)) {
        let (directory, folder) = folder(prepare);
        assert!(!folder.is_up_to_date());
        folder.link().unwrap();
        folder.prune().unwrap();
        assert!(folder.is_up_to_date());
        let mut left: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["installed-new", "node_modules"]);
    }

    #[test]
    fn a_first_installation_is_linked() {
        check_switch(|_| ());
    }

    #[test]
    fn an_older_installation_is_replaced_and_removed() {
        check_switch(|root| {
            fs::create_dir_all(root.join("installed-old/node_modules")).unwrap();
            symlink("installed-old/node_modules", root.join("node_modules")).unwrap();
        });
    }

    #[test]
    fn a_directory_made_by_hand_is_replaced_and_removed() {
        check_switch(|root| fs::create_dir_all(root.join("node_modules/left-pad")).unwrap());
    }

    #[test]
    fn a_link_to_elsewhere_is_replaced_and_its_target_kept() {
        let elsewhere = tempfile::tempdir().unwrap();
        check_switch(|root| symlink(elsewhere.path(), root.join("node_modules")).unwrap());
        assert!(elsewhere.path().is_dir());
    }

    #[test]
    fn a_link_whose_installation_is_gone_is_not_up_to_date() {
        let (_directory, folder) = folder(|_| ());
        folder.link().unwrap();
        fs::remove_dir_all(folder.current()).unwrap();
        assert!(!folder.is_up_to_date());
    }
}
