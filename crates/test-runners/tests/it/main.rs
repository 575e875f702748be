//! Projects and reports as data, with what is made of them.

mod detection;
mod plans;
mod properties;
mod reports;
