//! The options of git that keep a repository from having its way: with them its configuration cannot make git run a
//! program, reach the network, wait for a person or write a file.
//!
//! Two things need more than an option. Filters (`filter.<name>.clean`) have names of the repository's choosing and are
//! switched off one by one ([`filters_off`]). A submodule has a configuration of its own, which git would read in a
//! process of its own without these options; so submodules are compared by their commits alone (`--ignore-submodules=dirty`),
//! which needs neither. Who can write a repository's configuration while a call runs can slip a filter in between; but
//! they can as well wait for the user's own next `git status`.
//!
//! The user's own configuration holds: which folders are safe, what is ignored everywhere, their own filters.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// Variables of the user that git may have: where its own configuration is.
const PASSED: &[&str] =
    &["PATH", "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "TMPDIR"];

const SET: &[(&str, &str)] = &[
    ("LC_ALL", "C"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_PAGER", "cat"),
    // Objects that a partial clone lacks stay missing, and no other way leads out either.
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ALLOW_PROTOCOL", ""),
    ("GIT_SSH_COMMAND", "false"),
    ("GIT_ASKPASS", "false"),
    ("GIT_EDITOR", "false"),
    ("GIT_ATTR_NOSYSTEM", "0"),
];

const CONFIGURATION: &[(&str, &str)] = &[
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.pager", "cat"),
    ("core.sshCommand", "false"),
    ("core.askPass", "false"),
    ("core.editor", "false"),
    ("core.quotePath", "true"),
    ("credential.helper", ""),
    ("diff.external", ""),
    ("diff.orderFile", "/dev/null"),
    ("gpg.program", "false"),
    ("log.showSignature", "false"),
    ("protocol.allow", "never"),
    ("status.submoduleSummary", "false"),
    ("submodule.recurse", "false"),
];

/// Settings that stand above those of every file.
pub(super) type Overrides = Vec<(OsString, OsString)>;

/// What stands before the command.
pub(super) fn options() -> impl Iterator<Item = OsString> {
    ["--no-pager", "--no-optional-locks"].into_iter().map(OsString::from)
}

/// What git is told, given the user's variables. Settings go by the environment: in an option, a name with an equals sign
/// would end there.
pub(super) fn environment(
    variables: &[(OsString, OsString)],
    overrides: &Overrides,
) -> Vec<(OsString, OsString)> {
    let passed = variables.iter().filter(|(name, _)| PASSED.iter().any(|passed| name == passed));
    let own = |(name, value): &(&str, &str)| (OsString::from(name), OsString::from(value));
    let settings: Vec<_> = CONFIGURATION.iter().map(own).chain(overrides.iter().cloned()).collect();
    let count = (OsString::from("GIT_CONFIG_COUNT"), settings.len().to_string().into());
    let settings = settings.into_iter().enumerate().flat_map(|(number, (key, value))| {
        [
            (format!("GIT_CONFIG_KEY_{number}").into(), key),
            (format!("GIT_CONFIG_VALUE_{number}").into(), value),
        ]
    });
    passed.map(absolute).chain(SET.iter().map(own)).chain([count]).chain(settings).collect()
}

/// One entry of `git config --list --show-scope --show-origin -z`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting<'a> {
    pub(super) scope: &'a [u8],
    pub(super) origin: &'a [u8],
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
}

/// Reads that list; what is no entry is left out.
pub(super) fn settings(list: &[u8]) -> impl Iterator<Item = Setting<'_>> {
    let mut parts = list.split(|byte| *byte == 0);
    std::iter::from_fn(move || {
        let (scope, origin, entry) = (parts.next()?, parts.next()?, parts.next()?);
        let end = memchr::memchr(b'\n', entry);
        let (key, value) = entry.split_at(end.unwrap_or(entry.len()));
        Some(Setting { scope, origin, key, value: value.get(1..).unwrap_or_default() })
    })
}

/// The options that give each filter of the repository back to the user: to what their own configuration says of it, else
/// to nothing.
pub(super) fn filters_off(list: &[u8]) -> Overrides {
    let mut theirs: BTreeMap<&[u8], Option<&[u8]>> = BTreeMap::new();
    let mut own: BTreeMap<&[u8], &[u8]> = BTreeMap::new();
    for setting in settings(list).filter(|setting| setting.key.starts_with(b"filter.")) {
        match setting.scope {
            b"system" | b"global" => {
                own.insert(setting.key, setting.value);
            }
            b"command" => {}
            _ => {
                theirs.insert(setting.key, None);
            }
        }
    }
    for (key, value) in &mut theirs {
        *value = own.get(key).copied();
    }
    let off = theirs.into_iter().map(|(key, value)| {
        let nothing: &[u8] = if key.ends_with(b".required") { b"false" } else { b"" };
        (os(key), os(value.unwrap_or(nothing)))
    });
    off.collect()
}

/// A relative directory of `PATH` would lie in the working tree.
fn absolute((name, value): &(OsString, OsString)) -> (OsString, OsString) {
    if name != "PATH" {
        return (name.clone(), value.clone());
    }
    let directories = std::env::split_paths(value).filter(|directory| directory.is_absolute());
    (name.clone(), std::env::join_paths(directories).unwrap_or_default())
}

fn os(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStrExt as _;
    std::ffi::OsStr::from_bytes(bytes).to_owned()
}

#[cfg(test)]
mod tests {
    use super::filters_off;

    #[test]
    fn a_filter_of_the_repository_is_the_users_own_or_none() {
        let list = b"global\0file:/u\0filter.lfs.clean\ngit-lfs clean\0\
            local\0file:.git/config\0filter.lfs.clean\ntouch pwned\0\
            local\0file:.git/config\0filter.a=b.c.process\nx\ny\0\
            worktree\0file:.git/config.worktree\0filter.z.required\0\
            global\0file:/u\0filter.mine.clean\nmine\0\
            local\0file:.git/config\0core.bare\nfalse\0";
        let off = filters_off(list);
        let off: Vec<_> = off
            .iter()
            .map(|(key, value)| [key, value].map(|word| word.to_str().unwrap()))
            .collect();
        assert_eq!(
            off,
            [
                ["filter.a=b.c.process", ""],
                ["filter.lfs.clean", "git-lfs clean"],
                ["filter.z.required", "false"]
            ]
        );
    }
}
