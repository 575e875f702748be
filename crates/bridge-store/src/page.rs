//! Where a page ends and the next one begins.

/// A place between two records of a list. It stays valid while the list changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// What the list is sorted by, of the last record that was given.
    pub key: i64,
    /// What tells records with the same key apart.
    pub id: String,
}
