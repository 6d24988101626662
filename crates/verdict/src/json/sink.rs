//! Where the bytes of a value go: into a hash, or into a count.

/// Takes bytes one piece after another.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

/// Counts the bytes.
#[derive(Debug, Default)]
pub(crate) struct Length(pub u64);

impl Sink for Length {
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len() as u64;
    }
}
