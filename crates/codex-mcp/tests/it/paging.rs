//! Long texts in pages: nothing is lost, nothing is cut where it need not be, and no made-up token is taken.

mod outputs;
mod split;
mod token;
