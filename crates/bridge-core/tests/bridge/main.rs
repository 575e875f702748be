//! The core, driven by scripts and by chance.

mod patch;
mod plan;
mod properties;
mod samples;
mod scenarios;
mod show;
mod support;
