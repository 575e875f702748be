//! Reads the layers: a file, the variables, the flags. Keys that do not exist are found here; whether a value is
//! allowed is not decided here.

use std::ffi::OsString;

use super::codex_environment::is_no_setting;
use super::environment::Environment;
use super::file::ConfigFile;
use super::keys::{self, Key, VARIABLE_PREFIX};
use super::kind::Raw;
use super::problem::{Origin, Problem};

/// The flags that were given. A switch has the value `true` or `false`.
#[derive(Debug, Clone, Default)]
pub struct Flags(Vec<Flag>);

#[derive(Debug, Clone)]
struct Flag {
    key: &'static str,
    name: &'static str,
    values: Vec<OsString>,
}

impl Flags {
    /// Adds a flag that was given, with its values in order.
    pub(crate) fn add(&mut self, key: &Key, values: Vec<OsString>) {
        self.0.push(Flag { key: key.name, name: key.flag, values });
    }
}

/// A value that a layer gives to a key.
pub(super) struct Given {
    pub(super) key: &'static str,
    pub(super) origin: Origin,
    pub(super) raw: Raw,
}

/// Reads all layers, from the weakest to the strongest.
pub(super) fn read(
    file: &ConfigFile,
    environment: &Environment,
    flags: &Flags,
    problems: &mut Vec<Problem>,
) -> Vec<Given> {
    let mut given = file.read(problems);
    given.extend(variables(environment, problems));
    given.extend(flags.0.iter().map(|flag| Given {
        key: flag.key,
        origin: Origin::Flag(format!("--{}", flag.name)),
        raw: Raw::Flag(flag.values.clone()),
    }));
    given
}

fn variables(environment: &Environment, problems: &mut Vec<Problem>) -> Vec<Given> {
    let mut given = Vec::new();
    for (name, value) in environment.variables() {
        let name = name.to_string_lossy();
        let Some(key) = name.strip_prefix(VARIABLE_PREFIX) else {
            continue;
        };
        // A client that fills in `${VARIABLE:-}` sets ours to nothing where the user has none.
        if value.is_empty() || is_no_setting(&name) {
            continue;
        }
        let origin = Origin::Variable(name.to_string());
        match keys::names().find(|key| keys::variable(key) == name) {
            Some(key) => given.push(Given { key, origin, raw: Raw::Variable(value.to_owned()) }),
            None => {
                problems.push(Problem { origin, key: None, message: unknown(key, keys::variable) })
            }
        }
    }
    given
}

/// Says that `given` is not a key, and which one may have been meant; keys are spelled as in the layer.
pub(super) fn unknown(given: &str, spelled: impl Fn(&str) -> String) -> String {
    let likely = given.to_ascii_lowercase().replace('-', "_");
    let nearest = keys::names()
        .map(|key| (strsim::jaro_winkler(key, &likely), key))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    match nearest {
        Some((_, key)) => format!("there is no such key; did you mean `{}`?", spelled(key)),
        None => {
            let all: Vec<_> = keys::names().map(spelled).collect();
            format!("there is no such key; the keys are {}", all.join(", "))
        }
    }
}
