//! The number under which a subject is found.

use sha2::{Digest as _, Sha256};

const DOMAIN: &[u8] = b"pg_verdict/subject/v1\0";

/// The hash of (hook, subject) that verdicts are indexed by: the first eight bytes, big endian, of
/// SHA-256 over `pg_verdict/subject/v1`, a zero byte, the hook's id (four bytes, big endian, two's
/// complement) and the subject's UTF-8.
///
/// It finds candidates and takes locks; whoever looks up must compare the subject itself as well.
/// SHA-256 and not a faster hash, because subjects may be chosen by a client, who must not be able
/// to pile them up on one lock.
pub fn subject_hash(hook_id: i32, subject: &str) -> i64 {
    let hash = Sha256::new()
        .chain_update(DOMAIN)
        .chain_update(hook_id.to_be_bytes())
        .chain_update(subject.as_bytes());
    first_eight(hash)
}

/// The first eight bytes, big endian.
pub(crate) fn first_eight(hash: Sha256) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    i64::from_be_bytes(first)
}
