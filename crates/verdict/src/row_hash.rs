//! The number under which a held row is found when it comes again.

use crate::subject_hash::first_eight;
use sha2::{Digest as _, Sha256};

const DOMAIN: &[u8] = b"pg_verdict/row/v1\0";

/// A hash of a guard's id and of values, each of which may be absent. The order of the values
/// matters.
///
/// As with [`crate::subject_hash()`], it finds candidates and takes locks; whoever looks up must
/// compare the values as well.
#[derive(Debug)]
pub struct RowHash(Sha256);

impl RowHash {
    /// For rows of this guard.
    pub fn new(guard_id: i32) -> Self {
        Self(
            Sha256::new()
                .chain_update(DOMAIN)
                .chain_update(guard_id.to_be_bytes()),
        )
    }

    /// Adds a value: its length, so that no two rows run together, and its bytes.
    pub fn add(&mut self, value: Option<&[u8]>) {
        match value {
            None => self.0.update([0]),
            Some(bytes) => {
                self.0.update([1]);
                self.0.update((bytes.len() as u64).to_be_bytes());
                self.0.update(bytes);
            }
        }
    }

    /// The first eight bytes, big endian.
    pub fn finish(self) -> i64 {
        first_eight(self.0)
    }
}
