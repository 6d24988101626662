//! Reading JSON in two ways: strictly, as evidence ([`Json::check`]), and as tolerantly as anyone
//! might ([`scan`]).
//!
//! A strict document is checked once and then read where it stands: no tree is made of it.
//!
//! | file | subject |
//! |---|---|
//! | `error` | why a text is not JSON, and the limits |
//! | `sink` | where bytes go: a hash, a count |
//! | `string` | a string within a checked text |
//! | `number` | numbers without rounding |
//! | `grammar` | whether a text is JSON |
//! | `value` | a checked text, its values and members |
//! | `canonical` | a value as RFC 8785 writes it |
//! | `scan` | the members of anything that looks like an object |

mod canonical;
mod error;
mod grammar;
mod number;
pub(crate) mod scan;
mod sink;
mod string;
mod value;

pub(crate) use canonical::NoForm;
pub use error::{DOCUMENT_CAP, MAX_DEPTH, StrictJsonError};
pub(crate) use number::read_integer;
pub(crate) use sink::{Length, Sink};
pub use string::JsonString;
pub use value::{Json, JsonValue};
pub(crate) use value::{JsonKind, Place};
