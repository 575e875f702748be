//! The core, driven by scripts and by chance.

mod patch;
mod properties;
mod samples;
mod scenarios;
mod show;
mod support;
