//! One difference between a guard's trigger and the trigger as it was installed.

use pg::catalog::Name;
use std::fmt;

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The guarded table has become a partition of this one.
    IsPartition(Name),
    /// This trigger differs, and how.
    Trigger(String, TriggerDifference),
}

/// How a trigger differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TriggerDifference {
    /// It is not there.
    Missing,
    /// It calls another function than ours.
    OtherFunction,
    /// It is not ENABLE ALWAYS. Its `pg_trigger.tgenabled` is this.
    Enabled(String),
    /// It fires at another time, or for other events.
    Events,
    /// It fires for `UPDATE OF` other columns.
    Columns {
        found: Vec<String>,
        expected: Vec<String>,
    },
    /// It has another WHEN.
    Condition,
    /// DROP EXTENSION of another extension would drop it.
    DependsOnExtension,
}

impl Difference {
    /// Whether the difference is that a trigger is missing.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Trigger(_, TriggerDifference::Missing))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IsPartition(above) => {
                write!(f, "it is a partition of {above}, and takes no rows")
            }
            Self::Trigger(name, differs) => write!(f, "trigger {name} {differs}"),
        }
    }
}

impl fmt::Display for TriggerDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::OtherFunction => f.write_str("calls another function"),
            Self::Enabled(how) => f.write_str(match how.as_str() {
                "D" => "is disabled",
                "R" => "fires for replicas only",
                _ => "does not fire for replicas (not ENABLE ALWAYS)",
            }),
            Self::Events => f.write_str("fires at other times or events"),
            Self::Columns { found, expected } => write!(
                f,
                "is on columns ({}), not on ({})",
                found.join(", "),
                expected.join(", ")
            ),
            Self::Condition => f.write_str("has another condition"),
            Self::DependsOnExtension => f.write_str("goes with another extension (DEPENDS ON)"),
        }
    }
}

/// All differences in one line of text.
pub fn in_words(differences: &[Difference]) -> String {
    let words: Vec<String> = differences.iter().map(ToString::to_string).collect();
    words.join("; ")
}
