//! JSON numbers without silent rounding.
//!
//! RFC 8785 writes every number as a double, so 1152921504606846976 and 1152921504606847000 would
//! become the same text. Two contents must never share a digest: a number counts only when the form
//! that it gets is numerically what was written.

use std::borrow::Cow;

/// The integer within i64 that a literal stands for, however it is spelled: `1`, `1.0`, `10e-1`,
/// `-0`. The literal follows the JSON grammar.
pub(crate) fn read_integer(literal: &str) -> Option<i64> {
    Decimal::of(literal)?.integer()
}

/// How RFC 8785 writes a number: as the shortest text that stands for the double nearest to it.
/// Nothing when that text is numerically another number than the literal.
pub(crate) fn shortest_form(literal: &str) -> Option<String> {
    let double: f64 = literal.parse().ok()?;
    if !double.is_finite() {
        return None;
    }
    // Rust's own "{:e}" is as short. But of two texts that are equally near (1804887047419339.2
    // and .3 for .25) it takes another one than ECMAScript does.
    let shortest = serde_json_canonicalizer::to_string(&double).ok()?;
    (Decimal::of(&shortest)? == Decimal::of(literal)?).then_some(shortest)
}

/// ± digits × 10^exponent, without leading or trailing zeros in the digits: two are equal when
/// the numbers are.
#[derive(Debug, PartialEq, Eq)]
struct Decimal<'a> {
    negative: bool,
    /// Empty for zero.
    digits: Cow<'a, str>,
    exponent: i64,
}

impl<'a> Decimal<'a> {
    fn of(literal: &'a str) -> Option<Self> {
        let (negative, unsigned) = match literal.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, literal),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent),
            None => (unsigned, "0"),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Cow<'a, str> = if fraction.is_empty() {
            Cow::Borrowed(whole)
        } else {
            Cow::Owned([whole, fraction].concat())
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let significant = digits.trim_matches('0');
        if significant.is_empty() {
            // Zero has one form, whatever its sign and exponent: RFC 8785 writes -0 as 0.
            return Some(Self {
                negative: false,
                digits: Cow::Borrowed(""),
                exponent: 0,
            });
        }
        // An exponent beyond i64 is beyond every double, too.
        let exponent: i64 = exponent.parse().ok()?;
        let trailing = digits.len() - digits.trim_end_matches('0').len();
        let shift = i64::try_from(trailing).ok()? - i64::try_from(fraction.len()).ok()?;
        Some(Self {
            negative,
            exponent: exponent.checked_add(shift)?,
            digits: match digits {
                Cow::Borrowed(all) => Cow::Borrowed(all.trim_matches('0')),
                Cow::Owned(_) => Cow::Owned(significant.to_owned()),
            },
        })
    }

    /// The integer it is, if it is one within i64.
    fn integer(&self) -> Option<i64> {
        if self.digits.is_empty() {
            return Some(0);
        }
        // Nineteen digits hold every i64, and the power below can't overflow i128.
        let zeros = u32::try_from(self.exponent).ok().filter(|&z| z < 20)?;
        if self.digits.len() > 19 {
            return None;
        }
        let digits: i128 = self.digits.parse().ok()?;
        let magnitude = digits.checked_mul(10_i128.pow(zeros))?;
        i64::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }
}
