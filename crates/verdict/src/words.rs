//! Closed sets of words: an enum, its spelling, and an error that lists what exists.

use thiserror::Error;

/// A word that is not one of a closed set: a mistyped finding, action, dialect, mode …
///
/// The message names what was asked for, what was given and everything that exists.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown {what} \"{given}\" (available values: {})", .exists.join(", "))]
pub struct UnknownWord {
    /// What kind of word it should have been, for example `action`.
    pub what: &'static str,
    /// The word as given, cut to a length that fits a message.
    pub given: String,
    /// Every word of that kind.
    pub exists: &'static [&'static str],
}

/// At most 64 characters of a text from outside, for an error message. Control characters become
/// U+FFFD: PostgreSQL can't hold U+0000, and a log line is a line.
pub(crate) fn excerpt(text: &str) -> String {
    let mut characters = text.chars();
    let mut excerpt: String = characters
        .by_ref()
        .take(64)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if characters.next().is_some() {
        excerpt.push('…');
    }
    excerpt
}

/// Declares an enum whose values have one spelling each: `as_str`, `ALL`, `Display` and `FromStr`
/// (exact, case-sensitive).
macro_rules! words {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident as $what:literal {
            $( $(#[$variant_meta:meta])* $variant:ident = $word:literal, )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        $vis enum $name {
            $( $(#[$variant_meta])* $variant, )+
        }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];
            const WORDS: &'static [&'static str] = &[ $( $word, )+ ];

            /// The word that stands for it in SQL, tables and messages.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::words::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $( $word => Ok(Self::$variant), )+
                    _ => Err($crate::words::UnknownWord {
                        what: $what,
                        given: $crate::words::excerpt(word),
                        exists: Self::WORDS,
                    }),
                }
            }
        }
    };
}
pub(crate) use words;
