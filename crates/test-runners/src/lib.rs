//! How a project is tested and what its tests say: [`detect`] finds the runners, [`plan`] makes an argument array for one,
//! and [`read`] turns what it wrote into counts and failures.
//!
//! Everything is a function of its arguments: no process is started, no file opened, no clock read. Who calls it lists
//! folders and reads files ([`Facts`], [`Source`]), runs the command and hands over its output. What tests write is not
//! trusted: every text is bounded, and no report can claim more than the exit code allows, because that is for the
//! caller to weigh.

mod detect;
mod parse;
mod place;
mod plan;
mod report;
mod runner;
mod tally;

pub use detect::{Facts, Found, LOOKED_FOR, detect};
pub use parse::{Format, found_nothing, read_log, read_report, readable};
pub use plan::{Network, Plan, Refused, Source, Wanted, plan, plan_of_command};
pub use report::{Counts, Failure, Limits, Report};
pub use runner::Runner;
pub use tally::{Tally, plain};
