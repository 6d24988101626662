//! How one platform spells its answers.
//!
//! Each platform has a file here. To add one: its file, a word in [`Dialect`], and an arm in each
//! of the three functions of `Dialect`.

mod openim;

use crate::field::FieldMap;
use crate::outcome::Answer;
use crate::words::{UnknownWord, words};

/// A dialect that does not exist; lists those that do.
pub type UnknownDialect = UnknownWord;

words! {
    /// How one platform spells its answers. Chosen for a hook, never guessed from the bytes: where
    /// OpenIM says 1 for no, others say 1 for yes.
    pub enum Dialect as "dialect" {
        /// OpenIM Server 3.x and what speaks like it.
        OpenIm = "openim",
    }
}

impl Dialect {
    /// What an answer comes to: `body` exactly as it came, `http_status` as the server reported it.
    ///
    /// Total: every body has an outcome, and only one that can't be read in any other way is
    /// `approved`.
    pub fn answer(self, body: &[u8], http_status: i32) -> Answer {
        match self {
            Self::OpenIm => openim::answer(body, http_status),
        }
    }

    /// Where this platform's requests name the subject, as a JSON pointer; for hooks that do not
    /// say otherwise.
    pub const fn subject(self) -> &'static str {
        match self {
            Self::OpenIm => openim::SUBJECT,
        }
    }

    /// The content fields of this platform's requests, for hooks that do not name their own. They
    /// can depend on the hook's name: it may say about which kind of messages the hook is asked.
    pub fn fields(self, hook_name: &str) -> FieldMap {
        match self {
            Self::OpenIm => openim::fields(hook_name),
        }
    }
}
