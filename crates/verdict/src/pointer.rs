//! JSON pointers (RFC 6901): where in a webhook's request a value stands.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::words::excerpt;

/// A JSON pointer such as `/serverMsgID` or `/message/text`. Never the empty pointer: the whole
/// request is not a value that a subject or a field could be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JsonPointer(String);

/// A text that is not a JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JsonPointerError {
    /// The empty pointer names the whole document.
    #[error(
        "an empty JSON pointer names the whole document; name a value in it, as in \"/serverMsgID\""
    )]
    Empty,
    /// RFC 6901, section 3.
    #[error("the JSON pointer \"{pointer}\" must begin with \"/\"")]
    NoSlash {
        /// The text as given.
        pointer: String,
    },
    /// RFC 6901, section 3.
    #[error(
        "in the JSON pointer \"{pointer}\" every \"~\" must be written \"~0\" \
         (and a \"/\" in a name \"~1\")"
    )]
    Tilde {
        /// The text as given.
        pointer: String,
    },
}

impl JsonPointer {
    /// Reads a pointer.
    ///
    /// # Errors
    /// The text is empty, does not begin with `/`, or has a `~` that is neither `~0` nor `~1`.
    pub fn parse(pointer: &str) -> Result<Self, JsonPointerError> {
        if pointer.is_empty() {
            return Err(JsonPointerError::Empty);
        }
        if !pointer.starts_with('/') {
            return Err(JsonPointerError::NoSlash {
                pointer: excerpt(pointer),
            });
        }
        let escapes_are_whole = pointer
            .split('~')
            .skip(1)
            .all(|after| after.starts_with(['0', '1']));
        if !escapes_are_whole {
            return Err(JsonPointerError::Tilde {
                pointer: excerpt(pointer),
            });
        }
        Ok(Self(pointer.to_owned()))
    }

    /// The pointer to a top-level member.
    pub(crate) fn to_member(name: &str) -> Self {
        Self(format!("/{}", name.replace('~', "~0").replace('/', "~1")))
    }

    /// The pointer as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names on the way, unescaped; at least one.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.0.split('/').skip(1).map(|token| {
            if token.contains('~') {
                // In this order: "~01" is "~1", not "/".
                Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
            } else {
                Cow::Borrowed(token)
            }
        })
    }
}

impl fmt::Display for JsonPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for JsonPointer {
    type Err = JsonPointerError;

    fn from_str(pointer: &str) -> Result<Self, Self::Err> {
        Self::parse(pointer)
    }
}
