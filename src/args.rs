//! Checks on arguments that several functions share. Each error names the argument, the value and
//! the way out.

use pg::catalog::{self, Relation};
use pg::identity;
use pg::report::{Report, SqlState};
use pgrx::pg_sys::Oid;
use std::str::FromStr;
use verdict::UnknownWord;

/// The argument's value, or the error for a NULL where the function needs a value.
///
/// # Errors
///
/// 22004.
pub fn required<T>(argument: &str, value: Option<T>) -> Result<T, Report> {
    value.ok_or_else(|| {
        Report::new(
            SqlState::NullNotAllowed,
            format!("argument \"{argument}\" must not be null"),
        )
    })
}

/// A text that is not NULL and not blank.
///
/// # Errors
///
/// 22004, 22023.
pub fn not_blank<'a>(argument: &str, value: Option<&'a str>) -> Result<&'a str, Report> {
    let text = required(argument, value)?;
    if text.trim().is_empty() {
        return Err(Report::new(
            SqlState::InvalidParameter,
            format!("argument \"{argument}\" must not be empty"),
        ));
    }
    Ok(text)
}

/// One word of a closed set.
///
/// # Errors
///
/// 22004; 22023 with the words of the set in the hint.
pub fn word<T: FromStr<Err = UnknownWord>>(
    argument: &str,
    value: Option<&str>,
) -> Result<T, Report> {
    required(argument, value)?
        .parse()
        .map_err(|unknown: UnknownWord| unknown_word(argument, &unknown))
}

/// The error for a word that is not in its set.
pub fn unknown_word(argument: &str, unknown: &UnknownWord) -> Report {
    Report::new(
        SqlState::InvalidParameter,
        format!(
            "argument \"{argument}\": unknown {} \"{}\"",
            unknown.what, unknown.given
        ),
    )
    .hint(format!("Available values: {}.", unknown.exists.join(", ")))
}

/// A name that messages will show: 1 to 63 bytes, no control characters.
///
/// # Errors
///
/// 22004, 22023.
pub fn name<'a>(argument: &str, value: Option<&'a str>) -> Result<&'a str, Report> {
    /// PostgreSQL's own limit for names (NAMEDATALEN − 1).
    const CAP: usize = 63;
    let text = not_blank(argument, value)?;
    if text.len() > CAP || text.chars().any(char::is_control) {
        return Err(Report::new(
            SqlState::InvalidParameter,
            format!(
                "argument \"{argument}\": a name has 1 to {CAP} bytes and no control characters"
            ),
        )
        .detail(format!("The given one has {} bytes.", text.len())));
    }
    Ok(text)
}

/// The table of an argument `relation`. The caller must own it.
///
/// # Errors
///
/// 22004, 42704, 42501.
pub fn table_argument(relation: Option<Oid>) -> Result<Relation, Report> {
    let relation = catalog::relation(required("relation", relation)?)?;
    if !identity::owns(relation.owner) {
        return Err(Report::new(
            SqlState::InsufficientPrivilege,
            format!("must be owner of relation {}", relation.name),
        )
        .hint(format!(
            "Its owner is {}.",
            identity::role_name(relation.owner)
        )));
    }
    Ok(relation)
}
