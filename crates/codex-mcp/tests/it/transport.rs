//! One MCP connection, driven line by line: what each opener, mistake, interruption and end leads to.

mod dummy;
mod ending;
mod fixture;
mod opening;
mod order;
mod progress;
mod refusal;
mod stream;
