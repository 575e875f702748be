//! Profiles of the user's own Codex configuration.
//!
//! Codex takes a profile only on its command line, for a whole process (measured with 0.169: the app-server refuses
//! `profile` in a thread's configuration). So the profile's file is read here and given to the one thread as
//! configuration. It is the user's own file, so its keys pass, except those that concern the sandbox: that is ours.

use std::path::Path;

use serde_json::{Map, Value};

use super::user_config;
use crate::error::{Code, Problem};

/// Keys of a profile that are left out: the bridge decides on the sandbox, turn by turn.
const SANDBOX_KEYS: &[&str] =
    &["sandbox_mode", "sandbox_workspace_write", "default_permissions", "permissions", "projects"];

/// Reads a profile: `NAME.config.toml` beside the configuration or, as older versions of Codex had it, the table
/// `profiles.NAME` in it.
///
/// # Errors
/// [`Code::InvalidArguments`]: no name, no such profile, or none that can be read.
pub(super) fn load(codex_home: Option<&Path>, name: &str) -> Result<Map<String, Value>, Problem> {
    let fits = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        return Err(Problem::argument_text(
            "profile",
            name,
            "a profile's name: letters, digits, `-` and `_`",
        ));
    }
    let Some(codex_home) = codex_home else {
        return Err(Problem::argument(
            "profile",
            &format!("{name:?}"),
            "none: neither CODEX_HOME nor HOME is set",
        ));
    };
    let own_file = codex_home.join(format!("{name}.config.toml"));
    let mut profile = match read(&own_file)? {
        Some(profile) => profile,
        None => in_table(&codex_home.join("config.toml"), name)?.ok_or_else(|| {
            let given = format!("there is no profile {name:?}");
            Problem::argument(
                "profile",
                &given,
                &format!("a profile with a file {}", own_file.display()),
            )
        })?,
    };
    for key in SANDBOX_KEYS {
        profile.remove(*key);
    }
    Ok(profile)
}

fn in_table(config: &Path, name: &str) -> Result<Option<Map<String, Value>>, Problem> {
    let Some(mut config) = read(config)? else {
        return Ok(None);
    };
    let profile =
        config.get_mut("profiles").and_then(|profiles| profiles.get_mut(name)).map(Value::take);
    Ok(match profile {
        Some(Value::Object(profile)) => Some(profile),
        Some(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_),
        )
        | None => None,
    })
}

/// Reads a file of configuration; `None` if it is not there.
fn read(path: &Path) -> Result<Option<Map<String, Value>>, Problem> {
    user_config::read(path).map_err(|why| {
        let message = format!("argument `profile`: {} cannot be read: {why}", path.display());
        Problem::new(Code::InvalidArguments, message)
    })
}
