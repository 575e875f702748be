//! The border to Codex: the only place where its wire types and the core's words meet.

pub(crate) mod artifact;
pub(crate) mod attachments;
pub(crate) mod exec;
mod failing;
pub(crate) mod from_wire;
mod inherited;
mod last_words;
pub(crate) mod launch;
pub(crate) mod output;
pub(crate) mod plan_note;
mod profile;
pub(crate) mod question;
pub(crate) mod real_path;
pub(crate) mod thread_config;
pub(crate) mod to_wire;
mod user_config;

pub(crate) use last_words::last_words;
