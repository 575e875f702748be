//! `tools/package-lock.json`: what belongs into an installation on this platform.
//!
//! npm leaves out an optional package that it could not download and reports success. The programs under test are
//! such packages, one for each platform, so the result is compared with the lock file here. It never downloads.

use std::env::consts;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

/// The parsed lock file and the name that an installation made from it gets.
#[derive(Debug)]
pub(super) struct Lockfile {
    packages: Map<String, Value>,
    stamp: String,
}

impl Lockfile {
    /// Reads `package-lock.json` in `folder`.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("package-lock.json");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("cannot understand {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut lockfile: Value = serde_json::from_str(text)?;
        let Value::Object(packages) = lockfile["packages"].take() else {
            bail!("it has no object `packages`")
        };
        // The platform is part of the name: a checkout may be shared with a container of another kind.
        let stamp = format!("{}-{}-{:016x}", consts::OS, consts::ARCH, fnv1a(text.as_bytes()));
        Ok(Self { packages, stamp })
    }

    /// Names the platform and the exact content of the lock file: same stamp, same installation.
    pub(super) fn stamp(&self) -> &str {
        &self.stamp
    }

    /// Fails when a package that this platform should have is missing from `folder`, or has another version.
    pub(super) fn verify(&self, folder: &Path) -> Result<()> {
        let mut wrong = Vec::new();
        for (path, package) in &self.packages {
            // The empty path is the list itself.
            if path.is_empty() || !belongs_here(package) {
                continue;
            }
            if installed_version(&folder.join(path)).as_deref() != package["version"].as_str() {
                wrong.push(path.as_str());
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        bail!(
            "npm reported success but left out {}: run `cargo xtask tools` again, and if that does not help, \
             `npm cache verify` first",
            wrong.join(", ")
        )
    }
}

/// The version in the `package.json` of an installed package; none when it is not there.
fn installed_version(package: &Path) -> Option<String> {
    let text = fs::read_to_string(package.join("package.json")).ok()?;
    let manifest: Value = serde_json::from_str(&text).ok()?;
    manifest["version"].as_str().map(str::to_owned)
}

/// Whether npm installs this package on the platform that this program was built for.
///
/// An optional package that names no platform may serve only a package of another platform, and is not asked for.
fn belongs_here(package: &Value) -> bool {
    if package["optional"] == true && package["os"].is_null() && package["cpu"].is_null() {
        return false;
    }
    let os = if cfg!(target_os = "macos") { "darwin" } else { consts::OS };
    let cpu = match consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let libc = if cfg!(target_env = "musl") { "musl" } else { "glibc" };
    let admits = |field: &str, ours: &str| match &package[field] {
        Value::String(only) => only == ours,
        Value::Array(some) => some.iter().any(|one| one == ours),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    };
    admits("os", os) && admits("cpu", cpu) && (os != "linux" || admits("libc", libc))
}

/// The FNV-1a hash: short, and the same with every compiler, which the hasher of the standard library does not promise.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCKFILE: &str = r#"{"packages": {
        "": {"name": "tools"},
        "node_modules/everywhere": {"version": "1.0.0"},
        "node_modules/elsewhere": {"version": "1.0.0", "optional": true, "os": ["plan9"]},
        "node_modules/elsewhere-too": {"version": "1.0.0", "optional": true, "cpu": "pdp11"},
        "node_modules/for-elsewhere": {"version": "1.0.0", "optional": true}
    }}"#;

    fn install(folder: &Path, version: &str) {
        let package = folder.join("node_modules/everywhere");
        fs::create_dir_all(&package).unwrap();
        fs::write(package.join("package.json"), format!(r#"{{"version": "{version}"}}"#)).unwrap();
    }

    #[test]
    fn packages_of_other_platforms_may_be_missing() {
        let folder = tempfile::tempdir().unwrap();
        install(folder.path(), "1.0.0");
        Lockfile::parse(LOCKFILE).unwrap().verify(folder.path()).unwrap();
    }

    #[test]
    fn a_missing_package_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Lockfile::parse(LOCKFILE).unwrap().verify(folder.path()).unwrap_err();
        assert!(error.to_string().contains("left out node_modules/everywhere:"), "{error}");
    }

    #[test]
    fn a_package_of_another_version_is_named() {
        let folder = tempfile::tempdir().unwrap();
        install(folder.path(), "0.9.0");
        assert!(Lockfile::parse(LOCKFILE).unwrap().verify(folder.path()).is_err());
    }

    #[test]
    fn the_stamp_follows_the_content() {
        let other = LOCKFILE.replace("1.0.0", "1.0.1");
        assert_ne!(
            Lockfile::parse(LOCKFILE).unwrap().stamp(),
            Lockfile::parse(&other).unwrap().stamp()
        );
    }

    #[test]
    fn the_hash_is_fnv1a() {
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
