//! The core, driven by scripts and by chance.

mod properties;
mod scenarios;
mod support;
