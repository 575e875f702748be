//! The store, over real files: what is written is read back, whatever happens in between.

#![expect(clippy::disallowed_methods, reason = "a test that kills a process has to start one")]

mod changes;
mod crash;
mod damage;
mod durability;
mod export;
mod full;
mod lists;
mod migration;
mod open;
mod outputs;
mod plans;
mod recovery;
mod retention;
mod round_trip;
mod sessions;
mod support;
