//! JSON numbers without silent rounding.
//!
//! RFC 8785 writes every number as a double, so 1152921504606846976 and 1152921504606847000 would become the same text.
//! Two contents must never share a digest: a number counts only when the form that it gets is numerically what was
//! written.

use std::borrow::Cow;

/// What a number literal is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// An integer within i64, however it is spelled: `1`, `1.0`, `10e-1`, `-0`.
    Integer(i64),
    /// An integer above i64 and within u64.
    Unsigned(u64),
    /// Anything else whose shortest double form is numerically what was written.
    Double(f64),
    /// A double can't hold it as it was written.
    Inexact,
}

/// Reads a literal that follows the JSON grammar.
pub(crate) fn read(literal: &str) -> Number {
    let Some(decimal) = Decimal::of(literal) else {
        return Number::Inexact;
    };
    match decimal.integer() {
        Some(Integer::Signed(i)) => return Number::Integer(i),
        Some(Integer::Unsigned(u)) => return Number::Unsigned(u),
        None => {}
    }
    match shortest_form(literal) {
        Some(double) => Number::Double(double),
        None => Number::Inexact,
    }
}

/// Whether RFC 8785 writes this integer as it is. True within ±2^53, where every integer is a double of its own, and for some
/// beyond.
pub(crate) fn is_exact_integer(number: &serde_json::Number) -> bool {
    const EXACT: u64 = 1 << 53;
    let magnitude = match number.as_i64() {
        Some(i) => Some(i.unsigned_abs()),
        None => number.as_u64(),
    };
    magnitude.is_some_and(|magnitude| magnitude <= EXACT)
        || shortest_form(&number.to_string()).is_some()
}

/// The double nearest to the literal, if the shortest text that stands for that double is numerically the literal.
fn shortest_form(literal: &str) -> Option<f64> {
    let double: f64 = literal.parse().ok()?;
    if !double.is_finite() {
        return None;
    }
    // Written by the same code that writes it into a digest. Rust's own "{:e}" is as short, but of two texts that are
    // equally near (1804887047419339.2 and .3 for .25) it takes the other one than ECMAScript does.
    let shortest = serde_json_canonicalizer::to_string(&double).ok()?;
    (Decimal::of(&shortest)? == Decimal::of(literal)?).then_some(double)
}

enum Integer {
    Signed(i64),
    Unsigned(u64),
}

/// ± digits × 10^exponent, without leading or trailing zeros in the digits: two are equal when the numbers are.
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

    /// The integer it is, if it is one of at most 64 bits.
    fn integer(&self) -> Option<Integer> {
        if self.digits.is_empty() {
            return Some(Integer::Signed(0));
        }
        // Twenty digits hold every u64: more can't fit, and the power below can't overflow.
        let zeros = u32::try_from(self.exponent).ok().filter(|&z| z < 20)?;
        if self.digits.len() > 20 {
            return None;
        }
        let digits: i128 = self.digits.parse().ok()?;
        let magnitude = digits.checked_mul(10_i128.pow(zeros))?;
        let value = if self.negative { -magnitude } else { magnitude };
        if let Ok(signed) = i64::try_from(value) {
            return Some(Integer::Signed(signed));
        }
        u64::try_from(value).ok().map(Integer::Unsigned)
    }
}
