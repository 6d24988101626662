//! What a client is told when something is refused: one info for every error of ours.

/// The SQLSTATEs that pg_verdict raises. `VD…` are its own, and never class 40, which drivers
/// retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqlState {
    /// `VD001` … `VD007`: a row has a finding, of which this is the code.
    Finding(&'static str),
    /// `VD009`: a guard's trigger fired and the registry does not know it.
    GuardMisconfigured,
    /// `39P01`: a trigger function was called by something else than its trigger.
    TriggerProtocol,
    /// `VD010`: a statement would weaken a guard.
    Weakened,
    /// `22023`: an argument has a value that cannot be used.
    InvalidParameter,
    /// `22004`: an argument is NULL where a value is needed.
    NullNotAllowed,
    /// `42704`: a hook, guard, role kind or the like does not exist.
    UndefinedObject,
    /// `42710`: it exists already.
    DuplicateObject,
    /// `42P01`: a table does not exist.
    UndefinedTable,
    /// `42703`: a column does not exist.
    UndefinedColumn,
    /// `42809`: a relation is of the wrong kind.
    WrongObjectType,
    /// `42501`: the role may not do that.
    InsufficientPrivilege,
    /// `42601`: the text of a condition does not parse.
    Syntax,
    /// `25006`: the transaction is read-only, or the server a standby.
    ReadOnly,
    /// `55000`: the object is not in the state that the call needs.
    NotInPrerequisiteState,
    /// `55006`: a statement that has not ended uses it.
    ObjectInUse,
    /// `2BP01`: others depend on it.
    DependentObjects,
    /// `53200`: memory that was asked for is not there.
    OutOfMemory,
    /// `54000`: larger than what is worked on.
    TooLarge,
    /// `54001`: an internal loop that should end did not.
    TooComplex,
}

impl SqlState {
    /// The five characters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finding(code) => code,
            Self::GuardMisconfigured => "VD009",
            Self::TriggerProtocol => "39P01",
            Self::Weakened => "VD010",
            Self::InvalidParameter => "22023",
            Self::NullNotAllowed => "22004",
            Self::UndefinedObject => "42704",
            Self::DuplicateObject => "42710",
            Self::UndefinedTable => "42P01",
            Self::UndefinedColumn => "42703",
            Self::WrongObjectType => "42809",
            Self::InsufficientPrivilege => "42501",
            Self::Syntax => "42601",
            Self::ReadOnly => "25006",
            Self::NotInPrerequisiteState => "55000",
            Self::ObjectInUse => "55006",
            Self::DependentObjects => "2BP01",
            Self::OutOfMemory => "53200",
            Self::TooLarge => "54000",
            Self::TooComplex => "54001",
        }
    }
}

/// Which object an error is about: the fields that drivers expose beside the message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// SCHEMA NAME
    pub schema: Option<String>,
    /// TABLE NAME
    pub table: Option<String>,
    /// CONSTRAINT NAME: the guard
    pub constraint: Option<String>,
}

/// One error, whole, before it becomes PostgreSQL's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub state: SqlState,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    /// Boxed: an error without an object should be cheap to pass on.
    pub about: Option<Box<About>>,
}

impl Report {
    pub fn new(state: SqlState, message: impl Into<String>) -> Self {
        Self {
            state,
            message: message.into(),
            detail: None,
            hint: None,
            about: None,
        }
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn about(mut self, about: About) -> Self {
        self.about = Some(Box::new(about));
        self
    }
}
