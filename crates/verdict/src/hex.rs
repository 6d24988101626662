//! Lower-case hexadecimal, without an allocation: a guard writes it for every row.

/// The two digits of a byte, the higher one first.
pub(crate) const fn hex_digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]]
}

/// A uuid as PostgreSQL prints it: `a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UuidText([u8; 36]);

impl UuidText {
    /// From the uuid's 16 bytes, in the order of the text.
    pub const fn of(bytes: &[u8; 16]) -> Self {
        let mut text = [b'-'; 36];
        let (mut from, mut to) = (0, 0);
        while from < bytes.len() {
            if matches!(to, 8 | 13 | 18 | 23) {
                to += 1;
            }
            let [high, low] = hex_digits(bytes[from]);
            text[to] = high;
            text[to + 1] = low;
            from += 1;
            to += 2;
        }
        Self(text)
    }

    /// The text: 36 characters.
    pub fn as_str(&self) -> &str {
        // Digits and hyphens are always UTF-8.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}
